/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one flow at message level: SMTP with the client as its server, with the server as its
 * client, and what of one side's words becomes words to the other. It is fed by bytes, time and
 * verdicts, and answers by bytes, by what it waits for and until when. It holds no pointer: a copy
 * is a snapshot.
 *
 * Theory of operation. The owner gives an input, then acts on engine_out in this order: the bytes
 * for the client, the bytes for the server, what is recorded, the server's connection closed, then
 * `state`. One call does one thing (a line, a reply, a span of a body); while out.more is set there
 * is more to do with what is held, by engine_go(), and the owner calls it when the client's bytes
 * are written: a client that does not read is not served further. Commands to the server are in
 * lock step: none is said before the reply to the one before is whole.
 *
 * Each state waits for one thing, until deadline_ms, and engine_time() then goes on without it:
 *
 * CLIENT_TLS  the owner: a handshake with the client, before the greeting or behind our 220 to its
 *             STARTTLS. engine_client_secured(), or _unfit(). No byte in clear is read or said any
 *             more, and nothing is left of what was said in clear: neither names nor a transaction
 *             nor a server's connection.
 * GREET       the owner: engine_greet(). Bytes of the client are early talk: 554 (421 with a
 *             session), END. No server connection exists.
 * COMMAND     the client: a line. Outside and inside of a transaction (`mail`). All that the client
 *             pipelined stands in the buffer. The server's connection, if there is one, is silent:
 *             whatever it says or does ends it, and with it a transaction that it has a part of.
 * ASK_LOGIN   the owner: engine_challenge() or engine_logged_in(), on what the client said behind
 *             AUTH, or to the last challenge. It was given as it came (engine_out.login), stands
 *             nowhere else, and is overwritten at the next input.
 * RESPONSE    the client: a line, whatever its length, that answers a challenge; or the rest of an
 *             AUTH that is longer than a command.
 * ASK_MAIL    the owner: engine_verdict() on `sender`; nothing was said to anybody.
 * ASK_RCPT    the owner: engine_verdict() on engine_recipient(): a server, or a refusal. The server
 *             has not heard of this recipient.
 * ASK_DATA    the owner: may a text come, and how (enum engine_mode)? From here to its 354 a byte
 *             of the client breaks the rules of pipelining: 554, END.
 * OPEN        the owner: a connection to a host of `server`, as `open` says: any, another than the
 *             last, or the same again. engine_server_opened() or _failed(). Bounded, up to the
 *             reply to MAIL and over all hosts, by the verdict's first_ms; a host that hangs
 *             uses no more of it than engine_server_opened() gave it, so the next one has some.
 *             When the state is no more OPEN, an attempt that still runs is given up.
 * GREETING EHLO STARTTLS XCLIENT AUTH RSET MAIL
 *             the server: its reply. What fails here fails over to the next host: the client
 *             notices nothing but time. No recipient was told yes on this connection.
 * SERVER_TLS  the owner: a handshake with the server. engine_server_secured(), or _unfit(). All
 *             that the server said before is forgotten. What fails from STARTTLS to here opens the
 *             same host once more without TLS where it is only offered, else the next one.
 * IDENTITY    the owner: engine_identity(), the next XCLIENT command for engine.offers.xclient.
 * LOGIN       the owner: engine_login(), the next line of AUTH for engine.offers.login, or
 * _unfit(). SENDER      the owner: engine_sender(), who this server is told the message is from.
 * RCPT        the server: its reply to the one recipient, which is passed on; 421 or a close is the
 *             last that fails over, and only while no recipient was told yes.
 * DATA        the server: 354, or a refusal, which is passed on.
 * TRACE       the owner: engine_trace(), the header of ours or none. Then 354 goes to the client.
 * BODY        the client: its text, which goes to the server as it comes, all but the dot. Whatever
 *             the server says now is wrong; nothing it says is believed to be a yes.
 * ASK_DOT     the owner: engine_verdict() on the whole text. The server has all but the dot.
 * NOOP        the server: its reply to NOOP, before DATA may be said.
 * GIVE        the owner: engine_give(), the text that it kept; then the dot goes.
 * DOT         the server: its reply to the dot, which alone becomes a yes. Nothing ends a flow here
 *             but that reply, the server's close or the time; without a reply the client gets none.
 * DRAIN       the client: the rest of a text that was given up. The server's connection is closed
 *             (or only heard to the end of what it began to say) and stores nothing.
 * LAST        the server: the end of that reply, when the client's dot was there before.
 * END         nothing: the owner writes what is left and closes both.
 *
 * A text that is kept whole goes another way: ASK_DATA, BODY (the 354 is ours), ASK_DOT, maybe
 * NOOP, DATA, TRACE, GIVE, DOT. The server hears of it when its verdict is there, and NOOP each
 * ENGINE_NOOP_MS until then; what it says else, or that it leaves, is told behind the client's dot.
 * From NOOP to GIVE the client waits behind its dot: what the server refuses is the reply to that.
 *
 * From BODY on no other host is tried. 2xx to RCPT and to the dot are only ever made from the
 * server's own 2xx to that command. */
