/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control makes of the records of messages: who asks for them by what, and who hears of them.
 */
#include "test/lib/control_world.h"

#include "lib/ipc/flow.h"
#include "lib/ipc/record.h"
#include "lib/record/message_record.h"

#define NOW 1800000000000

static uint32_t serial;

static void tell(uint16_t kind, const uint8_t *bytes, size_t len)
{
	static _Alignas(16) uint8_t ipc[IPC_BYTES_MAX];

	for (size_t at = 0; at < len;) {
		struct ipc_records *records = (struct ipc_records *)ipc;
		size_t n = len - at < 60000 ? len - at : 60000;
		const struct ipc_part part = {.serial = serial,
			.whole = (uint32_t)len,
			.at = (uint32_t)at,
			.bytes = (uint32_t)n,
			.kind = kind};
		ipc_init(records, IPC_RECORDS, sizeof(*records));
		memcpy(records->data, &part, sizeof(part));
		memcpy(records->data + sizeof(part), bytes + at, n);
		records->header.bytes += (uint32_t)(sizeof(part) + n);
		send_to(world.relay, ipc, -1);
		at += n;
	}
	serial++;
}

static struct message_text text(const char *words)
{
	return (struct message_text){words, strlen(words)};
}

static struct message_record message(uint64_t flow, uint32_t number)
{
	return (struct message_record){.flow = flow,
		.number = number,
		.ending = MESSAGE_DELIVERED,
		.start_ms = NOW,
		.end_ms = NOW + flow,
		.user = text("ann"),
		.zone = text("guest"),
		.sender = text("ann@hotel.example"),
		.server = text("relay"),
		.reply = text("250 2.0.0 Ok: queued as 4XyZ"),
		.queue_id = text("4XyZ"),
		.message_id = text("1@laptop.example")};
}

static void tell_message(const struct message_record *record, const char *to, size_t n)
{
	static uint8_t bytes[MESSAGE_RECORD_BYTES_MAX];
	static struct message_recipient many[1000];

	for (size_t i = 0; i < n; i++)
		many[i] = (struct message_recipient){
			.address = text(to), .reply = text("250 2.1.5 Ok"), .rule = text("guests")};
	size_t len = message_record_encode(record, many, n, bytes, sizeof(bytes));
	tell(IPC_RECORD_MESSAGE, bytes, len);
}

static void tell_flow(uint64_t id)
{
	uint8_t bytes[IPC_FLOW_BYTES_MAX];
	struct ipc_flow flow = {.id = id, .audit = 1, .start_ms = NOW, .end_ms = NOW, .session = 5};

	strcpy(flow.user, "ann");
	tell(IPC_RECORD_FLOW, bytes, ipc_flow_encode(&flow, bytes));
}

/* Its answer; what control asks the keeper for it is not to be had. */
static struct asked *answer_to(struct asked *asked)
{
	while (!read_answer(asked, 50)) {
		if (!receive(world.keeper, 0, NULL))
			continue;
		if (in.header.seq)
			answer(world.keeper, -EOPNOTSUPP, "no");
	}
	return asked;
}

static struct asked *rows_of(const char *words)
{
	return answer_to(ask(words, NULL));
}

static bool says(const char *words, const char *said)
{
	struct asked *asked = rows_of(words);
	bool found = strstr(asked->rows, said) || strstr(asked->error, said);

	finish(asked, asked->status);
	return found;
}

/* What the relay said is read some milliseconds later. */
static void await(const char *words, const char *said)
{
	for (unsigned i = 0; i < 400; i++)
		if (says(words, said))
			return;
	fail_msg("%s never says %s", words, said);
}

static void begin(void)
{
	greet_control();
	add_relay();
}

static void expect_words(const char *words, int status, const char *said)
{
	struct asked *asked = rows_of(words);

	if (!strstr(asked->rows, said) && !strstr(asked->error, said))
		fail_msg("%s says %s %s, not %s", words, asked->rows, asked->error, said);
	finish(asked, status);
}

