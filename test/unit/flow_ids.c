/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of flows: none is ever given out twice, whatever happens to the file. */
#include "daemon/control/store/flow_ids.h"

#include "test/lib/control_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define NOW_MS 1894797000000ull

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

/* The last number of three blocks of one life. */
static uint64_t live(uint64_t above, uint64_t now_ms)
{
	struct flow_ids *ids = flow_ids_open(dir, NULL, now_ms);
	uint64_t first, last;
	assert_non_null(ids);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(flow_ids_take(ids, &first, &last));
		assert_true(first > above);
		assert_true(last >= first);
		above = last;
	}
	flow_ids_free(ids);
	return above;
}

static void write_file(const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/flow-ids", dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void every_life_goes_on_above_the_one_before(void **state)
{
	uint64_t above = 0;
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		above = live(above, NOW_MS);
}

static void a_file_that_is_no_number_is_not_counted_from_one(void **state)
{
	static const char *const texts[] = {"", "x", "12", "-4\n", "99999999999999999999\n",
		"1\nand a lot more than a number ever has, so that it does not fit at all\n"};
	uint64_t above = live(0, NOW_MS);
	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		write_file(texts[i]);
		above = live(above, NOW_MS + 3600000ull * (i + 1));
	}
}

static void a_folder_that_takes_no_writes_is_survived(void **state)
{
	uint64_t above = live(0, NOW_MS);
	char path[128];
	(void)state;
	/* a folder in the place of the temporary file: nobody, not even root, can write it */
	snprintf(path, sizeof(path), "%s/.flow-ids.new", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	above = live(above, NOW_MS);
	live(above, NOW_MS + 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_life_goes_on_above_the_one_before, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_no_number_is_not_counted_from_one, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			a_folder_that_takes_no_writes_is_survived, make_dir, remove_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
