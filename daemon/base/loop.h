/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns waiting: one epoll loop with watches and timers. One per process. */
#ifndef POSTERN_DAEMON_BASE_LOOP_H
#define POSTERN_DAEMON_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Embedded by whoever waits for a descriptor. */
struct loop_watch {
	int fd;                                                      /* -1: not watched */
	void (*on_event)(struct loop_watch *watch, uint32_t events); /* EPOLLIN, ... */
};

/* Embedded by whoever waits for a time. Monotonic milliseconds. A heap: any number is cheap. */
struct loop_timer {
	uint64_t at_ms;
	void (*on_time)(struct loop_timer *timer, uint64_t now_ms);
	uint32_t slot; /* the loop's own; 0: not set */
};

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* 0 or -errno. */
int loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events);
int loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* Safe within a handler: no event of the running batch reaches the watch any more. Does not close.
 */
void loop_del(struct loop *loop, struct loop_watch *watch);
/* Instead of it for a descriptor that is closed next and that no other process ever had: closing
 * takes it out of epoll. */
void loop_forget(struct loop *loop, const struct loop_watch *watch);
void loop_timer_set(struct loop *loop, struct loop_timer *timer, uint64_t at_ms);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);
/* Called after every batch of events; for sweeps. One at most. */
void loop_after_batch(struct loop *loop, void (*sweep)(void *context), void *context);
/* Called when the wall clock was set, or has come to differ by as much, before anything else of the
 * batch: by_ms is how far. One at most. 0 or -errno. */
int loop_on_clock_set(struct loop *loop, void (*set)(void *context, int64_t by_ms), void *context);
/* Until loop_stop(). Returns 0 or -errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
uint64_t loop_now_ms(const struct loop *loop);  /* monotonic, read once a batch */
uint64_t loop_wall_ms(const struct loop *loop); /* wall clock, read once a batch */

#endif
