/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

struct tick {
	struct loop_timer timer;
	struct loop *loop;
	unsigned fired, *order, *count;
	unsigned number;
	bool again, last;
};

static void on_tick(struct loop_timer *timer, uint64_t now_ms)
{
	struct tick *tick = (struct tick *)timer;
	assert_true(timer->at_ms <= now_ms);
	assert_int_equal(timer->slot, 0);
	tick->fired++;
	if (tick->order)
		tick->order[(*tick->count)++] = tick->number;
	if (tick->again)
		loop_timer_set(tick->loop, timer, now_ms);
	if (tick->last)
		loop_stop(tick->loop);
}

static void timers_fire_in_the_order_of_their_time(void **state)
{
	enum { N = 500 };
	static struct tick ticks[N];
	static unsigned order[N];
	unsigned count = 0;
	struct loop *loop = loop_new();
	uint64_t now = loop_now_ms(loop);

	(void)state;
	srand(1);
	for (unsigned i = 0; i < N; i++) {
		ticks[i] = (struct tick){.timer.on_time = on_tick,
			.loop = loop,
			.order = order,
			.count = &count,
			.number = i};
		loop_timer_set(loop, &ticks[i].timer, now - 1000 + (unsigned)rand() % 900);
	}
	for (unsigned i = 0; i < N; i += 3) /* some move, some are cleared */
		loop_timer_set(loop, &ticks[i].timer, now - 1000 + (unsigned)rand() % 900);
	for (unsigned i = 0; i < N; i += 5)
		loop_timer_clear(loop, &ticks[i].timer);
	struct tick last = {.timer.on_time = on_tick, .loop = loop, .last = true};
	loop_timer_set(loop, &last.timer, now);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(count, N - N / 5);
	for (unsigned i = 1; i < count; i++)
		assert_true(ticks[order[i - 1]].timer.at_ms <= ticks[order[i]].timer.at_ms);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(ticks[i].fired, i % 5 ? 1 : 0);
	loop_free(loop);
}

static void a_timer_set_to_the_past_does_not_starve_the_loop(void **state)
{
	struct loop *loop = loop_new();
	struct tick busy = {.timer.on_time = on_tick, .loop = loop, .again = true};
	struct tick last = {.timer.on_time = on_tick, .loop = loop, .last = true};

	(void)state;
	loop_timer_set(loop, &busy.timer, 0);
	loop_timer_set(loop, &last.timer, loop_now_ms(loop) + 20);
	assert_int_equal(loop_run(loop), 0);
	assert_true(busy.fired >= 1);
	assert_int_equal(last.fired, 1);
	loop_free(loop);
}

static unsigned batches;

static void stop_after_two(void *context)
{
	if (++batches == 2)
		loop_stop(context);
}

/* However many there are that are not due: every flow has its deadline. */
static void nor_any_other_timer_that_is_due(void **state)
{
	enum { N = 100 };
	static struct tick far[N];
	struct loop *loop = loop_new();
	struct tick busy = {.timer.on_time = on_tick, .loop = loop, .again = true}, other = busy;
	struct tick due = {.timer.on_time = on_tick, .loop = loop};
	uint64_t now = loop_now_ms(loop);

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		far[i] = (struct tick){.timer.on_time = on_tick, .loop = loop};
		loop_timer_set(loop, &far[i].timer, now + 3600000 + i);
	}
	loop_timer_set(loop, &busy.timer, 0);
	loop_timer_set(loop, &other.timer, 0);
	loop_timer_set(loop, &due.timer, now);
	batches = 0;
	loop_after_batch(loop, stop_after_two, loop);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(busy.fired, 2);
	assert_int_equal(other.fired, 2);
	assert_int_equal(due.fired, 1);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(far[i].fired, 0);
	loop_free(loop);
}

struct meddler {
	struct tick tick;
	struct tick *late, *cleared, *moved;
};

