/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admission, the privileged half: first packets go from the queue to control and wait for its word,
 * each with a deadline. Whatever happens, no packet waits longer: without a decision it goes on
 * undecided, and the table's second chain applies the zone's posture to it; or as one too many,
 * and is reset. What comes between control's end and the next one is dropped for a short time: its
 * client sends again, and meets the next one. Once a second what waits in the kernel is compared
 * with what is held here. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "kernel-rules/conntrack.h"
#include "lib/base/container.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define HOLD_MS    500
#define AGAIN_MS   10
#define CROWD      256  /* wait at a time */
#define PAUSE_MS   5000 /* a client sends its SYN again after 1 s and after 3 s */
#define LOOKS_MOST 3
#define AWAITED_MS 2000 /* for a control that is started anew, which takes far less */

struct client_change keeper_admit_change(const struct ipc_entry *entry)
{
	struct client_change change = {.add = entry->add,
		.client = {.addr = entry->source,
			.mark = entry->mark,
			.path = entry->path,
			.timeout_ms = entry->timeout_ms}};

	if (entry->has_mac)
		change.client.mac = entry->mac;
	memcpy(change.client.ifname, entry->ifname, sizeof(change.client.ifname));
	return change;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void set_deadline(struct keeper *keeper)
{
	const struct held_packet *oldest = held_packet_oldest(&keeper->held);

	if (oldest)
		loop_timer_set(keeper->loop, &keeper->held_end, oldest->until_ms);
	else
		loop_timer_clear(keeper->loop, &keeper->held_end);
}

/* Gives the kernel the verdict. One that it does not take is given again: its place in the queue
 * would stay taken. */
static void give(struct keeper *keeper, struct held_packet *held)
{
	int error = held->dropped ? queue_drop(keeper->queue, held->id)
				  : queue_verdict(keeper->queue, held->id, held->mark,
					    held->decision, held->path);
	if (error) {
		log_error("cannot give a queued packet its verdict: %s", strerror(-error));
		held->until_ms = loop_now_ms(keeper->loop) + AGAIN_MS;
		return;
	}
	held_packet_del(&keeper->held, held);
}

static void decide(struct keeper *keeper, struct held_packet *held, enum mark decision,
	uint16_t path, bool dropped)
{
	histogram_add(&keeper->admission, HISTOGRAM_ADMISSION, now_us() - held->since_us);
	held->decided = true;
	held->decision = decision;
	held->path = path;
	held->dropped = dropped;
	give(keeper, held);
}

/* No word in time. If few waited with it, control is down, and the zone's posture follows. If many
 * did, more came than it can decide, whether it is slow or stands still: over a limit is a reset,
 * or a flood would be a way round. */
static void give_up(struct keeper *keeper, struct held_packet *held)
{
	bool crowded = keeper->crowd_ms + HOLD_MS >= held->until_ms;

	keeper_event(keeper, crowded ? IPC_EVENT_ADMIT_SHED : IPC_EVENT_ADMIT_LATE,
		"no decision in %d ms", HOLD_MS);
	decide(keeper, held, crowded ? MARK_LIMITED : MARK_NONE, 0, false);
}

static void on_held_end(struct loop_timer *timer, uint64_t now_ms)
{
	struct keeper *keeper = container_of(timer, struct keeper, held_end);

	for (struct held_packet *held = held_packet_oldest(&keeper->held), *next; held;
		held = next) {
		next = held_packet_after(&keeper->held, held->id);
		if (held->until_ms > now_ms)
			break;
		if (held->decided)
			give(keeper, held);
		else
			give_up(keeper, held);
	}
	set_deadline(keeper);
	if (!keeper->held.n)
		keeper->face->on_none_held(keeper);
}

void keeper_admit_drop(struct keeper *keeper)
{
	for (struct held_packet *held = held_packet_oldest(&keeper->held), *next; held;
		held = next) {
		next = held_packet_after(&keeper->held, held->id);
		decide(keeper, held, MARK_NONE, 0, true);
	}
	set_deadline(keeper);
}

/* One that had not come up before gives no further time: the posture follows however often it is
 * started. */
void keeper_admit_on_control_end(struct keeper *keeper)
{
	if (keeper->control_ready && keeper->phase == KEEPER_RUNNING)
		keeper->awaited_ms = loop_now_ms(keeper->loop) + AWAITED_MS;
	keeper->control_ready = false;
	keeper_admit_drop(keeper);
}

/* Over a limit of ours: reset, whatever the posture. */
static void reset(struct keeper *keeper, const struct queue_packet *packet)
{
	queue_verdict(keeper->queue, packet->id, packet->mark, MARK_LIMITED, 0);
}

static void ask_control(
	struct keeper *keeper, const struct queue_packet *packet, const struct link *link)
{
	struct ipc_admit admit;
	struct held_packet *held = held_packet_add(&keeper->held, packet->id);

