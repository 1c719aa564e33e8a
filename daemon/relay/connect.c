#include "daemon/relay/connect.h"

#include "daemon/relay/announce.h"
#include "daemon/relay/answer.h"
#include "daemon/own_address.h"
#include "daemon/flow/stock.h"
#include "daemon/flow/charge.h"
#include "daemon/flow/choose.h"
#include "daemon/relay/greeting.h"
#include "daemon/relay/question.h"
#include "daemon/relay/relay.h"
#include "lib/target.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct policy_server *server_of(const struct flow *flow)
{
	return flow->server_index < 0 ? NULL : &flow->policy->servers[flow->server_index];
}

struct connect_deadlines connect_deadlines_of(const struct flow *flow)
{
	const struct policy_server *server = server_of(flow);
	if (!server)
		return (struct connect_deadlines){25000, 5000, 15000, 15 * 60 * 1000};
	return (struct connect_deadlines){
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

uint32_t connect_may_connect_ms(const struct flow *flow)
{
	return choice_connect_ms(
		time_left(flow), choose_left(flow), connect_deadlines_of(flow).connect_ms);
}

uint32_t connect_may_greet_ms(const struct flow *flow)
{
	return choice_greeting_ms(
		time_left(flow), choose_left(flow), connect_deadlines_of(flow).greeting_ms);
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

int connect_socket(const struct endpoint *end, const struct policy_server *server)
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

static struct flow_attempts *attempts_of(struct flow *flow)
{
	if (!flow->attempts) {
		flow->attempts = pool_take(&flow->relay->table.attempts);
		if (flow->attempts)
			flow->attempts->n = flow->attempts->left_off = 0;
		if (flow->attempts)
			flow->attempts->said.ending = ENDING_NONE;
	}
	return flow->attempts;
}

/* The first ones and the last one are kept: that tells most. */
static void note_attempt(struct flow *flow, enum ending ending, const char *words)
{
	struct flow_attempts *attempts = attempts_of(flow);
	if (!attempts)
		return;
	if (attempts->n < IPC_ATTEMPTS_MAX)
		attempts->n++;
	else
		attempts->left_off++;
	struct ipc_attempt *attempt = &attempts->v[attempts->n - 1];
	memset(attempt, 0, sizeof(*attempt));
	attempt->host = flow->host;
	attempt->ms = (uint32_t)(now(flow) - flow->attempt_ms);
	attempt->ending = (uint16_t)ending;
	snprintf(attempt->reply, sizeof(attempt->reply), "%s", words);
	if ((ending == ENDING_GREETING_REFUSED || ending == ENDING_IDENTITY_REFUSED) && *words)
		attempts->said = *attempt;
}

/* No host may be tried at all: the record says why, of each. */
static void note_unfit(struct flow *flow)
{
	const struct choose_list *list = flow->choice;
	flow->attempt_ms = now(flow);
	for (size_t i = 0; list && i < list->n; i++) {
		const struct ipc_target *target = &list->v[i];
		flow->host = (struct endpoint){.port = target->port};
		if (target->naddresses > 0)
			flow->host.addr = target->addresses[0];
		note_attempt(flow, ENDING_HOST_UNFIT,
			choice_refusal(target, flow->client_end.addr.family));
	}
}

/* What several failures come to. */
static enum ending ending_of(const struct flow_attempts *attempts)
{
	bool all_over = true;
	if (!attempts || attempts->n == 0)
		return ENDING_NO_SERVER;
	if (attempts->n == 1)
		return attempts->v[0].ending;
	for (uint32_t i = 0; i < attempts->n; i++)
		all_over &= attempts->v[i].ending == ENDING_OVER_FLOWS_SERVER;
	return all_over && !attempts->left_off ? ENDING_OVER_FLOWS_SERVER : ENDING_NO_SERVER;
}

/* Of an original there is no other host that might take the mail: what it says in place of a
 * greeting is as final for the client as it means it. */
static void pass_refusal_on(struct flow *flow, const char *words)
{
	unsigned long code = strtoul(words, NULL, 10);
	char text[IPC_TEXT_SIZE];

	snprintf(text, sizeof(text), "the mail server refuses: %s", words);
	answer_begin(flow, ENDING_GREETING_REFUSED, (unsigned)code, code < 500 ? "4.3.2" : "5.3.2",
		text);
}

/* No host is left: the client hears why, in the words of the last server that said any. */
static void give_up(struct flow *flow)
{
	char text[IPC_TEXT_SIZE];

	if (!flow->attempts)
		note_unfit(flow);
	memset(&flow->host, 0, sizeof(flow->host));
	choose_end(flow);
	charge_drop_server(flow);
	const struct flow_attempts *attempts = flow->attempts;
	enum ending ending = ending_of(attempts);
	const struct ending_reply *reply = ending_reply_of(ending);
	if (!reply)
		reply = ending_reply_of(ENDING_NO_SERVER);
	bool quote = attempts && attempts->said.ending != ENDING_NONE;
	if (quote && flow->to_original) {
		pass_refusal_on(flow, attempts->said.reply);
		return;
	}
	if (quote)
		snprintf(text, sizeof(text), "%s: %s", ending_reply_of(attempts->said.ending)->text,
			attempts->said.reply);
	else
		snprintf(text, sizeof(text), "%s", reply->text);
	answer_begin(flow, ending, reply->code, reply->enhanced, text);
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

const char *connect_original_refusal(const struct addr *original)
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

/* Begins to connect to flow->host, or to wait for a socket to do it with. 0, or why not (errno). */
static int connect_host(struct flow *flow)
{
	int fd =
		is_bound(flow) ? stock_connect(flow) : connect_socket(&flow->host, server_of(flow));
	if (fd == -EAGAIN && is_bound(flow)) {
		if (flow->state != FLOW_BIND)
			flow_set(flow, FLOW_BIND);
		return 0;
	}
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
 * this gateway, and asking each would double the connections it sees. With `announce xclient` every
 * flow asks for itself. */
static enum host_standing standing(struct flow *flow)
{
	const struct policy_server *server = server_of(flow);
	if (!server || server->announce == POLICY_ANNOUNCE_XCLIENT || choose_was_asked(flow))
		return HOST_USE;
	struct host *host = host_of(&flow->relay->hosts, server, &flow->host);
	if (!host)
		return HOST_NEVER;
	flow->host_asked = host;
	enum host_standing standing = host_standing(host, now(flow));
	if (standing == HOST_ASK_FIRST || host_due(host, now(flow)))
		question_begin(flow, host, connect_may_connect_ms(flow),
			connect_deadlines_of(flow).greeting_ms);
	return standing;
}

/* Noted, but no reason to think less of the host. */
static bool pass_over(struct flow *flow, enum ending ending, const char *words)
{
	note_attempt(flow, ending, words);
	return false;
}

/* The host's own fault, or on the way to it. What it says of one client is no news of the host:
 * else one that it does not take would take it from all; of hosts that take nobody, probes tell. */
static void note_failure(struct flow *flow, enum ending ending, const char *words)
{
	note_attempt(flow, ending, words);
	relay_count(flow->relay, COUNTER_CONNECTS_FAILED);
	if (ending_class_of(ending) == ENDING_CLASS_SERVER && ending != ENDING_OFFERS_XCLIENT &&
		ending != ENDING_IDENTITY_REFUSED)
		choose_failed(flow, *words ? words : ending_meanings[ending]);
}

/* Connects to the host at hand. False: it could not even be tried. */
static bool dial(struct flow *flow)
{
	int error = connect_host(flow);
	if (error == ELOOP)
		return pass_over(flow, ENDING_LOOP, "the host is the gateway itself");
	if (error == EAFNOSUPPORT && is_bound(flow))
		return pass_over(flow, ENDING_HOST_UNFIT,
			"bind client: the host is of another IP version than the client");
	if (error)
		note_failure(flow, connect_ending(error), strerror(error));
	return error == 0;
}

/* The host at hand. False: it could not even be tried. */
static bool ask_or_dial(struct flow *flow)
{
	switch (standing(flow)) {
	case HOST_ASK_FIRST:
		flow_set(flow, FLOW_ASK);
		return true;
	case HOST_NEVER:
		if (!flow->host_asked)
			return pass_over(flow, ENDING_HOST_UNFIT, "too many hosts");
		return pass_over(
			flow, (enum ending)flow->host_asked->refusal, flow->host_asked->text);
	case HOST_USE:
		break;
	}
	return dial(flow);
}

/* One host. True: the flow waits for it; false: the next one, please. */
static bool try_host(struct flow *flow)
{
	char words[64];

	flow->attempt_ms = now(flow);
	flow->host_asked = NULL;
	if (is_loop(flow))
		return pass_over(flow, ENDING_LOOP, "the host is on the client's own network");
	const char *refusal =
		flow->to_original ? connect_original_refusal(&flow->original.addr) : NULL;
	if (refusal) {
		snprintf(words, sizeof(words), "the original is %s", refusal);
		return pass_over(flow, ENDING_HOST_UNFIT, words);
	}
	enum ending over = charge_host(flow);
	if (over != ENDING_NONE) {
		choose_skip_host(flow);
		return pass_over(flow, over, "");
	}
	return ask_or_dial(flow);
}

static void try_next(struct flow *flow)
{
	charge_drop_host(flow);
	while (now(flow) < flow->first_end_ms && choose_next(flow)) {
		if (try_host(flow))
			return;
		charge_drop_host(flow);
	}
	give_up(flow);
}

void connect_begin(struct flow *flow)
{
	flow->first_end_ms = now(flow) + connect_deadlines_of(flow).first_ms;
	choose_begin(flow);
	try_next(flow);
}

void connect_failed(struct flow *flow, enum ending ending, const char *words)
{
	flow_drop_server(flow);
	note_failure(flow, ending, words);
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
	histogram_add(&flow->relay->child.histograms[HISTOGRAM_CONNECT], HISTOGRAM_CONNECT,
		(now(flow) - flow->attempt_ms) * 1000);
	/* What the server says is answered soon: its acknowledgement goes with the answer. Not
	 * before the handshake is done, or that would wait for data, too. */
	setsockopt(flow->server.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){0}, sizeof(int));
	announce_begin(flow);
	if (flow->state == FLOW_GREETING && flow->down.readable)
		greeting_run(flow);
	else if (flow->state == FLOW_ANNOUNCE)
		announce_run(flow);
}

void connect_on_deadline(struct flow *flow)
{
	if (flow->state == FLOW_BIND) {
		pass_over(flow, ENDING_HOST_UNFIT, stock_words(flow));
		try_next(flow);
		return;
	}
	bool connected = flow->state == FLOW_ASK && flow->host_asked->step != HOST_CONNECTING;
	connect_failed(flow, connected ? ENDING_GREETING_TIMEOUT : ENDING_CONNECT_TIMEOUT,
		flow->state == FLOW_ASK ? "the host could not be asked in time" : "");
}

struct answered {
	const struct host *host;
	enum ending ending;
	const char *words;
	const struct endpoint *client;
};

static bool go_on(struct flow *flow, void *context)
{
	const struct answered *answered = context;
	const struct endpoint *client = answered->client;
	bool other = client && !(client->port == flow->client_end.port &&
				       addr_equal(&client->addr, &flow->client_end.addr));

	if (flow->state != FLOW_ASK || flow->host_asked != answered->host)
		return false;
	if (answered->ending != ENDING_NONE && !other)
		connect_failed(flow, answered->ending, answered->words);
	else if (!(other ? ask_or_dial(flow) : dial(flow)))
		try_next(flow);
	return true;
}

void connect_on_host(struct relay *relay, const struct host *host, enum ending ending,
	const char *words, const struct endpoint *client)
{
	struct answered answered = {host, ending, words, client};
	flow_each(&relay->table, go_on, &answered);
}

static bool dial_again(struct flow *flow, void *context)
{
	(void)context;
	if (flow->state != FLOW_BIND)
		return false;
	if (!dial(flow))
		try_next(flow);
	return true;
}

void connect_on_socket(struct relay *relay)
{
	flow_each(&relay->table, dial_again, NULL);
}
