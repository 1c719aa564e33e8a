/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies in the state folder: what a cut-off or missing file leaves running. */
#include "daemon/control/policy/history/store.h"

#include "test/lib/control_folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[FOLDER_SIZE];

static int make_dir(void **state)
{
	(void)state;
	return folder_make(dir);
}

static int remove_dir(void **state)
{
	(void)state;
	return folder_remove(dir);
}

static struct policy_record make_record(uint64_t number, const char *source)
{
	struct policy_record record = {.number = number,
		.at_ms = 1000 * number,
		.uid = 7,
		.source = strdup(source),
		.source_len = strlen(source),
		.canonical = strdup("language 1\n"),
		.canonical_len = 11};
	snprintf(record.origin, sizeof(record.origin), "rule add r%d", (int)number);
	assert_int_equal(policy_texts_add(&record.texts, "/etc/p.list", "192.0.2.1\n", 10), 0);
	return record;
}

static void save_as(struct policy_store *store, uint64_t number, const char *source, uint64_t back,
	const char *origin)
{
	struct policy_record record = make_record(number, source);
	if (origin)
		snprintf(record.origin, sizeof(record.origin), "%s", origin);
	struct policy_current current = {
		.number = number, .file_hash = 99, .confirm_back = back, .confirm_until_ms = back};
	assert_int_equal(policy_store_save(store, &record, &current), 0);
	policy_record_fini(&record);
}

static void save(struct policy_store *store, uint64_t number, const char *source, uint64_t back)
{
	save_as(store, number, source, back, NULL);
}

static struct policy_store *reopen(struct policy_store *store)
{
	int error;
	policy_store_free(store);
	store = policy_store_open(dir, NULL, &error);
	assert_non_null(store);
	return store;
}

static void cut(const char *name, off_t keep)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/policy/%s", dir, name);
	assert_int_equal(truncate(path, keep), 0);
}

static void a_record_comes_back_as_it_was(void **state)
{
	struct policy_store *store = reopen(NULL);
	struct policy_record record;
	(void)state;
	assert_int_equal(policy_store_current(store)->number, 0);
	assert_int_equal(policy_store_next_number(store), 1);
	save(store, 1, "# a comment\nend\nsource 7\n", 0);
	store = reopen(store);
	assert_int_equal(policy_store_current(store)->number, 1);
	assert_int_equal(policy_store_current(store)->file_hash, 99);
	assert_int_equal(policy_store_load(store, 1, &record), 0);
	assert_string_equal(record.source, "# a comment\nend\nsource 7\n");
	assert_string_equal(record.canonical, "language 1\n");
	assert_string_equal(record.origin, "rule add r1");
	assert_int_equal(record.uid, 7);
	assert_int_equal(record.at_ms, 1000);
	assert_int_equal(record.texts.n, 1);
	assert_string_equal(record.texts.v[0].path, "/etc/p.list");
	assert_string_equal(record.texts.v[0].text, "192.0.2.1\n");
	policy_record_fini(&record);
	assert_int_equal(policy_store_load(store, 2, &record), -ENOENT);
	policy_store_free(store);
}

static void a_record_cut_anywhere_is_known_as_cut(void **state)
{
	struct policy_record record = make_record(3, "zone x {}\n"), again;
	char *bytes;
	size_t len;
	(void)state;
	assert_int_equal(policy_record_encode(&record, &bytes, &len), 0);
	for (size_t keep = 0; keep < len; keep++) {
		char *part = malloc(keep ? keep : 1);
		memcpy(part, bytes, keep);
		assert_int_equal(policy_record_decode(part, keep, &again), -EBADMSG);
		free(part);
	}
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 1;
		assert_int_equal(policy_record_decode(bytes, len, &again), -EBADMSG);
		bytes[i] ^= 1;
	}
	assert_int_equal(policy_record_decode(bytes, len, &again), 0);
	policy_record_fini(&again);
	policy_record_fini(&record);
	free(bytes);
}

static void the_last_good_one_runs_when_the_running_one_was_cut_off(void **state)
{
	struct policy_store *store = reopen(NULL);
	(void)state;
	save(store, 1, "one", 0);
	save(store, 2, "two", 0);
	save(store, 3, "three", 0);
	assert_string_equal(policy_store_trouble(store), "");
	cut("3.policy", 40);
	store = reopen(store);
	assert_int_equal(policy_store_current(store)->number, 2);
	assert_string_equal(
		policy_store_trouble(store), "policy 3 was cut off; the last good one, 2, runs");
	assert_int_equal(policy_store_next_number(store), 4);
	policy_store_free(store);
}

