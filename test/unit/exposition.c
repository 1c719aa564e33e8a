/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format: names, labels that nothing breaks out of, times, whole metrics. */
#include "lib/metrics/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_text(struct exposition *page, const char *wanted)
{
	assert_false(page->failed);
	assert_int_equal(page->len, strlen(wanted));
	assert_memory_equal(page->text, wanted, page->len);
	exposition_fini(page);
}

static void a_name_is_the_counters_own_in_another_writing(void **state)
{
	struct exposition page = {0};

	(void)state;
	exposition_begin(&page, "flows-live", COUNTER_KIND_GAUGE, "flows now");
	exposition_add(&page, 3, NULL);
	exposition_begin(&page, "audit-lost", COUNTER_KIND_TOTAL, "records lost");
	exposition_add(&page, UINT64_MAX, NULL);
	exposition_begin(&page, "steered", COUNTER_KIND_TABLE, "packets");
	exposition_add(&page, 0, NULL);
	assert_text(&page, "# HELP postern_flows_live flows now\n"
			   "# TYPE postern_flows_live gauge\n"
			   "postern_flows_live 3\n"
			   "# HELP postern_audit_lost_total records lost\n"
			   "# TYPE postern_audit_lost_total counter\n"
			   "postern_audit_lost_total 18446744073709551615\n"
			   "# HELP postern_steered_total packets\n"
			   "# TYPE postern_steered_total counter\n"
			   "postern_steered_total 0\n");
}

static void nothing_breaks_out_of_a_label(void **state)
{
	struct exposition page = {0};

	(void)state;
	exposition_begin(&page, "x", COUNTER_KIND_GAUGE, "x");
	page.len = 0;
	exposition_add(&page, 1, "host", "a\"} 9\npostern_y{b=\"\\", "port", "25", NULL);
	exposition_add(&page, 2, "host", "m\xc3\xa4il.example\x7f\t", NULL);
	exposition_add(&page, 3, "host", "", NULL);
	assert_text(&page, "postern_x{host=\"a\\\"} 9?postern_y{b=\\\"\\\\\",port=\"25\"} 1\n"
			   "postern_x{host=\"m??il.example??\"} 2\n"
			   "postern_x{host=\"\"} 3\n");
}

static void times_are_seconds(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} cases[] = {{0, "0"}, {1, "0.000001"}, {50, "0.00005"}, {1000, "0.001"}, {2500000, "2.5"},
		{10000000, "10"}, {1700000000123000, "1700000000.123"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct exposition page = {0};
		char wanted[64];
		exposition_begin(&page, "t-seconds", COUNTER_KIND_GAUGE, "t");
		page.len = 0;
		exposition_add_us(&page, cases[i].us, NULL);
		snprintf(wanted, sizeof(wanted), "postern_t_seconds %s\n", cases[i].text);
		assert_text(&page, wanted);
	}
}

static void a_histogram_counts_what_took_at_most_so_long(void **state)
{
	struct exposition page = {0};
	struct histogram histogram = {0};

	(void)state;
	histogram_add(&histogram, HISTOGRAM_ADMISSION, 60);
	histogram_add(&histogram, HISTOGRAM_ADMISSION, 700);
	histogram_add(&histogram, HISTOGRAM_ADMISSION, 900000);
	exposition_put_histogram(&page, HISTOGRAM_ADMISSION, &histogram);
	assert_non_null(page.text);
	page.text[page.len - 1] = '\0';
	assert_non_null(strstr(page.text, "# TYPE postern_admission_seconds histogram\n"));
	assert_non_null(strstr(page.text, "_bucket{le=\"0.00005\"} 0\n"));
	assert_non_null(strstr(page.text, "_bucket{le=\"0.0001\"} 1\n"));
	assert_non_null(strstr(page.text, "_bucket{le=\"0.001\"} 2\n"));
	assert_non_null(strstr(page.text, "_bucket{le=\"0.5\"} 2\n"));
	assert_non_null(strstr(page.text, "_bucket{le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(page.text, "_sum 0.90076\n"));
	assert_non_null(strstr(page.text, "_count 3"));
	exposition_fini(&page);
}

/* One line of a value, and one of HELP, for each counter and each ending. */
static void every_counter_is_there_once(void **state)
{
	struct exposition page = {0};
	uint64_t values[COUNTERS];
	size_t lines = 0, helps = 0, formers = 0;

	(void)state;
	for (unsigned i = 0; i < COUNTERS; i++)
		values[i] = 1000000 + i;
	exposition_put_counters(&page, values);
	char *text = strndup(page.text, page.len);
	exposition_fini(&page);
	for (unsigned i = 0; i < COUNTERS; i++) {
		char value[16];
		snprintf(value, sizeof(value), " %u\n", 1000000 + i);
		const char *at = strstr(text, value);
		char help[COUNTER_FORMER_SIZE];
		assert_true((at != NULL) == (i != COUNTER_ENDING + ENDING_NONE));
		at = at ? strstr(at + 1, value) : NULL;
		/* twice alone where it had another name */
		assert_true((at != NULL) == (counter_former(i, help) != NULL));
		formers += at != NULL;
		assert_null(at ? strstr(at + 1, value) : NULL);
	}
	for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
		helps += strncmp(at, "# HELP ", 7) == 0;
		lines += *at != '#';
	}
	assert_int_equal(formers, 4);
	assert_int_equal(lines, COUNTERS - 1 + formers);
	assert_int_equal(helps, COUNTER_ENDING - POLICY_VERDICTS + 4 + formers);
	assert_non_null(strstr(text, "\npostern_ipc_lost_total "));
	assert_non_null(strstr(text, "\n# HELP postern_messages_lost_total deprecated: ipc-lost "));
	assert_non_null(strstr(text, "\npostern_messages_lost_total "));
	assert_non_null(strstr(text, "postern_verdicts_total{verdict=\"redirect\"} "));
	assert_non_null(strstr(text, "postern_messages_ended_total{ending=\"unknown\","
				     "class=\"doubt\"} "));
	assert_non_null(strstr(text, "postern_recipients_refused_total{by=\"limit\"} "));
	assert_non_null(strstr(
		text, "postern_flows_ended_total{ending=\"not-logged-in\",class=\"refused\"} "));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_the_counters_own_in_another_writing),
		cmocka_unit_test(nothing_breaks_out_of_a_label),
		cmocka_unit_test(times_are_seconds),
		cmocka_unit_test(a_histogram_counts_what_took_at_most_so_long),
		cmocka_unit_test(every_counter_is_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
