/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/packet.h"

#include <string.h>

const char *const milter_event_names[] = {
#define NAME(id, letter, name) [MILTER_EVENT_##id] = (name),
	MILTER_EVENT_TABLE(NAME)
#undef NAME
};
_Static_assert(sizeof(milter_event_names) / sizeof(*milter_event_names) == MILTER_EVENTS, "names");

const char milter_event_letters[MILTER_EVENTS] = {
#define LETTER(id, letter, name) [MILTER_EVENT_##id] = (letter),
	MILTER_EVENT_TABLE(LETTER)
#undef LETTER
};

uint32_t milter_bit_unwanted(enum milter_event event)
{
	static const uint32_t bits[MILTER_EVENTS] = {
		[MILTER_EVENT_CONNECT] = 1u << 0,
		[MILTER_EVENT_HELO] = 1u << 1,
		[MILTER_EVENT_MAIL] = 1u << 2,
		[MILTER_EVENT_RCPT] = 1u << 3,
		[MILTER_EVENT_BODY] = 1u << 4,
		[MILTER_EVENT_HEADER] = 1u << 5,
		[MILTER_EVENT_EOH] = 1u << 6,
		[MILTER_EVENT_DATA] = 1u << 9,
	};
	return bits[event];
}

uint32_t milter_bit_unanswered(enum milter_event event)
{
	static const uint32_t bits[MILTER_EVENTS] = {
		[MILTER_EVENT_HEADER] = 1u << 7,
		[MILTER_EVENT_CONNECT] = 1u << 12,
		[MILTER_EVENT_HELO] = 1u << 13,
		[MILTER_EVENT_MAIL] = 1u << 14,
		[MILTER_EVENT_RCPT] = 1u << 15,
		[MILTER_EVENT_DATA] = 1u << 16,
		[MILTER_EVENT_EOH] = 1u << 18,
		[MILTER_EVENT_BODY] = 1u << 19,
	};
	return bits[event];
}

/* ---- written ---- */

void milter_packet_bytes(struct milter_writer *writer, const void *bytes, size_t len)
{
	if (writer->full || len > writer->room - writer->len) {
		writer->full = true;
		return;
	}
	if (len > 0)
		memcpy(writer->bytes + writer->len, bytes, len);
	writer->len += len;
}

void milter_packet_u16(struct milter_writer *writer, uint16_t number)
{
	uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
	milter_packet_bytes(writer, bytes, sizeof(bytes));
}

void milter_packet_u32(struct milter_writer *writer, uint32_t number)
{
	uint8_t bytes[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
		(uint8_t)number};
	milter_packet_bytes(writer, bytes, sizeof(bytes));
}

void milter_packet_text(struct milter_writer *writer, const char *text)
{
	milter_packet_bytes(writer, text, strlen(text) + 1);
}

void milter_packet_begin(struct milter_writer *writer, char letter)
{
	writer->at = writer->len;
	milter_packet_u32(writer, 0);
	milter_packet_bytes(writer, &letter, 1);
}

void milter_packet_end(struct milter_writer *writer)
{
	if (writer->full)
		return;
	struct milter_writer head = {.bytes = writer->bytes + writer->at, .room = 4};
	milter_packet_u32(&head, (uint32_t)(writer->len - writer->at - 4));
}

/* ---- read ---- */

bool milter_read_u32(struct milter_reader *reader, uint32_t *number)
{
	if (reader->end - reader->at < 4)
		return false;
	*number = (uint32_t)reader->at[0] << 24 | (uint32_t)reader->at[1] << 16 |
		  (uint32_t)reader->at[2] << 8 | reader->at[3];
	reader->at += 4;
	return true;
}

const char *milter_read_text(struct milter_reader *reader)
{
	size_t len = (size_t)(reader->end - reader->at);
	const uint8_t *nul = len > 0 ? memchr(reader->at, '\0', len) : NULL;
	if (!nul)
		return NULL;
	const char *text = (const char *)reader->at;
	reader->at = nul + 1;
	return text;
}

bool milter_read_end(const struct milter_reader *reader)
{
	return reader->at == reader->end;
}
