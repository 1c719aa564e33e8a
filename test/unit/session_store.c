/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/session_store.h"
#include "daemon/base/log.h"
#include "lib/base/hash.h"
#include "lib/policy/element.h"
#include "test/lib/control_folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1780308000000u

struct stage {
	struct loop *loop;
	struct session_table *table;
	struct lists *lists;
	struct blocks *blocks;
	struct session_store *store;
	char folder[FOLDER_SIZE];
	uint64_t last_id;
	unsigned left;
	int worst;
};

static void open_store(struct stage *stage, uint64_t now_ms)
{
	stage->table = session_table_new();
	stage->lists = lists_new();
	stage->blocks = blocks_new();
	stage->worst = 0;
	assert_int_equal(session_store_open(stage->loop, stage->folder, stage->table, stage->lists,
				 stage->blocks, now_ms, &stage->last_id, &stage->store),
		0);
}

static void close_store(struct stage *stage)
{
	session_store_close(stage->store);
	session_table_free(stage->table);
	lists_free(stage->lists);
	blocks_free(stage->blocks);
	assert_int_equal(stage->left, 0);
	assert_int_equal(stage->worst, 0);
}

static int setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->loop = loop_new();
	assert_int_equal(folder_make(stage->folder), 0);
	open_store(stage, NOW);
	*state = stage;
	return 0;
}

static int teardown(void **state)
{
	struct stage *stage = *state;

	close_store(stage);
	loop_free(stage->loop);
	assert_int_equal(folder_remove(stage->folder), 0);
	free(stage);
	return 0;
}

static void on_done(void *context, int status)
{
	struct stage *stage = context;

	if (status)
		stage->worst = status;
	if (--stage->left == 0)
		loop_stop(stage->loop);
}

static struct policy_string string(const char *text)
{
	return (struct policy_string){text, (uint32_t)strlen(text), hash_bytes(text, strlen(text))};
}

static void put(struct stage *stage, uint64_t id, const char *user, uint64_t lease_end_ms)
{
	struct policy_string group = string("staff");
	struct session_address address = {0};
	struct session session = {.id = id,
		.zone = string("guest"),
		.user = string(user),
		.groups = &group,
		.ngroups = 1,
		.addresses = &address,
		.naddresses = 1,
		.lease_end_ms = lease_end_ms};

	prefix_parse("2001:db8::/64", 13, &address.prefix);
	memcpy(session.mac.bytes, &id, sizeof(session.mac.bytes));
	stage->left++;
	assert_int_equal(session_store_put(stage->store, &session, on_done, stage), 0);
}

/* Of the kind that it can be. */
static struct policy_elem elem(const char *text)
{
	enum policy_list_holds holds = *text == '.'        ? POLICY_HOLDS_HOSTS
				       : strchr(text, '@') ? POLICY_HOLDS_MAIL
							   : POLICY_HOLDS_ADDRESSES;
	struct policy_elem out;

	assert_null(element_parse(holds, text, strlen(text), &out));
	return out;
}

static void list_add(struct stage *stage, const char *list, const char *text, uint64_t end_ms)
{
	struct policy_elem e = elem(text);

	stage->left++;
	assert_int_equal(session_store_list_add(stage->store, list, &e, end_ms, on_done, stage), 0);
}

static void restart(struct stage *stage, uint64_t now_ms)
{
	close_store(stage);
	open_store(stage, now_ms);
}

static void test_a_new_state_is_empty(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(session_table_count(stage->table), 0);
	assert_int_equal(stage->last_id, 0);
}

static void test_sessions_come_back(void **state)
{
	struct stage *stage = *state;

	put(stage, 1, "ann", 0);
	put(stage, 2, "bob", NOW + 5000);
	put(stage, 3, "cat", 0);
	put(stage, 1, "zoe", NOW + 9000);
	stage->left++;
	assert_int_equal(session_store_del(stage->store, 3, on_done, stage), 0);
	assert_int_equal(loop_run(stage->loop), 0);
	restart(stage, NOW);
	assert_int_equal(session_table_count(stage->table), 2);
	assert_int_equal(stage->last_id, 3); /* given out once, though it is gone */
	const struct session *zoe = session_table_find(stage->table, 1);
	assert_string_equal(zoe->user.text, "zoe");
	assert_string_equal(zoe->groups[0].text, "staff");
	assert_int_equal(zoe->lease_end_ms, NOW + 9000);
	assert_int_equal(zoe->addresses[0].prefix.len, 64);
	assert_int_equal(zoe->mac.bytes[0], 1);
	restart(stage, NOW + 5000);
	assert_int_equal(session_table_count(stage->table), 1);
	restart(stage, NOW);
	assert_null(session_table_find(stage->table, 2)); /* it was removed when it was over */
	assert_non_null(session_table_find(stage->table, 1));
}

static void test_closing_writes_what_was_asked(void **state)
{
	struct stage *stage = *state;

	for (uint64_t id = 1; id <= 3000; id++)
		put(stage, id, "ann", 0);
	restart(stage, NOW);
	assert_int_equal(session_table_count(stage->table), 3000);
	assert_int_equal(stage->last_id, 3000);
}

