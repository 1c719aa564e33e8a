/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/message_record.h"

#include "lib/policy/policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(text)                       \
	(struct message_text)            \
	{                                \
		(text), sizeof(text) - 1 \
	}

static struct endpoint endpoint(const char *text, uint16_t port)
{
	struct endpoint out = {.port = port};

	assert_int_equal(addr_parse(text, strlen(text), &out.addr), 0);
	return out;
}

static struct message_record full(void)
{
	return (struct message_record){.flow = 7000123,
		.number = 2,
		.ending = MESSAGE_CLIENT_LOST,
		.source = MESSAGE_SOURCE_AUTH,
		.session = 77,
		.start_ms = 1780308000000,
		.end_ms = 1780308001234,
		.size_bytes = 4096,
		.unrecorded = 1,
		.client = endpoint("192.0.2.7", 40000),
		.host = endpoint("2001:db8::25", 25),
		.gateway = endpoint("2001:db8::1", 50025),
		.mac = {{2, 0, 0x5e, 0, 0x53, 7}},
		.user = TEXT("anna"),
		.zone = TEXT("guest"),
		.listener = TEXT("submission"),
		.helo = TEXT("[192.0.2.7]"),
		.sender = TEXT("anna@hotel.example"),
		.server = TEXT("relay"),
		.reply = TEXT("250 2.0.0 Ok: queued as ABC"),
		.queue_id = TEXT("ABC"),
		.message_id = TEXT("1@laptop.example"),
		.scan = TEXT("virus clean"),
		.detail = TEXT("why"),
		.client_tls = {TEXT("TLSv1.3"), TEXT("AES"), TEXT("anna"), TEXT("verified")},
		.sender_sent = TEXT("hotel@isp.example"),
		.client_sni = TEXT("mx.internet.example"),
		.server_tls = {TEXT("TLSv1.2"), TEXT("CHACHA"), TEXT("mx"), TEXT("expired")}};
}

static void same_text(const struct message_text *a, const struct message_text *b)
{
	assert_int_equal(!a->at, !b->at);
	assert_int_equal(a->len, b->len);
	if (a->len)
		assert_memory_equal(a->at, b->at, a->len);
}

static void same_texts(const struct message_text *a, const struct message_text *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		same_text(&a[i], &b[i]);
}

static void same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	char one[ENDPOINT_TEXT_SIZE], other[ENDPOINT_TEXT_SIZE];

	assert_int_equal(a->addr.family, b->addr.family);
	if (a->addr.family != ADDR_NONE)
		assert_string_equal(endpoint_format(a, one), endpoint_format(b, other));
}

static void same_record(const struct message_record *a, const struct message_record *b)
{
	assert_int_equal(a->flow, b->flow);
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->ending, b->ending);
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->session, b->session);
	assert_int_equal(a->start_ms, b->start_ms);
	assert_int_equal(a->end_ms, b->end_ms);
	assert_int_equal(a->size_bytes, b->size_bytes);
	assert_int_equal(a->unrecorded, b->unrecorded);
	same_endpoint(&a->client, &b->client);
	same_endpoint(&a->host, &b->host);
	same_endpoint(&a->gateway, &b->gateway);
	assert_memory_equal(&a->mac, &b->mac, sizeof(a->mac));
	same_texts(&a->user, &b->user, 12);
	same_texts(&a->client_tls.version, &b->client_tls.version, 8);
	same_text(&a->sender_sent, &b->sender_sent);
	same_text(&a->client_sni, &b->client_sni);
}