static void without_current_the_newest_good_one_runs(void **state)
{
	struct policy_store *store = reopen(NULL);
	(void)state;
	save(store, 1, "one", 0);
	save(store, 2, "two", 0);
	cut("current", 10);
	store = reopen(store);
	assert_int_equal(policy_store_current(store)->number, 2);
	assert_non_null(strstr(policy_store_trouble(store), "cut off"));
	policy_store_free(store);
}

static void a_record_that_was_never_committed_does_not_run(void **state)
{
	struct policy_store *store = reopen(NULL);
	struct policy_record record;
	char path[128], other[128];
	(void)state;
	save(store, 1, "one", 0);
	save(store, 2, "two", 0);
	/* as a kill between record and commit leaves it */
	policy_store_free(store);
	snprintf(path, sizeof(path), "%s/policy/current", dir);
	snprintf(other, sizeof(other), "%s/policy/old", dir);
	assert_int_equal(rename(path, other), 0);
	store = reopen(NULL);
	save(store, 1, "one", 0);
	policy_store_free(store);
	store = reopen(NULL);
	assert_int_equal(policy_store_current(store)->number, 1);
	assert_int_equal(policy_store_load(store, 2, &record), 0);
	policy_record_fini(&record);
	assert_int_equal(policy_store_next_number(store), 3);
	policy_store_free(store);
}

static void the_last_twenty_stay_and_the_one_to_go_back_to(void **state)
{
	struct policy_store *store = reopen(NULL);
	struct policy_record record;
	size_t n;
	(void)state;
	for (uint64_t i = 1; i <= 30; i++)
		save_as(store, i, "x", i > 5 ? 4 : 0, i % 2 ? "file" : "policy apply -");
	const struct policy_store_line *lines = policy_store_history(store, &n);
	assert_int_equal(n, 21);
	assert_int_equal(lines[0].number, 4);
	assert_int_equal(lines[1].number, 11);
	assert_int_equal(lines[20].number, 30);
	assert_int_equal(policy_store_load(store, 4, &record), 0);
	policy_record_fini(&record);
	assert_int_equal(policy_store_load(store, 10, &record), -ENOENT);
	store = reopen(store);
	lines = policy_store_history(store, &n);
	assert_int_equal(n, 21);
	assert_int_equal(policy_store_current(store)->confirm_back, 4);
	policy_store_free(store);
}

static size_t count_files(void)
{
	char command[128];
	unsigned n = 0;
	snprintf(command, sizeof(command), "ls %s/policy | grep -c '[.]policy$'", dir);
	FILE *out = popen(command, "r");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%u", &n), 1);
	pclose(out);
	return n;
}

/* However many changes commands make, what was applied stays, and the other way round. */
static void commands_take_no_place_of_what_was_applied(void **state)
{
	struct policy_store *store = reopen(NULL);
	size_t n;
	(void)state;
	for (uint64_t i = 1; i <= 300; i++)
		save_as(store, i, "x", 0, i <= 25 ? "policy apply -" : "rule disable a");
	for (unsigned again = 0; again < 2; again++) {
		const struct policy_store_line *lines = policy_store_history(store, &n);
		assert_int_equal(n, 220);
		assert_int_equal(lines[0].number, 6);
		assert_int_equal(lines[19].number, 25);
		assert_int_equal(lines[20].number, 101);
		assert_int_equal(lines[219].number, 300);
		assert_int_equal(lines[30].uid, 7);
		assert_int_equal(lines[30].bytes, 1);
		assert_int_equal(lines[30].at_ms, 111000);
		assert_int_equal(count_files(), 220);
		store = reopen(store);
	}
	for (uint64_t i = 301; i <= 330; i++)
		save_as(store, i, "x", 0, "file");
	const struct policy_store_line *lines = policy_store_history(store, &n);
	assert_int_equal(n, 220);
	assert_int_equal(lines[0].number, 101);
	assert_int_equal(lines[200].number, 311);
	policy_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_record_comes_back_as_it_was, make_dir, remove_dir),
		cmocka_unit_test(a_record_cut_anywhere_is_known_as_cut),
		cmocka_unit_test_setup_teardown(
			the_last_good_one_runs_when_the_running_one_was_cut_off, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(
			without_current_the_newest_good_one_runs, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			a_record_that_was_never_committed_does_not_run, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			the_last_twenty_stay_and_the_one_to_go_back_to, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			commands_take_no_place_of_what_was_applied, make_dir, remove_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
