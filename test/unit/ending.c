/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/ending.h"
#include "lib/metrics/counter.h"
#include "lib/record/login_ending.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A word of the vocabulary: lower case, digits and hyphens. */
static void assert_word(const char *word)
{
	assert_non_null(word);
	assert_true(strlen(word) > 0);
	assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(word));
}

static void test_every_ending_has_its_own_word(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ENDINGS; i++) {
		enum ending found;
		assert_word(ending_names[i]);
		assert_int_equal(ending_parse(ending_names[i], &found), 0);
		assert_int_equal(found, i); /* else two have one name */
		assert_true(ending_class_of(i) < ENDING_CLASSES);
		assert_true(strlen(ending_meanings[i]) > 0);
		assert_string_equal(ending_name(i), ending_names[i]);
	}
	enum ending none;
	assert_int_equal(ending_parse("nonsense", &none), -EINVAL);
	assert_string_equal(ending_name(ENDINGS), "unknown");
}

/* They stand in one column of the audit. */
static void test_a_login_ends_in_words_of_its_own(void **state)
{
	enum login_ending found;
	enum ending none;

	(void)state;
	for (unsigned i = 0; i < LOGIN_ENDINGS; i++) {
		assert_word(login_ending_names[i]);
		assert_int_equal(login_ending_parse(login_ending_names[i], &found), 0);
		assert_int_equal(found, i);
		assert_int_equal(ending_parse(login_ending_names[i], &none), -EINVAL);
	}
	assert_int_equal(login_ending_parse(ending_names[0], &found), -EINVAL);
}

static void test_every_refusal_to_a_client_is_temporary_but_of_whom_a_listener_does_not_accept(
	void **state)
{
	(void)state;
	for (unsigned i = 0; i < ENDINGS; i++) {
		const struct ending_reply *reply = ending_reply_of(i);
		enum ending_class class = ending_class_of(i);
		if (!reply) {
			assert_int_not_equal(class, ENDING_CLASS_SERVER);
			continue;
		}
		assert_true(class == ENDING_CLASS_REFUSED || class == ENDING_CLASS_SERVER);
		assert_int_equal(reply->code, i == ENDING_NOT_ACCEPTED ? 554 : 421);
		assert_int_equal(reply->enhanced[0], i == ENDING_NOT_ACCEPTED ? '5' : '4');
	}
}

static void test_every_counter_has_its_own_word_and_help(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNTERS; i++) {
		assert_word(counter_name(i));
		assert_true(strlen(counter_help(i)) > 0);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(counter_name(i), counter_name(j));
	}
	for (unsigned i = 0; i < COUNTERS; i++) {
		char help[COUNTER_FORMER_SIZE];
		const char *former = counter_former(i, help);
		for (unsigned j = 0; former && j < COUNTERS; j++)
			assert_string_not_equal(former, counter_name(j));
		assert_true(!former || strstr(help, counter_name(i)));
	}
	assert_string_equal(counter_name(counter_of_ending(ENDING_IDLE)), "ended-idle");
	assert_int_equal(counter_kind_of(COUNTER_FLOWS_LIVE), COUNTER_KIND_GAUGE);
	assert_int_equal(counter_of_verdict(POLICY_VERDICT_DROP), COUNTER_VERDICT_DROP);
}

static void test_counters_of_processes_add_up(void **state)
{
	uint64_t sum[COUNTERS] = {0}, part[COUNTERS] = {0};

	(void)state;
	part[0] = 2;
	part[COUNTERS - 1] = 5;
	counter_sum(sum, part);
	counter_sum(sum, part);
	assert_int_equal(sum[0], 4);
	assert_int_equal(sum[COUNTERS - 1], 10);
	assert_int_equal(sum[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_ending_has_its_own_word),
		cmocka_unit_test(test_a_login_ends_in_words_of_its_own),
		cmocka_unit_test(
			test_every_refusal_to_a_client_is_temporary_but_of_whom_a_listener_does_not_accept),
		cmocka_unit_test(test_every_counter_has_its_own_word_and_help),
		cmocka_unit_test(test_counters_of_processes_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
