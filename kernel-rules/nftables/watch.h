/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the hearing of foreign changes to our table. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_WATCH_H
#define POSTERN_KERNEL_RULES_NFTABLES_WATCH_H

#include "kernel-rules/nftables/table.h"

struct watch;

/* Changes made by the socket of table are not heard. The table must outlive the watch. */
int watch_open(const struct table *table, struct watch **watch);
void watch_close(struct watch *watch); /* NULL is allowed */
int watch_fd(const struct watch *watch);
/* Call when the descriptor is readable. 1: another program changed or removed our table, or we
 * lost events and cannot know: table_apply() heals. 0: nothing of ours. -errno. */
int watch_read(struct watch *watch);

#endif
