/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns where the policy's listeners, radiuses and portals take connections and where they cannot,
 * as the keeper says. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_LISTENING_H
#define POSTERN_DAEMON_CONTROL_KERNEL_LISTENING_H

#include "lib/ipc/kernel.h"

struct control;

struct listening_at {
	char listener[POLICY_NAME_SIZE];
	struct endpoint at;
	enum policy_taker taker;  /* that is its name */
	int error;                /* 0: it listens; an errno: it does not, and is tried again */
	char text[IPC_TEXT_SIZE]; /* why not */
};

#define LISTENING_MAX (2 * POLICY_ENDPOINTS_MAX)

/* Those of the policy in force, and of one that comes. */
struct listening {
	struct listening_at v[LISTENING_MAX];
	size_t n;
};

/* The keeper has said how one is: of the policy in force, or of one that may come. */
void listening_put(struct control *control, const struct ipc_listening *ipc);
/* Another policy is in force: what it does not have is forgotten. */
void listening_follow(struct control *control);
/* The next greater port than this, of UDP or of TCP; 0: there is none. */
uint16_t listening_next_port(const struct listening *listening, uint16_t port, bool udp);
/* NULL: nothing is known of it. */
const struct listening_at *listening_find(
	const struct control *control, const struct endpoint *at, enum policy_taker taker);

#endif