#ifndef POSTERN_LIB_SMTP_ENGINE_ENGINE_H
#define POSTERN_LIB_SMTP_ENGINE_ENGINE_H

#include "lib/record/ending.h"
#include "lib/smtp/command.h"
#include "lib/smtp/offers.h"
#include "lib/smtp/path.h"
#include "lib/smtp/refusal.h"
#include "lib/smtp/smtp.h"
#include "lib/smtp/text/body.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_NAME_SIZE 256 /* of the gateway, and NUL */
#define ENGINE_HELO_SIZE 128 /* of the client's own name; a longer one is refused */

/* RFC 5321 4.5.3.2, and what a gateway has to add. */
#define ENGINE_FIRST_COMMAND_MS 30000
#define ENGINE_COMMAND_MS       300000 /* of the client: a whole line */
#define ENGINE_REPLY_MS         300000 /* of the server to RCPT */
#define ENGINE_DATA_MS          120000
#define ENGINE_STALL_MS         180000 /* no byte of a text could be read, or written */
#define ENGINE_PACE_MS          300000 /* in so long */
#define ENGINE_PACE_BYTES       150000 /*  so many: 500 a second */
#define ENGINE_DRAIN_MS         600000 /* of a text that was given up, in all */
#define ENGINE_DOT_MS           600000
#define ENGINE_TLS_MS           30000  /* the client's handshake */
#define ENGINE_LOGIN_MS         40000  /* the owner's verdict on a login, which holds a no back */
#define ENGINE_OWNER_MS         30000  /* the owner's verdict; on the dot: */
#define ENGINE_SCAN_MS          295000 /* servers close at 300 s */
#define ENGINE_NOOP_MS          60000  /* of a server's silence, and of its reply to NOOP */
#define ENGINE_LAST_MS          15000

#define ENGINE_ERRORS_MAX   10 /* commands that are wrong: 421 */
#define ENGINE_REFUSED_MAX  20 /* recipients refused for good, none taken: 421 */
#define ENGINE_CONTROLS_MAX 3
#define ENGINE_LOGINS_MAX   3  /* refused ones: 421 */
#define ENGINE_RECEIVED_MAX 50 /* headers: a loop */

