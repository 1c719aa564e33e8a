/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/database.h"
#include "daemon/base/log.h"
#include "test/lib/control_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

struct stage {
	struct loop *loop;
	struct database *store;
	char folder[FOLDER_SIZE], path[128];
	int64_t loaded; /* rows at load(); -1: not called */
	unsigned left;  /* jobs not done */
	int order[4096];
	int statuses[4096];
	unsigned done;
};

struct number_job {
	struct database_job job;
	struct stage *stage;
	int64_t number;
	int64_t sum; /* of all, with a read */
	int fail;    /* what run returns */
};

static int migrate(struct database *store, struct sqlite3 *db, void *context)
{
	(void)store;
	(void)context;
	return database_execute(db, "CREATE TABLE IF NOT EXISTS number(n INTEGER PRIMARY KEY)");
}

static int load(struct database *store, struct sqlite3 *db, void *context)
{
	struct stage *stage = context;
	sqlite3_stmt *count = database_statement(store, "SELECT count(*) FROM number");

	if (!count || sqlite3_step(count) != SQLITE_ROW)
		return database_error(db);
	stage->loaded = sqlite3_column_int64(count, 0);
	sqlite3_reset(count);
	return 0;
}

static int open_store(struct stage *stage)
{
	const struct database_options options = {.migrate = migrate,
		.load = load,
		.context = stage,
		.survives_power_cut = true,
		.queue_bytes = 10};

	stage->loaded = -1;
	return database_open(stage->loop, stage->path, &options, &stage->store);
}

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->loop = loop_new();
	assert_int_equal(folder_make(stage->folder), 0);
	snprintf(stage->path, sizeof(stage->path), "%s/test.db", stage->folder);
	assert_int_equal(open_store(stage), 0);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	database_close(stage->store);
	loop_free(stage->loop);
	assert_int_equal(folder_remove(stage->folder), 0);
	free(stage);
	return 0;
}

static int insert(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	struct number_job *number = (struct number_job *)job;
	sqlite3_stmt *statement = database_statement(store, "INSERT INTO number VALUES (?)");

	if (!statement)
		return database_error(db);
	sqlite3_bind_int64(statement, 1, number->number);
	int status = database_step(statement);
	return number->fail ? number->fail : status;
}

static int add_up(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	struct number_job *number = (struct number_job *)job;
	sqlite3_stmt *statement = database_statement(store, "SELECT ifnull(sum(n), 0) FROM number");

	if (!statement || sqlite3_step(statement) != SQLITE_ROW)
		return database_error(db);
	number->sum = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return 0;
}

static void done(struct database_job *job, int status)
{
	struct number_job *number = (struct number_job *)job;
	struct stage *stage = number->stage;

	stage->order[stage->done] = (int)number->number;
	stage->statuses[stage->done++] = status;
	if (job->write)
		free(number);
	if (--stage->left == 0)
		loop_stop(stage->loop);
}

static int submit(struct stage *stage, int64_t n, int fail, size_t bytes)
{
	struct number_job *number = calloc(1, sizeof(*number));

	*number = (struct number_job){
		.job = {.run = insert, .done = done, .write = true, .bytes = bytes},
		.stage = stage,
		.number = n,
		.fail = fail};
	int status = database_submit(stage->store, &number->job);
	if (status < 0)
		free(number);
	else
		stage->left++;
	return status;
}

static int64_t sum(struct stage *stage)
{
	struct number_job number = {.job = {.run = add_up, .done = done}, .stage = stage};

	stage->left++;
	assert_int_equal(database_submit(stage->store, &number.job), 0);
	assert_int_equal(loop_run(stage->loop), 0);
	return number.sum;
}

static void test_jobs_are_done_in_order_and_reads_see_the_writes_before_them(void **state)
{
	struct stage *stage = *state;

	for (int i = 1; i <= 2000; i++)
		assert_int_equal(submit(stage, i, 0, 0), 0);
	assert_int_equal(sum(stage), 2001000);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(stage->order[i], i + 1);
		assert_int_equal(stage->statuses[i], 0);
	}
	assert_int_equal(database_waiting(stage->store), 0);
}

static void test_a_bad_job_fails_alone(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(submit(stage, 1, 0, 0), 0);
	for (int i = 1; i <= 20; i++) /* the first is there already, the tenth fails by itself */
		assert_int_equal(submit(stage, i, i == 10 ? -EDOM : 0, 0), 0);
	assert_int_equal(sum(stage), 200);
	for (int i = 0; i <= 20; i++)
		assert_int_equal(stage->statuses[i], i == 1 ? -EEXIST : i == 10 ? -EDOM : 0);
}

static void test_what_was_done_is_there_after_the_next_start(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(stage->loaded, 0);
	for (int i = 1; i <= 10; i++)
		assert_int_equal(submit(stage, i, 0, 0), 0);
	database_close(stage->store); /* calls every done() */
	assert_int_equal(stage->done, 10);
	assert_int_equal(open_store(stage), 0);
	assert_int_equal(stage->loaded, 10);
	assert_int_equal(sum(stage), 55);
}

