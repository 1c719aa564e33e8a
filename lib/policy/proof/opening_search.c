/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation. What is known of the client are literals: a condition of a rule that must
 * hold, or must not. At first these are the conditions of r and p. A client for whom all hold is
 * made, each condition by itself, of what the literals name: a condition on users, addresses or
 * times changes its answer only there. If a rule in front of r or p takes that client, one of this
 * rule's conditions must not hold: each is tried in turn. So only rules that are in the way are
 * looked at closely, and what is not found is not there. */
#include "lib/policy/proof/opening_search.h"

#include "lib/base/hash.h"
#include "lib/policy/decide/rule.h"

#include <string.h>

#define NOBODY        "(somebody)"
#define LITERALS_MOST 96
#define NEAR_MOST     16
#define NO_LOOK_AHEAD (1u << 30) /* when a schedule changes next is of no interest */
#define WEEK_MINUTES  10080u

enum { USER, GROUP, PORT, SOURCE, SCHEDULE, DESTINATION, CONDITIONS };

struct literal {
	struct policy_rule only; /* a rule of this one condition */
	unsigned condition, side;
	bool wanted;
};

/* The client as far as it is made, and what it is made of. */
struct making {
	struct opening_search *search;
	struct literal literals[LITERALS_MOST];
	size_t n;
	enum addr_family family;
	struct policy_string groups[LITERALS_MOST];
	struct session session;
	struct mac mac; /* not set: one that nobody names */
	struct addr source, destination;
	struct decide_question asked[2];
	/* one address for each set of literals that hold for it: a MAC may bring the others */
	struct addr near[NEAR_MOST];
	uint64_t near_holds[NEAR_MOST][2];
	size_t nnear;
};

static struct policy_string string_of(const char *text)
{
	size_t len = strlen(text);
	return (struct policy_string){text, (uint32_t)len, hash_bytes(text, len)};
}

/* ---- literals ---- */

/* false: the rule has no such condition. */
static bool take_condition(
	const struct policy_rule *rule, unsigned condition, struct policy_rule *only)
{
	*only = (struct policy_rule){0};
	switch (condition) {
	case USER:
		only->user_given = rule->user_given;
		only->user_any = rule->user_any;
		only->user_negated = rule->user_negated;
		only->users = rule->users;
		only->meant = rule->meant;
		return rule->user_given;
	case GROUP:
		only->group_given = rule->group_given;
		only->group_negated = rule->group_negated;
		only->groups = rule->groups;
		return rule->group_given;
	case PORT:
		only->ports = rule->ports;
		return rule->ports.n > 0;
	case SOURCE:
		only->source = rule->source;
		return rule->source.given;
	case SCHEDULE:
		only->schedule = rule->schedule;
		return rule->schedule.n > 0;
	case DESTINATION:
		only->destination = rule->destination;
		return rule->destination.given;
	}
	return false;
}

static bool add_literal(struct making *making, const struct policy_rule *rule, unsigned condition,
	unsigned side, bool wanted)
{
	struct literal *literal = &making->literals[making->n];
	if (making->n == LITERALS_MOST) {
		making->search->left = 0;
		return false;
	}
	if (!take_condition(rule, condition, &literal->only))
		return false;
	literal->condition = condition;
	literal->side = side;
	literal->wanted = wanted;
	making->n++;
	return true;
}

static bool takes(struct making *making, unsigned side, const struct policy_rule *rule)
{
	if (making->search->left)
		making->search->left--;
	return decide_rule(&making->asked[side], rule).answer == DECIDE_RULE_YES;
}

static bool holds(struct making *making, const struct literal *literal)
{
	return takes(making, literal->side, &literal->only) == literal->wanted;
}

static bool all_hold(struct making *making, unsigned condition)
{
	for (size_t i = 0; i < making->n; i++)
		if (making->literals[i].condition == condition &&
			!holds(making, &making->literals[i]))
			return false;
	return making->search->left > 0;
}

/* ---- user, groups, port, time ---- */

static bool try_user(struct making *making, const struct policy_string *user)
{
	making->session.user = *user;
	return all_hold(making, USER);
}

