/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns telling a server who the client is: the PROXY header in front of everything, or XCLIENT
 * commands between the server's first greeting and the one that the client gets. */
#ifndef POSTERN_DAEMON_RELAY_CONNECT_ANNOUNCE_H
#define POSTERN_DAEMON_RELAY_CONNECT_ANNOUNCE_H

#include "daemon/relay/relay.h"
#include "lib/policy/login_name.h"
#include "lib/smtp/probe/dialogue.h"

/* The gateway's own words with a server, in a piece of the pool. The name is a copy: the policy
 * that has it may go before the talk is over. */
struct announce_talk {
	char hostname[CHILD_MACHINE_SIZE];
	char login[LOGIN_NAME_SIZE];
	struct dialogue_setup setup;
	struct dialogue dialogue;
};

/* A talk as the flow's client, given back to the pool by whoever began it; NULL: no memory.
 * hand_over as in dialogue.h. */
struct announce_talk *announce_new_talk(const struct flow *flow, bool hand_over);

/* What a talk that is over comes to when its outcome is not WORKED. */
enum ending announce_ending(const struct dialogue *dialogue);

/* The server is connected: says what is said first, and waits for its greeting. */
void announce_begin(struct flow *flow);
void announce_run(struct flow *flow);
void announce_on_deadline(struct flow *flow);

#endif
