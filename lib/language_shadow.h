/* Owns when one rule takes every packet of a later one. Private to lib/language*.c. */
#ifndef POSTERN_LANGUAGE_SHADOW_H
#define POSTERN_LANGUAGE_SHADOW_H

#include "lib/language_parse.h"

/* A bound on the work for any policy: with nothing left, the answer is no. */
struct language_effort {
	size_t left;
};

/* Each condition of the earlier rule follows from those of the later one, so that the later one is
 * never reached. A disabled early rule takes nothing. */
bool language_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort);
/* The network one bit shorter; len must not be 0. */
struct prefix language_prefix_around(const struct prefix *prefix);
/* What language_check_shadow() spent, for tests: comparisons of rules are few where an index can
 * tell them apart. */
#define LANGUAGE_SHADOW_EFFORT 20000000

#endif