static void they_are_found_by_what_is_asked_for(void **state)
{
	struct message_record record = message(0x1234, 2);

	(void)state;
	begin();
	tell_message(&record, "Bob@Example.org", 1);
	record = message(0x1235, 1);
	record.user = text("zoe");
	record.sender = text("");
	record.queue_id = text("ABC");
	record.message_id = text("2@laptop.example");
	tell_message(&record, "carol@example.org", 1);
	await("message show", "f-4hn.1");
	expect_words("message show f-4hm.2", 0, "\"decisions\"");
	expect_words("message show 4hm", 0, "f-4hm.2");
	expect_words("message show flow f-4hm", 0, "f-4hm.2");
	expect_words("message show queue 4XyZ", 0, "\"user\":\"ann\"");
	expect_words("message show message-id <1@laptop.example>", 0, "f-4hm.2");
	expect_words("message show message-id 1@laptop.example", 0, "f-4hm.2");
	expect_words("message show recipient bob@example.ORG", 0, "f-4hm.2");
	expect_words("message show recipient <bob@example.org>", 0, "f-4hm.2");
	expect_words("message show sender ANN@hotel.example", 0, "f-4hm.2");
	expect_words("message show sender <>", 0, "f-4hn.1");
	expect_words("message show user zoe", 0, "f-4hn.1");
	expect_words("message show user zoe queue 4XyZ", 0, "");
	expect_words("message show limit 1", 0, "there are more: limit 10");
	expect_words("message show --whole", 0, "\"decisions\"");
	assert_false(says("message show user zoe", "f-4hm"));
	assert_false(says("message show", "\"decisions\""));
}

static void an_address_is_found_however_it_is_written(void **state)
{
	struct message_record record = message(0x1234, 2);

	(void)state;
	begin();
	record.sender = text("j\u00fcrg@xn--bcher-kva.example");
	tell_message(&record, "ann@xn--bcher-kva.example", 1);
	await("message show", "f-4hm.2");
	expect_words("message show sender j\u00fcrg@b\u00fccher.example", 0, "f-4hm.2");
	expect_words("message show sender <j\u00fcrg@B\u00dcCHER.example>", 0, "f-4hm.2");
	expect_words("message show sender \"j\u00fcrg\"@xn--bcher-kva.example.", 0, "f-4hm.2");
	expect_words("message show recipient \"ann\"@b\u00fccher.example", 0, "f-4hm.2");
	/* what no rule could be asked about stands there as it was said */
	record = message(0x1235, 1);
	tell_message(&record, "ann@b@c", 1);
	await("message show", "f-4hn.1");
	expect_words("message show recipient ann@b@c", 0, "f-4hn.1");
	expect_words("message show recipient <ann@b@c>", 0, "f-4hn.1");
}

static void a_typo_is_no_empty_answer(void **state)
{
	struct message_record record = message(0x1234, 2);

	(void)state;
	begin();
	tell_message(&record, "bob@example.org", 1);
	await("message show", "f-4hm.2");
	expect_words("message show f-4hm.3", 1, "no record of message f-4hm.3");
	expect_words("message show f-4hm.x", 2, "a message's id");
	expect_words("message show f-4hm.2 flow f-4hn", 2, "f-4hm.2 is no message of flow f-4hn");
	expect_words("message show user nn", 1, "has it, and no message, either");
	expect_words("message show user ann until @1", 0, "");
	expect_words("message show sender @hotel.example", 2, "not by its domain");
	expect_words("message show since then", 2, "is no time");
	expect_words("message show since 1h until 2h", 2, "nothing lies between");
	expect_words("message show queue 4xyz", 0, "");
	struct asked *asked = answer_to(ask_at(world.session_path, "message show", NULL));
	finish(asked, 1);
}

static void a_flow_names_its_messages(void **state)
{
	struct message_record record = message(0x1234, 1);

	(void)state;
	begin();
	for (record.number = 1; record.number <= 3; record.number++)
		tell_message(&record, "bob@example.org", 1);
	tell_flow(0x1234);
	tell_flow(0x1235);
	await("audit show", "f-4hn");
	expect_words(
		"audit show f-4hm", 0, "\"message_records\":[\"f-4hm.1\",\"f-4hm.2\",\"f-4hm.3\"]");
	/* a plain one keeps what it has */
	assert_false(says("audit show f-4hn", "message_records"));
	assert_false(says("audit show --whole", "message_records"));
}

