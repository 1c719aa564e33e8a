/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/dns/dns.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const dns_status_texts[DNS_STATUSES] = {
	[DNS_GOOD] = "good",
	[DNS_NO_NAME] = "does not exist",
	[DNS_NO_DATA] = "has no such record",
	[DNS_FAILED] = "DNS does not answer",
	[DNS_REFUSED] = "the DNS server refuses to answer",
	[DNS_TROUBLED] = "the DNS server has trouble with it",
	[DNS_MALFORMED] = "DNS answers with nonsense",
};
static_assert(sizeof(dns_status_texts) / sizeof(dns_status_texts[0]) == DNS_STATUSES, "each");

enum {
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	CLASS_IN = 1,
	FLAG_RESPONSE = 0x8000,
	FLAG_TRUNCATED = 0x0200,
	RCODE_MASK = 0x000f,
	RCODE_NO_NAME = 3,
	RCODE_REFUSED = 5,
	POINTER = 0xc0,
	NAME_BYTES_MAX = 255,
	TTL_SIGN = 0x7fffffff, /* RFC 2181, section 8: more is none */
};

/* The one reader: whoever reads too far gets zeroes, and `bad` stays. */
struct reader {
	const uint8_t *bytes;
	size_t len, at;
	bool bad;
};

static uint8_t get_u8(struct reader *reader)
{
	if (reader->at >= reader->len) {
		reader->bad = true;
		return 0;
	}
	return reader->bytes[reader->at++];
}

static uint16_t get_u16(struct reader *reader)
{
	uint16_t high = get_u8(reader);
	return (uint16_t)(high << 8 | get_u8(reader));
}

static uint32_t get_u32(struct reader *reader)
{
	uint32_t high = get_u16(reader);
	return high << 16 | get_u16(reader);
}

static void skip(struct reader *reader, size_t n)
{
	if (n > reader->len - reader->at) {
		reader->bad = true;
		reader->at = reader->len;
		return;
	}
	reader->at += n;
}

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* A name as text, "" the root. A byte that no host name has comes out as '?', so that such a name
 * equals none that is asked for. Each pointer must lead further back than the one before: there is
 * no loop. */
static void get_name(struct reader *reader, char name[static DNS_NAME_SIZE])
{
	struct reader jumped;
	struct reader *from = reader;
	size_t used = 0, lowest = reader->at;

	name[0] = '\0';
	for (;;) {
		uint8_t len = get_u8(from);
		if ((len & POINTER) == POINTER) {
			size_t to = (size_t)(len & ~POINTER) << 8 | get_u8(from);
			if (from->bad || to >= lowest)
				break;
			if (from == reader)
				jumped = *reader;
			from = &jumped;
			from->at = lowest = to;
			continue;
		}
		if (from->bad || len & POINTER || used + len + 1 > NAME_BYTES_MAX - 1)
			break;
		if (len == 0) {
			name[used] = '\0';
			return;
		}
		if (used > 0)
			name[used++] = '.';
		for (unsigned i = 0; i < len; i++) {
			uint8_t c = get_u8(from);
			name[used++] = is_name_byte(c) ? (char)c : '?';
		}
	}
	name[0] = '\0';
	reader->bad = true;
}

bool dns_is_host_name(const char *name)
{
	size_t len = strlen(name), label = 0;
	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > 253 || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!is_name_byte((uint8_t)name[i]) || ++label > 63) {
			return false;
		}
	}
	return label > 0;
}

