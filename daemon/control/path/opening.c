/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/path/opening.h"

#include "daemon/base/log.h"
#include "daemon/control/audit/flow_events.h"
#include "daemon/control/clock.h"
#include "daemon/control/decision_world.h"
#include "daemon/control/kernel/link.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/path/closing.h"
#include "daemon/control/path/looking.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/session/live_flows.h"
#include "daemon/control/store/flow_ids.h"
#include "kernel-rules/plan.h"
#include "lib/base/copy.h"
#include "lib/base/vector.h"

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_LOOK_MS  1000
#define RANDOM_ID_BITS 60
#define NO_RELAY       UINT32_MAX

static uint64_t take_id(struct kernel_path *path)
{
	struct control *control = path->control;
	uint64_t id = 0;

	if ((path->next_id == 0 || path->next_id > path->last_id) &&
		!flow_ids_take(control->flow_ids, &path->next_id, &path->last_id))
		path->next_id = 0;
	if (path->next_id)
		return path->next_id++;
	while (id == 0) {
		if (getrandom(&id, sizeof(id), 0) < 0)
			id = loop_wall_ms(control->loop) << 16 |
			     (control->counters[COUNTER_FLOWS_LIVE] & 0xffff);
		id >>= 64 - RANDOM_ID_BITS;
	}
	return id;
}

static const char *name_of(const struct control *control, uint32_t ifindex)
{
	for (size_t i = 0; i < control->nlinks; i++)
		if (control->links[i].ifindex == ifindex)
			return control->links[i].name;
	return "";
}

/* A flow that goes on though nobody would let it begin now: its client was let go, or the policy is
 * another, between its first packet and the word of it. ENDING_NONE: it may go on. */
static enum ending end_at_once(
	const struct control *control, ptrdiff_t zone, const struct decision *decision)
{
	if (decision->verdict == POLICY_VERDICT_REDIRECT &&
		decision->reason != DECIDE_NEEDS_ENVELOPE)
		return ENDING_NONE;
	if (decision->reason == DECIDE_BLOCKED)
		return ENDING_KILLED_BLOCK;
	if (decision->reason != DECIDE_UNAUTHENTICATED)
		return ENDING_KILLED_POLICY;
	return control->policy->zones[zone].logout_keeps ? ENDING_NONE : ENDING_KILLED_LOGOUT;
}

static void fill(struct control *control, struct kernel_flow *flow,
	const struct decide_origin *origin, ptrdiff_t zone, const struct decision *decision)
{
	const struct session *session = decision->session;

	flow->start_ms = loop_wall_ms(control->loop);
	flow->policy = policy_ref(control->policy);
	flow->zone = zone;
	flow->mac = origin->mac;
	flow->source = POLICY_SOURCE_SESSION;
	if (decision->verdict == POLICY_VERDICT_REDIRECT) {
		flow->rule = decision->rule;
		flow->server = decision->server;
	}
	if (!session)
		return;
	copy_text(flow->user, sizeof(flow->user), session->user.text);
	if (session->kind == SESSION_DEVICE)
		flow->source = POLICY_SOURCE_DEVICE;
}

static void tell_begin(struct kernel_path *path, const struct kernel_flow *flow)
{
	struct control *control = path->control;
	struct ipc_start start = {
		.flow = flow->id, .session = flow->session, .at_ms = flow->start_ms};

	if (flow->rule >= 0)
		copy_text(
			start.rule, sizeof(start.rule), flow->policy->rules[flow->rule].name.text);
	live_flows_add(control->live_flows, NO_RELAY, flow->id, flow->session, flow->start_ms,
		start.rule, "", !flow->late);
	path->face->on_opened(control, flow->session, flow->late ? "" : flow->ifname);
	control->counters[COUNTER_FLOWS_LIVE] = kernel_flows_count(path->flows);
	if (flow->late)
		return;
	control->counters[counter_of_verdict(POLICY_VERDICT_REDIRECT)]++;
	flow_events_on_begin(control, &start);
}

