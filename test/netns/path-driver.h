/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What netns-kernel-driver does with paths in the kernel and their flows. */
#ifndef POSTERN_TEST_NETNS_PATH_DRIVER_H
#define POSTERN_TEST_NETNS_PATH_DRIVER_H

#include "kernel-rules/nftables/table.h"

struct path_driver {
	int log; /* of flows; -1: not open */
};

/* Carries a line out. 0, or -errno; -EINVAL also for what is no word of paths. */
int path_driver_act(
	struct path_driver *driver, struct plan *plan, struct table *table, char **words, size_t n);
/* Tells what the log has, as events. */
void path_driver_read(struct path_driver *driver);
void path_driver_close(struct path_driver *driver);

#endif
