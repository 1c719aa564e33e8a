/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the macros that a filter is told of: their names, and at which event each is. */
#ifndef POSTERN_LIB_MILTER_MACRO_H
#define POSTERN_LIB_MILTER_MACRO_H

#include "lib/milter/packet.h"

/* X(identifier, name, the events at which it is told unless the filter has a list of its own) */
#define MILTER_MACRO_TABLE(X)                                 \
	X(GATEWAY, "j", "C")                                  \
	X(VERSION, "v", "C")                                  \
	X(CLIENT, "_", "C") /* "name [address]" */            \
	X(DAEMON_NAME, "{daemon_name}", "C")                  \
	X(DAEMON_ADDR, "{daemon_addr}", "C")                  \
	X(DAEMON_PORT, "{daemon_port}", "C")                  \
	X(CLIENT_ADDR, "{client_addr}", "C")                  \
	X(CLIENT_PORT, "{client_port}", "C")                  \
	X(CLIENT_NAME, "{client_name}", "C") /* "unknown" */  \
	X(CLIENT_PTR, "{client_ptr}", "C")                    \
	X(TLS_VERSION, "{tls_version}", "HM")                 \
	X(CIPHER, "{cipher}", "HM")                           \
	X(CIPHER_BITS, "{cipher_bits}", "HM")                 \
	X(CERT_SUBJECT, "{cert_subject}", "HM")               \
	X(CERT_ISSUER, "{cert_issuer}", "HM")                 \
	X(ID, "i", "MRTNE") /* of the flow and the message */ \
	X(AUTH_TYPE, "{auth_type}", "M")                      \
	X(AUTH_AUTHEN, "{auth_authen}", "M")                  \
	X(AUTH_AUTHOR, "{auth_author}", "M")                  \
	X(MAIL_ADDR, "{mail_addr}", "M")                      \
	X(MAIL_HOST, "{mail_host}", "M")                      \
	X(MAIL_MAILER, "{mail_mailer}", "M")                  \
	X(RCPT_ADDR, "{rcpt_addr}", "R")                      \
	X(RCPT_HOST, "{rcpt_host}", "R")                      \
	X(RCPT_MAILER, "{rcpt_mailer}", "R")

enum milter_macro {
#define MILTER_MACRO_ENUM(id, name, events) MILTER_MACRO_##id,
	MILTER_MACRO_TABLE(MILTER_MACRO_ENUM)
#undef MILTER_MACRO_ENUM
};
#define MILTER_MACROS (MILTER_MACRO_RCPT_MAILER + 1)
extern const char *const milter_macro_names[MILTER_MACROS];

/* What is known; NULL or "": it is not, and is not told. */
struct milter_macros {
	const char *values[MILTER_MACROS];
};

#define MILTER_MACRO_VALUE_MAX 256 /* told of a value; what is longer is cut */
/* Room for all of them in a packet, and more. */
#define MILTER_MACRO_ROOM 7168

/* The macros of an event, by their numbers: what is told without a list. */
uint32_t milter_macros_of(enum milter_event event);
/* What of a filter's list, names with blanks or commas between, there is here. */
uint32_t milter_macros_parse(const char *list);
/* The packet before an event's; nothing, if nothing is known. Control bytes come as '?'. */
void milter_macros_write(struct milter_writer *writer, enum milter_event event, uint32_t which,
	const struct milter_macros *macros);

#endif
