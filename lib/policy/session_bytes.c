/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/hash.h"
#include "lib/policy/session.h"

#include "lib/base/hash.h"

#include <assert.h>
#include <string.h>

/* One session as bytes, numbers little endian:
 *   u16 length of all, u8 kind, u8 groups, u8 addresses, u8 aside (0 or 1), MAC (6 bytes),
 *   u64 id, started, lease end, active, u32 idle, if aside: u64 until when,
 *   strings zone, user, groups: u8 length, bytes,
 *   addresses: u8 family, u8 length, u8 learned, u64 seen, 4 or 16 bytes,
 *   of a login with a password: u8 mail addresses, then these as strings,
 *   unless all of it is unset, as it is in what versions before wrote: u8 source, u64 hard end,
 *   strings via, nas and interface, which may be empty,
 *   if terms were accepted: their version, a string. */

struct session_storage {
	char text[(2 + SESSION_GROUPS_MAX) * POLICY_USER_SIZE + POLICY_NAME_SIZE +
		  SESSION_NAS_SIZE + POLICY_IFNAME_SIZE + SESSION_TERMS_SIZE +
		  SESSION_MAILS_MAX * SESSION_MAIL_SIZE];
	struct policy_string groups[SESSION_GROUPS_MAX], mails[SESSION_MAILS_MAX];
	struct session_address addresses[SESSION_ADDRESSES_MAX];
};

#define FIXED_BYTES (2 + 4 + 6 + 4 * 8 + 4 + 8)
#define SOURCE_BYTES \
	(1 + 8 + POLICY_NAME_SIZE + SESSION_NAS_SIZE + POLICY_IFNAME_SIZE + SESSION_TERMS_SIZE)
static_assert(FIXED_BYTES + SOURCE_BYTES + (2 + SESSION_GROUPS_MAX) * POLICY_USER_SIZE +
			      SESSION_ADDRESSES_MAX * 27 + 1 +
			      SESSION_MAILS_MAX * SESSION_MAIL_SIZE <=
		      SESSION_ENCODED_MAX,
	"the largest session has room");
static_assert(SESSION_ENCODED_MAX <= UINT16_MAX, "its length has room");

size_t session_storage_size(void)
{
	return sizeof(struct session_storage);
}

struct writer {
	uint8_t *at, *end;
	bool full;
};

static void put_bytes(struct writer *writer, const void *bytes, size_t len)
{
	if ((size_t)(writer->end - writer->at) < len) {
		writer->full = true;
		return;
	}
	if (len)
		memcpy(writer->at, bytes, len);
	writer->at += len;
}

static void put_number(struct writer *writer, uint64_t number, unsigned len)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	put_bytes(writer, bytes, len);
}

static void put_string(struct writer *writer, const struct policy_string *string, size_t size)
{
	if (string->len >= size) {
		writer->full = true;
		return;
	}
	put_number(writer, string->len, 1);
	put_bytes(writer, string->text, string->len);
}

static bool has_source(const struct session *session)
{
	return session->source != SESSION_SOURCE_CLI || session->hard_end_ms || session->via.len ||
	       session->nas.len || *session->ifname || *session->terms;
}

static void put_text(struct writer *writer, const char *text, size_t size)
{
	put_string(writer, &(struct policy_string){text, (uint32_t)strlen(text), 0}, size);
}

static void put_source(struct writer *writer, const struct session *session)
{
	put_number(writer, session->source, 1);
	put_number(writer, session->hard_end_ms, 8);
	put_string(writer, &session->via, POLICY_NAME_SIZE);
	put_string(writer, &session->nas, SESSION_NAS_SIZE);
	put_text(writer, session->ifname, POLICY_IFNAME_SIZE);
	if (*session->terms)
		put_text(writer, session->terms, SESSION_TERMS_SIZE);
}

