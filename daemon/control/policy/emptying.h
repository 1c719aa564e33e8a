/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the look at what of a policy would be left empty by another: nobody means that by an empty
 * file or a mistyped option. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_EMPTYING_H
#define POSTERN_DAEMON_CONTROL_POLICY_EMPTYING_H

#include "lib/policy/policy.h"

/* The zones, the rules, a list of either's text or files: each that has something in the one and
 * nothing in the other, one a line. malloc'ed, "" for none; NULL: no memory. */
char *emptying_find(const struct policy *running, const struct policy *coming);

#endif
