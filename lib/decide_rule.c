#include "lib/decide_rule.h"

#include "lib/lpm.h"

/* Beyond so many schedules in one walk their next change is not worked out: the answer then holds
 * for the rest of the minute, at whose end every change of a schedule lies. */
#define SCHEDULES_EXACT 32

/* A condition that time may change: does it hold, and when does that change (0: never)? */
struct held {
	bool yes;
	bool maybe; /* for some MACs */
	uint64_t change_ms;
};

void decide_lower(uint64_t *until_ms, uint64_t end_ms)
{
	if (end_ms && (*until_ms == 0 || end_ms < *until_ms))
		*until_ms = end_ms;
}

void decide_question_init(struct decide_question *question, const struct decide_world *world,
	const struct decide_origin *origin, uint64_t now_ms)
{
	time_t now = (time_t)((now_ms + (uint64_t)world->calendar_ahead_ms) / 1000);

	*question = (struct decide_question){
		.world = world,
		.zone = origin->zone,
		.mac = &origin->mac,
		.source = &origin->source,
		.now_ms = now_ms,
		.calendar = now,
	};
	if (!world->local(&now, &question->local))
		question->local = (struct tm){0};
}

static bool has_string(const struct policy_strings *strings, const struct policy_string *string)
{
	for (size_t i = 0; i < strings->n; i++)
		if (policy_string_equal(&strings->v[i], string))
			return true;
	return false;
}

/* Rules are only asked about clients with a session, so any user is true. */
static bool match_user(const struct policy_rule *rule, const struct session *session)
{
	if (!rule->user_given)
		return true;
	return (rule->user_any || has_string(&rule->users, &session->user)) != rule->user_negated;
}

static bool match_group(const struct policy_rule *rule, const struct session *session)
{
	if (!rule->group_given)
		return true;
	for (size_t i = 0; i < session->ngroups; i++)
		if (has_string(&rule->groups, &session->groups[i]))
			return !rule->group_negated;
	return rule->group_negated;
}

static bool has_port(const struct policy_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->n; i++)
		if (ports->v[i] == port)
			return true;
	return false;
}

static enum decide_answer match_port(
	const struct decide_question *question, const struct policy_rule *rule)
{
	const struct policy_ports *all = &question->world->policy->zones[question->zone].ports;
	size_t taken = 0;

	if (rule->ports.n == 0)
		return DECIDE_RULE_YES;
	if (question->port)
		return has_port(&rule->ports, question->port) ? DECIDE_RULE_YES : DECIDE_RULE_NO;
	for (size_t i = 0; i < all->n; i++)
		taken += has_port(&rule->ports, all->v[i]);
	return taken == 0 ? DECIDE_RULE_NO : taken == all->n ? DECIDE_RULE_YES : DECIDE_RULE_MAYBE;
}

static bool index_holds(const struct lpm *index, const struct mac *mac, const struct addr *addr)
{
	return index && ((mac && mac_is_set(mac) && lpm_find_mac(index, mac)) ||
				lpm_find(index, addr, NULL));
}

/* Can a MAC be in it that we have not seen? Dynamic lists can have any at any time. */
static bool may_hold_macs(const struct policy *policy, const struct policy_where *where)
{
	if (where->index && lpm_has_macs(where->index))
		return true;
	for (size_t i = 0; i < where->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[where->lists[i]];
		if (list->kind == POLICY_LIST_DYNAMIC || (list->index && lpm_has_macs(list->index)))
			return true;
	}
	return false;
}

/* mac NULL: only addresses count. */
static struct held match_where(const struct decide_question *question,
	const struct policy_where *where, const struct mac *mac, const struct addr *addr)
{
	const struct policy *policy = question->world->policy;
	uint64_t latest = 0;

	if (!where->given || where->any)
		return (struct held){.yes = !where->given || !where->negated};
	if (index_holds(where->index, mac, addr))
		return (struct held){.yes = !where->negated};
	for (size_t i = 0; i < where->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[where->lists[i]];
		uint64_t end_ms = 0;
		bool in = list->kind == POLICY_LIST_DYNAMIC
				  ? lists_match(question->world->lists, list->name.text, mac, addr,
					    question->now_ms, &end_ms)
				  : index_holds(list->index, mac, addr);
		if (in && end_ms == 0)
			return (struct held){.yes = !where->negated};
		if (in && end_ms > latest)
			latest = end_ms;
	}
	return (struct held){.yes = (latest != 0) != where->negated, .change_ms = latest};
}

static struct held match_source(
	const struct decide_question *question, const struct policy_where *where)
{
	if (!question->any_mac)
		return match_where(question, where, question->mac, question->source);
	struct held held = match_where(question, where, NULL, question->source);
	bool by_address = where->any || held.yes != where->negated;
	if (!by_address && may_hold_macs(question->world->policy, where))
		return (struct held){.yes = true, .maybe = true};
	return held;
}

static struct held match_schedule(struct decide_question *question, const struct policy_rule *rule)
{
	struct held held = {.yes = schedule_on_local(&rule->schedule, &question->local)};
	time_t now = question->calendar, change;

	if (rule->schedule.n == 0)
		return held;
	if (question->schedules++ < SCHEDULES_EXACT)
		change = schedule_next_change(&rule->schedule, now, question->world->local);
	else
		change = now + 60 - question->local.tm_sec % 60;
	if (change)
		held.change_ms =
			(uint64_t)change * 1000 - (uint64_t)question->world->calendar_ahead_ms;
	return held;
}

