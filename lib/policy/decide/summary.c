/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/decide/summary.h"

#include "lib/base/arena.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/element.h"

#define ALL UINT64_MAX
/* A session without groups: the bit is set in rules that ask for none, and for `group not`. */
#define NO_GROUP ((uint64_t)1 << 63)
/* No user at all. */
#define NOBODY ((uint64_t)1 << 63)

static uint64_t bit_of_zone(size_t zone)
{
	return (uint64_t)1 << zone % 64;
}

/* Rules of listeners and of zones share the bits: each is looked at closely in the end. */
static uint64_t bit_of_listener(size_t listener)
{
	return (uint64_t)1 << (63 - listener % 64);
}

static uint64_t bit_of(const struct policy_string *string)
{
	return (uint64_t)1 << (string->hash >> 8) % 63;
}

static uint64_t bits_of(const struct policy_strings *strings)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < strings->n; i++)
		bits |= bit_of(&strings->v[i]);
	return bits;
}

static uint64_t bits_of_users(const struct policy_rule *rule)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < rule->users.n; i++)
		bits |= bit_of(&rule->meant[i].name);
	return bits;
}

static uint32_t upper4(const struct addr *addr)
{
	return (uint32_t)addr->bytes[0] << 24 | (uint32_t)addr->bytes[1] << 16 |
	       (uint32_t)addr->bytes[2] << 8 | addr->bytes[3];
}

static uint64_t upper6(const struct addr *addr)
{
	uint64_t upper = 0;

	for (unsigned i = 0; i < 8; i++)
		upper = upper << 8 | addr->bytes[i];
	return upper;
}

static void set_range(struct decide_summary *summary, bool everything)
{
	summary->first4 = everything ? 0 : UINT32_MAX;
	summary->last4 = everything ? UINT32_MAX : 0;
	summary->first6 = everything ? 0 : UINT64_MAX;
	summary->last6 = everything ? UINT64_MAX : 0;
}

static void widen4(struct decide_summary *summary, const struct prefix *prefix)
{
	uint32_t first = upper4(&prefix->addr);
	uint32_t last = prefix->len == 32 ? first : first | UINT32_MAX >> prefix->len;

	if (first < summary->first4)
		summary->first4 = first;
	if (last > summary->last4)
		summary->last4 = last;
}

static void widen6(struct decide_summary *summary, const struct prefix *prefix)
{
	uint64_t first = upper6(&prefix->addr);
	uint64_t last = prefix->len >= 64 ? first : first | UINT64_MAX >> prefix->len;

	if (first < summary->first6)
		summary->first6 = first;
	if (last > summary->last6)
		summary->last6 = last;
}

/* false: a MAC, which can be anywhere. */
static bool widen(struct decide_summary *summary, const struct policy_elems *elems)
{
	for (size_t i = 0; i < elems->n; i++) {
		struct prefix parts[RANGE_PARTS_MAX];
		unsigned n = element_parts(&elems->v[i], parts);
		if (n == 0)
			return false;
		for (unsigned j = 0; j < n; j++) {
			if (parts[j].addr.family == ADDR_IP4)
				widen4(summary, &parts[j]);
			else
				widen6(summary, &parts[j]);
		}
	}
	return true;
}

static void summarize_source(const struct policy *policy, const struct policy_where *where,
	struct decide_summary *summary)
{
	bool bounded = where->given && !where->any && !where->negated;

	set_range(summary, false);
	if (bounded)
		bounded = widen(summary, &where->elems);
	for (size_t i = 0; bounded && i < where->list_names.n; i++) {
		const struct policy_list *list = &policy->lists[where->lists[i]];
		bounded = list->kind != POLICY_LIST_DYNAMIC && widen(summary, &list->elems);
	}
	if (!bounded)
		set_range(summary, true);
}

static void summarize(
	const struct policy *policy, const struct policy_rule *rule, struct decide_summary *summary)
{
	summary->zones = rule->zone_names.n || rule->listens ? 0 : ALL;
	for (size_t i = 0; i < rule->zone_names.n; i++)
		summary->zones |= bit_of_zone(rule->zones[i]);
	for (size_t i = 0; i < rule->listener_names.n; i++)
		summary->zones |=
			rule->listener_negated ? ALL : bit_of_listener(rule->listeners[i]);
	if (rule->disabled)
		summary->zones = 0;
	summary->users = rule->user_none     ? NOBODY
			 : !rule->user_given ? rule->listens ? ALL : ALL & ~NOBODY
			 : rule->user_any || rule->user_negated ? ALL & ~NOBODY
								: bits_of_users(rule);
	summary->groups = rule->group_given && !rule->group_negated ? bits_of(&rule->groups) : ALL;
	summarize_source(policy, &rule->source, summary);
}

const struct decide_summary *decide_summarize(const struct policy *policy)
{
	struct decide_summary *summaries =
		policy->nrules ? arena_alloc(policy->arena, policy->nrules * sizeof(*summaries))
			       : NULL;

	for (size_t i = 0; summaries && i < policy->nrules; i++)
		summarize(policy, &policy->rules[i], &summaries[i]);
	return summaries;
}

struct decide_key decide_key_of(const struct decide_origin *origin, const struct session *session)
{
	const struct addr *source = &origin->source;
	struct decide_key key = {.zone = origin->of_listener ? bit_of_listener(origin->listener)
							     : bit_of_zone(origin->zone),
		.user = session ? bit_of(&session->user) : NOBODY,
		.groups = session && session->ngroups ? 0 : NO_GROUP,
		.family = source->family};

	for (size_t i = 0; session && i < session->ngroups; i++)
		key.groups |= bit_of(&session->groups[i]);
	if (source->family == ADDR_IP4)
		key.source4 = upper4(source);
	else
		key.source6 = upper6(source);
	return key;
}
