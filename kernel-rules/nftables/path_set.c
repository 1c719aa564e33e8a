/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/path_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel-rules/nftables/set.h"

/* How a client is known whose flows are counted. */
static const char *const ways[] = {"m", "4", "6"};
#define WAYS 3

static void name_count(char name[static SET_NAME_SIZE], uint32_t flows, size_t way)
{
	snprintf(name, SET_NAME_SIZE, SET_PATH_COUNT_OF "%u-%s", flows, ways[way]);
}

bool path_set_is_kept(const struct plan *plan, const char *name)
{
	char count[SET_NAME_SIZE];

	if (!plan_has_paths(plan))
		return false;
	if (strcmp(name, SET_PATH_IP4) == 0 || strcmp(name, SET_PATH_IP6) == 0)
		return true;
	if (strncmp(name, SET_PATH_COUNT_OF, strlen(SET_PATH_COUNT_OF)) != 0)
		return false;
	for (size_t i = 0; plan->mode == PLAN_RUNNING && i < plan->npaths; i++) {
		for (size_t way = 0; plan->paths[i].flows && way < WAYS; way++) {
			name_count(count, plan->paths[i].flows, way);
			if (strcmp(name, count) == 0)
				return true;
		}
	}
	return false;
}

/* The paths that lead somewhere in the family. */
static void fill_servers(
	struct batch *batch, const char *name, enum addr_family family, const struct plan *plan)
{
	struct set_mark_end *ends = calloc(plan->npaths + 1, sizeof(*ends));
	size_t n = 0;

