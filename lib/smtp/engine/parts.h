/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the files of the engine know of each other: the words of its own replies, and the steps
 * that more than one of them takes. Nobody else includes it. */
#ifndef POSTERN_LIB_SMTP_ENGINE_PARTS_H
#define POSTERN_LIB_SMTP_ENGINE_PARTS_H

#include "lib/smtp/engine/engine.h"
#include "lib/smtp/text/stuff.h"

/* X(identifier, code, enhanced, text): what the engine itself says. */
#define ENGINE_WORDS_TABLE(X)                                                     \
	X(NONE, 0, "", "")                                                        \
	X(KEPT, 0, "", "") /* what the server said: the line */                   \
	X(GREETING, 220, "", "ESMTP")                                             \
	X(SAY_TEXT, 354, "", "end the text with a dot on a line")                 \
	X(HELO, 250, "", "")                                                      \
	X(STARTTLS, 220, "2.0.0", "begin TLS now")                                \
	X(OK, 250, "2.0.0", "ok")                                                 \
	X(SENDER_OK, 250, "2.1.0", "sender ok")                                   \
	X(BYE, 221, "2.0.0", "closing")                                           \
	X(VRFY, 252, "2.5.2", "send some mail, it will be tried")                 \
	X(HELP, 214, "2.0.0", "RFC 5321")                                         \
	X(IDLE, 421, "4.4.2", "nothing was said for too long")                    \
	X(SLOW, 421, "4.4.2", "the message came too slowly")                      \
	X(ENDED, 421, "4.7.0", "this connection is ended")                        \
	X(DRAINING, 421, "4.3.2", "going down, try again")                        \
	X(MANY_ERRORS, 421, "4.7.0", "too many errors")                           \
	X(MANY_REFUSED, 421, "4.7.1", "too many refused recipients")              \
	X(EARLY_SESSION, 421, "4.5.0", "you spoke before the greeting")           \
	X(EARLY_TALK, 554, "5.5.0", "you spoke before the greeting")              \
	X(PIPELINING, 554, "5.5.0", "you did not wait for the reply")             \
	X(BARE, 554, "5.5.0", "a line ends with CR LF and nothing else")          \
	X(CONTROL, 500, "5.5.2", "control character in a command")                \
	X(LONG, 500, "5.5.2", "line too long")                                    \
	X(UNKNOWN, 500, "5.5.2", "no such command")                               \
	X(NOT_HERE, 502, "5.5.1", "not here")                                     \
	X(BDAT, 521, "5.5.1", "CHUNKING was not offered")                         \
	X(ARGUMENTS, 501, "5.5.4", "no arguments here")                           \
	X(NO_NAME, 501, "5.5.4", "say your host name")                            \
	X(NO_FROM, 501, "5.5.4", "say MAIL FROM:<address>")                       \
	X(NO_TO, 501, "5.5.4", "say RCPT TO:<address>")                           \
	X(TLS_FIRST, 530, "5.7.0", "say STARTTLS first")                          \
	X(TLS_AGAIN, 503, "5.5.1", "this is TLS already")                         \
	X(TLS_LACKS, 454, "4.7.0", "no certificate to begin TLS with")            \
	X(LOGGED_IN, 235, "2.7.0", "logged in")                                   \
	X(LOGIN_REFUSED, 535, "5.7.8", "user or password is wrong")               \
	X(LOGIN_LATER, 454, "4.7.0", "logins cannot be checked now, try again")   \
	X(LOGIN_MALFORMED, 501, "5.5.2", "this is no response to that")           \
	X(LOGIN_LONG, 500, "5.5.6", "this response is too long")                  \
	X(LOGIN_CANCELLED, 501, "5.7.0", "not logged in")                         \
	X(NO_MECHANISM, 504, "5.5.4", "no such mechanism here")                   \
	X(LOGIN_AGAIN, 503, "5.5.1", "you are logged in")                         \
	X(LOGIN_IN_MAIL, 503, "5.5.1", "not inside of a transaction")             \
	X(MANY_LOGINS, 421, "4.7.0", "too many refused logins")                   \
	X(HELO_FIRST, 503, "5.5.1", "say EHLO first")                             \
	X(MAIL_AGAIN, 503, "5.5.1", "the sender was said")                        \
	X(MAIL_FIRST, 503, "5.5.1", "say MAIL first")                             \
	X(RCPT_FIRST, 503, "5.5.1", "say RCPT first")                             \
	X(NO_RECIPIENT, 554, "5.5.1", "no valid recipient")                       \
	X(TOO_BIG, 552, "5.3.4", "message too big")                               \
	X(TOO_BIG_THERE, 554, "5.3.4", "message too big for the mail server")     \
	X(UTF8_ENVELOPE, 550, "5.6.7", "the mail server does not offer SMTPUTF8") \
	X(UTF8_HEADER, 550, "5.6.9", "the mail server does not offer SMTPUTF8")   \
	X(MANY_RECIPIENTS, 452, "4.5.3", "too many recipients")                   \
	X(OTHER_SERVER, 452, "4.5.3", "this recipient in another message")        \
	X(NO_SERVER, 451, "4.4.1", "no mail server reachable")                    \
	X(SERVER_LOST, 451, "4.4.2", "the mail server was lost")                  \
	X(SERVER_WRONG, 451, "4.3.0", "the mail server does not speak SMTP")      \
	X(NO_TLS, 451, "4.7.5", "no mail server with the TLS that is wanted")     \
	X(NO_LOGIN, 451, "4.7.0", "the mail server does not take our login")      \
	X(INTERNAL, 451, "4.3.5", "the mail server does not take mail from here") \
	X(OWNER_LATE, 451, "4.3.0", "no decision in time")                        \
	X(SCAN_LATE, 451, "4.7.1", "no verdict in time")                          \
	X(UNFIT_TEXT, 451, "4.3.0", "the text became unfit to be sent")           \
	X(BAD_TEXT, 554, "5.6.0", "") /* smtp_body_refusal() says it */           \
	X(LOOP, 554, "5.4.6", "too many hops")

