/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/dial.h"

#include "daemon/base/own_address.h"
#include "daemon/flow/attempts.h"
#include "daemon/flow/charge.h"
#include "daemon/flow/choose.h"
#include "daemon/flow/stock.h"
#include "lib/policy/choice.h"
#include "lib/policy/target.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct dial_deadlines dial_deadlines_of(const struct way *way)
{
	const struct policy_server *server = way_server(way);
	if (!server)
		return (struct dial_deadlines){25000, 5000, 15000, 15 * 60 * 1000};
	return (struct dial_deadlines){
		server->first_ms, server->connect_ms, server->greeting_ms, server->idle_ms};
}

static uint64_t time_left(const struct way *way)
{
	return way->first_end_ms > way_now_ms(way) ? way->first_end_ms - way_now_ms(way) : 0;
}

uint32_t dial_may_connect_ms(const struct way *way)
{
	return choice_connect_ms(
		time_left(way), choose_left(way), dial_deadlines_of(way).connect_ms);
}

uint32_t dial_may_greet_ms(const struct way *way)
{
	return choice_greeting_ms(
		time_left(way), choose_left(way), dial_deadlines_of(way).greeting_ms);
}

uint32_t dial_may_talk_ms(const struct way *way, bool again)
{
	return choice_greeting_ms(time_left(way), choose_left(way) + again, UINT32_MAX);
}

/* From where the server says. 0 or -errno. */
static int bind_socket(int fd, const struct policy_server *server)
{
	struct endpoint from = {0};
	struct sockaddr_storage sa;

	switch (server ? server->bind : POLICY_BIND_GATEWAY) {
	case POLICY_BIND_GATEWAY:
	case POLICY_BIND_CLIENT:
		return 0;
	case POLICY_BIND_ADDRESS:
		break;
	}
	from.addr = server->bind_addr;
	socklen_t len = (socklen_t)endpoint_encode(&from, &sa);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
	return bind(fd, (const struct sockaddr *)&sa, len) < 0 ? -errno : 0;
}