size_t session_encode(const struct session *session, uint8_t *bytes, size_t room)
{
	struct writer writer = {bytes, bytes + room, false};

	if (session->ngroups > SESSION_GROUPS_MAX || session->naddresses > SESSION_ADDRESSES_MAX ||
		session->nmails > SESSION_MAILS_MAX)
		return 0;
	put_number(&writer, 0, 2); /* the length, when it is known */
	put_number(&writer, session->kind, 1);
	put_number(&writer, session->ngroups, 1);
	put_number(&writer, session->naddresses, 1);
	put_number(&writer, session->aside_until_ms != 0, 1);
	put_bytes(&writer, session->mac.bytes, sizeof(session->mac.bytes));
	put_number(&writer, session->id, 8);
	put_number(&writer, session->started_ms, 8);
	put_number(&writer, session->lease_end_ms, 8);
	put_number(&writer, session->active_ms, 8);
	put_number(&writer, session->idle_s, 4);
	if (session->aside_until_ms)
		put_number(&writer, session->aside_until_ms, 8);
	put_string(&writer, &session->zone, POLICY_USER_SIZE);
	put_string(&writer, &session->user, POLICY_USER_SIZE);
	for (size_t i = 0; i < session->ngroups; i++)
		put_string(&writer, &session->groups[i], POLICY_USER_SIZE);
	for (size_t i = 0; i < session->naddresses; i++) {
		const struct session_address *address = &session->addresses[i];
		put_number(&writer, address->prefix.addr.family, 1);
		put_number(&writer, address->prefix.len, 1);
		put_number(&writer, address->learned, 1);
		put_number(&writer, address->seen_ms, 8);
		put_bytes(
			&writer, address->prefix.addr.bytes, addr_bits(&address->prefix.addr) / 8);
	}
	if (session->kind == SESSION_AUTH)
		put_number(&writer, session->nmails, 1);
	for (size_t i = 0; session->kind == SESSION_AUTH && i < session->nmails; i++)
		put_string(&writer, &session->mails[i], SESSION_MAIL_SIZE);
	if (has_source(session))
		put_source(&writer, session);
	if (writer.full)
		return 0;
	size_t len = (size_t)(writer.at - bytes);
	bytes[0] = (uint8_t)len;
	bytes[1] = (uint8_t)(len >> 8);
	return len;
}

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

/* NULL and bad when there are not as many. */
static const uint8_t *take(struct reader *reader, size_t len)
{
	if (reader->bad || (size_t)(reader->end - reader->at) < len) {
		reader->bad = true;
		return NULL;
	}
	reader->at += len;
	return reader->at - len;
}

static uint64_t take_number(struct reader *reader, unsigned len)
{
	const uint8_t *bytes = take(reader, len);
	uint64_t number = 0;

	for (unsigned i = 0; bytes && i < len; i++)
		number |= (uint64_t)bytes[i] << 8 * i;
	return number;
}

static uint64_t take_at_most(struct reader *reader, uint64_t most)
{
	uint64_t number = take_number(reader, 1);

	if (number > most)
		reader->bad = true;
	return reader->bad ? 0 : number;
}

/* 1 to most bytes without control characters, copied to *text with a NUL. */
static struct policy_string take_string(struct reader *reader, char **text, size_t most)
{
	size_t len = take_at_most(reader, most);
	const uint8_t *bytes = take(reader, len);

	if (!bytes || len == 0)
		reader->bad = true;
	for (size_t i = 0; !reader->bad && i < len; i++)
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			reader->bad = true;
	if (reader->bad)
		return (struct policy_string){"", 0, 0};
	struct policy_string string = {*text, (uint32_t)len, hash_bytes(bytes, len)};
	memcpy(*text, bytes, len);
	(*text)[len] = '\0';
	*text += len + 1;
	return string;
}

static struct policy_string take_optional(struct reader *reader, char **text, size_t most)
{
	if (reader->at == reader->end || *reader->at)
		return take_string(reader, text, most);
	reader->at++;
	return (struct policy_string){"", 0, hash_bytes("", 0)};
}

