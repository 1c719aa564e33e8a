/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what Postern knows of SMTP: reading replies, watching a dialogue, its own answers. */
#ifndef POSTERN_LIB_SMTP_SMTP_H
#define POSTERN_LIB_SMTP_SMTP_H

#include "lib/record/ending.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMTP_LINE_SIZE        513 /* RFC 5321 4.5.3.1.5: a reply line of 512, and NUL */
#define SMTP_REPLY_BYTES_MAX  8192
#define SMTP_REPLY_TEXT_SIZE  116
#define SMTP_REPLY_WORDS_SIZE 120
#define SMTP_ENHANCED_SIZE    12 /* "5.123.123" */
#define SMTP_ANSWER_LINE_MAX  4096
#define SMTP_ANSWER_LINES_MAX 50
#define SMTP_ANSWER_ROOM      SMTP_LINE_SIZE

/* A server's reply, RFC 5321 4.2. */
enum smtp_reply_status {
	SMTP_REPLY_MORE,      /* not at its end */
	SMTP_REPLY_DONE,      /* whole */
	SMTP_REPLY_MALFORMED, /* not SMTP */
	SMTP_REPLY_TOO_LONG,  /* over SMTP_REPLY_BYTES_MAX */
};

/* What the lines behind the first of an EHLO reply offer. */
enum smtp_offer {
	SMTP_OFFER_XCLIENT = 1 << 0,
	SMTP_OFFER_XFORWARD = 1 << 1,
	SMTP_OFFER_STARTTLS = 1 << 2,
	SMTP_OFFER_AUTH = 1 << 3,
	SMTP_OFFER_SMTPUTF8 = 1 << 4,
	SMTP_OFFER_DSN = 1 << 5,
};

/* One reply while it is read. Needs no room for the reply itself. */
struct smtp_reply {
	uint16_t bytes;                    /* that belong to it, line ends included */
	uint16_t code;                     /* where its lines differ, the greatest */
	uint8_t status;                    /* enum smtp_reply_status */
	uint8_t offers;                    /* enum smtp_offer */
	char enhanced[SMTP_ENHANCED_SIZE]; /* RFC 3463; empty: none */
	char text[SMTP_REPLY_TEXT_SIZE];   /* first line behind its code; printable ASCII */
	/* private */
	uint16_t digits;
	uint8_t at, line, text_len, key_len;
	bool last;
	char key[9];
};

/* How long the enhanced code is that a reply's text begins with and that fits the code; 0: there is
 * none (RFC 3463: class "." subject "." detail, each of the latter one to three digits). */
size_t smtp_reply_enhanced(const char *text, unsigned code);
void smtp_reply_init(struct smtp_reply *reply);
/* Reads up to the end of the reply and no further; *used is how many of these bytes belong to it.
 * A bare LF ends a line as CR LF does. A line is a code of three digits (2xx to 5xx), then '-' or
 * a space or nothing; anything else is malformed at its first wrong byte. After another status
 * than MORE nothing more is used. */
enum smtp_reply_status smtp_reply_feed(
	struct smtp_reply *reply, const void *bytes, size_t len, size_t *used);
/* One whole line of a reply, without its line end: DONE, MORE if it is not the last, MALFORMED. */
enum smtp_reply_status smtp_reply_line(const char *line, size_t len, unsigned *code);
/* "554 5.7.1 Access denied": code and text, for logs and audit. Returns buf. */
const char *smtp_reply_words(
	const struct smtp_reply *reply, char buf[static SMTP_REPLY_WORDS_SIZE]);

/* One line of Postern's own: "421 4.4.1 gw.example.net no mail server reachable [f-7k3q9]" CR LF.
 * enhanced NULL or empty: none. Control characters are left out, what is no UTF-8 becomes '?',
 * and text is cut at a character so that the line has at most 512 bytes. Returns its length. */
size_t smtp_reply_format(char buf[static SMTP_LINE_SIZE], unsigned code, const char *enhanced,
	const char *gateway, const char *text, uint64_t flow);

