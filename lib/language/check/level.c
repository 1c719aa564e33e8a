/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the message level asks of a policy: that a flow's path never changes once it is read, and
 * that one transaction has one server. */
#include "lib/language/shadow.h"

#include "lib/policy/level.h"

#include <stdlib.h>

#define EFFORT     100000000
#define SUBMISSION 587

struct checking {
	struct language *l;
	const struct policy *policy;
	const struct language_rule_note *notes;
	size_t *read; /* enabled rules that have a word of the message */
	size_t nread;
	struct language_effort effort;
};

static bool is_path(const struct policy_rule *rule)
{
	return !rule->to_server && rule->act.verdict != POLICY_VERDICT_ANSWER;
}

/* ---- level connection */

static void check_connection_zone(const struct checking *checking, size_t zone)
{
	struct language *l = checking->l;
	const struct language_zone_note *note = (struct language_zone_note *)l->zone_notes.v + zone;
	const char *name = checking->policy->zones[zone].name.text;
	enum level_word word = level_of_zone(&checking->policy->zones[zone]);

	if (word != LEVEL_NO_WORD)
		language_error(l,
			word == LEVEL_NEWLINE    ? &note->newline
			: word == LEVEL_ZONE_TLS ? &note->tls.word
						 : &note->message_limit,
			"zone %s has `level connection`, whose flows are not read, and `%s`; "
			"expected one of them",
			name, level_words[word]);
	for (size_t i = 0; i < checking->policy->nrules && !l->stopped; i++) {
		const struct policy_rule *rule = &checking->policy->rules[i];
		if (rule->disabled || !policy_rule_in_zone(rule, zone))
			continue;
		if (level_of_rule(rule) != LEVEL_NO_WORD)
			language_error(l, &checking->notes[i].message_word,
				"zone %s has `level connection`, whose flows are not read, and "
				"rule %s is for it; expected another zone here, or `level auto`",
				name, rule->name.text);
		else if (level_by_rule(checking->policy, rule) != LEVEL_NO_WORD)
			language_error(l, &checking->notes[i].server,
				"zone %s has `level connection`, whose flows are not read, and "
				"rule %s leads to server %s, which has `%s`; expected another zone "
				"here, or `level auto`",
				name, rule->name.text, rule->server_name.text,
				level_words[level_by_rule(checking->policy, rule)]);
	}
}

/* ---- port 587 */

static bool takes_port(const struct policy_rule *rule, uint16_t port)
{
	for (size_t i = 0; i < rule->ports.n; i++)
		if (rule->ports.v[i] == port)
			return true;
	return rule->ports.n == 0;
}

/* Who submits there logs in first, and a zone's flows that are read have no AUTH. */
static void check_submission(const struct checking *checking, size_t zone_index)
{
	const struct policy *policy = checking->policy;
	const struct policy_zone *zone = &policy->zones[zone_index];
	const struct language_zone_note *note =
		(struct language_zone_note *)checking->l->zone_notes.v + zone_index;
	struct level_cause cause = {level_of_zone(zone), (ptrdiff_t)zone_index, -1};
	char by[LEVEL_CAUSE_SIZE];
	size_t at = 0;

	while (at < zone->ports.n && zone->ports.v[at] != SUBMISSION)
		at++;
	if (at == zone->ports.n || at >= note->ports.n)
		return;
	for (size_t i = 0; cause.word == LEVEL_NO_WORD && i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (!rule->disabled && policy_rule_in_zone(rule, zone_index) &&
			takes_port(rule, SUBMISSION))
			cause = (struct level_cause){level_by_rule(policy, rule), -1, (ptrdiff_t)i};
	}
	if (cause.word != LEVEL_NO_WORD)
		language_fault(checking->l, &note->ports.v[at],
			"port %d of zone %s is read, by %s: who submits there logs in first, and "
			"there the gateway has no AUTH; expected the port in a zone that is not "
			"read",
			SUBMISSION, zone->name.text, level_format_cause(policy, &cause, by));
}

static void check_zones(const struct checking *checking)
{
	struct language *l = checking->l;

	for (size_t i = 0; i < checking->policy->nzones && !l->stopped; i++) {
		const struct policy_zone *zone = &checking->policy->zones[i];
		const struct language_zone_note *note =
			(struct language_zone_note *)l->zone_notes.v + i;
		struct level_cause cause = level_cause_of_zone(checking->policy, i);
		char by[LEVEL_CAUSE_SIZE];
		if (zone->level == POLICY_LEVEL_CONNECTION)
			check_connection_zone(checking, i);
		else
			check_submission(checking, i);
		if (zone->level != POLICY_LEVEL_CONNECTION && cause.word != LEVEL_NO_WORD &&
			zone->unmatched.verdict == POLICY_VERDICT_PASS)
			language_error(l, &note->unmatched,
				"`unmatched pass` in a zone that is read, by %s: what the gateway "
				"talks to passes no more; expected an answer",
				level_format_cause(checking->policy, &cause, by));
	}
}

/* ---- verdicts that are a path */

