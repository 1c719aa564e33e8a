/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/accounting/account_counters.h"

#include "daemon/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct account_counters_of {
	char radius[POLICY_NAME_SIZE];
	struct account_counts counts;
};

void account_counters_fini(struct account_counters *counters)
{
	free(counters->v);
	*counters = (struct account_counters){0};
}

static struct account_counts *find(const struct account_counters *counters, const char *radius)
{
	for (size_t i = 0; i < counters->n; i++)
		if (strcmp(counters->v[i].radius, radius) == 0)
			return &counters->v[i].counts;
	return NULL;
}

const struct account_counts *account_counters_find(
	const struct account_counters *counters, const char *radius)
{
	return find(counters, radius);
}

struct account_counts *account_counters_at(
	const struct account_counters *counters, const char *radius)
{
	static struct account_counts nowhere;
	struct account_counts *found = find(counters, radius);

	return found ? found : &nowhere;
}

void account_counters_follow(struct account_counters *counters, const struct policy *policy)
{
	struct account_counters_of *next = calloc(policy->nradiuses + 1, sizeof(*next));

	if (!next) {
		log_error("no memory to count what accounting tells");
		return;
	}
	for (size_t i = 0; i < policy->nradiuses; i++) {
		const char *name = policy->radiuses[i].name.text;
		const struct account_counts *before = find(counters, name);
		snprintf(next[i].radius, sizeof(next[i].radius), "%s", name);
		if (before)
			next[i].counts = *before;
	}
	free(counters->v);
	counters->v = next;
	counters->n = policy->nradiuses;
}
