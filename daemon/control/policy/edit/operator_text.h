/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the operator's own text of a policy, comments included: what becomes of it when a command
 * changes the policy. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_EDIT_OPERATOR_TEXT_H
#define POSTERN_DAEMON_CONTROL_POLICY_EDIT_OPERATOR_TEXT_H

#include "daemon/control/policy/history/record.h"
#include "lib/policy/policy.h"

struct control;

/* The running policy's own text, malloc'ed; NULL: it cannot be read. */
char *operator_text_running(struct control *control, size_t *len);
/* The text (NULL: none) if it says `after`, else the canonical one, malloc'ed. texts: what the
 * policy read, for replay. NULL: out of memory. */
char *operator_text_settle(struct control *control, const char *text, size_t text_len,
	const struct policy *after, struct policy_texts *texts, size_t *len);
/* Does the record's own text, with the files that it took in, still say the record's policy? */
bool operator_text_holds(struct control *control, const struct policy_record *record);

#endif