/* Where that is not whom the decision leads to, an earlier policy let it begin: by none of the
 * rules of now, and perhaps to a server that is none of theirs. */
static void put_server(struct kernel_flow *flow, ptrdiff_t server)
{
	if (server == flow->server)
		return;
	flow->server = server;
	flow->rule = -1;
}

/* Whose number its connection has. */
static void find_server(const struct control *control, struct kernel_flow *flow, uint32_t mark)
{
	uint16_t number = plan_number_of(control->start.options.server_mask, mark);
	const char *name = number ? paths_server_of(control->paths, number) : NULL;
	ptrdiff_t server = name ? policy_find_server(flow->policy, name) : -1;

	if (name)
		put_server(flow, server);
}

/* *pending: it may have it, too. */
static bool has_host(
	const struct control *control, size_t server, const struct endpoint *host, bool *pending)
{
	const struct ipc_targets *targets = health_peer_targets(control->health, server);

	for (uint32_t i = 0; targets && i < targets->n; i++) {
		const struct ipc_target *target = &targets->v[i];
		for (unsigned j = 0; target->port == host->port && j < ipc_target_addresses(target);
			j++)
			if (addr_equal(&target->addresses[j], &host->addr))
				return true;
		if (target->pending)
			*pending = true;
	}
	return false;
}

/* Of a flow that was met late: a control before gave the number of its connection, and this one may
 * have given it to another server. So it counts where its path leads to whom the flow is with, and
 * else who that is. */
static void find_server_late(const struct control *control, struct kernel_flow *flow)
{
	const struct conntrack_one *one = &flow->last;
	const struct policy *policy = control->policy;
	uint16_t number = plan_number_of(control->start.options.server_mask, one->mark);
	bool pending = false;

	if (paths_lead_to(control->paths, number, &one->answerer)) {
		find_server(control, flow, one->mark);
		return;
	}
	/* the rule's own, if it has that host, before another that has it too */
	if (flow->server >= 0 && has_host(control, (size_t)flow->server, &one->answerer, &pending))
		return;
	for (size_t i = 0; i < policy->nservers; i++) {
		if (policy->servers[i].path != POLICY_PATH_KERNEL ||
			!has_host(control, i, &one->answerer, &pending))
			continue;
		put_server(flow, (ptrdiff_t)i);
		return;
	}
	/* a name that was not looked up yet may be that host's */
	if (!pending)
		put_server(flow, -1);
}

/* Whose it is, and that it is there. zone -1: not known. NULL: there is no room for it, and what
 * nobody follows does not go on; one of no zone may be another program's. */
static struct kernel_flow *add(struct kernel_path *path, const struct ipc_tuple *tuple,
	const struct decide_origin *origin, ptrdiff_t zone, struct decision *decision)
{
	struct control *control = path->control;
	struct decide_world world = decision_world(control);

	*decision = (struct decision){.rule = -1, .server = -1};
	if (zone >= 0)
		decide_connection(
			&world, origin, &tuple->original, clock_now_ms(control), decision);
	struct kernel_flow *flow = kernel_flows_add(
		path->flows, take_id(path), tuple, decision->session ? decision->session->id : 0);
	if (!flow) {
		control->counters[COUNTER_PATH_UNTRACKED]++;
		if (zone >= 0)
			looking_cut_unfollowed(path, tuple);
		return NULL;
	}
	fill(control, flow, origin, zone, decision);
	return flow;
}

/* Without memory for it, it may be met as a stranger, too. */
static void note_begun(struct kernel_path *path, const struct ipc_tuple *tuple)
{
	struct ipc_tuple *v = path->dumping ? vector_grow(path->begun, path->nbegun,
						      &path->begun_room, sizeof(*v))
					    : NULL;
	if (!v)
		return;
	path->begun = v;
	path->begun[path->nbegun++] = *tuple;
}