/* It has one encoding: what is all unset is left out. */
static void take_source(struct reader *reader, struct session *session, char **text)
{
	session->source = (enum session_source)take_at_most(reader, SESSION_SOURCES - 1);
	session->hard_end_ms = take_number(reader, 8);
	session->via = take_optional(reader, text, POLICY_NAME_SIZE - 1);
	session->nas = take_optional(reader, text, SESSION_NAS_SIZE - 1);
	const struct policy_string ifname = take_optional(reader, text, POLICY_IFNAME_SIZE - 1);
	memcpy(session->ifname, ifname.text, ifname.len);
	if (!reader->bad && reader->at != reader->end) {
		const struct policy_string terms =
			take_string(reader, text, SESSION_TERMS_SIZE - 1);
		memcpy(session->terms, terms.text, terms.len);
	}
	if (!has_source(session))
		reader->bad = true;
}

/* Bits behind the length must be zero, as in every prefix. */
static bool is_clean(const struct prefix *prefix)
{
	for (unsigned i = prefix->len; i < addr_bits(&prefix->addr); i++)
		if (prefix->addr.bytes[i / 8] >> (7 - i % 8) & 1)
			return false;
	return true;
}

static void take_address(struct reader *reader, struct session_address *address)
{
	memset(address, 0, sizeof(*address));
	uint64_t family = take_number(reader, 1);
	if (family != ADDR_IP4 && family != ADDR_IP6) {
		reader->bad = true;
		return;
	}
	address->prefix.addr.family = (uint8_t)family;
	unsigned bits = addr_bits(&address->prefix.addr);
	address->prefix.len = (uint8_t)take_at_most(reader, bits);
	address->learned = take_at_most(reader, 1);
	address->seen_ms = take_number(reader, 8);
	const uint8_t *bytes = take(reader, bits / 8);
	if (!bytes)
		return;
	memcpy(address->prefix.addr.bytes, bytes, bits / 8);
	if (!is_clean(&address->prefix))
		reader->bad = true;
}

size_t session_decode(
	const uint8_t *bytes, size_t len, struct session *session, struct session_storage *storage)
{
	struct reader reader = {bytes, bytes + len, false};
	char *text = storage->text;
	size_t size = take_number(&reader, 2);

	if (reader.bad || size > len || size > SESSION_ENCODED_MAX)
		return 0;
	reader.end = bytes + (size < 2 ? 2 : size);
	memset(session, 0, sizeof(*session));
	session->kind = (enum session_kind)take_at_most(&reader, SESSION_AUTH);
	session->ngroups = take_at_most(&reader, SESSION_GROUPS_MAX);
	session->naddresses = take_at_most(&reader, SESSION_ADDRESSES_MAX);
	bool aside = take_at_most(&reader, 1);
	const uint8_t *mac = take(&reader, sizeof(session->mac.bytes));
	if (mac)
		memcpy(session->mac.bytes, mac, sizeof(session->mac.bytes));
	session->id = take_number(&reader, 8);
	session->started_ms = take_number(&reader, 8);
	session->lease_end_ms = take_number(&reader, 8);
	session->active_ms = take_number(&reader, 8);
	session->idle_s = (uint32_t)take_number(&reader, 4);
	if (aside)
		session->aside_until_ms = take_number(&reader, 8);
	session->zone = take_string(&reader, &text, POLICY_NAME_SIZE - 1);
	session->user = take_string(&reader, &text, POLICY_USER_SIZE - 1);
	session->groups = storage->groups;
	for (size_t i = 0; i < session->ngroups; i++)
		storage->groups[i] = take_string(&reader, &text, POLICY_USER_SIZE - 1);
	session->addresses = storage->addresses;
	for (size_t i = 0; i < session->naddresses; i++)
		take_address(&reader, &storage->addresses[i]);
	if (session->kind == SESSION_AUTH)
		session->nmails = take_at_most(&reader, SESSION_MAILS_MAX);
	session->mails = storage->mails;
	for (size_t i = 0; i < session->nmails; i++)
		storage->mails[i] = take_string(&reader, &text, SESSION_MAIL_SIZE - 1);
	session->via = session->nas = (struct policy_string){"", 0, hash_bytes("", 0)};
	if (!reader.bad && reader.at != reader.end)
		take_source(&reader, session, &text);
	/* A session is a device's exactly when its id is, and has no bytes left over. */
	if (reader.bad || reader.at != reader.end || aside != (session->aside_until_ms != 0) ||
		(session->kind == SESSION_DEVICE) != (session->id >> 63))
		return 0;
	return size;
}
