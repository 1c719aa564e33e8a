/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the short form of each rule, by which the walk over many rules passes over those that a
 * client cannot match: some bytes a rule, side by side, instead of a look into each condition. */
#ifndef POSTERN_LIB_POLICY_DECIDE_SUMMARY_H
#define POSTERN_LIB_POLICY_DECIDE_SUMMARY_H

#include "lib/policy/policy.h"
#include "lib/policy/session.h"

/* Sets of zones or listeners, users and groups as bits of a hash: a rule whose bit is not there
 * does not match, one whose bit is there may. Sources as a range that holds them all. */
struct decide_summary {
	uint64_t zones, users, groups;
	uint32_t first4, last4; /* IPv4 */
	uint64_t first6, last6; /* IPv6, the upper half */
};

/* What is compared with it. */
struct decide_key {
	uint64_t zone, user, groups;
	uint8_t family;
	uint32_t source4;
	uint64_t source6;
};

enum decide_chance {
	DECIDE_CHANCE_NONE,
	DECIDE_CHANCE_NOT_FROM_HERE, /* none, because of the source */
	DECIDE_CHANCE_SOME,
};

/* Summaries of all rules, from the policy's arena; for the parser, as its last step. NULL: out of
 * memory, or no rules. */
const struct decide_summary *decide_summarize(const struct policy *policy);
struct decide_origin; /* decide.h */
struct decide_key decide_key_of(const struct decide_origin *origin, const struct session *session);

static inline enum decide_chance decide_chance_of(
	const struct decide_summary *summary, const struct decide_key *key)
{
	if (!(summary->zones & key->zone) || !(summary->users & key->user) ||
		!(summary->groups & key->groups))
		return DECIDE_CHANCE_NONE;
	bool near = key->family == ADDR_IP4
			    ? key->source4 >= summary->first4 && key->source4 <= summary->last4
			    : key->source6 >= summary->first6 && key->source6 <= summary->last6;
	return near ? DECIDE_CHANCE_SOME : DECIDE_CHANCE_NOT_FROM_HERE;
}

#endif
