/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the comparison of two policies: which of the first one's clients would pass under the
 * second. Pure; what it cannot be sure of in time, it says. */
#ifndef POSTERN_LIB_POLICY_PROOF_OPENING_H
#define POSTERN_LIB_POLICY_PROOF_OPENING_H

#include "lib/policy/decide/decide.h"

/* One way out. zone: of the running policy, whose sessions are concerned. */
typedef void opening_say(void *context, const char *zone, const char *text);

/* Interfaces, networks and ports that are redirected today and would not be. */
void opening_steering(
	const struct policy *running, const struct policy *coming, opening_say *say, void *context);
/* Clients that are redirected today, to be read or not, and would pass: by a rule, by `unmatched
 * pass`, or because nobody knows them any more and the zone says `unauthenticated pass`. Sessions
 * are not looked at: clients that may come count as well. world's policy is the running one. */
void opening_rules(const struct decide_world *world, const struct policy *coming, uint64_t now_ms,
	opening_say *say, void *context);

#endif
