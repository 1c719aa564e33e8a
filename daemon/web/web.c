/* The web process: it serves the page of all metrics by HTTP, as control made it. HTTP is hostile
 * input; nothing else is done here, and nothing secret is in its memory. */
#include "daemon/channel.h"
#include "daemon/log.h"
#include "daemon/web/http.h"
#include "daemon/process/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS  2000
#define ANSWER_MS 2000 /* shorter than any scraper waits */

struct web {
	struct loop *loop;
	struct channel *keeper;
	struct channel *control; /* NULL: gone; a new one comes */
	struct http *http;
	struct endpoint at;      /* family ADDR_NONE: control has not said where */
	int status;              /* of listening, as said last; 1: nothing was said */
	struct loop_timer retry; /* to listen */
	struct loop_timer late;  /* control has not answered */
	uint32_t seq;            /* of the question under way; 0: none */
	bool ended;              /* as asked */
};

#define WEB_OF(pointer, member) \
	((struct web *)(void *)((char *)(pointer)-offsetof(struct web, member)))

static void tell_state(struct web *web)
{
	struct message_metrics_state message;

	if (!web->control)
		return;
	message_init(&message, MESSAGE_METRICS_STATE, sizeof(message));
	message.at = web->at;
	message.status = web->status;
	channel_send(web->control, &message, -1);
}

static int ask(void *context)
{
	struct web *web = context;
	struct message_plain message;

	if (!web->control)
		return -ENOTCONN;
	message_init(&message, MESSAGE_METRICS_GET, sizeof(message));
	message.header.seq = web->seq = channel_next_seq(web->control);
	int error = channel_send(web->control, &message, -1);
	if (error) {
		web->seq = 0;
		return error;
	}
	loop_timer_set(web->loop, &web->late, loop_now_ms(web->loop) + ANSWER_MS);
	return 0;
}

/* What comes after that belongs to no question any more. */
static void give_up(struct web *web)
{
	if (!web->seq)
		return;
	web->seq = 0;
	loop_timer_clear(web->loop, &web->late);
	if (web->http)
		http_fail(web->http);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	log_debug("control has not answered for %d ms", ANSWER_MS);
	give_up(WEB_OF(timer, late));
}

/* Said once, until it changes; tried again until it works. */
static void listen_now(struct web *web)
{
	const struct http_face face = {web, ask};
	char text[ENDPOINT_TEXT_SIZE];
	int error = http_open(web->loop, &web->at, &face, &web->http);
	bool changed = error != web->status;

	web->status = error;
	if (error)
		loop_timer_set(web->loop, &web->retry, loop_now_ms(web->loop) + RETRY_MS);
	if (!changed)
		return;
	endpoint_format(&web->at, text);
	if (error)
		log_error("cannot listen on %s: %s; trying again", text, strerror(-error));
	else
		log_info("listening on %s", text);
	tell_state(web);
}

static void on_retry(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	listen_now(WEB_OF(timer, retry));
}

static void on_listen(struct web *web, const struct endpoint *at)
{
	if (web->status <= 0 && web->at.port == at->port && addr_equal(&web->at.addr, &at->addr)) {
		tell_state(web);
		return;
	}
	give_up(web);
	http_close(web->http);
	web->http = NULL;
	loop_timer_clear(web->loop, &web->retry);
	web->at = *at;
	web->status = 1;
	listen_now(web);
}

static void on_page(struct web *web, uint32_t seq, int fd)
{
	void *bytes;
	size_t len;

	if (fd < 0)
		return;
	int error = channel_map(fd, &bytes, &len);
	if (error) {
		log_error("control's page could not be read: %s", strerror(-error));
		give_up(web);
		return;
	}
	if (!seq || seq != web->seq || !web->http) {
		munmap(bytes, len);
		return;
	}
	web->seq = 0;
	loop_timer_clear(web->loop, &web->late);
	http_page(web->http, bytes, len);
}

static void on_control_message(void *context, const struct message_header *message, int fd)
{
	struct web *web = context;

	if (message->type == MESSAGE_METRICS_PAGE) {
		on_page(web, message->seq, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	switch (message->type) {
	case MESSAGE_METRICS_LISTEN:
		on_listen(web, &((const struct message_metrics_listen *)message)->at);
		break;
	case MESSAGE_REPLY:
		if (message->seq == web->seq)
			give_up(web);
		break;
	case MESSAGE_LOG_LEVEL:
		log_set_level(((const struct message_log_level *)message)->level);
		break;
	default:
		log_warning("control sent %s, which is not for web",
			message_name((enum message_type)message->type));
	}
}

static void on_control_gone(void *context)
{
	struct web *web = context;

	channel_free(web->control);
	web->control = NULL;
	give_up(web);
}

static const struct channel_handler control_handler = {on_control_message, on_control_gone};

static int open_control(struct web *web, int fd)
{
	web->control = channel_open(web->loop, fd, &control_handler, web);
	if (web->control)
		return 0;
	close(fd);
	return -ENOMEM;
}

static void take_peer(struct web *web, int fd)
{
	if (fd < 0)
		return;
	if (web->control)
		on_control_gone(web);
	if (open_control(web, fd) < 0)
		log_error("no memory for a new control");
}

static void on_keeper_message(void *context, const struct message_header *message, int fd)
{
	struct web *web = context;
	struct message_plain pong;

	if (message->type == MESSAGE_PEER) {
		take_peer(web, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (message->type == MESSAGE_PING) {
		message_init(&pong, MESSAGE_PONG, sizeof(pong));
		pong.header.seq = message->seq;
		channel_send(web->keeper, &pong, -1);
	} else if (message->type == MESSAGE_DRAIN) {
		web->ended = true;
		loop_stop(web->loop);
	} else {
		log_warning("the keeper sent %s, which is not for web",
			message_name((enum message_type)message->type));
	}
}

static void on_keeper_gone(void *context)
{
	struct web *web = context;
	log_error("the keeper is gone");
	loop_stop(web->loop);
}

static const struct channel_handler keeper_handler = {on_keeper_message, on_keeper_gone};

static int set_up(struct web *web, const struct process_start *start)
{
	signal(SIGPIPE, SIG_IGN);
	tzset();
	web->status = 1;
	web->retry.on_time = on_retry;
	web->late.on_time = on_late;
	web->loop = loop_new();
	if (!web->loop)
		return -ENOMEM;
	web->keeper = channel_open(web->loop, start->keeper_fd, &keeper_handler, web);
	if (!web->keeper)
		return -ENOMEM;
	int error = open_control(web, start->control_fd);
	return error ? error : privilege_enter(roles[PROCESS_WEB].privileges);
}

int web_main(const struct process_start *start)
{
	struct web *web = calloc(1, sizeof(*web));

	if (!web)
		return 1;
	int error = set_up(web, start);
	if (error)
		log_error("cannot set up: %s", strerror(-error));
	else if ((error = loop_run(web->loop)) < 0)
		log_error("cannot wait: %s", strerror(-error));
	bool ended = web->ended;
	http_close(web->http);
	channel_free(web->control);
	channel_free(web->keeper);
	if (web->loop)
		loop_free(web->loop);
	free(web);
	return error == 0 && ended ? 0 : 1;
}
