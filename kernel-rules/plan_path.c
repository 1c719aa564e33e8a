/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan's paths: where the kernel alone leads connections, by number. */
#include "kernel-rules/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_led_to(const struct plan *plan, const struct endpoint *host)
{
	for (size_t i = 0; i < plan->npaths; i++) {
		const struct plan_path *path = &plan->paths[i];
		const struct endpoint *at = host->addr.family == ADDR_IP4 ? &path->at4 : &path->at6;
		if (at->port == host->port && addr_equal(&at->addr, &host->addr))
			return true;
	}
	return false;
}

/* Takes the first host out that no path leads to any more; in the kernel's sets it stays. */
static bool forget_host(struct plan *plan)
{
	for (size_t i = 0; i < plan->npath_hosts; i++) {
		struct endpoint *host = &plan->path_hosts[i];
		if (is_led_to(plan, host))
			continue;
		memmove(host, host + 1, (--plan->npath_hosts - i) * sizeof(*host));
		return true;
	}
	return false;
}

/* Names lead to ever more hosts while the keeper runs. */
static int add_led(struct plan *plan, const struct endpoint *at)
{
	int status = at->addr.family == ADDR_NONE ? 0 : plan_add_path_host(plan, at);

	return status == -E2BIG && forget_host(plan) ? plan_add_path_host(plan, at) : status;
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

void plan_keep_leads(struct plan *plan, const struct plan *old)
{
	for (size_t i = 0; i < plan->npaths; i++) {
		struct plan_path *path = &plan->paths[i];
		const struct plan_path *was = plan_find_path(old, path->number);
		if (!was || path->at4.addr.family != ADDR_NONE ||
			path->at6.addr.family != ADDR_NONE ||
			strcmp(was->server, path->server) != 0)
			continue;
		const struct endpoint at4 = was->at4, at6 = was->at6;
		plan_lead_path(plan, path->number, &at4, &at6);
	}
}

int plan_lead_path(
	struct plan *plan, uint16_t number, const struct endpoint *at4, const struct endpoint *at6)
{
	const struct plan_path *found = plan_find_path(plan, number);

	if (!found)
		return -ENOENT;
	if (!leads(at4, ADDR_IP4) || !leads(at6, ADDR_IP6))
		return -EINVAL;
	struct plan_path *path = &plan->paths[found - plan->paths];
	int status = add_led(plan, at4);
	if (status)
		return status;
	path->at4 = *at4;
	status = add_led(plan, at6);
	if (status)
		return status;
	path->at6 = *at6;
	return 0;
}
