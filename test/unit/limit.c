/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/limit.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t secret[LIMIT_SECRET_SIZE] = "0123456789abcde";

struct shared {
	void *memory;
	size_t bytes;
	struct limit limit;
};

static struct shared shared_new(uint32_t columns, uint32_t slots)
{
	struct shared s = {.bytes = limit_bytes(columns, slots)};

	s.memory = mmap(NULL, s.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s.memory, MAP_FAILED);
	assert_int_equal(limit_init(s.memory, s.bytes, columns, secret), 0);
	assert_int_equal(limit_attach(&s.limit, s.memory, s.bytes), 0);
	return s;
}

static void shared_free(struct shared *s)
{
	munmap(s->memory, s->bytes);
}

static uint64_t key_of(const struct limit *limit, unsigned subject)
{
	return limit_key(limit, LIMIT_FLOWS_CLIENT, "guest", &subject, sizeof(subject), 0, 0);
}

static void test_flows_up_to_the_maximum(void **state)
{
	struct shared s = shared_new(2, 64);
	uint64_t key = key_of(&s.limit, 1);
	uint32_t holds[5], none;

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(limit_take(&s.limit, i % 2, key, 5, 1000, &holds[i]), LIMIT_OK);
	assert_int_equal(limit_take(&s.limit, 0, key, 5, 1000, &none), LIMIT_OVER);
	assert_int_equal(none, LIMIT_NONE);
	assert_int_equal(limit_count(&s.limit, key), 5);
	limit_drop(&s.limit, 1, holds[1]);
	assert_int_equal(limit_take(&s.limit, 0, key, 5, 1000, &none), LIMIT_OK);
	assert_int_equal(limit_take(&s.limit, 0, key_of(&s.limit, 2), 0, 1000, &none), LIMIT_OVER);
	limit_drop(&s.limit, 0, LIMIT_NONE);
	shared_free(&s);
}

static void test_keys_tell_kind_zone_subject_and_rate_apart(void **state)
{
	struct shared s = shared_new(1, 4), other = shared_new(1, 4);
	const struct {
		enum limit_kind kind;
		const char *zone, *subject;
		uint32_t count, per;
	} cases[] = {
		{LIMIT_FLOWS_CLIENT, "guest", "a", 0, 0},
		{LIMIT_FLOWS_USER, "guest", "a", 0, 0},
		{LIMIT_FLOWS_CLIENT, "staff", "a", 0, 0},
		{LIMIT_FLOWS_CLIENT, "guest", "b", 0, 0},
		{LIMIT_FLOWS_CLIENT, "guesta", "", 0, 0},
		{LIMIT_FLOWS_CLIENT, NULL, "guesta", 0, 0},
		{LIMIT_RATE_CLIENT, "guest", "a", 20, 60},
		{LIMIT_RATE_CLIENT, "guest", "a", 20, 3600},
		{LIMIT_RATE_CLIENT, "guest", "a", 21, 60},
	};
	const size_t n = sizeof(cases) / sizeof(cases[0]);
	uint64_t keys[sizeof(cases) / sizeof(cases[0])];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		keys[i] = limit_key(&s.limit, cases[i].kind, cases[i].zone, cases[i].subject,
			strlen(cases[i].subject), cases[i].count, cases[i].per);
		for (size_t j = 0; j < i; j++)
			assert_true(keys[i] != keys[j]);
	}
	assert_true(keys[0] == limit_key(&other.limit, LIMIT_FLOWS_CLIENT, "guest", "a", 1, 0, 0));
	other.limit.secret[0] ^= 1;
	assert_true(keys[0] != limit_key(&other.limit, LIMIT_FLOWS_CLIENT, "guest", "a", 1, 0, 0));
	shared_free(&s);
	shared_free(&other);
}

static void test_a_rate_allows_a_burst_then_a_steady_flow(void **state)
{
	struct shared s = shared_new(1, 64);
	uint64_t key = key_of(&s.limit, 1), now = 5000000;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(limit_rate(&s.limit, 0, key, 20, 60, now), LIMIT_OK);
	assert_int_equal(limit_rate(&s.limit, 0, key, 20, 60, now), LIMIT_OVER);
	assert_int_equal(limit_rate(&s.limit, 0, key, 20, 60, now + 2999999), LIMIT_OVER);
	assert_int_equal(limit_rate(&s.limit, 0, key, 20, 60, now + 3000000), LIMIT_OK);
	assert_int_equal(limit_rate(&s.limit, 0, key, 20, 60, now + 3000000), LIMIT_OVER);
	now += 3000000 + 60000000;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(limit_rate(&s.limit, 0, key, 20, 60, now), LIMIT_OK);
	assert_int_equal(limit_rate(&s.limit, 0, key, 20, 60, now), LIMIT_OVER);
	assert_int_equal(limit_rate(&s.limit, 0, key, 0, 60, now), LIMIT_OVER);
	shared_free(&s);
}

