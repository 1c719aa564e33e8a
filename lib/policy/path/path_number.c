/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/path/path_number.h"

#include <errno.h>
#include <stdlib.h>

unsigned path_number_places(const struct policy_server *server)
{
	unsigned places = 0;

	for (size_t i = 0; i < server->nhosts; i++)
		places += server->hosts[i].is_mx ? PATH_NUMBER_PER_MX : 1;
	return places;
}

static bool leads_to_path(const struct policy *policy, const struct policy_rule *rule)
{
	return !rule->disabled && !rule->listens && policy_rule_by_kernel(policy, rule);
}

static int compare(const void *a, const void *b)
{
	const struct path_leg *one = a, *other = b;

	if (one->server != other->server)
		return one->server < other->server ? -1 : 1;
	return one->flows < other->flows ? -1 : one->flows > other->flows;
}

int path_number_legs(const struct policy *policy, struct path_leg **legs, size_t *n)
{
	size_t all = 0, kept = 0;
	struct path_leg *v = calloc(policy->nrules + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < policy->nrules; i++)
		if (leads_to_path(policy, &policy->rules[i]))
			v[all++] = (struct path_leg){
				policy->rules[i].server, policy_rule_flows(&policy->rules[i])};
	qsort(v, all, sizeof(*v), compare);
	for (size_t i = 0; i < all; i++)
		if (kept == 0 || compare(&v[kept - 1], &v[i]) != 0)
			v[kept++] = v[i];
	*legs = v;
	*n = kept;
	return 0;
}

int path_number_needed(const struct policy *policy, size_t *needed)
{
	struct path_leg *legs;
	size_t n;
	int error = path_number_legs(policy, &legs, &n);

	if (error)
		return error;
	*needed = 0;
	for (size_t i = 0; i < n; i++)
		*needed += path_number_places(&policy->servers[legs[i].server]);
	free(legs);
	return 0;
}
