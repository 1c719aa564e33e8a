/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the record of a finished message: what is kept of one SMTP transaction, and its bytes on the
 * way to control and on its disk.
 *
 * The bytes are fields: a tag, a length, what it says. A tag that is not known is passed over, a
 * field that is not there is nothing; so records outlive the version that wrote them. Tags and the
 * numbers of enums are never given a second meaning. Most of the texts are a stranger's words:
 * bytes with a length, of which nothing is known but that they are within their bounds. */
#ifndef POSTERN_LIB_RECORD_MESSAGE_RECORD_H
#define POSTERN_LIB_RECORD_MESSAGE_RECORD_H

#include "lib/base/addr.h"
#include "lib/record/flowid.h"
#include "lib/record/message_ending.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message's whole record; what has no room is cut, and what recipients have no room is counted.
 */
#define MESSAGE_RECORD_BYTES_MAX (256u << 10)
#define MESSAGE_TEXT_MAX         512 /* of one text; name, user and queue id have less */

/* Borrowed. at NULL: there is none; at with len 0 is one that is empty, as the sender <>. */
struct message_text {
	const char *at;
	size_t len;
};

/* Whether mail comes in or goes out: by whose the recipient's domain is, wherever it comes from. */
enum message_direction {
	MESSAGE_DIRECTION_NONE, /* it was refused before that was asked */
	MESSAGE_DIRECTION_OUTGOING,
	MESSAGE_DIRECTION_INCOMING,
};
#define MESSAGE_DIRECTIONS 3
const char *message_direction_name(unsigned direction); /* NULL: none, or a later version's */

struct message_recipient {
	struct message_text address;
	struct message_text rule;  /* that decided; none: no rule did */
	struct message_text reply; /* what the client heard */
	uint16_t by;               /* enum message_by */
	uint16_t verdict;          /* enum policy_verdict */
	uint16_t direction;        /* enum message_direction */
};

/* One side of it in TLS. */
struct message_tls {
	struct message_text version; /* "TLSv1.3"; none: in clear */
	struct message_text cipher;
	struct message_text peer;  /* whom its certificate names */
	struct message_text check; /* what came of looking at it: "verified", "expired", ... */
};

enum message_source {
	MESSAGE_SOURCE_NONE, /* without a user: transfer */
	MESSAGE_SOURCE_SESSION,
	MESSAGE_SOURCE_DEVICE,
	MESSAGE_SOURCE_AUTH,
};
#define MESSAGE_SOURCES 4
const char *message_source_name(unsigned source); /* "?" for a number that is none */

struct message_record {
	uint64_t flow;
	uint32_t number; /* in its flow, from 1 */
	uint16_t ending; /* enum message_ending; or a later version's */
	uint16_t source; /* enum message_source: of the user */
	uint64_t session;
	uint64_t start_ms, end_ms; /* wall clock: MAIL, and the end */
	uint64_t size_bytes;       /* of the text, as the server got it */
	uint32_t unrecorded;       /* 1: the rule says audit off */
	uint32_t left_out;         /* recipients that had no room here */
	struct endpoint client;
	struct endpoint host;    /* family ADDR_NONE: none */
	struct endpoint gateway; /* our end towards host */
	struct mac mac;
	struct message_text user, zone, listener;
	struct message_text helo;        /* as the client called itself */
	struct message_text sender;      /* of MAIL, without the brackets */
	struct message_text sender_sent; /* what the server was told instead; none: the same */
	struct message_text server;      /* its name in the policy */
	struct message_text reply;       /* the server's last */
	struct message_text queue_id;
	struct message_text message_id; /* without the brackets */
	struct message_text scan;       /* which scan, and what it said */
	struct message_text detail;     /* why, in words */
	struct message_tls client_tls, server_tls;
	struct message_text client_sni; /* the host that the client asked for in its handshake */
	/* Of a decoded record: its recipients, for message_recipient_next(). */
	uint32_t recipients; /* how many are here */
	const uint8_t *recipients_at;
	size_t recipients_len;
};

/* Writes a record with n recipients (record->recipients is not looked at; left_out is added to).
 * Texts over their bound are cut. Returns how many bytes; 0: not even the record without
 * recipients has room. */
size_t message_record_encode(const struct message_record *record,
	const struct message_recipient *recipients, size_t n, uint8_t *bytes, size_t room);
/* 0, and every text points into the bytes; or -EBADMSG. */
int message_record_decode(const void *bytes, size_t len, struct message_record *record);
/* *at begins as 0. false: there are no more. */
bool message_recipient_next(
	const struct message_record *record, size_t *at, struct message_recipient *recipient);

/* Takes out what says who it was (`names none`): user, MAC, addresses, sender, recipients, and all
 * words that may name one of them. Of recipients the decisions stay. Decoded again it is still a
 * record. room: what it took before, and MESSAGE_RECORD_SPARE. Returns how many bytes; 0: no room.
 */
#define MESSAGE_RECORD_SPARE 8
size_t message_record_strip(const struct message_record *record, uint8_t *bytes, size_t room);

#define MESSAGE_NAME_SIZE (FLOWID_TEXT_SIZE + 11) /* "f-7k3q9.2" */
/* How a message is called. Returns buf. */
const char *message_name_format(uint64_t flow, uint32_t number, char buf[static MESSAGE_NAME_SIZE]);
/* Forgiving as flowid_parse(); without ".N" number is 0: all of the flow. 0, or -EINVAL. */
int message_name_parse(const char *text, size_t len, uint64_t *flow, uint32_t *number);

#endif