static void test_asking_whether_a_rate_is_over_takes_nothing(void **state)
{
	struct shared s = shared_new(1, 64);
	uint64_t key = key_of(&s.limit, 1), now = 5000000;

	(void)state;
	srandom(3);
	assert_true(limit_rate_is_over(&s.limit, key, 0, 60, now));
	for (unsigned i = 0; i < 5000; i++) {
		bool over = limit_rate_is_over(&s.limit, key, 20, 60, now);
		for (unsigned j = 0; j < 3; j++)
			assert_int_equal(limit_rate_is_over(&s.limit, key, 20, 60, now), over);
		assert_int_equal(
			limit_rate(&s.limit, 0, key, 20, 60, now), over ? LIMIT_OVER : LIMIT_OK);
		now += (uint64_t)(random() % 4500000);
	}
	shared_free(&s);
}

static void test_a_full_table_says_so_and_idle_slots_are_used_again(void **state)
{
	struct shared s = shared_new(1, 8);
	uint32_t holds[8], hold;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(
			limit_take(&s.limit, 0, key_of(&s.limit, i), 1, 0, &holds[i]), LIMIT_OK);
	assert_int_equal(limit_take(&s.limit, 0, key_of(&s.limit, 8), 1, 0, &hold), LIMIT_FULL);
	assert_int_equal(limit_rate(&s.limit, 0, key_of(&s.limit, 9), 1, 1, 0), LIMIT_FULL);
	limit_drop(&s.limit, 0, holds[3]);
	assert_int_equal(limit_rate(&s.limit, 0, key_of(&s.limit, 9), 1, 1, 0), LIMIT_OK);
	/* the bucket is not full again: its slot still tells something */
	assert_int_equal(
		limit_take(&s.limit, 0, key_of(&s.limit, 8), 1, 999999, &hold), LIMIT_FULL);
	assert_int_equal(limit_take(&s.limit, 0, key_of(&s.limit, 8), 1, 1000000, &hold), LIMIT_OK);
	assert_int_equal(limit_count(&s.limit, key_of(&s.limit, 3)), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(limit_count(&s.limit, key_of(&s.limit, i)), i != 3);
	shared_free(&s);
}

static void test_what_is_no_table_is_refused(void **state)
{
	struct shared s = shared_new(2, 64);
	struct limit limit;
	uint64_t zeros[512] = {0};

	(void)state;
	assert_int_equal(limit_attach(&limit, zeros, sizeof(zeros)), -EINVAL);
	assert_int_equal(limit_attach(&limit, s.memory, 10), -EINVAL);
	assert_int_equal(limit_attach(&limit, s.memory, s.bytes - 1), -EINVAL);
	assert_int_equal(limit_init(s.memory, s.bytes, 0, secret), -EINVAL);
	assert_int_equal(limit_init(s.memory, s.bytes, LIMIT_COLUMNS_MAX + 1, secret), -EINVAL);
	assert_int_equal(limit_init(s.memory, 64, 1, secret), -EINVAL);
	shared_free(&s);
}

#define WORKERS 3
#define KEYS    12

/* What the workers really hold, counted without the table. */
struct oracle {
	_Atomic uint32_t held[KEYS];
	_Atomic uint32_t above, taken, over, full;
	uint32_t max;
	unsigned keys;
};

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Takes and drops at random. More keys than slots, so that slots change hands all the time. */
static void work(const struct limit *limit, struct oracle *oracle, uint32_t column, unsigned rounds)
{
	struct {
		uint32_t hold;
		unsigned key;
	} held[4] = {{0}};
	unsigned n = 0;
	uint32_t seed = 77 + column;

	for (unsigned round = 0; round < rounds; round++) {
		if (n == 4 || (n > 0 && next_random(&seed) % 2)) {
			n--;
			atomic_fetch_sub(&oracle->held[held[n].key], 1);
			limit_drop(limit, column, held[n].hold);
			continue;
		}
		unsigned key = next_random(&seed) % oracle->keys;
		switch (limit_take(
			limit, column, key_of(limit, key), oracle->max, round, &held[n].hold)) {
		case LIMIT_OK:
			if (atomic_fetch_add(&oracle->held[key], 1) + 1 > oracle->max)
				atomic_fetch_add(&oracle->above, 1);
			atomic_fetch_add(&oracle->taken, 1);
			held[n++].key = key;
			break;
		case LIMIT_OVER:
			atomic_fetch_add(&oracle->over, 1);
			break;
		case LIMIT_FULL:
			atomic_fetch_add(&oracle->full, 1);
			break;
		}
	}
	while (n > 0) {
		n--;
		atomic_fetch_sub(&oracle->held[held[n].key], 1);
		limit_drop(limit, column, held[n].hold);
	}
}

static pid_t start(
	const struct limit *limit, struct oracle *oracle, uint32_t column, unsigned rounds)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		work(limit, oracle, column, rounds);
		_exit(0);
	}
	return pid;
}

