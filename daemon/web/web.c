/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The web process: it serves the page of all metrics by HTTP, as control made it. HTTP is hostile
 * input; nothing else is done here, and nothing secret is in its memory. */
#include "lib/ipc/web.h"
#include "daemon/base/log.h"
#include "daemon/process/child.h"
#include "daemon/web/http.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RETRY_MS  2000
#define ANSWER_MS 2000 /* shorter than any scraper waits */

struct web {
	struct child child;
	struct http *http;
	struct endpoint at;      /* family ADDR_NONE: control has not said where */
	int status;              /* of listening, as said last; 1: nothing was said */
	struct loop_timer retry; /* to listen */
	struct loop_timer late;  /* control has not answered */
	uint32_t seq;            /* of the question under way; 0: none */
};

/* of its child */
#define WEB(pointer) ((struct web *)(pointer))
_Static_assert(offsetof(struct web, child) == 0, "web begins with its child");

static void tell_state(struct web *web)
{
	struct ipc_metrics_state ipc;

	ipc_init(&ipc, IPC_METRICS_STATE, sizeof(ipc));
	ipc.at = web->at;
	ipc.status = web->status;
	child_send(&web->child, &ipc);
}

static int ask(void *context)
{
	struct web *web = context;
	struct ipc_plain ipc;

	if (!child_hears(&web->child))
		return -ENOTCONN;
	ipc_init(&ipc, IPC_METRICS_GET, sizeof(ipc));
	ipc.header.seq = web->seq = channel_next_seq(web->child.control);
	int error = child_send(&web->child, &ipc);
	if (error) {
		web->seq = 0;
		return error;
	}
	loop_timer_set(web->child.loop, &web->late, loop_now_ms(web->child.loop) + ANSWER_MS);
	return 0;
}

/* What comes after that belongs to no question any more. */
static void give_up(struct web *web)
{
	if (!web->seq)
		return;
	web->seq = 0;
	loop_timer_clear(web->child.loop, &web->late);
	if (web->http)
		http_fail(web->http);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	log_debug("control has not answered for %d ms", ANSWER_MS);
	give_up(container_of(timer, struct web, late));
}

/* Said once, until it changes; tried again until it works. */
static void listen_now(struct web *web)
{
	const struct http_face face = {web, ask};
	char text[ENDPOINT_TEXT_SIZE];
	int error = http_open(web->child.loop, &web->at, &face, &web->http);
	bool changed = error != web->status;

	web->status = error;
	if (error)
		loop_timer_set(
			web->child.loop, &web->retry, loop_now_ms(web->child.loop) + RETRY_MS);
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
	listen_now(container_of(timer, struct web, retry));
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
	loop_timer_clear(web->child.loop, &web->retry);
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
	loop_timer_clear(web->child.loop, &web->late);
	http_page(web->http, bytes, len);
}

static bool on_control(struct child *child, const struct ipc_header *ipc, int *fd)
{
	struct web *web = WEB(child);

	switch (ipc->type) {
	case IPC_METRICS_PAGE:
		on_page(web, ipc->seq, *fd);
		*fd = -1;
		break;
	case IPC_METRICS_LISTEN:
		on_listen(web, &((const struct ipc_metrics_listen *)ipc)->at);
		break;
	case IPC_REPLY:
		if (ipc->seq == web->seq)
			give_up(web);
		break;
	default:
		return false;
	}
	return true;
}

static bool on_keeper(struct child *child, const struct ipc_header *ipc, int *fd)
{
	(void)child;
	(void)ipc;
	(void)fd;
	return false;
}

static void on_control_gone(struct child *child)
{
	give_up(WEB(child));
}

static int set_up(struct web *web, const struct process_start *start)
{
	static const struct child_face face = {.on_control = on_control,
		.on_keeper = on_keeper,
		.on_control_gone = on_control_gone};

	web->status = 1;
	web->retry.on_time = on_retry;
	web->late.on_time = on_late;
	return child_open(&web->child, start, &face);
}

int web_main(const struct process_start *start)
{
	struct web *web = calloc(1, sizeof(*web));

	if (!web)
		return 1;
	int status = child_run(&web->child, set_up(web, start));
	http_close(web->http);
	child_fini(&web->child);
	free(web);
	return status;
}
