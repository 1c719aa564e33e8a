/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/names/client_answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 64

static struct addr address(unsigned n)
{
	struct addr addr = {.family = n % 2 ? ADDR_IP6 : ADDR_IP4};

	memcpy(addr.bytes, &n, sizeof(n));
	return addr;
}

/* With n names, all of the address's number. */
static void put(struct client_answers *answers, unsigned at, uint16_t n, uint64_t until_ms)
{
	struct ipc_looked_up *answer = calloc(1, sizeof(*answer) + n * (size_t)DNS_NAME_SIZE);

	ipc_init(answer, IPC_LOOKED_UP, sizeof(*answer) + n * (size_t)DNS_NAME_SIZE);
	answer->addr = address(at);
	answer->known = CLIENT_NAMES_KNOWN;
	answer->n = n;
	for (unsigned i = 0; i < n; i++)
		snprintf(answer->names[i], DNS_NAME_SIZE, "n%u.of%u.example", i, at);
	client_answers_put(answers, answer, until_ms);
	free(answer); /* it was copied */
}

static const struct ipc_looked_up *find(
	struct client_answers *answers, unsigned at, uint64_t now_ms)
{
	const struct addr addr = address(at);

	return client_answers_find(answers, &addr, now_ms);
}

static void an_answer_is_found_until_its_time_is_over(void **state)
{
	struct client_answers *answers = client_answers_new(MOST);
	(void)state;
	put(answers, 7, 2, 1000);
	put(answers, 8, 0, 2000);
	const struct ipc_looked_up *found = find(answers, 7, 999);
	assert_non_null(found);
	assert_int_equal(found->n, 2);
	assert_string_equal(found->names[1], "n1.of7.example");
	assert_null(find(answers, 7, 1000));
	assert_int_equal(client_answers_count(answers), 1); /* it is gone */
	assert_int_equal(find(answers, 8, 1000)->n, 0);
	assert_null(find(answers, 9, 0));
	client_answers_free(answers);
}

static void a_later_answer_stands_in_the_place_of_the_earlier(void **state)
{
	struct client_answers *answers = client_answers_new(MOST);
	(void)state;
	put(answers, 7, 1, 1000);
	put(answers, 7, 8, 3000);
	assert_int_equal(client_answers_count(answers), 1);
	assert_int_equal(find(answers, 7, 2000)->n, 8);
	client_answers_free(answers);
}

/* Strangers with many addresses push out strangers. */
static void of_too_many_the_one_not_asked_for_longest_goes(void **state)
{
	struct client_answers *answers = client_answers_new(MOST);
	(void)state;
	put(answers, 0, 1, 1000);
	for (unsigned at = 1; at < 1000; at++) {
		put(answers, at, 1, 1000);
		assert_non_null(find(answers, 0, 0)); /* it comes again and again */
		assert_true(client_answers_count(answers) <= MOST);
	}
	assert_int_equal(client_answers_count(answers), MOST);
	assert_null(find(answers, 999 - MOST, 0));
	for (unsigned at = 1000 - MOST + 1; at < 1000; at++)
		assert_non_null(find(answers, at, 0));
	client_answers_free(answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_found_until_its_time_is_over),
		cmocka_unit_test(a_later_answer_stands_in_the_place_of_the_earlier),
		cmocka_unit_test(of_too_many_the_one_not_asked_for_longest_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
