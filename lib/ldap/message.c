/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ldap/message.h"

#include "lib/ldap/filter.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum {
	VERSION = 3,
	BIND = 0x60,
	UNBIND = 0x42,
	SEARCH = 0x63,
	EXTENDED = 0x77,
	BIND_SIMPLE = 0x80,
	EXTENDED_NAME = 0x80,
	SCOPE_BASE = 0,
	SCOPE_SUBTREE = 2,
	ALIASES_NEVER = 0,
	ENTRIES_MAX = 2,
};

static const char start_tls[] = "1.3.6.1.4.1.1466.20037"; /* RFC 4511, 4.14.1 */
static const char no_attributes[] = "1.1";                /* RFC 4511, 4.5.1.8 */

static void read_result(struct ber_reader *reader, struct ldap_message *message)
{
	message->result = ber_get_integer(reader, BER_ENUMERATED);
	ber_get(reader, BER_OCTETS); /* how much of a DN was found */
	message->text = ber_get(reader, BER_OCTETS);
	/* referrals, SASL's bytes and names behind it say nothing that is used */
	while (ber_peek(reader))
		ber_skip(reader);
}

static void read_entry(struct ber_reader *reader, struct ldap_message *message)
{
	message->dn = ber_get(reader, BER_OCTETS);
	message->list = ber_enter(reader, BER_SEQUENCE);

	/* the whole list is looked at first: an entry whose end is nonsense is no entry */
	struct ldap_message ahead = *message;
	struct ber_slice name, value;
	struct ber_reader values;
	while (ldap_next_attribute(&ahead, &name, &values)) {
		while (ldap_next_value(&values, &value))
			;
		reader->bad |= values.bad;
	}
	reader->bad |= ahead.list.bad || ber_peek(reader);
}

static void skip_reference(struct ber_reader *reader)
{
	while (ber_peek(reader))
		ber_get(reader, BER_OCTETS);
}

int ldap_read(const uint8_t *bytes, size_t len, struct ldap_message *message)
{
	struct ber_reader outer = {.bytes = bytes, .len = len};
	struct ber_reader reader = ber_enter(&outer, BER_SEQUENCE);

	*message = (struct ldap_message){.id = ber_get_integer(&reader, BER_INTEGER)};
	message->kind = (enum ldap_kind)ber_peek(&reader);
	struct ber_reader inside = ber_enter(&reader, (uint8_t)message->kind);
	switch (message->kind) {
	case LDAP_BOUND:
	case LDAP_SEARCHED:
	case LDAP_EXTENDED:
		read_result(&inside, message);
		break;
	case LDAP_ENTRY:
		read_entry(&inside, message);
		break;
	case LDAP_REFERENCE:
		skip_reference(&inside);
		break;
	default:
		return -EBADMSG;
	}
	while (ber_peek(&reader)) /* controls, none of which was asked for */
		ber_skip(&reader);
	bool bad = outer.bad || reader.bad || inside.bad || inside.at < inside.len ||
		   outer.at < outer.len || message->id < 0 || message->result < 0;
	return bad ? -EBADMSG : 0;
}

bool ldap_next_attribute(
	struct ldap_message *message, struct ber_slice *name, struct ber_reader *values)
{
	if (!ber_peek(&message->list))
		return false;
	struct ber_reader pair = ber_enter(&message->list, BER_SEQUENCE);
	*name = ber_get(&pair, BER_OCTETS);
	*values = ber_enter(&pair, BER_SET);
	message->list.bad |= pair.bad || pair.at < pair.len;
	return !message->list.bad;
}

bool ldap_next_value(struct ber_reader *values, struct ber_slice *value)
{
	if (!ber_peek(values))
		return false;
	*value = ber_get(values, BER_OCTETS);
	return !values->bad;
}

bool ldap_is_attribute(struct ber_slice name, const char *wanted)
{
	size_t len = strlen(wanted);

	return name.len >= len && strncasecmp((const char *)name.bytes, wanted, len) == 0 &&
	       (name.len == len || name.bytes[len] == ';');
}

static size_t begin(struct ber_writer *writer, int32_t id)
{
	size_t begun = ber_begin(writer, BER_SEQUENCE);
	ber_put_integer(writer, BER_INTEGER, id);
	return begun;
}

void ldap_write_start_tls(struct ber_writer *writer, int32_t id)
{
	size_t message = begin(writer, id);
	size_t request = ber_begin(writer, EXTENDED);
	ber_put_text(writer, EXTENDED_NAME, start_tls);
	ber_end(writer, request);
	ber_end(writer, message);
}

void ldap_write_bind(struct ber_writer *writer, int32_t id, const char *dn, const char *password)
{
	size_t message = begin(writer, id);
	size_t request = ber_begin(writer, BIND);

	if (!password[0])
		writer->full = true;
	ber_put_integer(writer, BER_INTEGER, VERSION);
	ber_put_text(writer, BER_OCTETS, dn);
	ber_put_text(writer, BIND_SIMPLE, password);
	ber_end(writer, request);
	ber_end(writer, message);
}

struct search {
	const char *base, *filter, *user;
	int32_t scope, limit_s;
	const char *const *attributes;
	size_t n;
};

static void write_search(struct ber_writer *writer, int32_t id, const struct search *search)
{
	size_t message = begin(writer, id);
	size_t request = ber_begin(writer, SEARCH);

	ber_put_text(writer, BER_OCTETS, search->base);
	ber_put_integer(writer, BER_ENUMERATED, search->scope);
	ber_put_integer(writer, BER_ENUMERATED, ALIASES_NEVER);
	ber_put_integer(writer, BER_INTEGER, ENTRIES_MAX);
	ber_put_integer(writer, BER_INTEGER, search->limit_s);
	ber_put_boolean(writer, BER_BOOLEAN, false);
	ldap_filter_write(writer, search->filter, search->user);
	size_t list = ber_begin(writer, BER_SEQUENCE);
	for (size_t i = 0; i < search->n; i++)
		ber_put_text(writer, BER_OCTETS, search->attributes[i]);
	if (search->n == 0)
		ber_put_text(writer, BER_OCTETS, no_attributes);
	ber_end(writer, list);
	ber_end(writer, request);
	ber_end(writer, message);
}

void ldap_write_search(struct ber_writer *writer, int32_t id, const char *base, const char *filter,
	const char *user, int32_t limit_s, const char *const *attributes, size_t n)
{
	const struct search search = {base, filter, user, SCOPE_SUBTREE, limit_s, attributes, n};

	write_search(writer, id, &search);
}

void ldap_write_read(struct ber_writer *writer, int32_t id, const char *dn, int32_t limit_s,
	const char *const *attributes, size_t n)
{
	const struct search search = {
		dn, "(objectClass=*)", "", SCOPE_BASE, limit_s, attributes, n};

	write_search(writer, id, &search);
}

void ldap_write_unbind(struct ber_writer *writer, int32_t id)
{
	size_t message = begin(writer, id);
	ber_put(writer, UNBIND, NULL, 0);
	ber_end(writer, message);
}
