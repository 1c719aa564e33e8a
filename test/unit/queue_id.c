/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/queue_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *reply, *id; /* id "": none */
} replies[] = {
	{"Postfix", "250 2.0.0 Ok: queued as 4XyZ9k1bSHz2Q", "4XyZ9k1bSHz2Q"},
	{"Postfix, short", "250 2.0.0 Ok: queued as 8D6C61FF", "8D6C61FF"},
	{"Postfix, old", "250 Ok: queued as 8D6C61FF", "8D6C61FF"},
	{"behind a content filter",
		"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4XyZ9k1bSHz2Q",
		"4XyZ9k1bSHz2Q"},
	{"two of them", "250 2.0.0 Ok: queued as AAAA (250 2.0.0 Ok: queued as BBBB)", "BBBB"},
	{"without its code", "2.0.0 Ok: queued as 8D6C61FF", "8D6C61FF"},
	{"Exim", "250 OK id=1tAbCd-00000001Xyz-2ZzZ", "1tAbCd-00000001Xyz-2ZzZ"},
	{"Exim, old", "250 OK id=1tAbCd-0001Xy-2Z", "1tAbCd-0001Xy-2Z"},
	{"OpenSMTPD", "250 2.0.0 1a2b3c4d Message accepted for delivery", "1a2b3c4d"},
	{"OpenSMTPD, old", "250 2.0.0: 1a2b3c4d Message accepted for delivery", "1a2b3c4d"},
	{"OpenSMTPD, digits alone", "250 2.0.0 12345678 Message accepted for delivery", "12345678"},
	{"Sendmail", "250 2.0.0 4ATCtq7P012345 Message accepted for delivery", "4ATCtq7P012345"},
	{"Sendmail, a split envelope", "250 2.0.0 3xyzAB-1 Message accepted for delivery",
		"3xyzAB-1"},
	{"no id before the words", "250 2.0.0 Message accepted for delivery", ""},
	{"nothing but a code before the words", "250 Message accepted for delivery", ""},
	{"Exchange",
		"250 2.6.0 <a@b.example> [InternalId=1234567890123, Hostname=EX1.example] 1799 "
		"bytes in 0.1, 12 KB/sec Queued mail for delivery",
		"1234567890123"},
	{"qmail", "250 ok 1700000000 qp 12345", "12345"},
	{"Dovecot", "250 2.0.0 <anna@hotel.example> gBc3Fq+hAmX/AQAA Saved", "gBc3Fq+hAmX/AQAA"},
	{"Dovecot, old", "250 2.0.0 <anna@hotel.example> Saved", ""},
	{"Courier", "250 Ok. 0000000000A1B2C3.00000000655D2A11.00001234",
		"0000000000A1B2C3.00000000655D2A11.00001234"},
	{"Haraka", "250 Message Queued (5C9E0A5B-62B1-4E6F-9E21-6E4D2B8F3C1A.1)",
		"5C9E0A5B-62B1-4E6F-9E21-6E4D2B8F3C1A.1"},
	{"Haraka, more in the brackets", "250 Message Queued (two words)", ""},
	{"Stalwart", "250 2.0.0 Message queued with id 1f2e3d4c5b6a.", "1f2e3d4c5b6a"},
	{"Gmail", "250 2.0.0 OK  1700000000 d2e1a72fcca58-6c0f1a2b3c4.123 - gsmtp",
		"d2e1a72fcca58-6c0f1a2b3c4.123"},
	{"upper case", "250 2.0.0 OK: QUEUED AS ABC1", "ABC1"},
	{"several lines", "250-2.0.0 Ok\r\n250 2.0.0 queued as ABC1\r\n", "ABC1"},
	{"a sink", "250 2.0.0 Ok", ""},
	{"a refusal", "554 5.7.1 spam", ""},
	{"nothing", "", ""},
	{"the words without an id", "250 2.0.0 Ok: queued as ", ""},
	{"an id that no shell should see", "250 2.0.0 Ok: queued as `reboot`", ""},
	{"one that goes on with such", "250 2.0.0 Ok: queued as AB;reboot", "AB"},
	{"a code where an id should be", "250 2.0.0 Ok: queued as 2.0.0", ""},
};

static void each_servers_words_have_its_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		const char *id = "";
		size_t len = queue_id_find(replies[i].reply, strlen(replies[i].reply), &id);
		if (len != strlen(replies[i].id) || memcmp(id, replies[i].id, len) != 0)
			fail_msg("%s: \"%.*s\", not \"%s\"", replies[i].name, (int)len, id,
				replies[i].id);
	}
}

static void longer_than_any_is_none(void **state)
{
	char reply[256] = "250 2.0.0 Ok: queued as ";
	size_t begin = strlen(reply);
	const char *id;

	(void)state;
	memset(reply + begin, 'A', QUEUE_ID_MAX + 1);
	assert_int_equal(queue_id_find(reply, begin + QUEUE_ID_MAX, &id), QUEUE_ID_MAX);
	assert_int_equal(queue_id_find(reply, begin + QUEUE_ID_MAX + 1, &id), 0);
}

/* The reply has an end of its own, whatever stands behind. */
static void nothing_behind_the_reply_is_read(void **state)
{
	const char *reply = "250 2.0.0 Ok: queued as ABCDEF", *id;

	(void)state;
	for (size_t len = 0; len <= strlen(reply); len++) {
		size_t found = queue_id_find(reply, len, &id);
		assert_true(!found || id + found <= reply + len);
	}
	assert_int_equal(queue_id_find("\0\0queued as A", 13, &id), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_servers_words_have_its_id),
		cmocka_unit_test(longer_than_any_is_none),
		cmocka_unit_test(nothing_behind_the_reply_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
