/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records between processes: packed, many to one ipc, and longer than one. */
#include "lib/ipc/record.h"

#include "lib/ipc/flow.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- packed ---- */

static void fill(char *text, size_t size)
{
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
}
#define FILL(field) fill(field, sizeof(field))

static struct endpoint endpoint(uint8_t family)
{
	struct endpoint out = {.addr.family = family, .port = 65535};
	memset(out.addr.bytes, 0xfe, family == ADDR_IP6 ? 16 : family == ADDR_IP4 ? 4 : 0);
	return out;
}

/* A usual one. */
static struct ipc_flow usual(uint64_t id)
{
	struct ipc_flow flow;

	memset(&flow, 0, sizeof(flow));
	flow.id = id;
	flow.session = 77;
	flow.start_ms = 1800000000000;
	flow.connected_ms = flow.start_ms + 7;
	flow.end_ms = flow.start_ms + 1500;
	flow.from_client_bytes = 4300;
	flow.from_server_bytes = 321;
	flow.messages = 1;
	flow.seen = 0x3f;
	flow.audit = 1;
	flow.client = endpoint(ADDR_IP4);
	flow.original = endpoint(ADDR_IP6);
	flow.host = endpoint(ADDR_IP4);
	flow.gateway = endpoint(ADDR_IP4);
	flow.mac = (struct mac){{2, 0, 0x5e, 0, 0x53, 9}};
	strcpy(flow.ifname, "br-guest");
	strcpy(flow.zone, "guest");
	strcpy(flow.user, "anna");
	strcpy(flow.rule, "guests");
	strcpy(flow.server, "relay");
	strcpy(flow.reply, "250 2.0.0 Ok: queued as 4XyZ");
	flow.client_tls = (struct ipc_tls){"TLSv1.2", "AES", "expired", "mta.example"};
	flow.server_tls = (struct ipc_tls){"TLSv1.3", "CHACHA", "verified", "mx.example"};
	strcpy(flow.client_sni, "mx.internet.example");
	strcpy(flow.client_names, "mta.example other.example");
	flow.client_names_cut = 1;
	flow.logins_refused = 3;
	flow.logins_later = 400;
	flow.nattempts = 1;
	flow.attempts[0] = (struct ipc_attempt){.host = flow.host, .ms = 7};
	return flow;
}

static void fill_tls(struct ipc_tls *tls)
{
	FILL(tls->version);
	FILL(tls->cipher);
	FILL(tls->check);
	FILL(tls->peer);
}

static struct ipc_flow largest(void)
{
	struct ipc_flow flow;

	memset(&flow, 0, sizeof(flow));
	flow.id = flow.session = flow.start_ms = flow.end_ms = flow.connected_ms = UINT64_MAX;
	flow.from_client_bytes = flow.from_server_bytes = UINT64_MAX;
	flow.messages = flow.seen = flow.relay = UINT32_MAX;
	flow.verdict = POLICY_VERDICTS - 1;
	flow.ending = ENDINGS - 1;
	flow.reason = DECIDE_REASONS - 1;
	flow.audit = 1;
	flow.client = flow.original = flow.host = flow.gateway = endpoint(ADDR_IP6);
	memset(&flow.mac, 0xff, sizeof(flow.mac));
	FILL(flow.ifname);
	FILL(flow.zone);
	FILL(flow.user);
	FILL(flow.rule);
	FILL(flow.server);
	FILL(flow.state);
	FILL(flow.detail);
	FILL(flow.reply);
	fill_tls(&flow.client_tls);
	fill_tls(&flow.server_tls);
	FILL(flow.client_sni);
	FILL(flow.client_names);
	flow.client_names_cut = 1;
	flow.nattempts = IPC_ATTEMPTS_MAX;
	for (unsigned i = 0; i < IPC_ATTEMPTS_MAX; i++) {
		flow.attempts[i].host = endpoint(ADDR_IP6);
		flow.attempts[i].ms = UINT32_MAX;
		flow.attempts[i].ending = ENDINGS - 1;
		FILL(flow.attempts[i].reply);
	}
	return flow;
}

static void same_tls(const struct ipc_tls *a, const struct ipc_tls *b)
{
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->cipher, b->cipher);
	assert_string_equal(a->check, b->check);
	assert_string_equal(a->peer, b->peer);
}

