/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/bucket.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_S  3600u
#define HOUR_US (HOUR_S * UINT64_C(1000000))

static const uint8_t secret[SIPHASH_SECRET_SIZE] = "0123456789abcde";

static void *map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

struct shared {
	void *memory;
	size_t bytes;
	struct bucket_table table;
};

static struct shared shared_new(uint32_t slots)
{
	struct shared s = {.bytes = bucket_bytes(slots)};

	s.memory = map(s.bytes);
	assert_int_equal(bucket_init(s.memory, s.bytes, secret), 0);
	assert_int_equal(bucket_attach(&s.table, s.memory, s.bytes), 0);
	assert_int_equal(s.table.nslots, slots);
	return s;
}

static void shared_free(struct shared *s)
{
	munmap(s->memory, s->bytes);
}

static struct bucket_key key_of(const struct bucket_table *table, unsigned subject)
{
	return bucket_key(table, 1, "guest", &subject, sizeof(subject), 0, 0);
}

static enum bucket_verdict take(
	const struct bucket_table *table, unsigned subject, uint32_t count, uint64_t now_us)
{
	struct bucket_key key = key_of(table, subject);

	return bucket_take(table, &key, count, HOUR_S, now_us);
}

static void test_all_at_once_then_evenly(void **state)
{
	struct shared s = shared_new(64);
	struct bucket_key key = key_of(&s.table, 1);
	uint64_t now = 5000000;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(bucket_take(&s.table, &key, 20, 60, now), BUCKET_OK);
	assert_int_equal(bucket_take(&s.table, &key, 20, 60, now), BUCKET_OVER);
	assert_int_equal(bucket_take(&s.table, &key, 20, 60, now + 2999999), BUCKET_OVER);
	assert_int_equal(bucket_take(&s.table, &key, 20, 60, now + 3000000), BUCKET_OK);
	assert_int_equal(bucket_take(&s.table, &key, 20, 60, now + 3000000), BUCKET_OVER);
	now += 3000000 + 60000000;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(bucket_take(&s.table, &key, 20, 60, now), BUCKET_OK);
	assert_int_equal(bucket_take(&s.table, &key, 20, 60, now), BUCKET_OVER);
	assert_int_equal(bucket_take(&s.table, &key, 0, 60, now), BUCKET_OVER);
	assert_int_equal(bucket_foresee(&s.table, &key, 0, 60, now), BUCKET_OVER);
	shared_free(&s);
}

/* What the manual promises, at the worst moments, with counts that do not divide the time. */
static void test_no_window_sees_more_than_twice_the_count(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, 7, 11, 1000};

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		struct shared s = shared_new(4);
		struct bucket_key key = key_of(&s.table, 1);
		uint64_t given = 0, from = 1000000;
		for (unsigned i = 0; i < counts[c]; i++)
			given += bucket_take(&s.table, &key, counts[c], 1, from) == BUCKET_OK;
		assert_int_equal(given, counts[c]);
		for (uint64_t us = 0; us < 1000000; us++)
			given += bucket_take(&s.table, &key, counts[c], 1, from + us) == BUCKET_OK;
		assert_in_range(given, counts[c] * 2 - 1, counts[c] * 2);
		shared_free(&s);
	}
}

static void test_keys_tell_all_apart(void **state)
{
	struct shared s = shared_new(4), other = shared_new(4);
	const struct {
		uint32_t what;
		const char *scope, *subject;
		uint32_t count, per;
	} cases[] = {
		{1, "guest", "a", 20, 60},
		{2, "guest", "a", 20, 60},
		{1, "guest/mail", "a", 20, 60},
		{1, "guest", "b", 20, 60},
		{1, "guest", "", 20, 60},
		{1, "guest", NULL, 20, 60},
		{1, "guesta", "", 20, 60},
		{1, NULL, "guesta", 20, 60},
		{1, "guest", "a", 20, 3600},
		{1, "guest", "a", 21, 60},
	};
	const size_t n = sizeof(cases) / sizeof(cases[0]);
	struct bucket_key keys[sizeof(cases) / sizeof(cases[0])];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		keys[i] = bucket_key(&s.table, cases[i].what, cases[i].scope, cases[i].subject,
			cases[i].subject ? strlen(cases[i].subject) : 0, cases[i].count,
			cases[i].per);
		for (size_t j = 0; j < i; j++)
			for (unsigned part = 0; part < 3; part++)
				assert_true(keys[i].part[part] != keys[j].part[part]);
	}
	other.table.secret[0] ^= 1;
	struct bucket_key same = bucket_key(&s.table, 1, "guest", "a", 1, 20, 60),
			  secrets = bucket_key(&other.table, 1, "guest", "a", 1, 20, 60);
	assert_memory_equal(&same, &keys[0], sizeof(same));
	assert_memory_not_equal(&secrets, &keys[0], sizeof(same));
	shared_free(&s);
	shared_free(&other);
}

