/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the confirm that a policy waits for: without it the policy before returns in time, also over
 * a restart, since it stands in `current`. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_CONFIRM_H
#define POSTERN_DAEMON_CONTROL_POLICY_CONFIRM_H

#include "daemon/control/policy/apply.h"

struct confirm;

struct confirm *confirm_new(struct control *control);
void confirm_free(struct confirm *confirm); /* NULL is allowed */
/* It is given: the running policy stays. Only when no apply is under way. 0, -ENOENT (none waits)
 * or -errno at once. */
int confirm_give(struct confirm *confirm, apply_done *done, void *context);
/* Sets the timer of one that the state folder says is waiting. */
void confirm_resume(struct confirm *confirm);
/* If its time is over the policy before returns, now or as soon as no apply is under way. */
void confirm_expire(struct confirm *confirm);
/* The policy that returns if nobody confirms, and its number: the caller's. NULL: none waits, or it
 * is lost. */
struct policy *confirm_load_back(struct confirm *confirm, uint64_t *number);

#endif
