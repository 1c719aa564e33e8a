/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what health tells: policy, DNS answers and probes become the list of targets of each server,
 * sent whole whenever anything in it has changed. */
#ifndef POSTERN_DAEMON_HEALTH_TARGETS_H
#define POSTERN_DAEMON_HEALTH_TARGETS_H

#include "daemon/base/loop.h"
#include "lib/ipc/flow.h"
#include "lib/ipc/health.h"
#include "lib/ipc/replica.h"

struct dials;
struct picture;
struct targets;
struct watched_target;

struct targets_face {
	void *context;
	void (*send)(void *context, const void *ipc); /* IPC_TARGETS, IPC_HOST_TLS, IPC_RESOLVED */
};

/* Reads /etc/resolv.conf and /etc/hosts: from here on no file is opened. 0 or -errno. */
int targets_open(struct loop *loop, uint64_t *counters, uint16_t relay_port,
	const struct targets_face *face, struct dials *dials, struct targets **out);
void targets_close(struct targets *targets);

/* Another policy is in force, and with it another inquiry; a reference to the policy is taken.
 * hostname is copied. */
void targets_set_policy(
	struct targets *targets, const struct picture *picture, const char *hostname);
/* What every host offers is to be asked anew before its first flow. */
void targets_begin_inquiry(struct targets *targets, uint64_t inquiry);
/* The gateway's own addresses on the clients' side: as a client of it where no zone has a network.
 */
void targets_set_client_side(struct targets *targets, const struct ipc_client_side *side);
/* What another health process told before it died: its DNS answers are held over, its states
 * stand until a probe says otherwise. Before or after the policy. */
void targets_seed(struct targets *targets, const struct ipc_targets *ipc);
/* What a relay saw of a host. */
void targets_on_host(struct targets *targets, const struct ipc_host *ipc);
/* server empty: all. */
void targets_probe_now(struct targets *targets, const char *server);
/* The hosts of a server as they are now, in order; borrowed until the next call. NULL: there is no
 * such server, or nothing is known of it yet. */
const struct watched_target *targets_hosts(const struct targets *targets, const char *server);
/* Of the host at that address, if it is there: login_hold_left_s(), login_hold_on_tested(). */
uint32_t targets_login_held_s(
	const struct targets *targets, const char *server, const struct endpoint *host);
void targets_on_tested(struct targets *targets, const char *server, const struct endpoint *host);
/* A new control knows nothing yet. */
void targets_tell_all(struct targets *targets);
/* The addresses of a host that is no server's; they are told when they are known. */
void targets_name(struct targets *targets, const struct ipc_resolve *ipc);
/* Does what has become due. After every batch of events. */
void targets_run(struct targets *targets);

#endif