static void begin(struct kernel_path *path, const struct ipc_tuple *tuple,
	const struct kernel_flow_opening *opening)
{
	struct control *control = path->control;
	const char *ifname = name_of(control, opening->ifindex);
	ptrdiff_t zone = policy_find_zone_of(control->policy, ifname, &tuple->client.addr);
	struct decide_origin origin = {.zone = zone < 0 ? 0 : (size_t)zone,
		.mac = opening->mac,
		.source = tuple->client.addr};
	struct decision decision;

	note_begun(path, tuple);
	struct kernel_flow *flow = add(path, tuple, &origin, zone, &decision);
	if (!flow)
		return;
	find_server(control, flow, opening->mark);
	copy_text(flow->ifname, sizeof(flow->ifname), ifname);
	tell_begin(path, flow);
	enum ending ending =
		zone < 0 ? ENDING_KILLED_POLICY : end_at_once(control, zone, &decision);
	if (ending != ENDING_NONE)
		kernel_flows_cut(path->flows, flow, ending);
	looking_at(path, flow, FIRST_LOOK_MS);
}

/* What was there by these ends is over when it has begun to end; or it has not, and then the kernel
 * says whether it is the same: anybody may send a first packet once more, in another's name. */
void opening_take(struct kernel_path *path, const struct ipc_tuple *tuple,
	const struct kernel_flow_opening *opening)
{
	struct kernel_flow *flow = kernel_flows_find_tuple(path->flows, tuple);

	if (flow && flow->state == KERNEL_FLOW_CLOSING) {
		closing_end(path, flow, closing_ending(flow, true));
		flow = NULL;
	}
	if (!flow) {
		begin(path, tuple, opening);
		return;
	}
	if (flow->state != KERNEL_FLOW_LIVE || !flow->known ||
		flow->last.state < TCP_CONNTRACK_ESTABLISHED)
		return;
	flow->opened_again = true;
	flow->again = *opening;
	looking_at(path, flow, 0);
}

/* In a zone that knows its clients by address, whatever interface they come by. */
static ptrdiff_t find_zone_of_address(const struct policy *policy, const struct addr *addr)
{
	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *zone = &policy->zones[i];
		for (size_t j = 0;
			zone->identity == POLICY_IDENTITY_ADDRESS && j < zone->networks.n; j++)
			if (prefix_contains(&zone->networks.v[j], addr))
				return (ptrdiff_t)i;
	}
	return -1;
}

void opening_late(struct kernel_path *path, const struct conntrack_one *one, const char *ifname,
	const struct mac *mac)
{
	struct control *control = path->control;
	const struct ipc_tuple tuple = {.client = one->source, .original = one->destination};
	ptrdiff_t zone = policy_find_zone_of(control->policy, ifname, &tuple.client.addr);
	if (!*ifname)
		zone = find_zone_of_address(control->policy, &tuple.client.addr);
	struct decide_origin origin = {
		.zone = zone < 0 ? 0 : (size_t)zone, .mac = *mac, .source = tuple.client.addr};
	struct decision decision;

	if (kernel_flows_find_tuple(path->flows, &tuple))
		return;
	/* no path begins there: another program's connection, whose mark is like ours */
	if (zone >= 0 && !policy_zone_has_port(&control->policy->zones[zone], tuple.original.port))
		return;
	struct kernel_flow *flow = add(path, &tuple, &origin, zone, &decision);
	if (!flow)
		return;
	flow->late = true;
	copy_text(flow->ifname, sizeof(flow->ifname), ifname);
	closing_told(path, flow, one);
	find_server_late(control, flow);
	tell_begin(path, flow);
	/* who is not known is not taken for who may not */
	enum ending ending = zone < 0 ? ENDING_NONE : end_at_once(control, zone, &decision);
	if (ending != ENDING_NONE)
		kernel_flows_cut(path->flows, flow, ending);
	/* it may have ended since it was met */
	looking_at(path, flow, FIRST_LOOK_MS);
}
