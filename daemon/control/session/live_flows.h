/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns control's picture of the live flows: to which session, rule and listener each belongs, so
 * that a session in use does not go idle and a rule knows its hits. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_LIVE_FLOWS_H
#define POSTERN_DAEMON_CONTROL_SESSION_LIVE_FLOWS_H

#include "lib/policy/policy.h"

struct control;
struct live_flows;

/* Of a rule or listener. */
struct live_rule {
	uint64_t hits; /* since control started */
	uint64_t flows;
	uint64_t last_ms; /* wall clock; 0: never */
};

struct live_flow {
	uint64_t id, session, start_ms;
	uint32_t relay;
	const char *rule; /* "" for none; owned by the picture */
};

struct live_flows *live_flows_new(void);
void live_flows_free(struct live_flows *live_flows);
/* rule and listener: "" for none. A flow that began, or one that a relay has from before (hit
 * false). Twice is once. */
void live_flows_add(struct live_flows *live_flows, uint32_t relay, uint64_t id, uint64_t session,
	uint64_t start_ms, const char *rule, const char *listener, bool hit);
void live_flows_del(struct live_flows *live_flows, uint64_t id);
/* The relay died, and its flows with it: each is handed out, then forgotten. */
void live_flows_del_relay(struct live_flows *live_flows, uint32_t relay,
	void (*visit)(void *context, const struct live_flow *flow), void *context);
size_t live_flows_count(const struct live_flows *live_flows);
bool live_flows_has_session(const struct live_flows *live_flows, uint64_t session);
struct live_rule live_flows_listener_of(const struct live_flows *live_flows, const char *listener);
struct live_rule live_flows_rule_of(const struct live_flows *live_flows, const char *rule);

#endif
