/* SPDX-License-Identifier: GPL-2.0-or-later */
/* c-ares keeps the sockets, the ids and the retries; what an answer says is read by dns_read(). It
 * has no thread here: each of its sockets is a watch, and its next timeout is the one timer.
 *
 * Of servers that refuse, or say that they have trouble, c-ares tries the next, and in the end does
 * not tell what they said. So a question that failed without a timeout is asked once more through a
 * channel that takes the first answer as it is: it says why. */
#include "daemon/health/names/resolve.h"

#include "daemon/base/log.h"
#include "lib/base/container.h"
#include "lib/metrics/counter.h"

#include <ares.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

#define SOCKETS_MAX 128 /* c-ares opens a few for each server */
#define TIMEOUT_MS  1500
#define EDNS_BYTES  1232 /* fits every path: nothing is fragmented */
#define CLASS_IN    1

enum { CHECKED, PLAIN, CHANNELS };

struct resolve {
	struct loop *loop;
	uint64_t *counters;
	resolve_done *done;
	void *context;
	struct channel_of {
		struct resolve *resolve;
		ares_channel channel;
	} channels[CHANNELS];
	struct loop_timer timer;
	struct socket_watch {
		struct loop_watch watch; /* first; fd -1: free */
		const struct channel_of *of;
	} sockets[SOCKETS_MAX];
};

/* An answer finds its question by this; c-ares calls back exactly once. */
struct question {
	struct resolve *resolve;
	uint32_t id;
	enum dns_type type;
	bool is_plain; /* asked for the second time */
	char name[DNS_NAME_SIZE];
};

static void set_timer(struct resolve *resolve)
{
	struct timeval room, *tv = NULL;
	for (unsigned i = 0; i < CHANNELS; i++)
		tv = ares_timeout(resolve->channels[i].channel, tv, &room);
	if (!tv) {
		loop_timer_clear(resolve->loop, &resolve->timer);
		return;
	}
	uint64_t wait_ms = (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000 + 1;
	loop_timer_set(resolve->loop, &resolve->timer, loop_now_ms(resolve->loop) + wait_ms);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct resolve *resolve = container_of(timer, struct resolve, timer);
	(void)now_ms;
	for (unsigned i = 0; i < CHANNELS; i++)
		ares_process_fd(resolve->channels[i].channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(resolve);
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	const struct channel_of *of = ((struct socket_watch *)watch)->of;
	ares_socket_t fd = watch->fd;
	bool broken = events & (EPOLLERR | EPOLLHUP);

	/* the watch may be another's when this returns */
	ares_process_fd(of->channel, events & EPOLLIN || broken ? fd : ARES_SOCKET_BAD,
		events & EPOLLOUT || broken ? fd : ARES_SOCKET_BAD);
	set_timer(of->resolve);
}

static struct socket_watch *find_socket(struct resolve *resolve, int fd)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (resolve->sockets[i].watch.fd == fd)
			return &resolve->sockets[i];
	return NULL;
}

/* c-ares says what it waits for on a socket; nothing: it is about to close it. */
static void on_socket(void *context, ares_socket_t fd, int readable, int writable)
{
	const struct channel_of *of = context;
	struct resolve *resolve = of->resolve;
	struct socket_watch *known = find_socket(resolve, fd);
	uint32_t events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);

	if (known && !events) {
		loop_del(resolve->loop, &known->watch);
		known->watch.fd = -1;
	} else if (known) {
		loop_change(resolve->loop, &known->watch, events);
	} else if (events) {
		known = find_socket(resolve, -1);
		if (!known) /* its questions run into their timeout */
			return;
		known->watch.fd = fd;
		known->of = of;
		if (loop_add(resolve->loop, &known->watch, events) < 0)
			known->watch.fd = -1;
	}
}

static unsigned counter_of(enum dns_status status)
{
	switch (status) {
	case DNS_GOOD:
		return COUNTER_DNS_ANSWERS;
	case DNS_NO_NAME:
	case DNS_NO_DATA:
		return COUNTER_DNS_NEGATIVE;
	case DNS_FAILED:
	case DNS_REFUSED:
	case DNS_TROUBLED:
		return COUNTER_DNS_FAILED;
	case DNS_MALFORMED:
		return COUNTER_DNS_MALFORMED;
	}
	return COUNTER_DNS_FAILED;
}

