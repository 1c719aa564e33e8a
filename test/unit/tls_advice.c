/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operator is to do about a server's TLS, for each thing that is wrong. */
#include "lib/tls/advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PIN "sha256:0700000000000000000000000000000000000000000000000000000000000000"

/* Of 253 bytes, as long as the name of a host may be. */
#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG  LABEL "." LABEL "." LABEL "." LABEL ".examp"

static void each_fault_has_its_advice(void **state)
{
	static const struct {
		enum tls_reason reason;
		const char *names, *advice; /* a part of it */
	} cases[] = {
		{TLS_REASON_NAME, "mx.example.net, *.example.net", "tls verify \"mx.example.net\""},
		{TLS_REASON_NAME, "*.example.net, mx.example.net", "tls verify \"mx.example.net\""},
		{TLS_REASON_NAME, "*.example.net, m*.example", "tls pin \"" PIN "\""},
		{TLS_REASON_NAME, "anna@example.net", "tls pin \"" PIN "\""},
		{TLS_REASON_NAME, LONG, "tls verify \"" LONG "\""},
		{TLS_REASON_NAME, "", "tls pin \"" PIN "\""},
		{TLS_REASON_UNKNOWN_ISSUER, "x", "ca \"FILE\" at its tls"},
		{TLS_REASON_UNKNOWN_ISSUER, "x", "tls pin \"" PIN "\""},
		{TLS_REASON_SELF_SIGNED, "x", "tls pin \"" PIN "\""},
		{TLS_REASON_PIN, "x", "tls pin \"" PIN "\"; else somebody else answers there"},
		{TLS_REASON_EXPIRED, "x", "has to be renewed"},
		{TLS_REASON_NOT_YET_VALID, "x", "clock is wrong"},
		{TLS_REASON_REVOKED, "x", "another certificate"},
		{TLS_REASON_NONE, "", "immediate"}};
	char text[TLS_ADVICE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_seen seen = {.reason = (uint8_t)cases[i].reason, .key = {7}};
		strcpy(seen.names, cases[i].names);
		tls_advice(&seen, text);
		if (!strstr(text, cases[i].advice))
			fail_msg("%s: %s", tls_reason_names[cases[i].reason], text);
	}
}

static void what_is_missing_here_is_not_the_servers_fault(void **state)
{
	const struct tls_seen seen = {.ours = true};
	char text[TLS_ADVICE_SIZE];

	(void)state;
	assert_string_equal(
		tls_advice(&seen, text), "posternctl certificate reload says what is missing");
}

/* Whatever names it has: the advice is one line, and whole. */
static void all_of_it_has_room(void **state)
{
	char text[TLS_ADVICE_SIZE];
	struct tls_seen seen = {.version = TLS_VERSION_1_3};

	(void)state;
	memset(seen.key, 0xff, sizeof(seen.key));
	memset(seen.names, 'a', sizeof(seen.names) - 1);
	for (unsigned reason = 0; reason < TLS_REASONS; reason++) {
		seen.reason = (uint8_t)reason;
		assert_true(strlen(tls_advice(&seen, text)) < TLS_ADVICE_SIZE - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_has_its_advice),
		cmocka_unit_test(what_is_missing_here_is_not_the_servers_fault),
		cmocka_unit_test(all_of_it_has_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
