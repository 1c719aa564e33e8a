/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns when the gateway would relay for strangers: what lets a rule of a listener send to a server,
 * and how wide that is. */
#ifndef POSTERN_LIB_POLICY_PROOF_RELAY_H
#define POSTERN_LIB_POLICY_PROOF_RELAY_H

#include "lib/policy/lists.h"
#include "lib/policy/policy.h"

/* Why whoever is taken by a rule may send. */
enum relay_permit {
	RELAY_NOBODY,    /* nothing permits it */
	RELAY_USER,      /* who has logged in */
	RELAY_SOURCE,    /* who comes from here */
	RELAY_PROTECTED, /* anybody, to protected domains */
};
enum relay_permit relay_permit_of(const struct policy_rule *rule);

/* What a change of a list brings; all of it, or what is added to what is there. */
struct relay_change {
	const char *list; /* of kind dynamic */
	bool replaces;
	const struct policy_elem *elems;
	size_t n;
};

#define RELAY_TEXT_SIZE 384
/* What would be wrong with the policy and what its dynamic lists hold, with this change (NULL:
 * none); false: nothing. lists NULL: none of them holds anything. text is what is wrong, and what
 * was expected: a listener's rules that permit more than a /8 (IPv6: /19) or names that
 * anybody can have, an `accept` as wide, a protected domain of one name. */
bool relay_is_open(const struct policy *policy, const struct lists *lists,
	const struct relay_change *change, char text[static RELAY_TEXT_SIZE]);
/* Is it more than a /8 (IPv6: /19), dynamic lists left out? */
bool relay_is_too_wide(const struct policy *policy, const struct policy_where *where);
/* The first name in it that anybody can have, dynamic lists left out; NULL: none. Borrowed. */
const struct policy_elem *relay_find_anybodys(
	const struct policy *policy, const struct policy_where *where);

#endif
