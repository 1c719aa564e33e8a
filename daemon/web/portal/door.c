/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/portal/door.h"

#include "daemon/flow/identify.h"
#include "daemon/web/portal/service.h"
#include "daemon/web/portal/steps.h"
#include "daemon/web/web.h"
#include "lib/base/container.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Taken for one event; the rest of the backlog comes with the next one. */
#define ACCEPTS_A_ROUND 64

static struct portal *portal_at(const struct portals *portals, const struct endpoint *at)
{
	for (struct portal *portal = portals->first; portal; portal = portal->next) {
		const struct policy_portal *policy = portal->policy;
		if (at->port != policy->port && at->port != policy->http_port)
			continue;
		for (size_t i = 0; i < policy->naddresses; i++)
			if (addr_equal(&policy->addresses[i], &at->addr))
				return portal;
	}
	return NULL;
}

static struct service *service_at(const struct portal *portal, uint16_t port)
{
	const bool secure = port == portal->policy->port;

	for (struct service *service = portal->services; service; service = service->next)
		if (!service->old && (service->shown != NULL) == secure)
			return service;
	return NULL;
}

/* Of whoever has most, the one that is there for longest and waits for nobody else. */
static struct visit *who_goes(struct portals *portals)
{
	struct visit *goes = NULL;

	for (struct visit *visit = portals->visits; visit; visit = visit->next) {
		if (visit->suspended || (goes && visit->guest->open < goes->guest->open))
			continue;
		if (!goes || visit->guest->open > goes->guest->open ||
			visit->begun_ms <= goes->begun_ms)
			goes = visit;
	}
	return goes;
}

/* False: nobody does. What is cut is gone when libmicrohttpd has seen it. */
static bool make_room(struct portals *portals)
{
	struct visit *goes = who_goes(portals);

	if (!goes)
		return false;
	if (visit_is_ours(goes)) {
		visit_close(goes);
	} else {
		shutdown(goes->fd, SHUT_RDWR);
		drive_run(&goes->service->drive);
	}
	return portals->nvisits < VISITS_MAX;
}

/* Who is of no zone has nothing to do here: he does not even see a certificate. Where clients are
 * known by address alone their MAC may be that of a router, which all behind it have. */
static struct guest *guest_of(struct web *web, const struct origin *origin)
{
	const struct policy *policy = web_policy(web);
	struct origin from = *origin;
	struct identified who;

	identify_client(policy, link_find(&web->links, origin->ifindex), origin, &who);
	if (who.zone < 0)
		return NULL;
	if (policy->zones[who.zone].identity == POLICY_IDENTITY_ADDRESS)
		from.mac = (struct mac){0};
	return guest_get(&web->portals.guests, &from, loop_now_ms(web->loop));
}

/* NULL: he may not. */
static struct guest *may_come(struct web *web, const struct origin *origin)
{
	struct portals *portals = &web->portals;
	struct guest *guest = guest_of(web, origin);

	if (!guest || guest->open >= VISITS_PER_GUEST)
		return NULL;
	return portals->nvisits < VISITS_MAX || make_room(portals) ? guest : NULL;
}

/* What the keeper set for listeners, whose clients must see no orderly end of a process that dies:
 * here the last bytes of an answer matter more. */
static void set_options(int fd)
{
	const struct linger none = {.l_onoff = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct visit *visit = container_of(timer, struct visit, timer);

	if (visit->state == VISIT_COMES)
		service_take(visit);
	else if (visit_is_ours(visit))
		visit_close(visit);
	else
		steps_on_time(timer, now_ms);
}

static void begin(struct web *web, struct visit *visit)
{
	const uint64_t now_ms = loop_now_ms(web->loop);
	uint64_t wait_ms = guest_turn(visit->guest, GUEST_CONNECTS, now_ms);

	if (wait_ms > 0)
		loop_timer_set(web->loop, &visit->timer, now_ms + wait_ms);
	else
		service_take(visit);
}

static void take(
	struct portal_socket *socket, int fd, const struct sockaddr_storage *peer, socklen_t len)
{
	struct web *web = socket->web;
	struct portal *portal = portal_at(&web->portals, &socket->at);
	struct service *service = portal ? service_at(portal, socket->at.port) : NULL;
	struct origin origin;
	struct visit *visit = NULL;
	struct guest *guest;

	set_options(fd);
	if (service && origin_ask(fd, peer, len, &origin) == 0 && (guest = may_come(web, &origin)))
		visit = visit_new(service, guest, fd, &origin, on_time);
	if (portal) {
		portal->state.counts.connections++;
		portal->state.counts.refused_connections += !visit;
		portal->changed = true;
	}
	child_count(&web->child,
		visit ? COUNTER_PORTAL_CONNECTIONS : COUNTER_PORTAL_CONNECTIONS_REFUSED);
	if (visit)
		begin(web, visit);
	else
		close(fd);
}

void door_open(struct portal_socket *socket)
{
	for (unsigned i = 0; i < ACCEPTS_A_ROUND; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		int fd = accept4(socket->watch.fd, (struct sockaddr *)&peer, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			take(socket, fd, &peer, len);
		else if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO)
			return;
	}
}