static size_t name_len(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

bool dns_same_name(const char *a, const char *b)
{
	size_t len = name_len(a);
	return len == name_len(b) && strncasecmp(a, b, len) == 0;
}

const char *dns_reverse_name(const struct addr *addr, char name[static DNS_REVERSE_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = addr->bytes;
	char *at = name;

	if (addr->family == ADDR_IP4) {
		snprintf(name, DNS_REVERSE_SIZE, "%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2],
			bytes[1], bytes[0]);
		return name;
	}
	for (unsigned i = 16; i-- > 0;) {
		*at++ = digits[bytes[i] & 0xf];
		*at++ = '.';
		*at++ = digits[bytes[i] >> 4];
		*at++ = '.';
	}
	memcpy(at, "ip6.arpa", sizeof("ip6.arpa"));
	return name;
}

struct record {
	char owner[DNS_NAME_SIZE];
	uint16_t type, class, len;
	uint32_t ttl;
	size_t data; /* where it stands */
};

/* False: there is none, the message is broken. */
static bool get_record(struct reader *reader, struct record *record)
{
	get_name(reader, record->owner);
	record->type = get_u16(reader);
	record->class = get_u16(reader);
	record->ttl = get_u32(reader);
	if (record->ttl > TTL_SIGN)
		record->ttl = 0;
	record->len = get_u16(reader);
	record->data = reader->at;
	skip(reader, record->len);
	return !reader->bad;
}

static void note_ttl(struct dns_answer *answer, uint32_t ttl)
{
	if (!answer->has_ttl || ttl < answer->ttl_s)
		answer->ttl_s = ttl;
	answer->has_ttl = true;
}

static bool put_address(struct dns_answer *answer, const struct reader *reader,
	const struct record *record, size_t bytes)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *data = reader->bytes + record->data;
	struct addr addr = {.family = bytes == 4 ? ADDR_IP4 : ADDR_IP6};

	if (record->len != bytes)
		return false;
	if (bytes == 16 && memcmp(data, mapped, sizeof(mapped)) == 0) {
		addr.family = ADDR_IP4;
		data += sizeof(mapped);
		bytes = 4;
	}
	memcpy(addr.bytes, data, bytes);
	for (size_t i = 0; i < answer->n; i++)
		if (addr_equal(&answer->addresses[i], &addr))
			return true;
	if (answer->n < DNS_ADDRESSES_MAX)
		answer->addresses[answer->n++] = addr;
	else
		answer->left_off++;
	return true;
}

/* In its place by preference; equals stay in the order of the answer. With all places taken the
 * worst goes. */
static void put_mx(struct dns_answer *answer, const struct dns_mx *mx)
{
	size_t at = answer->n;
	while (at > 0 && answer->mx[at - 1].preference > mx->preference)
		at--;
	if (answer->n == DNS_MX_MAX) {
		answer->left_off++;
		if (at == DNS_MX_MAX)
			return;
		answer->n--;
	}
	memmove(&answer->mx[at + 1], &answer->mx[at], (answer->n - at) * sizeof(answer->mx[0]));
	answer->mx[at] = *mx;
	answer->n++;
}

static bool take_mx(
	struct dns_answer *answer, const struct reader *reader, const struct record *record)
{
	struct reader data = {reader->bytes, record->data + record->len, record->data, false};
	struct dns_mx mx;

	mx.preference = get_u16(&data);
	get_name(&data, mx.name);
	if (data.bad || data.at != data.len)
		return false;
	if (mx.name[0] && !dns_is_host_name(mx.name))
		answer->unfit++;
	else
		put_mx(answer, &mx);
	return true;
}

static void to_lower(char *name)
{
	for (; *name; name++)
		*name = (char)tolower((unsigned char)*name);
}

/* An address in the place of a name would pass for what only an address may. */
static bool ends_in_number(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;

	return last[strspn(last, "0123456789")] == '\0';
}

/* In its place; with all places taken the last goes. */
static void put_ptr(struct dns_answer *answer, const char name[static DNS_NAME_SIZE])
{
	size_t at = 0;
	while (at < answer->n && strcmp(answer->ptr[at], name) < 0)
		at++;
	if (at < answer->n && strcmp(answer->ptr[at], name) == 0)
		return;
	if (answer->n == DNS_PTR_MAX) {
		answer->left_off++;
		if (at == DNS_PTR_MAX)
			return;
		answer->n--;
	}
	memmove(answer->ptr[at + 1], answer->ptr[at], (answer->n - at) * sizeof(answer->ptr[0]));
	memcpy(answer->ptr[at], name, DNS_NAME_SIZE);
	answer->n++;
}

static bool take_ptr(
	struct dns_answer *answer, const struct reader *reader, const struct record *record)
{
	struct reader data = {reader->bytes, record->data + record->len, record->data, false};
	char name[DNS_NAME_SIZE] = "";

	get_name(&data, name);
	if (data.bad || data.at != data.len)
		return false;
	to_lower(name);
	if (!dns_is_host_name(name) || ends_in_number(name))
		answer->unfit++;
	else
		put_ptr(answer, name);
	return true;
}

/* Follows the aliases from name; each may stand anywhere in the answer. False: they lead nowhere
 * or in a circle. */
static bool follow_aliases(const struct reader *answers, unsigned count,
	char name[static DNS_NAME_SIZE], struct dns_answer *answer)
{
	for (unsigned followed = 0; followed <= DNS_ALIASES_MAX; followed++) {
		struct reader reader = *answers;
		struct record record;
		bool found = false;
		for (unsigned i = 0; i < count && !found && get_record(&reader, &record); i++)
			found = record.type == TYPE_CNAME && record.class == CLASS_IN &&
				dns_same_name(record.owner, name);
		if (!found)
			return true;
		struct reader data = {answers->bytes, record.data + record.len, record.data, false};
		get_name(&data, name);
		if (data.bad || !name[0])
			return false;
		note_ttl(answer, record.ttl);
	}
	return false;
}

static bool take_record(struct dns_answer *answer, const struct reader *reader,
	const struct record *record, enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return put_address(answer, reader, record, 4);
	case DNS_AAAA:
		return put_address(answer, reader, record, 16);
	case DNS_MX:
		return take_mx(answer, reader, record);
	case DNS_PTR:
		return take_ptr(answer, reader, record);
	}
	return false;
}

