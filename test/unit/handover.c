/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/handover.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const own[] = {HANDOVER_LOCK, HANDOVER_CONTROL_SOCKET, HANDOVER_SESSION_SOCKET,
	HANDOVER_DESK_SOCKET, HANDOVER_LIMIT, HANDOVER_QUEUE_STATS, HANDOVER_TABLE, HANDOVER_QUEUE,
	HANDOVER_PLAN};

static struct handover sample(void)
{
	struct handover handover;

	handover_init(&handover);
	strcpy(handover.version, "0.1.0");
	strcpy(handover.program, "/opt/new programs/posternd");
	handover.protocol = UINT64_MAX - 3;
	handover.drain_s = 300;
	handover.upgrades = 7;
	handover.paused_ms = UINT64_MAX;
	handover.lacks = UINT32_MAX;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		handover_add(&handover, HANDOVER_OWN, own[i], "-", 10 + (int)i);
	handover_add(&handover, HANDOVER_OWN, HANDOVER_NOTIFY, "-", -1);
	handover_add(&handover, HANDOVER_LISTENER, "relay", "0.0.0.0", 30);
	handover_add(&handover, HANDOVER_LISTENER, "relay", "::", 31);
	handover_add(&handover, HANDOVER_LISTENER, "relay", "0.0.0.0", 32);
	handover_add(&handover, HANDOVER_LISTENER, "smtp", "[2001:db8::1]:587", 33);
	handover_add(&handover, "pair", "relay", "smtp", 34);
	handover.nchildren = 3;
	handover.children[0] = (struct handover_child){.role = "relay",
		.number = 127,
		.generation = 1,
		.pid = 4711,
		.channel = 40,
		.mute = true,
		.version = "0.0.9"};
	handover.children[1] = (struct handover_child){.role = "relay",
		.number = 0,
		.generation = 2,
		.pid = 4712,
		.channel = 41,
		.until_ms = 1ULL << 40,
		.version = "0.1.0"};
	handover.children[2] = (struct handover_child){
		.role = "health", .generation = 9, .pid = 4713, .channel = 42, .version = "0.1.0"};
	return handover;
}

static char text[HANDOVER_BYTES_MAX];

