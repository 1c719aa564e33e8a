#include "lib/opening_values.h"

#include "lib/lpm.h"

#include <string.h>

#define NOBODY "(somebody)"

static struct policy_string string_of(const char *text)
{
	size_t len = strlen(text);
	return (struct policy_string){text, (uint32_t)len, policy_hash(text, len)};
}

static bool has(const struct policy_strings *strings, const struct policy_string *one)
{
	for (size_t i = 0; i < strings->n; i++)
		if (policy_string_equal(&strings->v[i], one))
			return true;
	return false;
}

static bool user_fits(const struct policy_rule *rule, const struct policy_string *user)
{
	if (!rule || !rule->user_given)
		return true;
	return (rule->user_any || has(&rule->users, user)) != rule->user_negated;
}

static bool names_users(const struct policy_rule *rule)
{
	return rule && rule->user_given && !rule->user_any && !rule->user_negated;
}

/* Those that the other does not take come first: changed true, then false. */
static void add_users(const struct opening_side *from, const struct opening_side *with,
	bool changed, struct opening_values *out)
{
	const struct policy_strings *users = &from->rule->users;
	for (size_t i = 0; i < users->n && out->n < OPENING_VALUES_MOST; i++)
		if ((from->other && !user_fits(from->other, &users->v[i])) == changed &&
			user_fits(with->rule, &users->v[i]))
			out->v[out->n++] = users->v[i];
}

/* Users that both rules take. */
void opening_users(const struct opening_pair *pair, struct opening_values *out)
{
	const struct opening_side *r = &pair->r, *p = &pair->p;
	const struct policy_string nobody = string_of(NOBODY);
	out->n = 0;
	if (names_users(r->rule)) {
		add_users(r, p, true, out);
		add_users(r, p, false, out);
	} else if (names_users(p->rule)) {
		add_users(p, r, true, out);
		add_users(p, r, false, out);
	} else {
		out->v[out->n++] = nobody;
	}
}

static void add_groups(const struct opening_side *side, bool changed, struct opening_values *out)
{
	const struct policy_rule *other = side->other;
	const struct policy_strings *groups = &side->rule->groups;
	for (size_t i = 0; i < groups->n && out->n < OPENING_VALUES_MOST; i++)
		if ((other && other->group_given && !has(&other->groups, &groups->v[i])) == changed)
			out->v[out->n++] = groups->v[i];
}

/* A group that the rule wants; one empty string where it wants none. */
void opening_groups(const struct opening_side *side, struct opening_values *out)
{
	out->n = 0;
	if (side->rule && side->rule->group_given && !side->rule->group_negated) {
		add_groups(side, true, out);
		add_groups(side, false, out);
	}
	if (!out->n)
		out->v[out->n++] = string_of("");
}

static bool index_has(const struct lpm *index, const struct policy_elem *elem)
{
	if (!index)
		return false;
	if (elem->kind == POLICY_ELEM_MAC)
		return lpm_find_mac(index, &elem->mac) != NULL;
	struct range ends = opening_ends(elem);
	return lpm_find(index, &ends.first, NULL) && lpm_find(index, &ends.last, NULL);
}

/* Does the condition of the other rule name the element, or all? */
static bool other_has(const struct opening_side *side, const struct policy_where *where,
	const struct policy_elem *elem)
{
	if (!where || !where->given || where->any || where->negated)
		return true;
	bool found = index_has(where->index, elem);
	for (size_t i = 0; i < where->list_names.n && !found; i++) {
		const struct policy_list *list = &side->other_policy->lists[where->lists[i]];
		found = list->kind == POLICY_LIST_DYNAMIC || index_has(list->index, elem);
	}
	return found;
}

struct adding {
	struct opening_places *out;
	size_t most;
};

static void add_elems(const struct opening_side *side, const struct policy_where *other,
	const struct policy_elems *elems, bool changed, struct adding *adding)
{
	for (size_t i = 0; i < elems->n && adding->out->n < adding->most; i++)
		if (other_has(side, other, &elems->v[i]) != changed)
			adding->out->v[adding->out->n++] = elems->v[i];
}