static size_t comes_back(const struct ipc_flow *flow)
{
	uint8_t bytes[IPC_FLOW_BYTES_MAX], again[IPC_FLOW_BYTES_MAX];
	struct ipc_flow back;

	memset(&back, 0x55, sizeof(back));
	size_t len = ipc_flow_encode(flow, bytes);
	assert_true(len > 0 && len <= sizeof(bytes));
	assert_int_equal(ipc_flow_decode(bytes, len, &back), 0);
	assert_int_equal(ipc_flow_encode(&back, again), len);
	assert_memory_equal(again, bytes, len);
	assert_int_equal(back.id, flow->id);
	assert_int_equal(back.seen, flow->seen);
	assert_int_equal(back.ending, flow->ending);
	assert_memory_equal(&back.original.addr, &flow->original.addr, sizeof(struct addr));
	assert_int_equal(back.original.port, flow->original.port);
	assert_memory_equal(&back.mac, &flow->mac, sizeof(struct mac));
	assert_string_equal(back.user, flow->user);
	assert_string_equal(back.reply, flow->reply);
	same_tls(&back.client_tls, &flow->client_tls);
	same_tls(&back.server_tls, &flow->server_tls);
	assert_string_equal(back.client_sni, flow->client_sni);
	assert_string_equal(back.client_names, flow->client_names);
	assert_int_equal(back.client_names_cut, flow->client_names_cut);
	assert_int_equal(back.logins_refused, flow->logins_refused);
	assert_int_equal(back.logins_later, flow->logins_later);
	assert_int_equal(back.nattempts, flow->nattempts);
	if (flow->nattempts > 0) {
		uint32_t last = flow->nattempts - 1;
		assert_int_equal(back.attempts[last].ms, flow->attempts[last].ms);
		assert_string_equal(back.attempts[last].reply, flow->attempts[last].reply);
	}
	return len;
}

static void a_flow_is_packed_and_comes_back(void **state)
{
	struct ipc_flow flow;

	(void)state;
	memset(&flow, 0, sizeof(flow));
	comes_back(&flow);
	flow = largest();
	comes_back(&flow);
	flow = usual(1);
	assert_true(comes_back(&flow) < sizeof(flow) / 8);
}

static int decode(const uint8_t *bytes, size_t len)
{
	struct ipc_flow flow;
	uint8_t *exact = malloc(len ? len : 1); /* a read behind the end is seen */

	memcpy(exact, bytes, len);
	int status = ipc_flow_decode(exact, len, &flow);
	free(exact);
	return status;
}

static int decode_flow(const struct ipc_flow *flow)
{
	uint8_t bytes[IPC_FLOW_BYTES_MAX];

	return decode(bytes, ipc_flow_encode(flow, bytes));
}

static void what_is_out_of_range_is_no_flow(void **state)
{
	struct ipc_flow flow;

	(void)state;
#define BAD(change)                              \
	flow = usual(1);                         \
	assert_int_equal(decode_flow(&flow), 0); \
	change;                                  \
	assert_int_equal(decode_flow(&flow), -EBADMSG)
	BAD(flow.verdict = POLICY_VERDICTS);
	BAD(flow.ending = ENDINGS);
	BAD(flow.reason = DECIDE_REASONS);
	BAD(flow.audit = 2);
	BAD(flow.client.addr.family = 5);
	BAD(strcpy(flow.user, "a\nb"));
	BAD(strcpy(flow.reply, "\x7f"));
	BAD(strcpy(flow.client_tls.peer, "\n"));
	BAD(strcpy(flow.server_tls.check, "\x1b"));
	BAD(flow.client_names_cut = 2);
	BAD(flow.attempts[0].ending = ENDINGS);
	BAD(strcpy(flow.attempts[0].reply, "\r"));
#undef BAD
}

