/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Histograms: bounds that ascend, each duration in the first that holds it, sums of parts. */
#include "lib/metrics/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void bounds_ascend_and_names_differ(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < HISTOGRAMS; kind++) {
		for (unsigned i = 1; i < HISTOGRAM_BOUNDS; i++)
			assert_true(histogram_bound(kind, i - 1) < histogram_bound(kind, i));
		for (unsigned other = 0; other < kind; other++)
			assert_string_not_equal(histogram_name(kind), histogram_name(other));
		assert_true(strlen(histogram_help(kind)) > 10);
	}
}

static void a_bound_holds_what_took_just_so_long(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < HISTOGRAMS; kind++) {
		for (unsigned i = 0; i < HISTOGRAM_BOUNDS; i++) {
			struct histogram histogram = {0};
			histogram_add(&histogram, kind, histogram_bound(kind, i));
			histogram_add(&histogram, kind, histogram_bound(kind, i) + 1);
			assert_int_equal(histogram.counts[i], 1);
			assert_int_equal(histogram.counts[i + 1], 1);
			assert_int_equal(histogram_count(&histogram), 2);
			assert_true(histogram.sum_us == 2ULL * histogram_bound(kind, i) + 1);
		}
	}
}

static void the_shortest_and_the_longest_have_a_place(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	histogram_add(&histogram, HISTOGRAM_ADMISSION, 0);
	histogram_add(&histogram, HISTOGRAM_ADMISSION, UINT32_MAX);
	assert_int_equal(histogram.counts[0], 1);
	assert_int_equal(histogram.counts[HISTOGRAM_BOUNDS], 1);
}

static void parts_add_up(void **state)
{
	struct histogram sum = {0}, part = {0};

	(void)state;
	histogram_add(&part, HISTOGRAM_FLOW, 20000);
	histogram_add(&part, HISTOGRAM_FLOW, 7);
	histogram_sum(&sum, &part);
	histogram_sum(&sum, &part);
	assert_int_equal(histogram_count(&sum), 4);
	assert_int_equal(sum.counts[0], 2);
	assert_int_equal(sum.sum_us, 40014);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_ascend_and_names_differ),
		cmocka_unit_test(a_bound_holds_what_took_just_so_long),
		cmocka_unit_test(the_shortest_and_the_longest_have_a_place),
		cmocka_unit_test(parts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