enum engine_state {
	ENGINE_CLIENT_TLS,
	ENGINE_GREET,
	ENGINE_COMMAND,
	ENGINE_ASK_LOGIN,
	ENGINE_RESPONSE,
	ENGINE_ASK_MAIL,
	ENGINE_ASK_RCPT,
	ENGINE_ASK_DATA,
	ENGINE_OPEN,
	ENGINE_GREETING,
	ENGINE_EHLO,
	ENGINE_STARTTLS,
	ENGINE_SERVER_TLS,
	ENGINE_IDENTITY,
	ENGINE_XCLIENT,
	ENGINE_LOGIN,
	ENGINE_AUTH,
	ENGINE_RSET,
	ENGINE_SENDER,
	ENGINE_MAIL,
	ENGINE_RCPT,
	ENGINE_DATA,
	ENGINE_TRACE,
	ENGINE_BODY,
	ENGINE_ASK_DOT,
	ENGINE_NOOP,
	ENGINE_GIVE,
	ENGINE_DOT,
	ENGINE_DRAIN,
	ENGINE_LAST,
	ENGINE_END,
};
#define ENGINE_STATES (ENGINE_END + 1)
extern const char *const engine_state_names[ENGINE_STATES];

enum engine_waits {
	ENGINE_WAITS_CLIENT,
	ENGINE_WAITS_SERVER,
	ENGINE_WAITS_OWNER,
	ENGINE_WAITS_NOTHING,
};
enum engine_waits engine_waits_of(enum engine_state state);

/* What kind of connection OPEN wants. */
enum engine_open {
	ENGINE_OPEN_FIRST,
	ENGINE_OPEN_NEXT,  /* the host that was had is no good now */
	ENGINE_OPEN_AGAIN, /* a kept connection was stale: the same host once more */
	ENGINE_OPEN_CLEAR, /* its TLS failed, which was only offered: the same host without */
};

/* What a host is to be spoken to in. */
enum engine_tls {
	ENGINE_TLS_NONE,
	ENGINE_TLS_OFFER, /* where it offers STARTTLS */
	ENGINE_TLS_REQUIRE,
	ENGINE_TLS_IMMEDIATE, /* before its greeting */
};

/* What becomes of a text while it comes. */
enum engine_mode {
	ENGINE_MODE_STREAM, /* it goes to the server */
	ENGINE_MODE_SEEN,   /* likewise, and to the owner: engine_out.text */
	ENGINE_MODE_WHOLE,  /* to the owner alone, who gives it back when it has a verdict */
};

/* How a message ended. */
enum engine_outcome {
	ENGINE_OUTCOME_NONE,
	/* the client got its 354 */
	ENGINE_OUTCOME_DELIVERED,   /* the server's 2xx to the dot */
	ENGINE_OUTCOME_REFUSED,     /* the server's 4xx or 5xx to the dot, inside the text, or to
				     * the DATA behind it */
	ENGINE_OUTCOME_REJECTED,    /* ours: size, bytes, loop, verdict on the dot */
	ENGINE_OUTCOME_LEFT,        /* the client left, or was too slow, before its dot */
	ENGINE_OUTCOME_SERVER_LOST, /* the server left, or was too slow, before the dot */
	ENGINE_OUTCOME_UNKNOWN,     /* no reply to the dot came: stored or not */
	ENGINE_OUTCOME_ENDED,       /* engine_end() before the dot */
	/* it did not */
	ENGINE_OUTCOME_NO_RECIPIENT, /* all were refused */
	ENGINE_OUTCOME_ABANDONED,    /* some were taken, no text came */
};
#define ENGINE_OUTCOMES (ENGINE_OUTCOME_ABANDONED + 1)
extern const char *const engine_outcome_names[ENGINE_OUTCOMES];

enum engine_setup_flag {
	ENGINE_SUBMISSION = 1 << 0, /* no brackets around paths are taken, too */
	ENGINE_REPAIR = 1 << 1,     /* newline repair */
	ENGINE_SESSION = 1 << 2,    /* there is a session: early talk hears 421 */
	ENGINE_SMTPUTF8 = 1 << 3,   /* show these to the client */
	ENGINE_DSN = 1 << 4,
	ENGINE_CLIENT_STARTTLS = 1 << 5, /* shown, and taken */
	ENGINE_CLIENT_SECURE = 1 << 6,   /* without TLS there is no mail */
	ENGINE_CLIENT_AT_ONCE = 1 << 7,  /* TLS begins before the greeting */
	ENGINE_CLIENT_LACKS = 1 << 8,    /* there is no certificate: STARTTLS hears 454 */
	ENGINE_LOGINS = 1 << 9,          /* AUTH is taken, inside of TLS, */
	ENGINE_LOGINS_CLEAR = 1 << 10,   /* and outside */
};

