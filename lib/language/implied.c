/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/shadow.h"

#include "lib/policy/element.h"
#include "lib/policy/mailset.h"

#include <string.h>

/* Everything here errs on one side: true only where each packet of the later rule surely meets the
 * earlier one's condition. */

bool language_spend(struct language_effort *effort, size_t steps)
{
	effort->left = effort->left > steps ? effort->left - steps : 0;
	return effort->left > 0;
}

static bool holds(const struct policy_strings *set, const struct policy_string *string,
	struct language_effort *effort)
{
	language_spend(effort, set->n);
	for (size_t i = 0; i < set->n && effort->left > 0; i++) {
		if (policy_string_equal(&set->v[i], string))
			return true;
	}
	return false;
}

bool language_all_in(const struct policy_strings *part, const struct policy_strings *whole,
	struct language_effort *effort)
{
	for (size_t i = 0; i < part->n; i++) {
		if (!holds(whole, &part->v[i], effort))
			return false;
	}
	return true;
}

bool language_none_in(const struct policy_strings *part, const struct policy_strings *other,
	struct language_effort *effort)
{
	for (size_t i = 0; i < part->n; i++) {
		if (holds(other, &part->v[i], effort))
			return false;
	}
	return effort->left > 0;
}

static bool zones_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	if (early->zone_names.n == 0)
		return true;
	return late->zone_names.n > 0 &&
	       language_all_in(&late->zone_names, &early->zone_names, effort);
}

static bool listeners_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	const struct policy_strings *e = &early->listener_names, *l = &late->listener_names;

	if (early->listens != late->listens)
		return false;
	if (!early->listens)
		return true;
	if (!early->listener_negated)
		return !late->listener_negated && language_all_in(l, e, effort);
	return late->listener_negated ? language_all_in(e, l, effort)
				      : language_none_in(l, e, effort);
}

/* Whoever is meant by both would be of one name and of a source that both take. */
bool language_users_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	for (size_t i = 0; i < a->users.n; i++)
		for (size_t j = 0; j < b->users.n; j++)
			if (!language_spend(effort, 1) ||
				(a->meant[i].sources & b->meant[j].sources &&
					policy_string_equal(&a->meant[i].name, &b->meant[j].name)))
				return false;
	return true;
}

static bool users_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	/* without `user` a zone's rule takes whoever is known, a listener's everybody */
	if (!early->user_given)
		return early->listens || !late->user_none;
	if (early->user_none || late->user_none)
		return early->user_none && late->user_none;
	if (early->user_any)
		return !late->listens || late->user_given;
	if (!late->user_given || late->user_any)
		return false;
	if (!early->user_negated)
		return !late->user_negated && language_all_in(&late->users, &early->users, effort);
	return late->user_negated ? language_all_in(&early->users, &late->users, effort)
				  : language_users_apart(late, early, effort);
}

/* A session may have several groups: being in one says nothing about not being in another. */
static bool groups_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	if (!early->group_given)
		return true;
	if (!late->group_given || late->group_negated != early->group_negated)
		return false;
	return early->group_negated ? language_all_in(&early->groups, &late->groups, effort)
				    : language_all_in(&late->groups, &early->groups, effort);
}

static bool ports_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	if (early->ports.n == 0)
		return true;
	for (size_t i = 0; i < late->ports.n; i++) {
		size_t j = 0;
		while (j < early->ports.n && early->ports.v[j] != late->ports.v[i])
			j++;
		if (j == early->ports.n || !language_spend(effort, j))
			return false;
	}
	return late->ports.n > 0;
}

static bool prefix_within(const struct prefix *prefix, const struct lpm *index)
{
	struct prefix around = *prefix;
	bool found = lpm_find_exact(index, &around);

	while (!found && around.len > 0) {
		around = language_prefix_around(&around);
		found = lpm_find_exact(index, &around);
	}
	return found;
}

static bool elem_within(
	const struct policy_elem *elem, const struct lpm *index, struct language_effort *effort)
{
	struct prefix parts[RANGE_PARTS_MAX];
	unsigned n = element_parts(elem, parts);

	if (elem->kind != POLICY_ELEM_MAC && n == 0)
		return false;
	if (n == 0)
		return language_spend(effort, 64) && lpm_find_mac(index, &elem->mac);
	for (unsigned i = 0; i < n; i++) {
		if (!language_spend(effort, 64) || !prefix_within(&parts[i], index))
			return false;
	}
	return true;
}

static bool elems_overlap(const struct policy_elem *a, const struct policy_elem *b)
{
	struct range x = a->kind == POLICY_ELEM_RANGE ? a->range : range_of(&a->prefix);
	struct range y = b->kind == POLICY_ELEM_RANGE ? b->range : range_of(&b->prefix);

	return range_contains(&x, &y.first) || range_contains(&y, &x.first);
}

bool language_where_within(const struct policy_where *part, const struct policy_where *whole,
	struct language_effort *effort)
{
	if (part->protected && !whole->protected)
		return false;
	for (size_t i = 0; i < part->elems.n; i++) {
		if (!whole->index || !elem_within(&part->elems.v[i], whole->index, effort))
			return false;
	}
	return language_all_in(&part->list_names, &whole->list_names, effort);
}

static bool is_place(const struct policy_elem *elem)
{
	return elem->kind == POLICY_ELEM_PREFIX || elem->kind == POLICY_ELEM_RANGE;
}