static void a_flow_has_one_spelling(void **state)
{
	uint8_t bytes[IPC_FLOW_BYTES_MAX + 1];
	struct ipc_flow flow = usual(1), other;

	(void)state;
	size_t len = ipc_flow_encode(&flow, bytes);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(decode(bytes, cut), -EBADMSG);
	bytes[len] = 0;
	assert_int_equal(decode(bytes, len + 1), -EBADMSG);
	/* the id, of one byte, behind the byte that says so */
	memmove(bytes + 1, bytes, len);
	bytes[0] = 0xf8;
	assert_int_equal(decode(bytes, len + 1), -EBADMSG);
	/* and in two, of which it needs one */
	flow.id = 0xf8;
	len = ipc_flow_encode(&flow, bytes);
	assert_int_equal(bytes[0], 0xf8);
	assert_int_equal(decode(bytes, len), 0);
	memmove(bytes + 3, bytes + 2, len - 2);
	bytes[0] = 0xf9;
	bytes[2] = 0;
	assert_int_equal(decode(bytes, len + 1), -EBADMSG);

	/* TLS that is said to be there, and is not: all its fields are empty */
	memset(&other, 0, sizeof(other));
	len = ipc_flow_encode(&other, bytes);
	assert_int_equal(decode(bytes, len), 0);
	bytes[len - 2] = 1;
	memset(bytes + len - 1, 0, 13);
	assert_int_equal(decode(bytes, len + 11), -EBADMSG);
	bytes[len - 1] = 1;
	bytes[len] = 'x';
	assert_int_equal(decode(bytes, len + 12), 0);

	static const uint64_t edges[] = {0, 0xf7, 0xf8, 0xff, 0x100, 0xffff, 0x10000, UINT64_MAX};
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		flow.id = edges[i];
		assert_int_equal(ipc_flow_decode(bytes, ipc_flow_encode(&flow, bytes), &other), 0);
		assert_int_equal(other.id, edges[i]);
	}

	srand(5);
	flow = usual(300);
	for (unsigned round = 0; round < 50000; round++) {
		uint8_t again[IPC_FLOW_BYTES_MAX];
		len = ipc_flow_encode(&flow, bytes);
		for (unsigned i = 0; i < 3; i++)
			bytes[(size_t)rand() % len] = (uint8_t)rand();
		if (ipc_flow_decode(bytes, len, &other) < 0)
			continue;
		assert_int_equal(ipc_flow_encode(&other, again), len);
		assert_memory_equal(again, bytes, len);
	}
}

/* ---- on the way ---- */

/* Record `number`, told by its bytes. */
static uint8_t byte_of(uint32_t number, size_t i)
{
	return (uint8_t)(number * 31 + i * 7 + i / 256);
}

#define RING  (3u << 20)
#define GUARD 4096 /* behind it, untouched */

struct way {
	struct ipc_backlog backlog;
	struct ipc_assembly assembly;
	uint8_t *ring;
	uint32_t put;  /* records */
	uint32_t next; /* that is to be heard */
	uint32_t heard, dropped, ipcs;
	bool cut; /* a record was in parts */
	uint32_t lens[4096];
	_Alignas(16) uint8_t ipc[IPC_BYTES_MAX];
};

static struct way *way_new(uint32_t room)
{
	struct way *way = calloc(1, sizeof(*way));

	way->ring = malloc(room + GUARD);
	memset(way->ring + room, 0xa5, GUARD);
	ipc_backlog_init(&way->backlog, way->ring, room);
	return way;
}

static void way_free(struct way *way)
{
	way->dropped += ipc_assembly_end(&way->assembly);
	for (size_t i = 0; i < GUARD; i++)
		assert_int_equal(way->ring[way->backlog.room + i], 0xa5);
	free(way->ring);
	free(way);
}

static unsigned put(struct way *way, uint32_t len)
{
	uint8_t *bytes = malloc(len);

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = byte_of(way->put, i);
	way->lens[way->put++] = len;
	unsigned lost = ipc_backlog_put(&way->backlog, IPC_RECORD_FLOW, bytes, len);
	free(bytes);
	return lost;
}

static void on_record(void *context, enum ipc_record_kind kind, const uint8_t *bytes, size_t len)
{
	struct way *way = context;

	assert_int_equal(kind, IPC_RECORD_FLOW);
	/* which of them it is: lost ones are passed over */
	while (way->next < way->put &&
		(way->lens[way->next] != len || bytes[0] != byte_of(way->next, 0)))
		way->next++;
	assert_true(way->next < way->put);
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_of(way->next, i))
			fail_msg("record %u differs at byte %zu", way->next, i);
	way->next++;
	way->heard++;
}

static void hear(struct way *way, const void *ipc)
{
	const struct ipc_records *records = ipc;

	assert_int_equal(ipc_check(records, records->header.bytes), 0);
	way->dropped += ipc_records_read(&way->assembly, records, on_record, way);
	way->cut |= way->assembly.bytes != NULL;
}