static void test_keys_that_share_a_part_do_not_meet(void **state)
{
	struct shared s = shared_new(8);
	struct bucket_key key = key_of(&s.table, 1);

	(void)state;
	assert_int_equal(bucket_take(&s.table, &key, 1, HOUR_S, 1000), BUCKET_OK);
	assert_int_equal(bucket_take(&s.table, &key, 1, HOUR_S, 1000), BUCKET_OVER);
	for (unsigned part = 0; part < 3; part++) {
		struct bucket_key other = key;
		other.part[part] ^= 1;
		assert_int_equal(bucket_take(&s.table, &other, 1, HOUR_S, 1000), BUCKET_OK);
		assert_int_equal(bucket_take(&s.table, &other, 1, HOUR_S, 1000), BUCKET_OVER);
	}
	shared_free(&s);
}

static void test_full_is_said_to_new_keys_alone(void **state)
{
	struct shared s = shared_new(8);
	struct bucket_key late;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(take(&s.table, i, 2, 1000), BUCKET_OK);
	assert_int_equal(bucket_used(&s.table, 1000), 8);
	assert_int_equal(take(&s.table, 8, 2, 1000), BUCKET_FULL);
	late = key_of(&s.table, 8);
	assert_int_equal(bucket_foresee(&s.table, &late, 2, HOUR_S, 1000), BUCKET_FULL);
	assert_false(bucket_is_known(&s.table, &late, 1000));
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(take(&s.table, i, 2, 1000), BUCKET_OK);
		assert_int_equal(take(&s.table, i, 2, 1000), BUCKET_OVER);
	}
	/* when they are refilled, their slots are anyone's */
	assert_int_equal(bucket_used(&s.table, 1000 + HOUR_US), 0);
	for (unsigned i = 8; i < 16; i++)
		assert_int_equal(take(&s.table, i, 2, 1000 + HOUR_US), BUCKET_OK);
	assert_int_equal(take(&s.table, 0, 2, 1000 + HOUR_US), BUCKET_FULL);
	shared_free(&s);
}

static void test_what_is_no_table_is_not_attached(void **state)
{
	struct shared s = shared_new(4);
	uint64_t zeros[32] = {0};
	struct bucket_table table;

	(void)state;
	assert_int_equal(bucket_attach(&table, zeros, sizeof(zeros)), -EINVAL);
	assert_int_equal(bucket_attach(&table, s.memory, 10), -EINVAL);
	assert_int_equal(bucket_attach(&table, s.memory, s.bytes - 1), -EINVAL);
	assert_int_equal(bucket_init(zeros, bucket_bytes(1) - 1, secret), -EINVAL);
	shared_free(&s);
}

/* ---- against a plain model ---- */

#define MODEL_KEYS  14
#define MODEL_SLOTS 8

struct model {
	uint64_t full_us[MODEL_KEYS]; /* when it is full again */
};

static enum bucket_verdict model_take(
	struct model *model, unsigned key, uint32_t count, uint64_t each_us, uint64_t now_us)
{
	unsigned used = 0;

	for (unsigned i = 0; i < MODEL_KEYS; i++)
		used += model->full_us[i] > now_us;
	if (model->full_us[key] <= now_us) {
		if (used == MODEL_SLOTS)
			return BUCKET_FULL;
		model->full_us[key] = now_us;
	}
	if (model->full_us[key] + each_us - now_us > each_us * count)
		return BUCKET_OVER;
	model->full_us[key] += each_us;
	return BUCKET_OK;
}

/* A key whose bucket is full again may still have its slot: then a full table refuses it no more
 * than the model does a key that has none. */
