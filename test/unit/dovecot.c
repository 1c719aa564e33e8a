/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dovecot's auth-client protocol, as Dovecot 2.3 was seen to speak it, and as an enemy would. */
#include "lib/auth/dovecot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *greet(struct dovecot_greeting *greeting, const char *line)
{
	return dovecot_greet(greeting, line, strlen(line));
}

static void a_greeting_is_read(void **state)
{
	static const char *const lines[] = {"VERSION\t1\t2", "MECH\tPLAIN\tplaintext",
		"MECH\tSCRAM-SHA-256\tmutual-auth", "MECH\tCRAM-MD5\tdictionary\tactive",
		"MECH\tX-OWN\tprivate", "MECH\tANONYMOUS", "MECH\tEXTERNAL\tplaintext",
		"MECH\tbad name", "MECH\t", "MECH\tTHIS-IS-TOO-LONG-A-NAME", "NEW\twhatever",
		"SPID\t77", "CUID\t1", "COOKIE\tabc", "DONE"};
	struct dovecot_greeting greeting = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_false(greeting.done);
		assert_null(greet(&greeting, lines[i]));
	}
	assert_true(greeting.done);
	assert_int_equal(greeting.n, 6);
	assert_string_equal(greeting.mechanisms[0].name, "PLAIN");
	assert_int_equal(greeting.mechanisms[0].flags, DOVECOT_PLAINTEXT);
	assert_int_equal(greeting.mechanisms[1].flags, 0);
	for (size_t i = 3; i < 6; i++)
		assert_true(greeting.mechanisms[i].flags & DOVECOT_PRIVATE);
}

static void another_socket_is_none(void **state)
{
	struct dovecot_greeting greeting = {0};
	(void)state;
	assert_non_null(greet(&greeting, "MECH\tPLAIN"));
	assert_non_null(greet(&greeting, "VERSION\t2\t0"));
	assert_non_null(greet(&greeting, "VERSION\tx"));
	assert_non_null(greet(&greeting, ""));
	assert_null(greet(&greeting, "VERSION\t1\t99"));
	assert_non_null(greet(&greeting, "DONE")); /* as auth-master */
}

static void requests_are_those_of_the_protocol(void **state)
{
	const struct dovecot_login login = {.id = 7,
		.mechanism = "PLAIN",
		.server = "203.0.113.1",
		.client = "2001:db8::5",
		.server_port = 587,
		.client_port = 40000,
		.secured = true,
		.response = "AGFubmEAc2VjcmV0",
		.response_len = 16};
	struct dovecot_login bare = login;
	char out[512];
	(void)state;
	size_t len = dovecot_hello(4711, out, sizeof(out));
	assert_int_equal(len, strlen("VERSION\t1\t1\nCPID\t4711\n"));
	assert_memory_equal(out, "VERSION\t1\t1\nCPID\t4711\n", len);
	len = dovecot_ask(&login, out, sizeof(out));
	out[len] = '\0';
	assert_string_equal(out,
		"AUTH\t7\tPLAIN\tservice=smtp\tnologin\tno-penalty\tlip=203.0.113.1"
		"\trip=2001:db8::5\tlport=587\trport=40000\tsecured"
		"\tresp=AGFubmEAc2VjcmV0\n");
	bare.response = NULL;
	bare.secured = false;
	len = dovecot_ask(&bare, out, sizeof(out));
	out[len] = '\0';
	assert_null(strstr(out, "resp"));
	assert_null(strstr(out, "secured"));
	len = dovecot_continue(7, "YQ==", 4, out, sizeof(out));
	out[len] = '\0';
	assert_string_equal(out, "CONT\t7\tYQ==\n");
	len = dovecot_cancel(7, out, sizeof(out));
	out[len] = '\0';
	assert_string_equal(out, "CANCEL\t7\n");
}

