#include "daemon/relay/accept.h"

#include "daemon/flow/origin.h"
#include "daemon/relay/answer.h"
#include "daemon/relay/carry.h"
#include "daemon/log.h"
#include "daemon/relay/match.h"
#include "daemon/relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Taken from a listener for one event; the rest of the backlog comes with the next one. */
#define ACCEPTS_A_ROUND 64
#define PAUSE_MS        100
#define SAID_EVERY_MS   60000

static void on_listener(struct loop_watch *watch, uint32_t events);
static void on_resume(struct loop_timer *timer, uint64_t now_ms);

static void init_listener(struct relay *relay, int fd)
{
	struct accept_listener *listener = &relay->accept.listeners[relay->accept.nlisteners++];
	listener->relay = relay;
	listener->watch.fd = fd;
	listener->watch.on_event = on_listener;
	/* inherited by every client's socket, which saves five calls for each */
	carry_keep_alive(fd);
	if (relay->accept.reserve < 0)
		relay->accept.reserve = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void accept_init(struct relay *relay)
{
	relay->accept.reserve = -1;
	relay->accept.resume.on_time = on_resume;
	relay->accept.nlisteners = 0;
	for (size_t i = 0; i < relay->start->nlisteners; i++)
		init_listener(relay, relay->start->listeners[i]);
}

static void watch_listeners(struct relay *relay, bool on)
{
	struct accept *accept = &relay->accept;
	if (accept->watched == on)
		return;
	accept->watched = on;
	for (size_t i = 0; i < accept->nlisteners; i++) {
		struct loop_watch *watch = &accept->listeners[i].watch;
		if (watch->fd >= 0 && on)
			loop_add(relay->loop, watch, EPOLLIN);
		else if (watch->fd >= 0)
			loop_del(relay->loop, watch);
	}
}

void accept_start(struct relay *relay)
{
	if (!relay->child.draining)
		watch_listeners(relay, true);
}

void accept_stop(struct relay *relay)
{
	watch_listeners(relay, false);
	loop_timer_clear(relay->loop, &relay->accept.resume);
	relay->accept.paused = false;
}

void accept_fini(struct relay *relay)
{
	accept_stop(relay);
	for (size_t i = 0; i < relay->accept.nlisteners; i++) {
		struct loop_watch *watch = &relay->accept.listeners[i].watch;
		if (watch->fd >= 0)
			close(watch->fd);
		watch->fd = -1;
	}
	if (relay->accept.reserve >= 0)
		close(relay->accept.reserve);
	relay->accept.reserve = -1;
}

void accept_resume(struct relay *relay)
{
	if (!relay->accept.paused)
		return;
	relay->accept.paused = false;
	loop_timer_clear(relay->loop, &relay->accept.resume);
	accept_start(relay);
}

static void on_resume(struct loop_timer *timer, uint64_t now_ms)
{
	struct accept *accept =
		(struct accept *)(void *)((char *)timer - offsetof(struct accept, resume));
	(void)now_ms;
	accept_resume(accept->listeners[0].relay);
}

static void say_shortage(struct relay *relay, const char *what)
{
	uint64_t now_ms = loop_now_ms(relay->loop);
	struct accept *accept = &relay->accept;
	if (accept->shortage_said_ms && now_ms < accept->shortage_said_ms + SAID_EVERY_MS)
		return;
	accept->shortage_said_ms = now_ms;
	log_warning("accepting pauses with %u flows: %s", flow_count(&relay->table), what);
}

/* Without a descriptor the connection would wait in the backlog unheard. The reserve takes one of
 * them and resets it, so that its client hears at once; the others wait for a flow to end. */
static void pause_accepting(struct relay *relay, int listener, int error)
{
	struct accept *accept = &relay->accept;
	if ((error == EMFILE || error == ENFILE) && accept->reserve >= 0) {
		close(accept->reserve);
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			relay_count(relay, counter_of_ending(ENDING_NO_DESCRIPTOR));
			close(fd); /* by RST: SO_LINGER of the listener */
		}
		accept->reserve = fcntl(listener, F_DUPFD_CLOEXEC, 0);
	}
	say_shortage(relay, strerror(error));
	relay_count(relay, COUNTER_ACCEPT_PAUSED);
	accept->paused = true;
	watch_listeners(relay, false);
	loop_timer_set(relay->loop, &accept->resume, loop_now_ms(relay->loop) + PAUSE_MS);
}

/* Full: the client hears it, if its socket takes the line at once, and is gone. */
static void turn_away(struct relay *relay, int fd)
{
	const struct ending_reply *reply = ending_reply_of(ENDING_TABLE_FULL);
	const struct linger soft = {.l_onoff = 0};
	char line[SMTP_LINE_SIZE];

	size_t len = smtp_reply_format(line, reply->code, reply->enhanced, relay_name(relay),
		reply->text, ids_take(&relay->ways));
	if (send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &soft, sizeof(soft));
	close(fd);
	relay_count(relay, counter_of_ending(ENDING_TABLE_FULL));
	say_shortage(relay, "the table of flows is full");
}

static void take_client(struct relay *relay, int fd, const void *peer, size_t peer_len)
{
	struct origin origin;

	relay_count(relay, COUNTER_FLOWS_ACCEPTED);
	if (origin_ask(fd, peer, peer_len, &origin) < 0) {
		close(fd); /* it is gone again */
		return;
	}
	struct flow *flow = flow_new(relay, fd);
	if (!flow) {
		turn_away(relay, fd);
		return;
	}
	flow->way.client = origin.client;
	flow->way.original = origin.original;
	/* The listener itself was spoken to: not steered by our table, and never a relay. */
	if (origin.original.port == relay->start->options.relay_port)
		flow_end(flow, ENDING_LOOP, true);
	else
		match_flow(flow, &origin);
	/* what was sent to another process at once was never watched here */
	bool stays = flow->state != FLOW_DONE && (flow->state != FLOW_HAND || flow->waits);
	if (stays && flow_watch_client(flow) < 0)
		flow_end(flow, ENDING_NO_MEMORY, true);
}

static void on_listener(struct loop_watch *watch, uint32_t events)
{
	struct relay *relay = ((struct accept_listener *)watch)->relay;
	(void)events;
	for (unsigned i = 0; i < ACCEPTS_A_ROUND; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		int fd = accept4(
			watch->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_client(relay, fd, &peer, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_accepting(relay, watch->fd, errno);
		if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO)
			return;
	}
}
