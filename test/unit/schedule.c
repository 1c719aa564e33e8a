/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"

enum { MON, TUE, WED, THU, FRI, SAT, SUN };
#define EVERY_DAY 0x7f

static uint8_t days(unsigned first, unsigned last)
{
	uint8_t mask = 0;

	for (unsigned day = first;; day = (day + 1) % 7) {
		mask |= (uint8_t)(1 << day);
		if (day == last)
			return mask;
	}
}

static struct policy_range whole(uint8_t mask)
{
	return (struct policy_range){.days = mask};
}

static struct policy_range hours(uint8_t mask, const char *text)
{
	unsigned h1, m1, h2, m2;

	assert_int_equal(sscanf(text, "%u:%u-%u:%u", &h1, &m1, &h2, &m2), 4);
	return (struct policy_range){.days = mask,
		.hours_given = true,
		.from = (uint16_t)(h1 * 60 + m1),
		.to = (uint16_t)(h2 * 60 + m2)};
}

static void in_zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

/* Local time; of two equal ones the first. */
static time_t at(const char *text)
{
	struct tm tm = {.tm_isdst = -1};

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M:%S", &tm));
	tm.tm_isdst = -1;
	return mktime(&tm);
}

static void test_ranges_on_local_days(void **state)
{
	const struct {
		struct policy_range range;
		const char *at;
		bool on;
	} cases[] = {
		/* 2026-06-01 is a Monday */
		{whole(days(MON, FRI)), "2026-06-01 00:00:00", true},
		{whole(days(MON, FRI)), "2026-06-05 23:59:59", true},
		{whole(days(MON, FRI)), "2026-06-06 00:00:00", false},
		{whole(days(SAT, MON)), "2026-06-06 12:00:00", true},
		{whole(days(SAT, MON)), "2026-06-07 12:00:00", true},
		{whole(days(SAT, MON)), "2026-06-08 12:00:00", true},
		{whole(days(SAT, MON)), "2026-06-09 12:00:00", false},
		{hours(EVERY_DAY, "08:00-18:00"), "2026-06-01 07:59:59", false},
		{hours(EVERY_DAY, "08:00-18:00"), "2026-06-01 08:00:00", true},
		{hours(EVERY_DAY, "08:00-18:00"), "2026-06-01 17:59:59", true},
		{hours(EVERY_DAY, "08:00-18:00"), "2026-06-01 18:00:00", false},
		{hours(EVERY_DAY, "08:00-24:00"), "2026-06-01 23:59:59", true},
		{hours(days(FRI, FRI), "22:00-06:00"), "2026-06-05 21:59:59", false},
		{hours(days(FRI, FRI), "22:00-06:00"), "2026-06-05 22:00:00", true},
		{hours(days(FRI, FRI), "22:00-06:00"), "2026-06-06 05:59:59", true},
		{hours(days(FRI, FRI), "22:00-06:00"), "2026-06-06 06:00:00", false},
		{hours(days(FRI, FRI), "22:00-06:00"), "2026-06-05 05:00:00", false},
		{hours(days(SUN, SUN), "22:00-06:00"), "2026-06-08 05:00:00", true},
		{hours(days(WED, WED), "00:00-24:00"), "2026-06-03 00:00:00", true},
		{hours(days(WED, WED), "00:00-24:00"), "2026-06-04 00:00:00", false},
	};

	(void)state;
	in_zone(BERLIN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_range range = cases[i].range;
		struct policy_schedule schedule = {&range, 1};
		if (schedule_on(&schedule, at(cases[i].at), localtime_r) != cases[i].on)
			fail_msg("case %zu, %s: not %d", i, cases[i].at, cases[i].on);
	}
}

static void test_no_schedule_is_always_and_never_changes(void **state)
{
	struct policy_range every[] = {whole(days(MON, WED)), whole(days(THU, SUN))};
	struct policy_range split[] = {
		hours(EVERY_DAY, "06:00-18:00"), hours(EVERY_DAY, "18:00-06:00")};
	struct policy_schedule none = {0}, both = {every, 2}, halves = {split, 2};
	time_t now = at("2026-03-29 01:30:00");

	(void)state;
	in_zone(BERLIN);
	assert_true(schedule_on(&none, now, localtime_r));
	assert_int_equal(schedule_next_change(&none, now, localtime_r), 0);
	assert_int_equal(schedule_next_change(&both, now, localtime_r), 0);
	assert_int_equal(schedule_next_change(&halves, now, localtime_r), 0);
}

