/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/passed.h"
#include "daemon/base/worker.h"
#include "daemon/control/control.h"
#include "lib/base/hash.h"
#include "test/lib/control_folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[FOLDER_SIZE];
static struct control *control;

static struct policy_string string(const char *text)
{
	return (struct policy_string){text, (uint32_t)strlen(text), hash_bytes(text, strlen(text))};
}

static struct addr addr(const char *text)
{
	struct addr out;
	assert_int_equal(addr_parse(text, strlen(text), &out), 0);
	return out;
}

static void put(uint64_t id, const char *zone)
{
	struct session session = {.id = id, .zone = string(zone), .user = string("ann")};
	assert_int_equal(session_table_put(control->table, &session), 0);
}

static void reopen(uint64_t last_id)
{
	worker_settle(control->disk);
	passed_free(control->passed);
	control->passed = passed_open(control, last_id);
	assert_non_null(control->passed);
}

static int set_up(void **state)
{
	(void)state;
	control = calloc(1, sizeof(*control));
	if (!control || folder_make(dir) < 0)
		return -1;
	control->loop = loop_new();
	control->table = session_table_new();
	control->disk = worker_open(control->loop);
	control->start.options.state_dir = dir;
	put(1, "guest");
	put(2, "guest");
	put(3, "lobby");
	control->passed = passed_open(control, 0);
	return control->passed ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	worker_close(control->disk);
	passed_free(control->passed);
	session_table_free(control->table);
	loop_free(control->loop);
	free(control);
	return folder_remove(dir);
}

static bool note(uint64_t session, const char *text, struct addr *gone)
{
	struct addr from = addr(text);
	return passed_note(control->passed, session, &from, 0, gone);
}

static void count_one(void *context, const struct addr *from)
{
	(void)from;
	++*(size_t *)context;
}

static size_t count(uint64_t session)
{
	size_t n = 0;
	passed_each(control->passed, session, count_one, &n);
	return n;
}

static void an_address_is_kept_over_a_restart(void **state)
{
	struct addr gone;
	(void)state;
	note(1, "192.0.2.7", &gone);
	note(1, "2001:db8::7", &gone);
	note(1, "192.0.2.7", &gone);  /* once is enough */
	note(77, "192.0.2.8", &gone); /* nobody's */
	reopen(3);
	assert_int_equal(count(1), 2);
	assert_int_equal(count(77), 0);
	assert_true(passed_any(control->passed, 1));
	assert_false(passed_any(control->passed, 2));
}

static void in_a_zone_an_address_is_whose_it_was_last(void **state)
{
	struct addr gone;
	(void)state;
	note(1, "192.0.2.7", &gone);
	note(3, "192.0.2.7", &gone); /* another zone's: another host */
	note(2, "192.0.2.7", &gone);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(count(1), 0);
		assert_int_equal(count(2), 1);
		assert_int_equal(count(3), 1);
		reopen(3);
	}
}

static void of_too_many_the_oldest_is_given_up(void **state)
{
	struct addr gone = {0};
	char text[64];
	(void)state;
	for (int i = 0; i < PASSED_ADDRESSES_MAX; i++) {
		snprintf(text, sizeof(text), "2001:db8::%x", i + 1);
		assert_false(note(1, text, &gone));
	}
	assert_true(note(1, "2001:db8:1::1", &gone));
	struct addr first = addr("2001:db8::1"), second = addr("2001:db8::2");
	assert_true(addr_equal(&gone, &first));
	reopen(3);
	assert_int_equal(count(1), PASSED_ADDRESSES_MAX);
	assert_true(note(1, "2001:db8:1::2", &gone));
	assert_true(addr_equal(&gone, &second));
}

static off_t file_bytes(void)
{
	char path[96];
	struct stat st;
	snprintf(path, sizeof(path), "%s/passed", dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void the_file_does_not_grow_for_ever(void **state)
{
	struct addr gone;
	(void)state;
	for (int i = 0; i < 20000; i++)
		note(1 + (uint64_t)i % 2, "192.0.2.7", &gone);
	worker_settle(control->disk);
	note(3, "192.0.2.9", &gone);
	worker_settle(control->disk);
	assert_true(file_bytes() < 10000 * 16);
	session_table_del(control->table, 2);
	reopen(3);
	assert_int_equal(count(1), 0); /* it was the second's, last */
	assert_int_equal(count(3), 1);
}

static void half_a_line_is_none(void **state)
{
	struct addr gone;
	(void)state;
	note(1, "192.0.2.7", &gone);
	note(1, "192.0.2.177", &gone);
	worker_settle(control->disk);
	char path[96];
	snprintf(path, sizeof(path), "%s/passed", dir);
	assert_int_equal(truncate(path, file_bytes() - 2), 0);
	reopen(3);
	assert_int_equal(count(1), 1);
}

static void what_is_older_than_the_file_is_not_known(void **state)
{
	char path[96];
	(void)state;
	assert_true(passed_is_known(control->passed, 1));
	worker_settle(control->disk);
	snprintf(path, sizeof(path), "%s/passed", dir);
	assert_int_equal(unlink(path), 0);
	for (int round = 0; round < 2; round++) {
		reopen(2);
		assert_false(passed_is_known(control->passed, 2));
		assert_true(passed_is_known(control->passed, 3));
	}
}

static void the_last_use_counts(void **state)
{
	struct addr gone, from = addr("192.0.2.7");
	(void)state;
	passed_note(control->passed, 1, &from, 5000, &gone);
	passed_note(control->passed, 1, &from, 4000, &gone);
	assert_int_equal(passed_last_ms(control->passed, 1), 5000);
	passed_note_used(control->passed, &from, 6000);
	assert_int_equal(passed_last_ms(control->passed, 1), 6000);
	assert_int_equal(passed_last_ms(control->passed, 2), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_address_is_kept_over_a_restart),
		CASE(in_a_zone_an_address_is_whose_it_was_last),
		CASE(of_too_many_the_oldest_is_given_up),
		CASE(the_file_does_not_grow_for_ever),
		CASE(half_a_line_is_none),
		CASE(what_is_older_than_the_file_is_not_known),
		CASE(the_last_use_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