static int add_entry(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct adding *adding = context;
	(void)end_ms;
	if (adding->out->n < adding->most)
		adding->out->v[adding->out->n++] = *elem;
	return adding->out->n >= adding->most;
}

/* where and other: the same condition of both rules of the side. */
static void add_where(const struct decide_world *world, const struct opening_side *side,
	const struct policy_where *where, const struct policy_where *other,
	struct opening_places *out)
{
	struct adding adding = {.out = out, .most = out->n + 2 * OPENING_VALUES_MOST};
	if (!where->given || where->any || where->negated)
		return;
	for (unsigned pass = 0; pass < 2; pass++) {
		const bool changed = pass == 0;
		add_elems(side, other, &where->elems, changed, &adding);
		for (size_t i = 0; i < where->list_names.n; i++) {
			const struct policy_list *list = &side->policy->lists[where->lists[i]];
			if (list->kind != POLICY_LIST_DYNAMIC)
				add_elems(side, other, &list->elems, changed, &adding);
			else if (!changed)
				lists_each(world->lists, list->name.text, add_entry, &adding);
		}
	}
}

static void add_address(struct opening_places *out, const char *text)
{
	struct policy_elem elem = {.kind = POLICY_ELEM_PREFIX};
	if (prefix_parse(text, strlen(text), &elem.prefix) == 0)
		out->v[out->n++] = elem;
}

static void add_sides(const struct decide_world *running, const struct opening_pair *pair,
	bool destination, struct opening_places *out)
{
	const struct opening_side *sides[] = {&pair->r, &pair->p};
	out->n = 0;
	for (size_t i = 0; i < 2; i++) {
		const struct opening_side *side = sides[i];
		if (side->rule && destination)
			add_where(running, side, &side->rule->destination,
				side->other ? &side->other->destination : NULL, out);
		else if (side->rule)
			add_where(running, side, &side->rule->source,
				side->other ? &side->other->source : NULL, out);
	}
}

/* Addresses that the rules name, and of the zone. */
void opening_sources(const struct decide_world *running, const struct opening_pair *pair,
	struct opening_places *out)
{
	const struct policy_zone *zone = &running->policy->zones[pair->zone];
	bool seen[2] = {false, false};
	add_sides(running, pair, false, out);
	for (size_t i = 0; i < zone->networks.n && !(seen[0] && seen[1]); i++) {
		bool *one = &seen[zone->networks.v[i].addr.family == ADDR_IP6];
		if (!*one)
			out->v[out->n++] = (struct policy_elem){
				.kind = POLICY_ELEM_PREFIX, .prefix = zone->networks.v[i]};
		*one = true;
	}
	if (zone->networks.n)
		return;
	add_address(out, "192.0.2.251");
	add_address(out, "2001:db8::251");
}

void opening_destinations(const struct decide_world *running, const struct opening_pair *pair,
	struct opening_places *out)
{
	add_sides(running, pair, true, out);
	add_address(out, "198.51.100.251");
	add_address(out, "2001:db8:ffff::251");
}

/* The first and the last address of an element. */
struct range opening_ends(const struct policy_elem *elem)
{
	return elem->kind == POLICY_ELEM_RANGE ? elem->range : range_of(&elem->prefix);
}

size_t opening_ports(const struct policy_zone *zone, const struct opening_pair *pair,
	uint16_t ports[static OPENING_PORTS_MOST])
{
	const struct policy_rule *r = pair->r.rule, *p = pair->p.rule;
	const struct policy_ports *from[] = {&r->ports, p ? &p->ports : &r->ports};
	size_t n = 0;
	ports[n++] = zone->ports.v[0];
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < from[i]->n; j++)
			if (policy_zone_has_port(zone, from[i]->v[j])) {
				ports[n++] = from[i]->v[j];
				break;
			}
	return n;
}