/* As a sender does: `fails` says whether the ipc of this number is not taken. Did all go? */
static bool flush(struct way *way, bool (*fails)(uint32_t ipc), bool (*vanishes)(uint32_t ipc))
{
	struct ipc_told told = {0};

	while (way->backlog.n > 0) {
		told = ipc_records_fill((struct ipc_records *)way->ipc, &way->backlog, told.at);
		uint32_t number = way->ipcs++;
		if (fails && fails(number))
			return false;
		if (!vanishes || !vanishes(number))
			hear(way, way->ipc);
		ipc_backlog_drop(&way->backlog, told.n);
	}
	return true;
}

static void many_records_go_in_one_ipc(void **state)
{
	struct way *way = way_new(RING);

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(put(way, 250), 0);
	assert_true(flush(way, NULL, NULL));
	assert_int_equal(way->ipcs, 1);
	assert_int_equal(way->heard, 200);
	assert_int_equal(way->dropped, 0);
	for (unsigned i = 0; i < 1000; i++)
		put(way, 250);
	assert_true(flush(way, NULL, NULL));
	assert_int_equal(way->ipcs, 6);
	assert_int_equal(way->heard, 1200);
	assert_false(way->cut);
	way_free(way);
}

static void a_record_may_be_longer_than_an_ipc(void **state)
{
	static const uint32_t lens[] = {
		1, 65500, 65501, 65536, 131000, 200000, 1 << 19, IPC_RECORD_BYTES_MAX, 17};
	struct way *way = way_new(RING);

	(void)state;
	for (unsigned i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		put(way, 300);
		put(way, lens[i]);
	}
	put(way, 300);
	assert_true(flush(way, NULL, NULL));
	assert_int_equal(way->heard, way->put);
	assert_int_equal(way->dropped, 0);
	assert_true(way->cut);
	assert_true(way->ipcs > 2 * (1 << 20) / IPC_BYTES_MAX);
	way_free(way);
}

static bool every_seventh(uint32_t ipc)
{
	return ipc % 7 == 3;
}

static void what_was_not_taken_is_told_again_and_once(void **state)
{
	struct way *way = way_new(RING);

	(void)state;
	srand(3);
	for (unsigned round = 0; round < 300; round++) {
		for (int n = rand() % 6; n > 0; n--)
			put(way, rand() % 5 ? 200 + (uint32_t)rand() % 300
					    : 1 + (uint32_t)rand() % 300000);
		flush(way, every_seventh, NULL);
	}
	while (!flush(way, every_seventh, NULL))
		;
	assert_int_equal(way->heard, way->put);
	assert_int_equal(way->dropped, 0);
	way_free(way);
}

static bool fourth(uint32_t ipc)
{
	return ipc == 3;
}

static void a_record_without_one_of_its_parts_is_dropped(void **state)
{
	(void)state;
	/* the lost part is its first, one in the middle, its last */
	for (uint32_t before = 0; before < 4; before++) {
		struct way *way = way_new(RING);
		for (uint32_t i = 0; i < before; i++)
			put(way, 60000);
		put(way, 250000);
		put(way, 90000);
		put(way, 250);
		assert_true(flush(way, NULL, fourth));
		assert_true(way->dropped > 0);
		/* small ones that were in the lost ipc nobody knows of */
		assert_true(way->heard + way->dropped >= way->put - 1);
		assert_true(way->heard + way->dropped <= way->put);
		assert_int_equal(way->lens[way->put - 1], 250);
		assert_int_equal(way->next, way->put); /* the last one came whole */
		way_free(way);
	}
}

/* What the sender says of a part may be anything. */
static size_t add_part(uint8_t *ipc, size_t len, struct ipc_part part, const uint8_t *bytes)
{
	memcpy(ipc + len, &part, sizeof(part));
	memcpy(ipc + len + sizeof(part), bytes, part.bytes);
	return len + sizeof(part) + part.bytes;
}

static unsigned heard_alone;

static void count_alone(void *context, enum ipc_record_kind kind, const uint8_t *bytes, size_t len)
{
	(void)context;
	(void)kind;
	(void)bytes;
	(void)len;
	heard_alone++;
}

