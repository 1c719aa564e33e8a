/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that TPROXY steers to. The keeper makes and holds them, so that a relay's crash loses
 * no SYN; a relay has a second descriptor of its own. Accepted connections inherit the options. */
#include "daemon/keeper/keeper.h"

#include "kernel-rules/nftables/ruleset.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef TCP_SAVE_SYN
#define TCP_SAVE_SYN 27
#endif
#define BACKLOG        4096 /* what the kernel allows (net.core.somaxconn) */
#define ANSWERS        1    /* SYN+ACKs sent again: half-open ones go after 3 s, not 63 */
#define HALF_OPEN_S    3
#define PROBES         100
#define PROBE_PAUSE_MS 20

/* A full backlog means SYN cookies, and those lose the MAC. */
_Static_assert(
	RULESET_STEERED_RATE *HALF_OPEN_S + RULESET_STEERED_BURST <= PROCESS_LISTENERS * BACKLOG,
	"the connections that are steered fit into the backlogs half open");

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_options(int fd, bool ip6)
{
	/* a relay that dies resets its clients: to them nothing must look like an orderly end */
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0 ||
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0 ||
		set(fd, IPPROTO_TCP, TCP_SYNCNT, ANSWERS) < 0 ||
		set(fd, IPPROTO_TCP, TCP_SAVE_SYN, 2) < 0) /* 2: with the link layer's header */
		return -1;
	if (ip6)
		return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0 ||
				       set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1) < 0 ||
				       set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) < 0
			       ? -1
			       : 0;
	return set(fd, IPPROTO_IP, IP_TRANSPARENT, 1) < 0 || set(fd, IPPROTO_IP, IP_PKTINFO, 1) < 0
		       ? -1
		       : 0;
}

/* Without SO_REUSEPORT, which would share the port with any process of our user. */
static int probe(uint16_t port, bool ip6)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct sockaddr *any = ip6 ? (void *)&any6 : (void *)&any4;
	int error = 0, s = socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (set(s, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
		(ip6 && set(s, IPPROTO_IPV6, IPV6_V6ONLY, 1) < 0) ||
		bind(s, any, ip6 ? sizeof(any6) : sizeof(any4)) < 0 || listen(s, 1) < 0)
		error = -errno;
	close(s);
	return error;
}

int keeper_listener_probe(uint16_t port)
{
	const struct timespec pause = {.tv_nsec = PROBE_PAUSE_MS * 1000000};
	int error = 0;

	for (int i = 0; i < PROBES; i++) {
		error = probe(port, false);
		if (!error)
			error = probe(port, true);
		if (error != -EADDRINUSE)
			break;
		nanosleep(&pause, NULL);
	}
	return error;
}

int keeper_listener_open(uint16_t port, bool ip6, int *fd)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct sockaddr *any = ip6 ? (void *)&any6 : (void *)&any4;
	int s = socket(any->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s < 0)
		return -errno;
	if (set_options(s, ip6) < 0 || bind(s, any, ip6 ? sizeof(any6) : sizeof(any4)) < 0 ||
		listen(s, BACKLOG) < 0) {
		int error = -errno;
		close(s);
		return error;
	}
	*fd = s;
	return 0;
}
