#include "daemon/question.h"

#include "daemon/announce.h"
#include "daemon/connect.h"
#include "daemon/log.h"
#include "daemon/relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* For the server's 221; without a QUIT its log would complain. */
#define QUIT_MS       5000
#define SAID_EVERY_MS 60000

#define CONTAINER(member_pointer, member) \
	((struct host *)(void *)((char *)(member_pointer)-offsetof(struct host, member)))

void question_stop(struct host *host)
{
	if (host->step == HOST_QUIET)
		return;
	loop_timer_clear(host->relay->loop, &host->deadline);
	if (host->watch.fd >= 0) {
		loop_del(host->relay->loop, &host->watch);
		close(host->watch.fd);
	}
	host->watch.fd = -1;
	host->step = HOST_QUIET;
	host->asking = false;
}

/* The one writer of the step; also sets its deadline. */
static void set_step(struct host *host, enum host_step step, uint32_t within_ms)
{
	struct loop *loop = host->relay->loop;
	host->step = (uint8_t)step;
	smtp_reply_init(&host->reply);
	loop_timer_set(loop, &host->deadline, loop_now_ms(loop) + within_ms);
}

/* No answer: the flows that wait take it as a failed attempt; the next flow asks again. */
static void fail(struct host *host, enum ending ending, const char *words)
{
	struct relay *relay = host->relay;
	bool asking = host->asking;
	char end[ENDPOINT_TEXT_SIZE];

	question_stop(host);
	if (!asking)
		return;
	uint64_t now_ms = loop_now_ms(relay->loop);
	if (host->said_ms == 0 || now_ms >= host->said_ms + SAID_EVERY_MS) {
		host->said_ms = now_ms;
		log_warning("server %s host %s cannot be asked: %s%s%s", host->server,
			endpoint_format(&host->end, end), ending_name(ending), *words ? ": " : "",
			words);
	}
	connect_on_host(relay, host, ending, words);
}

static void tell_control(struct host *host)
{
	struct message_host message;
	message_init(&message, MESSAGE_HOST, sizeof(message));
	message.host = host->end;
	message.kind = MESSAGE_HOST_ASKED;
	message.usable = host->answer == HOST_GOOD;
	snprintf(message.server, sizeof(message.server), "%s", host->server);
	snprintf(message.text, sizeof(message.text), "%s", host->text);
	relay_send(host->relay, &message);
}

static const char *offer_words(unsigned offers)
{
	if (!(offers & SMTP_OFFER_XCLIENT))
		return "offers XFORWARD to the gateway";
	return offers & SMTP_OFFER_XFORWARD ? "offers XCLIENT and XFORWARD to the gateway"
					    : "offers XCLIENT to the gateway";
}

/* The EHLO was answered; 5xx is a host without any extension. */
static void answer(struct host *host)
{
	struct relay *relay = host->relay;
	unsigned bad = host->reply.offers & (SMTP_OFFER_XCLIENT | SMTP_OFFER_XFORWARD);
	char end[ENDPOINT_TEXT_SIZE];

	host->asked_ms = loop_now_ms(relay->loop);
	host->asking = false;
	host->answer = bad ? HOST_REFUSED : HOST_GOOD;
	snprintf(host->text, sizeof(host->text), "%s", bad ? offer_words(bad) : "");
	if (bad) {
		relay_count(relay, COUNTER_HOSTS_REFUSED);
		log_warning("server %s host %s %s and is not used", host->server,
			endpoint_format(&host->end, end), host->text);
	}
	tell_control(host);
	connect_on_host(relay, host, bad ? ENDING_OFFERS_XCLIENT : ENDING_NONE, host->text);
}

