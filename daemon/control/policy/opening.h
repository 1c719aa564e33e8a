/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the look at what a coming policy would let pass that the running one redirects. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_OPENING_H
#define POSTERN_DAEMON_CONTROL_POLICY_OPENING_H

#include "lib/policy/policy.h"

struct control;

/* Each way out, one a line, with the sessions behind; malloc'ed, "" for none; NULL: no memory. */
char *opening_find(struct control *control, const struct policy *coming);

#endif
