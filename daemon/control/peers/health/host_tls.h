/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what health saw of TLS at the addresses of servers' hosts, as long as the policy speaks it
 * so and the addresses are theirs. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_HEALTH_HOST_TLS_H
#define POSTERN_DAEMON_CONTROL_PEERS_HEALTH_HOST_TLS_H

#include "lib/ipc/health.h"
#include "lib/ipc/replica.h"
#include "lib/policy/policy.h"

#include <jansson.h>

struct control;
struct host_tls;

/* In the place of what was seen there before, or that goes. Begins as NULL. The log hears once of
 * an end that is near, and once of one that is nearer. */
void host_tls_take(struct host_tls **all, const struct control *control,
	const struct ipc_targets *targets, const struct ipc_host_tls *ipc);
/* Of this server only what is at these addresses stays. */
void host_tls_keep(struct host_tls **all, const struct ipc_targets *targets);
/* Only what is of the policy's servers stays. */
void host_tls_follow(struct host_tls **all, const struct policy *policy);
void host_tls_free(struct host_tls **all);

/* NULL: nothing was seen under what the policy says now. Borrowed until the next call that changes
 * something. */
const struct ipc_host_tls *host_tls_find(const struct host_tls *all,
	const struct policy_server *server, const struct ipc_target *target,
	const struct addr *addr);

/* Whole days until the certificate ends, below 0: it is over. False: that does not matter, since
 * nobody looks at it. */
bool host_tls_days(const struct control *control, const struct ipc_host_tls *ipc, int64_t *days);

/* One of the objects of `tls` in a row of `server show`. */
json_t *host_tls_row(const struct control *control, const struct ipc_host_tls *ipc);

#endif
