/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/proof/relay.h"

#include "lib/base/net/width.h"
#include "lib/policy/element.h"

#include <stdio.h>
#include <string.h>

enum relay_permit relay_permit_of(const struct policy_rule *rule)
{
	const struct policy_mails *to = &rule->recipient;
	const struct policy_where *from = &rule->source;

	if (to->protected && !to->negated && !to->none && to->elems.n + to->list_names.n == 0)
		return RELAY_PROTECTED;
	if (rule->user_none)
		return RELAY_NOBODY;
	if ((rule->user_given && !rule->user_negated) ||
		(rule->group_given && !rule->group_negated))
		return RELAY_USER;
	if (from->given && !from->any && !from->negated)
		return RELAY_SOURCE;
	return RELAY_NOBODY;
}

/* ---- how wide ---- */

struct measuring {
	const struct policy *policy;
	const struct lists *lists;
	const struct relay_change *change;
	struct width width;
};

static int add_entry(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	(void)end_ms;
	width_add(context, elem);
	return 0;
}

static bool is_changed(const struct measuring *measuring, const char *list)
{
	return measuring->change && strcmp(measuring->change->list, list) == 0;
}

static void add_dynamic(struct measuring *measuring, const char *list)
{
	const struct relay_change *change = measuring->change;
	bool changed = is_changed(measuring, list);

	for (size_t i = 0; changed && i < change->n; i++)
		width_add(&measuring->width, &change->elems[i]);
	if (measuring->lists && !(changed && change->replaces))
		lists_each(measuring->lists, list, add_entry, &measuring->width);
}

static void add_where(struct measuring *measuring, const struct policy_where *where)
{
	width_add_all(&measuring->width, &where->elems);
	for (size_t i = 0; i < where->list_names.n; i++) {
		const struct policy_list *list = &measuring->policy->lists[where->lists[i]];
		if (list->kind == POLICY_LIST_DYNAMIC)
			add_dynamic(measuring, list->name.text);
		else
			width_add_all(&measuring->width, &list->elems);
	}
}

static bool end(struct measuring *measuring)
{
	bool wide = width_is_too_wide(&measuring->width);

	width_fini(&measuring->width);
	measuring->width = (struct width){0};
	return wide;
}

bool relay_is_too_wide(const struct policy *policy, const struct policy_where *where)
{
	struct measuring measuring = {.policy = policy};

	add_where(&measuring, where);
	return end(&measuring);
}

/* ---- the whole policy ---- */

static bool uses(const struct policy_where *where, const char *list)
{
	for (size_t i = 0; i < where->list_names.n; i++)
		if (strcmp(where->list_names.v[i].text, list) == 0)
			return true;
	return false;
}

static bool permits(const struct policy_rule *rule, size_t listener)
{
	return !rule->disabled && rule->to_server && policy_rule_in_listener(rule, listener) &&
	       relay_permit_of(rule) == RELAY_SOURCE;
}

/* All rules of a listener count together: a hundred that permit a little each permit much. */
static bool are_rules_wide(struct measuring *measuring, size_t listener, const char **rule)
{
	const struct policy *policy = measuring->policy;
	bool concerned = !measuring->change;

	for (size_t i = 0; i < policy->nrules && !concerned; i++)
		concerned = permits(&policy->rules[i], listener) &&
			    uses(&policy->rules[i].source, measuring->change->list);
	/* all of it is counted anew, which takes its time */
	for (size_t i = 0; i < policy->nrules && concerned; i++) {
		if (!permits(&policy->rules[i], listener))
			continue;
		*rule = policy->rules[i].name.text;
		add_where(measuring, &policy->rules[i].source);
	}
	return concerned && end(measuring);
}

static bool is_accept_wide(struct measuring *measuring, size_t listener)
{
	const struct policy_where *accept = &measuring->policy->listeners[listener].accept;

	if (!accept->given || accept->any || accept->negated ||
		(measuring->change && !uses(accept, measuring->change->list)))
		return false;
	add_where(measuring, accept);
	return end(measuring);
}

/* ---- names ---- */

typedef int stop_at(void *context, const struct policy_elem *elem, uint64_t end_ms);

static int stop_at_short(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	(void)end_ms;
	if (elem->kind != POLICY_ELEM_HOST || element_is_domain(elem))
		return 0;
	*(const struct policy_elem **)context = elem;
	return 1;
}

