/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/shadow.h"

/* Everything here errs on one side: true only where surely no connection meets both. */

static bool zones_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	return a->zone_names.n > 0 && b->zone_names.n > 0 &&
	       language_none_in(&a->zone_names, &b->zone_names, effort);
}

static bool listeners_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	if (!a->listens || !b->listens)
		return a->listens != b->listens;
	if (a->listener_negated && b->listener_negated)
		return false;
	if (a->listener_negated)
		return language_all_in(&b->listener_names, &a->listener_names, effort);
	if (b->listener_negated)
		return language_all_in(&a->listener_names, &b->listener_names, effort);
	return language_none_in(&a->listener_names, &b->listener_names, effort);
}

static bool users_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	bool known_a = a->user_given ? !a->user_none : !a->listens;
	bool known_b = b->user_given ? !b->user_none : !b->listens;

	if (a->user_none || b->user_none)
		return a->user_none ? known_b : known_a;
	if (!a->user_given || a->user_any || !b->user_given || b->user_any)
		return false;
	if (a->user_negated && b->user_negated)
		return false;
	if (a->user_negated)
		return language_all_in(&b->users, &a->users, effort);
	if (b->user_negated)
		return language_all_in(&a->users, &b->users, effort);
	return language_users_apart(a, b, effort);
}

/* A session may have several groups, so that being in one says nothing of being in another. */
static bool groups_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	if (!a->group_given || !b->group_given || a->group_negated == b->group_negated)
		return false;
	return a->group_negated ? language_all_in(&b->groups, &a->groups, effort)
				: language_all_in(&a->groups, &b->groups, effort);
}

static bool ports_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	for (size_t i = 0; i < a->ports.n; i++)
		for (size_t j = 0; j < b->ports.n; j++)
			if (a->ports.v[i] == b->ports.v[j] || !language_spend(effort, 1))
				return false;
	return a->ports.n > 0 && b->ports.n > 0;
}

static bool places_apart(
	const struct policy_where *a, const struct policy_where *b, struct language_effort *effort)
{
	if (!a->given || a->any || !b->given || b->any || (a->negated && b->negated))
		return false;
	if (a->negated)
		return language_where_within(b, a, effort);
	if (b->negated)
		return language_where_within(a, b, effort);
	return language_where_apart(a, b, effort);
}

bool language_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	return language_spend(effort, 1) &&
	       (listeners_apart(a, b, effort) || zones_apart(a, b, effort) ||
		       users_apart(a, b, effort) || groups_apart(a, b, effort) ||
		       ports_apart(a, b, effort) || places_apart(&a->source, &b->source, effort) ||
		       places_apart(&a->destination, &b->destination, effort));
}

/* One address, or <>, that both are. */
static bool mails_touch(
	const struct policy_mails *a, const struct policy_mails *b, struct language_effort *effort)
{
	if (a->list_names.n > 0 || b->list_names.n > 0 || (a->none && b->none))
		return true;
	/* the user's own may be any */
	if ((a->own && (b->own || b->elems.n > 0)) || (b->own && a->elems.n > 0))
		return true;
	for (size_t i = 0; i < a->elems.n; i++) {
		const struct policy_mails one = {.elems = {&a->elems.v[i], 1}};
		if (language_mails_within(&one, b, effort) || !effort->left)
			return true;
	}
	return false;
}

static bool senders_apart(
	const struct policy_mails *a, const struct policy_mails *b, struct language_effort *effort)
{
	if (!a->given || !b->given || (a->negated && b->negated))
		return false;
	if (a->negated)
		return language_mails_within(b, a, effort);
	if (b->negated)
		return language_mails_within(a, b, effort);
	return !mails_touch(a, b, effort) && !mails_touch(b, a, effort);
}

static bool tls_apart(const struct policy_tls_condition *a, const struct policy_tls_condition *b,
	struct language_effort *effort)
{
	if (!a->given || !b->given || a->negated == b->negated)
		return false;
	return a->negated ? language_tls_within(b, a, effort) : language_tls_within(a, b, effort);
}

bool language_apart_transaction(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort)
{
	return language_apart(a, b, effort) || senders_apart(&a->sender, &b->sender, effort) ||
	       tls_apart(&a->tls, &b->tls, effort);
}
