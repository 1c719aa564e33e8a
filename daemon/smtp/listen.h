/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns taking clients where the policy's listeners are: at sockets that the keeper opens and hands
 * out.
 *
 * A socket is watched while the policy in force has a listener there: one that was opened for a
 * policy that is still to come waits for it. When the listener goes, what was accepted for it by
 * the kernel is taken first, under the policy that had it. */
#ifndef POSTERN_DAEMON_SMTP_LISTEN_H
#define POSTERN_DAEMON_SMTP_LISTEN_H

#include "daemon/flow/shortage.h"
#include "lib/ipc/flow.h"

struct policy;
struct smtp;
struct tls_contexts;

#define LISTEN_SOCKETS_MAX (2 * POLICY_ENDPOINTS_MAX) /* of two policies */

struct listen_socket {
	struct loop_watch watch; /* first; fd -1: none */
	struct smtp *smtp;
	struct endpoint at;
	bool watched;
};

struct listen {
	struct listen_socket sockets[LISTEN_SOCKETS_MAX];
	/* that the watched ones are of; references */
	struct policy *policy;
	struct tls_contexts *contexts;
	struct shortage shortage;
};

void listen_init(struct smtp *smtp);
void listen_fini(struct smtp *smtp);
/* The keeper has one more; fd is taken over. */
void listen_put(struct smtp *smtp, const struct ipc_endpoint *ipc, int fd);
/* The keeper has it no more, or it is another process's. */
void listen_gone(struct smtp *smtp, const struct ipc_endpoint *ipc);
/* Something that was short may be there again. */
void listen_resume(struct smtp *smtp);
/* The process ends: what waits is told. */
void listen_end(struct smtp *smtp);
/* The policy in force is another one. */
void listen_follow(struct smtp *smtp);

#endif
