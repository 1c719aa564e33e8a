/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns distinguished names (RFC 4514) as far as logins need them: one made of the operator's text
 * and a user's name, and the groups that an entry names. */
#ifndef POSTERN_LIB_LDAP_DN_H
#define POSTERN_LIB_LDAP_DN_H

#include "lib/ldap/ber.h"

/* Writes text with `%u` replaced by the user's name, `%%` by a %, and a NUL. In a DN (a text with
 * a =) the name is escaped, so that it stays one value; elsewhere ("%u@example.org", which Active
 * Directory binds, too) it stands as it is. Returns false when it does not fit. */
bool dn_fill(const char *text, const char *user, char *dn, size_t size);
/* Whether each % of the text is %u or %%; where not, in at. */
bool dn_check(const char *text, size_t *at);

/* The group that an attribute's value names, with NUL. prefix "": the value of a DN's first part
 * ("cn=staff,ou=groups" is "staff"), anything else as it is. With a prefix, whose letters' case
 * does not count: only a value that begins with it, what follows it up to the end of the DN's first
 * part. Returns false when it names none, or none that fits and is text. */
bool dn_group(struct ber_slice value, const char *prefix, char *group, size_t size);

#endif
