/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ldap/ber.h"

#include <errno.h>
#include <string.h>

enum {
	TAG_NUMBER = 0x1f, /* all ones: the tag goes on in the next byte, which LDAP has not */
	LENGTH_LONG = 0x80,
	LENGTH_BYTES = 4, /* of a long length: all that LDAP's 2^31 - 1 needs */
	HEAD_LONG = 2 + LENGTH_BYTES,
};

/* Reads tag and length. Returns how long they are, 0 when more is needed, -EBADMSG. */
static int read_head(const uint8_t *bytes, size_t len, size_t *content)
{
	if (len == 0)
		return 0;
	if (bytes[0] == 0 || (bytes[0] & TAG_NUMBER) == TAG_NUMBER)
		return -EBADMSG;
	if (len == 1)
		return 0;
	if (bytes[1] < LENGTH_LONG) {
		*content = bytes[1];
		return 2;
	}
	size_t n = bytes[1] - (size_t)LENGTH_LONG;
	if (n == 0 || n > LENGTH_BYTES)
		return -EBADMSG;
	if (len < 2 + n)
		return 0;
	*content = 0;
	for (size_t i = 0; i < n; i++)
		*content = *content << 8 | bytes[2 + i];
	return (int)(2 + n);
}

long ber_length(const uint8_t *bytes, size_t len, size_t max)
{
	size_t content;
	int head = read_head(bytes, len, &content);

	if (head <= 0)
		return head;
	if (content > max || (size_t)head > max - content)
		return -EMSGSIZE;
	return (long)((size_t)head + content);
}

uint8_t ber_peek(const struct ber_reader *reader)
{
	return !reader->bad && reader->at < reader->len ? reader->bytes[reader->at] : 0;
}

struct ber_slice ber_get(struct ber_reader *reader, uint8_t tag)
{
	struct ber_slice slice = {.bytes = (const uint8_t *)""};
	size_t left = reader->len - reader->at, content;

	if (ber_peek(reader) != tag || tag == 0) {
		reader->bad = true;
		return slice;
	}
	int head = read_head(reader->bytes + reader->at, left, &content);
	if (head <= 0 || content > left - (size_t)head) {
		reader->bad = true;
		return slice;
	}
	slice.bytes = reader->bytes + reader->at + head;
	slice.len = content;
	reader->at += (size_t)head + content;
	return slice;
}

struct ber_reader ber_enter(struct ber_reader *reader, uint8_t tag)
{
	struct ber_slice slice = ber_get(reader, tag);
	return (struct ber_reader){.bytes = slice.bytes, .len = slice.len, .bad = reader->bad};
}

int32_t ber_get_integer(struct ber_reader *reader, uint8_t tag)
{
	struct ber_slice slice = ber_get(reader, tag);
	uint32_t value = 0;

	if (slice.len == 0 || slice.len > sizeof(value)) {
		reader->bad = true;
		return 0;
	}
	if (slice.bytes[0] & 0x80)
		value = UINT32_MAX; /* two's complement: the sign fills what is not sent */
	for (size_t i = 0; i < slice.len; i++)
		value = value << 8 | slice.bytes[i];
	return (int32_t)value;
}

void ber_skip(struct ber_reader *reader)
{
	ber_get(reader, ber_peek(reader));
}

static uint8_t *reserve(struct ber_writer *writer, size_t len)
{
	if (writer->full || len > writer->size - writer->len) {
		writer->full = true;
		return NULL;
	}
	writer->len += len;
	return writer->bytes + writer->len - len;
}

static void write_head(uint8_t *to, uint8_t tag, size_t content)
{
	to[0] = tag;
	to[1] = LENGTH_LONG | LENGTH_BYTES;
	for (size_t i = 0; i < LENGTH_BYTES; i++)
		to[2 + i] = (uint8_t)(content >> (8 * (LENGTH_BYTES - 1 - i)));
}

/* The length's place is kept in its longest form, which every reader of BER takes: nothing behind
 * it moves when it is known. */
size_t ber_begin(struct ber_writer *writer, uint8_t tag)
{
	size_t begun = writer->len;
	uint8_t *to = reserve(writer, HEAD_LONG);

	if (to)
		to[0] = tag;
	return begun;
}

void ber_end(struct ber_writer *writer, size_t begun)
{
	if (!writer->full)
		write_head(writer->bytes + begun, writer->bytes[begun],
			writer->len - begun - HEAD_LONG);
}

void ber_put(struct ber_writer *writer, uint8_t tag, const void *bytes, size_t len)
{
	size_t head = len < LENGTH_LONG ? 2 : HEAD_LONG;
	uint8_t *to = len < writer->size ? reserve(writer, head + len) : NULL;

	if (!to) {
		writer->full = true;
		return;
	}
	if (len < LENGTH_LONG) {
		to[0] = tag;
		to[1] = (uint8_t)len;
	} else {
		write_head(to, tag, len);
	}
	if (len > 0)
		memcpy(to + head, bytes, len);
}

void ber_put_text(struct ber_writer *writer, uint8_t tag, const char *text)
{
	ber_put(writer, tag, text, strlen(text));
}

void ber_put_integer(struct ber_writer *writer, uint8_t tag, int32_t value)
{
	uint8_t bytes[sizeof(value)];
	size_t first = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)((uint32_t)value >> (8 * (sizeof(bytes) - 1 - i)));
	/* the shortest form whose first bit is still the sign (X.690, 8.3.2) */
	while (first + 1 < sizeof(bytes) && bytes[first] == 0 && !(bytes[first + 1] & 0x80))
		first++;
	ber_put(writer, tag, bytes + first, sizeof(bytes) - first);
}

void ber_put_boolean(struct ber_writer *writer, uint8_t tag, bool value)
{
	const uint8_t byte = value ? 0xff : 0;
	ber_put(writer, tag, &byte, 1);
}
