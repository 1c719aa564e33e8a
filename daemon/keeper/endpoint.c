/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the policy's listeners take connections. The keeper makes and holds the sockets, one with
 * SO_REUSEPORT for each process that serves them, so that a crash of one loses no connection that
 * waits; the process has a second descriptor of its own.
 *
 * An apply opens what is new before anything else changes, so that a port that another program has
 * refuses it. The policy comes into force in all processes after that; only then (SETTLED) what it
 * has no more is closed: here first, then by each process when it has taken what waits, so that the
 * last descriptor is that of who empties it. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef TCP_SAVE_SYN
#define TCP_SAVE_SYN 27
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif
#define BACKLOG           4096 /* what the kernel allows (net.core.somaxconn) */
#define KEEPALIVE_S       120
#define KEEPALIVE_EVERY_S 30
#define KEEPALIVE_PROBES  4
#define UNACKED_MS        240000
#define DATAGRAM_BUFFER   (32 << 20)
/* SYN+ACKs of a portal sent again: half-open ones go after 3 s, not 63. A full backlog means SYN
 * cookies, and those lose the MAC that guests are known by. */
#define ANSWERS 1

static bool is_served_by(const struct keeper_child *child, const struct keeper_endpoint *endpoint)
{
	return roles[child->role].given & roles_given_for(endpoint->taker);
}

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

static struct keeper_endpoint *find(
	struct keeper *keeper, const struct endpoint *at, enum policy_taker taker)
{
	for (size_t i = 0; i < keeper->nendpoints; i++)
		if (keeper->endpoints[i].taker == taker && same(&keeper->endpoints[i].at, at))
			return &keeper->endpoints[i];
	return NULL;
}

/* ---- one socket ---- */

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* All that clients' sockets inherit of it. An address that is not there yet may come. */
static int set_options(int fd, bool ip6)
{
	/* a process that dies resets its clients: to them nothing must look like an orderly end */
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0 ||
		set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) < 0 ||
		set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S) < 0 ||
		set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY_S) < 0 ||
		set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES) < 0 ||
		set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS) < 0 ||
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0)
		return -1;
	if (ip6)
		return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0 ||
				       set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) < 0
			       ? -1
			       : 0;
	return set(fd, IPPROTO_IP, IP_FREEBIND, 1);
}

/* From which of our addresses the answer goes is said of each packet. What comes in one burst waits
 * here while control's disk is at work. */
static int set_datagram_options(int fd, bool ip6)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, DATAGRAM_BUFFER) < 0 &&
		set(fd, SOL_SOCKET, SO_RCVBUF, DATAGRAM_BUFFER) < 0)
		return -1;
	if (ip6)
		return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0 ||
				       set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) < 0 ||
				       set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) < 0
			       ? -1
			       : 0;
	return set(fd, IPPROTO_IP, IP_FREEBIND, 1) < 0 || set(fd, IPPROTO_IP, IP_PKTINFO, 1) < 0
		       ? -1
		       : 0;
}