static void test_entries_of_lists_come_back(void **state)
{
	static const char *const texts[] = {"192.0.2.0/24", "192.0.2.7", "2001:db8::/32",
		"0200.5E00.5307", "192.0.2.10-192.0.2.20", "2001:db8::1-2001:db8::ff",
		"Anna@hotel.example", ".partner.example"};
	char buf[ELEMENT_TEXT_SIZE];
	struct stage *stage = *state;
	struct policy_elem e, gone = elem("192.0.2.7");
	const char *name;
	uint64_t end_ms;

	for (size_t i = 0; i < 8; i++)
		list_add(stage, "a", texts[i], i == 2 ? NOW + 7000 : 0);
	list_add(stage, "b", "192.0.2.1", NOW + 100);
	stage->left++;
	assert_int_equal(session_store_list_remove(stage->store, "a", &gone, on_done, stage), 0);
	restart(stage, NOW + 100);
	assert_int_equal(lists_count(stage->lists, "a"), 7);
	assert_int_equal(lists_count(stage->lists, "b"), 0);
	assert_true(lists_next_end(stage->lists, &name, &e, &end_ms));
	assert_int_equal(end_ms, NOW + 7000);
	assert_int_equal(e.prefix.len, 32);
	for (size_t i = 0; i < 8; i++) {
		e = elem(texts[i]);
		const struct policy_elem *held = lists_find(stage->lists, "a", &e, &end_ms);
		if (i != 1)
			assert_string_equal(element_format(held, buf), texts[i]);
		assert_int_equal(lists_remove(stage->lists, "a", &e), i == 1 ? -ENOENT : 0);
	}
}

static void test_a_list_is_set_as_a_whole(void **state)
{
	struct stage *stage = *state;
	struct session_store_entry entries[] = {
		{elem("198.51.100.1"), 0}, {elem("198.51.100.2"), NOW + 1000}};

	list_add(stage, "a", "192.0.2.1", 0);
	list_add(stage, "b", "192.0.2.2", 0);
	stage->left += 2;
	assert_int_equal(session_store_list_set(stage->store, "a", entries, 2, on_done, stage), 0);
	assert_int_equal(session_store_list_set(stage->store, "b", NULL, 0, on_done, stage), 0);
	restart(stage, NOW);
	assert_int_equal(lists_count(stage->lists, "a"), 2);
	assert_int_equal(lists_count(stage->lists, "b"), 0);
	struct policy_elem old = elem("192.0.2.1");
	assert_int_equal(lists_remove(stage->lists, "a", &old), -ENOENT);
}

static void change_block(struct stage *stage, const struct block *block, bool add)
{
	stage->left++;
	assert_int_equal((add ? session_store_block_put : session_store_block_del)(
				 stage->store, block, on_done, stage),
		0);
}

static void test_blocks_come_back(void **state)
{
	struct stage *stage = *state;
	struct block ann = {.kind = BLOCK_USER,
		.code = 554,
		.uid = 1000,
		.user = "ann 'o\xc3\xa9",
		.zone = "guest",
		.text = "Never",
		.since_ms = NOW - 5};
	struct block bob = {.kind = BLOCK_USER, .code = 421, .user = "bob", .until_ms = NOW + 1000};
	struct block mac = {.kind = BLOCK_MAC,
		.code = 421,
		.mac = {{2, 0, 0x5e, 0, 0x53, 9}},
		.limit = "limit rate 3/minute per client { block 1h }",
		.flow = 77,
		.since_ms = NOW,
		.until_ms = NOW + 3600000};
	struct block net = {.kind = BLOCK_ADDRESS, .code = 421, .text = "Not yet"};

	assert_int_equal(prefix_parse("2001:db8:1::/48", 15, &net.prefix), 0);
	change_block(stage, &ann, true);
	change_block(stage, &bob, true);
	change_block(stage, &net, true);
	change_block(stage, &mac, true);
	mac.until_ms++;
	change_block(stage, &mac, true);
	change_block(stage, &net, false);
	change_block(stage, &net, true);
	restart(stage, NOW + 1000);
	assert_int_equal(blocks_count(stage->blocks), 3);
	assert_null(blocks_find(stage->blocks, &bob));
	assert_memory_equal(blocks_find(stage->blocks, &ann), &ann, sizeof(ann));
	assert_memory_equal(blocks_find(stage->blocks, &mac), &mac, sizeof(mac));
	assert_memory_equal(blocks_find(stage->blocks, &net), &net, sizeof(net));
	change_block(stage, &ann, false);
	restart(stage, NOW);
	assert_null(blocks_find(stage->blocks, &ann));
}

/* Put, put again and deleted: what the mark says is what is there. */
static void test_what_an_emptied_database_had_is_known(void **state)
{
	struct stage *stage = *state;
	char path[96];

	for (uint64_t id = 1; id <= 5; id++)
		put(stage, id, "ann", 0);
	put(stage, 3, "bob", 0);
	stage->left++;
	assert_int_equal(session_store_del(stage->store, 5, on_done, stage), 0);
	restart(stage, NOW);
	assert_string_equal(session_store_loss(stage->store), "");
	assert_int_equal(session_table_count(stage->table), 4);
	close_store(stage);
	snprintf(path, sizeof(path), "%s/state.db", stage->folder);
	assert_int_equal(truncate(path, 0), 0);
	open_store(stage, NOW);
	assert_non_null(strstr(session_store_loss(stage->store), "it had 4 sessions, 0 are left"));
	restart(stage, NOW);
	assert_string_equal(session_store_loss(stage->store), "");
}

static void test_a_folder_that_cannot_be_written(void **state)
{
	struct stage *stage = *state;
	struct session_store *store = NULL;
	uint64_t last;

	assert_int_equal(session_store_open(stage->loop, "/tmp/no/such/folder", stage->table,
				 stage->lists, stage->blocks, NOW, &last, &store),
		-ENOENT);
	assert_null(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_new_state_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sessions_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_closing_writes_what_was_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entries_of_lists_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_list_is_set_as_a_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocks_come_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_an_emptied_database_had_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_folder_that_cannot_be_written, setup, teardown),
	};

	log_init("test", true, POLICY_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
