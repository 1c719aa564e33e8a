/* c-ares keeps the sockets, the ids and the retries; what an answer says is read by dns_read(). It
 * has no thread here: each of its sockets is a watch, and its next timeout is the one timer. */
#include "daemon/health/resolve.h"

#include "daemon/log.h"
#include "lib/counter.h"

#include <ares.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>

#define SOCKETS_MAX 128 /* c-ares opens a few for each server */
#define TIMEOUT_MS  1500
#define TRIES       3
#define EDNS_BYTES  1232 /* fits every path: nothing is fragmented */
#define CLASS_IN    1

struct resolve {
	struct loop *loop;
	uint64_t *counters;
	resolve_done *done;
	void *context;
	ares_channel channel;
	struct loop_timer timer;
	struct socket_watch {
		struct loop_watch watch; /* first; fd -1: free */
		struct resolve *resolve;
	} sockets[SOCKETS_MAX];
};

/* An answer finds its question by this; c-ares calls back exactly once. */
struct question {
	struct resolve *resolve;
	uint32_t id;
	enum dns_type type;
	char name[DNS_NAME_SIZE];
};

static void set_timer(struct resolve *resolve)
{
	struct timeval tv;
	if (!ares_timeout(resolve->channel, NULL, &tv)) {
		loop_timer_clear(resolve->loop, &resolve->timer);
		return;
	}
	uint64_t wait_ms = (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1;
	loop_timer_set(resolve->loop, &resolve->timer, loop_now_ms(resolve->loop) + wait_ms);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct resolve *resolve =
		(struct resolve *)(void *)((char *)timer - offsetof(struct resolve, timer));
	(void)now_ms;
	ares_process_fd(resolve->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(resolve);
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct resolve *resolve = ((struct socket_watch *)watch)->resolve;
	ares_socket_t fd = watch->fd;
	bool broken = events & (EPOLLERR | EPOLLHUP);

	/* the watch may be another's when this returns */
	ares_process_fd(resolve->channel, events & EPOLLIN || broken ? fd : ARES_SOCKET_BAD,
		events & EPOLLOUT || broken ? fd : ARES_SOCKET_BAD);
	set_timer(resolve);
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
	struct resolve *resolve = context;
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
		return COUNTER_DNS_FAILED;
	case DNS_MALFORMED:
		return COUNTER_DNS_MALFORMED;
	}
	return COUNTER_DNS_FAILED;
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
	memset(&answer, 0, sizeof(answer));
	answer.status = DNS_FAILED;
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
	snprintf(question->name, sizeof(question->name), "%s", name);
	resolve->counters[COUNTER_DNS_QUERIES]++;
	ares_query(resolve->channel, question->name, CLASS_IN, (int)type, on_answer, question);
	set_timer(resolve);
}

static int error_of(int status)
{
	return status == ARES_ENOMEM ? -ENOMEM : -EIO;
}

int resolve_open(struct loop *loop, uint64_t *counters, resolve_done *done, void *context,
	struct resolve **out)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));
	static char lookups[] = "b"; /* DNS only: no file is opened later */
	struct ares_options options = {.flags = ARES_FLAG_EDNS,
		.timeout = TIMEOUT_MS,
		.tries = TRIES,
		.ednspsz = EDNS_BYTES,
		.lookups = lookups,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = resolve};

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
		resolve->sockets[i].resolve = resolve;
	}
	int status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&resolve->channel, &options,
			ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
				ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		log_error("cannot set up DNS: %s", ares_strerror(status));
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
	ares_destroy(resolve->channel);
	ares_library_cleanup();
	loop_timer_clear(resolve->loop, &resolve->timer);
	free(resolve);
}
