/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is asked of one statement of the running policy. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_EDIT_STATEMENT_H
#define POSTERN_DAEMON_CONTROL_POLICY_EDIT_STATEMENT_H

#include "lib/command/verb.h"
#include "lib/language/language.h"

#include <stdbool.h>
#include <stddef.h>

enum edit_verb {
	EDIT_ADD,
	EDIT_REPLACE,
	EDIT_SET,
	EDIT_UNSET,
	EDIT_DELETE,
	EDIT_MOVE,
	EDIT_ENABLE,
	EDIT_DISABLE,
};

/* One statement's change. All is borrowed, but for `own`. */
struct edit {
	enum edit_verb verb;
	bool top; /* a setting of the policy itself: its first word is the name, and it has no kind
		   */
	enum policy_kind kind;
	const char *name;
	const char *const *words; /* in the language */
	size_t nwords;
	bool placed; /* position was given */
	enum language_position position;
	const char *other;
	bool allow_open, allow_empty;
	unsigned line;         /* of the batch it came in; 0: it came alone */
	struct verb_words own; /* what a batch gave */
};

#endif
