/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/decide.h"

#include "lib/policy/decide/rule.h"

#include <assert.h>

const char *const decide_reason_names[] = {
	[DECIDE_RULE] = "rule",
	[DECIDE_UNAUTHENTICATED] = "unauthenticated",
	[DECIDE_UNMATCHED] = "unmatched",
	[DECIDE_BLOCKED] = "blocked",
	[DECIDE_NEEDS_ENVELOPE] = "envelope",
	[DECIDE_NOT_ACCEPTED] = "not-accepted",
	[DECIDE_NO_RECIPIENT] = "no-recipient",
	[DECIDE_TLS] = "tls",
	[DECIDE_NEEDS_NAME] = "name",
};
static_assert(sizeof(decide_reason_names) / sizeof(decide_reason_names[0]) == DECIDE_REASONS,
	"a name for each");

enum mark decide_mark_of(enum policy_verdict verdict)
{
	switch (verdict) {
	case POLICY_VERDICT_REDIRECT:
	case POLICY_VERDICT_ANSWER:
		return MARK_RELAY;
	case POLICY_VERDICT_PASS:
		return MARK_PASS;
	case POLICY_VERDICT_REJECT:
		return MARK_REJECT;
	case POLICY_VERDICT_DROP:
		return MARK_DROP;
	}
	return MARK_REJECT;
}

static void act_on(
	struct decision *decision, enum decide_reason reason, const struct policy_act *act)
{
	decision->reason = reason;
	decision->act = act;
	decision->verdict = act->verdict;
}

struct decide_greeting decide_greeting_of(const struct decision *decision)
{
	const struct block *block = decision->block;
	uint16_t code = block ? block->code : decision->act->code;

	const char *status = decision->reason == DECIDE_NEEDS_NAME ? "4.4.3"
			     : code == 554                         ? "5.7.1"
								   : "4.7.0";

	return (struct decide_greeting){
		code, status, block ? block->text : decision->act->text.text};
}

const struct block *decide_find_block(const struct decide_world *world,
	const struct decide_origin *origin, const struct mac *mac, const struct session *session,
	uint64_t now_ms)
{
	if (!world->blocks)
		return NULL;
	const char *zone = origin->of_listener ? "" : world->policy->zones[origin->zone].name.text;
	return blocks_match(world->blocks, zone, session ? session->user.text : NULL,
		session ? (enum policy_source)session->kind : POLICY_SOURCE_SESSION, mac,
		&origin->source, now_ms);
}

static bool is_blocked(const struct decide_world *world, const struct decide_origin *origin,
	const struct mac *mac, const struct session *session, uint64_t now_ms,
	struct decision *decision)
{
	const struct block *block = decide_find_block(world, origin, mac, session, now_ms);

	if (!block)
		return false;
	decision->reason = DECIDE_BLOCKED;
	decision->verdict = POLICY_VERDICT_ANSWER;
	decision->block = block;
	decision->session = session;
	decide_lower(&decision->until_ms, block->until_ms);
	return true;
}

bool decide_take_session(const struct decide_world *world, const struct decide_origin *origin,
	const struct mac *mac, const struct session *session, uint64_t now_ms,
	struct decision *decision)
{
	if (session && session->lease_end_ms && session->lease_end_ms <= now_ms)
		session = NULL;
	if (is_blocked(world, origin, mac, session, now_ms, decision))
		return false;
	if (!session) {
		act_on(decision, DECIDE_UNAUTHENTICATED,
			&world->policy->zones[origin->zone].unauthenticated);
		return false;
	}
	decision->session = session;
	decide_lower(&decision->until_ms, session->lease_end_ms);
	if (decision->until_ms)
		decision->fields |= DECIDE_TIME;
	return true;
}

const struct session *decide_identify(const struct decide_world *world,
	const struct decide_origin *origin, const struct mac *mac, uint64_t now_ms,
	uint64_t *until_ms)
{
	const struct policy_zone *zone = &world->policy->zones[origin->zone];

	return session_table_identify_at(world->sessions, zone->name.text, zone->identity, mac,
		&origin->source, now_ms, until_ms);
}

enum policy_verdict decide_verdict_of(const struct policy_rule *rule)
{
	return rule->to_server || level_of_rule(rule) != LEVEL_NO_WORD ? POLICY_VERDICT_REDIRECT
								       : rule->act.verdict;
}

static void take_rule(struct decision *decision, const struct policy *policy, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];

	decision->reason = DECIDE_RULE;
	decision->rule = (ptrdiff_t)index;
	decision->verdict = decide_verdict_of(rule);
	if (!rule->to_server)
		decision->act = &rule->act;
	else if (rule->to_original)
		decision->to_original = true;
	else
		decision->server = (ptrdiff_t)rule->server;
}

/* Sender and recipient decide. */
static void take_envelope(struct decision *decision, struct level_cause cause)
{
	decision->reason = DECIDE_NEEDS_ENVELOPE;
	decision->verdict = POLICY_VERDICT_REDIRECT;
	decision->fields |= DECIDE_ENVELOPE;
	decision->cause = cause;
}

