/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/way.h"

#include "daemon/flow/attempts.h"
#include "daemon/flow/charge.h"
#include "daemon/flow/choose.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static int attach_limit(struct way_host *process, int fd)
{
	size_t bytes;
	void *memory = process_map(fd, PROT_READ | PROT_WRITE, &bytes);

	return memory ? limit_attach(&process->limit, memory, bytes) : -errno;
}

int way_host_init(struct way_host *process, struct child *child, const struct replica *replica,
	uint32_t flows)
{
	int rc;

	process->child = child;
	process->loop = child->loop;
	process->replica = replica;
	process->column = child->start->number;
	if ((rc = pool_init(&process->attempts, sizeof(struct attempts), flows)) < 0 ||
		(rc = record_init(&process->records, child)) < 0)
		return rc;
	return attach_limit(process, child->start->limit_fd);
}

void way_host_fini(struct way_host *process)
{
	record_fini(&process->records);
	stock_fini(&process->stock);
	link_table_fini(&process->links);
	pool_fini(&process->attempts);
}

void way_init(struct way *way, struct way_host *process)
{
	way_init_under(way, process, way_host_picture(process)->policy);
}

void way_init_under(struct way *way, struct way_host *process, struct policy *policy)
{
	memset(way, 0, sizeof(*way));
	way->process = process;
	way->zone = way->listener = way->server = way->rule = -1;
	way->policy = policy_ref(policy);
	charge_init(way);
}

void way_fini(struct way *way)
{
	charge_drop(way);
	choose_end(way);
	attempts_drop(way);
	policy_unref(way->policy);
	way->policy = NULL;
}

bool way_is_host(void *context, size_t server, const struct addr *addr)
{
	const struct way *way = context;
	const struct replica_server *list =
		replica_targets_of(&way->process->replica->targets, way->policy, (int32_t)server);

	return list && replica_targets_has(list, addr);
}

bool way_is_meant(const struct way *way, const struct ipc_kill *order)
{
	const struct policy_server *server = way_server(way);
	const char *name = way->to_original ? "original" : server ? server->name.text : "";
	const char *zone = way->zone < 0 ? "" : way->policy->zones[way->zone].name.text;
	const char *listener =
		way->listener < 0 ? "" : way->policy->listeners[way->listener].name.text;

	return (!order->flow || order->flow == way->id) &&
	       (!order->session || order->session == way->session) &&
	       (!order->user[0] || policy_user_is(order->user, way_user_source(way), way->user)) &&
	       (!order->server[0] || strcmp(order->server, name) == 0) &&
	       (!order->zone[0] || strcmp(order->zone, zone) == 0) &&
	       (!order->listener[0] || strcmp(order->listener, listener) == 0);
}
