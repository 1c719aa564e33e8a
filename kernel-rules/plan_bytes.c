/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan as bytes, from control to the keeper. Same machine, same build: host byte order. */
#include "kernel-rules/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x504c4e35 /* PLN5 */

struct writer {
	uint8_t *bytes;
	size_t len, room;
	bool failed;
};

static void put(struct writer *w, const void *from, size_t len)
{
	if (w->failed)
		return;
	if (w->len + len > w->room) {
		size_t room = (w->room + len) * 2;
		uint8_t *bytes = room > 2 * PLAN_BYTES_MAX ? NULL : realloc(w->bytes, room);
		if (!bytes) {
			w->failed = true;
			return;
		}
		w->bytes = bytes;
		w->room = room;
	}
	if (len)
		memcpy(w->bytes + w->len, from, len);
	w->len += len;
}

static void put_u32(struct writer *w, uint32_t value)
{
	put(w, &value, sizeof(value));
}

static void put_endpoint(struct writer *w, const struct endpoint *at)
{
	put(w, at->addr.bytes, 16);
	put(w, &at->addr.family, 1);
	put(w, &at->port, sizeof(at->port));
}

static void put_paths(struct writer *w, const struct plan *plan)
{
	put_u32(w, plan->kernel_path);
	put_u32(w, (uint32_t)plan->npath_hosts);
	for (size_t i = 0; i < plan->npath_hosts; i++)
		put_endpoint(w, &plan->path_hosts[i]);
	put_u32(w, (uint32_t)plan->npaths);
	for (size_t i = 0; i < plan->npaths; i++) {
		const struct plan_path *path = &plan->paths[i];
		put_u32(w, path->number);
		put_u32(w, path->gateway);
		put_u32(w, path->flows);
		put(w, path->server, sizeof(path->server));
		put_endpoint(w, &path->at4);
		put_endpoint(w, &path->at6);
	}
}

int plan_encode(const struct plan *plan, uint8_t **bytes, size_t *len)
{
	struct writer w = {0};
	int status = plan_check(plan);
	if (status)
		return status;
	put_u32(&w, MAGIC);
	put_u32(&w, plan->mode);
	put_u32(&w, plan->mark_mask);
	put_u32(&w, plan->server_mask);
	put_u32(&w, plan->relay_port);
	put_u32(&w, plan->queue);
	put_u32(&w, plan->route_table);
	put_u32(&w, plan->rule_priority);
	put_u32(&w, plan->route_protocol);
	put_u32(&w, plan->client_max);
	put_u32(&w, (uint32_t)plan->nzones);
	for (size_t i = 0; i < plan->nzones; i++) {
		const struct plan_zone *zone = &plan->zones[i];
		put(&w, zone->name, sizeof(zone->name));
		put_u32(&w, zone->open);
		put_u32(&w, zone->has_mac);
		put_u32(&w, (uint32_t)zone->ninterfaces);
		put_u32(&w, (uint32_t)zone->nnetworks);
		put_u32(&w, (uint32_t)zone->nports);
		put(&w, zone->interfaces, zone->ninterfaces * sizeof(*zone->interfaces));
		for (size_t n = 0; n < zone->nnetworks; n++) {
			put(&w, zone->networks[n].addr.bytes, 16);
			put(&w, &zone->networks[n].addr.family, 1);
			put(&w, &zone->networks[n].len, 1);
		}
		put(&w, zone->ports, zone->nports * sizeof(*zone->ports));
	}
	put_u32(&w, plan->bind_client);
	put_u32(&w, (uint32_t)plan->nhosts);
	for (size_t i = 0; i < plan->nhosts; i++)
		put_endpoint(&w, &plan->hosts[i]);
	put_u32(&w, plan->user);
	put_u32(&w, (uint32_t)plan->nlogins);
	for (size_t i = 0; i < plan->nlogins; i++)
		put_endpoint(&w, &plan->logins[i]);
	put_u32(&w, (uint32_t)plan->nendpoints);
	for (size_t i = 0; i < plan->nendpoints; i++) {
		const struct plan_endpoint *endpoint = &plan->endpoints[i];
		put(&w, endpoint->listener, sizeof(endpoint->listener));
		put_endpoint(&w, &endpoint->at);
		put_u32(&w, endpoint->taker);
	}
	put_paths(&w, plan);
	if (w.failed || w.len > PLAN_BYTES_MAX) {
		free(w.bytes);
		return w.failed ? -ENOMEM : -EINVAL;
	}
	*bytes = w.bytes;
	*len = w.len;
	return 0;
}

struct reader {
	const uint8_t *bytes;
	size_t left;
	bool failed;
};

static void get(struct reader *r, void *to, size_t len)
{
	if (r->failed || r->left < len) {
		r->failed = true;
		memset(to, 0, len);
		return;
	}
	if (len)
		memcpy(to, r->bytes, len);
	r->bytes += len;
	r->left -= len;
}

/* A value that is at most max. */
static uint32_t get_u32(struct reader *r, uint32_t max)
{
	uint32_t value;
	get(r, &value, sizeof(value));
	if (value > max) {
		r->failed = true;
		return 0;
	}
	return value;
}

