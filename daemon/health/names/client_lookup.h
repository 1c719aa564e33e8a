/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the look-ups of listeners' clients: reverse DNS says names of an address, forward DNS which
 * of them are its own (lib/dns/client_name.h). Each is answered within 5 s, whatever DNS does, and
 * one look-up answers all who ask for its address. */
#ifndef POSTERN_DAEMON_HEALTH_NAMES_CLIENT_LOOKUP_H
#define POSTERN_DAEMON_HEALTH_NAMES_CLIENT_LOOKUP_H

#include "daemon/base/loop.h"
#include "lib/ipc/health.h"

#define CLIENT_LOOKUP_MS 5000
/* More begin in the place of the oldest, which then have not got their 5 s. */
#define CLIENT_LOOKUPS_MAX 1024

struct client_lookups;

struct client_lookups_face {
	void *context;
	/* IPC_LOOKED_UP; of a question with a seq then IPC_REPLY. */
	void (*send)(void *context, const void *ipc);
};

/* Reads /etc/resolv.conf. 0 or -errno. */
int client_lookups_open(struct loop *loop, uint64_t *counters,
	const struct client_lookups_face *face, struct client_lookups **out);
/* Stops all without a word. NULL is allowed. */
void client_lookups_close(struct client_lookups *lookups);
/* Exactly one answer comes, possibly before this returns. */
void client_lookups_ask(struct client_lookups *lookups, const struct ipc_lookup *ipc);
/* A new control has other questions under the same seqs. */
void client_lookups_forget_seqs(struct client_lookups *lookups);
/* Goes on with what DNS has answered. After every batch of events. */
void client_lookups_run(struct client_lookups *lookups);

#endif
