/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan's paths: where the kernel alone leads connections, by number. */
#include "kernel-rules/plan.h"

#include <errno.h>
#include <stdlib.h>

uint16_t plan_highest_number(const struct plan *plan)
{
	uint16_t highest = 0;

	for (size_t i = 0; i < plan->npaths; i++) {
		if (plan->paths[i].number > highest)
			highest = plan->paths[i].number;
	}
	return highest;
}

bool plan_is_new_limit(const struct plan *plan, size_t index)
{
	uint32_t flows = plan->paths[index].flows;

	for (size_t i = 0; i < index; i++) {
		if (plan->paths[i].flows == flows)
			return false;
	}
	return flows != 0;
}

static int add_ends(struct plan *plan, const struct endpoint *at4, const struct endpoint *at6)
{
	int status = at4->addr.family == ADDR_NONE ? 0 : plan_add_path_host(plan, at4);

	if (status == 0 && at6->addr.family != ADDR_NONE)
		status = plan_add_path_host(plan, at6);
	return status;
}

int plan_add_path(struct plan *plan, const struct plan_path *path)
{
	if (plan_find_path(plan, path->number))
		return -EEXIST;
	if (plan->npaths == PLAN_PATHS_MAX)
		return -E2BIG;
	int status = add_ends(plan, &path->at4, &path->at6);
	if (status)
		return status;
	struct plan_path *paths = realloc(plan->paths, (plan->npaths + 1) * sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	plan->paths = paths;
	paths[plan->npaths++] = *path;
	return 0;
}

static bool leads(const struct endpoint *at, enum addr_family family)
{
	return at->addr.family == ADDR_NONE ||
	       (at->addr.family == family && at->port && !addr_is_unspecified(&at->addr));
}

int plan_lead_path(
	struct plan *plan, uint16_t number, const struct endpoint *at4, const struct endpoint *at6)
{
	const struct plan_path *found = plan_find_path(plan, number);

	if (!found)
		return -ENOENT;
	if (!leads(at4, ADDR_IP4) || !leads(at6, ADDR_IP6))
		return -EINVAL;
	int status = add_ends(plan, at4, at6);
	if (status)
		return status;
	struct plan_path *path = &plan->paths[found - plan->paths];
	path->at4 = *at4;
	path->at6 = *at6;
	return 0;
}
