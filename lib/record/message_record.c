/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/record/message_record.h"

#include "lib/policy/policy.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum kind {
	NUMBER,   /* without needless zeros, the lowest byte first */
	TEXT,     /* may be empty */
	ENDPOINT, /* 4 or 16 bytes of address, 2 of port */
	MAC,
};

struct field {
	uint8_t tag; /* ascending */
	uint8_t kind;
	uint16_t at;   /* offset in the struct */
	uint16_t size; /* of a number */
	uint16_t most; /* bytes of a text */
};

/* clang-format off */
#define SIZE_OF(type, name) sizeof(((struct type *)0)->name)
#define NUMBER_FIELD(tag, type, name) {tag, NUMBER, offsetof(struct type, name), SIZE_OF(type, name), 8}
#define TEXT_FIELD(tag, type, name, most) {tag, TEXT, offsetof(struct type, name), 0, most}
#define OTHER_FIELD(tag, kind, type, name) {tag, kind, offsetof(struct type, name), 0, 18}

static const struct field fields[] = {
	NUMBER_FIELD(1, message_record, flow),
	NUMBER_FIELD(2, message_record, number),
	NUMBER_FIELD(3, message_record, ending),
	NUMBER_FIELD(4, message_record, source),
	NUMBER_FIELD(5, message_record, session),
	NUMBER_FIELD(6, message_record, start_ms),
	NUMBER_FIELD(7, message_record, end_ms),
	NUMBER_FIELD(8, message_record, size_bytes),
	NUMBER_FIELD(9, message_record, unrecorded),
	OTHER_FIELD(10, ENDPOINT, message_record, client),
	OTHER_FIELD(11, ENDPOINT, message_record, host),
	OTHER_FIELD(12, ENDPOINT, message_record, gateway),
	OTHER_FIELD(13, MAC, message_record, mac),
	TEXT_FIELD(14, message_record, user, POLICY_USER_SIZE - 1),
	TEXT_FIELD(15, message_record, zone, POLICY_NAME_SIZE - 1),
	TEXT_FIELD(16, message_record, listener, POLICY_NAME_SIZE - 1),
	TEXT_FIELD(17, message_record, helo, MESSAGE_TEXT_MAX),
	TEXT_FIELD(18, message_record, sender, MESSAGE_TEXT_MAX),
	TEXT_FIELD(19, message_record, server, POLICY_NAME_SIZE - 1),
	TEXT_FIELD(20, message_record, reply, MESSAGE_TEXT_MAX),
	TEXT_FIELD(21, message_record, queue_id, 64),
	TEXT_FIELD(22, message_record, message_id, MESSAGE_TEXT_MAX),
	TEXT_FIELD(23, message_record, scan, MESSAGE_TEXT_MAX),
	TEXT_FIELD(24, message_record, detail, MESSAGE_TEXT_MAX),
	TEXT_FIELD(25, message_record, client_tls.version, 64),
	TEXT_FIELD(26, message_record, client_tls.cipher, 64),
	TEXT_FIELD(27, message_record, client_tls.peer, MESSAGE_TEXT_MAX),
	TEXT_FIELD(28, message_record, client_tls.check, 64),
	TEXT_FIELD(29, message_record, server_tls.version, 64),
	TEXT_FIELD(30, message_record, server_tls.cipher, 64),
	TEXT_FIELD(31, message_record, server_tls.peer, MESSAGE_TEXT_MAX),
	TEXT_FIELD(32, message_record, server_tls.check, 64),
	TEXT_FIELD(33, message_record, sender_sent, MESSAGE_TEXT_MAX),
	TEXT_FIELD(34, message_record, client_sni, MESSAGE_TEXT_MAX),
};
/* Behind all others, as many as there are; and behind them those that have no room. */
#define RECIPIENT_TAG 200
#define LEFT_OUT_TAG  201
static const struct field last_fields[] = {NUMBER_FIELD(LEFT_OUT_TAG, message_record, left_out)};