static bool place_user(struct making *making)
{
	const struct policy_string nobody = string_of(NOBODY);
	if (all_hold(making, USER))
		return true;
	if (making->search->known[0])
		return false;
	if (try_user(making, &nobody))
		return true;
	for (size_t i = 0; i < making->n; i++) {
		const struct literal *literal = &making->literals[i];
		for (size_t j = 0; literal->condition == USER && j < literal->only.users.n; j++)
			if (try_user(making, &literal->only.users.v[j]))
				return true;
	}
	return false;
}

static bool has(const struct policy_strings *strings, const struct policy_string *one)
{
	for (size_t i = 0; i < strings->n; i++)
		if (policy_string_equal(&strings->v[i], one))
			return true;
	return false;
}

/* Is one of its groups to be the client's? */
static bool wants_group(const struct literal *literal)
{
	return literal->condition == GROUP && literal->wanted != literal->only.group_negated;
}

static bool is_barred(const struct making *making, const struct policy_string *group)
{
	for (size_t i = 0; i < making->n; i++)
		if (making->literals[i].condition == GROUP && !wants_group(&making->literals[i]) &&
			has(&making->literals[i].only.groups, group))
			return true;
	return false;
}

static bool place_groups(struct making *making)
{
	if (making->search->known[0])
		return all_hold(making, GROUP);
	making->session.ngroups = 0;
	for (size_t i = 0; i < making->n; i++) {
		const struct policy_strings *groups = &making->literals[i].only.groups;
		size_t j = 0;
		if (!wants_group(&making->literals[i]))
			continue;
		while (j < groups->n && is_barred(making, &groups->v[j]))
			j++;
		if (j < groups->n)
			making->groups[making->session.ngroups++] = groups->v[j];
	}
	return all_hold(making, GROUP);
}

static bool place_port(struct making *making)
{
	const struct opening_search *search = making->search;
	const struct policy_ports *ports = &search->world[0].policy->zones[search->zone[0]].ports;
	for (size_t i = 0; i < ports->n; i++) {
		making->asked[0].port = making->asked[1].port = ports->v[i];
		if (all_hold(making, PORT))
			return true;
	}
	return false;
}

static void ask_at(struct making *making, uint64_t now_ms)
{
	const struct opening_search *search = making->search;
	for (unsigned side = 0; side < 2; side++) {
		const struct decide_origin origin = {.zone = search->zone[side]};
		struct decide_question *asked = &making->asked[side];
		uint16_t port = asked->port;
		decide_question_init(asked, &search->world[side], &origin, now_ms);
		asked->session = search->known[side] ? search->known[side] : &making->session;
		asked->mac = &making->mac;
		asked->source = &making->source;
		asked->destination = &making->destination;
		asked->port = port;
		asked->schedules = NO_LOOK_AHEAD;
	}
}

static unsigned minute_of_week(const struct making *making)
{
	const struct tm *local = &making->asked[0].local;
	return (unsigned)((local->tm_wday + 6) % 7 * 1440 + local->tm_hour * 60 + local->tm_min);
}

/* Within a week; when the clocks change on the way, it is an hour beside that. */
static bool try_minute(struct making *making, unsigned minute)
{
	const uint64_t now_ms = making->search->now_ms;
	ask_at(making, now_ms);
	unsigned ahead = (minute + WEEK_MINUTES - minute_of_week(making)) % WEEK_MINUTES;
	uint64_t at_ms = now_ms + ahead * 60000ull;
	ask_at(making, at_ms);
	unsigned beside = (minute + WEEK_MINUTES - minute_of_week(making)) % WEEK_MINUTES;
	if (beside)
		ask_at(making, beside < WEEK_MINUTES / 2
				       ? at_ms + beside * 60000ull
				       : at_ms - (WEEK_MINUTES - beside) * 60000ull);
	return all_hold(making, SCHEDULE);
}

static bool try_range(struct making *making, const struct policy_range *range)
{
	for (unsigned day = 0; day < 7; day++)
		if (try_minute(making, day * 1440 + (range->hours_given ? range->from : 0)) ||
			(range->hours_given &&
				try_minute(making, (day * 1440 + range->to) % WEEK_MINUTES)))
			return true;
	return false;
}

static bool place_time(struct making *making)
{
	ask_at(making, making->search->now_ms);
	if (all_hold(making, SCHEDULE))
		return true;
	for (size_t i = 0; i < making->n; i++) {
		const struct policy_schedule *schedule = &making->literals[i].only.schedule;
		for (size_t j = 0; j < schedule->n; j++)
			if (try_range(making, &schedule->v[j]))
				return true;
	}
	return false;
}

