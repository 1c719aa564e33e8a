/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the sets and maps of paths in the kernel: where numbers lead, and what is counted for them.
 */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_PATH_SET_H
#define POSTERN_KERNEL_RULES_NFTABLES_PATH_SET_H

#include "kernel-rules/nftables/table_state.h"

/* Does an apply of the plan keep this set with what stands in it? Client maps are not meant. */
bool path_set_is_kept(const struct plan *plan, const char *name);
/* Makes and fills those that the plan wants and the view lacks. */
void path_set_put(struct batch *batch, const struct plan *plan, const struct contents *view);
/* Empties the clients' maps if an entry could have a number that is another's now: one that was
 * another server's, or had another limit, before the plan; or where that is not known. True: it
 * did. */
bool path_set_forget(struct batch *batch, const struct table *table, const struct plan *plan,
	const struct contents *view);
/* The plan is in force. Without memory for it the table has no paths until the next one is. */
void path_set_keep(struct table *table, const struct plan *plan);

#endif