static void who_watches_hears_of_them(void **state)
{
	struct message_record record = message(0x1234, 2);
	struct asked *watcher;

	(void)state;
	begin();
	watcher = ask("monitor message", NULL);
	await("status", "\"version\"");
	record.sender = text("eve\r\n\"@x");
	tell_message(&record, "bob@example.org", 1);
	tell_flow(0x1235);
	for (unsigned i = 0; i < 200 && !strstr(watcher->text, "f-4hm.2"); i++)
		assert_false(read_answer(watcher, 50));
	assert_non_null(strstr(watcher->text, "\"topic\":\"message\",\"event\":\"ended\""));
	assert_non_null(strstr(watcher->text, "\"ending\":\"delivered\""));
	assert_non_null(strstr(watcher->text, "\"sender\":\"eve\\r\\n\\\"@x\""));
	assert_null(strstr(watcher->text, "f-4hn")); /* of flows he did not ask */
	close(watcher->fd);
	request_reader_fini(&watcher->reader);
	free(watcher);
}

static void they_are_counted_by_their_ends(void **state)
{
	struct message_record record = message(1, 1);

	(void)state;
	begin();
	tell_message(&record, "bob@example.org", 1);
	record.ending = MESSAGE_UNKNOWN;
	tell_message(&record, "bob@example.org", 1);
	tell_message(&record, "bob@example.org", 1);
	record.ending = 999; /* of a later version */
	tell_message(&record, "bob@example.org", 1);
	await("message show", "\"ending\":\"?\"");
	expect_words("counters", 0, "\"counter\":\"message-delivered\",\"value\":1");
	expect_words("counters", 0, "\"counter\":\"message-unknown\",\"value\":2");
	expect_words("counters", 0, "\"counter\":\"audit-written\",\"value\":4");
}

static void one_with_a_thousand_recipients_comes_in_parts(void **state)
{
	struct message_record record = message(0x1234, 2);
	char to[200];

	(void)state;
	begin();
	memset(to, 'a', sizeof(to) - 1);
	to[sizeof(to) - 1] = '\0';
	tell_message(&record, to, 1000);
	await("message show", "\"recipients\":1000");
	tell(IPC_RECORD_MESSAGE, (const uint8_t *)"\x01\x01", 2);
	await("counters", "\"counter\":\"audit-lost\",\"value\":1");
}

static void they_are_there_after_a_crash(void **state)
{
	struct message_record record = message(0x1234, 2);

	(void)state;
	begin();
	tell_message(&record, "bob@example.org", 1);
	await("message show", "f-4hm.2");
	stop_control(SIGKILL);
	start_control();
	begin();
	expect_words("message show f-4hm.2", 0, "\"queue_id\":\"4XyZ\"");
}

static void with_names_none_nobody_is_named(void **state)
{
	static const char *const persons[] = {"ann", "bob", "laptop"};
	struct message_record record = message(0x1234, 2);
	char policy[4096];

	(void)state;
	snprintf(policy, sizeof(policy), "%saudit { names none }\n", control_policy);
	write_config(policy);
	stop_control(SIGKILL);
	start_control();
	begin();
	struct asked *watcher = ask("monitor message", NULL);
	await("status", "\"version\"");
	tell_message(&record, "bob@example.org", 1);
	await("message show", "f-4hm.2");
	for (size_t i = 0; i < sizeof(persons) / sizeof(*persons); i++)
		assert_false(says("message show --whole", persons[i]));
	/* who watches sees what happens, as with flows */
	for (unsigned i = 0; i < 200 && !strstr(watcher->text, "f-4hm.2"); i++)
		assert_false(read_answer(watcher, 50));
	close(watcher->fd);
	request_reader_fini(&watcher->reader);
	free(watcher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(they_are_found_by_what_is_asked_for),
		CASE(an_address_is_found_however_it_is_written),
		CASE(a_typo_is_no_empty_answer),
		CASE(a_flow_names_its_messages),
		CASE(who_watches_hears_of_them),
		CASE(they_are_counted_by_their_ends),
		CASE(one_with_a_thousand_recipients_comes_in_parts),
		CASE(they_are_there_after_a_crash),
		CASE(with_names_none_nobody_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
