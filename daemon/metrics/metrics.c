#include "daemon/metrics/metrics.h"

#include "daemon/channel.h"
#include "daemon/log.h"
#include "daemon/metrics/metrics_http.h"
#include "daemon/privilege.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS  2000
#define ANSWER_MS 2000 /* shorter than any scraper waits */

struct metrics {
	struct loop *loop;
	struct channel *keeper;
	struct channel *control; /* NULL: gone; a new one comes */
	struct metrics_http *http;
	struct endpoint at;      /* family ADDR_NONE: control has not said where */
	int status;              /* of listening, as said last; 1: nothing was said */
	struct loop_timer retry; /* to listen */
	struct loop_timer late;  /* control has not answered */
	uint32_t seq;            /* of the question under way; 0: none */
	bool ended;              /* as asked */
};

#define METRICS_OF(pointer, member) \
	((struct metrics *)(void *)((char *)(pointer)-offsetof(struct metrics, member)))

static void tell_state(struct metrics *metrics)
{
	struct message_metrics_state message;

	if (!metrics->control)
		return;
	message_init(&message, MESSAGE_METRICS_STATE, sizeof(message));
	message.at = metrics->at;
	message.status = metrics->status;
	channel_send(metrics->control, &message, -1);
}

static int ask(void *context)
{
	struct metrics *metrics = context;
	struct message_plain message;

	if (!metrics->control)
		return -ENOTCONN;
	message_init(&message, MESSAGE_METRICS_GET, sizeof(message));
	message.header.seq = metrics->seq = channel_next_seq(metrics->control);
	int error = channel_send(metrics->control, &message, -1);
	if (error) {
		metrics->seq = 0;
		return error;
	}
	loop_timer_set(metrics->loop, &metrics->late, loop_now_ms(metrics->loop) + ANSWER_MS);
	return 0;
}

/* What comes after that belongs to no question any more. */
static void give_up(struct metrics *metrics)
{
	if (!metrics->seq)
		return;
	metrics->seq = 0;
	loop_timer_clear(metrics->loop, &metrics->late);
	if (metrics->http)
		metrics_http_fail(metrics->http);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	log_debug("control has not answered for %d ms", ANSWER_MS);
	give_up(METRICS_OF(timer, late));
}

/* Said once, until it changes; tried again until it works. */
static void listen_now(struct metrics *metrics)
{
	const struct metrics_http_face face = {metrics, ask};
	char text[ENDPOINT_TEXT_SIZE];
	int error = metrics_http_open(metrics->loop, &metrics->at, &face, &metrics->http);
	bool changed = error != metrics->status;

	metrics->status = error;
	if (error)
		loop_timer_set(
			metrics->loop, &metrics->retry, loop_now_ms(metrics->loop) + RETRY_MS);
	if (!changed)
		return;
	endpoint_format(&metrics->at, text);
	if (error)
		log_error("cannot listen on %s: %s; trying again", text, strerror(-error));
	else
		log_info("listening on %s", text);
	tell_state(metrics);
}

static void on_retry(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	listen_now(METRICS_OF(timer, retry));
}

static void on_listen(struct metrics *metrics, const struct endpoint *at)
{
	if (metrics->status <= 0 && metrics->at.port == at->port &&
		addr_equal(&metrics->at.addr, &at->addr)) {
		tell_state(metrics);
		return;
	}
	give_up(metrics);
	metrics_http_close(metrics->http);
	metrics->http = NULL;
	loop_timer_clear(metrics->loop, &metrics->retry);
	metrics->at = *at;
	metrics->status = 1;
	listen_now(metrics);
}

static void on_page(struct metrics *metrics, uint32_t seq, int fd)
{
	void *bytes;
	size_t len;

	if (fd < 0)
		return;
	int error = channel_map(fd, &bytes, &len);
	if (error) {
		log_error("control's page could not be read: %s", strerror(-error));
		give_up(metrics);
		return;
	}
	if (!seq || seq != metrics->seq || !metrics->http) {
		munmap(bytes, len);
		return;
	}
	metrics->seq = 0;
	loop_timer_clear(metrics->loop, &metrics->late);
	metrics_http_page(metrics->http, bytes, len);
}

static void on_control_message(void *context, const struct message_header *message, int fd)
{
	struct metrics *metrics = context;

	if (message->type == MESSAGE_METRICS_PAGE) {
		on_page(metrics, message->seq, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	switch (message->type) {
	case MESSAGE_METRICS_LISTEN:
		on_listen(metrics, &((const struct message_metrics_listen *)message)->at);
		break;
	case MESSAGE_REPLY:
		if (message->seq == metrics->seq)
			give_up(metrics);
		break;
	case MESSAGE_LOG_LEVEL:
		log_set_level(((const struct message_log_level *)message)->level);
		break;
	default:
		log_warning("control sent %s, which is not for metrics",
			message_name((enum message_type)message->type));
	}
}

static void on_control_gone(void *context)
{
	struct metrics *metrics = context;

	channel_free(metrics->control);
	metrics->control = NULL;
	give_up(metrics);
}

static const struct channel_handler control_handler = {on_control_message, on_control_gone};

static int open_control(struct metrics *metrics, int fd)
{
	metrics->control = channel_open(metrics->loop, fd, &control_handler, metrics);
	if (metrics->control)
		return 0;
	close(fd);
	return -ENOMEM;
}

static void take_peer(struct metrics *metrics, int fd)
{
	if (fd < 0)
		return;
	if (metrics->control)
		on_control_gone(metrics);
	if (open_control(metrics, fd) < 0)
		log_error("no memory for a new control");
}

static void on_keeper_message(void *context, const struct message_header *message, int fd)
{
	struct metrics *metrics = context;
	struct message_plain pong;

	if (message->type == MESSAGE_PEER) {
		take_peer(metrics, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (message->type == MESSAGE_PING) {
		message_init(&pong, MESSAGE_PONG, sizeof(pong));
		pong.header.seq = message->seq;
		channel_send(metrics->keeper, &pong, -1);
	} else if (message->type == MESSAGE_DRAIN) {
		metrics->ended = true;
		loop_stop(metrics->loop);
	} else {
		log_warning("the keeper sent %s, which is not for metrics",
			message_name((enum message_type)message->type));
	}
}

static void on_keeper_gone(void *context)
{
	struct metrics *metrics = context;
	log_error("the keeper is gone");
	loop_stop(metrics->loop);
}

static const struct channel_handler keeper_handler = {on_keeper_message, on_keeper_gone};

static int set_up(struct metrics *metrics, const struct process_start *start)
{
	signal(SIGPIPE, SIG_IGN);
	tzset();
	metrics->status = 1;
	metrics->retry.on_time = on_retry;
	metrics->late.on_time = on_late;
	metrics->loop = loop_new();
	if (!metrics->loop)
		return -ENOMEM;
	metrics->keeper = channel_open(metrics->loop, start->keeper_fd, &keeper_handler, metrics);
	if (!metrics->keeper)
		return -ENOMEM;
	int error = open_control(metrics, start->control_fd);
	return error ? error : privilege_enter_metrics();
}

int metrics_main(const struct process_start *start)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return 1;
	int error = set_up(metrics, start);
	if (error)
		log_error("cannot set up: %s", strerror(-error));
	else if ((error = loop_run(metrics->loop)) < 0)
		log_error("cannot wait: %s", strerror(-error));
	bool ended = metrics->ended;
	metrics_http_close(metrics->http);
	channel_free(metrics->control);
	channel_free(metrics->keeper);
	if (metrics->loop)
		loop_free(metrics->loop);
	free(metrics);
	return error == 0 && ended ? 0 : 1;
}
