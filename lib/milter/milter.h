/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one connection to a filter that speaks the milter protocol, from the MTA's side: what it is
 * told of a client's mail and what its answers mean. It is fed by what the client said, by bytes of
 * the filter and by time, and answers by bytes for the filter, by what it waits for and until when,
 * and by verdicts. It holds no pointer: a copy is a snapshot.
 *
 * Theory of operation. The owner gives an input, then acts on milter_out: writes the bytes (one
 * write: what belongs to one event stands together), then closes the connection if it is to be
 * closed, then looks at `answer`. One input is answered before the next one is given, unless the
 * next is milter_abort() or milter_quit(): while `state` is NEGOTIATE or ASKED, the filter's bytes
 * are to be read, and milter_time() is due at deadline_ms.
 *
 *     milter_begin()      its options, to ours                                 once
 *     milter_connect()    who the client is                                    once
 *     milter_helo()       what it calls itself                                 any number of times
 *     milter_mail()       one sender
 *     milter_rcpt()       each recipient; may be refused and others taken
 *     milter_data()
 *     milter_text()       the text as it is stored (CRLF, no stuffing), in spans of any cut
 *     milter_end()        the verdict
 *     milter_abort()      the message is over, in whichever way; also behind milter_end()
 *
 * and so on with the next milter_mail(), on the same connection. NEGOTIATE: nothing but
 * milter_quit() may be said.
 *
 * An answer that settles more than the input in hand (the whole message, the whole connection) is
 * kept, and given again at once to each input that it holds for; nothing more is said to the filter
 * of that. In END the same: the owner needs no case of its own for a filter that let a client's
 * whole connection through, or refused it, or failed. Only a new connection to the filter begins
 * anew.
 *
 * NEGOTIATE the filter: its options. The answer to milter_begin() is GO or FAILED.
 * READY     the owner: an input.
 * ASKED     the filter: its answer to `event`.
 * END       nothing: the connection to the filter is closed. */
#ifndef POSTERN_LIB_MILTER_MILTER_H
#define POSTERN_LIB_MILTER_MILTER_H

#include "lib/base/addr.h"
#include "lib/milter/change.h"
#include "lib/milter/fields.h"
#include "lib/milter/macro.h"
#include "lib/milter/reply.h"
#include "lib/smtp/refusal.h"

#define MILTER_CHANGES_MAX   500   /* of one message; more are a fault */
#define MILTER_CHANGES_BYTES 65536 /* likewise */
#define MILTER_REPLY_MAX     4096  /* of a reply in the filter's own words, or its options */
#define MILTER_FAULT_SIZE    160

/* Room for the bytes of one call: a header field, the header's end, what is held of the body, and
 * the text's end, with the macros of two. */
#define MILTER_ROOM                                                            \
	(4 * MILTER_HEAD_BYTES + MILTER_DATA_MAX + MILTER_FIELD_NAME_MAX + 4 + \
		2 * MILTER_MACRO_ROOM)

enum milter_state {
	MILTER_NEGOTIATE,
	MILTER_READY,
	MILTER_ASKED,
	MILTER_END,
};
#define MILTER_STATES (MILTER_END + 1)
extern const char *const milter_state_names[MILTER_STATES];

enum milter_answer {
	MILTER_ANSWER_NONE,    /* it is awaited */
	MILTER_ANSWER_GO,      /* to the end: the message may go */
	MILTER_ANSWER_REFUSED, /* milter_out.refusal is the reply, whatever is done on failure */
	MILTER_ANSWER_FAILED,  /* the filter could not be had, or is none: milter.fault */
};

/* X(identifier, name, what it means): why it was refused, or failed. */
#define MILTER_WHY_TABLE(X)                                                             \
	X(NONE, "none", "")                                                             \
	/* refused */                                                                   \
	X(FILTER, "filter", "the filter said no")                                       \
	X(DISCARD, "discard", "the filter wanted it thrown away behind a yes")          \
	X(QUARANTINE, "quarantine", "the filter wanted it kept aside")                  \
	X(CHANGE, "change", "the filter wanted its body, sender or recipients changed") \
	X(BAD_REPLY, "bad-reply", "the filter said no in words that are no SMTP reply") \
	X(UNSCANNABLE, "unscannable", "it has what no filter can be told of")           \
	/* failed */                                                                    \
	X(CLOSED, "closed", "the filter closed")                                        \
	X(LATE, "late", "the filter did not answer in time")                            \
	X(NO_MILTER, "no-milter", "what answers there does not speak milter")           \
	X(PROTOCOL, "protocol", "the filter broke the protocol")                        \
	X(TOO_MUCH, "too-much", "the filter changes more than is kept")

enum milter_why {
#define MILTER_WHY_ENUM(id, name, meaning) MILTER_WHY_##id,
	MILTER_WHY_TABLE(MILTER_WHY_ENUM)
#undef MILTER_WHY_ENUM
};
#define MILTER_WHYS (MILTER_WHY_TOO_MUCH + 1)
extern const char *const milter_why_names[MILTER_WHYS];

struct milter_setup {
	uint32_t command_ms;    /* for each answer but the last: 30 s */
	uint32_t scan_ms;       /* for the answer to the end, however often it says "progress" */
	bool changes;           /* header changes are kept (`whole`); else counted and dropped */
	bool quarantine_reject; /* quarantine: 550, else 451 */
};

