/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/loop.h"

#include "daemon/base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256
/* Address space for the heap is reserved once and touched as it fills, so that setting a timer
 * never allocates and never fails. */
#define TIMERS_MAX (1u << 20)
/* A wall clock that differs by less from what it was is not taken for set: all that goes by it goes
 * by the second. */
#define CLOCK_SET_MS 1000
/* A pause between two looks at clocks that stand still is no step of one of them. */
#define CLOCK_TRIES 8

struct loop {
	int epoll;
	bool stopped;
	uint64_t now_ms, wall_ms;
	int64_t ahead_ms; /* of the monotonic clock the wall clock was, when it was set */
	struct loop_watch clock_set; /* fd -1: nobody wants to know */
	void (*on_clock_set)(void *context, int64_t by_ms);
	void *clock_context;
	struct epoll_event batch[BATCH];
	int next, filled; /* of the running batch: events [next, filled) are still to come */
	struct loop_timer **heap; /* slots 1..ntimers; 0 is never used */
	uint32_t ntimers;
	uint32_t nlate; /* of the batch to come: slots TIMERS_MAX and below, in no order */
	bool in_timers;
	void (*sweep)(void *context);
	void *sweep_context;
};

static uint64_t clock_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void read_clocks(struct loop *loop)
{
	loop->now_ms = clock_ms(CLOCK_MONOTONIC);
	loop->wall_ms = clock_ms(CLOCK_REALTIME);
}

static size_t heap_bytes(void)
{
	return ((size_t)TIMERS_MAX + 1) * sizeof(struct loop_timer *);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	if (!loop)
		return NULL;
	loop->clock_set.fd = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		goto free_loop;
	loop->heap = mmap(NULL, heap_bytes(), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (loop->heap == MAP_FAILED)
		goto close_epoll;
	read_clocks(loop);
	return loop;

close_epoll:
	close(loop->epoll);
free_loop:
	free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->clock_set.fd >= 0)
		close(loop->clock_set.fd);
	munmap(loop->heap, heap_bytes());
	close(loop->epoll);
	free(loop);
}

static int control(struct loop *loop, int op, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};
	return epoll_ctl(loop->epoll, op, watch->fd, &event) < 0 ? -errno : 0;
}

int loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, watch, events);
}

int loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, watch, events);
}

void loop_forget(struct loop *loop, const struct loop_watch *watch)
{
	for (int i = loop->next; i < loop->filled; i++)
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
}

void loop_del(struct loop *loop, struct loop_watch *watch)
{
	if (watch->fd < 0)
		return;
	control(loop, EPOLL_CTL_DEL, watch, 0);
	loop_forget(loop, watch);
}

static void place(struct loop *loop, uint32_t slot, struct loop_timer *timer)
{
	loop->heap[slot] = timer;
	timer->slot = slot;
}

static void sift_up(struct loop *loop, uint32_t slot, struct loop_timer *timer)
{
	while (slot > 1 && loop->heap[slot / 2]->at_ms > timer->at_ms) {
		place(loop, slot, loop->heap[slot / 2]);
		slot /= 2;
	}
	place(loop, slot, timer);
}

static void sift_down(struct loop *loop, uint32_t slot, struct loop_timer *timer)
{
	for (uint32_t child; (child = slot * 2) <= loop->ntimers; slot = child) {
		if (child < loop->ntimers &&
			loop->heap[child + 1]->at_ms < loop->heap[child]->at_ms)
			child++;
		if (loop->heap[child]->at_ms >= timer->at_ms)
			break;
		place(loop, slot, loop->heap[child]);
	}
	place(loop, slot, timer);
}

static void settle(struct loop *loop, uint32_t slot, struct loop_timer *timer)
{
	if (slot > 1 && loop->heap[slot / 2]->at_ms > timer->at_ms)
		sift_up(loop, slot, timer);
	else
		sift_down(loop, slot, timer);
}

static uint32_t last_late(const struct loop *loop)
{
	return TIMERS_MAX - loop->nlate + 1;
}

static void unlink_late(struct loop *loop, uint32_t slot)
{
	struct loop_timer *last = loop->heap[last_late(loop)];

	loop->nlate--;
	if (last->slot)
		place(loop, slot, last);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_ms)
{
	const bool late = loop->in_timers && at_ms <= loop->now_ms;

	if (late || timer->slot > loop->ntimers)
		loop_timer_clear(loop, timer);
	timer->at_ms = at_ms;
	if (timer->slot) {
		settle(loop, timer->slot, timer);
		return;
	}
	assert(loop->ntimers + loop->nlate < TIMERS_MAX);
	if (!late) {
		sift_up(loop, ++loop->ntimers, timer);
		return;
	}
	loop->nlate++;
	place(loop, last_late(loop), timer);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
	uint32_t slot = timer->slot;
	if (!slot)
		return;
	timer->slot = 0;
	if (slot > loop->ntimers) {
		unlink_late(loop, slot);
		return;
	}
	struct loop_timer *last = loop->heap[loop->ntimers--];
	if (last != timer)
		settle(loop, slot, last);
}

