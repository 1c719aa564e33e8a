/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/limit_of.h"

#include "lib/policy/session.h"

#include <stdio.h>
#include <string.h>

static const struct policy_limit *find(
	const struct policy_limits *limits, enum policy_limit_kind kind, enum policy_per per)
{
	for (size_t i = 0; i < limits->n; i++)
		if (limits->v[i].kind == kind && limits->v[i].per == per)
			return &limits->v[i];
	return NULL;
}

const struct policy_string *limit_place_name(const struct policy *policy, struct limit_place place)
{
	return place.of_listener ? &policy->listeners[place.at].name
				 : &policy->zones[place.at].name;
}

static const struct policy_limits *limits_at(const struct policy *policy, struct limit_place place)
{
	return place.of_listener ? &policy->listeners[place.at].limits
				 : &policy->zones[place.at].limits;
}

/* The rule that took it; NULL: none. */
static const struct policy_rule *rule_at(const struct policy *policy, ptrdiff_t rule)
{
	return rule >= 0 ? &policy->rules[rule] : NULL;
}

static unsigned rank(const struct policy_limit *limit)
{
	static const unsigned ranks[POLICY_PERS] = {
		[POLICY_PER_FLOW] = 0,
		[POLICY_PER_MESSAGE] = 1,
		[POLICY_PER_CLIENT] = 2,
		[POLICY_PER_USER] = 3,
		[POLICY_PER_SENDER] = 4,
		[POLICY_PER_ALL] = 5,
	};

	return ranks[limit->per] * POLICY_LIMIT_KINDS + limit->kind;
}

/* In its place of the n that are there: each flow asks, and there are few. */
static size_t insert(struct limit_of *limits, size_t n, struct limit_of added)
{
	size_t at = n;

	for (; at > 0 && rank(limits[at - 1].limit) > rank(added.limit); at--)
		limits[at] = limits[at - 1];
	limits[at] = added;
	return n + 1;
}

size_t limit_of(const struct policy *policy, struct limit_place place, ptrdiff_t rule,
	struct limit_of limits[static LIMIT_OF_MAX])
{
	const struct policy_rule *of = rule_at(policy, rule);
	const struct policy_limits *others = limits_at(policy, place);
	size_t n = 0;

	for (size_t i = 0; of && i < of->limits.n; i++)
		n = insert(limits, n, (struct limit_of){&of->limits.v[i], true});
	if (of && of->limit_none)
		return n;
	for (size_t i = 0; i < others->n; i++)
		if (!of || !find(&of->limits, others->v[i].kind, others->v[i].per))
			n = insert(limits, n, (struct limit_of){&others->v[i], false});
	return n;
}

const struct policy_limit *limit_of_kind(const struct policy *policy, struct limit_place place,
	ptrdiff_t rule, enum policy_limit_kind kind, enum policy_per per)
{
	const struct policy_rule *of = rule_at(policy, rule);
	const struct policy_limit *own = of ? find(&of->limits, kind, per) : NULL;

	if (own || (of && of->limit_none))
		return own;
	return find(limits_at(policy, place), kind, per);
}

const char *limit_of_scope(const struct policy *policy, struct limit_place place, ptrdiff_t rule,
	const struct limit_of *limit, char buf[static LIMIT_OF_SCOPE_SIZE])
{
	const char *name = limit_place_name(policy, place)->text;

	if (!limit->of_rule && !place.of_listener)
		return name;
	snprintf(buf, LIMIT_OF_SCOPE_SIZE, "%s%s%s%s", place.of_listener ? "listener " : "", name,
		limit->of_rule ? "/" : "", limit->of_rule ? policy->rules[rule].name.text : "");
	return buf;
}

/* A zone whose clients are known by their MAC. */
static bool knows_macs(const struct policy *policy, struct limit_place place)
{
	return !place.of_listener && policy->zones[place.at].identity != POLICY_IDENTITY_ADDRESS;
}

#define NETWORK_BYTES 8 /* of an IPv6 client: /64 */

struct limit_subject limit_of_subject(const struct policy *policy, struct limit_place place,
	enum policy_per per, const struct limit_who *who)
{
	switch (per) {
	case POLICY_PER_ALL:
	case POLICY_PER_FLOW:
	case POLICY_PER_MESSAGE:
		break;
	case POLICY_PER_USER:
		return (struct limit_subject){who->user, strlen(who->user)};
	case POLICY_PER_SENDER:
		return (struct limit_subject){who->sender, who->sender ? strlen(who->sender) : 0};
	case POLICY_PER_CLIENT:
		if (knows_macs(policy, place) && mac_is_set(who->mac))
			return (struct limit_subject){who->mac->bytes, sizeof(who->mac->bytes)};
		if (place.of_listener && who->addr->family == ADDR_IP6)
			return (struct limit_subject){who->addr->bytes, NETWORK_BYTES};
		return (struct limit_subject){who->addr, sizeof(*who->addr)};
	}
	return (struct limit_subject){NULL, 0};
}

/* A device's user may stand for many hosts: there it is the one that was counted. */
void limit_of_block(const struct policy *policy, struct limit_place place,
	const struct policy_limit *limit, const struct limit_who *who, uint64_t session,
	struct block *block)
{
	bool person = *who->user && !(session & SESSION_DEVICE_ID);

	if (!place.of_listener)
		memcpy(block->zone, policy->zones[place.at].name.text,
			policy->zones[place.at].name.len);
	if (person || limit->per == POLICY_PER_USER) {
		block->kind = BLOCK_USER;
		/* a listener knows no users but those who logged in at it */
		snprintf(block->user, sizeof(block->user), "%s%s", place.of_listener ? "auth:" : "",
			who->user);
	} else if (knows_macs(policy, place) && mac_is_set(who->mac)) {
		block->kind = BLOCK_MAC;
		block->mac = *who->mac;
	} else {
		block->kind = BLOCK_ADDRESS;
		block->prefix = prefix_of(who->addr);
	}
}