struct milter_out {
	/* the owner's */
	uint8_t *bytes;
	size_t room;                        /* MILTER_ROOM at least */
	const struct milter_macros *macros; /* as they are known now; borrowed for the call */
	/* the filter's connection */
	size_t len;
	bool close; /* the connection to the filter, behind these bytes */
	/* the verdict */
	uint8_t answer;    /* enum milter_answer: to the input in hand */
	uint8_t why;       /* enum milter_why */
	bool close_client; /* the client's connection, too, with this reply: it is a 421 */
	struct smtp_refusal refusal; /* of REFUSED; points into the milter, until its next input */
};

struct milter {
	/* to be read by the owner */
	uint64_t deadline_ms; /* milter_time() is due; UINT64_MAX: nothing is awaited */
	uint8_t state;        /* enum milter_state */
	uint8_t event;        /* enum milter_event: told last */
	uint16_t changed;     /* header changes of this message, behind its end: milter_change() */
	uint32_t dropped;     /* header changes of this message that were not kept */
	uint32_t version, actions, protocol; /* as the filter answered */
	char fault[MILTER_FAULT_SIZE];       /* printable: why it failed, or why a reply was bad */
	/* private */
	struct milter_setup setup;
	uint64_t event_ms; /* when the event in hand was told */
	uint32_t macros[MILTER_EVENTS];
	uint16_t skip;   /* events (bits) that it wants no more of in this message */
	uint8_t due;     /* what of a text is to be told before anything else */
	uint8_t settled; /* what the answer holds for */
	uint8_t answer, why;
	bool close_client : 1;
	bool in_mail : 1; /* the filter heard of a message that is not over */
	bool in_body : 1; /* the header is over */
	bool keeps : 1;   /* the field in hand is kept */
	bool quarantine : 1;
	bool unsupported : 1;
	uint16_t code; /* of the refusal */
	char enhanced[SMTP_ENHANCED_SIZE];
	char words[MILTER_WORDS_SIZE];
	/* the filter's packet in hand */
	uint8_t head[MILTER_HEAD_BYTES];
	uint8_t head_len;
	bool stored;   /* what is behind its letter is kept, behind the changes */
	uint32_t size; /* of that */
	uint32_t got;
	struct milter_fields fields;
	uint32_t kept; /* bytes of changes */
	uint32_t held; /* of a field: up to the text's end there are no changes */
	uint8_t bytes[MILTER_CHANGES_BYTES + MILTER_HEAD_BYTES + MILTER_REPLY_MAX];
};
_Static_assert(sizeof(struct milter) <= 73728, "72 KiB, of which most is only touched in need");

/* Each gives all of out but the owner's part anew. */

void milter_begin(struct milter *milter, const struct milter_setup *setup, uint64_t now_ms,
	struct milter_out *out);
/* name: of the client's host, or its address in brackets. Family ADDR_NONE: it has no address. */
void milter_connect(struct milter *milter, const char *name, const struct endpoint *client,
	uint64_t now_ms, struct milter_out *out);
void milter_helo(struct milter *milter, const char *name, uint64_t now_ms, struct milter_out *out);
/* address: without brackets, "": the null sender. parameters: of ESMTP, each "NAME=VALUE", then
 * NULL; or NULL. */
void milter_mail(struct milter *milter, const char *address, const char *const *parameters,
	uint64_t now_ms, struct milter_out *out);
void milter_rcpt(struct milter *milter, const char *address, const char *const *parameters,
	uint64_t now_ms, struct milter_out *out);
void milter_data(struct milter *milter, uint64_t now_ms, struct milter_out *out);
/* Returns how many bytes were taken. The rest is given again once the bytes are written (answer GO)
 * or the filter has answered (GO then). Nothing is held back but a header field. */
size_t milter_text(struct milter *milter, const void *bytes, size_t len, uint64_t now_ms,
	struct milter_out *out);
/* Will more of the text be told, or is all that follows only counted? */
bool milter_wants_text(const struct milter *milter);
void milter_end(struct milter *milter, uint64_t now_ms, struct milter_out *out);
/* In any state but NEGOTIATE; without a message it does nothing. An answer that is still awaited
 * leaves the protocol out of step: the connection is closed then. */
void milter_abort(struct milter *milter, struct milter_out *out);
void milter_quit(struct milter *milter, struct milter_out *out);

/* Bytes of the filter, all that were read. In READY none may come: that is a fault. */
void milter_filter(struct milter *milter, const void *bytes, size_t len, uint64_t now_ms,
	struct milter_out *out);
/* It closed, or was lost; words: how, as errno has it, or NULL. */
void milter_closed(struct milter *milter, const char *words, struct milter_out *out);
/* Due at deadline_ms; earlier it does nothing. */
void milter_time(struct milter *milter, uint64_t now_ms, struct milter_out *out);

/* The changes of a message, in order, behind the GO to its end, until the next milter_mail(),
 * _abort() or _quit(). *at begins as 0. False: there is none left. */
bool milter_change(const struct milter *milter, size_t *at, struct milter_change *change);

#endif
