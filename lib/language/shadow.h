/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns when one rule takes every packet of a later one, and when two have none in common. Private
 * to lib/language/ and lib/policy/level.c. */
#ifndef POSTERN_LIB_LANGUAGE_SHADOW_H
#define POSTERN_LIB_LANGUAGE_SHADOW_H

#include "lib/language/parse.h"

/* A bound on the work for any policy: with nothing left, the answer is no. */
struct language_effort {
	size_t left;
};

/* Each condition of the earlier rule follows from those of the later one, so that the later one is
 * never reached. A disabled early rule takes nothing. */
bool language_implied(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort);
/* No connection meets the conditions of both, at whatever time: a flow may last beyond a schedule.
 * false also where that is not sure. Sender, recipient and TLS do not count. */
bool language_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort);
/* The same with the sender and the client's TLS. */
bool language_apart_transaction(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort);
/* As language_implied(), of all but the recipient. */
bool language_implied_transaction(const struct policy_rule *early, const struct policy_rule *late,
	struct language_effort *effort);

/* false: nothing is left. */
bool language_spend(struct language_effort *effort, size_t steps);
bool language_all_in(const struct policy_strings *part, const struct policy_strings *whole,
	struct language_effort *effort);
bool language_users_apart(
	const struct policy_rule *a, const struct policy_rule *b, struct language_effort *effort);
bool language_none_in(const struct policy_strings *part, const struct policy_strings *other,
	struct language_effort *effort);
/* The values of `part` all lie within those of `whole`. Lists are known by name only: what is in
 * them may change. */
bool language_where_within(const struct policy_where *part, const struct policy_where *whole,
	struct language_effort *effort);
bool language_mails_within(const struct policy_mails *part, const struct policy_mails *whole,
	struct language_effort *effort);
bool language_tls_within(const struct policy_tls_condition *part,
	const struct policy_tls_condition *whole, struct language_effort *effort);
/* No network of one touches one of the other. MACs and lists: not known. */
bool language_where_apart(
	const struct policy_where *a, const struct policy_where *b, struct language_effort *effort);
/* The network one bit shorter; len must not be 0. */
struct prefix language_prefix_around(const struct prefix *prefix);
/* What language_check_shadow() spent, for tests: comparisons of rules are few where an index can
 * tell them apart. */
#define LANGUAGE_SHADOW_EFFORT 20000000

#endif
