/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which limits of a policy hold for what a rule takes, and whom each of them counts: the
 * rule's own, each in the place of its zone's or listener's of that kind and `per`, and what else
 * that one has. */
#ifndef POSTERN_LIB_LIMIT_LIMIT_OF_H
#define POSTERN_LIB_LIMIT_LIMIT_OF_H

#include "lib/policy/block.h"
#include "lib/policy/policy.h"

/* Where a flow comes from: whose limits hold beside those of its rule. */
struct limit_place {
	bool of_listener;
	size_t at; /* index into the policy's listeners, or else zones */
};
const struct policy_string *limit_place_name(const struct policy *policy, struct limit_place place);

struct limit_of {
	const struct policy_limit *limit; /* borrowed from the policy */
	bool of_rule;                     /* else the place's, implied ones too */
};
#define LIMIT_OF_MAX (POLICY_LIMIT_KINDS * POLICY_PERS)
/* Of one rule at one place; rule -1: no rule took it, and the place's hold. How many, in the order
 * in which they are to be charged: what is per flow and message, then per client, user and sender,
 * so that nobody wears down another's beyond his own; that of all is the last. */
size_t limit_of(const struct policy *policy, struct limit_place place, ptrdiff_t rule,
	struct limit_of limits[static LIMIT_OF_MAX]);
/* The one of a kind and `per`; NULL: none holds. */
const struct policy_limit *limit_of_kind(const struct policy *policy, struct limit_place place,
	ptrdiff_t rule, enum policy_limit_kind kind, enum policy_per per);

/* In whose name it is counted: "guest" for the zone's, "guest/mail" for a rule's in that zone,
 * "listener inbound" for a listener's, so that none counts for another: the zone's own text, or buf
 * filled. */
#define LIMIT_OF_SCOPE_SIZE (2 * POLICY_NAME_SIZE + 16)
const char *limit_of_scope(const struct policy *policy, struct limit_place place, ptrdiff_t rule,
	const struct limit_of *limit, char buf[static LIMIT_OF_SCOPE_SIZE]);

/* Whom it may count. */
struct limit_who {
	const struct mac *mac; /* of the client */
	const struct addr *addr;
	const char *user;
	const char *sender; /* its key (mailset.h): "" is <>; NULL: none yet */
};
/* What tells one from another, borrowed from who; the bytes are NULL where all are counted as one,
 * per flow and per message too. A client is its MAC where the zone knows clients by it, else its
 * address; of a listener an IPv6 client is its /64, since a host has all of that to choose from. */
struct limit_subject {
	const void *bytes;
	size_t len;
};
struct limit_subject limit_of_subject(const struct policy *policy, struct limit_place place,
	enum policy_per per, const struct limit_who *who);
/* Whom a limit with { block D } blocks: fills in the block's kind, zone (a listener's: everywhere)
 * and what the kind names. session: 0, or its id. */
void limit_of_block(const struct policy *policy, struct limit_place place,
	const struct policy_limit *limit, const struct limit_who *who, uint64_t session,
	struct block *block);

#endif
