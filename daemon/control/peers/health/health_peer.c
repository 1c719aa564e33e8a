/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/health/health_peer.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/health/host_tls.h"
#include "daemon/control/peers/health/target_words.h"
#include "daemon/control/peers/peer_policy.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/request/monitor.h"
#include "daemon/control/store/drained.h"
#include "daemon/process/replica_targets.h"
#include "lib/ipc/health.h"
#include "lib/language/language.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The targets are kept as those keep them who send flows there, by the same code: between an apply
 * and health's first word, too, all know the same. */
struct health_peer {
	struct peer peer; /* first */
	struct replica_targets targets;
	struct host_tls *tls;        /* at their addresses */
	struct ipc_client_side side; /* as last sent */
	const struct health_face *face;
	struct health_watch *watches; /* who waits for what it tells */
	struct ipc_targets *shown;    /* those last asked for; room for all */
};

/* Under the policy in force. */
static void follow_targets(struct health_peer *peer)
{
	const struct control *control = peer->peer.control;
	struct replica_targets *targets = &peer->targets;

	if (targets->policy == control->policy && targets->number == control->policy_number)
		return;
	if (replica_targets_set_policy(targets, control->policy, control->policy_number) < 0) {
		log_error("no memory for the hosts of the servers");
		return;
	}
	for (size_t i = 0; i < targets->policy->nservers; i++)
		drained_mark(control->drained, targets->policy->servers[i].name.text,
			targets->v[i]->v, targets->v[i]->n);
}

static struct replica_server *list_of(struct health_peer *peer, size_t server)
{
	follow_targets(peer);
	return replica_targets_of(&peer->targets, peer->peer.control->policy, (int32_t)server);
}

static void probe_now(struct health_peer *peer, const char *server)
{
	struct ipc_probe_now ipc;

	if (!peer->peer.channel)
		return;
	ipc_init(&ipc, IPC_PROBE_NOW, sizeof(ipc));
	snprintf(ipc.server, sizeof(ipc.server), "%s", server);
	health_peer_send(peer, &ipc);
}

/* What waited for the kernel to know its addresses. */
void health_peer_tell_bound(void *context)
{
	struct health_peer *peer = context;
	const struct policy *policy = peer->peer.control->policy;

	for (size_t i = 0; i < policy->nservers; i++) {
		const struct ipc_targets *ipc = policy->servers[i].bind == POLICY_BIND_CLIENT
							? health_peer_targets(peer, i)
							: NULL;
		if (!ipc)
			continue;
		flow_peers_send(peer->peer.control->flow_peers, ipc);
		/* a probe before went astray */
		probe_now(peer, policy->servers[i].name.text);
	}
}

static const struct peer_face peer_face;

struct health_peer *health_peer_new(struct control *control, const struct health_face *face)
{
	struct health_peer *peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer_init(&peer->peer, control, &peer_face, PROCESS_HEALTH, 0);
	peer->face = face;
	flow_peers_put(control->flow_peers, &peer->peer);
	return peer;
}

void health_peer_close(struct health_peer *peer)
{
	peer_hang_up(&peer->peer);
	while (peer->watches)
		peer->watches->on_given_up(peer->watches);
}

void health_peer_free(struct health_peer *peer)
{
	if (!peer)
		return;
	health_peer_close(peer);
	replica_targets_fini(&peer->targets);
	host_tls_free(&peer->tls);
	free(peer->shown);
	free(peer);
}

static const struct ipc_target *same_target(
	const struct replica_server *targets, const struct ipc_target *target)
{
	for (size_t i = 0; targets && i < targets->n; i++)
		if (targets->v[i].port == target->port &&
			dns_same_name(targets->v[i].name, target->name))
			return &targets->v[i];
	return NULL;
}

