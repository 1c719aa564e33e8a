/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel does not lead a client to its server of `path kernel`. */
#include "lib/policy/decide/client.h"

#include <stdio.h>

/* What was found among the rules that could take a connection of the client. */
struct search {
	const struct policy *policy;
	struct decide_question question;
	struct decide_outcome outcome; /* of all up to here */
	bool any;                      /* it is one */
	bool leads;                    /* a rule leads to a server of `path kernel` */
	ptrdiff_t before;              /* the rule before */
	struct level_cause read;       /* the first word that has messages read */
	/* The first rule beside which there is another way, of which something unknown decides; and
	 * the one that goes that way with a count of its own. */
	ptrdiff_t asks, counts;
};

static void note_words(struct search *search, size_t zone, const struct policy_rule *rule, size_t i)
{
	if (search->read.word != LEVEL_NO_WORD)
		return;
	search->read = (struct level_cause){level_by_rule(search->policy, rule), -1, (ptrdiff_t)i};
	if (search->read.word == LEVEL_NO_WORD && rule->to_server)
		search->read = (struct level_cause){
			level_of_zone(&search->policy->zones[zone]), (ptrdiff_t)zone, -1};
}

/* index: behind the last: whatever no rule takes. */
static void note_way(struct search *search, size_t zone, size_t index, enum decide_answer answer)
{
	struct decide_outcome next = decide_outcome_of(search->policy, zone, index);
	struct decide_outcome all = search->outcome;

	if (search->any && search->asks < 0 &&
		(!decide_outcome_meet(&all, &next) || all.mark != search->outcome.mark ||
			all.mark != next.mark)) {
		bool this = answer == DECIDE_RULE_MAYBE && next.mark != MARK_KERNEL;
		search->asks = this ? (ptrdiff_t)index : search->before;
		if (search->outcome.mark == MARK_KERNEL && next.mark == MARK_KERNEL &&
			search->outcome.path.server == next.path.server)
			search->counts = next.rule;
	}
	search->outcome = search->any ? all : next;
	search->any = true;
	search->before = (ptrdiff_t)index;
}

static void look(struct search *search, size_t zone, const struct decide_key *key)
{
	const struct policy *policy = search->policy;

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		struct decide_match match = decide_ask_rule(&search->question, key, i);
		if (match.answer == DECIDE_RULE_NO)
			continue;
		search->leads |= policy_rule_by_kernel(policy, rule);
		note_words(search, zone, rule, i);
		note_way(search, zone, i, match.answer);
		/* what a message does not take comes to the rules behind */
		if (match.answer == DECIDE_RULE_YES && level_of_rule(rule) == LEVEL_NO_WORD)
			return;
	}
	note_way(search, zone, policy->nrules, DECIDE_RULE_YES);
}

static const char *unknown_of(const struct search *search, const struct policy_rule *rule)
{
	if (rule->destination.given && !rule->destination.any)
		return "the destination";
	if (rule->ports.n > 0 && search->question.port == 0)
		return "the port";
	return "the MAC, by which its zone does not go";
}

static void say_rule(const struct search *search, char *buf)
{
	const struct policy_rule *rules = search->policy->rules, *rule = &rules[search->asks];

	if (search->counts >= 0)
		snprintf(buf, DECIDE_WHY_SIZE,
			"rule %s asks for %s, and it and rule %s count flows each for itself",
			rule->name.text, unknown_of(search, rule), rules[search->counts].name.text);
	else
		snprintf(buf, DECIDE_WHY_SIZE, "rule %s asks for %s", rule->name.text,
			unknown_of(search, rule));
}

/* In a zone with identity address: who it may turn out to be. */
static void say_mac(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, struct decide_outcome outcome, char *buf)
{
	const struct session *sessions[DECIDE_MAC_SESSIONS_MAX];
	const char *zone = world->policy->zones[origin->zone].name.text;
	size_t n = session_table_by_mac_alone(
		world->sessions, zone, sessions, DECIDE_MAC_SESSIONS_MAX);

	if (n > DECIDE_MAC_SESSIONS_MAX)
		snprintf(buf, DECIDE_WHY_SIZE,
			"more than %d sessions of zone %s are known by their MAC alone, and it may "
			"be any of them",
			DECIDE_MAC_SESSIONS_MAX, zone);
	else if (world->blocks && blocks_hold_macs(world->blocks, zone, now_ms))
		snprintf(buf, DECIDE_WHY_SIZE,
			"a MAC is blocked in zone %s, whose clients go by their address", zone);
	for (size_t i = 0; !*buf && i < n; i++) {
		struct decide_outcome other;
		uint64_t until_ms = 0;
		if (!decide_outcome_of_session(
			    world, origin, sessions[i], now_ms, &other, &until_ms) ||
			!decide_outcome_meet(&outcome, &other) || outcome.mark != MARK_KERNEL)
			snprintf(buf, DECIDE_WHY_SIZE,
				"it may be user \"%s\", who is known by the MAC alone and goes "
				"another way",
				sessions[i]->user.text);
	}
}

const char *decide_why_relay(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, char buf[static DECIDE_WHY_SIZE])
{
	const struct policy *policy = world->policy;
	bool any_mac = policy->zones[origin->zone].identity == POLICY_IDENTITY_ADDRESS;
	const struct mac *mac = any_mac ? NULL : &origin->mac;
	struct search search = {.policy = policy, .asks = -1, .counts = -1};
	struct decision decision = {0};
	char cause[LEVEL_CAUSE_SIZE];

	buf[0] = '\0';
	const struct session *session =
		decide_identify(world, origin, mac, now_ms, &decision.until_ms);
	if (!decide_take_session(world, origin, mac, session, now_ms, &decision))
		return buf;
	decide_question_of_all(&search.question, world, origin, session, now_ms);
	struct decide_key key = decide_key_of(origin, session);
	look(&search, origin->zone, &key);
	if (!search.leads)
		return buf;
	if (search.read.word != LEVEL_NO_WORD)
		snprintf(buf, DECIDE_WHY_SIZE, "messages decide, by %s",
			level_format_cause(policy, &search.read, cause));
	else if (search.asks >= 0)
		say_rule(&search, buf);
	else if (any_mac && search.outcome.mark == MARK_KERNEL)
		say_mac(world, origin, now_ms, search.outcome, buf);
	return buf;
}
