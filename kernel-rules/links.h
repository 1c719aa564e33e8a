/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the picture of the machine's network interfaces. */
#ifndef POSTERN_KERNEL_RULES_LINKS_H
#define POSTERN_KERNEL_RULES_LINKS_H

#include "lib/policy/policy.h"

struct link {
	uint32_t ifindex;
	char name[POLICY_IFNAME_SIZE];
	bool has_mac; /* Ethernet-like: its packets carry the client's MAC */
	bool up;
	bool running;           /* up, and its link is, too */
	uint32_t carrier_downs; /* how often its link went down: also between two readings */
	bool is_bridge;         /* a bridge itself, not a port of one */
	/* its own settings nf_call_iptables and nf_call_ip6tables, beside those for all bridges */
	bool calls_ip4, calls_ip6;
	uint32_t master; /* ifindex of what it is a part of; 0: of nothing */
};

enum link_change {
	LINK_CAME,
	LINK_CHANGED, /* up or down, its link, a new name, or part of another */
	LINK_WENT,
};

/* old is what was known before (NULL with LINK_CAME), link what is now (with LINK_WENT: the last
 * that was known). Both are borrowed for the call. */
typedef void links_on_change(
	void *context, enum link_change change, const struct link *old, const struct link *link);

struct links;

/* Reads all interfaces, calling on_change with LINK_CAME for each, and listens from then on. */
int links_open(struct links **links, links_on_change *on_change, void *context);
void links_close(struct links *links); /* NULL is allowed */
int links_fd(const struct links *links);
/* Call when the descriptor is readable. 0 or -errno. Lost events are made up for by reading all
 * again. */
int links_read(struct links *links);

const struct link *links_find(const struct links *links, uint32_t ifindex);
size_t links_count(const struct links *links);
const struct link *links_at(const struct links *links, size_t at); /* at < links_count() */

#endif