static void what_was_written_is_read(void **state)
{
	struct message_record record = full(), read;
	const struct message_recipient recipients[] = {
		{.address = TEXT("Bob@Example.org"),
			.rule = TEXT("outgoing"),
			.reply = TEXT("250 2.1.5 Ok"),
			.by = MESSAGE_BY_SERVER,
			.verdict = POLICY_VERDICT_REDIRECT,
			.direction = MESSAGE_DIRECTION_INCOMING},
		{.address = TEXT(""), .by = MESSAGE_BY_FORM, .verdict = POLICY_VERDICT_ANSWER},
	};
	struct message_recipient recipient;
	uint8_t bytes[2048];
	size_t at = 0;

	(void)state;
	size_t len = message_record_encode(&record, recipients, 2, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_int_equal(message_record_decode(bytes, len, &read), 0);
	same_record(&record, &read);
	assert_int_equal(read.recipients, 2);
	assert_int_equal(read.left_out, 0);
	for (size_t i = 0; i < 2; i++) {
		assert_true(message_recipient_next(&read, &at, &recipient));
		same_texts(&recipients[i].address, &recipient.address, 3);
		assert_int_equal(recipient.by, recipients[i].by);
		assert_int_equal(recipient.verdict, recipients[i].verdict);
		assert_int_equal(recipient.direction, recipients[i].direction);
	}
	assert_false(message_recipient_next(&read, &at, &recipient));
}

static void what_is_not_there_is_nothing(void **state)
{
	struct message_record record = {.flow = 1, .number = 1}, read;
	uint8_t bytes[64];
	size_t len = message_record_encode(&record, NULL, 0, bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(message_record_decode(bytes, len, &read), 0);
	same_record(&record, &read);
	assert_int_equal(read.recipients, 0);
	/* the sender <> is not the same as none */
	record.sender = TEXT("");
	len = message_record_encode(&record, NULL, 0, bytes, sizeof(bytes));
	assert_int_equal(message_record_decode(bytes, len, &read), 0);
	assert_non_null(read.sender.at);
	assert_int_equal(read.sender.len, 0);
}

static void texts_over_their_bound_are_cut(void **state)
{
	struct message_record record = {.flow = 1, .number = 1}, read;
	char text[2000];
	uint8_t bytes[4096];

	(void)state;
	memset(text, 'a', sizeof(text));
	record.sender = record.user = (struct message_text){text, sizeof(text)};
	struct message_recipient recipient = {.address = record.sender, .reply = record.sender};
	size_t len = message_record_encode(&record, &recipient, 1, bytes, sizeof(bytes)), at = 0;
	assert_int_equal(message_record_decode(bytes, len, &read), 0);
	assert_int_equal(read.sender.len, MESSAGE_TEXT_MAX);
	assert_int_equal(read.user.len, POLICY_USER_SIZE - 1);
	assert_true(message_recipient_next(&read, &at, &recipient));
	assert_int_equal(recipient.address.len, MESSAGE_TEXT_MAX);
}

static void recipients_without_room_are_counted(void **state)
{
	struct message_record record = full(), read;
	struct message_recipient one = {
		.address = TEXT("somebody@example.org"), .reply = TEXT("250 2.1.5 Ok")};
	struct message_recipient *many = calloc(20000, sizeof(*many));
	uint8_t *bytes = malloc(MESSAGE_RECORD_BYTES_MAX + 1000);

	(void)state;
	for (size_t i = 0; i < 20000; i++)
		many[i] = one;
	record.left_out = 5;
	size_t len =
		message_record_encode(&record, many, 20000, bytes, MESSAGE_RECORD_BYTES_MAX + 1000);
	assert_in_range(len, MESSAGE_RECORD_BYTES_MAX - 100, MESSAGE_RECORD_BYTES_MAX);
	assert_int_equal(message_record_decode(bytes, len, &read), 0);
	assert_in_range(read.recipients, 5000, 19999);
	assert_int_equal(read.recipients + read.left_out, 20005);
	/* in any room: all, some, or nothing */
	for (size_t room = 0; room < 600; room++) {
		len = message_record_encode(&record, many, 3, bytes, room);
		assert_true(len <= room);
		if (!len)
			continue;
		assert_int_equal(message_record_decode(bytes, len, &read), 0);
		assert_int_equal(read.recipients + read.left_out, 8);
	}
	free(bytes);
	free(many);
}

static void a_later_versions_fields_are_passed_over(void **state)
{
	static const uint8_t later[] = {
		1, 1, 9, 2, 1, 1, 150, 2, 'x', 'y', 200, 6, 1, 1, 'a', 99, 1, 'z', 220, 0};
	struct message_record record;
	struct message_recipient recipient;
	size_t at = 0;

	(void)state;
	assert_int_equal(message_record_decode(later, sizeof(later), &record), 0);
	assert_int_equal(record.flow, 9);
	assert_true(message_recipient_next(&record, &at, &recipient));
	assert_int_equal(recipient.address.len, 1);
	/* what it calls by a number that we do not know */
	record.ending = 999;
	assert_string_equal(message_ending_name(999), "?");
	assert_string_equal(message_by_name(999), "?");
}

static void what_is_no_record_is_refused(void **state)
{
	static const struct {
		const char *why;
		size_t len;
		uint8_t bytes[16];
	} bad[] = {
		{"no flow", 3, {2, 1, 1}},
		{"no number", 3, {1, 1, 9}},
		{"cut in a field", 5, {1, 1, 9, 2, 1}},
		{"a tag alone", 7, {1, 1, 9, 2, 1, 1, 3}},
		{"a field twice", 9, {1, 1, 9, 1, 1, 9, 2, 1, 1}},
		{"fields in another order", 6, {2, 1, 1, 1, 1, 9}},
		{"a number with a needless zero", 7, {1, 2, 9, 0, 2, 1, 1}},
		{"a number too long", 9, {1, 1, 9, 2, 5, 1, 1, 1, 1}},
		{"no number in a number", 8, {1, 1, 9, 2, 1, 1, 3, 0}},
		{"a length with a needless byte", 7, {1, 0x81, 0, 9, 2, 1, 1}},
		{"a length over the end", 8, {1, 1, 9, 2, 1, 1, 14, 9}},
		{"an address of five bytes", 15, {1, 1, 9, 2, 1, 1, 10, 7, 1, 1, 1, 1, 1, 1, 1}},
		{"a MAC that is none", 14, {1, 1, 9, 2, 1, 1, 13, 6}},
		{"a recipient that is none", 10, {1, 1, 9, 2, 1, 1, 200, 2, 1, 9}},
	};
	struct message_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (message_record_decode(bad[i].bytes, bad[i].len, &record) != -EBADMSG)
			fail_msg("%s", bad[i].why);
	assert_int_equal(message_record_decode("", 0, &record), -EBADMSG);
}

/* Every beginning of a record, and every one with a byte changed: read within its bounds. */
static void damage_is_survived(void **state)
{
	struct message_record record = full(), read;
	struct message_recipient recipient = {.address = TEXT("b@c"), .reply = TEXT("250 ok")};
	uint8_t bytes[1024];
	size_t len = message_record_encode(&record, &recipient, 1, bytes, sizeof(bytes));

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		uint8_t *exact = malloc(cut + !cut); /* the sanitizer sees what is behind */
		memcpy(exact, bytes, cut);
		message_record_decode(exact, cut, &read);
		free(exact);
	}
	for (size_t i = 0; i < len; i++)
		for (unsigned byte = 0; byte < 256; byte += 3) {
			uint8_t *exact = malloc(len);
			size_t at = 0;
			memcpy(exact, bytes, len);
			exact[i] = (uint8_t)byte;
			if (message_record_decode(exact, len, &read) == 0)
				while (message_recipient_next(&read, &at, &recipient))
					assert_true(recipient.address.len <= MESSAGE_TEXT_MAX);
			free(exact);
		}
}

static bool holds(const uint8_t *bytes, size_t len, const char *word)
{
	return memmem(bytes, len, word, strlen(word)) != NULL;
}

static void stripped_it_says_nobodys_name(void **state)
{
	static const char *const gone[] = {"anna", "192.0.2", "laptop", "bob", "anna@", "why",
		"mailbox", "virus clean", "hotel@isp"};
	struct message_record record = full(), read;
	const struct message_recipient recipients[] = {
		{.address = TEXT("bob@example.org"),
			.rule = TEXT("outgoing"),
			.reply = TEXT("550 5.1.1 no mailbox bob"),
			.by = MESSAGE_BY_SERVER,
			.verdict = POLICY_VERDICT_REDIRECT},
	};
	struct message_recipient recipient;
	uint8_t bytes[1024], stripped[1024];
	size_t len = message_record_encode(&record, recipients, 1, bytes, sizeof(bytes)), at = 0;

	(void)state;
	assert_int_equal(message_record_decode(bytes, len, &read), 0);
	size_t n = message_record_strip(&read, stripped, sizeof(stripped));
	assert_true(n > 0 && n < len);
	for (size_t i = 0; i < sizeof(gone) / sizeof(*gone); i++)
		if (holds(stripped, n, gone[i]))
			fail_msg("\"%s\" is still there", gone[i]);
	assert_false(memmem(stripped, n, record.client.addr.bytes, 4) != NULL);
	assert_false(memmem(stripped, n, record.mac.bytes, 6) != NULL);
	/* what became of it is */
	assert_int_equal(message_record_decode(stripped, n, &read), 0);
	assert_int_equal(read.ending, MESSAGE_CLIENT_LOST);
	assert_true(holds(stripped, n, "ABC"));
	assert_null(read.sender.at);
	assert_int_equal(read.recipients, 1);
	assert_true(message_recipient_next(&read, &at, &recipient));
	assert_null(recipient.address.at);
	assert_int_equal(recipient.rule.len, strlen("outgoing"));
}

static void names_are_those_of_flows_with_a_number(void **state)
{
	static const struct {
		const char *text;
		uint64_t flow;
		uint32_t number; /* flow 0: it is none */
	} names[] = {{"f-7k3q9.2", 7966441, 2}, {"F-7K3Q9.2", 7966441, 2}, {"7k3q9.2", 7966441, 2},
		{"f-7k3q9", 7966441, 0}, {"f-7k3q9.4294967295", 7966441, 4294967295},
		{"f-7k3q9.4294967296", 0, 0}, {"f-7k3q9.", 0, 0}, {"f-7k3q9.0", 0, 0},
		{"f-7k3q9.-1", 0, 0}, {"f-7k3q9.2.3", 0, 0}, {".2", 0, 0}, {"f-0.1", 0, 0},
		{"f-7k3q9.99999999999999999999", 0, 0}, {"", 0, 0}};
	char buf[MESSAGE_NAME_SIZE];
	uint64_t flow;
	uint32_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *text = names[i].text;
		int status = message_name_parse(text, strlen(text), &flow, &number);
		if (names[i].flow)
			assert_true(
				status == 0 && flow == names[i].flow && number == names[i].number);
		else if (status == 0)
			fail_msg("\"%s\" was taken", text);
	}
	assert_string_equal(message_name_format(7966441, 2, buf), "f-7k3q9.2");
	message_name_format(UINT64_MAX, UINT32_MAX, buf);
	assert_int_equal(message_name_parse(buf, strlen(buf), &flow, &number), 0);
	assert_true(flow == UINT64_MAX && number == UINT32_MAX);
}

/* The numbers stand on the disk. */
static void endings_keep_their_numbers(void **state)
{
	(void)state;
	assert_int_equal(MESSAGE_DELIVERED, 0);
	assert_int_equal(MESSAGE_UNKNOWN, 2);
	assert_int_equal(MESSAGE_REFUSED_FORM, 8);
	assert_int_equal(MESSAGE_KILLED, 16);
	assert_int_equal(MESSAGE_FAILED, 17);
	assert_int_equal(MESSAGE_REFUSED_LOOP, 18);
	assert_int_equal(MESSAGE_BY_GATEWAY, 8);
	assert_int_equal(MESSAGE_SOURCE_AUTH, 3);
	for (unsigned i = 0; i < MESSAGE_ENDINGS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(message_ending_name(i), message_ending_name(j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(what_is_not_there_is_nothing),
		cmocka_unit_test(texts_over_their_bound_are_cut),
		cmocka_unit_test(recipients_without_room_are_counted),
		cmocka_unit_test(a_later_versions_fields_are_passed_over),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(damage_is_survived),
		cmocka_unit_test(stripped_it_says_nobodys_name),
		cmocka_unit_test(names_are_those_of_flows_with_a_number),
		cmocka_unit_test(endings_keep_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