	if (!ends) {
		batch_fail(batch, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < plan->npaths; i++) {
		const struct plan_path *path = &plan->paths[i];
		const struct endpoint *at = family == ADDR_IP4 ? &path->at4 : &path->at6;
		if (at->addr.family != ADDR_NONE)
			ends[n++] = (struct set_mark_end){
				plan_number_bits(plan->server_mask, path->number), *at};
	}
	set_fill_mark_ends(batch, name, ends, n);
	free(ends);
}

static bool has_gateway(const struct plan_path *path, uint32_t flows)
{
	(void)flows;
	return path->gateway;
}

static bool has_limit(const struct plan_path *path, uint32_t flows)
{
	return path->flows == flows;
}

/* A set of the numbers that are so. */
static void put_numbers(struct batch *batch, const char *name, const struct plan *plan,
	bool (*is_so)(const struct plan_path *path, uint32_t flows), uint32_t flows)
{
	uint32_t *marks = calloc(plan->npaths + 1, sizeof(*marks));
	size_t n = 0;

	if (!marks) {
		batch_fail(batch, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < plan->npaths; i++) {
		if (is_so(&plan->paths[i], flows))
			marks[n++] = plan_number_bits(plan->server_mask, plan->paths[i].number);
	}
	set_add_marks(batch, name);
	set_fill_marks(batch, name, marks, n);
	free(marks);
}

static void put_limit(
	struct batch *batch, const struct plan *plan, const struct contents *view, uint32_t flows)
{
	char name[SET_NAME_SIZE];

	snprintf(name, sizeof(name), SET_PATH_LIMIT_OF "%u", flows);
	put_numbers(batch, name, plan, has_limit, flows);
	for (size_t way = 0; way < WAYS; way++) {
		name_count(name, flows, way);
		if (!contents_has(view, CONTENTS_SET, name))
			set_add_count(batch, name, way == 0,
				way == 0   ? ADDR_NONE
				: way == 1 ? ADDR_IP4
					   : ADDR_IP6);
	}
}

/* Hosts that are there stay: flows that began under another plan go on, and go there. */
static void put_hosts(struct batch *batch, const struct plan *plan, const struct contents *view)
{
	if (!contents_has(view, CONTENTS_SET, SET_PATH_IP4))
		set_add_ends(batch, SET_PATH_IP4, ADDR_IP4);
	if (!contents_has(view, CONTENTS_SET, SET_PATH_IP6))
		set_add_ends(batch, SET_PATH_IP6, ADDR_IP6);
	set_fill_ends(batch, SET_PATH_IP4, ADDR_IP4, plan->path_hosts, plan->npath_hosts);
	set_fill_ends(batch, SET_PATH_IP6, ADDR_IP6, plan->path_hosts, plan->npath_hosts);
}

void path_set_put(struct batch *batch, const struct plan *plan, const struct contents *view)
{
	put_hosts(batch, plan, view);
	if (plan->mode != PLAN_RUNNING)
		return;
	set_add_mark_ends(batch, SET_PATH_SERVER_IP4, ADDR_IP4);
	fill_servers(batch, SET_PATH_SERVER_IP4, ADDR_IP4, plan);
	set_add_mark_ends(batch, SET_PATH_SERVER_IP6, ADDR_IP6);
	fill_servers(batch, SET_PATH_SERVER_IP6, ADDR_IP6, plan);
	put_numbers(batch, SET_PATH_GATEWAY, plan, has_gateway, 0);
	set_add_interfaces(batch, SET_PATH_SAME);
	set_add_rate(batch, SET_PATH_END_IP4);
	set_add_rate(batch, SET_PATH_END_IP6);
	for (size_t i = 0; i < plan->npaths; i++) {
		if (plan_is_new_limit(plan, i))
			put_limit(batch, plan, view, plan->paths[i].flows);
	}
}

static bool has_owners(const struct table *table, const struct plan *plan)
{
	if (!table->has_paths || table->server_mask != plan->server_mask)
		return false;
	for (size_t i = 0; i < table->npaths; i++) {
		const struct plan_path *before = &table->paths[i];
		const struct plan_path *path = plan_find_path(plan, before->number);
		if (!path || path->flows != before->flows || path->gateway != before->gateway ||
			strcmp(path->server, before->server) != 0)
			return false;
	}
	return true;
}

bool path_set_forget(struct batch *batch, const struct table *table, const struct plan *plan,
	const struct contents *view)
{
	if (plan->mode != PLAN_RUNNING || !plan_has_paths(plan) || has_owners(table, plan))
		return false;
	for (size_t i = 0; i < SET_CLIENTS; i++) {
		const char *name = set_clients[i].name;
		if (set_clients[i].mark == MARK_KERNEL && contents_has(view, CONTENTS_SET, name))
			set_empty(batch, name);
	}
	return true;
}

void path_set_keep(struct table *table, const struct plan *plan)
{
	bool has_paths = plan->mode == PLAN_RUNNING && plan_has_paths(plan);
	size_t npaths = has_paths ? plan->npaths : 0;
	struct plan_path *paths = calloc(npaths + 1, sizeof(*paths));

	free(table->paths);
	table->paths = paths;
	table->has_paths = paths && has_paths;
	table->npaths = paths ? npaths : 0;
	table->server_mask = plan->server_mask;
	table->highest_number = table->has_paths ? plan_highest_number(plan) : 0;
	if (paths && npaths)
		memcpy(paths, plan->paths, npaths * sizeof(*paths));
}

/* ---- leading elsewhere ---- */

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

/* What of the family leads elsewhere than the table has it. */
static void put_changes(struct batch *batch, const struct table *table, const struct plan *plan,
	enum addr_family family)
{
	bool ip4 = family == ADDR_IP4;
	const char *servers = ip4 ? SET_PATH_SERVER_IP4 : SET_PATH_SERVER_IP6;
	uint32_t *gone = calloc(plan->npaths + 1, sizeof(*gone));
	struct set_mark_end *come = calloc(plan->npaths + 1, sizeof(*come));
	struct endpoint *hosts = calloc(plan->npaths + 1, sizeof(*hosts));
	size_t ngone = 0, ncome = 0;

	for (size_t i = 0; gone && come && hosts && i < plan->npaths; i++) {
		const struct plan_path *old = &table->paths[i], *path = &plan->paths[i];
		const struct endpoint *from = ip4 ? &old->at4 : &old->at6;
		const struct endpoint *to = ip4 ? &path->at4 : &path->at6;
		uint32_t bits = plan_number_bits(plan->server_mask, path->number);
		if (is_same(from, to))
			continue;
		if (from->addr.family != ADDR_NONE)
			gone[ngone++] = bits;
		if (to->addr.family == ADDR_NONE)
			continue;
		hosts[ncome] = *to;
		come[ncome++] = (struct set_mark_end){bits, *to};
	}
	if (!gone || !come || !hosts)
		batch_fail(batch, -ENOMEM);
	set_fill_ends(batch, ip4 ? SET_PATH_IP4 : SET_PATH_IP6, family, hosts, ncome);
	set_del_marks(batch, servers, gone, ngone);
	set_fill_mark_ends(batch, servers, come, ncome);
	free(gone);
	free(come);
	free(hosts);
}

/* The kernel changes all of it between two packets. */
int table_change_paths(struct table *table, const struct plan *plan)
{
	struct batch batch;

	if (!table->has_paths || plan->npaths != table->npaths)
		return -ENOENT;
	for (size_t i = 0; i < plan->npaths; i++) {
		if (plan->paths[i].number != table->paths[i].number)
			return -ENOENT;
	}
	batch_init(&batch);
	put_changes(&batch, table, plan, ADDR_IP4);
	put_changes(&batch, table, plan, ADDR_IP6);
	int status = batch_send(&batch, &table->nl);
	batch_fini(&batch);
	if (status == 0)
		path_set_keep(table, plan);
	return status;
}
