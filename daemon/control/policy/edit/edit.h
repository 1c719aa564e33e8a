/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the CLI's edits of the running policy: statements put in, replaced, changed, moved or taken
 * out one after the other, checked and applied as one policy with one number, or not at all. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_EDIT_EDIT_H
#define POSTERN_DAEMON_CONTROL_POLICY_EDIT_EDIT_H

#include "daemon/control/policy/history/texts.h"
#include "daemon/control/request/command.h"

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

/* What a verb with VERB_EDITS says. */
void edit_from(const struct verb_noun *noun, const struct verb_words *given, struct edit *edit);
/* Carries them out in order and ends the command; edits are taken over (malloc'ed). */
void edit_run(struct command *command, struct edit *edits, size_t n);

/* The texts that the running policy read, for parsing it again as it was; the file whose path is
 * given is read anew. 0 or -errno. */
struct control;
int edit_running_texts(struct control *control, const char *anew, struct policy_texts *texts);

#endif