static int stop_at_anybodys(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	(void)end_ms;
	if (elem->kind != POLICY_ELEM_HOST || !element_is_anybodys(elem))
		return 0;
	*(const struct policy_elem **)context = elem;
	return 1;
}

/* The first name where it stops; NULL: none. With a change, of what that brings: the others were
 * looked at when they came. */
static const struct policy_elem *find_in(
	const struct measuring *measuring, const struct policy_list *list, stop_at *stop)
{
	const struct relay_change *change = measuring->change;
	const struct policy_elem *found = NULL;

	if (change) {
		bool changed = is_changed(measuring, list->name.text);
		for (size_t i = 0; changed && i < change->n && !found; i++)
			stop(&found, &change->elems[i], 0);
		return found;
	}
	for (size_t i = 0; i < list->elems.n && !found; i++)
		stop(&found, &list->elems.v[i], 0);
	if (!found && measuring->lists)
		lists_each(measuring->lists, list->name.text, stop, &found);
	return found;
}

static bool is_domain_short(const struct measuring *measuring, const struct policy_domain *domain,
	char text[static RELAY_TEXT_SIZE])
{
	char name[ELEMENT_TEXT_SIZE];

	for (size_t i = 0; i < domain->list_names.n; i++) {
		const struct policy_list *list = &measuring->policy->lists[domain->lists[i]];
		const struct policy_elem *found = find_in(measuring, list, stop_at_short);
		if (!found)
			continue;
		snprintf(text, RELAY_TEXT_SIZE,
			"\"%.100s\" in list %s is no domain to protect, as domain %s would; "
			"expected names of two parts at least",
			element_format(found, name), list->name.text, domain->name.text);
		return true;
	}
	return false;
}

static const struct policy_elem *find_anybodys(
	const struct measuring *measuring, const struct policy_where *where)
{
	const struct policy_elem *found = NULL;

	for (size_t i = 0; i < where->elems.n && !found; i++)
		stop_at_anybodys(&found, &where->elems.v[i], 0);
	for (size_t i = 0; i < where->list_names.n && !found; i++)
		found = find_in(
			measuring, &measuring->policy->lists[where->lists[i]], stop_at_anybodys);
	return found;
}

const struct policy_elem *relay_find_anybodys(
	const struct policy *policy, const struct policy_where *where)
{
	const struct measuring measuring = {.policy = policy};

	return find_anybodys(&measuring, where);
}

static bool permits_anybodys(const struct measuring *measuring, const struct policy_rule *rule,
	char text[static RELAY_TEXT_SIZE])
{
	char name[ELEMENT_TEXT_SIZE];

	if (rule->disabled || !rule->listens || !rule->to_server ||
		relay_permit_of(rule) != RELAY_SOURCE ||
		(measuring->change && !uses(&rule->source, measuring->change->list)))
		return false;
	const struct policy_elem *found = find_anybodys(measuring, &rule->source);
	if (!found)
		return false;
	snprintf(text, RELAY_TEXT_SIZE,
		"rule %s permits to relay by the name \"%.100s\", below which anybody has a name; "
		"expected names of two parts at least",
		rule->name.text, element_format(found, name));
	return true;
}

bool relay_is_open(const struct policy *policy, const struct lists *lists,
	const struct relay_change *change, char text[static RELAY_TEXT_SIZE])
{
	struct measuring measuring = {.policy = policy, .lists = lists, .change = change};
	const char *rule = "";

	for (size_t i = 0; i < policy->nlisteners; i++) {
		const char *listener = policy->listeners[i].name.text;
		if (are_rules_wide(&measuring, i, &rule)) {
			snprintf(text, RELAY_TEXT_SIZE,
				"what listener %s permits to relay, by rule %s and those before "
				"it, is wider than a /8 together (IPv6: a /19), as good as "
				"everybody; expected fewer sources, `user any` or `recipient "
				"protected`",
				listener, rule);
			return true;
		}
		if (is_accept_wide(&measuring, i)) {
			snprintf(text, RELAY_TEXT_SIZE,
				"what listener %s accepts is wider than a /8 together (IPv6: a "
				"/19), as good as everybody; expected fewer, or `accept any`",
				listener);
			return true;
		}
	}
	for (size_t i = 0; i < policy->nrules; i++)
		if (permits_anybodys(&measuring, &policy->rules[i], text))
			return true;
	for (size_t i = 0; i < policy->ndomains; i++)
		if (is_domain_short(&measuring, &policy->domains[i], text))
			return true;
	return false;
}