static const struct field recipient_fields[] = {
	TEXT_FIELD(1, message_recipient, address, MESSAGE_TEXT_MAX),
	NUMBER_FIELD(2, message_recipient, by),
	NUMBER_FIELD(3, message_recipient, verdict),
	TEXT_FIELD(4, message_recipient, rule, POLICY_NAME_SIZE - 1),
	TEXT_FIELD(5, message_recipient, reply, MESSAGE_TEXT_MAX),
	NUMBER_FIELD(6, message_recipient, direction),
};
/* clang-format on */
#define N(array) (sizeof(array) / sizeof(*(array)))

static const char *const source_names[] = {
	[MESSAGE_SOURCE_NONE] = "none",
	[MESSAGE_SOURCE_SESSION] = "session",
	[MESSAGE_SOURCE_DEVICE] = "device",
	[MESSAGE_SOURCE_AUTH] = "auth",
};
static_assert(N(source_names) == MESSAGE_SOURCES, "a name for each");

const char *message_source_name(unsigned source)
{
	return source < MESSAGE_SOURCES ? source_names[source] : "?";
}

static const char *const direction_names[] = {
	[MESSAGE_DIRECTION_OUTGOING] = "outgoing",
	[MESSAGE_DIRECTION_INCOMING] = "incoming",
};
static_assert(N(direction_names) == MESSAGE_DIRECTIONS, "a name for each");

const char *message_direction_name(unsigned direction)
{
	return direction < MESSAGE_DIRECTIONS ? direction_names[direction] : NULL;
}

struct writer {
	uint8_t *bytes;
	size_t room, len;
	bool full; /* something had no room: len is of what had */
};