enum engine_words {
#define ENGINE_WORDS_ENUM(id, code, enhanced, text) ENGINE_WORDS_##id,
	ENGINE_WORDS_TABLE(ENGINE_WORDS_ENUM)
#undef ENGINE_WORDS_ENUM
};

/* The session that a connection is. */
enum engine_link {
	ENGINE_LINK_NONE,  /* none, or one that is being opened */
	ENGINE_LINK_KEPT,  /* its last transaction is over */
	ENGINE_LINK_DIRTY, /* its last transaction was given up: RSET first */
	ENGINE_LINK_BOUND, /* MAIL of this transaction was taken */
};

/* engine.c: the one writer of the state, and of the deadline that belongs to it. */
void engine_enter(struct engine *engine, enum engine_state state);
/* The same state goes on: its deadline is another. */
void engine_wait(struct engine *engine);
/* The line in hand is answered. */
void engine_answered(struct engine *engine);
/* Says the words (NONE: none) and ends the flow: with QUIT where the server waits for a command. */
void engine_finish(
	struct engine *engine, enum ending ending, enum engine_words words, struct engine_out *out);

/* input.c: what each input begins and ends with. */
void engine_begin(struct engine *engine, uint64_t now_ms, struct engine_out *out);
void engine_over(struct engine *engine, struct engine_out *out);

/* say.c */
void engine_say(const struct engine *engine, enum engine_words words, struct engine_out *out);
void engine_say_refusal(
	const struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out);
/* What the client was shown: enum smtp_parameter_of. */
unsigned engine_shown(const struct engine *engine);
void engine_say_offers(const struct engine *engine, struct engine_out *out);
const struct smtp_refusal *engine_refusal_of(enum engine_words words);
/* These words, with the code of the lines that were passed on before it (pass_code), if any were:
 * a reply has one code. */
struct smtp_refusal engine_refusal_ending(struct engine *engine, enum engine_words words);
struct smtp_refusal engine_ending_with(struct engine *engine, const struct smtp_refusal *refusal);
/* One line of the server's reply, with this code. */
void engine_pass(const struct engine *engine, unsigned code, bool last, struct engine_out *out);
/* What is recorded: of the server's line with this code, or of ours. */
struct engine_reply engine_reply_of_line(const struct engine *engine, unsigned code);
struct engine_reply engine_reply_of(const struct smtp_refusal *refusal);
/* What the server's line becomes when it is passed on: 421 would end the client's connection. */
unsigned engine_code_for_client(unsigned code);
/* 503, 530, 555: something is wrong with what we say, which is no matter of the client. */
bool engine_is_about_us(unsigned code);

/* command.c: one line of the client, or what else is due in COMMAND. */
void engine_command(struct engine *engine, struct engine_out *out);
/* The line in hand is wrong, which is counted. */
void engine_error(struct engine *engine, enum engine_words words, struct engine_out *out);
void engine_error_refusal(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out);

/* login.c */
void engine_auth(struct engine *engine, const char *args, size_t len, struct engine_out *out);
/* An AUTH that does not end where a command's room does; false: it is none that is taken. */
bool engine_auth_long(struct engine *engine, struct engine_out *out);
void engine_response(struct engine *engine, struct engine_out *out);
/* What was said is overwritten. */
void engine_login_forget(struct engine *engine);
bool engine_takes_logins(const struct engine *engine);

/* envelope.c */
void engine_mail(struct engine *engine, const char *args, size_t len, struct engine_out *out);
void engine_mail_verdict(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out);
void engine_rcpt(struct engine *engine, const char *args, size_t len, struct engine_out *out);
void engine_rcpt_verdict(
	struct engine *engine, const struct engine_verdict *verdict, struct engine_out *out);
