/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of every connection of a client at once, for the kernel. */
#include "lib/policy/decide/rule.h"

/* With more sessions known by their MAC alone nothing is cached in a zone with identity address. */
#define MAC_SESSIONS_MAX 32

/* What the kernel does with a connection; rule: by which, -1: by none. */
struct outcome {
	enum mark mark;
	struct decide_path path; /* with MARK_KERNEL */
	ptrdiff_t rule;
};

/* The rule's own, since what the zone's count of one rule and another is no one's in the kernel;
 * such are refused. */
static uint32_t flows_of(const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->limits.n; i++)
		if (rule->limits.v[i].kind == POLICY_LIMIT_FLOWS &&
			rule->limits.v[i].per == POLICY_PER_CLIENT)
			return rule->limits.v[i].count;
	return 0;
}

/* The index of the server of `path kernel` that takes its flows unread; or -1. */
static ptrdiff_t server_of(const struct policy *policy, size_t zone, const struct policy_rule *rule)
{
	if (!rule->to_server || rule->to_original || rule->to_protected ||
		policy->servers[rule->server].path != POLICY_PATH_KERNEL ||
		level_by_rule(policy, rule) != LEVEL_NO_WORD ||
		level_of_zone(&policy->zones[zone]) != LEVEL_NO_WORD)
		return -1;
	return (ptrdiff_t)rule->server;
}

/* Of what the rule takes in the zone. */
static struct outcome outcome_of(const struct policy *policy, size_t zone, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];
	ptrdiff_t server = server_of(policy, zone, rule);

	if (server < 0)
		return (struct outcome){
			decide_mark_of(decide_verdict_of(rule)), {-1, 0}, (ptrdiff_t)index};
	return (struct outcome){MARK_KERNEL, {server, flows_of(rule)}, (ptrdiff_t)index};
}

static bool is_ours(enum mark mark)
{
	return mark == MARK_RELAY || mark == MARK_KERNEL;
}

/* One count holds for all that goes one way: two rules have one each. */
static bool same_way(const struct outcome *a, const struct outcome *b)
{
	return a->mark == b->mark && a->path.server == b->path.server &&
	       a->path.flows == b->path.flows && (a->path.flows == 0 || a->rule == b->rule);
}

static void leave_to_relay(struct outcome *outcome)
{
	outcome->mark = MARK_RELAY;
	outcome->path = (struct decide_path){-1, 0};
}

/* Both may come: true and *outcome, of either. What differs only in who carries it is the relay's.
 */
static bool meet(struct outcome *outcome, const struct outcome *other)
{
	if (is_ours(outcome->mark) && is_ours(other->mark)) {
		if (!same_way(outcome, other))
			leave_to_relay(outcome);
		return true;
	}
	return outcome->mark == other->mark;
}

/* The question about every connection of a session at once. */
static void ask_of_all(struct decide_question *question, const struct decide_world *world,
	const struct decide_origin *origin, const struct session *session, uint64_t now_ms)
{
	const struct policy_zone *zone = &world->policy->zones[origin->zone];

	decide_question_init(question, world, origin, now_ms);
	question->session = session;
	question->any_mac = zone->identity == POLICY_IDENTITY_ADDRESS;
	question->port = zone->ports.n == 1 ? zone->ports.v[0] : 0;
}

/* The kernel's verdict on every connection of this session (NULL: none) from the origin; false when
 * there is more than one. *until_ms is lowered. */
static bool decide_session(const struct decide_world *world, const struct decide_origin *origin,
	const struct session *session, uint64_t now_ms, struct outcome *outcome, uint64_t *until_ms)
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
	*outcome = (struct outcome){decide_mark_of(decision.verdict), {-1, 0}, -1};
	if (!known)
		return true;
	ask_of_all(&question, world, origin, session, now_ms);
	struct decide_key key = decide_key_of(origin, session);
	for (size_t i = 0; i <= policy->nrules; i++) {
		struct decide_match match = {.answer = DECIDE_RULE_YES};
		struct outcome next = {decide_mark_of(zone->unmatched.verdict), {-1, 0}, -1};
		if (i < policy->nrules)
			match = decide_ask_rule(&question, &key, i);
		decide_lower(until_ms, match.until_ms);
		if (match.answer == DECIDE_RULE_NO)
			continue;
		if (i < policy->nrules)
			next = outcome_of(policy, origin->zone, i);
		if (!maybe)
			*outcome = next;
		else if (!meet(outcome, &next))
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
	uint64_t now_ms, struct outcome *outcome, uint64_t *until_ms)
{
	const struct session *sessions[MAC_SESSIONS_MAX];
	const char *zone = world->policy->zones[origin->zone].name.text;
	size_t n = session_table_by_mac_alone(world->sessions, zone, sessions, MAC_SESSIONS_MAX);

	if (n > MAC_SESSIONS_MAX)
		return false;
	if (outcome->mark != MARK_RELAY && world->blocks &&
		blocks_hold_macs(world->blocks, zone, now_ms)) {
		if (!is_ours(outcome->mark))
			return false;
		leave_to_relay(outcome);
	}
	for (size_t i = 0; i < n; i++) {
		struct outcome other;
		if (!decide_session(world, origin, sessions[i], now_ms, &other, until_ms) ||
			!meet(outcome, &other))
			return false;
	}
	return true;
}

bool decide_client(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, enum mark *mark, uint64_t *until_ms, struct decide_path *path)
{
	bool any_mac = world->policy->zones[origin->zone].identity == POLICY_IDENTITY_ADDRESS;
	struct outcome outcome;

	*until_ms = 0;
	const struct session *session =
		decide_identify(world, origin, any_mac ? NULL : &origin->mac, now_ms, until_ms);
	if (!decide_session(world, origin, session, now_ms, &outcome, until_ms) ||
		(any_mac && !agree_by_mac(world, origin, now_ms, &outcome, until_ms)))
		return false;
	if (!path && outcome.mark == MARK_KERNEL)
		outcome.mark = MARK_RELAY;
	*mark = outcome.mark;
	if (path)
		*path = outcome.path;
	return true;
}