/* To the flows that may come. */
static bool same_states(const struct replica_server *old, const struct ipc_target *before,
	const struct ipc_targets *now, const struct ipc_target *target)
{
	struct ipc_target was[2], is[2];
	unsigned n = ipc_target_views(old->flows, before, was);

	if (n != ipc_target_views(now->flows, target, is) || was[0].state != is[0].state)
		return false;
	return n == 1 || was[1].state == is[1].state;
}

static void publish_changes(
	struct control *control, const struct replica_server *old, const struct ipc_targets *ipc)
{
	if (!monitor_wanted(control, MONITOR_SERVER))
		return;
	for (uint32_t i = 0; i < ipc->n; i++) {
		const struct ipc_target *target = &ipc->v[i];
		const struct ipc_target *before = same_target(old, target);
		if (before ? same_states(old, before, ipc, target)
			   : target->state == TARGET_UNKNOWN &&
					target->read.state == TARGET_UNKNOWN)
			continue;
		struct ipc_target views[2];
		ipc_target_views(ipc->flows, target, views);
		monitor_publish(control, MONITOR_SERVER,
			json_pack("{s:s, s:o, s:o, s:i, s:s, s:o, s:o}", "event", "host", "server",
				json_row_text(ipc->server), "host", json_row_text(target->name),
				"port", (int)target->port, "state",
				target_state_names[views[0].state], "why",
				json_row_text(views[0].text), "message_state",
				target_words_message_state(ipc, target)));
	}
}

/* Who checks passwords asks for names of hosts, too, and has servers to ask. */
static void send_to_auth(struct control *control, const void *ipc)
{
	peer_send(flow_peers_find(control->flow_peers, PROCESS_AUTH, 0), ipc);
}

static void pass_on(struct health_peer *peer, size_t server)
{
	peer->face->on_targets(peer->peer.control, server);
	const struct ipc_targets *ipc = health_peer_targets(peer, server);
	if (ipc)
		send_to_auth(peer->peer.control, ipc);
	if (ipc && peer->face->may_pass(peer->peer.control, ipc))
		flow_peers_send(peer->peer.control->flow_peers, ipc);
}

/* In the place of what it said before. A word under an older policy comes too late: another follows
 * it. */
static void take_targets(struct health_peer *peer, const struct ipc_targets *ipc)
{
	struct control *control = peer->peer.control;
	ptrdiff_t at = control->policy ? policy_find_server(control->policy, ipc->server) : -1;

	if (at < 0 || ipc->number != control->policy_number)
		return;
	struct replica_server *old = replica_targets_ref(list_of(peer, (size_t)at));
	replica_targets_take(&peer->targets, ipc);
	struct replica_server *list = list_of(peer, (size_t)at);
	if (list)
		drained_mark(control->drained, ipc->server, list->v, list->n);
	publish_changes(control, old, ipc);
	replica_targets_unref(old);
	host_tls_keep(&peer->tls, ipc);
	pass_on(peer, (size_t)at);
	for (struct health_watch *watch = peer->watches, *next; watch; watch = next) {
		next = watch->next;
		watch->on_told(watch);
	}
}

static bool is_client_side(const struct policy *policy, const char *ifname)
{
	for (size_t i = 0; i < policy->nzones; i++)
		for (size_t j = 0; j < policy->zones[i].interfaces.n; j++)
			if (policy_interface_match(policy->zones[i].interfaces.v[j].text, ifname))
				return true;
	return false;
}

/* The first of each IP version on a zone's interface that others can send to. */
static void find_client_side(const struct policy *policy, struct ipc_client_side *ipc)
{
	struct ifaddrs *addresses = NULL;
	ipc_init(ipc, IPC_CLIENT_SIDE, sizeof(*ipc));
	if (getifaddrs(&addresses) < 0)
		return;
	for (const struct ifaddrs *at = addresses; at; at = at->ifa_next) {
		struct endpoint own;
		if (!at->ifa_addr || !is_client_side(policy, at->ifa_name) ||
			endpoint_decode(at->ifa_addr, sizeof(struct sockaddr_storage), &own) < 0 ||
			addr_is_link_local(&own.addr) || addr_is_loopback(&own.addr))
			continue;
		struct addr *addr = own.addr.family == ADDR_IP6 ? &ipc->ip6 : &ipc->ip4;
		if (addr->family == ADDR_NONE)
			*addr = own.addr;
	}
	freeifaddrs(addresses);
}

