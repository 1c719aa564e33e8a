/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/process/child.h"

#include "daemon/base/log.h"
#include "lib/base/container.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS       1000
#define LEAVE_LOOK_MS 5

bool child_hears(const struct child *child)
{
	return child->control && !child->leaving;
}

int child_send(struct child *child, const void *ipc)
{
	int error = child_hears(child) ? channel_send(child->control, ipc, -1) : -EPIPE;

	child_count(child, error ? COUNTER_IPC_LOST : COUNTER_IPC_SENT);
	return error;
}

void child_reply(struct child *child, const struct ipc_header *request, int status, uint32_t value,
	const char *text)
{
	struct ipc_reply ipc;

	if (request->seq == 0 || !child->control)
		return;
	ipc_init(&ipc, IPC_REPLY, sizeof(ipc));
	ipc.header.seq = request->seq;
	ipc.status = status;
	ipc.value = value;
	snprintf(ipc.text, sizeof(ipc.text), "%s", text);
	for (char *at = ipc.text; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	child_send(child, &ipc);
}

void child_send_counters(struct child *child)
{
	struct ipc_counters ipc;

	if (child->face->fill_counters)
		child->face->fill_counters(child);
	if (memcmp(child->counters, child->counters_sent, sizeof(child->counters)) == 0)
		return;
	/* all behind it is written below: no reason to zero that first, it is the largest ipc */
	ipc_init(&ipc, IPC_COUNTERS, offsetof(struct ipc_counters, v));
	ipc.header.bytes = sizeof(ipc);
	ipc.number = child->start->number;
	ipc.n = COUNTERS;
	memcpy(ipc.v, child->counters, sizeof(ipc.v));
	memcpy(ipc.histograms, child->histograms, sizeof(ipc.histograms));
	memcpy(child->counters_sent, child->counters, sizeof(child->counters));
	child_send(child, &ipc);
	/* sending counted itself: no reason to send again */
	child->counters_sent[COUNTER_IPC_SENT] = child->counters[COUNTER_IPC_SENT];
	child->counters_sent[COUNTER_IPC_LOST] = child->counters[COUNTER_IPC_LOST];
}

void child_pong(struct channel *keeper, const struct ipc_header *ping)
{
	struct ipc_plain pong;

	ipc_init(&pong, IPC_PONG, sizeof(pong));
	pong.header.seq = ping->seq;
	channel_send(keeper, &pong, -1);
}

void child_end(struct child *child)
{
	child->draining = true;
	loop_stop(child->loop);
}

static void on_tick(struct loop_timer *timer, uint64_t now_ms)
{
	struct child *child = container_of(timer, struct child, tick);

	/* what the face does may end the process, so the next one stands before */
	loop_timer_set(child->loop, timer, now_ms + TICK_MS);
	if (child->face->on_tick)
		child->face->on_tick(child);
	child_send_counters(child);
}

/* ---- control ---- */

static void on_control_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct child *child = context;
	const char *name = roles[child->start->role].name;
	char text[64];

	child_count(child, COUNTER_IPC_RECEIVED);
	switch (ipc->type) {
	case IPC_PING:
	case IPC_PONG:
		break;
	case IPC_LOG_LEVEL:
		log_set_level(((const struct ipc_log_level *)ipc)->level);
		child_reply(child, ipc, 0, 0, "");
		break;
	default:
		if (child->face->on_control(child, ipc, &fd))
			break;
		child_count(child, COUNTER_IPC_BAD);
		snprintf(text, sizeof(text), "not for %s", name);
		log_warning("control sent %s, which is %s", ipc_name(ipc->type), text);
		child_reply(child, ipc, -EOPNOTSUPP, 0, text);
	}
	if (fd >= 0)
		close(fd);
}

static void forget_control(struct child *child)
{
	channel_free(child->control);
	child->control = NULL;
	child->leaving = false;
	loop_timer_clear(child->loop, &child->leave);
	if (child->face->on_control_gone)
		child->face->on_control_gone(child);
}

/* Another control comes: what was said goes out, and from here on all waits for the next. The end
 * of the channel tells the old one that it has heard everything. */
static void leave_control(struct child *child)
{
	if (!child->control)
		return;
	child->leaving = true;
	if (channel_queued_bytes(child->control) == 0)
		forget_control(child);
	else
		loop_timer_set(
			child->loop, &child->leave, loop_now_ms(child->loop) + LEAVE_LOOK_MS);
}

