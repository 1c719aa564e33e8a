/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/command/request.h"

#include "lib/base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert(REQUEST_FRAME_MAX <= UINT32_MAX - REQUEST_HEADER_SIZE, "a frame's end fits 32 bits");

void request_encode_header(
	uint8_t header[static REQUEST_HEADER_SIZE], enum request_kind kind, uint32_t len)
{
	header[0] = 'P';
	header[1] = 'S';
	header[2] = REQUEST_VERSION;
	header[3] = (uint8_t)kind;
	for (unsigned i = 0; i < 4; i++)
		header[4 + i] = (uint8_t)(len >> 8 * i);
}

void request_reader_init(struct request_reader *reader)
{
	*reader = (struct request_reader){.max = REQUEST_FRAME_MAX};
}

void request_reader_fini(struct request_reader *reader)
{
	free(reader->bytes);
	*reader = (struct request_reader){0};
}

static uint32_t frame_len(const uint8_t *header)
{
	return (uint32_t)header[4] | (uint32_t)header[5] << 8 | (uint32_t)header[6] << 16 |
	       (uint32_t)header[7] << 24;
}

/* How many bytes the buffer must hold for the frame that is being read: a small piece until the
 * header is here, so that a silent or lying peer costs no memory. */
static size_t wanted_room(const struct request_reader *reader)
{
	size_t wanted = reader->len + 4096;
	if (reader->len >= REQUEST_HEADER_SIZE) {
		size_t whole = REQUEST_HEADER_SIZE + frame_len(reader->bytes);
		if (whole <= REQUEST_HEADER_SIZE + reader->max && whole > reader->len)
			wanted = whole < 2 * reader->len ? whole : 2 * reader->len;
	}
	return wanted < 4096 ? 4096 : wanted;
}

uint8_t *request_reader_room(struct request_reader *reader, size_t *room)
{
	size_t wanted = wanted_room(reader);
	if (reader->room - reader->len < 1024 && reader->room < wanted) {
		uint8_t *bytes = realloc(reader->bytes, wanted);
		if (!bytes)
			return NULL;
		reader->bytes = bytes;
		reader->room = wanted;
	}
	if (reader->room == reader->len) {
		uint8_t *bytes = realloc(reader->bytes, reader->room + 4096);
		if (!bytes)
			return NULL;
		reader->bytes = bytes;
		reader->room += 4096;
	}
	*room = reader->room - reader->len;
	return reader->bytes + reader->len;
}

void request_reader_fed(struct request_reader *reader, size_t len)
{
	reader->len += len;
}

int request_reader_frame(struct request_reader *reader, enum request_kind *kind,
	const uint8_t **payload, size_t *len)
{
	static const uint8_t magic[2] = {'P', 'S'};
	size_t seen = reader->len < sizeof(magic) ? reader->len : sizeof(magic);
	if (seen && memcmp(reader->bytes, magic, seen) != 0)
		return -EBADMSG;
	if (reader->len > 2 && reader->bytes[2] != REQUEST_VERSION)
		return -EPROTONOSUPPORT;
	if (reader->len < REQUEST_HEADER_SIZE)
		return 0;
	uint32_t bytes = frame_len(reader->bytes);
	if (bytes > reader->max)
		return -EMSGSIZE;
	if (reader->len - REQUEST_HEADER_SIZE < bytes)
		return 0;
	*kind = (enum request_kind)reader->bytes[3];
	*payload = reader->bytes + REQUEST_HEADER_SIZE;
	*len = bytes;
	return 1;
}

void request_reader_next(struct request_reader *reader)
{
	size_t whole = REQUEST_HEADER_SIZE + frame_len(reader->bytes);
	memmove(reader->bytes, reader->bytes + whole, reader->len - whole);
	reader->len -= whole;
	/* it may have been a password */
	explicit_bzero(reader->bytes + reader->len, whole);
	if (reader->len == 0 && reader->room > 65536) {
		free(reader->bytes);
		reader->bytes = NULL;
		reader->room = 0;
	}
}

bool request_is_text(const char *text)
{
	size_t len = strlen(text);
	while (len) {
		size_t n = *text == '\t' || *text == '\r' ? 1 : text_character(text, len);
		if (!n)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

int request_words(const uint8_t *payload, size_t len, const char *words[], size_t room)
{
	size_t n = 0;
	if (len && payload[len - 1] != '\0')
		return -EBADMSG;
	for (size_t at = 0; at < len; at++) {
		if (n == room)
			return -EBADMSG;
		words[n++] = (const char *)payload + at;
		while (payload[at] != '\0') {
			size_t character = text_character((const char *)payload + at, len - at);
			if (!character)
				return -EBADMSG;
			at += character;
		}
	}
	return (int)n;
}