static void test_the_next_change(void **state)
{
	const struct {
		struct policy_range range;
		const char *now, *change;
	} cases[] = {
		{hours(days(MON, FRI), "08:00-18:00"), "2026-06-01 09:00:01",
			"2026-06-01 18:00:00"},
		{hours(days(MON, FRI), "08:00-18:00"), "2026-06-05 18:00:00",
			"2026-06-08 08:00:00"},
		{hours(days(FRI, FRI), "22:00-06:00"), "2026-06-05 23:00:00",
			"2026-06-06 06:00:00"},
		{whole(days(SAT, MON)), "2026-06-06 10:00:00", "2026-06-09 00:00:00"},
		/* 2026-03-29: 02:00 becomes 03:00, and 02:30 never is */
		{hours(EVERY_DAY, "02:30-04:00"), "2026-03-29 01:00:00", "2026-03-29 03:00:00"},
		{hours(EVERY_DAY, "02:15-02:45"), "2026-03-29 01:00:00", "2026-03-30 02:15:00"},
		{hours(days(SUN, SUN), "02:15-02:45"), "2026-03-29 01:00:00",
			"2026-04-05 02:15:00"},
		{hours(EVERY_DAY, "01:00-02:30"), "2026-03-29 01:30:00", "2026-03-29 03:00:00"},
		{hours(EVERY_DAY, "22:00-02:30"), "2026-03-28 23:00:00", "2026-03-29 03:00:00"},
	};

	(void)state;
	in_zone(BERLIN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_range range = cases[i].range;
		struct policy_schedule schedule = {&range, 1};
		time_t change = schedule_next_change(&schedule, at(cases[i].now), localtime_r);
		if (change != at(cases[i].change))
			fail_msg("case %zu: %ld, not %s", i, (long)change, cases[i].change);
	}
}

static void test_an_hour_that_comes_twice(void **state)
{
	/* 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC, which is 1792890000 */
	const time_t back = 1792890000;
	struct policy_range range = hours(EVERY_DAY, "02:15-02:45");
	struct policy_schedule schedule = {&range, 1};

	(void)state;
	in_zone(BERLIN);
	assert_true(schedule_on(&schedule, back - 30 * 60, localtime_r));
	assert_int_equal(
		schedule_next_change(&schedule, back - 30 * 60, localtime_r), back - 15 * 60);
	assert_int_equal(
		schedule_next_change(&schedule, back - 15 * 60, localtime_r), back + 15 * 60);
	assert_int_equal(
		schedule_next_change(&schedule, back + 15 * 60, localtime_r), back + 45 * 60);
	range = hours(EVERY_DAY, "02:15-03:00");
	assert_int_equal(schedule_next_change(&schedule, back - 30 * 60, localtime_r), back);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static struct policy_range random_range(uint32_t *seed)
{
	struct policy_range range = {.days = EVERY_DAY};

	if (next_random(seed) & 1)
		range.days = days(next_random(seed) % 7, next_random(seed) % 7);
	if (next_random(seed) & 3) {
		unsigned most = next_random(seed) & 1 ? 240 : 1440;
		range.hours_given = true;
		range.from = (uint16_t)(next_random(seed) % most);
		range.to = (uint16_t)(next_random(seed) % (most + 1));
	}
	return range;
}

/* Every zone here is off by whole minutes, so a change is at the start of a minute. */
static time_t search(const struct policy_schedule *schedule, time_t now)
{
	bool on = schedule_on(schedule, now, localtime_r);

	for (time_t t = now - now % 60 + 60; t < now + 16 * 86400; t += 60)
		if (schedule_on(schedule, t, localtime_r) != on)
			return t;
	return 0;
}

static void test_agrees_with_a_search_minute_by_minute(void **state)
{
	static const char *const zones[] = {BERLIN, "EST5EDT,M3.2.0,M11.1.0", "UTC0",
		"<+0545>-5:45", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"AEST-10AEDT,M10.1.0,M4.1.0/3", "<-01>1<+00>,M3.5.0/0,M10.5.0/1"};
	static const char *const around[] = {"2026-03-28 12:00:00", "2026-10-24 12:00:00",
		"2026-03-07 12:00:00", "2026-10-31 12:00:00", "2026-04-04 12:00:00",
		"2026-10-03 12:00:00", "2026-06-01 00:00:00"};
	uint32_t seed = 2463534242;

	(void)state;
	for (size_t z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {
		in_zone(zones[z]);
		for (unsigned i = 0; i < 150; i++) {
			struct policy_range ranges[3];
			struct policy_schedule schedule = {ranges, next_random(&seed) % 3 + 1};
			for (size_t r = 0; r < schedule.n; r++)
				ranges[r] = random_range(&seed);
			time_t now = at(around[next_random(&seed) % 7]) +
				     (time_t)(next_random(&seed) % (2 * 86400));
			time_t found = schedule_next_change(&schedule, now, localtime_r);
			time_t right = search(&schedule, now);
			if (found != right)
				fail_msg("%s, case %u: %ld, not %ld", zones[z], i, (long)found,
					(long)right);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_on_local_days),
		cmocka_unit_test(test_no_schedule_is_always_and_never_changes),
		cmocka_unit_test(test_the_next_change),
		cmocka_unit_test(test_an_hour_that_comes_twice),
		cmocka_unit_test(test_agrees_with_a_search_minute_by_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
