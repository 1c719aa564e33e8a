/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one edit's way from its words to another policy, without looking whether it may be. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_EDIT_EDIT_MAKE_H
#define POSTERN_DAEMON_CONTROL_POLICY_EDIT_EDIT_MAKE_H

#include "daemon/control/policy/edit/statement.h"
#include "lib/command/outcome.h"

struct edit_made {
	struct policy *policy; /* NULL: refused */
	struct language_diagnosis diagnosis;
	char *wrong; /* NULL, or what is refused before the language looks; malloc'ed */
	enum outcome outcome;
};

/* is_there: what is added stands already, and is put in its own place. */
void edit_make(const struct edit *edit, const struct policy *from, bool is_there,
	const struct language_world *world, struct edit_made *made);
void edit_made_fini(struct edit_made *made); /* not the policy */
/* The whole statement in the language: what only fits as a string gets its quotes back. malloc'ed.
 */
char *edit_statement(const struct edit *edit);
/* What goes by it, one a line; malloc'ed, "" for nothing, NULL: no memory. */
char *edit_gone(const struct edit *edit, const struct policy *from, const struct policy *to);
/* The operator's own text after it. malloc'ed; NULL: it cannot follow, or no memory. */
char *edit_follow(const struct edit *edit, const char *source, size_t len,
	const struct policy *from, const struct policy *to, size_t *out_len);
/* The statement on one line; the text is changed. */
char *edit_one_line(char *text);

#endif
