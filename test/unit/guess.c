/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords are guessed slowly, and nobody can lock another out. */
#include "lib/limit/guess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000)
/* passwords */
#define OWN   1
#define OTHER 2

static const uint8_t secret[SIPHASH_SECRET_SIZE] = "0123456789abcdef";
static const uint64_t start = 100 * SECOND;
static const struct guess_asked alone;

static struct addr address(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static struct addr nth(unsigned i)
{
	char text[32];
	snprintf(text, sizeof(text), "198.51.%u.%u", 100 + i / 250, i % 250 + 1);
	return address(text);
}

/* How often the backend is asked, of n guesses at one time. */
static unsigned asked(
	struct guess *guess, const char *name, const struct addr *client, unsigned n, uint64_t now)
{
	unsigned times = 0;

	for (unsigned i = 0; i < n; i++) {
		if (guess_may(guess, name, client, OTHER, &alone, now) != GUESS_ASK)
			continue;
		guess_refused(guess, name, client, OTHER, now / 1000, now);
		times++;
	}
	return times;
}

static void a_pair_has_five(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr one = address("192.0.2.1"), other = address("192.0.2.2");
	(void)state;
	assert_int_equal(asked(guess, "anna", &one, 100, start), GUESS_PER_PAIR);
	assert_int_equal(asked(guess, "anna", &other, 100, start), GUESS_PER_PAIR);
	/* the other user has what the address has left */
	assert_int_equal(asked(guess, "bert", &one, 100, start), GUESS_PER_PAIR);
	assert_int_equal(asked(guess, "carl", &one, 100, start), 0);
	/* and it comes back evenly */
	uint64_t later = start + GUESS_WINDOW_S * SECOND;
	assert_int_equal(asked(guess, "anna", &one, 100, later), GUESS_PER_PAIR);
	guess_free(guess);
}

/* Who asks many times at once has no more. */
static void who_is_being_asked_for_counts(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr client = address("192.0.2.1");
	(void)state;
	for (unsigned refused = 0; refused < GUESS_PER_PAIR; refused++) {
		const struct guess_asked last = {.pair = GUESS_PER_PAIR - 1 - refused},
					 over = {.pair = GUESS_PER_PAIR - refused};
		assert_int_equal(guess_may(guess, "a", &client, OTHER, &last, start), GUESS_ASK);
		assert_int_equal(guess_may(guess, "a", &client, OTHER, &over, start), GUESS_LATER);
		guess_refused(guess, "a", &client, OTHER, start / 1000, start);
	}
	/* many users of one address may come at once, fewer once some were refused */
	for (unsigned refused = GUESS_PER_PAIR; refused < GUESS_PER_ADDRESS; refused++) {
		unsigned most = (GUESS_PER_ADDRESS - refused) * GUESS_AT_ONCE / GUESS_PER_ADDRESS;
		const struct guess_asked last = {.place = most - 1}, over = {.place = most};
		assert_int_equal(guess_may(guess, "z", &client, OTHER, &last, start), GUESS_ASK);
		assert_int_equal(guess_may(guess, "z", &client, OTHER, &over, start), GUESS_LATER);
		guess_refused(guess, "b", &client, OTHER, start / 1000, start);
	}
	guess_free(guess);
}

static void an_address_is_a_64_of_ipv6(void **state)
{
	struct guess *guess = guess_new(secret);
	unsigned times = 0;
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		char text[64], name[32];
		snprintf(text, sizeof(text), "2001:db8:1:2:%x::%x", i, i * 7);
		snprintf(name, sizeof(name), "user%u", i);
		const struct addr client = address(text);
		times += asked(guess, name, &client, 1, start);
	}
	assert_int_equal(times, GUESS_PER_ADDRESS);
	const struct addr next = address("2001:db8:1:3::1");
	assert_int_equal(guess_may(guess, "user1", &next, OTHER, &alone, start), GUESS_ASK);
	guess_free(guess);
}

static void nobody_locks_another_out(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr home = address("192.0.2.1"), elsewhere = address("192.0.2.9");
	unsigned times = 0;
	(void)state;
	guess_passed(guess, "anna", &home, OWN, start);
	for (unsigned i = 0; i < 200; i++) {
		const struct addr client = nth(i);
		times += asked(guess, "anna", &client, 50, start);
	}
	assert_int_equal(times, 200 * GUESS_PER_PAIR);
	assert_int_equal(guess_may(guess, "anna", &home, OWN, &alone, start), GUESS_ASK);
	assert_int_equal(guess_may(guess, "anna", &elsewhere, OTHER, &alone, start), GUESS_ASK);
	/* whoever guesses from home, too, shuts himself out, not her */
	assert_int_equal(asked(guess, "bert", &home, 50, start), GUESS_PER_PAIR);
	assert_int_equal(asked(guess, "carl", &home, 50, start), GUESS_PER_PAIR);
	assert_int_equal(asked(guess, "dora", &home, 50, start), 0);
	assert_int_equal(guess_may(guess, "anna", &home, OWN, &alone, start), GUESS_ASK);
	guess_free(guess);
}

