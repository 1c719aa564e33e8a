/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the web process as control sees it: where metrics are served and the pages that it asks for,
 * and how its login pages fare. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_WEB_PEER_H
#define POSTERN_DAEMON_CONTROL_PEERS_WEB_PEER_H

#include "daemon/control/peers/peer.h"
#include "kernel-rules/plan.h"
#include "lib/ipc/kernel.h"
#include "lib/ipc/web.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct web_peer;

/* What only the keeper knows. */
struct web_peer_kernel {
	bool answered;
	struct ipc_kernel_counters counters; /* the last ones, if it did not answer */
	struct {
		char zone[POLICY_NAME_SIZE];
		uint64_t packets;
	} arrived[PLAN_ZONES_MAX];
	size_t narrived;
};

/* The page of metrics as a memfd, or -errno. */
typedef int web_peer_make(struct control *control, const struct web_peer_kernel *kernel);

/* Behind control's peers. NULL: out of memory. */
struct web_peer *web_peer_new(struct control *control, web_peer_make *make);
/* Hangs up, and forgets its own questions. */
void web_peer_close(struct web_peer *peer);
void web_peer_free(struct web_peer *peer);
/* Another policy is in force, or the first one. */
void web_peer_follow(struct web_peer *peer);
/* What a portal's page counted, over all processes that were; NULL: nothing is known. told: false,
 * it is not of the process that runs now. */
struct web_peer_portal {
	struct ipc_portal_state state;
	bool told;
	struct portal_counts ended; /* before what `state` counts */
};
const struct web_peer_portal *web_peer_portal(const struct web_peer *peer, const char *name);
/* All that it counted; zero of NULL. */
void web_peer_portal_counts(const struct web_peer_portal *portal, struct portal_counts *counts);
/* Why nobody can scrape, in words; false: the policy wants no metrics, or all is well. */
bool web_peer_trouble(const struct web_peer *peer, char *text, size_t size);

#endif
