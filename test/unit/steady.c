/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/steady.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HOUR ((uint64_t)3600000)
#define DAY  (24 * HOUR)
#define NOW  (20000 * DAY) /* the wall clock */
#define UP   (5 * DAY)     /* the monotonic one */

/* Goes on in a new start, `off` later by the wall clock, which is `ahead` of what it was. */
static void restart(struct steady *steady, const char *boot, uint64_t monotonic_ms,
	const char *new_boot, uint64_t new_monotonic_ms, uint64_t wall_ms, uint64_t new_wall_ms)
{
	char text[STEADY_TEXT_SIZE];
	struct steady_moment moment = steady_moment_of(steady, boot, monotonic_ms, wall_ms), read;

	size_t len = steady_format(&moment, text);
	assert_int_equal(steady_parse(text, len, &read), 0);
	assert_memory_equal(&read, &moment, sizeof(read));
	steady_begin(steady, &read, new_boot, new_monotonic_ms, new_wall_ms);
}

static void it_begins_with_the_wall_clock_and_runs_with_the_monotonic_one(void **state)
{
	struct steady steady;

	(void)state;
	steady_begin(&steady, NULL, "b", UP, NOW);
	assert_int_equal(steady_now(&steady, UP), NOW);
	assert_int_equal(steady_now(&steady, UP + HOUR), NOW + HOUR);
}

static void over_a_restart_of_the_same_boot_no_wall_clock_counts(void **state)
{
	static const uint64_t walls[] = {0, 1, NOW - 100 * DAY, NOW + HOUR, NOW + 100 * DAY};
	struct steady steady;

	(void)state;
	for (unsigned i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		steady_begin(&steady, NULL, "b", UP, NOW);
		restart(&steady, "b", UP, "b", UP + HOUR, NOW, walls[i]);
		assert_int_equal(steady_now(&steady, UP + HOUR), NOW + HOUR);
	}
}

static void over_a_reboot_it_goes_on_by_the_wall_clock_that_does_not_go_back(void **state)
{
	struct steady steady;

	(void)state;
	steady_begin(&steady, NULL, "a", UP, NOW);
	/* set by an hour meanwhile: the steady clock stays an hour behind */
	restart(&steady, "a", UP, "b", 10, NOW + HOUR, NOW + 3 * HOUR);
	assert_int_equal(steady_now(&steady, 10), NOW + 2 * HOUR);
	/* one that is not set yet: no time has passed */
	restart(&steady, "b", 10, "c", 10, NOW + 3 * HOUR, 5000);
	assert_int_equal(steady_now(&steady, 10), NOW + 2 * HOUR);
	/* not by the name of the boot alone */
	restart(&steady, "c", 10, "c", 5, NOW, NOW + HOUR);
	assert_int_equal(steady_now(&steady, 5), NOW + 3 * HOUR);
	/* a boot that cannot be named is another */
	restart(&steady, "", 5, "", 10, NOW, NOW + HOUR);
	assert_int_equal(steady_now(&steady, 10), NOW + 4 * HOUR);
}

static void begin_believed(struct steady *steady)
{
	steady_begin(steady, NULL, "b", UP, NOW);
	assert_int_equal(steady_believed(steady, UP + DAY, NOW + DAY), NOW + DAY);
}

static void a_jump_ahead_is_believed_when_it_has_stood_for_a_day(void **state)
{
	struct steady steady;
	uint64_t up = UP + DAY, wall = NOW + DAY;

	(void)state;
	/* at the first start nothing is known */
	steady_begin(&steady, NULL, "b", UP, NOW);
	assert_int_equal(steady_believed(&steady, UP, NOW), 0);
	assert_int_equal(steady_believed(&steady, UP + HOUR, NOW + HOUR), HOUR);
	begin_believed(&steady);
	/* back, and a little ahead, at once */
	steady_on_set(&steady, up);
	assert_int_equal(steady_believed(&steady, up, wall - 50 * DAY), wall - 50 * DAY);
	begin_believed(&steady);
	steady_on_set(&steady, up);
	assert_int_equal(steady_believed(&steady, up, wall + HOUR), wall + HOUR);
	/* far ahead for some hours, and back */
	begin_believed(&steady);
	steady_on_set(&steady, up);
	for (uint64_t i = 0; i < 24; i++)
		assert_int_equal(
			steady_believed(&steady, up + i * HOUR, wall + 100 * DAY + i * HOUR),
			wall + i * HOUR);
	steady_on_set(&steady, up + 23 * HOUR);
	assert_int_equal(
		steady_believed(&steady, up + 30 * HOUR, wall + 30 * HOUR), wall + 30 * HOUR);
	/* and for a day */
	begin_believed(&steady);
	steady_on_set(&steady, up);
	assert_int_equal(steady_believed(&steady, up + DAY, wall + 101 * DAY), wall + 101 * DAY);
}

static void a_jump_over_a_restart_is_a_jump(void **state)
{
	struct steady steady;
	uint64_t up = UP + DAY, wall = NOW + DAY;

	(void)state;
	begin_believed(&steady);
	/* a night off is believed, three months are not yet */
	restart(&steady, "b", up, "c", 10, wall, wall + 12 * HOUR);
	assert_int_equal(steady_believed(&steady, 10, wall + 12 * HOUR), wall + 12 * HOUR);
	restart(&steady, "c", 10, "d", 10, wall + 12 * HOUR, wall + 90 * DAY);
	assert_int_equal(steady_believed(&steady, 10, wall + 90 * DAY), wall + 12 * HOUR);
	/* nor for having been restarted with it */
	restart(&steady, "d", HOUR + 10, "d", 2 * HOUR, wall + 90 * DAY + HOUR,
		wall + 90 * DAY + 2 * HOUR);
	assert_int_equal(steady_believed(&steady, 2 * HOUR, wall + 90 * DAY + 2 * HOUR),
		wall + 14 * HOUR - 10);
	assert_int_equal(steady_believed(&steady, 2 * DAY, wall + 92 * DAY), wall + 92 * DAY);
}

static void what_is_no_moment_is_refused(void **state)
{
	static const char *const texts[] = {"", "\n", "b", "b ", "b 1 2 3 4\n", "b 1 2 3 4 5",
		"b 1 2 3 4 5\n", " 1 2 3 4 2\n", "b 1 2 3 4 2\nb", "b -1 2 3 4 2\n",
		"b 1 2 3 4 18446744073709551617\n", "b 1 2 3 99999999999999999999 2\n",
		"b  1 2 3 4 2\n", "b 1 0x2 3 4 2\n",
		"0123456789012345678901234567890123456789 1 2 3 4 2\n"};
	struct steady_moment moment;

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(steady_parse(texts[i], strlen(texts[i]), &moment), -EBADMSG);
	assert_int_equal(steady_parse("b 1 2 3 4 2\n", 12, &moment), 0);
	assert_string_equal(moment.boot, "b");
	assert_int_equal(moment.since_ms, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_with_the_wall_clock_and_runs_with_the_monotonic_one),
		cmocka_unit_test(over_a_restart_of_the_same_boot_no_wall_clock_counts),
		cmocka_unit_test(over_a_reboot_it_goes_on_by_the_wall_clock_that_does_not_go_back),
		cmocka_unit_test(a_jump_ahead_is_believed_when_it_has_stood_for_a_day),
		cmocka_unit_test(a_jump_over_a_restart_is_a_jump),
		cmocka_unit_test(what_is_no_moment_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
