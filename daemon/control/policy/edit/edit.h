/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the CLI's edits of the running policy: statements put in, replaced, changed, moved or taken
 * out one after the other, checked and applied as one policy with one number, or not at all. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_EDIT_EDIT_H
#define POSTERN_DAEMON_CONTROL_POLICY_EDIT_EDIT_H

#include "daemon/control/policy/edit/statement.h"
#include "daemon/control/policy/history/texts.h"
#include "daemon/control/request/command.h"

/* What a verb with VERB_EDITS says. */
void edit_from(const struct verb_noun *noun, const struct verb_words *given, struct edit *edit);
/* Carries them out in order and ends the command; edits are taken over (malloc'ed). */
void edit_run(struct command *command, struct edit *edits, size_t n);

/* The texts that the running policy read, for parsing it again as it was; the file whose path is
 * given is read anew. 0 or -errno. */
struct control;
int edit_running_texts(struct control *control, const char *anew, struct policy_texts *texts);

#endif
