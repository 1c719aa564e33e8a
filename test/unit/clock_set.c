/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/loop.h"
#include "lib/base/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* The wall clock of this program, for all that asks for it. */
static time_t ahead_s;

int clock_gettime(clockid_t id, struct timespec *at)
{
	int result = (int)syscall(SYS_clock_gettime, id, at);
	if (result == 0 && id == CLOCK_REALTIME)
		at->tv_sec += ahead_s;
	return result;
}

struct seen {
	struct loop *loop;
	struct loop_timer timer;
	unsigned sets, sweeps, late;
	int64_t by_ms;
	uint64_t wall_ms; /* what the loop said when it told */
};

static void on_set(void *context, int64_t by_ms)
{
	struct seen *seen = context;
	seen->sets++;
	seen->by_ms = by_ms;
	seen->wall_ms = loop_wall_ms(seen->loop);
}

static void on_batch(void *context)
{
	struct seen *seen = context;
	seen->sweeps++;
	loop_stop(seen->loop);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct seen *seen = container_of(timer, struct seen, timer);
	(void)now_ms;
	seen->late++;
}

static void set_up(struct seen *seen)
{
	ahead_s = 0;
	*seen = (struct seen){.loop = loop_new(), .timer.on_time = on_time};
	assert_int_equal(loop_on_clock_set(seen->loop, on_set, seen), 0);
	loop_after_batch(seen->loop, on_batch, seen);
}

static void run_once(struct seen *seen)
{
	loop_timer_set(seen->loop, &seen->timer, 0);
	assert_int_equal(loop_run(seen->loop), 0);
}

static void a_step_is_told_once_and_by_how_much(void **state)
{
	static const time_t steps[] = {3600, -3600, 100 * 86400, -20, 2};
	struct seen seen;

	(void)state;
	set_up(&seen);
	run_once(&seen);
	assert_int_equal(seen.sets, 0);
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ahead_s += steps[i];
		for (unsigned n = 0; n < 3; n++)
			run_once(&seen);
		assert_int_equal(seen.sets, i + 1);
		assert_true(llabs(seen.by_ms - steps[i] * 1000) < 900);
		assert_true(seen.wall_ms / 1000 - (uint64_t)time(NULL) - (uint64_t)ahead_s < 2 ||
			    (uint64_t)time(NULL) + (uint64_t)ahead_s - seen.wall_ms / 1000 < 2);
	}
	loop_free(seen.loop);
}

/* The kernel's part: nothing else would wake this loop. */
static void a_loop_that_waits_is_woken(void **state)
{
	struct timex by = {.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {0, 1}};
	struct timex back = {.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {-1, 999999999}};
	struct seen seen;

	(void)state;
	set_up(&seen);
	if (clock_adjtime(CLOCK_REALTIME, &by) < 0) {
		loop_free(seen.loop);
		skip();
	}
	clock_adjtime(CLOCK_REALTIME, &back);
	loop_timer_set(seen.loop, &seen.timer, loop_now_ms(seen.loop) + 20000);
	assert_int_equal(loop_run(seen.loop), 0);
	assert_int_equal(seen.sweeps, 1);
	assert_int_equal(seen.late, 0);
	/* a nanosecond is no step */
	assert_int_equal(seen.sets, 0);
	loop_free(seen.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_is_told_once_and_by_how_much),
		cmocka_unit_test(a_loop_that_waits_is_woken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
