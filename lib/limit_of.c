#include "lib/limit_of.h"

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

static bool choose(const struct policy *policy, size_t zone, ptrdiff_t rule,
	enum policy_limit_kind kind, enum policy_per per, struct limit_of *chosen)
{
	const struct policy_rule *of = rule >= 0 ? &policy->rules[rule] : NULL;

	chosen->limit = of ? find(&of->limits, kind, per) : NULL;
	chosen->of_rule = chosen->limit;
	if (!chosen->limit && !(of && of->limit_none))
		chosen->limit = find(&policy->zones[zone].limits, kind, per);
	return chosen->limit;
}

size_t limit_of(const struct policy *policy, size_t zone, ptrdiff_t rule,
	struct limit_of limits[static LIMIT_OF_MAX])
{
	static const enum policy_per order[POLICY_PERS] = {POLICY_PER_FLOW, POLICY_PER_MESSAGE,
		POLICY_PER_CLIENT, POLICY_PER_USER, POLICY_PER_SENDER, POLICY_PER_ALL};
	size_t n = 0;

	for (unsigned i = 0; i < POLICY_PERS; i++)
		for (unsigned kind = 0; kind < POLICY_LIMIT_KINDS; kind++)
			n += choose(policy, zone, rule, (enum policy_limit_kind)kind, order[i],
				&limits[n]);
	return n;
}

const struct policy_limit *limit_of_kind(const struct policy *policy, size_t zone, ptrdiff_t rule,
	enum policy_limit_kind kind, enum policy_per per)
{
	struct limit_of chosen;

	choose(policy, zone, rule, kind, per, &chosen);
	return chosen.limit;
}

const char *limit_of_scope(const struct policy *policy, size_t zone, ptrdiff_t rule,
	const struct limit_of *limit, char buf[static LIMIT_OF_SCOPE_SIZE])
{
	snprintf(buf, LIMIT_OF_SCOPE_SIZE, "%s%s%s", policy->zones[zone].name.text,
		limit->of_rule ? "/" : "", limit->of_rule ? policy->rules[rule].name.text : "");
	return buf;
}

struct limit_subject limit_of_subject(
	const struct policy_zone *zone, enum policy_per per, const struct limit_who *who)
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
		if (zone->identity != POLICY_IDENTITY_ADDRESS && mac_is_set(who->mac))
			return (struct limit_subject){who->mac->bytes, sizeof(who->mac->bytes)};
		return (struct limit_subject){who->addr, sizeof(*who->addr)};
	}
	return (struct limit_subject){NULL, 0};
}