/* The last reply to the recipient in hand: our words (KEPT: the line), or the server's code. */
void engine_rcpt_answer(struct engine *engine, enum engine_words words, struct engine_out *out);
void engine_rcpt_replied(struct engine *engine, unsigned code, struct engine_out *out);
/* No reply to the recipient will come. */
void engine_rcpt_lost(struct engine *engine, enum engine_words words, struct engine_out *out);
/* All is ready for this transaction's MAIL, or RCPT: checks what the server offers and says it. */
void engine_say_mail(struct engine *engine, const struct smtp_path *sender, struct engine_out *out);
void engine_say_rcpt(struct engine *engine, struct engine_out *out);
/* The transaction is over (outcome NONE: as the state says); nothing if there is none.
 */
void engine_transaction_end(
	struct engine *engine, enum engine_outcome outcome, struct engine_out *out);

/* server.c */
/* A command, or what ends one; its reply is read from here on. */
void engine_server_put(struct engine *engine, const char *text, struct engine_out *out);
void engine_server_say(
	struct engine *engine, enum engine_state state, const char *text, struct engine_out *out);
void engine_server_open(struct engine *engine, enum engine_open open, struct engine_out *out);
/* Says QUIT, if the server waits for a command. */
void engine_server_quit(const struct engine *engine, struct engine_out *out);
/* Closes the connection, whatever it is in. */
void engine_server_drop(struct engine *engine, struct engine_out *out);
/* The host is no good: the next one, the same again, or the recipient in hand is answered. */
void engine_host_failed(
	struct engine *engine, enum engine_words words, enum ending why, struct engine_out *out);
/* The host cannot be had in TLS as it is wanted: the same once more without, or the next one.
 * words: ours; NULL: what it said last. */
void engine_tls_failed(struct engine *engine, const char *words, struct engine_out *out);
/* The server is ready for the transaction's MAIL. */
void engine_server_ready(struct engine *engine, struct engine_out *out);
/* The whole reply to what was said, while no text is on its way. */
void engine_server_replied(struct engine *engine, unsigned code, struct engine_out *out);

/* reply.c: forgets what was read of a reply; the next byte begins one. */
void engine_reply_begin(struct engine *engine);

/* text.c: from DATA to the end of its text. */
void engine_data(struct engine *engine, struct engine_out *out);
void engine_data_verdict(
	struct engine *engine, const struct engine_verdict *verdict, struct engine_out *out);
/* The client got its 354. */
void engine_text_begin(struct engine *engine);
size_t engine_text(struct engine *engine, const char *bytes, size_t len, struct engine_out *out);
void engine_dot_verdict(
	struct engine *engine, const struct smtp_refusal *refusal, struct engine_out *out);
/* The text is given up; hears: the server began to say something. */
void engine_text_spoil(
	struct engine *engine, enum engine_words words, bool hears, struct engine_out *out);
/* What the server began to say is said, or will not be. */
void engine_text_heard(struct engine *engine, unsigned code, struct engine_out *out);
void engine_text_end(struct engine *engine, struct engine_out *out);
/* The text is not to come on: the server or the owner takes none. */
bool engine_text_waits(const struct engine *engine);
/* What others took of the time is none of the client's. */
void engine_text_resume(struct engine *engine);
void engine_text_late(struct engine *engine, struct engine_out *out);
void engine_data_replied(struct engine *engine, unsigned code, struct engine_out *out);
void engine_data_lost(struct engine *engine, enum engine_words words, struct engine_out *out);
void engine_dot_replied(struct engine *engine, unsigned code, struct engine_out *out);
/* No reply to the dot will come: the client gets none either. */
void engine_dot_unknown(struct engine *engine, struct engine_out *out);
uint64_t engine_text_deadline(const struct engine *engine);

/* whole.c: a text that is kept whole. */
bool engine_is_whole(const struct engine *engine);
/* The client waits behind its dot, and the server has not all of the text. */
bool engine_is_behind(const struct engine *engine);
void engine_whole_begin(struct engine *engine, struct engine_out *out);
/* NOOP is due, or its reply was. */
bool engine_noop_is_due(const struct engine *engine);
void engine_noop(struct engine *engine, struct engine_out *out);
void engine_noop_replied(struct engine *engine, unsigned code, struct engine_out *out);
/* The verdict is good: the server hears of the text. */
void engine_whole_say(struct engine *engine, struct engine_out *out);
void engine_whole_data_replied(struct engine *engine, unsigned code, struct engine_out *out);
void engine_whole_late(struct engine *engine, struct engine_out *out);
/* Of NOOP, DATA, TRACE and GIVE, and of the verdict before them. */
uint64_t engine_whole_deadline(const struct engine *engine, uint64_t at_ms);

#endif
