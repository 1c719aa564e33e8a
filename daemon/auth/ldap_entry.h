/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an entry of a directory says of a user: the name that counts, groups, own addresses. */
#ifndef POSTERN_DAEMON_AUTH_LDAP_ENTRY_H
#define POSTERN_DAEMON_AUTH_LDAP_ENTRY_H

#include "daemon/auth/who.h"
#include "lib/ldap/message.h"

#define LDAP_ENTRY_ATTRIBUTE_SIZE 64
#define LDAP_ENTRY_ATTRIBUTES     3 /* that are asked for, at most */

/* The message that it came in; {0}: there is none. */
struct ldap_entry {
	uint8_t *bytes;
	size_t len;
};

/* All are attributes but the prefix; "": none. */
struct ldap_entry_terms {
	const char *attribute; /* whose value is the name */
	const char *group, *prefix, *mail;
};

/* Copies. False: no memory. */
bool ldap_entry_keep(struct ldap_entry *entry, struct ber_slice message);
void ldap_entry_clear(struct ldap_entry *entry);
/* False: it has none that can be bound: empty, which would be a success of nobody, with a NUL, or
 * too long. */
bool ldap_entry_dn(const struct ldap_entry *entry, char *dn, size_t size);
/* The name is the attribute's value, as the directory has it, of several the bytewise least; else
 * that of the first part of its DN; else, without an entry, what the user said, in lower case and
 * without blanks around. False: it cannot be kept. */
bool ldap_entry_who(const struct ldap_entry *entry, const struct ldap_entry_terms *terms,
	const char *said, const struct policy *policy, struct who *who);

#endif