static void test_it_does_what_a_model_does(void **state)
{
	unsigned verdicts[3] = {0};

	(void)state;
	srandom(11);
	for (unsigned run = 0; run < 300; run++) {
		struct shared s = shared_new(MODEL_SLOTS);
		struct model model = {{0}};
		uint32_t count = 1 + (uint32_t)random() % 5;
		uint64_t now_us = 1 + (uint64_t)random() % 1000,
			 each_us = (60000000 + count - 1) / count;
		for (unsigned i = 0; i < 1000; i++) {
			unsigned subject = (unsigned)random() % MODEL_KEYS;
			struct bucket_key key = key_of(&s.table, subject);
			enum bucket_verdict foreseen =
				bucket_foresee(&s.table, &key, count, 60, now_us);
			enum bucket_verdict wanted =
				model_take(&model, subject, count, each_us, now_us);
			enum bucket_verdict got = bucket_take(&s.table, &key, count, 60, now_us);
			assert_int_equal(got, wanted);
			assert_int_equal(foreseen, wanted);
			verdicts[got]++;
			now_us += (uint64_t)random() % (each_us / 4);
		}
		shared_free(&s);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(verdicts[i] > 1000);
}

/* ---- many processes ---- */

#define WORKERS 4
#define KEYS    6
#define SLOTS   9
#define COUNT   5u

struct oracle {
	_Atomic uint32_t arrived, round, granted[KEYS], begun, wrong, full;
	uint32_t rounds;
};

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Buckets that are full again a moment before now: their slots change hands all the time. */
static void churn(const struct bucket_table *table, uint32_t *seed, uint64_t now_us)
{
	struct bucket_key key = key_of(table, 1000000 + next_random(seed) % 50);

	bucket_take(table, &key, 1000000, 1, now_us - 1 - next_random(seed) % 1000);
}

/* All of one round ask for the same keys at the same time: hours pass between rounds. */
static void ask(const struct bucket_table *table, struct oracle *oracle, uint32_t *seed,
	unsigned round, uint64_t now_us)
{
	for (unsigned i = 0; i < 3 * KEYS; i++) {
		unsigned key = next_random(seed) % KEYS;
		if (next_random(seed) % 2)
			churn(table, seed, now_us);
		enum bucket_verdict verdict = take(table, round * KEYS + key, COUNT, now_us);
		if (verdict == BUCKET_OK)
			atomic_fetch_add(&oracle->granted[key], 1);
		if (verdict == BUCKET_FULL)
			atomic_fetch_add(&oracle->full, 1);
	}
}

/* Alone: what is left is taken, and it was as many as it should be. */
static void audit(
	const struct bucket_table *table, struct oracle *oracle, unsigned round, uint64_t now_us)
{
	for (unsigned key = 0; key < KEYS; key++) {
		for (unsigned i = 0; i < 2 * COUNT; i++)
			if (take(table, round * KEYS + key, COUNT, now_us) == BUCKET_OK)
				atomic_fetch_add(&oracle->granted[key], 1);
		if (atomic_exchange(&oracle->granted[key], 0) != COUNT)
			atomic_fetch_add(&oracle->wrong, 1);
	}
}

static void work(const struct bucket_table *table, struct oracle *oracle, uint32_t worker)
{
	uint32_t seed = 77 + worker;

	for (uint32_t round = 0; round < oracle->rounds; round++) {
		uint64_t now_us = (round + 1) * 2 * HOUR_US;
		ask(table, oracle, &seed, round, now_us);
		if (atomic_fetch_add(&oracle->arrived, 1) + 1 == (round + 1) * WORKERS) {
			audit(table, oracle, round, now_us);
			atomic_store(&oracle->round, round + 1);
		}
		while (atomic_load(&oracle->round) == round)
			sched_yield();
	}
}

static void test_processes_take_exactly_what_there_is(void **state)
{
	struct shared s = shared_new(SLOTS);
	struct oracle *oracle = map(sizeof(*oracle));
	pid_t pids[WORKERS];

	(void)state;
	oracle->rounds = 3000;
	for (uint32_t i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			work(&s.table, oracle, i);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(oracle->wrong, 0);
	munmap(oracle, sizeof(*oracle));
	shared_free(&s);
}

/* One that asks until it is killed. */
static pid_t start_victim(const struct bucket_table *table, struct oracle *oracle, uint32_t seed,
	unsigned round, uint64_t now_us)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	for (;;) {
		atomic_fetch_add(&oracle->begun, 1);
		ask(table, oracle, &seed, round, now_us);
	}
}

/* Killed anywhere, it may have taken one that it did not get to count; no more, and no slot is
 * lost. */
static void test_death_at_any_moment_leaves_a_whole_table(void **state)
{
	struct shared s = shared_new(SLOTS);
	struct oracle *oracle = map(sizeof(*oracle));
	uint32_t seed = 4711;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		uint64_t now_us = (round + 1) * 2 * HOUR_US;
		pid_t pids[2];
		atomic_store(&oracle->begun, 0);
		for (unsigned i = 0; i < 2; i++)
			pids[i] = start_victim(
				&s.table, oracle, next_random(&seed) | 1, round, now_us);
		while (atomic_load(&oracle->begun) < 1 + next_random(&seed) % 8)
			sched_yield();
		for (unsigned i = 0; i < 2; i++) {
			int status;
			kill(pids[i], SIGKILL);
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		}
		uint32_t sum = 0;
		for (unsigned key = 0; key < KEYS; key++) {
			for (unsigned i = 0; i < 2 * COUNT; i++)
				if (take(&s.table, round * KEYS + key, COUNT, now_us) == BUCKET_OK)
					atomic_fetch_add(&oracle->granted[key], 1);
			uint32_t granted = atomic_exchange(&oracle->granted[key], 0);
			assert_true(granted <= COUNT);
			sum += granted;
		}
		assert_true(sum + 2 >= KEYS * COUNT);
		/* a claim that nobody finishes is over by then */
		now_us += HOUR_US + HOUR_US / 2;
		for (unsigned i = 0; i < SLOTS; i++)
			assert_int_equal(take(&s.table, 5000000 + i, COUNT, now_us), BUCKET_OK);
	}
	munmap(oracle, sizeof(*oracle));
	shared_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_at_once_then_evenly),
		cmocka_unit_test(test_no_window_sees_more_than_twice_the_count),
		cmocka_unit_test(test_keys_tell_all_apart),
		cmocka_unit_test(test_keys_that_share_a_part_do_not_meet),
		cmocka_unit_test(test_full_is_said_to_new_keys_alone),
		cmocka_unit_test(test_what_is_no_table_is_not_attached),
		cmocka_unit_test(test_it_does_what_a_model_does),
		cmocka_unit_test(test_processes_take_exactly_what_there_is),
		cmocka_unit_test(test_death_at_any_moment_leaves_a_whole_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
