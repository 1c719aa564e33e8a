/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/web/metrics.h"

#include "daemon/base/log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define RETRY_MS  2000
#define ANSWER_MS 2000 /* shorter than any scraper waits */

static void tell_state(struct metrics *metrics)
{
	struct ipc_metrics_state ipc;

	ipc_init(&ipc, IPC_METRICS_STATE, sizeof(ipc));
	ipc.at = metrics->at;
	ipc.status = metrics->status;
	child_send(metrics->child, &ipc);
}

static int ask(void *context)
{
	struct metrics *metrics = context;
	struct ipc_plain ipc;

	if (!child_hears(metrics->child))
		return -ENOTCONN;
	ipc_init(&ipc, IPC_METRICS_GET, sizeof(ipc));
	ipc.header.seq = metrics->seq = channel_next_seq(metrics->child->control);
	int error = child_send(metrics->child, &ipc);
	if (error) {
		metrics->seq = 0;
		return error;
	}
	loop_timer_set(metrics->child->loop, &metrics->late,
		loop_now_ms(metrics->child->loop) + ANSWER_MS);
	return 0;
}

/* What comes after that belongs to no question any more. */
void metrics_give_up(struct metrics *metrics)
{
	if (!metrics->seq)
		return;
	metrics->seq = 0;
	loop_timer_clear(metrics->child->loop, &metrics->late);
	if (metrics->http)
		http_fail(metrics->http);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	log_debug("control has not answered for %d ms", ANSWER_MS);
	metrics_give_up(container_of(timer, struct metrics, late));
}

/* Said once, until it changes; tried again until it works. */
static void listen_now(struct metrics *metrics)
{
	const struct http_face face = {metrics, ask};
	char text[ENDPOINT_TEXT_SIZE];
	int error = http_open(metrics->child->loop, &metrics->at, &face, &metrics->http);
	bool changed = error != metrics->status;

	metrics->status = error;
	if (error)
		loop_timer_set(metrics->child->loop, &metrics->retry,
			loop_now_ms(metrics->child->loop) + RETRY_MS);
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
	listen_now(container_of(timer, struct metrics, retry));
}

static void on_listen(struct metrics *metrics, const struct endpoint *at)
{
	if (metrics->status <= 0 && metrics->at.port == at->port &&
		addr_equal(&metrics->at.addr, &at->addr)) {
		tell_state(metrics);
		return;
	}
	metrics_give_up(metrics);
	http_close(metrics->http);
	metrics->http = NULL;
	loop_timer_clear(metrics->child->loop, &metrics->retry);
	metrics->at = *at;
	metrics->status = 1;
	if (at->addr.family != ADDR_NONE)
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
		metrics_give_up(metrics);
		return;
	}
	if (!seq || seq != metrics->seq || !metrics->http) {
		munmap(bytes, len);
		return;
	}
	metrics->seq = 0;
	loop_timer_clear(metrics->child->loop, &metrics->late);
	http_page(metrics->http, bytes, len);
}

bool metrics_take(struct metrics *metrics, const struct ipc_header *ipc, int *fd)
{
	switch (ipc->type) {
	case IPC_METRICS_PAGE:
		on_page(metrics, ipc->seq, *fd);
		*fd = -1;
		return true;
	case IPC_METRICS_LISTEN:
		on_listen(metrics, &((const struct ipc_metrics_listen *)ipc)->at);
		return true;
	case IPC_REPLY:
		if (!metrics->seq || ipc->seq != metrics->seq)
			return false;
		metrics_give_up(metrics);
		return true;
	default:
		return false;
	}
}

void metrics_init(struct metrics *metrics, struct child *child)
{
	metrics->child = child;
	metrics->status = 1;
	metrics->retry.on_time = on_retry;
	metrics->late.on_time = on_late;
}

void metrics_fini(struct metrics *metrics)
{
	http_close(metrics->http);
}