/* What c-ares says in place of an answer, after it has tried every server. */
static enum dns_status status_of(int status)
{
	switch (status) {
	case ARES_EREFUSED:
		return DNS_REFUSED;
	case ARES_ESERVFAIL:
	case ARES_ENOTIMP:
	case ARES_EFORMERR:
		return DNS_TROUBLED;
	default:
		return DNS_FAILED;
	}
}

static void on_answer(void *context, int status, int timeouts, unsigned char *bytes, int len);

static void ask(struct question *question)
{
	struct resolve *resolve = question->resolve;
	ares_query(resolve->channels[question->is_plain ? PLAIN : CHECKED].channel, question->name,
		CLASS_IN, (int)question->type, on_answer, question);
	set_timer(resolve);
}

static void on_answer(void *context, int status, int timeouts, unsigned char *bytes, int len)
{
	struct question *question = context;
	struct resolve *resolve = question->resolve;
	struct dns_answer answer;

	(void)timeouts;
	if (status == ARES_EDESTRUCTION) {
		free(question);
		return;
	}
	if (status == ARES_ECONNREFUSED && !question->is_plain) {
		question->is_plain = true;
		ask(question);
		return;
	}
	memset(&answer, 0, sizeof(answer));
	answer.status = status_of(status);
	if (bytes && len > 0)
		dns_read(bytes, (size_t)len, question->name, question->type, &answer);
	else
		log_debug("DNS: %s: %s", question->name, ares_strerror(status));
	resolve->counters[counter_of(answer.status)]++;
	resolve->done(resolve->context, question->id, &answer);
	free(question);
}

void resolve_ask(struct resolve *resolve, uint32_t id, const char *name, enum dns_type type)
{
	struct question *question = malloc(sizeof(*question));
	struct dns_answer nothing = {.status = DNS_FAILED};

	if (!question || !dns_is_host_name(name)) {
		free(question);
		resolve->counters[COUNTER_DNS_FAILED]++;
		resolve->done(resolve->context, id, &nothing);
		return;
	}
	question->resolve = resolve;
	question->id = id;
	question->type = type;
	question->is_plain = false;
	snprintf(question->name, sizeof(question->name), "%s", name);
	resolve->counters[COUNTER_DNS_QUERIES]++;
	ask(question);
}

static int error_of(int status)
{
	return status == ARES_ENOMEM ? -ENOMEM : -EIO;
}

static int open_channel(struct resolve *resolve, unsigned i, unsigned tries)
{
	static char lookups[] = "b"; /* DNS only: no file is opened later */
	struct channel_of *of = &resolve->channels[i];
	struct ares_options options = {
		.flags = ARES_FLAG_EDNS | (i == PLAIN ? ARES_FLAG_NOCHECKRESP : 0),
		.timeout = TIMEOUT_MS,
		.tries = (int)tries,
		.ednspsz = EDNS_BYTES,
		.lookups = lookups,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = of};

	of->resolve = resolve;
	return ares_init_options(&of->channel, &options,
		ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
			ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
}

int resolve_open(struct loop *loop, uint64_t *counters, unsigned tries, resolve_done *done,
	void *context, struct resolve **out)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (!resolve)
		return -ENOMEM;
	resolve->loop = loop;
	resolve->counters = counters;
	resolve->done = done;
	resolve->context = context;
	resolve->timer.on_time = on_time;
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		resolve->sockets[i].watch.fd = -1;
		resolve->sockets[i].watch.on_event = on_event;
	}
	int status = ares_library_init(ARES_LIB_INIT_ALL);
	for (unsigned i = 0; status == ARES_SUCCESS && i < CHANNELS; i++)
		status = open_channel(resolve, i, tries);
	if (status != ARES_SUCCESS) {
		log_error("cannot set up DNS: %s", ares_strerror(status));
		ares_destroy(resolve->channels[CHECKED].channel); /* NULL is allowed */
		free(resolve);
		return error_of(status);
	}
	*out = resolve;
	return 0;
}

void resolve_close(struct resolve *resolve)
{
	if (!resolve)
		return;
	for (unsigned i = 0; i < CHANNELS; i++)
		ares_destroy(resolve->channels[i].channel);
	ares_library_cleanup();
	loop_timer_clear(resolve->loop, &resolve->timer);
	free(resolve);
}
