/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/web_peer.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/peer_policy.h"
#include "daemon/control/portal/orders.h"
#include "lib/base/container.h"
#include "lib/ipc/replica.h"
#include "lib/ipc/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_MS 1000 /* the keeper's part is left out then */
#define UNKNOWN   1    /* in the place of a status: nothing was said yet */

struct web_peer {
	struct peer peer; /* first */
	web_peer_make *make;
	struct endpoint at; /* family ADDR_NONE: nowhere */
	int status;         /* of its listening: 0, -errno or UNKNOWN */

	/* one page at a time */
	uint32_t seq; /* of the question; 0: none */
	struct question counters_ask, arrived_ask;
	bool counters_asked, arrived_asked; /* no answer yet */
	struct loop_timer late;
	struct web_peer_kernel kernel;

	struct web_peer_portal *portals;
	size_t nportals;
};

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

static void answer(struct web_peer *peer)
{
	struct ipc_plain page;
	struct ipc_reply none;
	int fd = peer->make(peer->peer.control, &peer->kernel);

	if (fd >= 0) {
		ipc_init(&page, IPC_METRICS_PAGE, sizeof(page));
		page.header.seq = peer->seq;
		channel_send(peer->peer.channel, &page, fd);
		close(fd);
	} else {
		log_error("the page of metrics could not be made: %s", strerror(-fd));
		ipc_init(&none, IPC_REPLY, sizeof(none));
		none.header.seq = peer->seq;
		none.status = fd;
		channel_send(peer->peer.channel, &none, -1);
	}
	peer->seq = 0;
}

static void stop_asking(struct web_peer *peer)
{
	question_cancel(&peer->counters_ask);
	question_cancel(&peer->arrived_ask);
	loop_timer_clear(peer->peer.control->loop, &peer->late);
	peer->counters_asked = peer->arrived_asked = false;
}

static void answer_when_known(struct web_peer *peer)
{
	if (peer->seq && !peer->counters_asked && !peer->arrived_asked) {
		loop_timer_clear(peer->peer.control->loop, &peer->late);
		answer(peer);
	}
}

static void on_counters(struct question *ask, const struct ipc_header *ipc)
{
	struct web_peer *peer = container_of(ask, struct web_peer, counters_ask);

	if (ipc && ipc->type == IPC_KERNEL_COUNTERS) {
		memcpy(&peer->kernel.counters, ipc, sizeof(peer->kernel.counters));
		peer->kernel.answered = true;
	}
	peer->counters_asked = false;
	answer_when_known(peer);
}

/* "arrived ZONE N" */
static void take_arrived(struct web_peer_kernel *kernel, const char *text)
{
	const size_t at = kernel->narrived;
	char zone[POLICY_NAME_SIZE];
	unsigned long long packets;

	_Static_assert(POLICY_NAME_SIZE == 64, "as the format below says");
	if (at == PLAN_ZONES_MAX || sscanf(text, "arrived %63s %llu", zone, &packets) != 2)
		return;
	memcpy(kernel->arrived[at].zone, zone, sizeof(zone));
	kernel->arrived[at].packets = packets;
	kernel->narrived++;
}

static void on_arrived(struct question *ask, const struct ipc_header *ipc)
{
	struct web_peer *peer = container_of(ask, struct web_peer, arrived_ask);

	if (ipc && ipc->type == IPC_TEXT) {
		take_arrived(&peer->kernel, ((const struct ipc_text *)ipc)->text);
		return;
	}
	peer->arrived_asked = false;
	answer_when_known(peer);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	struct web_peer *peer = container_of(timer, struct web_peer, late);

	(void)now_ms;
	stop_asking(peer);
	answer(peer);
}

static void begin_page(struct web_peer *peer, uint32_t seq)
{
	struct control *control = peer->peer.control;
	struct ipc_plain question;

	if (peer->seq) /* it has given the one before up */
		stop_asking(peer);
	peer->seq = seq;
	peer->kernel.answered = false;
	peer->kernel.narrived = 0;
	peer->counters_asked = peer->arrived_asked = true;
	loop_timer_set(control->loop, &peer->late, loop_now_ms(control->loop) + KERNEL_MS);
	ipc_init(&question, IPC_KERNEL_COUNTERS_GET, sizeof(question));
	question_send(&control->keeper_asks, &peer->counters_ask, &question, -1);
	ipc_init(&question, IPC_ARRIVED_GET, sizeof(question));
	question_send(&control->keeper_asks, &peer->arrived_ask, &question, -1);
}

/* ---- login pages ---- */

const struct web_peer_portal *web_peer_portal(const struct web_peer *peer, const char *name)
{
	for (size_t i = 0; i < peer->nportals; i++)
		if (strcmp(peer->portals[i].state.portal, name) == 0)
			return &peer->portals[i];
	return NULL;
}

static struct web_peer_portal *add_portal(struct web_peer *peer)
{
	struct web_peer_portal *more =
		realloc(peer->portals, (peer->nportals + 1) * sizeof(*peer->portals));

	if (!more)
		return NULL;
	peer->portals = more;
	memset(&more[peer->nportals], 0, sizeof(*more));
	return &more[peer->nportals++];
}

static void sum(struct portal_counts *all, const struct portal_counts *more)
{
	all->connections += more->connections;
	all->refused_connections += more->refused_connections;
	all->requests += more->requests;
	all->refused_requests += more->refused_requests;
	all->logins += more->logins;
	all->renewals += more->renewals;
	all->logouts += more->logouts;
	all->failures += more->failures;
	all->put_off += more->put_off;
	all->later += more->later;
}

