#include "lib/handover.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
	for (int i = 0; i < HANDOVER_FDS; i++)
		handover.fds[i] = 10 + i;
	handover.fds[HANDOVER_NOTIFY] = -1;
	handover.nplaces = 2;
	handover.places[0] = (struct handover_place){30, 31};
	handover.places[1] = (struct handover_place){32, -1};
	handover.nchildren = 3;
	handover.children[0] = (struct handover_child){.role = HANDOVER_RELAY,
		.number = 63,
		.generation = 1,
		.pid = 4711,
		.channel = 40,
		.version = "0.0.9"};
	handover.children[1] = (struct handover_child){.role = HANDOVER_RELAY,
		.number = 0,
		.generation = 2,
		.pid = 4712,
		.channel = 41,
		.until_ms = 1ULL << 40,
		.version = "0.1.0"};
	handover.children[2] = (struct handover_child){.role = HANDOVER_HEALTH,
		.generation = 9,
		.pid = 4713,
		.channel = 42,
		.version = "0.1.0"};
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
	in.nplaces = HANDOVER_PLACES_MAX;
	for (int i = 0; i < HANDOVER_PLACES_MAX; i++)
		in.places[i] = (struct handover_place){1000000 + 2 * i, 1000001 + 2 * i};
	in.nchildren = HANDOVER_CHILDREN_MAX;
	for (int i = 0; i < HANDOVER_CHILDREN_MAX; i++) {
		in.children[i] = (struct handover_child){.role = HANDOVER_RELAY,
			.number = (uint32_t)i,
			.generation = UINT32_MAX,
			.pid = INT32_MAX - i,
			.channel = 1000100 + i,
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
		{HEAD ONCE KERNEL "end\n", -EBADMSG},
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
		/* out of range */
		{HEAD ONCE KERNEL "place 2 9\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "place 8 1048576\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL "place -2 9\nend\n", -EBADMSG},
		{HEAD ONCE KERNEL PLACE "child relay 64 1 50 20 0 v\nend\n", -EBADMSG},
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

static void a_listener_may_be_closed(void **state)
{
	struct handover out;
	const char *with = HEAD ONCE KERNEL "place 8 -1\nend\n";

	(void)state;
	assert_int_equal(handover_decode(with, strlen(with), &out), 0);
	assert_int_equal(out.places[0].listener4, 8);
	assert_int_equal(out.places[0].listener6, -1);
	assert_int_equal(out.fds[HANDOVER_PLAN], -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(holds_as_much_as_there_can_be),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(what_has_no_room_is_refused),
		cmocka_unit_test(texts_are_taken_or_refused),
		cmocka_unit_test(a_listener_may_be_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