static bool says_who(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nservers; i++)
		if (policy->servers[i].bind == POLICY_BIND_CLIENT ||
			policy->servers[i].announce != POLICY_ANNOUNCE_NONE)
			return true;
	return false;
}

/* Addresses may come long after their interface: looked at again when health says its counters. */
static void send_client_side(struct health_peer *peer)
{
	struct ipc_client_side ipc;
	if (!peer->peer.channel || !peer->peer.control->policy ||
		!says_who(peer->peer.control->policy))
		return;
	find_client_side(peer->peer.control->policy, &ipc);
	if (addr_equal(&ipc.ip4, &peer->side.ip4) && addr_equal(&ipc.ip6, &peer->side.ip6))
		return;
	peer->side = ipc;
	health_peer_send(peer, &ipc);
}

#define HEALTH(pointer) ((struct health_peer *)(pointer))
_Static_assert(offsetof(struct health_peer, peer) == 0, "it begins with its peer");

/* To the process that asked, or to one that has its number since; it knows its flows. */
static void pass_names(struct health_peer *peer, const struct ipc_looked_up *ipc)
{
	struct peer *asker =
		flow_peers_find(peer->peer.control->flow_peers, PROCESS_SMTP, ipc->smtp);

	if (asker && !ipc->header.seq) /* of control: a question that was given up */
		peer_send(asker, ipc);
}

static void take_tls(struct health_peer *peer, const struct ipc_host_tls *ipc)
{
	const struct policy *policy = peer->peer.control->policy;
	ptrdiff_t at = policy ? policy_find_server(policy, ipc->server) : -1;

	host_tls_take(&peer->tls, peer->peer.control,
		at < 0 ? NULL : health_peer_targets(peer, (size_t)at), ipc);
}

static bool on_ipc(struct peer *peer, const struct ipc_header *ipc)
{
	switch (ipc->type) {
	case IPC_TARGETS:
		take_targets(HEALTH(peer), (const struct ipc_targets *)ipc);
		return true;
	case IPC_HOST_TLS:
		take_tls(HEALTH(peer), (const struct ipc_host_tls *)ipc);
		return true;
	case IPC_LOOKED_UP:
		pass_names(HEALTH(peer), (const struct ipc_looked_up *)ipc);
		return true;
	case IPC_RESOLVED: /* who did not ask for it keeps nothing of it */
		send_to_auth(peer->control, ipc);
		flow_peers_send_to(peer->control->flow_peers, PROCESS_SMTP, ipc);
		return true;
	case IPC_TESTED: /* of a question that was given up */
		return true;
	case IPC_REPLY:
		if (((const struct ipc_reply *)ipc)->status < 0)
			log_error("health refused what control sent: %s",
				((const struct ipc_reply *)ipc)->text);
		return true;
	default:
		return false;
	}
}

static void on_counters(struct peer *peer)
{
	send_client_side(HEALTH(peer));
}

static void on_gone(struct peer *peer)
{
	log_debug("health is gone; what it said stands");
	peer_hang_up(peer);
}

void health_peer_send(struct health_peer *peer, const void *ipc)
{
	if (peer->peer.channel && channel_send(peer->peer.channel, ipc, -1) == 0)
		peer->peer.control->counters[COUNTER_IPC_SENT]++;
}

static void send_policy(struct health_peer *peer)
{
	if (!peer->peer.control->policy)
		return;
	send_client_side(peer);
	peer_policy_send(&peer->peer);
}

