/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RCPT SMTP_PATH_RECIPIENT
#define BARE SMTP_PATH_BARE

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define L61 A60 "b"

/* From an exact copy, so that a read behind the end is seen. */
static enum smtp_path_status parse(
	struct smtp_path *path, unsigned way, const char *bytes, size_t len, size_t *used)
{
	char *copy = malloc(len ? len : 1);

	memcpy(copy, bytes, len);
	enum smtp_path_status status = smtp_path_parse(path, way, copy, len, used);
	free(copy);
	return status;
}

static void test_good_paths_are_written_anew(void **state)
{
	static const struct {
		unsigned way;
		const char *bytes, *written;
		unsigned flags;
	} cases[] = {
		{0, "<>", "<>", SMTP_PATH_NULL},
		{0, " <>", "<>", SMTP_PATH_NULL},
		{0, "<anna@example.org>", "<anna@example.org>", 0},
		{0, " <anna@example.org>", "<anna@example.org>", 0},
		{RCPT, "<Anna.B@EXAMPLE.Org.>", "<Anna.B@example.org>", 0},
		{RCPT, "<postmaster>", "<postmaster>", 0},
		{RCPT, "<PostMaster>", "<PostMaster>", 0},
		{RCPT, "<\"postmaster\">", "<postmaster>", 0},
		{RCPT | BARE, "postmaster", "<postmaster>", 0},
		{BARE, "anna@example.org", "<anna@example.org>", 0},
		{BARE, " anna@example.org", "<anna@example.org>", 0},
		{BARE, "<anna@example.org>", "<anna@example.org>", 0},
		{BARE, "\"an na\"@example.org", "<\"an na\"@example.org>", 0},
		/* quotes that say nothing, and those that do */
		{RCPT, "<\"anna\"@example.org>", "<anna@example.org>", 0},
		{RCPT, "<\"a\\nn\\a\"@example.org>", "<anna@example.org>", 0},
		{RCPT, "<\"an na\"@example.org>", "<\"an na\"@example.org>", 0},
		{0, "<\"a\\\"\\\\b\"@example.org>", "<\"a\\\"\\\\b\"@example.org>", 0},
		{0, "<\"a@b\"@example.org>", "<\"a@b\"@example.org>", 0},
		{0, "<\"a>b\"@example.org>", "<\"a>b\"@example.org>", 0},
		/* dots where RFC 5321 wants quotes around */
		{RCPT, "<a..b@example.org>", "<\"a..b\"@example.org>", 0},
		{RCPT, "<.a.@example.org>", "<\".a.\"@example.org>", 0},
		/* a sender may relay in its own house */
		{0, "<a%b!c@example.org>", "<a%b!c@example.org>", 0},
		{0, "<@a.example,@b.example:c@d.example>", "<c@d.example>", 0},
		{0, "<@a.example:c@d.example>", "<c@d.example>", 0},
		{0, "<a@[192.0.2.1]>", "<a@[192.0.2.1]>", SMTP_PATH_LITERAL},
		{0, "<a@[ipv6:2001:DB8:0::1]>", "<a@[IPv6:2001:db8::1]>", SMTP_PATH_LITERAL},
		{0, "<SRS0=ab=cd=example.net=x@example.org>",
			"<SRS0=ab=cd=example.net=x@example.org>", 0},
		{RCPT, "<a@my_host.example>", "<a@my_host.example>", 0},
		{RCPT, "<a@localhost>", "<a@localhost>", 0},
		{RCPT, "<a@4.example>", "<a@4.example>", 0},
		{RCPT, "<a@" A60 "abc.example>", "<a@" A60 "abc.example>", 0},
		{RCPT, "<" A60 "abcd@example.org>", "<" A60 "abcd@example.org>", 0},
		{RCPT, "<\"" A60 "abcd\"@example.org>", "<" A60 "abcd@example.org>", 0},
		/* RFC 6531 */
		{RCPT, "<\xc3\xa4@example.org>", "<\xc3\xa4@example.org>", SMTP_PATH_UTF8},
		{RCPT, "<a@B\xc3\xbc\x63her.example>", "<a@xn--bcher-kva.example>", SMTP_PATH_UTF8},
		{RCPT, "<a@XN--BCHER-KVA.example>", "<a@xn--bcher-kva.example>", 0},
		{RCPT, "<a@stra\xc3\x9f\x65.example>", "<a@xn--strae-oqa.example>", SMTP_PATH_UTF8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const char *const behind[] = {"", " SIZE=1", " "};
		for (size_t j = 0; j < 3; j++) {
			char line[1024], out[SMTP_PATH_TEXT_MAX + 1];
			struct smtp_path path;
			size_t used, len = strlen(cases[i].bytes);
			snprintf(line, sizeof(line), "%s%s", cases[i].bytes, behind[j]);
			int status = parse(&path, cases[i].way, line, strlen(line), &used);
			if (status != SMTP_PATH_GOOD)
				print_message("%s\n", line);
			assert_int_equal(status, SMTP_PATH_GOOD);
			assert_int_equal(used, len);
			assert_int_equal(path.flags, cases[i].flags);
			out[smtp_path_format(&path, out)] = '\0';
			assert_string_equal(out, cases[i].written);
		}
	}
}

static void test_tricks_are_refused(void **state)
{
	static const struct {
		unsigned way;
		const char *bytes;
		enum smtp_path_status status;
	} cases[] = {
		{0, "", SMTP_PATH_NO_PATH}, {BARE, "", SMTP_PATH_NO_PATH},
		{BARE, " ", SMTP_PATH_NO_PATH}, {0, "<", SMTP_PATH_NO_PATH},
		{0, "< >", SMTP_PATH_NO_PATH}, {0, "a@b", SMTP_PATH_NO_PATH},
		{0, "  <a@b>", SMTP_PATH_NO_PATH}, {0, "<a@b", SMTP_PATH_NO_PATH},
		{0, "<a@b>x", SMTP_PATH_NO_PATH}, {0, "<a@b>>", SMTP_PATH_NO_PATH},
		{0, "<>x", SMTP_PATH_NO_PATH}, {0, "<\"a@b>", SMTP_PATH_NO_PATH},
		{0, "<\"a\\", SMTP_PATH_NO_PATH}, {0, "<a\"b\"@c>", SMTP_PATH_NO_PATH},
		{0, "<\"a\"b@c>", SMTP_PATH_NO_DOMAIN}, {0, "<a>", SMTP_PATH_NO_DOMAIN},
		{0, "<postmaster>", SMTP_PATH_NO_DOMAIN}, {0, "<@b>", SMTP_PATH_NO_PATH},
		{0, "<a@>", SMTP_PATH_NO_DOMAIN}, {0, "<\"\"@b>", SMTP_PATH_NO_DOMAIN},
		{0, "<a b@c>", SMTP_PATH_NO_DOMAIN}, {0, "<a@b c>", SMTP_PATH_NO_PATH},
		{RCPT, "<>", SMTP_PATH_NO_DOMAIN}, {RCPT, "<root>", SMTP_PATH_NO_DOMAIN},
		{RCPT, "<postmaster@>", SMTP_PATH_NO_DOMAIN},
		/* routes by anybody's reading */
		{0, "<a@b@c>", SMTP_PATH_ROUTE}, {RCPT, "<a@b@c>", SMTP_PATH_ROUTE},
		{RCPT, "<a%b@c>", SMTP_PATH_ROUTE}, {RCPT, "<b!a@c>", SMTP_PATH_ROUTE},
		{RCPT, "<b!a>", SMTP_PATH_NO_DOMAIN}, {RCPT, "<\"a@b\"@c>", SMTP_PATH_ROUTE},
		{RCPT, "<\"a\\@b\"@c>", SMTP_PATH_ROUTE}, {RCPT, "<\"a%b\"@c>", SMTP_PATH_ROUTE},
		{RCPT, "<\"b!a\"@c>", SMTP_PATH_ROUTE}, {RCPT, "<\"a\\\"b\"@c>", SMTP_PATH_ROUTE},
		{RCPT, "<\"a\\\\b\"@c>", SMTP_PATH_ROUTE}, {RCPT, "<\"b:a\"@c>", SMTP_PATH_ROUTE},
		{RCPT, "<\"<a>\"@c>", SMTP_PATH_ROUTE}, {RCPT, "<\"a,b\"@c>", SMTP_PATH_ROUTE},
		{RCPT, "<\"a(b)\"@c>", SMTP_PATH_ROUTE}, {RCPT, "<@a,@b:c@d>", SMTP_PATH_ROUTE},
		{RCPT | BARE, "@a:c@d", SMTP_PATH_ROUTE},
		{RCPT, "<a@[192.0.2.1]>", SMTP_PATH_ADDRESS},
		{RCPT, "<a@[IPv6:2001:db8::1]>", SMTP_PATH_ADDRESS},
		{RCPT, "<a@192.0.2.1>", SMTP_PATH_BAD_DOMAIN},
		{RCPT, "<a@3221225985>", SMTP_PATH_BAD_DOMAIN},
		{0, "<a@[192.0.2.1>", SMTP_PATH_BAD_DOMAIN},
		{0, "<a@[2001:db8::1]>", SMTP_PATH_BAD_DOMAIN},
		{0, "<a@[IPv6:192.0.2.1]>", SMTP_PATH_BAD_DOMAIN},
		{0, "<a@[]>", SMTP_PATH_BAD_DOMAIN}, {0, "<a@[x25:1]>", SMTP_PATH_BAD_DOMAIN},
		{0, "<@a..b:c@d>", SMTP_PATH_BAD_DOMAIN}, {0, "<@a:c>", SMTP_PATH_NO_DOMAIN},
		{0, "<@a,b:c@d>", SMTP_PATH_NO_PATH},
		/* domains */
		{RCPT, "<a@.>", SMTP_PATH_BAD_DOMAIN}, {RCPT, "<a@.b>", SMTP_PATH_BAD_DOMAIN},
		{RCPT, "<a@b..c>", SMTP_PATH_BAD_DOMAIN}, {RCPT, "<a@b..>", SMTP_PATH_BAD_DOMAIN},
		{RCPT, "<a@-b>", SMTP_PATH_BAD_DOMAIN}, {RCPT, "<a@b-.c>", SMTP_PATH_BAD_DOMAIN},
		{RCPT, "<a@b%c>", SMTP_PATH_BAD_DOMAIN}, {RCPT, "<a@b\"c>", SMTP_PATH_BAD_DOMAIN},
		{RCPT, "<a@b<c>", SMTP_PATH_BAD_DOMAIN}, {RCPT, "<a@\"b\">", SMTP_PATH_BAD_DOMAIN},
		{RCPT, "<a@b(c)>", SMTP_PATH_BAD_DOMAIN},
		{RCPT, "<a@" A60 "abcd.example>", SMTP_PATH_BAD_DOMAIN},
		{RCPT,
			"<a@b\xef\xbc\xa0"
			"c.example>",
			SMTP_PATH_BAD_DOMAIN}, /* full-width @ */
		{RCPT,
			"<a@b\xef\xbc\x85"
			"c.example>",
			SMTP_PATH_BAD_DOMAIN},                                /* full-width % */
		{RCPT, "<a@\xef\xbc\x91\xef\xbc\x92>", SMTP_PATH_BAD_DOMAIN}, /* full-width 12 */
		{RCPT, "<a@b\xff.example>", SMTP_PATH_BAD_DOMAIN},
		{RCPT,
			"<a@b\xe2\x80\xae"
			"c.example>",
			SMTP_PATH_BAD_DOMAIN},
		/* bytes */
		{RCPT, "<a\tb@c>", SMTP_PATH_BAD_BYTE}, {RCPT, "<\"a\tb\"@c>", SMTP_PATH_BAD_BYTE},
		{RCPT, "<\"a\\\x01\"@c>", SMTP_PATH_BAD_BYTE},
		{RCPT, "<a\x7f@c>", SMTP_PATH_BAD_BYTE}, {RCPT, "<a\r@c>", SMTP_PATH_BAD_BYTE},
		{RCPT, "<a(b)@c>", SMTP_PATH_BAD_BYTE}, {RCPT, "<a,b@c>", SMTP_PATH_BAD_BYTE},
		{RCPT, "<a:b@c>", SMTP_PATH_BAD_BYTE}, {RCPT, "<a\\b@c>", SMTP_PATH_BAD_BYTE},
		{RCPT, "<\xff@c>", SMTP_PATH_BAD_BYTE}, {RCPT, "<\xc3@c>", SMTP_PATH_BAD_BYTE},
		{RCPT, "<\xc0\xae@c>", SMTP_PATH_BAD_BYTE},     /* overlong */
		{RCPT, "<\xed\xa0\x80@c>", SMTP_PATH_BAD_BYTE}, /* surrogate */
		{RCPT, "<\xe2\x80\xa8@c>", SMTP_PATH_BAD_BYTE}, /* line separator */
		{RCPT, "<" A60 "abcde@c>", SMTP_PATH_TOO_LONG},
		{RCPT, "<" A60 "abc\xc3\xa4@c>", SMTP_PATH_TOO_LONG},
		{RCPT, "<\"" A60 " abc\"@c>", SMTP_PATH_TOO_LONG}, /* 66 with its quotes */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_path path, zero = {0};
		size_t used = 1;
		memset(&path, 0xa5, sizeof(path));
		int status =
			parse(&path, cases[i].way, cases[i].bytes, strlen(cases[i].bytes), &used);
		if (status != (int)cases[i].status)
			print_message("%s\n", cases[i].bytes);
		assert_int_equal(status, cases[i].status);
		assert_int_equal(used, 0);
		assert_memory_equal(&path, &zero, sizeof(path));
	}
}

static void test_domains_are_bounded(void **state)
{
	char line[600];
	struct smtp_path path;
	size_t used;

	(void)state;
	/* four labels of 61 and one of 7 make 255 */
	int n = snprintf(line, sizeof(line), "<a@%s.%s.%s.%s.%s>", L61, L61, L61, L61, "exampl7");
	assert_int_equal(parse(&path, RCPT, line, (size_t)n, &used), SMTP_PATH_GOOD);
	assert_int_equal(path.domain_bytes, 255);
	n = snprintf(line, sizeof(line), "<a@%s.%s.%s.%s.%s.>", L61, L61, L61, L61, "exampl7");
	assert_int_equal(parse(&path, RCPT, line, (size_t)n, &used), SMTP_PATH_GOOD);
	n = snprintf(line, sizeof(line), "<a@%s.%s.%s.%s.%s>", L61, L61, L61, L61, "example8");
	assert_int_not_equal(parse(&path, RCPT, line, (size_t)n, &used), SMTP_PATH_GOOD);
	n = snprintf(line, sizeof(line), "<a@%s.%s.%s.%s.%s>", L61, L61, L61, L61, L61);
	assert_int_equal(parse(&path, RCPT, line, (size_t)n, &used), SMTP_PATH_TOO_LONG);
	/* a NUL is a byte like others */
	assert_int_equal(parse(&path, RCPT, "<a\0b@c>", 7, &used), SMTP_PATH_BAD_BYTE);
	assert_int_equal(parse(&path, RCPT, "<a@b\0c>", 7, &used), SMTP_PATH_BAD_DOMAIN);
	assert_int_equal(parse(&path, RCPT, "<a@b\xc3\xa4\0c>", 9, &used), SMTP_PATH_BAD_DOMAIN);
}

static void test_keys_are_what_lists_know(void **state)
{
	static const struct {
		const char *bytes, *key;
	} cases[] = {
		{"<Anna@Example.org>", "<anna@example.org>"},
		{"<anna+news@example.org>", "<anna@example.org>"},
		{"<anna+a+b@example.org>", "<anna@example.org>"},
		{"<+news@example.org>", "<+news@example.org>"},
		{"<\"anna\"@example.org>", "<anna@example.org>"},
		{"<prvs=0123456789=Anna@example.org>", "<anna@example.org>"},
		{"<PRVS=01ab=anna+x@example.org>", "<anna@example.org>"},
		{"<prvs==anna@example.org>", "<prvs==anna@example.org>"},
		{"<prvs=12=@example.org>", "<prvs=12=@example.org>"},
		{"<prvs=12@example.org>", "<prvs=12@example.org>"},
		{"<prvs=1-2=anna@example.org>", "<prvs=1-2=anna@example.org>"},
		{"<SRS0=a+b=cd=example.net=x@example.org>",
			"<srs0=a+b=cd=example.net=x@example.org>"},
		{"<a@b\xc3\xbc\x63her.example>", "<a@xn--bcher-kva.example>"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[SMTP_PATH_TEXT_MAX + 1];
		struct smtp_path path, key, again;
		size_t used, len = strlen(cases[i].bytes);
		assert_int_equal(parse(&path, RCPT, cases[i].bytes, len, &used), SMTP_PATH_GOOD);
		smtp_path_key(&path, &key);
		size_t n = smtp_path_format(&key, out);
		out[n] = '\0';
		assert_string_equal(out, cases[i].key);
		assert_int_equal(parse(&again, RCPT, out, n, &used), SMTP_PATH_GOOD);
		assert_memory_equal(&again, &key, sizeof(key));
	}
}

static void test_kinds_of_recipients_are_seen(void **state)
{
	static const struct {
		const char *bytes;
		bool srs, postmaster, needs_utf8;
	} cases[] = {
		{"<a@b>", false, false, false},
		{"<srs0=x@b>", true, false, false},
		{"<SRS1=x@b>", true, false, false},
		{"<SRS2=x@b>", false, false, false},
		{"<postmaster>", false, true, false},
		{"<POSTMASTER@b>", false, true, false},
		{"<postmaster2@b>", false, false, false},
		{"<postmaste@b>", false, false, false},
		{"<\xc3\xa4@b>", false, false, true},
		{"<a@\xc3\xa4.example>", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct smtp_path path;
		size_t used, len = strlen(cases[i].bytes);
		assert_int_equal(parse(&path, RCPT, cases[i].bytes, len, &used), SMTP_PATH_GOOD);
		assert_int_equal(smtp_path_is_srs(&path), cases[i].srs);
		assert_int_equal(smtp_path_is_postmaster(&path), cases[i].postmaster);
		assert_int_equal(smtp_path_needs_utf8(&path), cases[i].needs_utf8);
	}
}

static void test_every_status_has_its_reply(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4; way++)
		for (int status = SMTP_PATH_GOOD + 1; status < SMTP_PATH_STATUSES; status++) {
			const struct smtp_refusal *refusal =
				smtp_path_refusal((enum smtp_path_status)status, way);
			assert_in_range(refusal->code, 500, 559);
			assert_int_equal(refusal->enhanced[0], '5');
			assert_true(*refusal->text);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_paths_are_written_anew),
		cmocka_unit_test(test_tricks_are_refused),
		cmocka_unit_test(test_domains_are_bounded),
		cmocka_unit_test(test_keys_are_what_lists_know),
		cmocka_unit_test(test_kinds_of_recipients_are_seen),
		cmocka_unit_test(test_every_status_has_its_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