/* The first rule whose conditions of the connection hold. */
static void take_first(
	struct decision *decision, const struct policy *policy, size_t zone, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];
	struct level_cause by_rule = {level_by_rule(policy, rule), -1, (ptrdiff_t)index};
	struct level_cause by_zone = {level_of_zone(&policy->zones[zone]), (ptrdiff_t)zone, -1};

	if (by_rule.word != LEVEL_NO_WORD)
		take_envelope(decision, by_rule);
	else if (rule->to_server && by_zone.word != LEVEL_NO_WORD)
		take_envelope(decision, by_zone);
	else
		take_rule(decision, policy, index);
}

static const struct policy_act not_accepted = {.verdict = POLICY_VERDICT_ANSWER,
	.code = 554,
	.text = {.text = "this host may not send mail here", .len = 32}};

static const struct policy_act not_named = {.verdict = POLICY_VERDICT_ANSWER,
	.code = 421,
	.text = {.text = "your host name cannot be found now, try again", .len = 45}};

/* What is addressed to the gateway is read, if it accepts the client. */
static void decide_listener(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, struct decision *decision)
{
	struct decide_question question;

	if (is_blocked(world, origin, NULL, NULL, now_ms, decision))
		return;
	decide_question_init(&question, world, origin, now_ms);
	struct decide_held held = decide_accept(&question);
	decide_lower(&decision->until_ms, held.change_ms);
	if (held.open)
		act_on(decision, DECIDE_NEEDS_NAME, &not_named);
	else if (held.yes)
		take_envelope(decision, (struct level_cause){LEVEL_LISTENER, -1, -1});
	else
		act_on(decision, DECIDE_NOT_ACCEPTED, &not_accepted);
}

bool decide_wants_host(const struct policy *policy, size_t listener)
{
	if (decide_has_hosts(policy, &policy->listeners[listener].accept))
		return true;
	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled &&
			policy_rule_in_listener(&policy->rules[i], listener) &&
			decide_has_hosts(policy, &policy->rules[i].source))
			return true;
	return false;
}

bool decide_hangs_on_host(
	const struct decide_world *world, const struct decide_origin *origin, uint64_t now_ms)
{
	const struct policy *policy = world->policy;
	struct decide_question question;

	decide_question_init(&question, world, origin, now_ms);
	if (decide_is_open(&question, &policy->listeners[origin->listener].accept))
		return true;
	if (!decide_accept(&question).yes)
		return false;
	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled &&
			policy_rule_in_listener(&policy->rules[i], origin->listener) &&
			decide_is_open(&question, &policy->rules[i].source))
			return true;
	return false;
}

/* A client of a zone without a session, of which `user none` speaks. */
static void take_nobody(struct decide_question *question, const struct decide_origin *origin,
	struct decision *decision)
{
	const struct policy *policy = question->world->policy;
	const struct decide_key key = decide_key_of(origin, NULL);

	for (size_t i = 0; i < policy->nrules; i++) {
		if (!policy->rules[i].user_none)
			continue;
		struct decide_match match = decide_ask_rule(question, &key, i);
		decision->fields |= match.fields;
		decide_lower(&decision->until_ms, match.until_ms);
		if (match.answer == DECIDE_RULE_YES) {
			decision->act = NULL;
			take_first(decision, policy, origin->zone, i);
			return;
		}
	}
}

void decide_connection(const struct decide_world *world, const struct decide_origin *origin,
	const struct endpoint *original, uint64_t now_ms, struct decision *decision)
{
	const struct policy *policy = world->policy;
	struct decide_question question;

	*decision = (struct decision){.rule = -1, .server = -1, .fields = DECIDE_SESSION};
	if (origin->of_listener) {
		decide_listener(world, origin, now_ms, decision);
		return;
	}
	const struct session *session =
		decide_identify(world, origin, &origin->mac, now_ms, &decision->until_ms);
	bool known = decide_take_session(world, origin, &origin->mac, session, now_ms, decision);
	decide_question_init(&question, world, origin, now_ms);
	question.session = decision->session;
	question.destination = &original->addr;
	question.port = original->port;
	if (!known) {
		if (decision->reason == DECIDE_UNAUTHENTICATED)
			take_nobody(&question, origin, decision);
		return;
	}
	struct decide_key key = decide_key_of(origin, decision->session);
	for (size_t i = 0; i < policy->nrules; i++) {
		struct decide_match match = decide_ask_rule(&question, &key, i);
		decision->fields |= match.fields;
		decide_lower(&decision->until_ms, match.until_ms);
		if (match.answer == DECIDE_RULE_YES) {
			take_first(decision, policy, origin->zone, i);
			return;
		}
	}
	act_on(decision, DECIDE_UNMATCHED, &policy->zones[origin->zone].unmatched);
}
