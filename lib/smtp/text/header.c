/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/text/header.h"

#include <string.h>

/* Where in a line the next byte stands. */
enum part {
	PART_FIRST, /* at the begin of the section: no field to go on with */
	PART_START, /* at the begin of another line */
	PART_NAME,
	PART_BLANK, /* behind a name, before its colon: RFC 5322 4.5 */
	PART_VALUE,
};

static bool is_name(const struct smtp_header *header, const char *name)
{
	size_t len = strlen(name);
	return header->name_bytes == len && memcmp(header->name, name, len) == 0;
}

static void end_name(struct smtp_header *header)
{
	header->part = PART_VALUE;
	header->blank = false;
	header->is_id = is_name(header, "message-id") && header->message_id_bytes == 0;
	if (is_name(header, "received") && header->received < UINT32_MAX)
		header->received++;
}

/* RFC 5322 3.6.8: printable ASCII but the colon. */
static void take_name(struct smtp_header *header, unsigned char c)
{
	if (c == ':' && header->name_bytes > 0) {
		end_name(header);
	} else if ((c == ' ' || c == '\t') && header->name_bytes > 0) {
		header->part = PART_BLANK;
	} else if (c <= ' ' || c > '~' || c == ':' || header->part == PART_BLANK) {
		header->over = true;
	} else {
		header->part = PART_NAME;
		if (header->name_bytes < SMTP_HEADER_NAME_MAX)
			header->name[header->name_bytes] =
				(char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		/* a longer name has one byte more, and is none of ours */
		if (header->name_bytes <= SMTP_HEADER_NAME_MAX)
			header->name_bytes++;
	}
}

static void put_id(struct smtp_header *header, unsigned char c)
{
	if (header->message_id_bytes < SMTP_HEADER_ID_MAX)
		header->message_id[header->message_id_bytes++] =
			c >= ' ' && c <= '~' ? (char)c : '?';
}

/* Blanks at both ends are no part of it; between words, with or without a fold, they are one. */
static void take_id(struct smtp_header *header, unsigned char c)
{
	if (c == ' ' || c == '\t') {
		header->blank = true;
		return;
	}
	if (header->blank && header->message_id_bytes > 0)
		put_id(header, ' ');
	header->blank = false;
	put_id(header, c);
}

void smtp_header_byte(struct smtp_header *header, unsigned char c)
{
	if (header->over)
		return;
	if (c >= 0x80)
		header->eight_bit = true;
	switch ((enum part)header->part) {
	case PART_START:
		if (c == ' ' || c == '\t') { /* a fold: the field above goes on */
			header->part = PART_VALUE;
			header->blank = true;
			return;
		}
		header->name_bytes = 0;
		take_name(header, c);
		return;
	case PART_FIRST:
	case PART_NAME:
	case PART_BLANK:
		take_name(header, c);
		return;
	case PART_VALUE:
		if (header->is_id)
			take_id(header, c);
		return;
	}
}

size_t smtp_header_value(struct smtp_header *header, const char *bytes, size_t len)
{
	unsigned char all = 0;
	size_t n = 0;

	if (header->over || header->part != PART_VALUE || header->is_id)
		return 0;
	while (n < len && bytes[n] != '\r' && bytes[n] != '\n' && bytes[n] != '\0')
		all |= (unsigned char)bytes[n++];
	header->eight_bit |= all >= 0x80;
	return n;
}

void smtp_header_line(struct smtp_header *header)
{
	if (header->over)
		return;
	header->over = header->part != PART_VALUE;
	header->part = PART_START;
}
