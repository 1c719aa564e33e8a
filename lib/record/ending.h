/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for how a flow ended, or why an attempt at a server's host failed. */
#ifndef POSTERN_LIB_RECORD_ENDING_H
#define POSTERN_LIB_RECORD_ENDING_H

#include <stddef.h>
#include <stdint.h>

/* What kind of an ending it is; decides where it is shown and whether it is an alarm. */
enum ending_class {
	ENDING_CLASS_NORMAL,  /* mail could go its way */
	ENDING_CLASS_LEFT,    /* the client left early: why the phone rings */
	ENDING_CLASS_LOST,    /* a side broke off */
	ENDING_CLASS_REFUSED, /* Postern said no: policy, limits, own shortage */
	ENDING_CLASS_SERVER,  /* the server could not be had */
	ENDING_CLASS_ENDED,   /* Postern ended a flow that was running */
};
#define ENDING_CLASSES 6

/* X(identifier, name, class, what it means) */
#define ENDING_TABLE(X)                                                                            \
	X(NONE, "none", NORMAL, "not ended; of an attempt: it succeeded")                          \
	X(QUIT, "quit", NORMAL, "the client said QUIT")                                            \
	X(CLIENT_CLOSED, "client-closed", NORMAL, "the client closed first")                       \
	X(SERVER_CLOSED, "server-closed", NORMAL, "the server closed first")                       \
                                                                                                   \
	X(LEFT_BEFORE_GREETING, "left-before-greeting", LEFT,                                      \
		"the client left before it was greeted")                                           \
	X(LEFT_AFTER_GREETING, "left-after-greeting", LEFT,                                        \
		"the client left right after the greeting")                                        \
	X(LEFT_AFTER_EHLO, "left-after-ehlo", LEFT,                                                \
		"the client left right after EHLO, as if something it needs was not offered")      \
	X(LEFT_AFTER_STARTTLS, "left-after-starttls", LEFT,                                        \
		"the client left in the handshake of TLS or right after it, as if it did not "     \
		"trust the certificate")                                                           \
	X(HANDSHAKE_FAILED, "handshake-failed", LEFT,                                              \
		"no TLS with the client: posternctl counters has why, or it took too long")        \
	X(LEFT_AFTER_AUTH, "left-after-auth", LEFT,                                                \
		"the client left in a login or right after it, as if it was refused")              \
	X(LEFT_AFTER_MAIL, "left-after-mail", LEFT,                                                \
		"the client left after MAIL, as if sender or recipient was refused")               \
	X(LEFT_IN_DATA, "left-in-data", LEFT, "the client left inside a message")                  \
                                                                                                   \
	X(SERVER_LEFT_IN_DATA, "server-left-in-data", LOST, "the server closed inside a message")  \
	X(CLIENT_RESET, "client-reset", LOST, "the client reset the connection")                   \
	X(SERVER_RESET, "server-reset", LOST, "the server reset the connection")                   \
	X(CLIENT_LOST, "client-lost", LOST, "the client no longer answers TCP")                    \
	X(SERVER_LOST, "server-lost", LOST, "the server no longer answers TCP")                    \
	X(RELAY_DIED, "relay-died", LOST, "the relay process that held the flow died")             \
	X(FAILED, "failed", LOST, "a system call on a running flow failed")                        \
                                                                                                   \
	X(ANSWERED, "answered", REFUSED, "a rule's verdict answer")                                \
	X(NOT_LOGGED_IN, "not-logged-in", REFUSED, "no session: the zone's unauthenticated")       \
	X(UNMATCHED, "unmatched", REFUSED, "a session, but no rule: the zone's unmatched")         \
	X(NOT_ACCEPTED, "not-accepted", REFUSED, "the listener does not accept this client")       \
	X(NOT_NAMED, "not-named", REFUSED,                                                         \
		"the listener goes by the client's host name, which DNS did not say in time")      \
	X(TLS_MISSING, "tls-missing", REFUSED,                                                     \
		"the client asked to send without the TLS or the certificate that is required")    \
	X(BLOCKED, "blocked", REFUSED, "the client is blocked: posternctl block show")             \
	X(REJECTED, "rejected", REFUSED, "verdict reject")                                         \
	X(DROPPED, "dropped", REFUSED, "verdict drop")                                             \
	X(OVER_FLOWS_TOTAL, "over-flows-total", REFUSED, "over the limit of flows of the gateway") \
	X(OVER_FLOWS_ZONE, "over-flows-zone", REFUSED,                                             \
		"over the limit of flows of the zone or listener")                                 \
	X(OVER_FLOWS_CLIENT, "over-flows-client", REFUSED, "over the limit of flows per client")   \
	X(OVER_FLOWS_USER, "over-flows-user", REFUSED, "over the limit of flows per user")         \
	X(OVER_FLOWS_SERVER, "over-flows-server", REFUSED,                                         \
		"over the limit of flows of the server or its host")                               \
	X(OVER_RATE_ZONE, "over-rate-zone", REFUSED, "over the rate of the zone or listener")      \
	X(OVER_RATE_CLIENT, "over-rate-client", REFUSED, "over the rate per client")               \
	X(OVER_RATE_USER, "over-rate-user", REFUSED, "over the rate per user")                     \
	X(NO_MAC, "no-mac", REFUSED, "the zone knows clients by MAC and the kernel saw none")      \
	X(NO_ZONE, "no-zone", REFUSED, "the client is in no zone of the policy in force")          \
	X(NO_POLICY, "no-policy", REFUSED, "the relay has no policy yet")                          \
	X(LOOP, "loop", REFUSED, "the original destination or the host leads back to the client")  \
	X(TABLE_FULL, "table-full", REFUSED, "the table of flows or of limits is full")            \
	X(NO_DESCRIPTOR, "no-descriptor", REFUSED, "no file descriptor left")                      \
	X(NO_MEMORY, "no-memory", REFUSED, "no memory left")                                       \
	X(LOGINS_REFUSED, "logins-refused", REFUSED,                                               \
		"too many logins of one connection were refused")                                  \
	X(PROTOCOL, "protocol", REFUSED, "the client does not speak SMTP, or not by its rules")    \
	X(NOT_TAKEN, "not-taken", REFUSED, "no smtp process took the client in time")              \
	X(DRAINING, "draining", REFUSED, "Postern is stopping and takes no new flows")             \
                                                                                                   \
	X(CONNECT_REFUSED, "connect-refused", SERVER, "the host refused the connection")           \
	X(CONNECT_UNREACHABLE, "connect-unreachable", SERVER, "no route to the host")              \
	X(CONNECT_TIMEOUT, "connect-timeout", SERVER, "the host did not answer in time")           \
	X(CONNECT_FAILED, "connect-failed", SERVER, "no connection to the host: another error")    \
	X(GREETING_REFUSED, "greeting-refused", SERVER, "the host greeted with 4xx or 5xx")        \
	X(GREETING_TIMEOUT, "greeting-timeout", SERVER, "the host did not greet in time")          \
	X(GREETING_CLOSED, "greeting-closed", SERVER, "the host closed before its greeting")       \
	X(GREETING_MALFORMED, "greeting-malformed", SERVER, "the host's greeting is not SMTP")     \
	X(OFFERS_XCLIENT, "offers-xclient", SERVER,                                                \
		"the host offers XCLIENT or XFORWARD to the gateway, so any client could forge")   \
	X(IDENTITY_REFUSED, "identity-refused", SERVER,                                            \
		"the host does not take the client's identity from the gateway")                   \
	X(TLS_FAILED, "tls-failed", SERVER,                                                        \
		"the host cannot be had in TLS as the server's tls wants it")                      \
	X(LOGIN_REFUSED, "login-refused", SERVER, "the host does not take the server's account")   \
	X(HOST_UNFIT, "host-unfit", REFUSED,                                                       \
		"the host is not to be used now: drained, refused earlier, or without address")    \
	X(SENDER_REFUSED, "sender-refused", SERVER,                                                \
		"the host did not take the sender, for now or from the gateway")                   \
	X(NO_SERVER, "no-server", SERVER, "no host of the server could be had in time")            \
                                                                                                   \
	X(IDLE, "idle", ENDED, "no byte for the idle deadline")                                    \
	X(KILLED_LOGOUT, "killed-logout", ENDED, "the session was logged out")                     \
	X(KILLED_LEASE, "killed-lease", ENDED, "the session's lease or idle time ran out")         \
	X(KILLED_REPLACED, "killed-replaced", ENDED, "another user logged in on the same client")  \
	X(KILLED_REAUTHENTICATE, "killed-reauthenticate", ENDED,                                   \
		"the zone's reauthenticate: the user has to log in anew")                          \
	X(KILLED_LIMIT, "killed-limit", ENDED,                                                     \
		"a newer session of its user took its place: the zone's limit sessions")           \
	X(KILLED_LINK, "killed-link", ENDED, "the link of its zone's interface went down")         \
	X(KILLED_OPERATOR, "killed-operator", ENDED, "ended by flow kill")                         \
	X(KILLED_POLICY, "killed-policy", ENDED, "the policy no longer allows it")                 \
	X(KILLED_BLOCK, "killed-block", ENDED, "its client was blocked")                           \
	X(DRAIN_OVER, "drain-over", ENDED, "Postern stopped and the drain time was over")

enum ending {
#define ENDING_ENUM(id, name, class, meaning) ENDING_##id,
	ENDING_TABLE(ENDING_ENUM)
#undef ENDING_ENUM
};

#define ENDINGS (ENDING_DRAIN_OVER + 1) /* the last of the table */

extern const char *const ending_names[ENDINGS];
extern const char *const ending_meanings[ENDINGS];
extern const char *const ending_class_names[ENDING_CLASSES];

enum ending_class ending_class_of(enum ending ending);
/* "unknown" for a number that is no ending. */
const char *ending_name(unsigned ending);
/* 0, or -EINVAL. */
int ending_parse(const char *name, enum ending *ending);

/* What Postern itself says to a client whose flow ends so before a server spoke. */
struct ending_reply {
	uint16_t code;
	const char *enhanced;
	const char *text;
};
/* NULL: nothing is said (the client is gone, or the operator's text of an `answer` is used). */
const struct ending_reply *ending_reply_of(enum ending ending);

#endif
