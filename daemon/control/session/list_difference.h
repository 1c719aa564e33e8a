/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what new elements of a dynamic list would change: what comes, what goes, what stays. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_LIST_DIFFERENCE_H
#define POSTERN_DAEMON_CONTROL_SESSION_LIST_DIFFERENCE_H

#include "daemon/control/store/session_store.h"
#include "lib/policy/lists.h"

struct list_difference {
	struct policy_elem *came, *went; /* in order; their texts are borrowed */
	size_t ncame, nwent, nstayed;
	size_t nretimed; /* of those that stay: they end at another time, or no more */
	/* All that the list will hold, in order, each once. */
	struct session_store_entry *entries;
	size_t n;
};

/* Elements in place of what list NAME holds; with merge beside it. None of them ends. 0 or -ENOMEM.
 * The elements are sorted by it. Valid until the list's next change; to be fini'ed. */
int list_difference_make(const struct lists *lists, const char *name, struct policy_elem *elems,
	size_t n, bool merge, struct list_difference *difference);
void list_difference_fini(struct list_difference *difference);
bool list_difference_is_none(const struct list_difference *difference);

#endif