static int open_datagrams(const struct endpoint *at)
{
	const bool ip6 = at->addr.family == ADDR_IP6;
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(at, &sa);
	int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (set_datagram_options(fd, ip6) < 0 || bind(fd, (struct sockaddr *)&sa, len) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* A descriptor or -errno. */
static int open_socket(const struct endpoint *at, bool shared)
{
	const bool ip6 = at->addr.family == ADDR_IP6;
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(at, &sa);
	int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (set_options(fd, ip6) < 0 || (shared && set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0) ||
		bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, BACKLOG) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Who logs in is known by the interface and the MAC that he comes from, as he is when he sends. */
static int set_portal_options(int fd, bool ip6)
{
	if (set(fd, IPPROTO_TCP, TCP_SAVE_SYN, 2) < 0 || /* 2: with the link layer's header */
		set(fd, IPPROTO_TCP, TCP_SYNCNT, ANSWERS) < 0)
		return -1;
	return ip6 ? set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
		   : set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static int open_portal(const struct endpoint *at)
{
	int fd = open_socket(at, false);

	if (fd < 0 || set_portal_options(fd, at->addr.family == ADDR_IP6) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

/* A descriptor or -errno. */
static int open_for(const struct keeper_endpoint *endpoint)
{
	switch (endpoint->taker) {
	case POLICY_TAKER_LISTENER:
		break;
	case POLICY_TAKER_RADIUS:
		return open_datagrams(&endpoint->at);
	case POLICY_TAKER_PORTAL:
		return open_portal(&endpoint->at);
	}
	return open_socket(&endpoint->at, true);
}

/* ---- the sockets of one endpoint ---- */

/* Does a socket of ours listen at this port, of this family? */
static bool has_port(const struct keeper *keeper, const struct endpoint *at)
{
	for (size_t i = 0; i < keeper->nendpoints; i++) {
		const struct keeper_endpoint *other = &keeper->endpoints[i];
		if (other->error == 0 && other->taker != POLICY_TAKER_RADIUS &&
			other->at.port == at->port && other->at.addr.family == at->addr.family)
			return true;
	}
	return false;
}

/* With SO_REUSEPORT the port would be shared with any program of our user: it is first tried
 * without. */
static int probe(const struct keeper *keeper, const struct endpoint *at)
{
	if (has_port(keeper, at))
		return 0;
	int fd = open_socket(at, false);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void close_sockets(struct keeper_endpoint *endpoint)
{
	for (unsigned i = 0; i < PROCESS_RELAYS_MAX; i++) {
		if (endpoint->fds[i] >= 0)
			close(endpoint->fds[i]);
		endpoint->fds[i] = -1;
	}
}

static const char *title(const struct keeper_endpoint *endpoint)
{
	return policy_taker_names[endpoint->taker];
}

static void say_why(struct keeper_endpoint *endpoint)
{
	char address[ADDR_TEXT_SIZE], who[IPC_TEXT_SIZE];
	const char *why = strerror(-endpoint->error);

	if (endpoint->error == -EADDRINUSE)
		why = keeper_taken_by(&endpoint->at, endpoint->taker == POLICY_TAKER_RADIUS, who);
	else if (endpoint->error == -EACCES)
		why = "that takes CAP_NET_BIND_SERVICE, which a restart brings";
	else if (endpoint->error == -EAFNOSUPPORT)
		why = "the machine has no IPv6";
	int len = snprintf(endpoint->why, sizeof(endpoint->why),
		"%s %s cannot have %s port %u: %s%s", title(endpoint), endpoint->listener,
		addr_format(&endpoint->at.addr, address), endpoint->at.port,
		endpoint->error == -EADDRINUSE ? "it is taken by " : "", why);
	if (len >= (int)sizeof(endpoint->why))
		memcpy(endpoint->why + sizeof(endpoint->why) - 4, "...", 4);
}

/* For every place, or for none. */
static void open_sockets(struct keeper *keeper, struct keeper_endpoint *endpoint)
{
	const unsigned places =
		endpoint->taker != POLICY_TAKER_LISTENER ? 1 : keeper->options.relays;

	endpoint->error =
		endpoint->taker == POLICY_TAKER_LISTENER ? probe(keeper, &endpoint->at) : 0;
	for (unsigned i = 0; endpoint->error == 0 && i < places; i++) {
		if (endpoint->fds[i] >= 0)
			continue;
		int fd = open_for(endpoint);
		if (fd < 0)
			endpoint->error = fd;
		else
			endpoint->fds[i] = fd;
	}
	if (endpoint->error == 0)
		return;
	close_sockets(endpoint);
	say_why(endpoint);
}

static struct keeper_endpoint *add(struct keeper *keeper, const char *listener,
	const struct endpoint *at, enum policy_taker taker)
{
	if (keeper->nendpoints == KEEPER_ENDPOINTS_MAX)
		return NULL;
	struct keeper_endpoint *endpoint = &keeper->endpoints[keeper->nendpoints++];
	*endpoint = (struct keeper_endpoint){.at = *at, .taker = taker, .error = -EAGAIN};
	snprintf(endpoint->listener, sizeof(endpoint->listener), "%s", listener);
	memset(endpoint->fds, 0xff, sizeof(endpoint->fds)); /* -1 */
	return endpoint;
}

static void del(struct keeper *keeper, struct keeper_endpoint *endpoint)
{
	close_sockets(endpoint);
	size_t after = (size_t)(keeper->endpoints + --keeper->nendpoints - endpoint);
	memmove(endpoint, endpoint + 1, after * sizeof(*endpoint));
}

/* ---- who serves it ---- */

static void hand_out(struct keeper_child *child, const struct keeper_endpoint *endpoint)
{
	struct ipc_endpoint ipc;

	if (!child->channel || child->old || endpoint->fds[child->place] < 0)
		return;
	ipc_init(&ipc, IPC_ENDPOINT, sizeof(ipc));
	ipc.at = endpoint->at;
	keeper_child_send(child, &ipc, endpoint->fds[child->place]);
}

static void hand_out_to_all(struct keeper *keeper, const struct keeper_endpoint *endpoint)
{
	for (size_t i = 0; i < keeper->nchildren; i++)
		if (is_served_by(&keeper->children[i], endpoint))
			hand_out(&keeper->children[i], endpoint);
}

static void take_back(struct keeper_child *child, const struct endpoint *at, bool empty)
{
	struct ipc_endpoint ipc;

	ipc_init(&ipc, IPC_ENDPOINT_GONE, sizeof(ipc));
	ipc.at = *at;
	ipc.empty = empty;
	keeper_child_send(child, &ipc, -1);
}

static void tell_control(struct keeper *keeper, const struct keeper_endpoint *endpoint)
{
	struct ipc_listening ipc;

	ipc_init(&ipc, IPC_LISTENING, sizeof(ipc));
	ipc.at = endpoint->at;
	ipc.taker = endpoint->taker;
	ipc.error = (uint32_t)-endpoint->error;
	snprintf(ipc.listener, sizeof(ipc.listener), "%s", endpoint->listener);
	if (endpoint->error)
		snprintf(ipc.text, sizeof(ipc.text), "%s", endpoint->why);
	keeper_child_send(&keeper->control, &ipc, -1);
}

/* ---- a plan ---- */

/* What a machine without IPv6 cannot have refuses nothing. */
static bool refuses(const struct keeper_endpoint *endpoint)
{
	return endpoint->error && endpoint->error != -EAFNOSUPPORT;
}

int keeper_endpoint_prepare(
	struct keeper *keeper, const struct plan *plan, bool lenient, char *text)
{
	for (size_t i = 0; i < plan->nendpoints; i++) {
		const struct plan_endpoint *wanted = &plan->endpoints[i];
		struct keeper_endpoint *endpoint = find(keeper, &wanted->at, wanted->taker);
		if (!endpoint) {
			endpoint = add(keeper, wanted->listener, &wanted->at, wanted->taker);
			if (!endpoint) {
				snprintf(text, IPC_TEXT_SIZE,
					"more listeners than there is room for");
				keeper_endpoint_give_up(keeper);
				return -E2BIG;
			}
			endpoint->fresh = true;
		}
		if (endpoint->error)
			open_sockets(keeper, endpoint);
		if (refuses(endpoint) && !lenient) {
			int error = endpoint->error;
			snprintf(text, IPC_TEXT_SIZE, "%s", endpoint->why);
			keeper_endpoint_give_up(keeper);
			return error;
		}
	}
	return 0;
}

void keeper_endpoint_give_up(struct keeper *keeper)
{
	for (size_t i = keeper->nendpoints; i-- > 0;)
		if (keeper->endpoints[i].fresh)
			del(keeper, &keeper->endpoints[i]);
}

static const struct plan_endpoint *planned(
	const struct plan *plan, const struct endpoint *at, enum policy_taker taker)
{
	for (size_t i = 0; i < plan->nendpoints; i++)
		if (plan->endpoints[i].taker == taker && same(&plan->endpoints[i].at, at))
			return &plan->endpoints[i];
	return NULL;
}

void keeper_endpoint_keep(struct keeper *keeper, const struct plan *plan)
{
	for (size_t i = 0; i < keeper->nendpoints; i++) {
		struct keeper_endpoint *endpoint = &keeper->endpoints[i];
		const struct plan_endpoint *wanted = planned(plan, &endpoint->at, endpoint->taker);
		endpoint->planned = wanted;
		if (!wanted)
			continue;
		/* it may be another listener's now */
		snprintf(endpoint->listener, sizeof(endpoint->listener), "%s", wanted->listener);
		if (endpoint->error) {
			say_why(endpoint);
			if (endpoint->fresh)
				log_error("%s", endpoint->why);
		} else {
			hand_out_to_all(keeper, endpoint);
		}
		endpoint->fresh = false;
		tell_control(keeper, endpoint);
	}
}

void keeper_endpoint_settle(struct keeper *keeper)
{
	for (size_t i = keeper->nendpoints; i-- > 0;) {
		const struct keeper_endpoint gone = keeper->endpoints[i];
		if (gone.planned)
			continue;
		del(keeper, &keeper->endpoints[i]);
		for (size_t c = 0; c < keeper->nchildren; c++)
			if (is_served_by(&keeper->children[c], &gone))
				take_back(&keeper->children[c], &gone.at, true);
	}
}

void keeper_endpoint_tick(struct keeper *keeper)
{
	char address[ADDR_TEXT_SIZE];

	if (keeper->phase >= KEEPER_STOPPING)
		return;
	for (size_t i = 0; i < keeper->nendpoints; i++) {
		struct keeper_endpoint *endpoint = &keeper->endpoints[i];
		const int before = endpoint->error;
		if (!before || !endpoint->planned)
			continue;
		open_sockets(keeper, endpoint);
		if (endpoint->error == before)
			continue;
		if (!endpoint->error) {
			log_info("%s %s has %s port %u now", title(endpoint), endpoint->listener,
				addr_format(&endpoint->at.addr, address), endpoint->at.port);
			hand_out_to_all(keeper, endpoint);
		}
		tell_control(keeper, endpoint);
	}
}

/* ---- a process's life ---- */

void keeper_endpoint_start(struct keeper_child *child)
{
	struct keeper *keeper = child->keeper;

	for (size_t i = 0; i < keeper->nendpoints; i++) {
		struct keeper_endpoint *endpoint = &keeper->endpoints[i];
		if (!is_served_by(child, endpoint))
			continue;
		if (endpoint->error == 0 && endpoint->fds[child->place] < 0) {
			int fd = open_for(endpoint);
			if (fd < 0)
				log_error("cannot listen again: %s", strerror(-fd));
			endpoint->fds[child->place] = fd < 0 ? -1 : fd;
		}
		hand_out(child, endpoint);
	}
}

void keeper_endpoint_close_place(struct keeper_child *child)
{
	struct keeper *keeper = child->keeper;

	for (size_t i = 0; i < keeper->nendpoints; i++) {
		int *fd = &keeper->endpoints[i].fds[child->place];
		if (!is_served_by(child, &keeper->endpoints[i]))
			continue;
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

void keeper_endpoint_close_all(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->nendpoints; i++)
		close_sockets(&keeper->endpoints[i]);
}

void keeper_endpoint_leave(struct keeper_child *child)
{
	if (roles[child->role].given & GIVEN_TAKERS)
		take_back(child, &(struct endpoint){0}, false);
}

/* ---- over an exec ---- */

/* The listener's name comes with the plan. */
int keeper_endpoint_adopt(struct keeper *keeper, const char *at, enum policy_taker taker, int fd)
{
	struct endpoint from;

	if (endpoint_parse(at, strlen(at), &from) < 0)
		return -EBADMSG;
	struct keeper_endpoint *endpoint = find(keeper, &from, taker);
	if (!endpoint) {
		const struct plan_endpoint *wanted =
			keeper->has_plan ? planned(&keeper->plan, &from, taker) : NULL;
		endpoint = add(keeper, wanted ? wanted->listener : "gone", &from, taker);
		if (!endpoint)
			return -EBADMSG;
		endpoint->planned = wanted;
		endpoint->error = 0;
	}
	for (unsigned i = 0; i < keeper->options.relays; i++) {
		if (endpoint->fds[i] >= 0)
			continue;
		endpoint->fds[i] = fd;
		return 0;
	}
	return -EBADMSG;
}