static int get_zone(struct reader *r, struct plan *plan)
{
	char name[POLICY_NAME_SIZE];

	get(r, name, sizeof(name));
	bool open = get_u32(r, 1), has_mac = get_u32(r, 1);
	size_t ninterfaces = get_u32(r, PLAN_INTERFACES_MAX);
	size_t nnetworks = get_u32(r, PLAN_NETWORKS_MAX);
	size_t nports = get_u32(r, PLAN_PORTS_MAX);
	if (r->failed || name[sizeof(name) - 1])
		return -EBADMSG;

	struct plan_zone *zone = plan_add_zone(plan, name, ninterfaces, nnetworks, nports);
	if (!zone)
		return -ENOMEM;
	zone->open = open;
	zone->has_mac = has_mac;
	get(r, zone->interfaces, ninterfaces * sizeof(*zone->interfaces));
	for (size_t n = 0; n < nnetworks; n++) {
		get(r, zone->networks[n].addr.bytes, 16);
		get(r, &zone->networks[n].addr.family, 1);
		get(r, &zone->networks[n].len, 1);
	}
	get(r, zone->ports, nports * sizeof(*zone->ports));
	return r->failed ? -EBADMSG : 0;
}

static void get_endpoint(struct reader *r, struct endpoint *at)
{
	*at = (struct endpoint){0};
	get(r, at->addr.bytes, 16);
	get(r, &at->addr.family, 1);
	get(r, &at->port, sizeof(at->port));
}

static int get_listener_endpoint(struct reader *r, struct plan *plan)
{
	char listener[POLICY_NAME_SIZE];
	struct endpoint at;

	get(r, listener, sizeof(listener));
	get_endpoint(r, &at);
	enum policy_taker taker = (enum policy_taker)get_u32(r, POLICY_TAKERS - 1);
	if (r->failed || listener[sizeof(listener) - 1])
		return -EBADMSG;
	return plan_add_endpoint(plan, listener, &at, taker);
}

/* plan_encode() writes none twice. */
static int get_host(struct reader *r, struct plan *plan, const size_t *count,
	int (*add)(struct plan *plan, const struct endpoint *host))
{
	struct endpoint host = {0};
	size_t before = *count;

	get_endpoint(r, &host);
	if (r->failed)
		return -EBADMSG;
	int status = add(plan, &host);
	return status ? status : *count == before ? -EBADMSG : 0;
}

/* Where it leads stands among the hosts already. */
static int get_path(struct reader *r, struct plan *plan)
{
	struct plan_path path = {.number = (uint16_t)get_u32(r, UINT16_MAX)};
	size_t before = plan->npath_hosts;

	path.gateway = get_u32(r, 1);
	path.flows = get_u32(r, UINT32_MAX);
	get(r, path.server, sizeof(path.server));
	get_endpoint(r, &path.at4);
	get_endpoint(r, &path.at6);
	if (r->failed)
		return -EBADMSG;
	int status = plan_add_path(plan, &path);
	return status == -EEXIST || plan->npath_hosts != before ? -EBADMSG : status;
}

static int get_paths(struct reader *r, struct plan *plan)
{
	int status = 0;

	plan->kernel_path = get_u32(r, 1);
	uint32_t nhosts = get_u32(r, PLAN_PATH_HOSTS_MAX);
	for (uint32_t i = 0; status == 0 && !r->failed && i < nhosts; i++)
		status = get_host(r, plan, &plan->npath_hosts, plan_add_path_host);
	uint32_t npaths = get_u32(r, PLAN_PATHS_MAX);
	for (uint32_t i = 0; status == 0 && !r->failed && i < npaths; i++)
		status = get_path(r, plan);
	return status;
}

int plan_decode(const uint8_t *bytes, size_t len, struct plan *plan)
{
	struct reader r = {.bytes = bytes, .left = len};
	int status = 0;

	*plan = (struct plan){0};
	if (len > PLAN_BYTES_MAX || get_u32(&r, UINT32_MAX) != MAGIC)
		return -EBADMSG;
	plan->mode = get_u32(&r, PLAN_BARE);
	plan->mark_mask = get_u32(&r, UINT32_MAX);
	plan->server_mask = get_u32(&r, UINT32_MAX);
	plan->relay_port = (uint16_t)get_u32(&r, UINT16_MAX);
	plan->queue = (uint16_t)get_u32(&r, UINT16_MAX);
	plan->route_table = get_u32(&r, UINT32_MAX);
	plan->rule_priority = get_u32(&r, UINT32_MAX);
	plan->route_protocol = get_u32(&r, UINT32_MAX);
	plan->client_max = get_u32(&r, UINT32_MAX);
	uint32_t nzones = get_u32(&r, PLAN_ZONES_MAX);
	for (uint32_t i = 0; status == 0 && !r.failed && i < nzones; i++)
		status = get_zone(&r, plan);
	plan->bind_client = get_u32(&r, 1);
	uint32_t nhosts = get_u32(&r, PLAN_HOSTS_MAX);
	for (uint32_t i = 0; status == 0 && !r.failed && i < nhosts; i++)
		status = get_host(&r, plan, &plan->nhosts, plan_add_host);
	plan->user = get_u32(&r, UINT32_MAX);
	uint32_t nlogins = get_u32(&r, PLAN_LOGINS_MAX);
	for (uint32_t i = 0; status == 0 && !r.failed && i < nlogins; i++)
		status = get_host(&r, plan, &plan->nlogins, plan_add_login);
	uint32_t nendpoints = get_u32(&r, PLAN_ENDPOINTS_MAX);
	for (uint32_t i = 0; status == 0 && !r.failed && i < nendpoints; i++)
		status = get_listener_endpoint(&r, plan);
	if (status == 0 && !r.failed)
		status = get_paths(&r, plan);
	if (status == 0 && (r.failed || r.left || plan_check(plan)))
		status = -EBADMSG;
	if (status)
		plan_fini(plan);
	return status;
}
