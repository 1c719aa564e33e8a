/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns changes of dynamic lists: in force, in the relays, on disk, out of the kernel's cache. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_LIST_CHANGE_H
#define POSTERN_DAEMON_CONTROL_SESSION_LIST_CHANGE_H

#include "daemon/control/peers/question.h"
#include "daemon/control/session/list_difference.h"
#include "lib/policy/lists.h"

struct control;

/* Several elements at once; end_ms: steady, 0: for ever. Parts of the gather. */
void list_change_add(struct control *control, const char *list, const struct policy_elem *elems,
	size_t n, uint64_t end_ms, struct gather *gather);
void list_change_remove(struct control *control, const char *list, const struct policy_elem *elems,
	size_t n, struct gather *gather);
/* What comes and goes, and nothing else. */
void list_change_set(struct control *control, const char *list,
	const struct list_difference *difference, struct gather *gather);
/* How many elements are there under the list's name that are of another kind. */
struct policy_list;
size_t list_change_others(const struct control *control, const struct policy_list *list);
/* They go: what a list of that name left behind that is no more. Call with a new policy. */
void list_change_settle(struct control *control);
/* Removes entries when their time is over; call when lists were changed by others. */
void list_change_arm(struct control *control);
void list_change_disarm(struct control *control);

#endif
