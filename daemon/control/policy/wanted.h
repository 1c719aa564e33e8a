/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which of the processes that need not run are wanted, and the waiting for those that a policy
 * needs before it can come into force. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_WANTED_H
#define POSTERN_DAEMON_CONTROL_POLICY_WANTED_H

#include "daemon/process/roles.h"

#include <stdbool.h>

struct control;
struct gather;
struct wanted;

struct wanted *wanted_new(struct control *control);
void wanted_free(struct wanted *wanted);
/* Tells the keeper which are wanted: for the policy in force, and for one that comes; NULL: none
 * comes. */
void wanted_policy(struct wanted *wanted, const struct policy *coming);
/* A part of the gather ends when as many processes with flows run as the policy in force and this
 * one want; with -ETIME when that takes too long. One at a time. */
void wanted_await(struct wanted *wanted, struct gather *gather);
/* Do they? */
bool wanted_all_run(const struct wanted *wanted);
/* Is it one that is wanted, or always runs? */
bool wanted_is(const struct wanted *wanted, enum process_role role);
/* A process came. */
void wanted_on_peer(struct wanted *wanted);

#endif