struct engine_setup {
	uint64_t flow;
	uint64_t size_max; /* of any text, bytes below 4 GiB; a recipient may have a smaller one */
	uint16_t recipients_max;
	uint16_t flags; /* enum engine_setup_flag */
};

/* On a sender, a recipient, a text's begin (ASK_DATA) or its end (ASK_DOT). */
struct engine_verdict {
	uint32_t ask; /* engine.ask as it was asked: an answer that comes too late is to nothing */
	const struct smtp_refusal *refusal; /* borrowed for the call; NULL: go on */
	/* on a recipient that goes on: */
	uint16_t server;   /* any number: the same number is the same server */
	uint32_t first_ms; /* its deadlines: first, greeting, command */
	uint32_t greeting_ms;
	uint32_t command_ms;
	bool xclient;      /* it has to be told who the client is */
	bool login;        /* the gateway logs in there */
	bool other_sender; /* it is told of another sender than the client's, but of "<>" */
	uint32_t size_max; /* of a text for this recipient, bytes; 0: engine_setup.size_max */
	/* on a text that goes on: */
	enum engine_mode mode;
	uint32_t scan_ms; /* of the verdict on its end; 0, or more than that: ENGINE_SCAN_MS */
};

/* A reply as it is recorded. */
struct engine_reply {
	uint16_t code; /* 0: there was none */
	bool server;   /* the server's own */
	char enhanced[SMTP_ENHANCED_SIZE];
	const char *text; /* behind these; printable; until the next input */
};

/* What a login came to. */
enum engine_login {
	ENGINE_LOGIN_OK,
	ENGINE_LOGIN_REFUSED,
	ENGINE_LOGIN_LATER,        /* it could not be found out, or is not asked now */
	ENGINE_LOGIN_MALFORMED,    /* no response of the mechanism, or none in base64 */
	ENGINE_LOGIN_LONG,         /* more than the owner keeps */
	ENGINE_LOGIN_NO_MECHANISM, /* that is not one of ours */
};

/* What a client said of a login, for the owner to keep until it is whole (ASK_LOGIN). */
enum engine_said {
	ENGINE_SAID_NOTHING,
	ENGINE_SAID_AUTH, /* the mechanism, and as much of a response as is there */
	ENGINE_SAID_MORE, /* more of the response */
};

#define ENGINE_TRACE_MAX       2048
#define ENGINE_LOGINS_TEXT_MAX 256

#define ENGINE_CLIENT_ROOM 2048 /* the least room that each call gets for bytes to the client */
#define ENGINE_SERVER_ROOM 4096 /* and to the server */
#define ENGINE_TEXT_ROOM   4096 /* in BODY, for the text that the owner is to see */