void web_peer_portal_counts(const struct web_peer_portal *portal, struct portal_counts *counts)
{
	*counts = (struct portal_counts){0};
	if (!portal)
		return;
	sum(counts, &portal->ended);
	sum(counts, &portal->state.counts);
}

static bool is_of(const struct policy *policy, const char *name)
{
	return policy && policy_find_portal(policy, name) >= 0;
}

static void take_state(struct web_peer *peer, const struct ipc_portal_state *ipc)
{
	struct web_peer_portal *portal =
		(struct web_peer_portal *)(uintptr_t)web_peer_portal(peer, ipc->portal);

	if (!portal && is_of(peer->peer.control->policy, ipc->portal))
		portal = add_portal(peer);
	if (!portal)
		return;
	if (portal->state.begun_ms != ipc->begun_ms)
		sum(&portal->ended, &portal->state.counts);
	portal->state = *ipc;
	portal->told = true;
}

/* Of what the policy no longer has nothing is told. */
static void drop_old_portals(struct web_peer *peer)
{
	size_t kept = 0;

	for (size_t i = 0; i < peer->nportals; i++)
		if (is_of(peer->peer.control->policy, peer->portals[i].state.portal))
			peer->portals[kept++] = peer->portals[i];
	peer->nportals = kept;
}

/* ---- its life ---- */

#define WEB(pointer) ((struct web_peer *)(pointer))
_Static_assert(offsetof(struct web_peer, peer) == 0, "it begins with its peer");

static bool on_ipc(struct peer *peer, const struct ipc_header *ipc)
{
	const struct ipc_metrics_state *state = (const struct ipc_metrics_state *)ipc;
	struct web_peer *web = WEB(peer);
	const void *m = ipc;

	switch (ipc->type) {
	case IPC_PORTAL_LOGIN:
		portal_login(peer, m);
		return true;
	case IPC_PORTAL_RENEW:
		portal_renew(peer, m);
		return true;
	case IPC_PORTAL_LOGOUT:
		portal_logout(peer, m);
		return true;
	case IPC_PORTAL_SHOW:
		portal_show(peer, m);
		return true;
	case IPC_PORTAL_WRONG:
		portal_wrong(peer, m);
		return true;
	case IPC_PORTAL_STATE:
		take_state(web, m);
		return true;
	case IPC_REPLY:
		if (((const struct ipc_reply *)m)->status < 0)
			log_error("web refuses what it was told: %s",
				((const struct ipc_reply *)m)->text);
		return true;
	case IPC_METRICS_STATE:
		if (same(&state->at, &web->at))
			web->status = state->status;
		return true;
	case IPC_METRICS_GET:
		if (ipc->seq)
			begin_page(web, ipc->seq);
		return true;
	default:
		return false;
	}
}

static void on_gone(struct peer *peer)
{
	struct web_peer *web = WEB(peer);

	stop_asking(web);
	web->seq = 0;
	web->status = UNKNOWN;
	for (size_t i = 0; i < web->nportals; i++)
		web->portals[i].told = false;
	peer_hang_up(peer);
}

static void tell_listen(struct web_peer *peer)
{
	struct ipc_metrics_listen ipc;

	ipc_init(&ipc, IPC_METRICS_LISTEN, sizeof(ipc));
	ipc.at = peer->at;
	peer_send(&peer->peer, &ipc);
}

static void on_open(struct peer *peer)
{
	struct ipc_plain done;

	tell_listen(WEB(peer));
	if (!peer->control->policy)
		return;
	peer_policy_send(peer);
	ipc_init(&done, IPC_PICTURE_DONE, sizeof(done));
	peer_send(peer, &done);
}

static const struct peer_face face = {.on_open = on_open, .on_ipc = on_ipc, .on_gone = on_gone};

struct web_peer *web_peer_new(struct control *control, web_peer_make *make)
{
	struct web_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer_init(&peer->peer, control, &face, PROCESS_WEB, 0);
	peer->make = make;
	peer->status = UNKNOWN;
	peer->counters_ask.on_answer = on_counters;
	peer->arrived_ask.on_answer = on_arrived;
	peer->late.on_time = on_late;
	flow_peers_put(control->flow_peers, &peer->peer);
	return peer;
}

void web_peer_close(struct web_peer *peer)
{
	on_gone(&peer->peer);
}

void web_peer_free(struct web_peer *peer)
{
	if (!peer)
		return;
	on_gone(&peer->peer);
	free(peer->portals);
	free(peer);
}

void web_peer_follow(struct web_peer *peer)
{
	const struct policy *policy = peer->peer.control->policy;
	struct endpoint at = {.addr = policy->metrics_addr, .port = policy->metrics_port};

	if (!same(&at, &peer->at)) {
		peer->at = at;
		peer->status = UNKNOWN;
		tell_listen(peer);
	}
	drop_old_portals(peer);
	peer_policy_send(&peer->peer);
}

bool web_peer_trouble(const struct web_peer *peer, char *text, size_t size)
{
	char at[ENDPOINT_TEXT_SIZE];

	if (peer->at.addr.family == ADDR_NONE || peer->status == 0)
		return false;
	endpoint_format(&peer->at, at);
	if (!peer->peer.channel)
		snprintf(text, size, "metrics: the web process does not run");
	else if (peer->status == UNKNOWN)
		snprintf(text, size, "metrics: it does not listen on %s yet", at);
	else
		snprintf(text, size, "metrics: it cannot listen on %s: %s", at,
			strerror(-peer->status));
	return true;
}