/* Who guesses at her from behind her own address gets no further than others, and she is in. */
static void who_is_known_is_so_by_the_password_that_passed(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr home = address("192.0.2.1");
	(void)state;
	uint64_t own = guess_proof(guess, "own"), second = guess_proof(guess, "second"),
		 never = guess_proof(guess, "never");
	assert_true(own && second && own != second);
	guess_passed(guess, "anna", &home, own, start);
	guess_passed(guess, "anna", &home, second, start);
	guess_passed(guess, "bert", &home, 0, start);
	assert_int_equal(asked(guess, "anna", &home, 50, start), GUESS_PER_PAIR);
	assert_int_equal(asked(guess, "bert", &home, 50, start), GUESS_PER_PAIR);
	assert_int_equal(guess_may(guess, "anna", &home, never, &alone, start), GUESS_LATER);
	assert_int_equal(guess_may(guess, "anna", &home, 0, &alone, start), GUESS_LATER);
	assert_int_equal(guess_may(guess, "anna", &home, own, &alone, start), GUESS_ASK);
	assert_int_equal(guess_may(guess, "anna", &home, second, &alone, start), GUESS_ASK);
	assert_int_equal(guess_may(guess, "bert", &home, 0, &alone, start), GUESS_ASK);
	assert_int_equal(guess_may(guess, "bert", &home, own, &alone, start), GUESS_LATER);
	guess_free(guess);
}

static void a_no_takes_the_same_time(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr client = address("192.0.2.1");
	(void)state;
	for (unsigned took = 0; took < GUESS_DELAY_MS; took += 133) {
		uint64_t now = start + took * 1000;
		assert_int_equal(
			guess_refused(guess, "x", &client, OTHER, start / 1000, now) + took,
			GUESS_DELAY_MS);
		guess_free(guess);
		guess = guess_new(secret);
	}
	uint64_t now = start + UINT64_C(2500) * 1000;
	assert_int_equal(guess_refused(guess, "x", &client, OTHER, start / 1000, now), 1500);
	guess_free(guess);
}

static void strangers_wait_where_many_guess(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr home = address("192.0.2.1"), elsewhere = address("192.0.2.9");
	(void)state;
	guess_passed(guess, "anna", &home, OWN, start);
	for (unsigned i = 0; i < GUESS_PER_USER; i++) {
		const struct addr client = nth(i);
		guess_refused(guess, "anna", &client, OTHER, start / 1000, start);
	}
	assert_int_equal(guess_refused(guess, "anna", &elsewhere, OTHER, start / 1000, start),
		GUESS_SLOW_DELAY_MS);
	assert_int_equal(
		guess_refused(guess, "anna", &home, OWN, start / 1000, start), GUESS_DELAY_MS);
	assert_int_equal(guess_refused(guess, "bert", &elsewhere, OTHER, start / 1000, start),
		GUESS_DELAY_MS);
	guess_free(guess);
}

static void who_is_known_is_forgotten_in_time_or_for_newer_ones(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr home = address("192.0.2.1");
	const uint64_t month = GUESS_KNOWN_S * SECOND;
	char name[32];
	(void)state;
	guess_passed(guess, "anna", &home, OWN, start);
	assert_true(guess_is_known(guess, "anna", &home, OWN, start + month));
	assert_false(guess_is_known(guess, "anna", &home, OWN, start + month + 1));
	for (unsigned i = 0; i < 10 * GUESS_KNOWN_MAX; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		guess_passed(guess, name, &home, OWN, start + i);
		assert_true(guess_is_known(guess, name, &home, OWN, start + i));
	}
	assert_false(guess_is_known(guess, "anna", &home, OWN, start));
	guess_free(guess);
}

/* However many strangers there are, the tables end somewhere and the known do not feel it. */
static void full_tables_make_strangers_wait(void **state)
{
	struct guess *guess = guess_new(secret);
	const struct addr home = address("192.0.2.1");
	unsigned later = 0;
	(void)state;
	guess_passed(guess, "anna", &home, OWN, start);
	for (unsigned i = 0; i < 100000; i++) {
		char text[64];
		snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
		const struct addr client = address(text);
		later += guess_may(guess, "anna", &client, OTHER, &alone, start) == GUESS_LATER;
		guess_refused(guess, "anna", &client, OTHER, start / 1000, start);
	}
	assert_true(later > 0);
	assert_int_equal(guess_may(guess, "anna", &home, OWN, &alone, start), GUESS_ASK);
	guess_free(guess);
}

static void ten_spellings_are_one_name(void **state)
{
	static const char *const said[] = {"anna", "Anna", "ANNA", " anna", "anna ", "\tanna\t",
		"anna@hotel.example", "Anna@Hotel.Example", " ANNA@HOTEL.EXAMPLE ", "aNNa"};
	static const char *const others[] = {
		"anna@hotel.example.org", "anna@other.example", "annab", "an na"};
	char name[GUESS_NAME_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		guess_name(said[i], "hotel.example", name);
		assert_string_equal(name, "anna");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		guess_name(others[i], "hotel.example", name);
		assert_string_equal(name, others[i]);
	}
	guess_name("anna@hotel.example", NULL, name);
	assert_string_equal(name, "anna@hotel.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_has_five),
		cmocka_unit_test(who_is_being_asked_for_counts),
		cmocka_unit_test(an_address_is_a_64_of_ipv6),
		cmocka_unit_test(nobody_locks_another_out),
		cmocka_unit_test(who_is_known_is_so_by_the_password_that_passed),
		cmocka_unit_test(a_no_takes_the_same_time),
		cmocka_unit_test(strangers_wait_where_many_guess),
		cmocka_unit_test(who_is_known_is_forgotten_in_time_or_for_newer_ones),
		cmocka_unit_test(full_tables_make_strangers_wait),
		cmocka_unit_test(ten_spellings_are_one_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
