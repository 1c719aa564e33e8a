/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the inside of one statement as its clauses, so that one of them can be changed and all else
 * stays. A clause is known by its first word; where several may stand, by what tells them apart:
 *
 *	zone	interface NAME, limit KIND per WHOM
 *	server	host NAME port P, mx NAME port P, deadline KIND
 *	rule	server and verdict are one: the action
 *
 * Only where clauses begin and end is understood here. What is put together is parsed and checked
 * as any text. */
#ifndef POSTERN_LIB_LANGUAGE_EDIT_CLAUSE_H
#define POSTERN_LIB_LANGUAGE_EDIT_CLAUSE_H

#include "lib/policy/policy.h"

/* The policy's statement with these clauses put in, or in place of those known by the same: the
 * whole statement. malloc'ed; NULL: out of memory. */
char *language_clause_set(
	const struct policy *policy, enum policy_kind kind, size_t i, const char *clauses);
/* The same without the clauses that are named: by the first word, and behind it by what tells them
 * apart. NULL with *wrong set (malloc'ed): which of them is not there, or not named in full; with
 * *wrong NULL: out of memory. absent: it is well named. */
char *language_clause_unset(const struct policy *policy, enum policy_kind kind, size_t i,
	const char *names, char **wrong, bool *absent);
/* The clauses of one statement that another does not have in the same words, one a line. malloc'ed;
 * NULL: out of memory. */
char *language_clause_gone(const char *before, const char *after, enum policy_kind kind);

#endif
