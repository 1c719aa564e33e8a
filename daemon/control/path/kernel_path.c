/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/kernel_path.h"

#include "daemon/control/clock.h"
#include "daemon/control/path/asking.h"
#include "daemon/control/path/closing.h"
#include "daemon/control/path/looking.h"
#include "daemon/control/path/reading.h"
#include "daemon/control/path/whole.h"
#include "daemon/control/peers/flow_reports.h"
#include "lib/base/copy.h"
#include "lib/policy/block.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct flow_carrier_face carrier_face;

struct kernel_path *kernel_path_new(struct control *control, const struct kernel_path_face *face)
{
	struct kernel_path *path = calloc(1, sizeof(*path));

	if (!path)
		return NULL;
	path->carrier.face = &carrier_face;
	path->face = face;
	path->control = control;
	path->log_fd = -1;
	reading_init(path);
	asking_init(path);
	whole_init(path);
	path->flows = kernel_flows_new(KERNEL_FLOWS_MAX);
	if (path->flows)
		return path;
	free(path);
	return NULL;
}

/* What of them goes on in the kernel nobody follows any more. */
static void end_all(struct kernel_path *path)
{
	struct hash_walk walk = {0};

	for (struct kernel_flow *flow; (flow = kernel_flows_step(path->flows, &walk));)
		closing_end(path, flow,
			flow->state == KERNEL_FLOW_LIVE ? ENDING_DRAIN_OVER : flow->ending);
}

void kernel_path_close(struct kernel_path *path)
{
	const struct control *control = path->control;

	if (path->closed)
		return;
	path->closed = true;
	if (path->log_fd >= 0)
		close(path->log_fd);
	path->log_fd = -1;
	reading_close(path);
	asking_close(path);
	whole_close(path);
	if (control->stopping && !control->handing_over && control->audit)
		end_all(path);
}

void kernel_path_free(struct kernel_path *path)
{
	if (!path)
		return;
	kernel_path_close(path);
	kernel_flows_free(path->flows);
	free(path);
}

void kernel_path_begin(struct kernel_path *path)
{
	if (path->log_fd < 0 || !path->control->ready || !path->control->links_done)
		return;
	reading_watch(path, path->log_fd);
	path->log_fd = -1;
	/* what began before this control, or while nobody had the log */
	looking_whole(path, 0);
}

void kernel_path_take_log(struct kernel_path *path, int fd)
{
	if (path->log_fd >= 0)
		close(path->log_fd);
	path->log_fd = fd;
	kernel_path_begin(path);
}

/* ---- orders ---- */

static bool is_meant(const struct kernel_flow *flow, const struct ipc_kill *order)
{
	const struct policy *policy = flow->policy;
	const char *server = flow->server < 0 ? "" : policy->servers[flow->server].name.text;
	const char *zone = flow->zone < 0 ? "" : policy->zones[flow->zone].name.text;

	return (!order->flow || order->flow == flow->id) &&
	       (!order->session || order->session == flow->session) &&
	       (!order->user[0] || policy_user_is(order->user, flow->source, flow->user)) &&
	       (!order->server[0] || strcmp(order->server, server) == 0) &&
	       (!order->zone[0] || strcmp(order->zone, zone) == 0) && !order->listener[0];
}

static void cut(struct kernel_path *path, struct kernel_flow *flow, enum ending ending)
{
	if (kernel_flows_cut(path->flows, flow, ending))
		looking_at(path, flow, 0);
}

/* Next to nobody has more than a few: his are found by his session. */
static void kill_session(struct kernel_path *path, const struct ipc_kill *order)
{
	struct kernel_flow *flow = NULL;

	while ((flow = kernel_flows_of_session(path->flows, order->session, flow)))
		if (is_meant(flow, order))
			cut(path, flow, (enum ending)order->ending);
}

static void kill_flows(struct flow_carrier *carrier, const struct ipc_kill *order)
{
	struct kernel_path *path = (struct kernel_path *)carrier;
	struct hash_walk walk = {0};

	if (order->session) {
		kill_session(path, order);
		return;
	}
	for (struct kernel_flow *flow; (flow = kernel_flows_step(path->flows, &walk));)
		if (is_meant(flow, order))
			cut(path, flow, (enum ending)order->ending);
}

/* ---- flows that were met late, and of whose client nothing but the address is known ---- */

struct owner_search {
	const struct session *ended;
	const struct addr *addr;
	int len;      /* of the ended one's prefix */
	bool another; /* has the address in a narrower one */
};

static int find_narrower(void *context, struct session *session)
{
	struct owner_search *search = context;

	for (size_t i = 0; session->id != search->ended->id && i < session->naddresses; i++) {
		const struct prefix *prefix = &session->addresses[i].prefix;
		search->another |=
			prefix->len > search->len && prefix_contains(prefix, search->addr);
	}
	return search->another;
}

