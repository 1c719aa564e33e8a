#include "daemon/connect.h"

#include "daemon/answer.h"
#include "daemon/charge.h"
#include "daemon/greeting.h"
#include "daemon/question.h"
#include "daemon/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connect_deadlines connect_deadlines_of(const struct flow *flow)
{
	if (flow->server_index < 0)
		return (struct connect_deadlines){25000, 5000, 15000, 15 * 60 * 1000};
	const struct policy_server *server = &flow->policy->servers[flow->server_index];
	return (struct connect_deadlines){
		server->first_ms, server->connect_ms, server->greeting_ms, server->idle_ms};
}

int connect_socket(const struct endpoint *end)
{
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(end, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (connect(fd, (const struct sockaddr *)&sa, len) == 0 || errno == EINPROGRESS)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

int connect_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

enum ending connect_ending(int error)
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

static uint64_t now(const struct flow *flow)
{
	return loop_now_ms(flow->relay->loop);
}

static void note_attempt(struct flow *flow, enum ending ending, const char *words)
{
	if (!flow->attempts) {
		flow->attempts = pool_take(&flow->relay->table.attempts);
		if (!flow->attempts)
			return;
		flow->attempts->n = 0;
	}
	/* the last ones tell most: with more than fit, the last place is written over */
	if (flow->attempts->n < MESSAGE_ATTEMPTS_MAX)
		flow->attempts->n++;
	struct message_attempt *attempt = &flow->attempts->v[flow->attempts->n - 1];
	memset(attempt, 0, sizeof(*attempt));
	attempt->host = flow->host;
	attempt->ms = (uint32_t)(now(flow) - flow->attempt_ms);
	attempt->ending = (uint16_t)ending;
	snprintf(attempt->reply, sizeof(attempt->reply), "%s", words);
	relay_count(flow->relay, COUNTER_CONNECTS_FAILED);
}

/* No host is left: the client hears why the last one failed, in the server's own words. */
static void give_up(struct flow *flow)
{
	const struct flow_attempts *attempts = flow->attempts;
	const struct message_attempt *last = NULL;
	char text[MESSAGE_TEXT_SIZE];
	enum ending ending = ENDING_NO_SERVER;

	if (attempts && attempts->n > 0)
		last = &attempts->v[attempts->n - 1];
	if (last && attempts->n == 1)
		ending = last->ending;
	const struct ending_reply *reply = ending_reply_of(ending);
	if (!reply)
		reply = ending_reply_of(ENDING_NO_SERVER);
	bool quote = last && last->ending == ENDING_GREETING_REFUSED && last->reply[0];
	snprintf(text, sizeof(text), "%s%s%s", reply->text, quote ? ": " : "",
		quote ? last->reply : "");
	answer_begin(flow, ending, reply->code, reply->enhanced, text);
}

/* The gateway's own listener, or a host beside the client: mail would come back to us (loop). A
 * zone without networks holds every address behind its interface; of those only the client itself
 * is known for sure. */
static bool is_loop(const struct flow *flow)
{
	const struct policy_zone *zone = &flow->policy->zones[flow->zone];
	if (addr_equal(&flow->host.addr, &flow->client_end.addr))
		return true;
	return zone->networks.n > 0 && policy_zone_has_port(zone, flow->host.port) &&
	       policy_find_zone_of(flow->policy, flow->ifname, &flow->host.addr) == flow->zone;
}

/* Own addresses connect from themselves. */
static bool is_own_listener(const struct flow *flow, int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct endpoint local;

	if (flow->host.port != flow->relay->start->options.relay_port)
		return false;
	return addr_is_loopback(&flow->host.addr) ||
	       getsockname(fd, (struct sockaddr *)&sa, &len) < 0 ||
	       endpoint_decode((struct sockaddr *)&sa, len, &local) < 0 ||
	       addr_equal(&local.addr, &flow->host.addr);
}

/* Begins to connect to flow->host. 0, or why not (errno). */
static int connect_host(struct flow *flow)
{
	int fd = connect_socket(&flow->host);
	relay_count(flow->relay, COUNTER_CONNECTS);
	if (fd < 0)
		return -fd;
	if (is_own_listener(flow, fd)) {
		close(fd);
		return ELOOP;
	}
	int rc = flow_watch_server(flow, fd);
	if (rc < 0) {
		close(fd);
		flow->server.fd = -1;
		return -rc;
	}
	flow_set(flow, FLOW_CONNECT);
	return 0;
}

/* Hosts of `server original` are not asked for XCLIENT: an Internet host has no reason to trust
 * this gateway, and asking each would double the connections it sees. */
static enum host_standing standing(struct flow *flow)
{
	struct relay *relay = flow->relay;
	if (flow->to_original)
		return HOST_USE;
	struct host *host = host_of(&relay->hosts, &flow->host);
	if (!host)
		return HOST_NEVER;
	flow->host_asked = host;
	enum host_standing standing = host_standing(host, now(flow));
	if (standing == HOST_ASK_FIRST || host_due(host, now(flow))) {
		struct connect_deadlines deadlines = connect_deadlines_of(flow);
		question_begin(relay, host, flow->policy->servers[flow->server_index].name.text,
			deadlines.connect_ms, deadlines.greeting_ms);
	}
	return standing;
}

/* One host. True: the flow waits for it; false: the next one, please. */
static bool try_host(struct flow *flow)
{
	flow->attempt_ms = now(flow);
	flow->host_asked = NULL;
	if (is_loop(flow)) {
		note_attempt(flow, ENDING_LOOP, "the host is on the client's own network");
		return false;
	}
	enum ending over = charge_host(flow);
	if (over != ENDING_NONE) {
		note_attempt(flow, over, "");
		return false;
	}
	switch (standing(flow)) {
	case HOST_ASK_FIRST:
		flow_set(flow, FLOW_ASK);
		return true;
	case HOST_NEVER:
		note_attempt(flow, ENDING_OFFERS_XCLIENT,
			flow->host_asked ? flow->host_asked->text : "too many hosts");
		return false;
	case HOST_USE:
		break;
	}
	int error = connect_host(flow);
	if (error == 0)
		return true;
	if (error == ELOOP)
		note_attempt(flow, ENDING_LOOP, "the host is the gateway itself");
	else
		note_attempt(flow, connect_ending(error), strerror(error));
	return false;
}

static void try_next(struct flow *flow)
{
	charge_drop_host(flow);
	while (now(flow) < flow->first_end_ms && host_choose(flow, &flow->host)) {
		if (try_host(flow))
			return;
		charge_drop_host(flow);
	}
	memset(&flow->host, 0, sizeof(flow->host));
	give_up(flow);
}

void connect_begin(struct flow *flow)
{
	flow->first_end_ms = now(flow) + connect_deadlines_of(flow).first_ms;
	try_next(flow);
}

void connect_failed(struct flow *flow, enum ending ending, const char *words)
{
	flow_drop_server(flow);
	note_attempt(flow, ending, words);
	try_next(flow);
}

void connect_on_server(struct flow *flow, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		int error = connect_error(flow->server.fd);
		/* no error: it connected and was closed at once, which reading will tell */
		if (error) {
			connect_failed(flow, connect_ending(error), strerror(error));
			return;
		}
	} else if (!(events & EPOLLOUT)) {
		return;
	}
	/* What the server says is answered soon: its acknowledgement goes with the answer. Not
	 * before the handshake is done, or that would wait for data, too. */
	setsockopt(flow->server.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
	flow_set(flow, FLOW_GREETING);
	if (flow->down.readable)
		greeting_run(flow);
}

void connect_on_deadline(struct flow *flow)
{
	connect_failed(flow, ENDING_CONNECT_TIMEOUT,
		flow->state == FLOW_ASK ? "the host could not be asked in time" : "");
}

struct answered {
	const struct host *host;
	enum ending ending;
	const char *words;
};

static bool go_on(struct flow *flow, void *context)
{
	const struct answered *answered = context;
	if (flow->state != FLOW_ASK || flow->host_asked != answered->host)
		return false;
	if (answered->ending != ENDING_NONE) {
		connect_failed(flow, answered->ending, answered->words);
		return true;
	}
	int error = connect_host(flow);
	if (error == ELOOP)
		connect_failed(flow, ENDING_LOOP, "the host is the gateway itself");
	else if (error)
		connect_failed(flow, connect_ending(error), strerror(error));
	return true;
}

void connect_on_host(struct relay *relay, struct host *host, enum ending ending, const char *words)
{
	struct answered answered = {.host = host, .ending = ending, .words = words};
	flow_each(&relay->table, go_on, &answered);
}
