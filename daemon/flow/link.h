/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a relay knows of the machine's interfaces: number, name, whether there are MACs. */
#ifndef POSTERN_DAEMON_FLOW_LINK_H
#define POSTERN_DAEMON_FLOW_LINK_H

#include "lib/ipc/kernel.h"

struct link {
	uint32_t ifindex;
	bool has_mac;
	char name[POLICY_IFNAME_SIZE];
};

struct link_table {
	struct link *v; /* in order of ifindex */
	size_t n, room;
};

void link_table_fini(struct link_table *table);
/* Adds the interface or takes its new name. 0 or -ENOMEM. */
int link_put(struct link_table *table, const struct ipc_link *ipc);
void link_del(struct link_table *table, uint32_t ifindex);
/* Borrowed until the next change. NULL: none. */
const struct link *link_find(const struct link_table *table, uint32_t ifindex);
const struct link *link_find_name(const struct link_table *table, const char *name);

#endif
