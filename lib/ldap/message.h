/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns LDAP's messages (RFC 4511) as a client that checks passwords sends and reads them. Every
 * byte that is read may be an enemy's. */
#ifndef POSTERN_LIB_LDAP_MESSAGE_H
#define POSTERN_LIB_LDAP_MESSAGE_H

#include "lib/ldap/ber.h"

enum ldap_kind {
	LDAP_BOUND = 0x61,
	LDAP_ENTRY = 0x64,
	LDAP_SEARCHED = 0x65,
	LDAP_REFERENCE = 0x73, /* "look there, too": never followed */
	LDAP_EXTENDED = 0x78,
};

/* RFC 4511, 4.1.9: those that decide something here. */
enum ldap_result {
	LDAP_SUCCESS = 0,
	LDAP_TIME_LIMIT = 3,
	LDAP_SIZE_LIMIT = 4,
	LDAP_STRONGER_AUTH_REQUIRED = 8,
	LDAP_REFERRAL = 10,
	LDAP_CONFIDENTIALITY_REQUIRED = 13,
	LDAP_CONSTRAINT_VIOLATION = 19,
	LDAP_NO_SUCH_OBJECT = 32,
	LDAP_INVALID_DN = 34,
	LDAP_INAPPROPRIATE_AUTH = 48, /* the entry has no password */
	LDAP_INVALID_CREDENTIALS = 49,
	LDAP_INSUFFICIENT_ACCESS = 50,
	LDAP_BUSY = 51,
	LDAP_UNAVAILABLE = 52,
	LDAP_UNWILLING = 53,
};

struct ldap_message {
	int32_t id; /* 0: nobody asked, which the server says before it closes */
	enum ldap_kind kind;
	int32_t result;         /* of all but entries and references */
	struct ber_slice text;  /* the server's words beside the result */
	struct ber_slice dn;    /* of an entry */
	struct ber_reader list; /* an entry's attributes that are not taken yet */
};

/* Reads a whole message. Returns 0, or -EBADMSG. What it finds points into the bytes. */
int ldap_read(const uint8_t *bytes, size_t len, struct ldap_message *message);
/* The next attribute of an entry and its values. False at the end and where it is cut. */
bool ldap_next_attribute(
	struct ldap_message *message, struct ber_slice *name, struct ber_reader *values);
bool ldap_next_value(struct ber_reader *values, struct ber_slice *value);
/* Same attribute: in any letter case, options (";range=0-1499") apart. */
bool ldap_is_attribute(struct ber_slice name, const char *wanted);

/* Whole requests into an empty writer, which is `full` when they do not fit. id: 1 to 2^31 - 1. */
void ldap_write_start_tls(struct ber_writer *writer, int32_t id);
/* A simple bind. An empty password is none: a server takes it as a success of nobody (RFC 4513,
 * 5.1.2). It makes the writer full. */
void ldap_write_bind(struct ber_writer *writer, int32_t id, const char *dn, const char *password);
/* Below base, at most two entries: enough to see that there is not exactly one. The filter was
 * checked by ldap_filter_check(). Of an entry the named attributes are sent back. */
void ldap_write_search(struct ber_writer *writer, int32_t id, const char *base, const char *filter,
	const char *user, int32_t limit_s, const char *const *attributes, size_t n);
/* The one entry of this name, if the attributes may be read. */
void ldap_write_read(struct ber_writer *writer, int32_t id, const char *dn, int32_t limit_s,
	const char *const *attributes, size_t n);
void ldap_write_unbind(struct ber_writer *writer, int32_t id);

#endif