static struct oracle *oracle_new(unsigned keys, uint32_t max)
{
	struct oracle *oracle = mmap(
		NULL, sizeof(*oracle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(oracle, MAP_FAILED);
	oracle->keys = keys;
	oracle->max = max;
	return oracle;
}

/* Full may be said: a worker put to sleep in the middle of a claim keeps its slot covered. */
static void hammer(uint32_t slots, unsigned keys, uint32_t max, unsigned rounds)
{
	struct shared s = shared_new(WORKERS, slots);
	struct oracle *oracle = oracle_new(keys, max);
	pid_t pids[WORKERS];

	for (uint32_t i = 0; i < WORKERS; i++)
		pids[i] = start(&s.limit, oracle, i, rounds);
	for (unsigned i = 0; i < WORKERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(oracle->above, 0);
	assert_true(oracle->taken > 0);
	for (unsigned i = 0; i < keys; i++)
		assert_int_equal(limit_count(&s.limit, key_of(&s.limit, i)), 0);
	munmap(oracle, sizeof(*oracle));
	shared_free(&s);
}

static void test_many_processes_never_exceed_the_maximum(void **state)
{
	(void)state;
	hammer(64, KEYS, 3, 20000);
}

static void test_nor_do_they_when_slots_change_hands(void **state)
{
	(void)state;
	hammer(8, KEYS, 3, 20000);
	hammer(2, 3, 1, 100000);
	hammer(3, KEYS, 2, 100000);
}

static void test_what_a_dead_process_held_is_given_back(void **state)
{
	struct shared s = shared_new(2, 64);
	uint64_t key = key_of(&s.limit, 1);
	uint32_t hold;

	(void)state;
	assert_int_equal(limit_take(&s.limit, 0, key, 4, 0, &hold), LIMIT_OK);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		uint32_t mine;
		for (unsigned i = 0; i < 3; i++)
			if (limit_take(&s.limit, 1, key, 4, 0, &mine) != LIMIT_OK)
				_exit(1);
		raise(SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(limit_count(&s.limit, key), 4);
	limit_forget_column(&s.limit, 1);
	assert_int_equal(limit_count(&s.limit, key), 1);
	shared_free(&s);
}

/* Kills a worker somewhere in its work, often, and looks whether the table is whole afterwards. */
static void test_death_at_any_moment_leaves_a_whole_table(void **state)
{
	struct shared s = shared_new(2, 8);
	struct oracle *oracle = oracle_new(KEYS, 3);
	uint32_t seed = 4711;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		atomic_store(&oracle->taken, 0);
		uint32_t wanted = next_random(&seed) % 400;
		pid_t pid = start(&s.limit, oracle, 1, UINT32_MAX);
		while (atomic_load(&oracle->taken) <= wanted)
			sched_yield();
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		limit_forget_column(&s.limit, 1);
		for (unsigned i = 0; i < KEYS; i++)
			assert_int_equal(limit_count(&s.limit, key_of(&s.limit, i)), 0);
	}
	uint32_t holds[8];
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(
			limit_take(&s.limit, 0, key_of(&s.limit, 100 + i), 1, 0, &holds[i]),
			LIMIT_OK);
	munmap(oracle, sizeof(*oracle));
	shared_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_up_to_the_maximum),
		cmocka_unit_test(test_keys_tell_kind_zone_subject_and_rate_apart),
		cmocka_unit_test(test_a_rate_allows_a_burst_then_a_steady_flow),
		cmocka_unit_test(test_asking_whether_a_rate_is_over_takes_nothing),
		cmocka_unit_test(test_a_full_table_says_so_and_idle_slots_are_used_again),
		cmocka_unit_test(test_what_is_no_table_is_refused),
		cmocka_unit_test(test_many_processes_never_exceed_the_maximum),
		cmocka_unit_test(test_nor_do_they_when_slots_change_hands),
		cmocka_unit_test(test_what_a_dead_process_held_is_given_back),
		cmocka_unit_test(test_death_at_any_moment_leaves_a_whole_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
