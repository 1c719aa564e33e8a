/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of every connection of a client at once, for the kernel. */
#include "lib/policy/decide/rule.h"

/* With more sessions known by their MAC alone nothing is cached in a zone with identity address. */
#define MAC_SESSIONS_MAX 32

/* The kernel's verdict on every connection of this session (NULL: none) from the origin; false when
 * there is more than one. *until_ms is lowered. */
static bool decide_session(const struct decide_world *world, const struct decide_origin *origin,
	const struct session *session, uint64_t now_ms, enum mark *mark, uint64_t *until_ms)
{
	const struct policy *policy = world->policy;
	const struct policy_zone *zone = &policy->zones[origin->zone];
	struct decide_question question;
	struct decision decision = {.until_ms = *until_ms};
	bool maybe = false; /* an outcome is in *mark already */

	if (!decide_take_session(world, origin,
		    zone->identity == POLICY_IDENTITY_ADDRESS ? NULL : &origin->mac, session,
		    now_ms, &decision)) {
		*until_ms = decision.until_ms;
		*mark = decide_mark_of(decision.verdict);
		return true;
	}
	*until_ms = decision.until_ms;
	decide_question_init(&question, world, origin, now_ms);
	question.session = session;
	question.any_mac = zone->identity == POLICY_IDENTITY_ADDRESS;
	question.port = zone->ports.n == 1 ? zone->ports.v[0] : 0;
	struct decide_key key = decide_key_of(origin, session);
	for (size_t i = 0; i <= policy->nrules; i++) {
		struct decide_match match = {.answer = DECIDE_RULE_YES};
		enum policy_verdict verdict = zone->unmatched.verdict;
		if (i < policy->nrules) {
			match = decide_ask_rule(&question, &key, i);
			verdict = decide_verdict_of(&policy->rules[i]);
		}
		decide_lower(until_ms, match.until_ms);
		if (match.answer == DECIDE_RULE_NO)
			continue;
		if (maybe && decide_mark_of(verdict) != *mark)
			return false;
		*mark = decide_mark_of(verdict);
		maybe = true;
		if (match.answer == DECIDE_RULE_YES)
			break;
	}
	return true;
}

/* In a zone with identity address the client may turn out to be any of the sessions that are known
 * by their MAC alone, whatever its address; or its MAC to be blocked. */
static bool agree_by_mac(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, enum mark mark, uint64_t *until_ms)
{
	const struct session *sessions[MAC_SESSIONS_MAX];
	const char *zone = world->policy->zones[origin->zone].name.text;
	size_t n = session_table_by_mac_alone(world->sessions, zone, sessions, MAC_SESSIONS_MAX);

	if (n > MAC_SESSIONS_MAX)
		return false;
	if (mark != MARK_RELAY && world->blocks && blocks_hold_macs(world->blocks, zone, now_ms))
		return false;
	for (size_t i = 0; i < n; i++) {
		enum mark other;
		if (!decide_session(world, origin, sessions[i], now_ms, &other, until_ms) ||
			other != mark)
			return false;
	}
	return true;
}

bool decide_client(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, enum mark *mark, uint64_t *until_ms, struct decide_path *path)
{
	(void)path;
	bool any_mac = world->policy->zones[origin->zone].identity == POLICY_IDENTITY_ADDRESS;

	*until_ms = 0;
	const struct session *session =
		decide_identify(world, origin, any_mac ? NULL : &origin->mac, now_ms, until_ms);
	return decide_session(world, origin, session, now_ms, mark, until_ms) &&
	       (!any_mac || agree_by_mac(world, origin, now_ms, *mark, until_ms));
}