/* Policy, and what is known of its hosts. */
static void on_open(struct peer *opened)
{
	struct health_peer *peer = HEALTH(opened);
	const struct policy *policy = peer->peer.control->policy;
	struct ipc_plain done;

	memset(&peer->side, 0, sizeof(peer->side));
	if (!policy)
		return;
	for (size_t i = 0; i < policy->nservers; i++) {
		const struct ipc_targets *ipc = health_peer_targets(peer, i);
		if (ipc && ipc->known)
			health_peer_send(peer, ipc);
	}
	send_policy(peer);
	ipc_init(&done, IPC_PICTURE_DONE, sizeof(done));
	health_peer_send(peer, &done);
	ipc_init(&done, IPC_LOOKUPS_LOST, sizeof(done));
	flow_peers_send_to(peer->peer.control->flow_peers, PROCESS_SMTP, &done);
}

static const struct peer_face peer_face = {
	.on_open = on_open, .on_ipc = on_ipc, .on_counters = on_counters, .on_gone = on_gone};

void health_peer_follow(struct health_peer *peer)
{
	const struct control *control = peer->peer.control;

	follow_targets(peer);
	host_tls_follow(&peer->tls, control->policy);
	/* others know the policy, and not what of it is drained */
	for (size_t i = 0; i < control->policy->nservers; i++)
		if (drained_any(control->drained, control->policy->servers[i].name.text))
			pass_on(peer, i);
	if (peer->peer.channel)
		send_policy(peer);
}

void health_peer_ask(struct health_peer *peer, struct question *ask, void *ipc)
{
	question_send(&peer->peer.asks, ask, ipc, -1);
}

const struct ipc_targets *health_peer_targets(struct health_peer *peer, size_t server)
{
	const struct replica_server *list = list_of(peer, server);

	if (!peer->shown)
		peer->shown =
			malloc(sizeof(*peer->shown) + TARGETS_MAX * sizeof(peer->shown->v[0]));
	if (!list || !peer->shown)
		return NULL;
	replica_targets_tell(&peer->targets, list, peer->shown);
	return peer->shown;
}

const struct ipc_host_tls *health_peer_tls(struct health_peer *peer, size_t server,
	const struct ipc_target *target, const struct addr *addr)
{
	return host_tls_find(peer->tls, &peer->peer.control->policy->servers[server], target, addr);
}

bool health_peer_serves(
	struct health_peer *peer, ptrdiff_t server, enum addr_family client, uint8_t *offers)
{
	return replica_targets_serve(
		server < 0 ? NULL : list_of(peer, (size_t)server), client, offers);
}

ptrdiff_t health_peer_find_server(struct health_peer *peer, const struct addr *addr)
{
	follow_targets(peer);
	return replica_targets_find_server(&peer->targets, addr);
}

bool health_peer_is_told(struct health_peer *peer, size_t server)
{
	const struct replica_server *list = list_of(peer, server);

	return list && list->told;
}

void health_peer_watch(struct health_peer *peer, struct health_watch *watch)
{
	watch->next = peer->watches;
	peer->watches = watch;
}

void health_peer_unwatch(struct health_peer *peer, struct health_watch *watch)
{
	struct health_watch **at = &peer->watches;
	while (*at && *at != watch)
		at = &(*at)->next;
	if (*at)
		*at = watch->next;
}

/* What the policy says itself they know. */
void health_peer_tell(struct health_peer *peer, struct channel *to)
{
	const struct drained *drained = peer->peer.control->drained;

	for (size_t i = 0; i < peer->peer.control->policy->nservers; i++) {
		const struct ipc_targets *ipc = health_peer_targets(peer, i);
		if (ipc && (ipc->known || drained_any(drained, ipc->server)))
			channel_send(to, ipc, -1);
	}
}

void health_peer_drained(struct health_peer *peer, const char *server)
{
	const struct control *control = peer->peer.control;
	ptrdiff_t at = policy_find_server(control->policy, server);
	struct replica_server *list = at < 0 ? NULL : list_of(peer, (size_t)at);

	if (!list)
		return;
	drained_mark(control->drained, server, list->v, list->n);
	pass_on(peer, (size_t)at);
}