static void on_leave(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	leave_control(container_of(timer, struct child, leave));
}

/* What it said stays; the keeper brings a new control. */
static void on_control_gone(void *context)
{
	struct child *child = context;

	if (!child->leaving && roles[child->start->role].told)
		log_warning("control is gone; going on with what it said");
	forget_control(child);
}

static const struct channel_handler control_handler = {on_control_ipc, on_control_gone};

static int open_control(struct child *child, int fd)
{
	child->control = channel_open(child->loop, fd, &control_handler, child);
	if (child->control)
		return 0;
	close(fd);
	return -ENOMEM;
}

static void take_control(struct child *child, int fd)
{
	forget_control(child);
	if (open_control(child, fd) < 0) {
		log_error("no memory for a new control");
		return;
	}
	memset(child->counters_sent, 0xff, sizeof(child->counters_sent));
	if (child->face->on_new_control)
		child->face->on_new_control(child);
}

static void hand_over(struct child *child)
{
	/* what control told before it answered the keeper is here already */
	if (child->control)
		channel_drain(child->control);
	if (child->face->on_hand_over)
		child->face->on_hand_over(child);
	child_send_counters(child);
	leave_control(child);
}

/* ---- the keeper ---- */

/* fd is taken over. */
static void take_peer(struct child *child, const struct ipc_peer *peer, int fd)
{
	if (fd < 0)
		return;
	if (peer->role == PROCESS_CONTROL)
		take_control(child, fd);
	else if (child->face->on_pair)
		child->face->on_pair(child, (enum process_role)peer->role, fd);
	else
		close(fd);
}

static void drain(struct child *child, uint32_t seconds)
{
	if (child->face->on_drain)
		child->face->on_drain(child, seconds);
	else
		child_end(child);
}

static void on_keeper_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct child *child = context;

	child_count(child, COUNTER_IPC_RECEIVED);
	switch (ipc->type) {
	case IPC_PING:
		child_pong(child->keeper, ipc);
		break;
	case IPC_PEER:
		take_peer(child, (const struct ipc_peer *)ipc, fd);
		fd = -1;
		break;
	case IPC_HAND_OVER:
		hand_over(child);
		break;
	case IPC_DRAIN:
		drain(child, ((const struct ipc_drain *)ipc)->seconds);
		break;
	default:
		if (child->face->on_keeper(child, ipc, &fd))
			break;
		child_count(child, COUNTER_IPC_BAD);
		log_warning("the keeper sent %s, which is not for %s", ipc_name(ipc->type),
			roles[child->start->role].name);
	}
	if (fd >= 0)
		close(fd);
}

static void on_keeper_gone(void *context)
{
	struct child *child = context;

	log_error("the keeper is gone");
	child->draining = false;
	loop_stop(child->loop);
}

static const struct channel_handler keeper_handler = {on_keeper_ipc, on_keeper_gone};

/* ---- its life ---- */

int child_open(
	struct child *child, const struct process_start *start, const struct child_face *face)
{
	child->start = start;
	child->face = face;
	child->tick.on_time = on_tick;
	child->leave.on_time = on_leave;
	child->loop = loop_new();
	if (!child->loop)
		return -ENOMEM;
	gethostname(child->machine, sizeof(child->machine) - 1);
	tzset(); /* reads its file now: later none can be opened */
	signal(SIGPIPE, SIG_IGN);
	child->keeper = channel_open(child->loop, start->keeper_fd, &keeper_handler, child);
	if (!child->keeper)
		return -ENOMEM;
	loop_timer_set(child->loop, &child->tick, loop_now_ms(child->loop) + TICK_MS);
	return start->control_fd < 0 ? 0 : open_control(child, start->control_fd);
}

int child_run(struct child *child, int error)
{
	if (error < 0)
		log_error("cannot set up: %s", strerror(-error));
	else if ((error = privilege_enter(roles[child->start->role].privileges)) < 0)
		log_error("cannot give up privileges: %s", strerror(-error));
	else if ((error = loop_run(child->loop)) < 0)
		log_error("cannot wait: %s", strerror(-error));
	return error == 0 && child->draining ? 0 : 1;
}

void child_fini(struct child *child)
{
	channel_free(child->control);
	/* the keeper kills whoever lives on without a channel */
	channel_free(child->keeper);
	if (child->loop)
		loop_free(child->loop);
	child->control = child->keeper = NULL;
	child->loop = NULL;
}
