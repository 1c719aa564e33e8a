/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/record.h"

#include "daemon/flow/attempts.h"
#include "daemon/flow/way.h"
#include "lib/base/container.h"
#include "lib/policy/session.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void on_pace(struct loop_timer *timer, uint64_t now_ms);

int record_init(struct record_ring *ring, struct child *child)
{
	const size_t started =
		sizeof(struct ipc_started) + RECORD_STARTS_MAX * sizeof(struct ipc_start);
	void *memory = mmap(NULL, RECORDS_WAITING_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ring->child = child;
	ring->pace.on_time = on_pace;
	if (memory == MAP_FAILED)
		return -ENOMEM;
	ipc_backlog_init(&ring->waiting, memory, RECORDS_WAITING_BYTES);
	ring->started = malloc(started);
	return ring->started ? 0 : -ENOMEM;
}

void record_fini(struct record_ring *ring)
{
	if (ring->waiting.bytes)
		munmap(ring->waiting.bytes, RECORDS_WAITING_BYTES);
	ring->waiting.bytes = NULL;
	free(ring->started);
	ring->started = NULL;
}

static bool can_send(const struct child *child)
{
	return child_hears(child) && channel_queued_bytes(child->control) < RECORD_QUEUE_BYTES_MAX;
}

void record_put(
	struct record_ring *ring, enum ipc_record_kind kind, const uint8_t *bytes, size_t len)
{
	unsigned lost = ipc_backlog_put(&ring->waiting, (uint16_t)kind, bytes, (uint32_t)len);

	while (lost-- > 0)
		child_count(ring->child, COUNTER_AUDIT_LOST);
}

/* A control that is away asks for the flows that are left when it is there again. */
static void tell_started(struct record_ring *ring)
{
	const uint32_t n = ring->nstarts;

	if (n == 0)
		return;
	ring->nstarts = 0;
	ipc_init(ring->started, IPC_STARTED, sizeof(*ring->started));
	ring->started->header.bytes += n * (uint32_t)sizeof(ring->started->v[0]);
	child_send(ring->child, ring->started);
}

void record_start(struct record_ring *ring, const struct ipc_start *start)
{
	ring->started->v[ring->nstarts++] = *start;
	if (ring->nstarts == RECORD_STARTS_MAX)
		tell_started(ring);
}

void record_rest(struct record_ring *ring)
{
	ring->at_rest = true;
}

/* Who began is told of before he has ended. */
void record_flush(struct record_ring *ring)
{
	_Alignas(struct ipc_header) uint8_t bytes[IPC_BYTES_MAX];
	struct ipc_told told = {0};

	tell_started(ring);
	/* one that was begun is told to its end */
	while (ring->waiting.n > 0 && (told.at > 0 || can_send(ring->child))) {
		told = ipc_records_fill((struct ipc_records *)bytes, &ring->waiting, told.at);
		if (child_send(ring->child, bytes) < 0)
			return;
		ipc_backlog_drop(&ring->waiting, told.n);
	}
}

static void tell(struct record_ring *ring)
{
	ring->told_ms = loop_now_ms(ring->child->loop);
	loop_timer_clear(ring->child->loop, &ring->pace);
	record_flush(ring);
	if (ring->at_rest)
		child_send_counters(ring->child);
	ring->at_rest = false;
}

static void on_pace(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	tell(container_of(timer, struct record_ring, pace));
}

void record_round(struct record_ring *ring)
{
	struct loop *loop = ring->child->loop;

	if (ring->nstarts == 0 && ring->waiting.n == 0 && !ring->at_rest)
		return;
	bool last = ring->at_rest && ring->waiting.n > 0;
	if (last || loop_now_ms(loop) >= ring->told_ms + RECORD_PACE_MS)
		tell(ring);
	else if (!ring->pace.slot)
		loop_timer_set(loop, &ring->pace, ring->told_ms + RECORD_PACE_MS);
}

bool record_may_leave(struct record_ring *ring)
{
	const struct child *child = ring->child;
	uint64_t now_ms = loop_now_ms(child->loop);

	record_flush(ring);
	if (child->control && channel_queued_bytes(child->control) > 0)
		return false;
	if (ring->waiting.n == 0)
		return true;
	if (ring->leave_ms == 0)
		ring->leave_ms = now_ms + RECORD_LEAVE_MS;
	return now_ms >= ring->leave_ms;
}

enum message_source record_source(const struct way *way)
{
	if (!*way->user)
		return MESSAGE_SOURCE_NONE;
	switch (way_user_source(way)) {
	case POLICY_SOURCE_SESSION:
		return MESSAGE_SOURCE_SESSION;
	case POLICY_SOURCE_DEVICE:
		return MESSAGE_SOURCE_DEVICE;
	case POLICY_SOURCE_AUTH:
		break;
	}
	return MESSAGE_SOURCE_AUTH;
}

void record_text(char *to, size_t room, const char *from)
{
	if (from)
		memcpy(to, from, strnlen(from, room - 1));
}

static void fill_names(struct ipc_flow *record, const struct way *way)
{
	record_text(record->ifname, sizeof(record->ifname), way->ifname);
	record_text(record->user, sizeof(record->user), way->user);
	if (way->zone >= 0)
		record_text(record->zone, sizeof(record->zone),
			way->policy->zones[way->zone].name.text);
	if (way->listener >= 0)
		record_text(record->listener, sizeof(record->listener),
			way->policy->listeners[way->listener].name.text);
	if (way->to_original)
		record_text(record->server, sizeof(record->server), "original");
	else if (way->server >= 0)
		record_text(record->server, sizeof(record->server), way_server(way)->name.text);
}

/* The host that took it comes last. */
static void fill_attempts(struct ipc_flow *record, const struct way *way)
{
	if (way->attempts) {
		record->nattempts = way->attempts->n;
		memcpy(record->attempts, way->attempts->v,
			sizeof(record->attempts[0]) * way->attempts->n);
	}
	if (way->connected_ms == 0)
		return;
	uint32_t at =
		record->nattempts < IPC_ATTEMPTS_MAX ? record->nattempts++ : IPC_ATTEMPTS_MAX - 1;
	record->attempts[at] = (struct ipc_attempt){
		.host = way->host, .ms = way->connect_ms, .ending = ENDING_NONE};
}

uint64_t record_wall_ms(const struct way *way, uint64_t at_ms)
{
	return at_ms ? loop_wall_ms(way->process->loop) - (way_now_ms(way) - at_ms) : 0;
}

void record_fill_way(struct ipc_flow *record, const struct way *way)
{
	record->id = way->id;
	record->session = way->session;
	record->connected_ms = record_wall_ms(way, way->connected_ms);
	record->client = way->client;
	record->original = way->original;
	record->host = way->host;
	record->gateway = way->gateway;
	record->mac = way->mac;
	record->relay = way->process->column;
	fill_names(record, way);
	fill_attempts(record, way);
}