/* Can no address at all be in it? Only what the policy fixes counts: a dynamic list may fill. */
static bool is_empty(const struct policy *policy, const struct policy_where *where)
{
	for (size_t i = 0; i < where->elems.n; i++)
		if (where->elems.v[i].kind != POLICY_ELEM_MAC)
			return false;
	for (size_t i = 0; i < where->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[where->lists[i]];
		if (list->kind == POLICY_LIST_DYNAMIC)
			return false;
		for (size_t j = 0; j < list->elems.n; j++)
			if (list->elems.v[j].kind != POLICY_ELEM_MAC)
				return false;
	}
	return true;
}

/* The conditions that time does not change. */
static enum decide_answer match_fixed(const struct decide_question *question,
	const struct policy_rule *rule, struct decide_match *match)
{
	enum decide_condition failed = DECIDE_RULE_ALL;
	enum decide_answer port = DECIDE_RULE_YES;

	if (rule->disabled)
		failed = DECIDE_RULE_ENABLED;
	else if (!policy_rule_in_zone(rule, question->zone))
		failed = DECIDE_RULE_ZONE;
	else if (!match_user(rule, question->session))
		failed = DECIDE_RULE_USER;
	else if (!match_group(rule, question->session))
		failed = DECIDE_RULE_GROUP;
	else if (rule->ports.n > 0) {
		match->fields |= DECIDE_PORT;
		port = match_port(question, rule);
		if (port == DECIDE_RULE_NO)
			failed = DECIDE_RULE_PORT;
	}
	match->failed = failed;
	return failed == DECIDE_RULE_ALL ? port : DECIDE_RULE_NO;
}

static struct decide_match fail(
	struct decide_match match, enum decide_condition failed, uint64_t change_ms)
{
	match.answer = DECIDE_RULE_NO;
	match.failed = failed;
	match.until_ms = change_ms;
	if (change_ms)
		match.fields |= DECIDE_TIME;
	return match;
}

/* The destination, of a rule of which all else holds until match.until_ms. */
static struct decide_match match_destination(const struct decide_question *question,
	const struct policy_rule *rule, struct decide_match match)
{
	const struct policy_where *where = &rule->destination;

	if (!where->given || where->any) {
		if (where->given && where->negated)
			return fail(match, DECIDE_RULE_DESTINATION, 0);
		return match;
	}
	match.fields |= DECIDE_DESTINATION;
	if (!question->destination) {
		if (!is_empty(question->world->policy, where))
			match.answer = DECIDE_RULE_MAYBE;
		else if (!where->negated)
			return fail(match, DECIDE_RULE_DESTINATION, 0);
		return match;
	}
	struct held held = match_where(question, where, NULL, question->destination);
	if (!held.yes)
		return fail(match, DECIDE_RULE_DESTINATION, held.change_ms);
	decide_lower(&match.until_ms, held.change_ms);
	return match;
}

struct decide_match decide_rule(struct decide_question *question, const struct policy_rule *rule)
{
	struct decide_match match = {.failed = DECIDE_RULE_ALL};

	match.answer = match_fixed(question, rule, &match);
	if (match.answer == DECIDE_RULE_NO)
		return match;
	struct held source = {.yes = true}, schedule = {.yes = true};
	if (rule->source.given) {
		match.fields |= DECIDE_SOURCE;
		source = match_source(question, &rule->source);
		if (!source.yes && source.change_ms == 0)
			return fail(match, DECIDE_RULE_SOURCE, 0);
	}
	if (rule->schedule.n > 0) {
		match.fields |= DECIDE_TIME;
		schedule = match_schedule(question, rule);
		if (!schedule.yes && schedule.change_ms == 0)
			return fail(match, DECIDE_RULE_SCHEDULE, 0);
	}
	/* What does not hold now holds again at its change, both together at the later one. */
	if (!source.yes && !schedule.yes)
		return fail(match, DECIDE_RULE_SOURCE,
			source.change_ms > schedule.change_ms ? source.change_ms
							      : schedule.change_ms);
	if (!source.yes)
		return fail(match, DECIDE_RULE_SOURCE, source.change_ms);
	if (!schedule.yes)
		return fail(match, DECIDE_RULE_SCHEDULE, schedule.change_ms);
	if (source.maybe)
		match.answer = DECIDE_RULE_MAYBE;
	decide_lower(&match.until_ms, source.change_ms);
	decide_lower(&match.until_ms, schedule.change_ms);
	match = match_destination(question, rule, match);
	if (match.until_ms)
		match.fields |= DECIDE_TIME;
	return match;
}

/* A rule that the summary leaves out matches neither now nor later. */
struct decide_match decide_ask_rule(
	struct decide_question *question, const struct decide_key *key, size_t index)
{
	const struct policy *policy = question->world->policy;

	if (policy->summaries)
		switch (decide_chance_of(&policy->summaries[index], key)) {
		case DECIDE_CHANCE_NONE:
			return (struct decide_match){.answer = DECIDE_RULE_NO};
		case DECIDE_CHANCE_NOT_FROM_HERE:
			return (struct decide_match){
				.answer = DECIDE_RULE_NO, .fields = DECIDE_SOURCE};
		case DECIDE_CHANCE_SOME:
			break;
		}
	return decide_rule(question, &policy->rules[index]);
}