bool language_where_apart(
	const struct policy_where *a, const struct policy_where *b, struct language_effort *effort)
{
	if (a->list_names.n > 0 || b->list_names.n > 0 || a->protected || b->protected)
		return false;
	for (size_t i = 0; i < a->elems.n; i++) {
		for (size_t j = 0; j < b->elems.n; j++) {
			const struct policy_elem *x = &a->elems.v[i], *y = &b->elems.v[j];
			if (!is_place(x) || !is_place(y))
				return false;
			if (elems_overlap(x, y) || !language_spend(effort, 1))
				return false;
		}
	}
	return true;
}

static bool where_implied(const struct policy_where *early, const struct policy_where *late,
	struct language_effort *effort)
{
	if (!early->given || early->any)
		return true;
	if (!late->given || late->any)
		return false;
	if (!early->negated)
		return !late->negated && language_where_within(late, early, effort);
	return late->negated ? language_where_within(early, late, effort)
			     : language_where_apart(early, late, effort);
}

static bool mail_within(
	const struct policy_elem *elem, const struct mailset *index, struct language_effort *effort)
{
	char key[MAILSET_KEY_SIZE];
	void *values[MAILSET_DEPTH];

	if (!index || !language_spend(effort, 64))
		return false;
	mailset_key(elem->text, elem->len, key);
	return mailset_find_all(index, key, values) > 0;
}

/* Every address that one may be is one of the other. Lists are known by name only. */
bool language_mails_within(const struct policy_mails *part, const struct policy_mails *whole,
	struct language_effort *effort)
{
	if ((part->none && !whole->none) || (part->protected && !whole->protected) ||
		(part->own && !whole->own))
		return false;
	for (size_t i = 0; i < part->elems.n; i++)
		if (!mail_within(&part->elems.v[i], whole->index, effort))
			return false;
	return language_all_in(&part->list_names, &whole->list_names, effort);
}

/* Of an address and one that is not to be another nothing is said: it would take all domains above
 * and below. */
static bool mails_implied(const struct policy_mails *early, const struct policy_mails *late,
	struct language_effort *effort)
{
	if (!early->given)
		return true;
	if (!late->given || late->negated != early->negated)
		return false;
	return early->negated ? language_mails_within(early, late, effort)
			      : language_mails_within(late, early, effort);
}

/* Whoever meets one meets the other, `not` of both aside. */
bool language_tls_within(const struct policy_tls_condition *part,
	const struct policy_tls_condition *whole, struct language_effort *effort)
{
	if (!whole->verified)
		return true;
	if (!part->verified)
		return false;
	return whole->names.n == 0 ||
	       (part->names.n > 0 && language_all_in(&part->names, &whole->names, effort));
}

/* A certificate may have several names: to be of one says nothing of another. */
static bool tls_implied(const struct policy_tls_condition *early,
	const struct policy_tls_condition *late, struct language_effort *effort)
{
	if (!early->given)
		return true;
	if (!late->given || late->negated != early->negated)
		return false;
	return early->negated ? language_tls_within(early, late, effort)
			      : language_tls_within(late, early, effort);
}

#define WEEK (7 * 1440)

static void fill_week(const struct policy_schedule *schedule, unsigned char *week)
{
	memset(week, schedule->n == 0, WEEK);
	for (size_t i = 0; i < schedule->n; i++) {
		const struct policy_range *range = &schedule->v[i];
		unsigned from = range->hours_given ? range->from : 0;
		unsigned to = range->hours_given ? range->to : 1440;
		unsigned minutes = from < to ? to - from : 1440 - from + to;
		for (unsigned day = 0; day < 7; day++) {
			for (unsigned m = 0; range->days & 1 << day && m < minutes; m++)
				week[(day * 1440 + from + m) % WEEK] = 1;
		}
	}
}

static bool schedule_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	unsigned char one[WEEK], other[WEEK];

	if (early->schedule.n == 0)
		return true;
	if (!language_spend(effort, (early->schedule.n + late->schedule.n + 2) * 5000))
		return false;
	fill_week(&early->schedule, one);
	fill_week(&late->schedule, other);
	for (unsigned i = 0; i < WEEK; i++) {
		if (other[i] && !one[i])
			return false;
	}
	return true;
}

bool language_implied_transaction(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	return language_spend(effort, 1) && !early->disabled &&
	       listeners_implied(early, late, effort) && zones_implied(early, late, effort) &&
	       users_implied(early, late, effort) && groups_implied(early, late, effort) &&
	       ports_implied(early, late, effort) &&
	       where_implied(&early->source, &late->source, effort) &&
	       where_implied(&early->destination, &late->destination, effort) &&
	       mails_implied(&early->sender, &late->sender, effort) &&
	       tls_implied(&early->tls, &late->tls, effort) &&
	       schedule_implied(early, late, effort);
}

bool language_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort)
{
	return mails_implied(&early->recipient, &late->recipient, effort) &&
	       language_implied_transaction(early, late, effort);
}

struct prefix language_prefix_around(const struct prefix *prefix)
{
	struct prefix around = *prefix;

	around.len--;
	around.addr.bytes[around.len / 8] &= (uint8_t)(0xff00 >> around.len % 8);
	return around;
}

ptrdiff_t language_shadowed_by(const struct policy *policy, size_t rule)
{
	struct language_effort effort = {.left = 100000000};

	for (size_t i = 0; i < rule; i++) {
		if (language_implied(&policy->rules[i], &policy->rules[rule], &effort))
			return (ptrdiff_t)i;
	}
	return -1;
}