static void comes_back_as_it_was(void **state)
{
	struct handover in = sample(), out;

	(void)state;
	int len = handover_encode(&in, text, sizeof(text));
	assert_true(len > 0);
	assert_int_equal(handover_decode(text, (size_t)len, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void holds_as_much_as_there_can_be(void **state)
{
	struct handover in = sample(), out;

	(void)state;
	memset(in.program, 'x', sizeof(in.program) - 1);
	in.program[0] = '/';
	for (int i = 0; in.nfds < HANDOVER_FDS_MAX; i++) {
		struct handover_fd *held = &in.fds[in.nfds];
		handover_add(&in, HANDOVER_LISTENER, "", "", 1000000 + i);
		memset(held->name, 'n', sizeof(held->name) - 1);
		memset(held->endpoint, 'e', sizeof(held->endpoint) - 1);
	}
	assert_int_equal(handover_add(&in, HANDOVER_LISTENER, "relay", "::", 9), -E2BIG);
	in.nchildren = HANDOVER_CHILDREN_MAX;
	for (int i = 0; i < HANDOVER_CHILDREN_MAX; i++) {
		in.children[i] = (struct handover_child){.role = "relay",
			.number = (uint32_t)i,
			.generation = UINT32_MAX,
			.pid = INT32_MAX - i,
			.channel = 1010000 + i,
			.until_ms = UINT64_MAX};
		memset(in.children[i].version, 'v', sizeof(in.children[i].version) - 1);
	}
	int len = handover_encode(&in, text, sizeof(text));
	assert_true(len > 0);
	assert_int_equal(handover_decode(text, (size_t)len, &out), 0);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void every_cut_is_refused(void **state)
{
	struct handover in = sample(), out;

	(void)state;
	int len = handover_encode(&in, text, sizeof(text));
	for (int n = 0; n < len; n++)
		assert_int_equal(handover_decode(text, (size_t)n, &out), -EBADMSG);
}

static void what_has_no_room_is_refused(void **state)
{
	struct handover in = sample();

	(void)state;
	int len = handover_encode(&in, text, sizeof(text));
	for (int n = 1; n <= len; n++)
		assert_int_equal(handover_encode(&in, text, (size_t)n), -E2BIG);
	strcpy(in.program, "/a\nend");
	assert_int_equal(handover_encode(&in, text, sizeof(text)), -EINVAL);
	in = sample();
	strcpy(in.children[1].version, "0 1");
	assert_int_equal(handover_encode(&in, text, sizeof(text)), -EINVAL);
	in = sample();
	strcpy(in.fds[0].endpoint, "a b");
	assert_int_equal(handover_encode(&in, text, sizeof(text)), -EINVAL);
	in = sample();
	in.fds[1].kind[0] = 0;
	assert_int_equal(handover_encode(&in, text, sizeof(text)), -EINVAL);
}

#define HEAD "postern-handover 1\n"
#define ONCE                                                       \
	"version 2\nprotocol 1\ndrain 5\nupgrades 0\nprogram /p\n" \
	"fd lock 3\nfd control-socket 4\nfd session-socket 5\n"
#define KERNEL "fd table 6\nfd queue 7\n"
#define PLACE  "place 8 9\n"

static void texts_are_taken_or_refused(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{HEAD ONCE KERNEL PLACE "end\n", 0},
		/* of a later version: passed over */
		{HEAD ONCE KERNEL PLACE "colour blue\nfd radio 77\nend\n", 0},
		{HEAD ONCE KERNEL PLACE "child metrics 0 1 99 88 0 2\nend\n", 0},
		{HEAD ONCE KERNEL PLACE "place -1 -1\nend\n", 0},
		{HEAD ONCE KERNEL PLACE "paused 5\nlacks 1\nend\n", 0},
		{HEAD ONCE KERNEL PLACE "paused 5\npaused 5\nend\n", -EBADMSG},
		/* another format, no head, nothing behind the end */
		{"postern-handover 2\n" ONCE KERNEL PLACE "end\n", -EBADMSG},
		{"postern-handover\n" ONCE KERNEL PLACE "end\n", -EBADMSG},
		{ONCE KERNEL PLACE "end\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "end\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE, -EBADMSG},
		/* what is needed is missing */
		{HEAD KERNEL PLACE "end\n", -EBADMSG},
		{HEAD ONCE PLACE "end\n", -EBADMSG},
		/* all listeners are closed: those of before end with the keeper before */
		{HEAD ONCE KERNEL "end\n", 0},
		/* a list */
		{HEAD ONCE KERNEL "held listener smtp 192.0.2.1:25 30\nheld pair a b 31\nend\n", 0},
		{HEAD ONCE "held own table - 6\nheld own queue - 7\nend\n", 0},
		{HEAD ONCE KERNEL "held own table - 30\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "held listener relay :: 6\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "held listener relay :: 2\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "held listener relay 30\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "held listener relay ::\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "held listener relay :: 20\nchild relay 1 1 50 20 0 v\nend\n",
			-EBADMSG},
		/* twice */
		{HEAD ONCE "drain 5\n" KERNEL PLACE "end\n", -EBADMSG},
		{HEAD ONCE KERNEL "fd table 20\n" PLACE "end\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "place 10 3\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE
			"child relay 1 1 50 20 0 v\nchild relay 1 1 51 21 0 v\nend\n",
			-EBADMSG},
		{HEAD ONCE KERNEL PLACE
			"child relay 1 1 50 20 0 v\nchild relay 2 1 50 21 0 v\nend\n",
			-EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 1 1 50 20 0 v\nmute 20\nend\n", 0},
		{HEAD ONCE KERNEL PLACE "child relay 1 1 50 20 0 v\nmute 21\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "mute 20\nchild relay 1 1 50 20 0 v\nend\n", -EBADMSG},
		/* out of range */
		{HEAD ONCE KERNEL "place 2 9\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "place 8 1048576\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "place -2 9\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 128 1 50 20 0 v\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 1 1 1 20 0 v\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 1 1 4294967297 20 0 v\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 1 1 50 20 18446744073709551616 v\nend\n",
			-EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 1 1 50 20 0\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 1 1 -50 20 0 v\nend\n", -EBADMSG},
		{"", -EBADMSG},
	};
	struct handover out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = handover_decode(cases[i].text, strlen(cases[i].text), &out);
		if (got != cases[i].result)
			fail_msg("case %zu: %d\n%s", i, got, cases[i].text);
	}
}

static void what_a_version_before_wrote_is_read(void **state)
{
	struct handover out;
	const char *with = HEAD ONCE KERNEL "place 8 -1\nplace -1 9\nplace 10 11\nend\n";
	static const struct {
		const char *endpoint;
		int fd;
	} wanted[] = {{"0.0.0.0", 8}, {"::", 9}, {"0.0.0.0", 10}, {"::", 11}};
	const struct handover_fd *held;
	size_t at = 0, n = 0;

	(void)state;
	assert_int_equal(handover_decode(with, strlen(with), &out), 0);
	for (; (held = handover_next(&out, HANDOVER_LISTENER, "relay", &at)); n++) {
		assert_int_equal(held->fd, wanted[n].fd);
		assert_string_equal(held->endpoint, wanted[n].endpoint);
	}
	assert_int_equal(n, 4);
	assert_int_equal(handover_own(&out, HANDOVER_LOCK), 3);
	assert_int_equal(handover_own(&out, HANDOVER_PLAN), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(holds_as_much_as_there_can_be),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(what_has_no_room_is_refused),
		cmocka_unit_test(texts_are_taken_or_refused),
		cmocka_unit_test(what_a_version_before_wrote_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