/* ---- addresses ---- */

typedef bool try_elem(struct making *making, const struct policy_elem *elem);

struct trying {
	struct making *making;
	try_elem *try_elem;
};

static int try_entry(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	const struct trying *trying = context;
	(void)end_ms;
	return trying->making->search->left && trying->try_elem(trying->making, elem);
}

static bool try_elems(struct making *making, const struct policy_elems *elems, try_elem *try_one)
{
	for (size_t i = 0; i < elems->n && making->search->left; i++)
		if (try_one(making, &elems->v[i]))
			return true;
	return false;
}

static bool try_list(struct making *making, const struct literal *literal,
	const struct policy_list *list, try_elem *try_one)
{
	struct trying trying = {making, try_one};
	if (list->kind != POLICY_LIST_DYNAMIC)
		return try_elems(making, &list->elems, try_one);
	return lists_each(
		making->search->world[literal->side].lists, list->name.text, try_entry, &trying);
}

/* All that the literals of a condition name. */
static bool try_named(struct making *making, unsigned condition, try_elem *try_one)
{
	for (size_t i = 0; i < making->n; i++) {
		const struct literal *literal = &making->literals[i];
		const struct policy_where *where =
			condition == SOURCE ? &literal->only.source : &literal->only.destination;
		const struct policy *policy = making->search->world[literal->side].policy;
		if (literal->condition != condition)
			continue;
		if (try_elems(making, &where->elems, try_one))
			return true;
		for (size_t j = 0; j < where->list_names.n; j++)
			if (try_list(making, literal, &policy->lists[where->lists[j]], try_one))
				return true;
	}
	return false;
}

/* The first address behind the last one; false: there is none. */
static bool behind(const struct addr *last, struct addr *addr)
{
	*addr = *last;
	for (unsigned i = addr_bits(last) / 8; i-- > 0;)
		if (++addr->bytes[i])
			return true;
	return false;
}

/* The answer can only change where a network or range begins, and behind it. */
static bool try_edges(struct making *making, const struct policy_elem *elem,
	bool (*try_addr)(struct making *making, const struct addr *addr))
{
	struct addr next;
	if (elem->kind == POLICY_ELEM_MAC)
		return false;
	const struct range range =
		elem->kind == POLICY_ELEM_RANGE ? elem->range : range_of(&elem->prefix);
	if (range.first.family != making->family)
		return false;
	return try_addr(making, &range.first) ||
	       (behind(&range.last, &next) && try_addr(making, &next));
}

static bool try_destination(struct making *making, const struct addr *addr)
{
	making->destination = *addr;
	return all_hold(making, DESTINATION);
}

static bool try_destination_elem(struct making *making, const struct policy_elem *elem)
{
	return try_edges(making, elem, try_destination);
}

static bool try_text(struct making *making, const char *text,
	bool (*try_addr)(struct making *making, const struct addr *addr))
{
	struct addr addr;
	return addr_parse(text, strlen(text), &addr) == 0 && try_addr(making, &addr);
}

static bool place_destination(struct making *making)
{
	bool ip4 = making->family == ADDR_IP4;
	if (making->destination.family == making->family && all_hold(making, DESTINATION))
		return true;
	return try_text(making, ip4 ? "198.51.100.251" : "2001:db8:ffff::251", try_destination) ||
	       try_named(making, DESTINATION, try_destination_elem);
}

static const struct policy_prefixes *networks_of(const struct opening_search *search)
{
	if (search->device && !mac_is_set(&search->mac) && search->device->addresses.n)
		return &search->device->addresses;
	return &search->world[0].policy->zones[search->zone[0]].networks;
}

static bool is_client(const struct opening_search *search, const struct addr *source)
{
	const struct policy_prefixes *networks = networks_of(search);
	for (size_t i = 0; i < networks->n; i++)
		if (prefix_contains(&networks->v[i], source))
			return true;
	return networks->n == 0;
}