static void a_response_cannot_be_a_command(void **state)
{
	static const char *const bad[] = {
		"YQ==\nOK\t9", "YQ\t==", "YQ== ", "YQ\r", "Y\001Q", "Y\200Q"};
	char out[512];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct dovecot_login login = {.id = 1,
			.mechanism = "PLAIN",
			.server = "a",
			.client = "b",
			.response = bad[i],
			.response_len = strlen(bad[i])};
		assert_int_equal(dovecot_ask(&login, out, sizeof(out)), 0);
		assert_int_equal(dovecot_continue(1, bad[i], strlen(bad[i]), out, sizeof(out)), 0);
	}
	assert_int_equal(dovecot_continue(1, "", 0, out, sizeof(out)), strlen("CONT\t1\t\n"));
	for (size_t room = 0; room < 9; room++)
		assert_int_equal(dovecot_continue(1, "YQ==", 4, out, room), 0);
}

#define NO_FIT "the user's name that it says does not fit"

static void answers_are_read(void **state)
{
	static const struct {
		const char *line;
		enum dovecot_answer_kind kind;
		uint32_t id;
		const char *user, *reason;
	} cases[] = {
		{"OK\t7\tuser=anna", DOVECOT_OK, 7, "anna", ""},
		{"OK\t4294967295\tx=y\tuser=a\001tb\tz", DOVECOT_OK, 4294967295u, "a\tb", ""},
		{"OK\t7", DOVECOT_OK, 7, "", ""},
		{"OK\t7\tuser=a\0010b", DOVECOT_LATER, 7, "", NO_FIT},
		{"FAIL\t7\tuser=anna", DOVECOT_NO, 7, "", ""},
		{"FAIL\t7\treason=bad\001nline", DOVECOT_NO, 7, "", "bad?line"},
		{"FAIL\t7\tuser=anna\ttemp", DOVECOT_LATER, 7, "", ""},
		{"FAIL\t7\tcode=temp_fail", DOVECOT_LATER, 7, "", ""},
		{"FAIL\t7\tcode=temp_failure", DOVECOT_NO, 7, "", ""},
		{"FAIL\t7\tcode=user_disabled", DOVECOT_NO, 7, "", ""},
		{"CONT\t7\tYQ==", DOVECOT_MORE, 7, "", ""},
		{"CONT\t7", DOVECOT_MORE, 7, "", ""},
		{"NOTFOUND\t7", DOVECOT_ANOTHER, 0, "", ""},
		{"", DOVECOT_ANOTHER, 0, "", ""},
		{"OK", DOVECOT_NONSENSE, 0, "", ""},
		{"OK\t-1", DOVECOT_NONSENSE, 0, "", ""},
		{"OK\t4294967296", DOVECOT_NONSENSE, 0, "", ""},
		{"OK\t7 \tuser=anna", DOVECOT_NONSENSE, 0, "", ""},
		{"OK\t\tuser=anna", DOVECOT_NONSENSE, 0, "", ""},
		{"OKAY\t7", DOVECOT_ANOTHER, 0, "", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dovecot_answer answer;
		dovecot_answer(cases[i].line, strlen(cases[i].line), &answer);
		if (answer.kind != cases[i].kind)
			fail_msg("%s: %d", cases[i].line, answer.kind);
		if (answer.kind == DOVECOT_NONSENSE || answer.kind == DOVECOT_ANOTHER)
			continue;
		assert_int_equal(answer.id, cases[i].id);
		assert_string_equal(answer.user, cases[i].user);
		assert_string_equal(answer.reason, cases[i].reason);
	}
}

static void a_user_too_long_is_nobody(void **state)
{
	char line[400] = "OK\t7\tuser=";
	struct dovecot_answer answer;
	size_t begin = strlen(line);
	(void)state;
	memset(line + begin, 'x', 127);
	dovecot_answer(line, begin + 127, &answer);
	assert_int_equal(strlen(answer.user), 127);
	line[begin + 127] = 'x';
	dovecot_answer(line, begin + 128, &answer);
	assert_int_equal(answer.kind, DOVECOT_LATER);
	assert_string_equal(answer.reason, NO_FIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_greeting_is_read),
		cmocka_unit_test(another_socket_is_none),
		cmocka_unit_test(requests_are_those_of_the_protocol),
		cmocka_unit_test(a_response_cannot_be_a_command),
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(a_user_too_long_is_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
