/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments as people write them, in local time. */
#include "daemon/control/request/moment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

/* Wednesday 2030-01-16 12:30:00 UTC */
#define NOW_S  1894797000ull
#define NOW_MS (NOW_S * 1000)

static void words_are_moments(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
		uint64_t past_s, next_s; /* 0: not a word there */
	} cases[] = {
		{"1h", 0, NOW_S - 3600, 0},
		{"90s", 0, NOW_S - 90, 0},
		{"08:00", 0, NOW_S - 16200, NOW_S + 70200},
		{"13:00", 0, NOW_S - 84600, NOW_S + 1800},
		{"12:30", 0, NOW_S, NOW_S},
		{"wed 12:30", 0, NOW_S, NOW_S},
		{"mon 12:30", 0, NOW_S - 2 * 86400, NOW_S + 5 * 86400},
		{"2030-01-16", 0, NOW_S - 45000, NOW_S - 45000},
		{"2030-01-16 12:30", 0, NOW_S, NOW_S},
		{"2030-01-16 12:30:05", 0, NOW_S + 5, NOW_S + 5},
		{"@1894797000", 0, NOW_S, NOW_S},
		{"08:00:30", 0, NOW_S - 16170, NOW_S + 70230},
		{"now", 0, NOW_S, NOW_S},
		{"today", 0, NOW_S - 45000, NOW_S - 45000},
		{"Today", 0, NOW_S - 45000, NOW_S - 45000},
		{"yesterday", 0, NOW_S - 131400, NOW_S - 131400},
		{"tomorrow", 0, NOW_S + 41400, NOW_S + 41400},
		{"today 08:00", 0, NOW_S - 16200, NOW_S - 16200},
		{"yesterday 12:30:05", 0, NOW_S - 86395, NOW_S - 86395},
		{"2030-01-16T12:30", 0, NOW_S, NOW_S},
		{"2030-01-16T12:30:05", 0, NOW_S + 5, NOW_S + 5},
		{"2030-01-16T12:30:00Z", 0, NOW_S, NOW_S},
		{"2030-01-16T14:30:00+02:00", 0, NOW_S, NOW_S},
		{"2030-01-16T14:30+0200", 0, NOW_S, NOW_S},
		{"2030-01-16T14:30+02", 0, NOW_S, NOW_S},
		{"2030-01-16 07:00:00-05:30", 0, NOW_S, NOW_S},
		{"2030-01-17T02:30:00+14:00", 0, NOW_S, NOW_S},
		{"", -EINVAL, 0, 0},
		{"todayish", -EINVAL, 0, 0},
		{"today 8", -EINVAL, 0, 0},
		{"today 08:00x", -EINVAL, 0, 0},
		{"2030-01-16T", -EINVAL, 0, 0},
		{"2030-01-16T12:30Zx", -EINVAL, 0, 0},
		{"2030-01-16T12:30+", -EINVAL, 0, 0},
		{"2030-01-16T12:30+2", -EINVAL, 0, 0},
		{"2030-01-16T12:30+15:00", -EINVAL, 0, 0},
		{"2030-01-16T12:30+02:60", -EINVAL, 0, 0},
		{"2030-01-16T12:30+02:00:00", -EINVAL, 0, 0},
		{"2030-02-29T12:30Z", -EINVAL, 0, 0},
		{"24:00", -EINVAL, 0, 0},
		{"12:60", -EINVAL, 0, 0},
		{"2030-13-01", -EINVAL, 0, 0},
		{"2030-01-16 12", -EINVAL, 0, 0},
		{"2030-01-16 12:30 x", -EINVAL, 0, 0},
		{"@", -EINVAL, 0, 0},
		{"@-1", -EINVAL, 0, 0},
		{"@ 1", -EINVAL, 0, 0},
		{"2030-02-29", -EINVAL, 0, 0},
		{"2032-02-29", 0, 1961625600, 1961625600},
		{"18446744073709551615ms", -EINVAL, 0, 0},
		{"@99999999999999999999", -EINVAL, 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t at_ms = 0;
		assert_int_equal(moment_parse_past(cases[i].text, NOW_MS, &at_ms), cases[i].result);
		if (cases[i].past_s)
			assert_int_equal(at_ms / 1000, cases[i].past_s);
		if (!cases[i].next_s)
			continue;
		assert_int_equal(moment_parse_next(cases[i].text, NOW_MS, &at_ms), 0);
		assert_int_equal(at_ms / 1000, cases[i].next_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_moments)};
	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