/* What a flow showed in clear. Goes into the audit record. */
enum smtp_seen {
	SMTP_SEEN_HELO = 1 << 0,
	SMTP_SEEN_EHLO = 1 << 1,
	SMTP_SEEN_STARTTLS = 1 << 2, /* asked for */
	SMTP_SEEN_TLS = 1 << 3,      /* and granted: nothing more is seen */
	SMTP_SEEN_AUTH = 1 << 4,     /* asked for */
	SMTP_SEEN_LOGIN = 1 << 5,    /* and granted */
	SMTP_SEEN_MAIL = 1 << 6,
	SMTP_SEEN_RCPT = 1 << 7,
	SMTP_SEEN_DATA = 1 << 8, /* or BDAT */
	SMTP_SEEN_QUIT = 1 << 9,
};
#define SMTP_SEEN_BITS 10
/* By bit number: "helo", "ehlo", "starttls", "tls", ... */
extern const char *const smtp_seen_names[SMTP_SEEN_BITS];

#define SMTP_MARKS 8

/* Notes what both sides say and never acts. Zeroed is its beginning: before the client's first
 * byte, the server's greeting read by others. All but the first four members is private. */
struct smtp_watch {
	uint32_t messages; /* that the server took: 2xx after the text */
	uint16_t seen;     /* enum smtp_seen */
	uint16_t code;     /* the server's last reply; 0: none */
	uint16_t rcpts;    /* RCPT commands; stays at 65535 */
	/* Commands and replies are numbered, so that a reply finds its command in a pipeline. */
	uint16_t sent, got;
	uint16_t data_at; /* the number of the last DATA */
	uint16_t verbs;   /* which verbs the line can still become */
	uint16_t reply_code;
	uint32_t left;              /* of a BDAT chunk or a TLS record */
	uint16_t marks[SMTP_MARKS]; /* numbers of commands whose replies matter, in order */
	uint16_t kinds;             /* two bits each */
	uint8_t nmarks;
	uint8_t state, at;
	uint8_t reply_at, flags;
};
_Static_assert(sizeof(struct smtp_watch) <= 48, "kept for every flow");

/* The server's last reply to a text, as far as it was seen in clear: its last line, which has the
 * queue's id where a server tells one. */
struct smtp_said {
	uint8_t len;
	char text[SMTP_REPLY_WORDS_SIZE];
};

/* Bytes of the client, before they are sent on, so that a command is seen before its reply; of the
 * server, as they are received. */
void smtp_watch_client(struct smtp_watch *watch, const void *bytes, size_t len);
/* said: where the reply to a text goes that these bytes may hold; NULL: it is not kept. */
void smtp_watch_server(
	struct smtp_watch *watch, const void *bytes, size_t len, struct smtp_said *said);
/* What the server says next may be the reply to a text. */
bool smtp_watch_awaits(const struct smtp_watch *watch);
/* The client's bytes went by unseen (spliced). It finds its way again at the server's next reply.
 */
void smtp_watch_skip(struct smtp_watch *watch, uint64_t len);
/* Inside a message: what the client sends now is bulk. */
bool smtp_watch_in_text(const struct smtp_watch *watch);
/* Nothing will be noted any more, whatever comes: TLS runs. */
bool smtp_watch_blind(const struct smtp_watch *watch);
/* The word for a flow that one side ended, the client first or the server, by FIN or by RST.
 * Called after the greeting was passed on. */
enum ending smtp_watch_ending(const struct smtp_watch *watch, bool client_first, bool reset);

/* The dialogue of verdict `answer`. Zeroed is its beginning: the refusal was sent as the greeting
 * (smtp_reply_format()). */
struct smtp_answer {
	uint16_t line_len; /* bytes of the line so far */
	uint8_t lines;
	uint8_t quit_at; /* how much of QUIT the line began with */
};

/* Reads the client's bytes and writes what is to be said: 221 to QUIT, 503 to any other line.
 * *used of the bytes were read: fewer than len when the room is short of one more reply
 * (SMTP_ANSWER_ROOM); call again with the rest. Returns true when the dialogue is over once out
 * is sent: after QUIT, after too many lines, or in a line too long. */
bool smtp_answer_feed(struct smtp_answer *answer, const void *bytes, size_t len, size_t *used,
	const char *gateway, uint64_t flow, char *out, size_t room, size_t *out_len);

#endif
