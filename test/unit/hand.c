/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/hand.h"

#include "lib/policy/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(16) uint8_t bytes[HAND_BYTES_MAX + 1];
static struct ipc_hand *const hand = (struct ipc_hand *)bytes;

static struct policy_string string(const char *text)
{
	return (struct policy_string){.text = (char *)(uintptr_t)text, .len = strlen(text)};
}

static void fill(const char *client, const char *original)
{
	memset(bytes, 0, sizeof(bytes));
	ipc_init(hand, IPC_HAND, sizeof(*hand));
	hand->flow = 7;
	hand->policy = 3;
	hand->start_ms = 12345;
	hand->client.port = 40000;
	hand->original.port = 25;
	assert_int_equal(addr_parse(client, strlen(client), &hand->client.addr), 0);
	assert_int_equal(addr_parse(original, strlen(original), &hand->original.addr), 0);
	strcpy(hand->ifname, "guest0");
	strcpy(hand->zone, "guest");
	assert_true(hand_put_session(hand, NULL));
}

static int check(void)
{
	return ipc_check(hand, hand->header.bytes);
}

static void both_families_and_no_mixture(void **state)
{
	(void)state;
	fill("192.0.2.10", "198.51.100.25");
	assert_int_equal(check(), 0);
	fill("2001:db8:1::10", "2001:db8:3::25");
	assert_int_equal(check(), 0);
	fill("192.0.2.10", "2001:db8:3::25");
	assert_int_equal(check(), -EBADMSG);
	fill("192.0.2.10", "198.51.100.25");
	hand->client.addr.bytes[9] = 1;
	assert_int_equal(check(), -EBADMSG);
	fill("192.0.2.10", "198.51.100.25");
	hand->original.addr.family = ADDR_NONE;
	assert_int_equal(check(), -EBADMSG);
}

static void what_a_flow_needs_is_there(void **state)
{
	(void)state;
#define BAD(change)                                  \
	do {                                         \
		fill("192.0.2.10", "198.51.100.25"); \
		change;                              \
		assert_int_equal(check(), -EBADMSG); \
	} while (0)
	BAD(hand->flow = 0);
	BAD(hand->policy = 0);
	BAD(hand->client.port = 0);
	BAD(hand->original.port = 0);
	BAD(hand->ifname[0] = '\0');
	BAD(hand->zone[0] = '\0');
	BAD(hand->zone[1] = '\n');
	BAD(memset(hand->zone, 'z', sizeof(hand->zone)));
	BAD(memset(hand->ifname, 'z', sizeof(hand->ifname)));
	BAD(hand->reserved = 1);
	BAD(hand->session_bytes = 1);
	BAD(hand->header.bytes++);
	BAD(hand->header.bytes--);
#undef BAD
	struct ipc_taken taken;
	ipc_init(&taken, IPC_TAKEN, sizeof(taken));
	assert_int_equal(ipc_check(&taken, sizeof(taken)), -EBADMSG);
	taken.flow = 7;
	assert_int_equal(ipc_check(&taken, sizeof(taken)), 0);
}

static void a_session_comes_as_it_went(void **state)
{
	struct policy_string groups[] = {string("staff"), string("night")};
	const struct session session = {.id = 99,
		.kind = SESSION_PORTAL,
		.zone = string("guest"),
		.user = string("anna"),
		.groups = groups,
		.ngroups = 2,
		.mac = {{2, 0, 0x5e, 0, 0x53, 7}},
		.lease_end_ms = 1000};
	struct session_storage *storage = malloc(session_storage_size());
	struct session got;

	(void)state;
	fill("192.0.2.10", "198.51.100.25");
	assert_int_equal(hand_get_session(hand, &got, storage), -ENOENT);
	assert_true(hand_put_session(hand, &session));
	assert_int_equal(check(), 0);
	assert_int_equal(hand_get_session(hand, &got, storage), 0);
	assert_true(got.id == 99 && got.lease_end_ms == 1000 && got.ngroups == 2);
	assert_string_equal(got.user.text, "anna");
	assert_string_equal(got.groups[1].text, "night");
	free(storage);
}

static void a_session_that_is_none_is_found_out(void **state)
{
	const struct session session = {.id = 99, .zone = string("guest"), .user = string("anna")};
	struct session_storage *storage = malloc(session_storage_size());
	struct session got;

	(void)state;
	fill("192.0.2.10", "198.51.100.25");
	assert_true(hand_put_session(hand, &session));
	uint32_t whole = hand->session_bytes;
	/* cut anywhere, or with something behind it */
	for (uint32_t len = 1; len <= whole + 4; len++) {
		hand->session_bytes = len;
		hand->header.bytes = (uint32_t)sizeof(*hand) + len;
		assert_int_equal(check(), 0);
		assert_int_equal(
			hand_get_session(hand, &got, storage), len == whole ? 0 : -EBADMSG);
	}
	hand->session_bytes = SESSION_ENCODED_MAX + 1;
	hand->header.bytes = (uint32_t)sizeof(*hand) + hand->session_bytes;
	assert_int_equal(check(), -EBADMSG);
	free(storage);
}

static void the_largest_session_has_room(void **state)
{
	static char name[POLICY_USER_SIZE];
	struct policy_string groups[SESSION_GROUPS_MAX];
	struct session_address addresses[SESSION_ADDRESSES_MAX] = {0};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	for (unsigned i = 0; i < SESSION_GROUPS_MAX; i++)
		groups[i] = string(name);
	for (unsigned i = 0; i < SESSION_ADDRESSES_MAX; i++) {
		addresses[i].prefix.addr.family = ADDR_IP6;
		addresses[i].prefix.len = 128;
	}
	const struct session session = {.id = 1,
		.zone = string("guest"),
		.user = string(name),
		.groups = groups,
		.ngroups = SESSION_GROUPS_MAX,
		.addresses = addresses,
		.naddresses = SESSION_ADDRESSES_MAX};
	fill("2001:db8:1::10", "2001:db8:3::25");
	assert_true(hand_put_session(hand, &session));
	assert_int_equal(check(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_families_and_no_mixture),
		cmocka_unit_test(what_a_flow_needs_is_there),
		cmocka_unit_test(a_session_comes_as_it_went),
		cmocka_unit_test(a_session_that_is_none_is_found_out),
		cmocka_unit_test(the_largest_session_has_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