static void on_meddler(struct loop_timer *timer, uint64_t now_ms)
{
	struct meddler *meddler = (struct meddler *)timer;
	struct loop *loop = meddler->tick.loop;

	meddler->tick.fired++;
	loop_timer_set(loop, &meddler->cleared->timer, now_ms);
	loop_timer_set(loop, &meddler->moved->timer, now_ms);
	loop_timer_set(loop, &meddler->late->timer, now_ms);
	loop_timer_set(loop, &meddler->late->timer, now_ms - 1);
	loop_timer_clear(loop, &meddler->cleared->timer);
	loop_timer_set(loop, &meddler->moved->timer, now_ms + 3600000);
}

static void one_that_waits_for_the_next_batch_can_be_moved_and_cleared(void **state)
{
	struct loop *loop = loop_new();
	struct tick late = {.timer.on_time = on_tick, .loop = loop}, cleared = late, moved = late;
	struct meddler meddler = {.tick = {.timer.on_time = on_meddler, .loop = loop},
		.late = &late,
		.cleared = &cleared,
		.moved = &moved};

	(void)state;
	loop_timer_set(loop, &meddler.tick.timer, 0);
	batches = 0;
	loop_after_batch(loop, stop_after_two, loop);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(meddler.tick.fired, 1);
	assert_int_equal(late.fired, 1);
	assert_int_equal(cleared.fired, 0);
	assert_int_equal(moved.fired, 0);
	assert_int_equal(cleared.timer.slot, 0);
	loop_timer_clear(loop, &moved.timer);
	assert_int_equal(moved.timer.slot, 0);
	loop_free(loop);
}

struct both {
	struct loop_watch watch;
	struct loop *loop;
	struct both *other;
	void (*drop)(struct loop *loop, struct loop_watch *watch);
	unsigned events;
};

static void drop_other(struct loop_watch *watch, uint32_t events)
{
	struct both *both = (struct both *)watch;
	(void)events;
	both->events++;
	both->drop(both->loop, &both->other->watch);
	loop_stop(both->loop);
}

static void drop_one_of_two(void (*drop)(struct loop *loop, struct loop_watch *watch))
{
	struct loop *loop = loop_new();
	struct both a = {.loop = loop, .drop = drop}, b = {.loop = loop, .drop = drop};

	a.other = &b;
	b.other = &a;
	a.watch = (struct loop_watch){eventfd(1, EFD_CLOEXEC), drop_other};
	b.watch = (struct loop_watch){eventfd(1, EFD_CLOEXEC), drop_other};
	assert_int_equal(loop_add(loop, &a.watch, EPOLLIN), 0);
	assert_int_equal(loop_add(loop, &b.watch, EPOLLIN), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(a.events + b.events, 1);
	close(a.watch.fd);
	close(b.watch.fd);
	loop_free(loop);
}

static void a_watch_deleted_by_another_gets_no_event_of_the_batch(void **state)
{
	(void)state;
	drop_one_of_two(loop_del);
}

static void forget_and_close(struct loop *loop, struct loop_watch *watch)
{
	loop_forget(loop, watch);
	close(watch->fd);
	watch->fd = -1;
}

static void nor_does_one_that_another_forgets_and_closes(void **state)
{
	(void)state;
	drop_one_of_two(forget_and_close);
}

static void sweep_and_stop(void *context)
{
	(*(unsigned *)context)++;
}

static void the_sweep_runs_after_every_batch(void **state)
{
	struct loop *loop = loop_new();
	struct tick last = {.timer.on_time = on_tick, .loop = loop, .last = true};
	unsigned sweeps = 0;

	(void)state;
	loop_after_batch(loop, sweep_and_stop, &sweeps);
	loop_timer_set(loop, &last.timer, 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(sweeps, 1);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_the_order_of_their_time),
		cmocka_unit_test(a_timer_set_to_the_past_does_not_starve_the_loop),
		cmocka_unit_test(nor_any_other_timer_that_is_due),
		cmocka_unit_test(one_that_waits_for_the_next_batch_can_be_moved_and_cleared),
		cmocka_unit_test(a_watch_deleted_by_another_gets_no_event_of_the_batch),
		cmocka_unit_test(nor_does_one_that_another_forgets_and_closes),
		cmocka_unit_test(the_sweep_runs_after_every_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
