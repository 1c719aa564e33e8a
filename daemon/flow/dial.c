#include "daemon/flow/dial.h"

#include "daemon/flow/charge.h"
#include "daemon/flow/choose.h"
#include "daemon/flow/stock.h"
#include "daemon/own_address.h"
#include "daemon/relay/relay.h"
#include "lib/choice.h"
#include "lib/target.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct policy_server *server_of(const struct flow *flow)
{
	return flow->server_index < 0 ? NULL : &flow->policy->servers[flow->server_index];
}

struct dial_deadlines dial_deadlines_of(const struct flow *flow)
{
	const struct policy_server *server = server_of(flow);
	if (!server)
		return (struct dial_deadlines){25000, 5000, 15000, 15 * 60 * 1000};
	return (struct dial_deadlines){
		server->first_ms, server->connect_ms, server->greeting_ms, server->idle_ms};
}

static uint64_t now(const struct flow *flow)
{
	return loop_now_ms(flow->relay->loop);
}

static uint64_t time_left(const struct flow *flow)
{
	return flow->first_end_ms > now(flow) ? flow->first_end_ms - now(flow) : 0;
}

uint32_t dial_may_connect_ms(const struct flow *flow)
{
	return choice_connect_ms(
		time_left(flow), choose_left(flow), dial_deadlines_of(flow).connect_ms);
}

uint32_t dial_may_greet_ms(const struct flow *flow)
{
	return choice_greeting_ms(
		time_left(flow), choose_left(flow), dial_deadlines_of(flow).greeting_ms);
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

void dial_pass_over(struct flow *flow, enum ending ending, const char *words)
{
	attempts_note(flow, ending, words);
}

/* The host's own fault, or on the way to it. What it says of one client is no news of the host:
 * else one that it does not take would take it from all; of hosts that take nobody, probes tell. */
void dial_failed(struct flow *flow, enum ending ending, const char *words)
{
	attempts_note(flow, ending, words);
	relay_count(flow->relay, COUNTER_CONNECTS_FAILED);
	if (ending_class_of(ending) == ENDING_CLASS_SERVER && ending != ENDING_OFFERS_XCLIENT &&
		ending != ENDING_IDENTITY_REFUSED)
		choose_failed(flow, *words ? words : ending_meanings[ending]);
}

/* A host beside the client: its mail would come back to us, or go past us. A zone without networks
 * holds every address behind its interface; of those only the client itself is known for sure. */
static bool is_loop(const struct flow *flow)
{
	const struct policy_zone *zone = &flow->policy->zones[flow->zone];
	if (addr_equal(&flow->host.addr, &flow->client_end.addr))
		return true;
	return zone->networks.n > 0 &&
	       policy_find_zone_of(flow->policy, flow->ifname, &flow->host.addr) == flow->zone;
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
static bool is_own_listener(const struct flow *flow, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint local;

	if (!flow->to_original && flow->host.port != flow->relay->start->options.relay_port)
		return false;
	return addr_is_loopback(&flow->host.addr) ||
	       getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ||
	       endpoint_decode((struct sockaddr *)&sa, len, &local) < 0 ||
	       addr_equal(&local.addr, &flow->host.addr);
}

static bool is_bound(const struct flow *flow)
{
	const struct policy_server *server = server_of(flow);
	return server && server->bind == POLICY_BIND_CLIENT;
}

/* The socket, or -errno. */
static int connect_host(struct flow *flow)
{
	int fd = is_bound(flow) ? stock_connect(flow) : dial_socket(&flow->host, server_of(flow));
	if (fd == -EAGAIN && is_bound(flow))
		return fd;
	relay_count(flow->relay, COUNTER_CONNECTS);
	if (fd < 0 || !is_own_listener(flow, fd))
		return fd;
	close(fd);
	return -ELOOP;
}

int dial_connect(struct flow *flow)
{
	int fd = connect_host(flow);
	if (fd >= 0 || (fd == -EAGAIN && is_bound(flow)))
		return fd;
	if (fd == -ELOOP)
		dial_pass_over(flow, ENDING_LOOP, "the host is the gateway itself");
	else if (fd == -EAFNOSUPPORT && is_bound(flow))
		dial_pass_over(flow, ENDING_HOST_UNFIT,
			"bind client: the host is of another IP version than the client");
	else
		dial_failed(flow, dial_ending(-fd), strerror(-fd));
	return fd == -EAGAIN ? -EADDRNOTAVAIL : fd;
}

void dial_connected(struct flow *flow, int fd)
{
	histogram_add(&flow->relay->child.histograms[HISTOGRAM_CONNECT], HISTOGRAM_CONNECT,
		(now(flow) - flow->attempt_ms) * 1000);
	/* What the server says is answered soon: its acknowledgement goes with the answer. Not
	 * before the handshake is done, or that would wait for data, too. */
	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
}

/* By which the server's log knows the connection. */
static void note_own_end(struct flow *flow, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
		endpoint_decode((struct sockaddr *)&sa, len, &flow->gateway);
}

void dial_taken(struct flow *flow, int fd)
{
	flow->connected_ms = now(flow);
	flow->connect_ms = (uint32_t)(flow->connected_ms - flow->attempt_ms);
	note_own_end(flow, fd);
	histogram_add(&flow->relay->child.histograms[HISTOGRAM_GREETING], HISTOGRAM_GREETING,
		(uint64_t)flow->connect_ms * 1000);
	choose_worked(flow);
	choose_end(flow);
}

/* One host. True: it may be tried; false: the next one, please. */
static bool may_try(struct flow *flow)
{
	char words[64];

	flow->attempt_ms = now(flow);
	if (is_loop(flow)) {
		dial_pass_over(flow, ENDING_LOOP, "the host is on the client's own network");
		return false;
	}
	const char *refusal =
		flow->to_original ? dial_original_refusal(&flow->original.addr) : NULL;
	if (refusal) {
		snprintf(words, sizeof(words), "the original is %s", refusal);
		dial_pass_over(flow, ENDING_HOST_UNFIT, words);
		return false;
	}
	enum ending over = charge_host(flow);
	if (over == ENDING_NONE)
		return true;
	choose_skip_host(flow);
	dial_pass_over(flow, over, "");
	return false;
}

void dial_first(struct flow *flow)
{
	flow->first_end_ms = now(flow) + dial_deadlines_of(flow).first_ms;
	choose_begin(flow);
}

bool dial_next(struct flow *flow)
{
	charge_drop_host(flow);
	while (now(flow) < flow->first_end_ms && choose_next(flow)) {
		if (may_try(flow))
			return true;
		charge_drop_host(flow);
	}
	return false;
}

enum ending dial_give_up(struct flow *flow)
{
	if (!flow->attempts)
		attempts_note_unfit(flow);
	memset(&flow->host, 0, sizeof(flow->host));
	choose_end(flow);
	charge_drop_server(flow);
	return attempts_ending(flow->attempts);
}