/* A tag and a length of seven bits a byte, the lowest first; then what `value` has. */
static void put(struct writer *writer, uint8_t tag, const void *value, size_t len)
{
	uint8_t head[4] = {tag};
	size_t n = 1;

	for (size_t left = len;; left >>= 7) {
		head[n++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
		if (left <= 0x7f)
			break;
	}
	if (writer->full || writer->room - writer->len < n + len) {
		writer->full = true;
		return;
	}
	memcpy(writer->bytes + writer->len, head, n);
	if (len)
		memcpy(writer->bytes + writer->len + n, value, len);
	writer->len += n + len;
}

static uint64_t number_at(const struct field *field, const void *from)
{
	const uint8_t *at = (const uint8_t *)from + field->at;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (field->size) {
	case sizeof(u16):
		memcpy(&u16, at, sizeof(u16));
		return u16;
	case sizeof(u32):
		memcpy(&u32, at, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, at, sizeof(u64));
		return u64;
	}
}

static void put_number(struct writer *writer, uint8_t tag, uint64_t number)
{
	uint8_t bytes[8];
	size_t n = 0;

	for (; number; number >>= 8)
		bytes[n++] = (uint8_t)number;
	if (n)
		put(writer, tag, bytes, n);
}

static void put_endpoint(struct writer *writer, uint8_t tag, const struct endpoint *endpoint)
{
	uint8_t bytes[18];
	size_t n = addr_bits(&endpoint->addr) / 8;

	if (endpoint->addr.family == ADDR_NONE)
		return;
	memcpy(bytes, endpoint->addr.bytes, n);
	bytes[n] = (uint8_t)endpoint->port;
	bytes[n + 1] = (uint8_t)(endpoint->port >> 8);
	put(writer, tag, bytes, n + 2);
}

static void put_text(
	struct writer *writer, const struct field *field, const struct message_text *text)
{
	if (text->at)
		put(writer, field->tag, text->at,
			text->len < field->most ? text->len : field->most);
}

static void put_fields(struct writer *writer, const struct field *table, size_t n, const void *from)
{
	for (size_t i = 0; i < n; i++) {
		const void *at = (const uint8_t *)from + table[i].at;
		switch ((enum kind)table[i].kind) {
		case NUMBER:
			put_number(writer, table[i].tag, number_at(&table[i], from));
			break;
		case TEXT:
			put_text(writer, &table[i], at);
			break;
		case ENDPOINT:
			put_endpoint(writer, table[i].tag, at);
			break;
		case MAC:
			if (mac_is_set(at))
				put(writer, table[i].tag, at, sizeof(struct mac));
			break;
		}
	}
}

/* false: it has no room, and nothing of it is there. */
static bool put_recipient(struct writer *writer, const struct message_recipient *recipient)
{
	uint8_t bytes[2 * MESSAGE_TEXT_MAX + POLICY_NAME_SIZE + 64];
	struct writer own = {.bytes = bytes, .room = sizeof(bytes)};

	put_fields(&own, recipient_fields, N(recipient_fields), recipient);
	put(writer, RECIPIENT_TAG, bytes, own.len);
	return !writer->full;
}

static struct writer begin(const struct message_record *record, uint8_t *bytes, size_t room)
{
	struct writer writer = {.bytes = bytes, .room = room};

	if (writer.room > MESSAGE_RECORD_BYTES_MAX)
		writer.room = MESSAGE_RECORD_BYTES_MAX;
	/* for how many recipients had none: tag, length, a number of 32 bits */
	if (writer.room < MESSAGE_RECORD_SPARE)
		writer.room = 0;
	else
		writer.room -= MESSAGE_RECORD_SPARE;
	put_fields(&writer, fields, N(fields), record);
	return writer;
}

static size_t end(struct writer *writer, uint32_t left_out)
{
	struct message_record last = {.left_out = left_out};

	writer->full = false;
	writer->room += MESSAGE_RECORD_SPARE;
	put_fields(writer, last_fields, N(last_fields), &last);
	return writer->len;
}

size_t message_record_encode(const struct message_record *record,
	const struct message_recipient *recipients, size_t n, uint8_t *bytes, size_t room)
{
	struct writer writer = begin(record, bytes, room);
	size_t i = 0;

	if (writer.full)
		return 0;
	while (i < n && put_recipient(&writer, &recipients[i]))
		i++;
	size_t left_out = record->left_out + (n - i);
	return end(&writer, left_out < UINT32_MAX ? (uint32_t)left_out : UINT32_MAX);
}

struct reader {
	const uint8_t *at, *end;
};

/* The next field, of one spelling. false: it is none, or goes over the end. */
static bool take(struct reader *reader, uint8_t *tag, struct reader *value)
{
	size_t len = 0;
	unsigned shift = 0;

	if (reader->end - reader->at < 2)
		return false;
	*tag = *reader->at++;
	for (uint8_t byte = 0x80; byte & 0x80; shift += 7) {
		if (reader->at == reader->end || shift > 14)
			return false;
		byte = *reader->at++;
		len |= (size_t)(byte & 0x7f) << shift;
		if (byte == 0 && shift)
			return false;
	}
	if (len > (size_t)(reader->end - reader->at))
		return false;
	*value = (struct reader){reader->at, reader->at + len};
	reader->at += len;
	return true;
}

static bool read_number(const struct field *field, struct reader value, void *to)
{
	size_t n = (size_t)(value.end - value.at);
	uint64_t number = 0;

	if (!n || n > field->size || !value.at[n - 1])
		return false;
	for (size_t i = n; i-- > 0;)
		number = number << 8 | value.at[i];
	uint16_t u16 = (uint16_t)number;
	uint32_t u32 = (uint32_t)number;
	const void *from = field->size == sizeof(u16)   ? (const void *)&u16
			   : field->size == sizeof(u32) ? (const void *)&u32
							: (const void *)&number;
	memcpy((uint8_t *)to + field->at, from, field->size);
	return true;
}

static bool read_endpoint(struct reader value, struct endpoint *endpoint)
{
	size_t n = (size_t)(value.end - value.at);

	if (n != 6 && n != 18)
		return false;
	endpoint->addr.family = n == 6 ? ADDR_IP4 : ADDR_IP6;
	memcpy(endpoint->addr.bytes, value.at, n - 2);
	endpoint->port = (uint16_t)(value.at[n - 2] | value.at[n - 1] << 8);
	return true;
}

static bool read_field(const struct field *field, struct reader value, void *to)
{
	size_t len = (size_t)(value.end - value.at);
	void *at = (uint8_t *)to + field->at;

	switch ((enum kind)field->kind) {
	case NUMBER:
		return read_number(field, value, to);
	case TEXT:
		*(struct message_text *)at = (struct message_text){(const char *)value.at, len};
		return len <= field->most;
	case ENDPOINT:
		return read_endpoint(value, at);
	case MAC:
		if (len != sizeof(struct mac))
			return false;
		memcpy(at, value.at, len);
		return mac_is_set(at);
	}
	return false;
}

/* One of a table's fields; what no field has is of a later version, and passed over. */
static bool read_known(
	const struct field *table, size_t n, uint8_t tag, struct reader value, void *to)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].tag == tag)
			return read_field(&table[i], value, to);
	return true;
}

