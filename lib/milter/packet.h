/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the packets of the milter protocol, version 6: a length of four bytes, one letter, and what
 * belongs to it. Every byte that is read may be an enemy's. */
#ifndef POSTERN_LIB_MILTER_PACKET_H
#define POSTERN_LIB_MILTER_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MILTER_VERSION       6
#define MILTER_VERSION_LEAST 2
#define MILTER_HEAD_BYTES    5     /* length and letter */
#define MILTER_DATA_MAX      65535 /* behind the letter: what libmilter reads of us, and */
#define MILTER_FILTER_MAX    65536 /* what is read of a filter */

/* X(identifier, letter, name): what the gateway says. */
#define MILTER_EVENT_TABLE(X)        \
	X(OPTIONS, 'O', "options")   \
	X(CONNECT, 'C', "connect")   \
	X(HELO, 'H', "helo")         \
	X(MAIL, 'M', "mail")         \
	X(RCPT, 'R', "rcpt")         \
	X(DATA, 'T', "data")         \
	X(HEADER, 'L', "header")     \
	X(EOH, 'N', "end of header") \
	X(BODY, 'B', "body")         \
	X(END, 'E', "end")

enum milter_event {
#define MILTER_EVENT_ENUM(id, letter, name) MILTER_EVENT_##id,
	MILTER_EVENT_TABLE(MILTER_EVENT_ENUM)
#undef MILTER_EVENT_ENUM
};
#define MILTER_EVENTS (MILTER_EVENT_END + 1)
extern const char *const milter_event_names[MILTER_EVENTS];
extern const char milter_event_letters[MILTER_EVENTS];

/* Of the three that want no answer. */
#define MILTER_LETTER_MACROS 'D'
#define MILTER_LETTER_ABORT  'A'
#define MILTER_LETTER_QUIT   'Q'

/* What a filter may do, in its options. */
enum milter_action {
	MILTER_ACTION_ADD = 1 << 0,
	MILTER_ACTION_BODY = 1 << 1,
	MILTER_ACTION_ADD_RCPT = 1 << 2,
	MILTER_ACTION_DELETE_RCPT = 1 << 3,
	MILTER_ACTION_CHANGE = 1 << 4,
	MILTER_ACTION_QUARANTINE = 1 << 5,
	MILTER_ACTION_SENDER = 1 << 6,
	MILTER_ACTION_ADD_RCPT_PARAMETERS = 1 << 7,
	MILTER_ACTION_MACROS = 1 << 8,
};
/* All: libmilter leaves when one that it wants is not offered. What cannot be done is refused when
 * it is used. */
#define MILTER_ACTIONS_OFFERED 0x1ffu

/* What a filter need not hear, what it does not answer, and two more. */
#define MILTER_PROTOCOL_SKIP     (1u << 10)
#define MILTER_PROTOCOL_LEADSPC  (1u << 20) /* values keep the space behind the colon */
#define MILTER_PROTOCOL_REJECTED (1u << 11) /* recipients that others refused: not told here */
#define MILTER_PROTOCOLS_OFFERED (0x1fffffu & ~MILTER_PROTOCOL_REJECTED)
/* The bit that says so of an event; 0: there is none. */
uint32_t milter_bit_unwanted(enum milter_event event);
uint32_t milter_bit_unanswered(enum milter_event event);

/* Packets that are written, one behind the other. Begins with `bytes` and `room` set. */
struct milter_writer {
	uint8_t *bytes;
	size_t room, len;
	bool full; /* something did not fit: what is there is not to be sent */
	size_t at; /* where the packet in hand began */
};

void milter_packet_begin(struct milter_writer *writer, char letter);
void milter_packet_u16(struct milter_writer *writer, uint16_t number);
void milter_packet_u32(struct milter_writer *writer, uint32_t number);
void milter_packet_bytes(struct milter_writer *writer, const void *bytes, size_t len);
/* With its NUL. */
void milter_packet_text(struct milter_writer *writer, const char *text);
void milter_packet_end(struct milter_writer *writer);

/* What stands behind the letter, while it is read: nothing outside of it is. */
struct milter_reader {
	const uint8_t *at, *end;
};
bool milter_read_u32(struct milter_reader *reader, uint32_t *number);
/* A text that its NUL ends; NULL: there is none. */
const char *milter_read_text(struct milter_reader *reader);
bool milter_read_end(const struct milter_reader *reader);

#endif