/* RFC 2308, section 5: the lesser of the SOA's TTL and its last field. */
static void read_negative_ttl(struct reader *reader, unsigned count, struct dns_answer *answer)
{
	struct record record;
	answer->has_ttl = false;
	for (unsigned i = 0; i < count && get_record(reader, &record); i++) {
		if (record.type != TYPE_SOA || record.class != CLASS_IN || record.len < 22)
			continue;
		struct reader data = {reader->bytes, record.data + record.len,
			record.data + record.len - 4, false};
		note_ttl(answer, record.ttl);
		note_ttl(answer, get_u32(&data));
	}
}

/* The question must be ours. */
static bool read_question(
	struct reader *reader, unsigned count, const char *name, enum dns_type type)
{
	char asked[DNS_NAME_SIZE];
	if (count != 1)
		return false;
	get_name(reader, asked);
	uint16_t asked_type = get_u16(reader), class = get_u16(reader);
	return !reader->bad && dns_same_name(asked, name) && asked_type == type &&
	       class == CLASS_IN;
}

static enum dns_status read_answers(struct reader *reader, unsigned count, unsigned authorities,
	const char *asked, enum dns_type type, struct dns_answer *answer)
{
	char name[DNS_NAME_SIZE];
	struct record record;
	size_t len = strlen(asked);

	if (len >= sizeof(name))
		return DNS_MALFORMED;
	memcpy(name, asked, len + 1);
	if (!follow_aliases(reader, count, name, answer))
		return DNS_MALFORMED;
	for (unsigned i = 0; i < count; i++) {
		if (!get_record(reader, &record))
			return DNS_MALFORMED;
		if (record.type != type || record.class != CLASS_IN ||
			!dns_same_name(record.owner, name))
			continue;
		note_ttl(answer, record.ttl);
		if (!take_record(answer, reader, &record, type))
			return DNS_MALFORMED;
	}
	if (answer->n > 0)
		return DNS_GOOD;
	read_negative_ttl(reader, authorities, answer);
	return DNS_NO_DATA;
}

void dns_read(const uint8_t *bytes, size_t len, const char *name, enum dns_type type,
	struct dns_answer *answer)
{
	struct reader reader = {bytes, len, 0, false};
	unsigned flags, rcode, questions, answers, authorities;

	memset(answer, 0, sizeof(*answer));
	get_u16(&reader); /* the id was compared by whoever asked */
	flags = get_u16(&reader);
	questions = get_u16(&reader);
	answers = get_u16(&reader);
	authorities = get_u16(&reader);
	get_u16(&reader);
	rcode = flags & RCODE_MASK;
	if (!(flags & FLAG_RESPONSE) || flags & FLAG_TRUNCATED ||
		!read_question(&reader, questions, name, type))
		answer->status = DNS_MALFORMED;
	else if (rcode != 0 && rcode != RCODE_NO_NAME)
		answer->status = rcode == RCODE_REFUSED ? DNS_REFUSED : DNS_TROUBLED;
	else
		answer->status = read_answers(&reader, answers, authorities, name, type, answer);
	/* of an alias that leads to no name, the alias's own records say nothing */
	if (rcode == RCODE_NO_NAME && answer->status != DNS_MALFORMED)
		answer->status = DNS_NO_NAME;
	if (answer->status != DNS_GOOD)
		answer->n = 0;
}
