/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for how a message ended, one SMTP transaction (RFC 5321, section 3.3), and for who
 * decided about each of its recipients. */
#ifndef POSTERN_LIB_RECORD_MESSAGE_ENDING_H
#define POSTERN_LIB_RECORD_MESSAGE_ENDING_H

/* What became of it; decides how it is counted and whether its sender has to do with it again. */
enum message_outcome {
	MESSAGE_STORED,  /* the server has it */
	MESSAGE_DOUBT,   /* perhaps the server has it */
	MESSAGE_REFUSED, /* somebody said no */
	MESSAGE_ABORTED, /* it came to no end */
};
#define MESSAGE_OUTCOMES 4

/* X(identifier, name, outcome, what it means). The numbers stand in stored records: new ones are
 * added at the end. */
#define MESSAGE_ENDING_TABLE(X)                                                                    \
	X(DELIVERED, "delivered", STORED, "the server took it, and the client heard so")           \
	X(CLIENT_LOST, "delivered-client-lost", STORED,                                            \
		"the server took it, and the client was gone: it may send it again")               \
	X(UNKNOWN, "unknown", DOUBT,                                                               \
		"the server did not reply to the end of the text: perhaps it took it")             \
	X(REFUSED_SERVER, "refused-by-server", REFUSED, "the server said no")                      \
	X(REFUSED_RULE, "refused-by-rule", REFUSED, "no recipient was allowed")                    \
	X(REFUSED_LIMIT, "refused-by-limit", REFUSED, "over a limit of messages or recipients")    \
	X(REFUSED_SCAN, "refused-by-scan", REFUSED, "a scan said no")                              \
	X(REFUSED_SIZE, "refused-by-size", REFUSED, "over the limit of size")                      \
	X(REFUSED_FORM, "refused-by-form", REFUSED,                                                \
		"the text has bytes that no message may have, such as a bare CR")                  \
	X(CLIENT_RESET, "aborted-client-reset", ABORTED, "the client gave it up: RSET or QUIT")    \
	X(CLIENT_LEFT, "aborted-client-left", ABORTED, "the client closed inside of it")           \
	X(CLIENT_SILENT, "aborted-client-silent", ABORTED, "the client said nothing more in time") \
	X(SERVER_LEFT, "aborted-server-left", ABORTED, "the server closed inside of it")           \
	X(SERVER_SILENT, "aborted-server-silent", ABORTED, "the server did not reply in time")     \
	X(NO_SERVER, "aborted-no-server", ABORTED, "no host of the server could be had")           \
	X(SCAN_FAILED, "aborted-scan-failed", ABORTED, "a scan could not be had or failed")        \
	X(KILLED, "aborted-killed", ABORTED, "its flow was ended: logout, block, flow kill, ...")  \
	X(FAILED, "aborted-failed", ABORTED, "the gateway ran short of memory or disk")            \
	X(REFUSED_LOOP, "refused-by-loop", REFUSED, "it has been through too many servers")

enum message_ending {
#define MESSAGE_ENDING_ENUM(id, name, outcome, meaning) MESSAGE_##id,
	MESSAGE_ENDING_TABLE(MESSAGE_ENDING_ENUM)
#undef MESSAGE_ENDING_ENUM
};
#define MESSAGE_ENDINGS (MESSAGE_REFUSED_LOOP + 1) /* the last of the table */

/* "?" for a number that is none: a later version's. */
const char *message_ending_name(unsigned ending);
/* 0 or -EINVAL. */
int message_ending_parse(const char *name, enum message_ending *ending);
const char *message_outcome_name(enum message_outcome outcome);
enum message_outcome message_outcome_of(enum message_ending ending);

/* Who decided about a recipient. X(identifier, name, what it means where he is refused). The
 * numbers stand in stored records, too. */
#define MESSAGE_BY_TABLE(X)                                                                   \
	X(SERVER, "server", "his server, to which a rule sent him, said no")                  \
	X(RULE, "rule", "a rule's verdict answer")                                            \
	X(UNMATCHED, "unmatched", "no rule takes him")                                        \
	X(UNAUTHENTICATED, "unauthenticated", "nobody is logged in")                          \
	X(BLOCK, "block", "the client is blocked")                                            \
	X(LIMIT, "limit", "over a limit of recipients or size")                               \
	X(FORM, "form", "no address that could be decided")                                   \
	X(SERVERS, "servers", "his server is another than this message's: he may come again") \
	X(GATEWAY, "gateway", "no host of his server could be had, or the gateway ran short") \
	X(NAME, "name", "his rule goes by the client's host name, which DNS did not say")     \
	X(SCAN, "scan", "a scan of his rule said no, or could not be had")

enum message_by {
#define MESSAGE_BY_ENUM(id, name, meaning) MESSAGE_BY_##id,
	MESSAGE_BY_TABLE(MESSAGE_BY_ENUM)
#undef MESSAGE_BY_ENUM
};
#define MESSAGE_BYS (MESSAGE_BY_SCAN + 1) /* the last of the table */
const char *message_by_name(unsigned by); /* "?" for a number that is none */

#endif