struct engine_out {
	/* the owner's */
	const char
		*gateway; /* its name, shorter than ENGINE_NAME_SIZE; the same for all of a flow */
	char *client, *server;
	size_t client_room, server_room;
	char *text;
	size_t text_room;
	const char *logins; /* mechanisms that EHLO shows, with blanks between; NULL: none */
	/* Must nobody read this line of the server's? Of what is held back the codes alone go on,
	 * to the client, the log and the record. NULL: all may be read. */
	bool (*holds_back)(const void *owner, const char *line);
	const void *owner;
	/* the engine's */
	size_t client_len, server_len;
	size_t text_len;     /* as it is to be stored: lines with CRLF, nothing stuffed, no dot */
	bool more;           /* engine_go() has something to do */
	bool close_server;   /* behind server_len bytes; an unsent byte of before may be dropped */
	bool server_broken;  /* that host said yes inside a text: to be marked */
	uint8_t host_failed; /* enum ending: why a host was given up before the reply to MAIL; */
	/* What a host said that the client hears in other words, or not at all; for the log. */
	struct engine_reply host;
	bool recipient_done; /* the recipient in hand got its last reply: */
	struct engine_reply recipient;
	uint8_t message_done;        /* enum engine_outcome: a record is complete */
	struct engine_reply message; /* to DATA, unless 354, or to the text: the last counts */
	bool text_done;              /* the text is over, with its dot or without: */
	char message_id[SMTP_HEADER_ID_MAX + 1];
	uint8_t said; /* enum engine_said; of a login, until the next input: */
	bool given;   /* AUTH has a response beside the mechanism */
	const char *mechanism, *response;
	size_t mechanism_len, response_len;
};

struct engine {
	/* to be read by the owner */
	uint64_t deadline_ms; /* engine_time() is due; UINT64_MAX in END */
	uint8_t state;        /* enum engine_state */
	uint8_t open;         /* in OPEN: enum engine_open */
	uint8_t ending;       /* in END: enum ending */
	uint32_t ask;         /* which question this is: engine_verdict() says it again */
	bool mail;            /* a transaction is open: `sender` and what follows hold */
	bool client_lost;     /* of a message: its client was gone before the reply */
	bool connected;       /* the owner has a connection to a host of `server` */
	bool named;           /* that host was told who the client is by XCLIENT */
	bool secured;         /* what is said to it is said in TLS */
	bool client_secured;  /* what the client says it says in TLS */
	bool helo;            /* it said HELO, not EHLO */
	uint16_t server;
	uint16_t recipients, accepted; /* of this transaction: said, and told yes by the server */
	uint32_t message;              /* number of this transaction in the flow, from 1 */
	uint32_t delivered;            /* messages of the flow that the server took */
	uint64_t size;                 /* of the text, bytes as they are stored */
	struct smtp_offers offers;     /* of the server that is connected */
	struct smtp_path sender;
	char helo_name[ENGINE_HELO_SIZE]; /* what the client calls itself; empty: not said */
	/* private; in an order that leaves no room between */
	char line[SMTP_LINE_SIZE]; /* of the server's reply; the last one of it stays */
	uint8_t link, errors, controls, refused, logins;
	uint64_t now_ms, flow;
	uint64_t first_ms;          /* when a reply to MAIL is due at the latest */
	uint64_t heard_ms, pace_ms; /* of a text: its last byte; since when pace_bytes count;
				     * before: the server's last word on a recipient */
	union {
		uint64_t host_ms;  /* when a reply to MAIL is due from the host at hand */
		uint64_t drain_ms; /* when draining began */
		uint64_t noop_ms;  /* a text kept whole: when NOOP is due, or its reply */
	};
	uint32_t size_max, text_max; /* of any text, of this one */
	union {
		uint32_t recipient_max; /* of a text for the recipient in hand */
		uint32_t pace_bytes;    /* in BODY */
	};
	uint32_t greeting_ms;
	union {
		uint32_t command_ms;
		uint32_t scan_ms; /* of a text: for its verdict */
	};
	uint32_t reply_bytes;
	uint16_t recipients_max;
	uint16_t reply_lines, reply_code, pass_code, line_len;
	uint16_t flags;
	uint8_t answer;  /* to every further RCPT of this transaction */
	uint8_t why;     /* the reply to a text that is drained */
	uint8_t outcome; /* its record */
	uint8_t wanted;  /* enum ending: the owner ends the flow as soon as may be */
	uint8_t tls;     /* enum engine_tls: of the host that is connected */
	uint8_t failed;  /* what the last host that was tried made of it */
	bool xclient : 1, identity_last : 1, helo_said : 1;
	bool login : 1, login_last : 1, other_sender : 1;
	bool tried : 1;         /* a login was begun */
	bool logged_in : 1;     /* with a password, on this connection; for the owner, too */
	bool spoken : 1;        /* what is in front is of a login: it goes with the next input */
	bool reused : 1;        /* the connection had a transaction before this one */
	bool answered : 1;      /* the line in front is: it goes with the next input */
	bool begun : 1;         /* a command line of the client was read */
	bool asked : 1;         /* and a MAIL among them, whatever became of it */
	bool rest : 1;          /* bytes of the client found no room, and wait at the owner */
	bool client_closed : 1; /* no byte will come from it */
	bool client_gone : 1;   /* and none can be said to it */
	bool blocked : 1;       /* the server does not take what was written */
	bool hears : 1;         /* a connection is only kept to hear a reply that was begun */
	bool noop : 1;          /* the reply to NOOP is due */
	bool held : 1;          /* the owner takes no more of the text */
	uint8_t mode : 2;       /* enum engine_mode: of the text */
	uint8_t given : 2;      /* enum smtp_stuff: of what the owner gave of it */
	struct smtp_mail_parameters parameters;
	union {
		struct smtp_command command;
		struct smtp_body body; /* in BODY and DRAIN: no command is kept then */
	};
};
_Static_assert(sizeof(struct engine) <= 2792, "kept for every flow");