struct chain_job {
	struct number_job number; /* first */
	int64_t to;
};

/* Asks for the next. */
static void chained(struct database_job *job, int status)
{
	struct chain_job *chain = (struct chain_job *)job;

	assert_int_equal(status, 0);
	chain->number.stage->done++;
	if (chain->number.number++ < chain->to)
		assert_int_equal(database_submit(chain->number.stage->store, job), 0);
}

static void test_settled_is_also_what_was_asked_for_on_the_way(void **state)
{
	struct stage *stage = *state;
	struct chain_job chain = {
		.number = {.job = {.run = insert, .done = chained, .write = true, .bytes = 4},
			.stage = stage,
			.number = 1},
		.to = 20};

	assert_false(database_settle(stage->store));
	assert_int_equal(database_submit(stage->store, &chain.number.job), 0);
	assert_true(database_settle(stage->store));
	assert_int_equal(stage->done, 20);
	assert_int_equal(database_waiting(stage->store), 0);
	assert_false(database_settle(stage->store));
	assert_int_equal(sum(stage), 210);
}

static int block(struct database *store, struct sqlite3 *db, struct database_job *job)
{
	char byte;

	(void)store;
	(void)db;
	return read((int)((struct number_job *)job)->number, &byte, 1) == 1 ? 0 : -EIO;
}

static void test_a_bounded_job_is_refused_when_the_queue_is_full(void **state)
{
	struct stage *stage = *state;
	struct number_job blocker = {.job = {.run = block, .done = done}, .stage = stage};
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	blocker.number = ends[0];
	stage->left++;
	assert_int_equal(database_submit(stage->store, &blocker.job), 0);
	assert_int_equal(submit(stage, 1, 0, 4), 0);
	assert_int_equal(submit(stage, 2, 0, 4), 0);
	assert_int_equal(submit(stage, 3, 0, 3), -ENOBUFS); /* it is bytes that count */
	assert_int_equal(submit(stage, 3, 0, 11), -ENOBUFS);
	assert_int_equal(submit(stage, 4, 0, 0), 0); /* others are never refused */
	assert_int_equal(database_waiting(stage->store), 4);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(sum(stage), 7);
	assert_int_equal(submit(stage, 5, 0, 10), 0);
	assert_int_equal(sum(stage), 12);
	assert_int_equal(submit(stage, 6, 0, 11), -ENOBUFS); /* nor does it ever fit */
	close(ends[0]);
	close(ends[1]);
}

static void spoil(const char *path)
{
	FILE *file = fopen(path, "r+");
	char noise[8192];

	assert_non_null(file);
	memset(noise, 'x', sizeof(noise));
	assert_int_equal(fwrite(noise, 1, sizeof(noise), file), sizeof(noise));
	fclose(file);
}

static unsigned count_files(const char *folder, const char *part)
{
	char command[256], line[16];

	snprintf(command, sizeof(command), "ls %s | grep -c '%s'", folder, part);
	FILE *pipe = popen(command, "r");
	assert_non_null(fgets(line, sizeof(line), pipe));
	pclose(pipe);
	return (unsigned)atoi(line);
}

static void test_a_corrupt_database_is_moved_aside(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(submit(stage, 1, 0, 0), 0);
	database_close(stage->store);
	spoil(stage->path);
	assert_int_equal(open_store(stage), 0);
	assert_int_equal(stage->loaded, 0);
	assert_int_equal(count_files(stage->folder, "test.db.corrupt-[0-9TZ]*$"), 1);
	assert_int_equal(submit(stage, 7, 0, 0), 0);
	assert_int_equal(sum(stage), 7);
}

static void test_a_full_disk_fails_jobs_until_there_is_room(void **state)
{
	struct stage *stage = *state;
	struct rlimit small = {16384, RLIM_INFINITY}, before;

	assert_int_equal(submit(stage, 1, 0, 0), 0);
	assert_int_equal(sum(stage), 1);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(submit(stage, 1000 + i, 0, 0), 0);
	sum(stage);
	assert_int_not_equal(stage->statuses[stage->done - 2], 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(submit(stage, 5000, 0, 0), 0);
	sum(stage);
	assert_int_equal(stage->statuses[stage->done - 2], 0);
}

static void test_no_database_where_none_can_be(void **state)
{
	struct stage other = *(struct stage *)*state;

	snprintf(other.path, sizeof(other.path), "%s/no/such/folder.db", other.folder);
	assert_int_equal(open_store(&other), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_jobs_are_done_in_order_and_reads_see_the_writes_before_them, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_a_bad_job_fails_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_was_done_is_there_after_the_next_start, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_settled_is_also_what_was_asked_for_on_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_bounded_job_is_refused_when_the_queue_is_full, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_corrupt_database_is_moved_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_full_disk_fails_jobs_until_there_is_room, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_no_database_where_none_can_be, setup, teardown),
	};

	log_init("test", true, POLICY_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