static unsigned tell_part(struct ipc_assembly *assembly, struct ipc_part part)
{
	static _Alignas(16) uint8_t ipc[IPC_BYTES_MAX], bytes[IPC_BYTES_MAX];
	struct ipc_records *records = (struct ipc_records *)ipc;

	part.kind = part.kind ? part.kind : IPC_RECORD_FLOW;
	ipc_init(records, IPC_RECORDS, sizeof(*records));
	records->header.bytes = (uint32_t)add_part(ipc, sizeof(*records), part, bytes);
	assert_int_equal(ipc_check(records, records->header.bytes), 0);
	return ipc_records_read(assembly, records, count_alone, NULL);
}

static void a_record_that_never_ends_costs_one_record(void **state)
{
	struct ipc_assembly assembly = {0};

	(void)state;
	heard_alone = 0;
	/* it goes on and on at its last byte but one */
	for (uint32_t at = 0; at < IPC_RECORD_BYTES_MAX - 1; at += 60000)
		assert_int_equal(tell_part(&assembly,
					 (struct ipc_part){.serial = 1,
						 .whole = IPC_RECORD_BYTES_MAX,
						 .at = at,
						 .bytes = IPC_RECORD_BYTES_MAX - 1 - at < 60000
								  ? IPC_RECORD_BYTES_MAX - 1 - at
								  : 60000}),
			0);
	assert_int_equal(assembly.len, IPC_RECORD_BYTES_MAX - 1);
	for (unsigned i = 0; i < 1000; i++) /* counted once, whatever else comes of it */
		assert_int_equal(tell_part(&assembly, (struct ipc_part){.serial = 1,
							      .whole = IPC_RECORD_BYTES_MAX,
							      .at = 60000,
							      .bytes = 60000}),
			i == 0);
	assert_null(assembly.bytes);
	/* beginnings without an end: each pushes the one before out */
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(tell_part(&assembly, (struct ipc_part){.serial = 10 + i,
							      .whole = IPC_RECORD_BYTES_MAX,
							      .bytes = 60000}),
			i > 0);
		assert_int_equal(assembly.len, 60000);
	}
	/* what is said to come is not reserved */
	assert_int_equal(ipc_assembly_end(&assembly), 1);
	assert_int_equal(ipc_assembly_end(&assembly), 0);
	assert_int_equal(heard_alone, 0);
}

static void interleaved_records_are_never_mixed(void **state)
{
	struct ipc_assembly one = {0}, other = {0};
	const struct ipc_part first = {.serial = 5, .whole = 100, .bytes = 60},
			      last = {.serial = 5, .whole = 100, .at = 60, .bytes = 40},
			      first6 = {.serial = 6, .whole = 100, .bytes = 60},
			      longer = {.serial = 5, .whole = 101, .at = 60, .bytes = 41},
			      overlap = {.serial = 5, .whole = 100, .at = 59, .bytes = 41};

	(void)state;
	heard_alone = 0;
	/* of two processes: each has its own */
	assert_int_equal(tell_part(&one, first), 0);
	assert_int_equal(tell_part(&other, first), 0);
	assert_int_equal(tell_part(&one, last), 0);
	assert_int_equal(heard_alone, 1);
	assert_int_equal(ipc_assembly_end(&other), 1); /* it died */
	assert_int_equal(tell_part(&other, last), 1); /* a new one of it that begins in the midst */
	assert_int_equal(heard_alone, 1);
	/* of one */
	assert_int_equal(tell_part(&one, first), 0);
	assert_int_equal(tell_part(&one, first6), 1);
	assert_int_equal(tell_part(&one, last), 2); /* 6 as well */
	assert_int_equal(heard_alone, 1);
	assert_int_equal(tell_part(&one, first6), 0);
	assert_int_equal(tell_part(&one, longer), 2);
	assert_int_equal(tell_part(&one, first), 0);
	assert_int_equal(tell_part(&one, longer), 1);
	assert_int_equal(tell_part(&one, first), 0);
	assert_int_equal(tell_part(&one, overlap), 1);
	/* the same one from its beginning on is no loss */
	assert_int_equal(tell_part(&one, first), 0);
	assert_int_equal(tell_part(&one, first), 0);
	assert_int_equal(tell_part(&one, last), 0);
	assert_int_equal(heard_alone, 2);
	assert_int_equal(ipc_assembly_end(&one), 0);
}