static void check_path(struct checking *checking, size_t index)
{
	const struct policy_rule *rule = &checking->policy->rules[index];
	const struct language_rule_note *note = &checking->notes[index];
	const char *verdict = policy_verdict_names[rule->act.verdict];

	if (level_of_rule(rule) != LEVEL_NO_WORD) {
		language_error(checking->l, &note->verdict,
			"rule %s has `%s`, for which the gateway talks to the client: then it is "
			"too late to %s; expected a server or an answer",
			rule->name.text, level_words[level_of_rule(rule)], verdict);
		return;
	}
	for (size_t i = 0; i < checking->nread && checking->read[i] < index; i++) {
		const struct policy_rule *before = &checking->policy->rules[checking->read[i]];
		if (language_apart(before, rule, &checking->effort))
			continue;
		language_error(checking->l, &note->verdict,
			"rule %s could take flows that rule %s before it has read, by `%s`: then "
			"it is too late to %s; expected it before that rule, or an answer",
			rule->name.text, before->name.text, level_words[level_of_rule(before)],
			verdict);
		return;
	}
}

/* ---- limits */

static void check_limits(struct checking *checking, size_t index)
{
	const struct policy_rule *rule = &checking->policy->rules[index];
	const struct language_rule_note *note = &checking->notes[index];
	char by[LEVEL_CAUSE_SIZE];

	if (rule->limit_none && rule->limits.n > 0)
		language_error(checking->l, &note->limit_none,
			"rule %s has `limit none` and a limit, expected one of them",
			rule->name.text);
	if (note->flow_limit.width == 0 || rule->listens)
		return;
	struct level_cause cause = level_cause_of_rule(checking->policy, index);
	if (cause.word != LEVEL_NO_WORD)
		language_error(checking->l, &note->flow_limit,
			"rule %s takes messages, not connections, by %s: this would never count; "
			"expected it in the zone",
			rule->name.text, level_format_cause(checking->policy, &cause, by));
}

/* ---- one transaction, one server */

/* Neither demands a user, or one is for who has none: what meets both is transfer, whose
 * recipients of other servers come again. */
static bool is_transfer(const struct policy_rule *a, const struct policy_rule *b)
{
	bool user_a = a->user_given || a->group_given || !a->listens;
	bool user_b = b->user_given || b->group_given || !b->listens;

	return a->user_none || b->user_none || (!user_a && !user_b);
}

/* Which domain it is of decides; relay control has seen that they have one server, if it must. */
static bool same_server(const struct policy_rule *a, const struct policy_rule *b)
{
	if (a->to_protected || b->to_protected)
		return a->to_protected && b->to_protected;
	return a->to_original == b->to_original && (a->to_original || a->server == b->server);
}

/* Does a rule between the two take all that the first leaves, or all that the second could take? */
static bool is_parted(struct checking *checking, size_t first, size_t second)
{
	const struct policy_rule *rules = checking->policy->rules;

	for (size_t i = first + 1; i < second; i++)
		if (!rules[i].recipient.given &&
			(language_implied_transaction(
				 &rules[i], &rules[first], &checking->effort) ||
				language_implied_transaction(
					&rules[i], &rules[second], &checking->effort)))
			return true;
	return false;
}

static const char *server_of(const struct policy_rule *rule)
{
	return rule->to_original    ? "original"
	       : rule->to_protected ? "protected"
				    : rule->server_name.text;
}

/* A zone's transactions are submission, since they have a user: who sends a message to ten hears
 * of no other server. */
static void check_one_server(struct checking *checking, size_t first)
{
	const struct policy_rule *rules = checking->policy->rules, *rule = &rules[first];

	for (size_t i = first + 1; i < checking->policy->nrules; i++) {
		if (rules[i].disabled || !rules[i].to_server || same_server(rule, &rules[i]) ||
			is_transfer(rule, &rules[i]) ||
			language_apart_transaction(rule, &rules[i], &checking->effort) ||
			is_parted(checking, first, i))
			continue;
		language_error(checking->l, &checking->notes[i].server,
			"rule %s leads to server %s, and rule %s before it, by `recipient`, to "
			"server %s: a message to both has one server; expected the same one, and "
			"to route by recipient there, in its queue",
			rules[i].name.text, server_of(&rules[i]), rule->name.text, server_of(rule));
		return;
	}
}

void language_check_levels(struct language *l)
{
	const struct policy *policy = l->policy;
	struct checking checking = {.l = l,
		.policy = policy,
		.notes = l->rule_notes.v,
		.read = calloc(policy->nrules + 1, sizeof(size_t)),
		.effort.left = EFFORT};

	if (!checking.read) {
		language_out_of_memory(l);
		return;
	}
	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled && level_of_rule(&policy->rules[i]) != LEVEL_NO_WORD)
			checking.read[checking.nread++] = i;
	check_zones(&checking);
	for (size_t i = 0; i < policy->nrules && !l->stopped; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (rule->disabled)
			continue;
		if (is_path(rule))
			check_path(&checking, i);
		check_limits(&checking, i);
		if (rule->recipient.given && rule->to_server)
			check_one_server(&checking, i);
	}
	free(checking.read);
}
