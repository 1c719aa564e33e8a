/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the ways of a policy: each a server with `path kernel` and how many flows a client may have
 * there at once, with a path for each place among the server's hosts. Who comes to be a host takes
 * a free place, and keeps it. */
#ifndef POSTERN_LIB_POLICY_PATH_PATH_WAY_H
#define POSTERN_LIB_POLICY_PATH_PATH_WAY_H

#include "lib/policy/path/path_choice.h"
#include "lib/policy/path/path_number.h"
#include "lib/policy/path/path_table.h"

struct path_place {
	uint16_t number; /* of its path; 0: there was none for it */
	uint64_t host;   /* whose it is, by name and port; 0: nobody's */
};

struct path_way {
	struct path_leg leg;
	unsigned nplaces;
	struct path_place *places;
	bool up[2]; /* clients go that way: IPv4, IPv6 */
};

/* Ordered by server and flows. Begins as {0}. */
struct path_ways {
	struct path_way *v;
	size_t n;
};

void path_ways_fini(struct path_ways *ways);
/* Those of that policy in their place, none of which is up. 0, or -ENOMEM: then there are none. */
int path_ways_read(struct path_ways *ways, const struct policy *policy);
/* Gives their paths the numbers that they have in the table. True: some had none before. */
bool path_ways_number(
	struct path_ways *ways, const struct policy *policy, const struct path_table *table);
/* Has every path its number? */
bool path_ways_are_numbered(const struct path_ways *ways);
/* All of their numbers are wanted. */
void path_ways_want(const struct path_ways *ways, struct path_table *table);
/* The first of that server; *n: how many it has, one behind the other. */
struct path_way *path_ways_of(const struct path_ways *ways, size_t server, size_t *n);
struct path_way *path_ways_find(const struct path_ways *ways, size_t server, uint32_t flows);

/* The targets take their places. */
void path_way_assign(struct path_way *way, const struct ipc_targets *targets);
/* The target that has the place; -1: none. */
ptrdiff_t path_way_host(
	const struct path_way *way, unsigned place, const struct ipc_targets *targets);
/* Where the path of a place leads: to its own host, or in the place of one that is not taken now
 * to another. False: nowhere. */
bool path_way_lead(const struct path_way *way, unsigned place, const struct path_hosts *hosts,
	enum addr_family family, struct endpoint *at);
/* The number of the path that a client is given; 0: none. */
uint16_t path_way_pick(
	const struct path_way *way, const struct path_hosts *hosts, const struct addr *client);

#endif