static bool say(struct host *host, const void *bytes, size_t len)
{
	return send(host->watch.fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static void say_ehlo(struct host *host)
{
	char line[RELAY_NAME_SIZE + 8];
	snprintf(line, sizeof(line), "EHLO %s\r\n", relay_name(host->relay));
	set_step(host, HOST_EHLO, host->greeting_ms);
	if (!say(host, line, strlen(line)))
		fail(host, ENDING_GREETING_CLOSED, "");
}

static void on_reply(struct host *host)
{
	char words[SMTP_REPLY_WORDS_SIZE];
	unsigned class = host->reply.code / 100;

	smtp_reply_words(&host->reply, words);
	switch ((enum host_step)host->step) {
	case HOST_GREETING:
		if (host->reply.code == 220)
			say_ehlo(host);
		else
			fail(host, ENDING_GREETING_REFUSED, words);
		break;
	case HOST_EHLO:
		if (class != 2 && class != 5) {
			fail(host, ENDING_GREETING_REFUSED, words);
			break;
		}
		answer(host);
		set_step(host, HOST_QUIT, QUIT_MS);
		if (!say(host, "QUIT\r\n", 6))
			question_stop(host);
		break;
	case HOST_QUIT:
		question_stop(host);
		break;
	case HOST_QUIET:
	case HOST_CONNECTING:
		break;
	}
}

/* False: the question is over. */
static bool read_bytes(struct host *host, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t used = 0;
		switch (smtp_reply_feed(&host->reply, bytes, len, &used)) {
		case SMTP_REPLY_MORE:
			return true;
		case SMTP_REPLY_DONE:
			on_reply(host);
			break;
		case SMTP_REPLY_MALFORMED:
			fail(host, ENDING_GREETING_MALFORMED, "not SMTP");
			break;
		case SMTP_REPLY_TOO_LONG:
			fail(host, ENDING_GREETING_MALFORMED, "reply too long");
			break;
		}
		if (host->step == HOST_QUIET)
			return false;
		bytes += used;
		len -= used;
	}
	return true;
}

static void read_host(struct host *host)
{
	uint8_t bytes[2048];
	ssize_t n;
	do {
		n = recv(host->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			fail(host, ENDING_GREETING_CLOSED, n < 0 ? strerror(errno) : "");
	} while (n > 0 && read_bytes(host, bytes, (size_t)n));
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct host *host = CONTAINER(watch, watch);
	if (host->step == HOST_CONNECTING) {
		int error = 0;
		if (events & (EPOLLERR | EPOLLHUP))
			error = connect_error(watch->fd);
		if (error) {
			fail(host, connect_ending(error), strerror(error));
			return;
		}
		if (!(events & EPOLLOUT))
			return;
		set_step(host, HOST_GREETING, host->greeting_ms);
		loop_change(host->relay->loop, watch, EPOLLIN);
		if (host->header_len > 0 && !say(host, host->header, host->header_len)) {
			fail(host, ENDING_GREETING_CLOSED, "");
			return;
		}
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_host(host);
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct host *host = CONTAINER(timer, deadline);
	(void)now_ms;
	if (host->step == HOST_QUIT)
		question_stop(host);
	else if (host->step != HOST_CONNECTING)
		fail(host, ENDING_GREETING_TIMEOUT, "");
	else if (host->watch.fd < 0)
		fail(host, connect_ending(host->error), strerror(host->error));
	else
		fail(host, ENDING_CONNECT_TIMEOUT, "");
}

void question_begin(struct flow *flow, struct host *host, uint32_t connect_ms, uint32_t greeting_ms)
{
	struct relay *relay = flow->relay;
	const struct policy_server *server = &flow->policy->servers[flow->server_index];

	if (host->asking)
		return;
	question_stop(host);
	host->relay = relay;
	host->watch.on_event = on_event;
	host->deadline.on_time = on_deadline;
	host->greeting_ms = greeting_ms;
	host->header_len = (uint16_t)announce_header(flow, host->header);
	snprintf(host->server, sizeof(host->server), "%s", server->name.text);
	relay_count(relay, COUNTER_HOSTS_ASKED);
	host->asking = true;
	int fd = connect_socket(&host->end, server);
	host->watch.fd = fd < 0 ? -1 : fd;
	host->error = fd < 0 ? -fd : 0;
	if (fd >= 0)
		loop_add(relay->loop, &host->watch, EPOLLIN | EPOLLOUT);
	/* without a socket the deadline is now */
	set_step(host, HOST_CONNECTING, fd < 0 ? 0 : connect_ms);
}
