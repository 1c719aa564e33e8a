/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/client.h"

/* The index of the server of `path kernel` that takes its flows unread; or -1. */
static ptrdiff_t server_of(const struct policy *policy, size_t zone, const struct policy_rule *rule)
{
	if (!policy_rule_by_kernel(policy, rule) || level_by_rule(policy, rule) != LEVEL_NO_WORD ||
		level_of_zone(&policy->zones[zone]) != LEVEL_NO_WORD)
		return -1;
	return (ptrdiff_t)rule->server;
}

struct decide_outcome decide_outcome_of(const struct policy *policy, size_t zone, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];

	if (index == policy->nrules)
		return (struct decide_outcome){
			decide_mark_of(policy->zones[zone].unmatched.verdict), {-1, 0}, -1};
	ptrdiff_t server = server_of(policy, zone, rule);
	if (server < 0)
		return (struct decide_outcome){
			decide_mark_of(decide_verdict_of(rule)), {-1, 0}, (ptrdiff_t)index};
	return (struct decide_outcome){
		MARK_KERNEL, {server, policy_rule_flows(rule)}, (ptrdiff_t)index};
}

static bool is_ours(enum mark mark)
{
	return mark == MARK_RELAY || mark == MARK_KERNEL;
}

/* One count holds for all that goes one way: two rules have one each. */
static bool same_way(const struct decide_outcome *a, const struct decide_outcome *b)
{
	return a->mark == b->mark && a->path.server == b->path.server &&
	       a->path.flows == b->path.flows && (a->path.flows == 0 || a->rule == b->rule);
}

static void leave_to_relay(struct decide_outcome *outcome)
{
	outcome->mark = MARK_RELAY;
	outcome->path = (struct decide_path){-1, 0};
}

bool decide_outcome_meet(struct decide_outcome *outcome, const struct decide_outcome *other)
{
	if (is_ours(outcome->mark) && is_ours(other->mark)) {
		if (!same_way(outcome, other))
			leave_to_relay(outcome);
		return true;
	}
	return outcome->mark == other->mark;
}

void decide_question_of_all(struct decide_question *question, const struct decide_world *world,
	const struct decide_origin *origin, const struct session *session, uint64_t now_ms)
{
	const struct policy_zone *zone = &world->policy->zones[origin->zone];

	decide_question_init(question, world, origin, now_ms);
	question->session = session;
	question->any_mac = zone->identity == POLICY_IDENTITY_ADDRESS;
	question->port = zone->ports.n == 1 ? zone->ports.v[0] : 0;
}

bool decide_outcome_of_session(const struct decide_world *world, const struct decide_origin *origin,
	const struct session *session, uint64_t now_ms, struct decide_outcome *outcome,
	uint64_t *until_ms)
{
	const struct policy *policy = world->policy;
	const struct policy_zone *zone = &policy->zones[origin->zone];
	struct decide_question question;
	struct decision decision = {.until_ms = *until_ms};
	bool maybe = false; /* *outcome is one already */

	bool known = decide_take_session(world, origin,
		zone->identity == POLICY_IDENTITY_ADDRESS ? NULL : &origin->mac, session, now_ms,
		&decision);
	*until_ms = decision.until_ms;
	*outcome = (struct decide_outcome){decide_mark_of(decision.verdict), {-1, 0}, -1};
	if (!known)
		return true;
	decide_question_of_all(&question, world, origin, session, now_ms);
	struct decide_key key = decide_key_of(origin, session);
	for (size_t i = 0; i <= policy->nrules; i++) {
		struct decide_match match = {.answer = DECIDE_RULE_YES};
		if (i < policy->nrules)
			match = decide_ask_rule(&question, &key, i);
		decide_lower(until_ms, match.until_ms);
		if (match.answer == DECIDE_RULE_NO)
			continue;
		struct decide_outcome next = decide_outcome_of(policy, origin->zone, i);
		if (!maybe)
			*outcome = next;
		else if (!decide_outcome_meet(outcome, &next))
			return false;
		maybe = true;
		if (match.answer == DECIDE_RULE_YES)
			break;
	}
	return true;
}

/* In a zone with identity address the client may turn out to be any of the sessions that are known
 * by their MAC alone, whatever its address; or its MAC to be blocked, which the relay sees. */
static bool agree_by_mac(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, struct decide_outcome *outcome, uint64_t *until_ms)
{
	const struct session *sessions[DECIDE_MAC_SESSIONS_MAX];
	const char *zone = world->policy->zones[origin->zone].name.text;
	size_t n = session_table_by_mac_alone(
		world->sessions, zone, sessions, DECIDE_MAC_SESSIONS_MAX);

	if (n > DECIDE_MAC_SESSIONS_MAX)
		return false;
	if (outcome->mark != MARK_RELAY && world->blocks &&
		blocks_hold_macs(world->blocks, zone, now_ms)) {
		if (!is_ours(outcome->mark))
			return false;
		leave_to_relay(outcome);
	}
	for (size_t i = 0; i < n; i++) {
		struct decide_outcome other;
		if (!decide_outcome_of_session(
			    world, origin, sessions[i], now_ms, &other, until_ms) ||
			!decide_outcome_meet(outcome, &other))
			return false;
	}
	return true;
}

bool decide_client(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, enum mark *mark, uint64_t *until_ms, struct decide_path *path)
{
	bool any_mac = world->policy->zones[origin->zone].identity == POLICY_IDENTITY_ADDRESS;
	struct decide_outcome outcome;

	*until_ms = 0;
	const struct session *session =
		decide_identify(world, origin, any_mac ? NULL : &origin->mac, now_ms, until_ms);
	if (!decide_outcome_of_session(world, origin, session, now_ms, &outcome, until_ms) ||
		(any_mac && !agree_by_mac(world, origin, now_ms, &outcome, until_ms)))
		return false;
	if (!path && outcome.mark == MARK_KERNEL)
		outcome.mark = MARK_RELAY;
	*mark = outcome.mark;
	if (path)
		*path = outcome.path;
	return true;
}