static bool read_recipient(struct reader bytes, struct message_recipient *recipient)
{
	struct reader value;
	uint8_t tag, last = 0;

	memset(recipient, 0, sizeof(*recipient));
	while (bytes.at < bytes.end) {
		if (!take(&bytes, &tag, &value) || tag <= last ||
			!read_known(recipient_fields, N(recipient_fields), tag, value, recipient))
			return false;
		last = tag;
	}
	return true;
}

static bool read_record(struct reader bytes, struct message_record *record)
{
	struct message_recipient recipient;
	struct reader value;
	uint8_t tag, last = 0;

	for (const uint8_t *begin = bytes.at; bytes.at < bytes.end; begin = bytes.at) {
		if (!take(&bytes, &tag, &value) || tag < last ||
			(tag == last && tag != RECIPIENT_TAG))
			return false;
		last = tag;
		if (tag == RECIPIENT_TAG && !read_recipient(value, &recipient))
			return false;
		if (tag == RECIPIENT_TAG && !record->recipients++)
			record->recipients_at = begin;
		if (tag == RECIPIENT_TAG)
			record->recipients_len = (size_t)(bytes.at - record->recipients_at);
		else if (!read_known(fields, N(fields), tag, value, record) ||
			 !read_known(last_fields, N(last_fields), tag, value, record))
			return false;
	}
	return record->flow && record->number;
}

int message_record_decode(const void *bytes, size_t len, struct message_record *record)
{
	struct reader reader = {bytes, (const uint8_t *)bytes + len};

	memset(record, 0, sizeof(*record));
	return len <= MESSAGE_RECORD_BYTES_MAX && read_record(reader, record) ? 0 : -EBADMSG;
}

bool message_recipient_next(
	const struct message_record *record, size_t *at, struct message_recipient *recipient)
{
	struct reader value, rest;
	uint8_t tag;

	if (*at >= record->recipients_len)
		return false;
	rest.at = record->recipients_at + *at;
	rest.end = record->recipients_at + record->recipients_len;
	if (!take(&rest, &tag, &value) || !read_recipient(value, recipient))
		return false;
	*at = (size_t)(rest.at - record->recipients_at);
	return true;
}

size_t message_record_strip(const struct message_record *record, uint8_t *bytes, size_t room)
{
	const struct message_text none = {0};
	struct message_record stripped = *record;
	struct message_recipient recipient;
	size_t at = 0;
	uint32_t left_out = record->left_out;

	stripped.client = (struct endpoint){0};
	stripped.gateway = (struct endpoint){0}; /* with its port it is who it was */
	stripped.mac = (struct mac){0};
	stripped.session = 0;
	stripped.user = stripped.helo = stripped.sender = stripped.reply = none;
	stripped.sender_sent = stripped.client_sni = none;
	stripped.message_id = stripped.scan = stripped.detail = stripped.client_tls.peer = none;
	struct writer writer = begin(&stripped, bytes, room);
	if (writer.full)
		return 0;
	while (message_recipient_next(record, &at, &recipient)) {
		recipient.address = recipient.reply = none;
		if (!put_recipient(&writer, &recipient))
			left_out++;
	}
	return end(&writer, left_out);
}

const char *message_name_format(uint64_t flow, uint32_t number, char buf[static MESSAGE_NAME_SIZE])
{
	size_t n = strlen(flowid_format(flow, buf));

	snprintf(buf + n, MESSAGE_NAME_SIZE - n, ".%" PRIu32, number);
	return buf;
}

int message_name_parse(const char *text, size_t len, uint64_t *flow, uint32_t *number)
{
	const char *point = memchr(text, '.', len);
	size_t n = point ? (size_t)(point - text) : len;
	uint64_t value = 0;

	if (flowid_parse(text, n, flow) < 0 || !*flow)
		return -EINVAL;
	for (size_t i = n + 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || value > UINT32_MAX / 10)
			return -EINVAL;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (point && (!value || value > UINT32_MAX))
		return -EINVAL;
	*number = (uint32_t)value;
	return 0;
}
