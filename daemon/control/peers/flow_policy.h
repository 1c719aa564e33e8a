/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a policy's way into the processes with flows. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_POLICY_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct flow_peer;
struct gather;

/* Prepare everywhere, then commit or abort. text is the resolved
 * canonical text; lenient: what is missing of certificates and secrets is no reason to refuse it.
 * Those that are held (credentials.h) go in front of it. One that starts in between catches up at
 * the commit. Those of some roles (1 << role each) can commit before it is the running policy, and
 * then do not once more. */
#define FLOW_POLICY_ALL UINT_MAX
void flow_policy_prepare(struct control *control, uint64_t number, bool lenient, const char *text,
	size_t len, struct gather *gather);
void flow_policy_commit(
	struct control *control, unsigned roles_meant, uint64_t number, struct gather *gather);
void flow_policy_abort(struct control *control, uint64_t number);
/* To one that starts. */
void flow_policy_send_running(struct flow_peer *flow);

#endif
