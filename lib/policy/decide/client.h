/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what becomes of a client's connections by one rule after another, and whether that is one
 * and the same for all. Private to lib/policy/decide/. */
#ifndef POSTERN_LIB_POLICY_DECIDE_CLIENT_H
#define POSTERN_LIB_POLICY_DECIDE_CLIENT_H

#include "lib/policy/decide/rule.h"

/* With more sessions known by their MAC alone nothing is cached in a zone with identity address. */
#define DECIDE_MAC_SESSIONS_MAX 32

/* What the kernel does with a connection; rule: by which, -1: by none. */
struct decide_outcome {
	enum mark mark;
	struct decide_path path; /* with MARK_KERNEL */
	ptrdiff_t rule;
};

/* Of what the rule takes in the zone; of what none takes, behind the last. */
struct decide_outcome decide_outcome_of(const struct policy *policy, size_t zone, size_t rule);
/* Both may come: true and *outcome, of either. What differs only in who carries it is the relay's.
 */
bool decide_outcome_meet(struct decide_outcome *outcome, const struct decide_outcome *other);
/* The outcome of every connection of this session (NULL: none) from the origin; false when there is
 * more than one. *until_ms is lowered. */
bool decide_outcome_of_session(const struct decide_world *world, const struct decide_origin *origin,
	const struct session *session, uint64_t now_ms, struct decide_outcome *outcome,
	uint64_t *until_ms);
/* The question about every connection of a session at once. */
void decide_question_of_all(struct decide_question *question, const struct decide_world *world,
	const struct decide_origin *origin, const struct session *session, uint64_t now_ms);

#endif
