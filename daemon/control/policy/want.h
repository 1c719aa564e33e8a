/* Owns which of the processes that need not run are wanted, and the waiting for those that a policy
 * needs before it can come into force. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_WANT_H
#define POSTERN_DAEMON_CONTROL_POLICY_WANT_H

#include "daemon/process/roles.h"

#include <stdbool.h>

struct control;
struct gather;
struct want;

struct want *want_new(struct control *control);
void want_free(struct want *want);
/* Tells the keeper which are wanted: for the policy in force, and for one that comes; NULL: none
 * comes. */
void want_policy(struct want *want, const struct policy *coming);
/* A part of the gather ends when as many processes with flows run as the policy in force and this
 * one want; with -ETIME when that takes too long. One at a time. */
void want_await(struct want *want, struct gather *gather);
/* Do they? */
bool want_all_run(const struct want *want);
/* Is it one that is wanted, or always runs? */
bool want_is(const struct want *want, enum process_role role);
/* A process came. */
void want_on_peer(struct want *want);

#endif
