/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the log: one entry an event, with fields where the journal reads it, a line elsewhere.
 *
 * Everything that comes from outside may stand in a message: what could forge a line or act on a
 * terminal comes out as '?'. Where the policy says `names none`, no entry names a user or an
 * address: fields of persons are left out, and messages say them by log_person() only. */
#ifndef POSTERN_DAEMON_BASE_LOG_H
#define POSTERN_DAEMON_BASE_LOG_H

#include "lib/policy/policy.h"

/* What a machine may want to know an entry by, whatever its words: a MESSAGE_ID each. */
enum log_id {
	LOG_ID_NONE,
	LOG_ID_FLOW,           /* a flow ended, or an admission was refused: the audit record */
	LOG_ID_MESSAGE,        /* a message of a flow that is read ended: its record */
	LOG_ID_SESSION_OVER,   /* a session ended */
	LOG_ID_LOGIN_REFUSED,  /* and why */
	LOG_ID_POLICY_APPLIED, /* another policy is in force */
	LOG_ID_POLICY_REFUSED, /* the file is bad; the running policy goes on */
	LOG_ID_COMMAND,        /* somebody changes something by the control socket */
	LOG_ID_BLOCK,          /* a client is blocked, or is so no longer */
	LOG_ID_BYPASS,         /* a bypass was switched on or off, or is over */
	LOG_ID_HOST_STATE,     /* a host of a server is up, down, or must not be used */
	LOG_ID_PROCESS_ENDED,  /* a process died, or was killed */
	LOG_ID_KERNEL_HEALED,  /* the table or the policy route was put back */
	LOG_ID_AUDIT_LOST,     /* audit records could not be stored */
	LOG_ID_LINES_LOST,     /* entries of the log itself */
	LOG_ID_READY,          /* a process is ready */
	LOG_IDS,
};

enum log_field_name {
	LOG_FIELD_FLOW,
	/* from here to LOG_FIELD_DETAIL left out under `names none` */
	LOG_FIELD_USER,
	LOG_FIELD_CLIENT,
	LOG_FIELD_MAC,
	LOG_FIELD_ORIGINAL,
	LOG_FIELD_SENDER,
	LOG_FIELD_RECIPIENT,
	LOG_FIELD_HEADER_ID, /* a message's own Message-ID */
	LOG_FIELD_DETAIL,
	LOG_FIELD_ZONE,
	LOG_FIELD_RULE,
	LOG_FIELD_SERVER,
	LOG_FIELD_HOST,
	LOG_FIELD_VERDICT,
	LOG_FIELD_REASON,
	LOG_FIELD_ENDING,
	LOG_FIELD_INTERFACE,
	LOG_FIELD_SESSION,
	LOG_FIELD_POLICY,
	LOG_FIELD_UID,
	LOG_FIELD_COMMAND,
	LOG_FIELD_STATE,
	LOG_FIELD_CHILD,
	LOG_FIELD_MESSAGE,
	LOG_FIELD_QUEUE_ID,
	LOG_FIELD_NAMES,
};

struct log_field {
	enum log_field_name name;
	const char *value; /* NULL or "": left out */
};

/* process: "keeper", "control", "relay 0", ... Opens what it needs, so that later nothing must be
 * opened. */
void log_init(const char *process, bool foreground, enum policy_log_level level);
void log_set_level(enum policy_log_level level);
/* names_none: no entry from now on names a user or a client's address. */
void log_set_privacy(bool names_none);
/* The text, which names a person or an address, or what stands for it under `names none`. */
const char *log_person(const char *text);
bool log_is_private(void);
/* Is an entry of this level kept? What is costly to put into words need not be, else. */
bool log_wants(enum policy_log_level level);
/* Hands over what a slow reader has not taken yet; the loop calls it. */
void log_flush(void);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with fields: POSTERN_FLOW, POSTERN_USER, ... of the journal. */
void log_event(enum policy_log_level level, enum log_id id, const struct log_field *fields,
	size_t n, const char *format, ...) __attribute__((format(printf, 5, 6)));
#define LOG_FIELDS(...)                          \
	(const struct log_field[]){__VA_ARGS__}, \
		sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)

#endif