static void parts_stay_within_their_record(void **state)
{
	static _Alignas(16) uint8_t ipc[4096];
	struct ipc_records *records = (struct ipc_records *)ipc;
	const struct ipc_part good = {.whole = 100, .at = 60, .bytes = 40, .kind = IPC_RECORD_FLOW};
	struct ipc_part part;

	(void)state;
#define TELL(change, verdict)                                                    \
	part = good;                                                             \
	change;                                                                  \
	ipc_init(records, IPC_RECORDS, sizeof(*records));                        \
	memcpy(records->data, &good, sizeof(good));                              \
	memcpy(records->data + sizeof(part) + good.bytes, &part, sizeof(part));  \
	records->header.bytes += (uint32_t)(2 * sizeof(part) + good.bytes + 40); \
	assert_int_equal(ipc_check(records, records->header.bytes), verdict)
	TELL((void)part, 0);
	TELL(part.bytes = 41, -EBADMSG);
	TELL(part.bytes = 39, -EBADMSG);
	TELL(part.bytes = 0, -EBADMSG);
	TELL(part.bytes = UINT32_MAX, -EBADMSG);
	TELL(part.at = 61, -EBADMSG);
	TELL(part.at = UINT32_MAX - 39, -EBADMSG);
	TELL(part.whole = 99, -EBADMSG);
	TELL(part.whole = 0, -EBADMSG);
	TELL(part.whole = IPC_RECORD_BYTES_MAX, 0);
	TELL(part.whole = IPC_RECORD_BYTES_MAX + 1, -EBADMSG);
	TELL(part.kind = 0, -EBADMSG);
	TELL(part.kind = IPC_RECORD_KINDS, -EBADMSG);
	TELL(part.reserved = 1, -EBADMSG);
#undef TELL
	ipc_init(records, IPC_RECORDS, sizeof(*records));
	assert_int_equal(ipc_check(records, sizeof(*records)), -EBADMSG); /* none at all */
}

/* ---- waiting ---- */

static void the_ring_is_full_by_bytes(void **state)
{
	struct way *way = way_new(10000);
	struct ipc_waiting waiting;

	(void)state;
	assert_false(ipc_backlog_first(&way->backlog, &waiting));
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(put(way, 1000), 0);
	assert_int_equal(put(way, 500), 0);
	assert_int_equal(put(way, 2000), 2); /* the oldest two make room */
	assert_int_equal(way->backlog.n, 9);
	assert_true(ipc_backlog_first(&way->backlog, &waiting));
	assert_int_equal(waiting.serial, 2);
	assert_int_equal(put(way, 10000), 1); /* has no room at all, and takes none */
	assert_int_equal(way->backlog.n, 9);
	assert_true(flush(way, NULL, NULL));
	assert_int_equal(way->heard, 9);
	assert_int_equal(way->backlog.used, 0);
	way_free(way);
}

static void the_ring_keeps_order_and_bytes(void **state)
{
	struct way *way = way_new(5003);
	uint32_t lost = 0;

	(void)state;
	srand(9);
	for (unsigned round = 0; round < 3000; round++) {
		lost += put(way, 1 + (uint32_t)rand() % 1200);
		if (rand() % 6 == 0)
			assert_true(flush(way, NULL, NULL));
		assert_true(way->backlog.used <= way->backlog.room);
	}
	flush(way, NULL, NULL);
	assert_true(lost > 0);
	assert_int_equal(way->heard + lost, way->put);
	assert_int_equal(way->dropped, 0);
	way_free(way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_is_packed_and_comes_back),
		cmocka_unit_test(what_is_out_of_range_is_no_flow),
		cmocka_unit_test(a_flow_has_one_spelling),
		cmocka_unit_test(many_records_go_in_one_ipc),
		cmocka_unit_test(a_record_may_be_longer_than_an_ipc),
		cmocka_unit_test(what_was_not_taken_is_told_again_and_once),
		cmocka_unit_test(a_record_without_one_of_its_parts_is_dropped),
		cmocka_unit_test(a_record_that_never_ends_costs_one_record),
		cmocka_unit_test(interleaved_records_are_never_mixed),
		cmocka_unit_test(parts_stay_within_their_record),
		cmocka_unit_test(the_ring_is_full_by_bytes),
		cmocka_unit_test(the_ring_keeps_order_and_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
