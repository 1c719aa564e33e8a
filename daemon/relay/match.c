/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/match.h"

#include "daemon/flow/charge.h"
#include "daemon/flow/identify.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/connect/connect.h"
#include "daemon/relay/hand.h"
#include "daemon/relay/relay.h"
#include "lib/policy/target.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void decide(struct flow *flow, struct decision *decision)
{
	const struct picture *picture = relay_picture(flow->relay);
	const struct decide_world world = {.policy = flow->way.policy,
		.lists = picture->lists,
		.sessions = picture->sessions,
		.local = localtime_r,
		.calendar_ahead_ms =
			(int64_t)(loop_wall_ms(flow->relay->loop) - loop_now_ms(flow->relay->loop)),
		.blocks = picture->blocks,
		.is_host = way_is_host,
		.is_host_context = &flow->way};
	const struct decide_origin origin = {.zone = (size_t)flow->way.zone,
		.mac = flow->way.mac,
		.source = flow->way.client.addr};
	decide_connection(
		&world, &origin, &flow->way.original, loop_now_ms(flow->relay->loop), decision);
}

/* Nobody is logged in there: maybe the login is still on its way. */
static bool is_stranger(const struct decision *decision)
{
	return decision->reason == DECIDE_UNAUTHENTICATED ||
	       (decision->reason == DECIDE_NEEDS_ENVELOPE && !decision->session);
}

/* A login is sent to the relays before its caller hears that it is done, so one that is missing may
 * wait unread in the socket: then that is read first, and everything is looked at anew. */
static enum ending find_decision(
	struct flow *flow, const struct origin *origin, struct decision *decision)
{
	struct relay *relay = flow->relay;
	enum ending ending = identify_flow(&flow->way, origin);
	if (ending == ENDING_NONE) {
		decide(flow, decision);
		if (!is_stranger(decision))
			return ENDING_NONE;
	}
	if (ending == ENDING_NO_MAC || !relay->child.control ||
		channel_drain(relay->child.control) == 0)
		return ending;
	ending = identify_flow(&flow->way, origin);
	if (ending != ENDING_NONE)
		return ending;
	decide(flow, decision);
	if (!is_stranger(decision))
		relay_count(relay, COUNTER_IDENTITY_LATE);
	return ENDING_NONE;
}

static void note_decision(struct flow *flow, const struct decision *decision)
{
	flow->verdict = (uint8_t)decision->verdict;
	flow->reason = (uint8_t)decision->reason;
	flow->way.rule = (int32_t)decision->rule;
	flow->way.server = (int32_t)decision->server;
	flow->way.to_original = decision->to_original;
	if (!decision->session)
		return;
	const struct policy_string *user = &decision->session->user;
	size_t len = user->len < sizeof(flow->way.user) ? user->len : sizeof(flow->way.user) - 1;
	flow->way.session = decision->session->id;
	memcpy(flow->way.user, user->text, len);
	flow->way.user[len] = '\0';
}

/* A server's host trusts the gateway, maybe with whom each client is: with `announce xclient` who
 * reached it as an original could say that himself. So it is not reached past its server. */
static void take_to_server(struct flow *flow)
{
	const struct replica_targets *targets = &flow->relay->replica.targets;
	ptrdiff_t server = targets->policy == flow->way.policy
				   ? replica_targets_find_server(targets, &flow->way.original.addr)
				   : -EAGAIN;

	flow->way.to_original = server == -ENOENT;
	flow->way.server = server < 0 ? -1 : (int32_t)server;
}

static void redirect(struct flow *flow)
{
	/* before its server: what both report at once comes in this order, and with the client's
	 * behind it the relaying that the server's began would be run a second time for nothing */
	if (flow_watch_client(flow) < 0) {
		flow_end(flow, ENDING_NO_MEMORY, true);
		return;
	}
	if (flow->way.to_original && !target_unfit(&flow->way.original.addr))
		take_to_server(flow);
	enum ending over = charge_flow(&flow->way);
	if (over != ENDING_NONE) {
		answer_short(flow, over);
		return;
	}
	report_started(flow);
	connect_begin(flow);
}

static enum ending answered_as(const struct flow *flow)
{
	switch ((enum decide_reason)flow->reason) {
	case DECIDE_UNAUTHENTICATED:
		return ENDING_NOT_LOGGED_IN;
	case DECIDE_UNMATCHED:
		return ENDING_UNMATCHED;
	case DECIDE_BLOCKED:
		return ENDING_BLOCKED;
	case DECIDE_NEEDS_ENVELOPE:
	case DECIDE_RULE:
	case DECIDE_NOT_ACCEPTED: /* these never of what is redirected */
	case DECIDE_NO_RECIPIENT:
	case DECIDE_TLS:
	case DECIDE_NEEDS_NAME:
		break;
	}
	return ENDING_ANSWERED;
}

static void say(struct flow *flow, const struct decision *decision)
{
	const struct decide_greeting greeting = decide_greeting_of(decision);

	answer_begin(flow, answered_as(flow), greeting.code, greeting.status, greeting.text);
}

/* The kernel acts on pass, reject and drop by itself. A flow that brings one of them here was
 * steered by a verdict that has changed since: it can no longer pass, but the next one will. */
static void act(struct flow *flow, const struct decision *decision)
{
	switch (decision->verdict) {
	case POLICY_VERDICT_REDIRECT:
		if (decision->reason == DECIDE_NEEDS_ENVELOPE)
			hand_flow(flow, decision->session);
		else
			redirect(flow);
		break;
	case POLICY_VERDICT_ANSWER:
		say(flow, decision);
		break;
	case POLICY_VERDICT_PASS:
		answer_begin(
			flow, ENDING_ANSWERED, 421, "4.3.2", "the policy has changed, try again");
		break;
	case POLICY_VERDICT_REJECT:
		flow_end(flow, ENDING_REJECTED, true);
		break;
	case POLICY_VERDICT_DROP:
		flow_end(flow, ENDING_DROPPED, true);
		break;
	}
}

/* False: it was answered, as it cannot be told who the client is. */
static bool find(struct flow *flow, const struct origin *origin, struct decision *decision)
{
	enum ending ending = find_decision(flow, origin, decision);

	if (ending == ENDING_NONE) {
		note_decision(flow, decision);
		return true;
	}
	flow->verdict = POLICY_VERDICT_ANSWER;
	answer_short(flow, ending);
	return false;
}

void match_flow(struct flow *flow, const struct origin *origin)
{
	struct decision decision;

	if (!origin->syn_saved)
		relay_count(flow->relay, COUNTER_SYN_EMPTY);
	if (!find(flow, origin, &decision))
		return;
	relay_count(flow->relay, counter_of_verdict(decision.verdict));
	act(flow, &decision);
}

void match_again(struct flow *flow)
{
	const struct link *link = link_find_name(&flow->relay->ways.links, flow->way.ifname);
	const struct origin origin = {.client = flow->way.client,
		.original = flow->way.original,
		.ifindex = link ? link->ifindex : 0,
		.mac = flow->way.mac,
		.syn_saved = true};
	struct decision decision;

	flow->way.session = 0;
	flow->way.user[0] = '\0';
	if (find(flow, &origin, &decision))
		act(flow, &decision);
}
