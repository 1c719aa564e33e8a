/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control makes of the records of a process that tells them in parts, badly, or not to the
 * end. */
#include "test/lib/control_world.h"

#include "lib/ipc/flow.h"
#include "lib/ipc/record.h"

static _Alignas(16) uint8_t ipc[IPC_BYTES_MAX];

static void begin_ipc(void)
{
	ipc_init(ipc, IPC_RECORDS, sizeof(struct ipc_records));
}

static void add_part(
	uint32_t serial, const uint8_t *record, uint32_t whole, uint32_t from, uint32_t to)
{
	struct ipc_records *records = (struct ipc_records *)ipc;
	const struct ipc_part part = {.serial = serial,
		.whole = whole,
		.at = from,
		.bytes = to - from,
		.kind = IPC_RECORD_FLOW};

	memcpy(ipc + records->header.bytes, &part, sizeof(part));
	memcpy(ipc + records->header.bytes + sizeof(part), record + from, part.bytes);
	records->header.bytes += (uint32_t)sizeof(part) + part.bytes;
}

static void send_ipc(void)
{
	send_to(world.relay, ipc, -1);
}

static uint32_t encode(uint64_t id, uint8_t bytes[static IPC_FLOW_BYTES_MAX])
{
	struct ipc_flow flow;

	memset(&flow, 0, sizeof(flow));
	flow.id = id;
	flow.session = 5;
	flow.audit = 1;
	flow.start_ms = flow.end_ms = 1800000000000;
	strcpy(flow.user, "ann");
	strcpy(flow.zone, "guest");
	return (uint32_t)ipc_flow_encode(&flow, bytes);
}

/* Its rows; what control asks the keeper for it is not to be had. */
static struct asked *rows_of(const char *words)
{
	struct asked *asked = ask(words, NULL);

	while (!read_answer(asked, 50)) {
		if (!receive(world.keeper, 0, NULL))
			continue;
		if (in.header.seq)
			answer(world.keeper, -EOPNOTSUPP, "no");
	}
	return asked;
}

static unsigned long counter(const char *name)
{
	struct asked *asked = rows_of("counters");
	char words[64];
	unsigned long value;

	snprintf(words, sizeof(words), "\"counter\": \"%s\", \"value\": ", name);
	const char *at = strstr(asked->rows, words);
	if (!at) {
		snprintf(words, sizeof(words), "\"counter\":\"%s\",\"value\":", name);
		at = strstr(asked->rows, words);
	}
	assert_non_null(at);
	value = strtoul(at + strlen(words), NULL, 10);
	finish(asked, 0);
	return value;
}

/* What the relay said is read some milliseconds later. */
static void await_counter(const char *name, unsigned long value)
{
	for (unsigned tries = 0; counter(name) < value; tries++)
		assert_true(tries < 2000);
	assert_int_equal(counter(name), value);
}

static unsigned records_shown(void)
{
	struct asked *asked = rows_of("audit show");
	unsigned n = 0;

	for (const char *at = asked->rows; (at = strstr(at, "\"flow\"")); at++)
		n++;
	finish(asked, 0);
	return n;
}

static void records_come_together_and_in_parts(void **state)
{
	uint8_t record[IPC_FLOW_BYTES_MAX];

	(void)state;
	greet_control();
	add_relay();
	begin_ipc();
	for (uint32_t i = 0; i < 50; i++) {
		uint32_t len = encode(1000 + i, record);
		add_part(i, record, len, 0, len);
	}
	uint32_t len = encode(2000, record);
	add_part(50, record, len, 0, 3);
	send_ipc();
	begin_ipc();
	add_part(50, record, len, 3, 10);
	send_ipc();
	begin_ipc();
	add_part(50, record, len, 10, len);
	send_ipc();
	await_counter("audit-written", 51);
	assert_int_equal(records_shown(), 50); /* a page */
	assert_int_equal(counter("audit-lost"), 0);
}

static void what_does_not_come_whole_is_lost_and_counted(void **state)
{
	uint8_t record[IPC_FLOW_BYTES_MAX];
	uint32_t len = encode(1000, record);

	(void)state;
	greet_control();
	add_relay();
	/* a part is missing; then one that is whole */
	begin_ipc();
	add_part(1, record, len, 0, 5);
	add_part(1, record, len, 9, len);
	add_part(2, record, len, 0, len);
	send_ipc();
	await_counter("audit-lost", 1);
	await_counter("audit-written", 1);
	/* no flow at all */
	begin_ipc();
	add_part(3, (const uint8_t *)"\xff\xff\xff", 3, 0, 3);
	send_ipc();
	await_counter("audit-lost", 2);
	/* it dies over one, and what it had told stays */
	begin_ipc();
	add_part(4, record, len, 0, len);
	add_part(5, record, len, 0, len - 1);
	send_ipc();
	close(world.relay);
	world.relay = -1;
	await_counter("audit-lost", 3);
	await_counter("audit-written", 2);
	/* the next one begins with nothing of that */
	add_relay();
	begin_ipc();
	add_part(5, record, len, len - 1, len);
	add_part(6, record, len, 0, len);
	send_ipc();
	await_counter("audit-lost", 4);
	await_counter("audit-written", 3);
	assert_int_equal(records_shown(), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(records_come_together_and_in_parts),
		CASE(what_does_not_come_whole_is_lost_and_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