int dial_socket(const struct endpoint *end, const struct policy_server *server)
{
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(end, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	int error = bind_socket(fd, server);
	if (!error && connect(fd, (const struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int dial_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

enum ending dial_ending(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return ENDING_CONNECT_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
		return ENDING_CONNECT_UNREACHABLE;
	case ETIMEDOUT:
		return ENDING_CONNECT_TIMEOUT;
	case ECONNRESET: /* it was taken first: a SYN that is refused is ECONNREFUSED */
		return ENDING_GREETING_CLOSED;
	case EMFILE:
	case ENFILE:
		return ENDING_NO_DESCRIPTOR;
	case ENOMEM:
	case ENOBUFS:
		return ENDING_NO_MEMORY;
	default:
		return ENDING_CONNECT_FAILED;
	}
}

void dial_pass_over(struct way *way, enum ending ending, const char *words)
{
	attempts_note(way, ending, words);
}

/* The host's own fault, or on the way to it. What it says of one client is no news of the host:
 * else one that it does not take would take it from all; of hosts that take nobody, probes tell. */
void dial_failed(struct way *way, enum ending ending, const char *words)
{
	attempts_note(way, ending, words);
	way_count(way, COUNTER_CONNECTS_FAILED);
	if (ending_class_of(ending) == ENDING_CLASS_SERVER && ending != ENDING_OFFERS_XCLIENT &&
		ending != ENDING_IDENTITY_REFUSED)
		choose_failed(way, *words ? words : ending_meanings[ending]);
}

/* A host beside the client: its mail would come back to us, or go past us. A zone without networks
 * holds every address behind its interface; of those only the client itself is known for sure. */
static bool is_loop(const struct way *way)
{
	/* a server of the house may send through a listener, to the house as well */
	if (way->listener >= 0)
		return false;
	if (addr_equal(&way->host.addr, &way->client.addr))
		return true;
	return way->zone >= 0 && way->policy->zones[way->zone].networks.n > 0 &&
	       policy_find_zone_of(way->policy, way->ifname, &way->host.addr) == way->zone;
}

const char *dial_original_refusal(const struct addr *original)
{
	const char *unfit = target_unfit(original);
	if (!unfit && own_address(original))
		unfit = "the gateway itself";
	return unfit;
}

/* Own addresses connect from themselves. A host that is written as one may be meant, but for the
 * relay's port. */
static bool is_own_listener(const struct way *way, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint local;

	if (!way->to_original && way->host.port != way->process->child->start->options.relay_port)
		return false;
	return addr_is_loopback(&way->host.addr) ||
	       getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ||
	       endpoint_decode((struct sockaddr *)&sa, len, &local) < 0 ||
	       addr_equal(&local.addr, &way->host.addr);
}

bool dial_is_lent(const struct way *way)
{
	const struct policy_server *server = way_server(way);
	return server && server->bind == POLICY_BIND_CLIENT;
}

/* The socket, or -errno. */
static int connect_host(struct way *way)
{
	int fd = dial_is_lent(way) ? stock_connect(way) : dial_socket(&way->host, way_server(way));
	if (fd == -EAGAIN && dial_is_lent(way))
		return fd;
	way_count(way, COUNTER_CONNECTS);
	if (fd < 0 || !is_own_listener(way, fd))
		return fd;
	close(fd);
	return -ELOOP;
}

int dial_connect(struct way *way)
{
	int fd = connect_host(way);
	if (fd >= 0 || (fd == -EAGAIN && dial_is_lent(way)))
		return fd;
	if (fd == -ELOOP)
		dial_pass_over(way, ENDING_LOOP, "the host is the gateway itself");
	else if (fd == -EAFNOSUPPORT && dial_is_lent(way))
		dial_pass_over(way, ENDING_HOST_UNFIT,
			"bind client: the host is of another IP version than the client");
	else
		dial_failed(way, dial_ending(-fd), strerror(-fd));
	return fd == -EAGAIN ? -EADDRNOTAVAIL : fd;
}

void dial_connected(struct way *way, int fd)
{
	histogram_add(&way->process->child->histograms[HISTOGRAM_CONNECT], HISTOGRAM_CONNECT,
		(way_now_ms(way) - way->attempt_ms) * 1000);
	/* What the server says is answered soon: its acknowledgement goes with the answer. Not
	 * before the handshake is done, or that would wait for data, too. */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
}

/* By which the server's log knows the connection. */
static void note_own_end(struct way *way, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		endpoint_decode((struct sockaddr *)&sa, len, &way->gateway);
}

void dial_taken(struct way *way, int fd)
{
	way->connected_ms = way_now_ms(way);
	way->connect_ms = (uint32_t)(way->connected_ms - way->attempt_ms);
	note_own_end(way, fd);
	histogram_add(&way->process->child->histograms[HISTOGRAM_GREETING], HISTOGRAM_GREETING,
		(uint64_t)way->connect_ms * 1000);
	choose_worked(way);
	choose_end(way);
}

/* One host. True: it may be tried; false: the next one, please. */
static bool may_try(struct way *way)
{
	char words[64];

	way->attempt_ms = way_now_ms(way);
	if (is_loop(way)) {
		dial_pass_over(way, ENDING_LOOP, "the host is on the client's own network");
		return false;
	}
	const char *refusal = way->to_original ? dial_original_refusal(&way->original.addr) : NULL;
	if (refusal) {
		snprintf(words, sizeof(words), "the original is %s", refusal);
		dial_pass_over(way, ENDING_HOST_UNFIT, words);
		return false;
	}
	enum ending over = charge_host(way);
	if (over == ENDING_NONE)
		return true;
	choose_skip_host(way);
	dial_pass_over(way, over, "");
	return false;
}

void dial_first(struct way *way)
{
	way->first_end_ms = way_now_ms(way) + dial_deadlines_of(way).first_ms;
	attempts_begin(way);
	choose_begin(way);
}

bool dial_next(struct way *way)
{
	charge_drop_host(way);
	while (way_now_ms(way) < way->first_end_ms && choose_next(way)) {
		if (may_try(way))
			return true;
		charge_drop_host(way);
	}
	return false;
}

enum ending dial_give_up(struct way *way)
{
	if (!attempts_last(way->attempts))
		attempts_note_unfit(way);
	memset(&way->host, 0, sizeof(way->host));
	choose_end(way);
	charge_drop_server(way);
	return attempts_ending(way->attempts);
}
