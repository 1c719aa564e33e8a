/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/question.h"
#include "lib/base/container.h"
#include "lib/ipc/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than the keeper takes for a plan of the largest policy, shorter than an operator waits. */
#define ANSWER_MS 20000
_Static_assert(2 * QUESTION_BEGIN_MS <= ANSWER_MS, "what was begun in time is done in time");

void questions_init(struct questions *asks, struct loop *loop, struct channel *channel)
{
	*asks = (struct questions){.loop = loop, .channel = channel};
}

static void unlink_ask(struct question *ask)
{
	struct question **at = &ask->asks->first;
	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	loop_timer_clear(ask->asks->loop, &ask->timer);
	ask->next = NULL;
	ask->asks = NULL;
}

void questions_fini(struct questions *asks)
{
	asks->channel = NULL;
	while (asks->first) {
		struct question *ask = asks->first;
		unlink_ask(ask);
		ask->on_answer(ask, NULL);
	}
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct question *ask = container_of(timer, struct question, timer);
	(void)now_ms;
	unlink_ask(ask);
	ask->late = true;
	ask->on_answer(ask, NULL);
}

void question_send(struct questions *asks, struct question *ask, void *ipc, int fd)
{
	struct ipc_header *header = ipc;
	ask->late = false;
	if (!asks->channel) {
		ask->on_answer(ask, NULL);
		return;
	}
	header->seq = ask->seq = channel_next_seq(asks->channel);
	if (channel_send(asks->channel, ipc, fd) < 0) {
		ask->on_answer(ask, NULL);
		return;
	}
	ask->asks = asks;
	ask->next = asks->first;
	asks->first = ask;
	ask->timer.on_time = on_time;
	loop_timer_set(asks->loop, &ask->timer, loop_now_ms(asks->loop) + ANSWER_MS);
}

void question_cancel(struct question *ask)
{
	if (ask->asks)
		unlink_ask(ask);
}

bool question_is_last(const struct ipc_header *ipc)
{
	return ipc->type == IPC_REPLY || ipc->type == IPC_NEIGHBOUR ||
	       ipc->type == IPC_KERNEL_COUNTERS;
}

bool questions_on_ipc(struct questions *asks, const struct ipc_header *ipc)
{
	if (!ipc->seq)
		return false;
	struct question *ask = asks->first;
	while (ask && ask->seq != ipc->seq)
		ask = ask->next;
	if (!ask)
		return false;
	if (question_is_last(ipc))
		unlink_ask(ask);
	else /* whoever is still telling is alive */
		loop_timer_set(asks->loop, &ask->timer, loop_now_ms(asks->loop) + ANSWER_MS);
	ask->on_answer(ask, ipc);
	return true;
}

bool question_is_unanswered(int status)
{
	return status == -EPIPE || status == -ETIME;
}

void gather_init(struct gather *gather, void (*done)(struct gather *gather))
{
	*gather = (struct gather){.missing = 1, .done = done};
}

void gather_add(struct gather *gather)
{
	gather->missing++;
}

void gather_end(struct gather *gather, int status, const char *text)
{
	if (status && !gather->status) {
		gather->status = status;
		snprintf(gather->text, sizeof(gather->text), "%s",
			text && *text ? text : strerror(-status));
	}
	if (--gather->missing == 0)
		gather->done(gather);
}

struct gathered {
	struct question ask;
	struct gather *gather;
	bool may_die;
};

static void on_gathered(struct question *ask, const struct ipc_header *ipc)
{
	struct gathered *gathered = (struct gathered *)ask;
	struct gather *gather = gathered->gather;
	bool forgiven = gathered->may_die && !ask->late;
	if (ipc && !question_is_last(ipc))
		return;
	free(gathered);
	if (ipc && ipc->type == IPC_REPLY) {
		const struct ipc_reply *reply = (const struct ipc_reply *)ipc;
		gather_end(gather, reply->status, reply->text);
	} else {
		gather_end(gather, ipc || forgiven ? 0 : -EPIPE, "another process did not answer");
	}
}

static void send_part(
	struct gather *gather, struct questions *asks, void *ipc, int fd, bool may_die)
{
	struct gathered *gathered = calloc(1, sizeof(*gathered));
	gather_add(gather);
	if (!gathered) {
		gather_end(gather, -ENOMEM, NULL);
		return;
	}
	gathered->ask.on_answer = on_gathered;
	gathered->gather = gather;
	gathered->may_die = may_die;
	question_send(asks, &gathered->ask, ipc, fd);
}

void gather_send(struct gather *gather, struct questions *asks, void *ipc, int fd)
{
	send_part(gather, asks, ipc, fd, false);
}

void gather_try(struct gather *gather, struct questions *asks, void *ipc, int fd)
{
	send_part(gather, asks, ipc, fd, true);
}
