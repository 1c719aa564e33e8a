/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns search filters: the operator's text (RFC 4515) with `%u` for the user's name, written as
 * the bytes of a request (RFC 4511, 4.5.1.7). The name is a value there and never text: no byte of
 * it can change what the filter asks. */
#ifndef POSTERN_LIB_LDAP_FILTER_H
#define POSTERN_LIB_LDAP_FILTER_H

#include "lib/ldap/ber.h"

#define LDAP_FILTER_DEPTH_MAX 16

struct ldap_filter_error {
	size_t at; /* the byte of the text */
	const char *expected;
};

/* Whether the text is a filter; where it is not, in error. */
bool ldap_filter_check(const char *text, struct ldap_filter_error *error);
/* Writes a text that was checked. */
void ldap_filter_write(struct ber_writer *writer, const char *text, const char *user);
/* The attribute that a checked filter compares with the user's name first, into name, with NUL and
 * without options: "uid" of "(&(objectClass=person)(uid=%u))". False: with none that is named. */
bool ldap_filter_attribute(const char *text, char *name, size_t size);

#endif