static void cut_unknown(struct kernel_path *path, struct kernel_flow *flow,
	const struct session *session, const struct prefix *prefix, enum ending ending)
{
	const struct addr *addr = &flow->tuple.client.addr;
	struct owner_search search = {.ended = session, .addr = addr, .len = prefix->len};

	if (!flow->late || flow->session || flow->zone >= 0 || !prefix_contains(prefix, addr))
		return;
	ptrdiff_t zone = policy_find_zone(flow->policy, session->zone.text);
	if (zone >= 0 &&
		!policy_zone_has_port(&flow->policy->zones[zone], flow->tuple.original.port))
		return;
	session_table_each_address(path->control->table, addr, find_narrower, &search);
	if (!search.another)
		cut(path, flow, ending);
}

static void kill_unknown(
	struct flow_carrier *carrier, const struct session *session, enum ending ending)
{
	struct kernel_path *path = (struct kernel_path *)carrier;

	for (size_t i = 0; i < session->naddresses; i++) {
		const struct prefix *prefix = &session->addresses[i].prefix;
		struct hash_walk walk = {0};
		struct kernel_flow *flow = NULL;
		if (prefix->len == addr_bits(&prefix->addr))
			while ((flow = kernel_flows_of_address(path->flows, &prefix->addr, flow)))
				cut_unknown(path, flow, session, prefix, ending);
		else
			while ((flow = kernel_flows_step(path->flows, &walk)))
				cut_unknown(path, flow, session, prefix, ending);
	}
}

/* Of whom nothing but the address is known: may it be a client of that zone? */
static bool may_be_of(const struct policy_zone *zone, const struct kernel_flow *flow)
{
	bool within = zone->networks.n == 0;

	for (size_t i = 0; i < zone->networks.n; i++)
		within = within || prefix_contains(&zone->networks.v[i], &flow->tuple.client.addr);
	return within && policy_zone_has_port(zone, flow->tuple.original.port);
}

/* In any zone that it may be of: whoever is cut in another's place may connect again. */
static bool is_unknown_blocked(
	const struct control *control, const struct kernel_flow *flow, uint64_t now_ms)
{
	const struct policy *policy = control->policy;

	for (size_t i = 0; i < policy->nzones; i++)
		if (may_be_of(&policy->zones[i], flow) &&
			blocks_match(control->blocks, policy->zones[i].name.text, NULL,
				flow->source, NULL, &flow->tuple.client.addr, now_ms))
			return true;
	return false;
}

static bool is_blocked(
	const struct control *control, const struct kernel_flow *flow, uint64_t now_ms)
{
	if (flow->zone < 0)
		return is_unknown_blocked(control, flow, now_ms);
	return blocks_match(control->blocks, flow->policy->zones[flow->zone].name.text,
		*flow->user ? flow->user : NULL, flow->source, &flow->mac, &flow->tuple.client.addr,
		now_ms);
}

static void kill_blocked(struct flow_carrier *carrier)
{
	struct kernel_path *path = (struct kernel_path *)carrier;
	const struct control *control = path->control;
	uint64_t now_ms = clock_now_ms(control);
	struct hash_walk walk = {0};

	for (struct kernel_flow *flow; (flow = kernel_flows_step(path->flows, &walk));)
		if (is_blocked(control, flow, now_ms))
			cut(path, flow, ENDING_KILLED_BLOCK);
}

/* ---- rows ---- */

struct gathering {
	struct whole_wait wait; /* first */
	struct kernel_path *path;
	struct flow_gather *flows;
};

static void tell_rows(struct whole_wait *wait)
{
	struct gathering *gathering = (struct gathering *)wait;
	struct kernel_path *path = gathering->path;
	struct hash_walk walk = {0};
	struct ipc_flow row;

	for (struct kernel_flow *flow; (flow = kernel_flows_step(path->flows, &walk));) {
		closing_fill(flow, &row);
		gathering->flows->on_flow(gathering->flows, &row);
	}
	gather_end(&gathering->flows->gather, 0, NULL);
	free(gathering);
}

static void tell_loads(struct kernel_path *path, struct flow_gather *flows)
{
	struct hash_walk walk = {0};
	struct ipc_load load;

	for (struct kernel_flow *flow; (flow = kernel_flows_step(path->flows, &walk));) {
		if (!flow->known || flow->server < 0)
			continue;
		ipc_init(&load, IPC_LOAD, sizeof(load));
		load.host = flow->last.answerer;
		load.flows = 1;
		copy_text(load.server, sizeof(load.server),
			flow->policy->servers[flow->server].name.text);
		flows->on_load(flows, &load);
	}
}

static void gather_flows(struct flow_carrier *carrier, struct flow_gather *flows)
{
	struct kernel_path *path = (struct kernel_path *)carrier;

	if (path->closed || !kernel_flows_count(path->flows))
		return;
	if (flows->on_load) {
		tell_loads(path, flows);
		return;
	}
	struct gathering *gathering = calloc(1, sizeof(*gathering));
	if (!gathering)
		return;
	*gathering = (struct gathering){.wait.done = tell_rows, .path = path, .flows = flows};
	gather_add(&flows->gather);
	whole_wait(path, &gathering->wait);
}

static const struct flow_carrier_face carrier_face = {.kill = kill_flows,
	.kill_unknown = kill_unknown,
	.kill_blocked = kill_blocked,
	.gather = gather_flows};