static void keep_near(struct making *making)
{
	uint64_t hold[2] = {0, 0};
	for (size_t i = 0; i < making->n; i++)
		if (making->literals[i].condition == SOURCE && holds(making, &making->literals[i]))
			hold[i / 64] |= (uint64_t)1 << i % 64;
	for (size_t i = 0; i < making->nnear; i++)
		if (memcmp(making->near_holds[i], hold, sizeof(hold)) == 0)
			return;
	if (making->nnear == NEAR_MOST)
		return;
	memcpy(making->near_holds[making->nnear], hold, sizeof(hold));
	making->near[making->nnear++] = making->source;
}

static bool try_source(struct making *making, const struct addr *addr)
{
	if (!is_client(making->search, addr))
		return false;
	making->source = *addr;
	if (all_hold(making, SOURCE))
		return true;
	keep_near(making);
	return false;
}

static bool try_source_elem(struct making *making, const struct policy_elem *elem)
{
	return try_edges(making, elem, try_source);
}

/* With each of the addresses that differ. */
static bool try_mac_elem(struct making *making, const struct policy_elem *elem)
{
	if (elem->kind != POLICY_ELEM_MAC)
		return false;
	making->mac = elem->mac;
	for (size_t i = 0; i < making->nnear; i++) {
		making->source = making->near[i];
		if (all_hold(making, SOURCE))
			return true;
	}
	return false;
}

static bool try_addresses(struct making *making)
{
	const struct policy_prefixes *networks = networks_of(making->search);
	bool ip4 = making->family == ADDR_IP4;
	making->nnear = 0;
	if (!networks->n && try_text(making, ip4 ? "192.0.2.251" : "2001:db8::251", try_source))
		return true;
	for (size_t i = 0; i < networks->n; i++)
		if (networks->v[i].addr.family == making->family &&
			try_source(making, &networks->v[i].addr))
			return true;
	return try_named(making, SOURCE, try_source_elem);
}

static bool place_source(struct making *making)
{
	if (making->source.family == making->family && all_hold(making, SOURCE))
		return true;
	making->mac = making->search->mac;
	if (try_addresses(making))
		return true;
	return !making->search->device && try_named(making, SOURCE, try_mac_elem);
}

/* ---- the whole client ---- */

static bool place(struct making *making)
{
	return place_time(making) && place_user(making) && place_groups(making) &&
	       place_port(making) && place_destination(making) && place_source(making);
}

static const struct policy_rule *first_to_take(struct making *making, unsigned side)
{
	const struct policy *policy = making->search->world[side].policy;
	for (size_t i = 0; i < policy->nrules && making->search->left; i++)
		if (takes(making, side, &policy->rules[i]))
			return &policy->rules[i];
	return NULL;
}

/* The rule that has the client fare otherwise; NULL: it is redirected, and would pass. */
static const struct policy_rule *in_the_way(struct making *making, unsigned *side)
{
	struct opening_search *search = making->search;
	const struct policy_rule *rule = first_to_take(making, *side = 0);
	if (rule && !rule->to_server && level_of_rule(rule) == LEVEL_NO_WORD)
		return rule;
	search->found = -1;
	if (search->unknown)
		return NULL;
	rule = first_to_take(making, *side = 1);
	if (rule && (rule->to_server || rule->act.verdict != POLICY_VERDICT_PASS))
		return rule;
	if (rule)
		search->found = rule - search->world[1].policy->rules;
	return NULL;
}

static bool solve(struct making *making)
{
	const size_t begun = making->n;
	unsigned side;
	if (!place(making))
		return false;
	const struct policy_rule *rule = in_the_way(making, &side);
	bool found = !rule && making->search->left;
	for (unsigned condition = 0; rule && !found && condition < CONDITIONS; condition++) {
		size_t at = making->n;
		if (!add_literal(making, rule, condition, side, false))
			continue;
		found = solve(making);
		/* what comes after has this condition hold */
		making->literals[at].wanted = true;
	}
	making->n = begun;
	return found;
}

bool opening_search(
	struct opening_search *search, const struct policy_rule *r, const struct policy_rule *p)
{
	static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};
	struct making making = {.search = search};
	bool found = false;
	for (unsigned condition = 0; condition < CONDITIONS; condition++) {
		add_literal(&making, r, condition, 0, true);
		if (p)
			add_literal(&making, p, condition, 1, true);
	}
	making.session.user = string_of(NOBODY);
	making.session.groups = making.groups;
	for (size_t i = 0; i < 2 && !found && search->left; i++) {
		making.family = families[i];
		found = solve(&making);
	}
	return found;
}
