/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When doctor and status say that conntrack's table fills up. */
#include "daemon/control/doctor/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void from_four_fifths_on_it_is_said(void **unused)
{
	(void)unused;
	assert_false(setting_is_filling(0, 262144));
	assert_false(setting_is_filling(209715, 262144));
	assert_true(setting_is_filling(209716, 262144));
	assert_true(setting_is_filling(4, 5));
	assert_false(setting_is_filling(3, 5));
	assert_true(setting_is_filling(300000, 262144));
}

static void what_cannot_be_read_is_not_full(void **unused)
{
	(void)unused;
	assert_false(setting_is_filling(-1, -1));
	assert_false(setting_is_filling(100, -1));
	assert_false(setting_is_filling(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_four_fifths_on_it_is_said),
		cmocka_unit_test(what_cannot_be_read_is_not_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
