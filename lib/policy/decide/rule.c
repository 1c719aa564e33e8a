/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/rule.h"

#include "lib/base/net/lpm.h"

#include <string.h>

/* Beyond so many schedules in one walk their next change is not worked out: the answer then holds
 * for the rest of the minute, at whose end every change of a schedule lies. */
#define SCHEDULES_EXACT 32

/* A condition that time may change: does it hold, and when does that change (0: never)? */
struct held {
	bool yes;
	bool maybe; /* for some MACs, or names */
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
		.of_listener = origin->of_listener,
		.zone = origin->zone,
		.listener = origin->listener,
		.hosts = origin->hosts,
		.nhosts = origin->nhosts,
		.hosts_open = origin->hosts_open,
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

static bool match_origin(const struct decide_question *question, const struct policy_rule *rule)
{
	return question->of_listener ? policy_rule_in_listener(rule, question->listener)
				     : policy_rule_in_zone(rule, question->zone);
}

static bool is_meant(const struct policy_rule *rule, const struct session *session)
{
	for (size_t i = 0; i < rule->users.n; i++)
		if (rule->meant[i].sources & 1u << session->kind &&
			policy_string_equal(&rule->meant[i].name, &session->user))
			return true;
	return false;
}

/* In a zone whoever is not known is for `user none` alone; `not` still demands a user. */
static bool match_user(const struct policy_rule *rule, const struct session *session)
{
	if (rule->user_none)
		return !session;
	if (!rule->user_given)
		return session || rule->listens;
	return session && (rule->user_any || is_meant(rule, session)) != rule->user_negated;
}

static bool match_group(const struct policy_rule *rule, const struct session *session)
{
	if (!rule->group_given)
		return true;
	if (!session)
		return false;
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
	const struct policy *policy = question->world->policy;
	const struct policy_ports *all = question->of_listener
						 ? &policy->listeners[question->listener].ports
						 : &policy->zones[question->zone].ports;
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

/* Who is asked for: mac NULL: only addresses and names count. */
struct place {
	const struct mac *mac;
	const struct addr *addr;
	const char *const *hosts;
	size_t nhosts;
};

static bool hosts_hold(const struct mailset *hosts, const struct place *place)
{
	char key[MAILSET_KEY_SIZE];
	void *values[MAILSET_DEPTH];

	for (size_t i = 0; hosts && i < place->nhosts; i++) {
		mailset_key_of_host(place->hosts[i], strlen(place->hosts[i]), key);
		if (*key && mailset_find_all(hosts, key, values) > 0)
			return true;
	}
	return false;
}

/* *end_ms: when the last of the names is in it no more; 0: never. */
static bool dynamic_holds_host(const struct decide_question *question,
	const struct policy_list *list, const struct place *place, uint64_t *end_ms)
{
	char key[MAILSET_KEY_SIZE];
	uint64_t latest = 0;

	for (size_t i = 0; i < place->nhosts; i++) {
		uint64_t until_ms = 0;
		mailset_key_of_host(place->hosts[i], strlen(place->hosts[i]), key);
		if (!*key || !lists_match_mail(question->world->lists, list->name.text, key,
				     question->now_ms, &until_ms))
			continue;
		if (until_ms == 0)
			return true;
		if (until_ms > latest)
			latest = until_ms;
	}
	*end_ms = latest;
	return latest != 0;
}

static bool list_holds(const struct decide_question *question, const struct policy_list *list,
	const struct place *place, uint64_t *end_ms)
{
	const struct lists *lists = question->world->lists;
	bool dynamic = list->kind == POLICY_LIST_DYNAMIC;

	switch (list->holds) {
	case POLICY_HOLDS_ADDRESSES:
		return dynamic ? lists_match(lists, list->name.text, place->mac, place->addr,
					 question->now_ms, end_ms)
			       : index_holds(list->index, place->mac, place->addr);
	case POLICY_HOLDS_HOSTS:
		return dynamic ? dynamic_holds_host(question, list, place, end_ms)
			       : hosts_hold(list->hosts, place);
	case POLICY_HOLDS_MAIL:
		break;
	}
	return false;
}

static struct held match_place(const struct decide_question *question,
	const struct policy_where *where, const struct place *place)
{
	const struct policy *policy = question->world->policy;
	uint64_t latest = 0;

	if (!where->given || where->any)
		return (struct held){.yes = !where->given || !where->negated};
	if (index_holds(where->index, place->mac, place->addr) || hosts_hold(where->hosts, place))
		return (struct held){.yes = !where->negated};
	for (size_t i = 0; i < where->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[where->lists[i]];
		uint64_t end_ms = 0;
		bool in = list_holds(question, list, place, &end_ms);
		if (in && end_ms == 0)
			return (struct held){.yes = !where->negated};
		if (in && end_ms > latest)
			latest = end_ms;
	}
	return (struct held){.yes = (latest != 0) != where->negated, .change_ms = latest};
}

static struct held match_where(const struct decide_question *question,
	const struct policy_where *where, const struct mac *mac, const struct addr *addr)
{
	return match_place(question, where, &(struct place){mac, addr, NULL, 0});
}

/* Of a listener: what a MAC says ends at the next router. */
static struct held match_client(
	const struct decide_question *question, const struct policy_where *where)
{
	const struct place place = {NULL, question->source, question->hosts, question->nhosts};

	return match_place(question, where, &place);
}

struct decide_held decide_accept(const struct decide_question *question)
{
	const struct policy_listener *listener =
		&question->world->policy->listeners[question->listener];
	struct held held = match_client(question, &listener->accept);

	return (struct decide_held){
		held.yes, decide_hangs(question, &listener->accept), held.change_ms};
}

bool decide_has_hosts(const struct policy *policy, const struct policy_where *where)
{
	for (size_t i = 0; i < where->list_names.n; i++)
		if (policy->lists[where->lists[i]].holds == POLICY_HOLDS_HOSTS)
			return true;
	return where->hosts;
}

bool decide_is_open(const struct decide_question *question, const struct policy_where *where)
{
	return decide_has_hosts(question->world->policy, where) &&
	       match_client(question, where).yes == where->negated;
}

bool decide_hangs(const struct decide_question *question, const struct policy_where *where)
{
	return question->hosts_open && decide_is_open(question, where);
}

static struct held match_source(
	const struct decide_question *question, const struct policy_where *where)
{
	if (question->of_listener && decide_hangs(question, where))
		return (struct held){.yes = true, .maybe = true};
	if (question->of_listener)
		return match_client(question, where);
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

/* Is the original a host of a domain's server? */
static bool is_protected(const struct decide_question *question)
{
	const struct decide_world *world = question->world;
	const struct policy *policy = world->policy;

	for (size_t i = 0; i < policy->ndomains; i++) {
		size_t server = policy->domains[i].server;
		const struct policy_server *of = &policy->servers[server];
		for (size_t j = 0; j < of->nhosts; j++)
			if (of->hosts[j].addr.family != ADDR_NONE &&
				addr_equal(&of->hosts[j].addr, question->destination))
				return true;
		if (world->is_host &&
			world->is_host(world->is_host_context, server, question->destination))
			return true;
	}
	return false;
}

/* Can no address at all be in it? Only what the policy fixes counts: a dynamic list may fill. */
static bool is_empty(const struct policy *policy, const struct policy_where *where)
{
	if (where->protected)
		return policy->ndomains == 0;
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
	else if (!match_origin(question, rule))
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
	struct held held = {.yes = where->protected && is_protected(question) != where->negated};
	if (!where->protected)
		held = match_where(question, where, NULL, question->destination);
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
