/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the protocol of the control sockets: what posternctl and portals say to control.
 *
 * A stream of frames: magic 'P' 'S', u8 version, u8 kind, u32 length (little endian), payload.
 * One connection takes any number of requests, one after the other (a batch).
 *   request: WORDS (n strings, each NUL-terminated: noun, verb, arguments as typed), then
 *            optionally BODY frames (a file's bytes, at most REQUEST_BODY_MAX in all), then GO.
 *   answer:  ROW frames (one JSON object each), TEXT frames (text as it is), EVENT frames (JSON,
 *            monitor), then DONE (u8 exit status 0..3, then an error text, maybe empty).
 * A frame with another version is answered with DONE 1 "posternctl speaks version N ...". */
#ifndef POSTERN_LIB_COMMAND_REQUEST_H
#define POSTERN_LIB_COMMAND_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_VERSION     1
#define REQUEST_HEADER_SIZE 8
#define REQUEST_FRAME_MAX   (1u << 20)
#define REQUEST_BODY_MAX    (64u << 20)
#define REQUEST_WORDS_MAX   4096

enum request_kind {
	REQUEST_WORDS = 1,
	REQUEST_BODY,
	REQUEST_GO,
	REQUEST_ROW = 16,
	REQUEST_TEXT,
	REQUEST_EVENT,
	REQUEST_DONE,
};

/* Header of a frame to send. */
void request_encode_header(
	uint8_t header[static REQUEST_HEADER_SIZE], enum request_kind kind, uint32_t len);

/* Incremental reader: feed bytes as they come, take frames out. */
struct request_reader {
	uint8_t *bytes;
	size_t len, room;
	size_t max; /* of a frame; REQUEST_FRAME_MAX unless set lower */
};

void request_reader_init(struct request_reader *reader);
void request_reader_fini(struct request_reader *reader);
/* Room to read into; NULL: out of memory. */
uint8_t *request_reader_room(struct request_reader *reader, size_t *room);
void request_reader_fed(struct request_reader *reader, size_t len);
/* 1: *kind, *payload (borrowed until request_reader_next()) and *len; 0: more is needed;
 * -EBADMSG: no frame; -EPROTONOSUPPORT: another version; -EMSGSIZE: too long. */
int request_reader_frame(struct request_reader *reader, enum request_kind *kind,
	const uint8_t **payload, size_t *len);
void request_reader_next(struct request_reader *reader); /* done with the frame */

/* UTF-8 without control characters but the tab? */
bool request_is_text(const char *text);
/* Splits WORDS; words point into the payload. Count, or -EBADMSG. Words are UTF-8 without control
 * characters (newline included). */
int request_words(const uint8_t *payload, size_t len, const char *words[], size_t room);

#endif