void engine_init(struct engine *engine, const struct engine_setup *setup, uint64_t now_ms);

/* Inputs. Each gives all of out but the owner's part anew. An input that does not fit the state
 * (a verdict in COMMAND, say, because a time-out was faster) changes nothing. */

/* What a recipient hears for whose server no host could be had. */
const struct smtp_refusal *engine_no_server(void);

/* CLIENT_TLS: the handshake is done. */
void engine_client_secured(struct engine *engine, uint64_t now_ms, struct engine_out *out);
/* CLIENT_TLS: it failed, or the client left; not a word can be said. */
void engine_client_unfit(
	struct engine *engine, enum ending why, uint64_t now_ms, struct engine_out *out);
/* GREET: 220; or the refusal, and END. */
void engine_greet(struct engine *engine, const struct smtp_refusal *refusal, uint64_t now_ms,
	struct engine_out *out);
/* ASK_LOGIN: what the client is to be told next, in base64, at most AUTH's 12,288 letters; the room
 * for the client holds it. */
void engine_challenge(struct engine *engine, const char *text, size_t len, uint64_t now_ms,
	struct engine_out *out);
/* ASK_LOGIN: what it came to. flags: what a user has beside the setup's (enum engine_setup_flag).
 */
void engine_logged_in(struct engine *engine, enum engine_login login, unsigned flags,
	uint64_t now_ms, struct engine_out *out);
/* Is what the client says, or said last, perhaps a password? Whoever holds of it wipes it. */
bool engine_hears_passwords(const struct engine *engine);
/* How many bytes of the client the engine can take now; more than SIZE_MAX / 2: as many as there
 * are. 0: it is not to be read. */
size_t engine_client_room(const struct engine *engine);
/* Bytes of the client, all that the owner holds; returns how many were taken. The rest has to be
 * given again once engine_client_room() is not 0: of a text what found no room in out, of commands
 * what found none in the buffer. */
size_t engine_client(struct engine *engine, const void *bytes, size_t len, uint64_t now_ms,
	struct engine_out *out);
/* The client closed its half (gone: or reset, or cannot be written to). */
void engine_client_closed(
	struct engine *engine, bool gone, uint64_t now_ms, struct engine_out *out);
/* Goes on with what is held. */
void engine_go(struct engine *engine, uint64_t now_ms, struct engine_out *out);

void engine_verdict(struct engine *engine, const struct engine_verdict *verdict, uint64_t now_ms,
	struct engine_out *out);