	if (!held) {
		keeper_event(keeper, IPC_EVENT_ADMIT_SHED, "too many wait");
		reset(keeper, packet);
		return;
	}
	held->mark = packet->mark;
	held->source = packet->packet.source;
	held->destination = packet->packet.destination;
	held->until_ms = loop_now_ms(keeper->loop) + HOLD_MS;
	held->since_us = now_us();
	if (keeper->held.n == 1)
		set_deadline(keeper);
	if (keeper->held.n > CROWD)
		keeper->crowd_ms = loop_now_ms(keeper->loop);
	ipc_init(&admit, IPC_ADMIT, sizeof(admit));
	admit.packet = packet->id;
	admit.ifindex = packet->ifindex;
	admit.source = packet->packet.source;
	admit.original = packet->packet.destination;
	admit.mac = packet->mac;
	memcpy(admit.ifname, link->name, sizeof(admit.ifname));
	keeper_child_send(&keeper->control, &admit, -1);
}

static bool is_awaited(struct keeper *keeper)
{
	return keeper->phase == KEEPER_RUNNING && loop_now_ms(keeper->loop) < keeper->awaited_ms;
}

static void on_packet(void *context, const struct queue_packet *packet)
{
	struct keeper *keeper = context;
	const struct link *link = links_find(keeper->links, packet->ifindex);

	if (!packet->is_read) {
		keeper_event(keeper, IPC_EVENT_ADMIT_MALFORMED,
			"a first packet could not be parsed: reset");
		reset(keeper, packet);
	} else if (!keeper->control_ready || !keeper->control.channel) {
		if (is_awaited(keeper))
			queue_drop(keeper->queue, packet->id);
		else
			queue_verdict(keeper->queue, packet->id, packet->mark, MARK_NONE, 0);
	} else if (!link) {
		/* it has just come: by the time that the client sends again it is known */
		queue_drop(keeper->queue, packet->id);
	} else {
		ask_control(keeper, packet, link);
	}
}

/* How many came. */
static int read_packets(struct keeper *keeper)
{
	int n = queue_read(keeper->queue);

	if (n < 0)
		log_error("cannot read the packet queue: %s", strerror(-n));
	for (uint64_t overruns = queue_overruns(keeper->queue); keeper->overruns < overruns;
		keeper->overruns++)
		keeper_event(keeper, IPC_EVENT_QUEUE_OVERRUN, "packets were lost");
	return n;
}

static void on_queue(struct loop_watch *watch, uint32_t events)
{
	(void)events;
	read_packets(container_of(watch, struct keeper, queue_watch));
}

/* ---- the kernel's picture of the queue ---- */

/* The kernel's own words: number, port of the reader, waiting, copy mode, copy range, dropped for a
 * full queue, dropped for a slow reader, last id. */
static bool read_queue(const struct keeper *keeper, struct keeper_queue *queue)
{
	char text[4096];
	unsigned mode, range;

	if (keeper->queue_stats < 0)
		return false;
	ssize_t len = pread(keeper->queue_stats, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (sscanf(line, "%u %u %u %u %u %u %u %" SCNu32, &queue->number, &queue->port,
			    &queue->waiting, &mode, &range, &queue->dropped, &queue->user_dropped,
			    &queue->last_id) == 8 &&
			queue->number == keeper->options.queue)
			return true;
	}
	return false;
}

/* Nothing can be told of packets that are still on their way to us: so the queue's socket is empty
 * before the kernel is asked, and still is behind it. In a flood another try may find it so. */
bool keeper_admit_look(struct keeper *keeper, struct keeper_queue *queue)
{
	for (int i = 0; keeper->queue_read && i < LOOKS_MOST; i++) {
		if (read_packets(keeper) < 0 || !read_queue(keeper, queue))
			return false;
		if (read_packets(keeper) != 0)
			continue;
		queue->strange = queue->waiting > keeper->held.n
					 ? queue->waiting - (unsigned)keeper->held.n
					 : 0;
		return true;
	}
	return false;
}

/* What is nobody's would take its place in the queue for ever. It is older than all that is held,
 * or the last that came. */
void keeper_admit_tick(struct keeper *keeper)
{
	struct keeper_queue queue;

	if (!keeper_admit_look(keeper, &queue) || !queue.strange)
		return;
	const struct held_packet *oldest = held_packet_oldest(&keeper->held);
	int error = queue_drop_up_to(keeper->queue, oldest ? oldest->id - 1 : queue.last_id);
	keeper_event(keeper, IPC_EVENT_QUEUE_STUCK, "%u packets in the queue were nobody's: %s",
		queue.strange, error ? strerror(-error) : "dropped");
}

static void on_read_end(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	log_warning("control is not back in time: what waits in the queue goes on undecided");
	keeper_admit_resume(container_of(timer, struct keeper, queue_read_end));
}

static void set_read_end(struct keeper *keeper)
{
	loop_timer_set(keeper->loop, &keeper->queue_read_end, loop_now_ms(keeper->loop) + PAUSE_MS);
}

int keeper_admit_open(struct keeper *keeper, int fd)
{
	const struct process_options *options = &keeper->options;

	keeper->held_end.on_time = on_held_end;
	keeper->queue_read_end.on_time = on_read_end;
	int error = fd < 0 ? queue_open(&keeper->queue, options->queue, options->mark_mask,
				     options->server_mask, on_packet, keeper)
			   : queue_adopt(&keeper->queue, fd, options->queue, options->mark_mask,
				     options->server_mask, on_packet, keeper);
	if (error == -EBUSY || error == -EPERM)
		log_error("queue %u is used by another program: choose one with --queue",
			options->queue);
	else if (error)
		log_error("cannot open queue %u: %s (is nfnetlink_queue there?)", options->queue,
			strerror(-error));
	if (error)
		return error;
	keeper->queue_watch.fd = queue_fd(keeper->queue);
	keeper->queue_watch.on_event = on_queue;
	if (fd < 0) {
		keeper->queue_read = true;
		return loop_add(keeper->loop, &keeper->queue_watch, EPOLLIN);
	}
	set_read_end(keeper);
	return 0;
}

void keeper_admit_pause(struct keeper *keeper)
{
	if (keeper->queue_read)
		loop_del(keeper->loop, &keeper->queue_watch);
	keeper->queue_read = false;
	set_read_end(keeper);
}

void keeper_admit_resume(struct keeper *keeper)
{
	loop_timer_clear(keeper->loop, &keeper->queue_read_end);
	if (keeper->queue_read)
		return;
	int error = loop_add(keeper->loop, &keeper->queue_watch, EPOLLIN);
	if (error)
		log_error("cannot wait for packets: %s", strerror(-error));
	keeper->queue_read = !error;
}

/* First the entry, then the packet: the next SYN of this client then meets it for sure. */
static void cache(struct keeper *keeper, const struct ipc_verdict *verdict)
{
	struct client_change changes[2];
	size_t n = 0;

	if (verdict->forget)
		changes[n++] = keeper_admit_change(&verdict->forgotten);
	if (verdict->cache)
		changes[n++] = keeper_admit_change(&verdict->entry);
	if (!n)
		return;
	int error = clients_change(keeper->table, changes, n);
	if (error)
		keeper_event(keeper, IPC_EVENT_ENTRY_FAILED, "%s",
			error == -ENFILE ? "a client set is full" : strerror(-error));
}

static void note_there(void *context, size_t index, const void *bytes, size_t len)
{
	bool *there = context;

	(void)index;
	(void)bytes;
	*there = len > 0;
}

/* A packet that waited for longer than its client waits for an answer came twice. Where the first
 * one's connection is by now, and may be over again, the kernel drops the second, but behind our
 * rules: they would tell control of a connection more. */
static bool is_copy(const struct held_packet *held)
{
	const struct conntrack_tuple tuple = {
		.source = held->source, .destination = held->destination};
	bool there = false;

	return conntrack_get(&tuple, 1, note_there, &there) == 0 && there;
}

void keeper_admit_on_verdict(struct keeper *keeper, const struct ipc_verdict *verdict)
{
	struct held_packet *held = held_packet_find(&keeper->held, verdict->packet);

	cache(keeper, verdict);
	if (!held || held->decided)
		return;
	decide(keeper, held, verdict->mark, verdict->path,
		verdict->mark == MARK_KERNEL && is_copy(held));
	if (keeper->held.n)
		return;
	set_deadline(keeper);
	keeper->face->on_none_held(keeper);
}