void loop_after_batch(struct loop *loop, void (*sweep)(void *context), void *context)
{
	loop->sweep = sweep;
	loop->sweep_context = context;
}

/* Only wakes: what has happened, the clocks say. */
static void on_cancelled(struct loop_watch *watch, uint32_t events)
{
	uint64_t count;
	(void)events;
	if (read(watch->fd, &count, sizeof(count)) < 0 && errno != ECANCELED && errno != EAGAIN)
		log_error("the wall clock can no longer be watched: %s", strerror(errno));
}

int loop_on_clock_set(struct loop *loop, void (*set)(void *context, int64_t by_ms), void *context)
{
	/* a time that never comes; being set cancels it */
	const struct itimerspec never = {.it_value.tv_sec = (time_t)1 << 33};

	loop->clock_set.fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->clock_set.fd < 0)
		return -errno;
	loop->clock_set.on_event = on_cancelled;
	if (timerfd_settime(loop->clock_set.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
		    NULL) < 0)
		return -errno;
	read_clocks(loop);
	loop->ahead_ms = (int64_t)(loop->wall_ms - loop->now_ms);
	loop->on_clock_set = set;
	loop->clock_context = context;
	return loop_add(loop, &loop->clock_set, EPOLLIN);
}

static int64_t step_of(const struct loop *loop)
{
	int64_t by_ms = (int64_t)(loop->wall_ms - loop->now_ms) - loop->ahead_ms;
	return by_ms > -CLOCK_SET_MS && by_ms < CLOCK_SET_MS ? 0 : by_ms;
}

static void look_at_clock(struct loop *loop)
{
	int64_t by_ms = loop->on_clock_set ? step_of(loop) : 0;
	uint64_t before_ms;

	if (!by_ms)
		return;
	for (unsigned tries = 0; tries < CLOCK_TRIES; tries++) {
		before_ms = clock_ms(CLOCK_MONOTONIC);
		loop->wall_ms = clock_ms(CLOCK_REALTIME);
		loop->now_ms = clock_ms(CLOCK_MONOTONIC);
		if (loop->now_ms - before_ms < CLOCK_SET_MS / 2)
			break;
	}
	by_ms = step_of(loop);
	if (!by_ms)
		return;
	loop->ahead_ms += by_ms;
	loop->on_clock_set(loop->clock_context, by_ms);
}

static int wait_ms(const struct loop *loop)
{
	if (!loop->ntimers)
		return -1;
	uint64_t at_ms = loop->heap[1]->at_ms, now_ms = clock_ms(CLOCK_MONOTONIC);
	if (at_ms <= now_ms)
		return 0;
	return at_ms - now_ms > 3600000 ? 3600000 : (int)(at_ms - now_ms);
}

static void run_events(struct loop *loop)
{
	while (loop->next < loop->filled) {
		const struct epoll_event *event = &loop->batch[loop->next++];
		struct loop_watch *watch = event->data.ptr;
		if (watch)
			watch->on_event(watch, event->events);
	}
}

/* Each timer that is due runs once: one that is set again to a time already past waits for the
 * next batch, so that it can starve neither the descriptors nor the timers behind it. */
static void run_timers(struct loop *loop)
{
	loop->in_timers = true;
	while (loop->ntimers > 0 && loop->heap[1]->at_ms <= loop->now_ms) {
		struct loop_timer *timer = loop->heap[1];
		loop_timer_clear(loop, timer);
		timer->on_time(timer, loop->now_ms);
	}
	loop->in_timers = false;
	for (; loop->nlate > 0; loop->nlate--)
		sift_up(loop, ++loop->ntimers, loop->heap[last_late(loop)]);
}

int loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped) {
		int n = epoll_wait(loop->epoll, loop->batch, BATCH, wait_ms(loop));
		if (n < 0 && errno != EINTR)
			return -errno;
		read_clocks(loop);
		loop->next = 0;
		loop->filled = n > 0 ? n : 0;
		look_at_clock(loop);
		run_events(loop);
		run_timers(loop);
		if (loop->sweep)
			loop->sweep(loop->sweep_context);
		log_flush();
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

uint64_t loop_wall_ms(const struct loop *loop)
{
	return loop->wall_ms;
}
