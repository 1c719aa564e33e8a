/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words in which a policy says which zones are read at message level from now on, or no
 * more. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_LEVEL_NOTICE_H
#define POSTERN_DAEMON_CONTROL_POLICY_LEVEL_NOTICE_H

#include "lib/policy/policy.h"

/* A line for each zone whose level is another in the coming policy (NULL: none runs), as warnings
 * of the language are: "policy: warning: zone guest: level message by rule mail: recipient: ...".
 * malloc'ed; "": no zone; NULL: out of memory. */
char *level_notice(const struct policy *running, const struct policy *coming);
void level_notice_log(const struct policy *running, const struct policy *coming);

#endif