/* The recipient in hand, in ASK_RCPT up to RCPT and in the output with recipient_done. False: there
 * is none, or it was refused for its form. */
bool engine_recipient(const struct engine *engine, struct smtp_path *path);
/* With recipient_done: as the client wrote it, without the brackets; any bytes but controls, until
 * the next input. False: there is none. */
bool engine_recipient_said(const struct engine *engine, const char **text, size_t *len);

/* OPEN: a connection is made, a PROXY header (if any) written. The host at hand may want other TLS
 * than the one before. may_ms: how long it may take to reply to MAIL, of what first_ms left. */
void engine_server_opened(struct engine *engine, enum engine_tls tls, uint32_t may_ms,
	uint64_t now_ms, struct engine_out *out);
/* OPEN: none to this host. another: there are more to try. */
void engine_server_failed(
	struct engine *engine, bool another, uint64_t now_ms, struct engine_out *out);
/* Bytes of the server; returns how many were taken. The rest, behind the end of a reply or for want
 * of room for the client, is given again once `state` was acted on, before anything else. With
 * close_server all were. */
size_t engine_server(struct engine *engine, const void *bytes, size_t len, uint64_t now_ms,
	struct engine_out *out);
/* The server closed, or was lost. */
void engine_server_closed(struct engine *engine, uint64_t now_ms, struct engine_out *out);
/* Bytes for the server wait to be written, or wait no more. */
void engine_server_blocked(struct engine *engine, bool blocked, uint64_t now_ms);
/* BODY: the owner takes no more of the text that it sees, or takes some again. What that takes of
 * the time is none of the client's. */
void engine_text_held(struct engine *engine, bool held, uint64_t now_ms);
/* IDENTITY: one XCLIENT command with its CRLF, at most XCLIENT_LINE_MAX bytes; last: no more
 * follow. len 0: the client cannot be said. */
void engine_identity(struct engine *engine, const char *text, size_t len, bool last,
	uint64_t now_ms, struct engine_out *out);
/* SERVER_TLS: the handshake is done, and whom it showed is good. */
void engine_server_secured(struct engine *engine, uint64_t now_ms, struct engine_out *out);
/* SERVER_TLS, LOGIN: this host is not to be had so; words: why, for the log. */
void engine_server_unfit(
	struct engine *engine, const char *words, uint64_t now_ms, struct engine_out *out);
/* LOGIN: one line of AUTH with its CRLF, at most ENGINE_SERVER_ROOM bytes; last: no more follow.
 * It stands in the bytes for the server and nowhere else: to be wiped there when it is sent. */
void engine_login(struct engine *engine, const char *text, size_t len, bool last, uint64_t now_ms,
	struct engine_out *out);
/* SENDER */
void engine_sender(struct engine *engine, const struct smtp_path *sender, uint64_t now_ms,
	struct engine_out *out);
/* TRACE: whole header lines with their CRLF, at most ENGINE_TRACE_MAX bytes; len 0: none. */
void engine_trace(struct engine *engine, const char *text, size_t len, uint64_t now_ms,
	struct engine_out *out);

/* GIVE: a part of the text that was kept, or of what became of it: whole lines with CRLF in all.
 * last: nothing follows. Returns how many bytes were taken; the rest is given again when the bytes
 * for the server are written. */
size_t engine_give(struct engine *engine, const void *bytes, size_t len, bool last, uint64_t now_ms,
	struct engine_out *out);

/* GIVE: what was kept is not to be had any more. */
void engine_give_up(struct engine *engine, uint64_t now_ms, struct engine_out *out);

/* The owner wants the flow to end: DRAINING at the next boundary outside a transaction, anything
 * else at once; never between the dot and its reply. */
void engine_end(struct engine *engine, enum ending why, uint64_t now_ms, struct engine_out *out);
/* Due at deadline_ms; earlier it does nothing. */
void engine_time(struct engine *engine, uint64_t now_ms, struct engine_out *out);

#endif
