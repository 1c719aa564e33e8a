/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the numbers of the paths in the kernel: whose each is, and where it leads.
 *
 * A number stays its path's for as long as a policy has that. What no policy has any more may
 * become another's: late, since what happens on it is told by number a little later. */
#ifndef POSTERN_LIB_POLICY_PATH_PATH_TABLE_H
#define POSTERN_LIB_POLICY_PATH_PATH_TABLE_H

#include "lib/base/addr.h"
#include "lib/base/hash.h"
#include "lib/policy/policy.h"

/* No number comes to another path before, if there are free ones. */
#define PATH_TABLE_REST_MS 10000

struct path_key {
	char server[POLICY_NAME_SIZE]; /* zeroed behind its end */
	uint32_t flows;                /* of one client at once; 0: any number */
	uint32_t place;                /* among the server's hosts */
};

struct path_slot {
	struct hash_link link;
	uint16_t number;
	struct path_key key;
	bool wanted;           /* by a policy in force, or one that is to be */
	uint64_t unwanted_ms;  /* since then it is not */
	struct endpoint at[2]; /* IPv4, IPv6; family ADDR_NONE: nowhere */
};

struct path_table {
	struct path_slot **v; /* by number - 1 */
	size_t n, room;
	size_t most; /* as many as there are numbers */
	struct hash by_key;
};

void path_table_init(struct path_table *table, size_t most);
void path_table_fini(struct path_table *table);

struct path_key path_key_of(const char *server, uint32_t flows, uint32_t place);
/* The number of that path, or 0. */
uint16_t path_table_find(const struct path_table *table, const struct path_key *key);
/* NULL: nobody ever had the number. */
struct path_slot *path_table_slot(const struct path_table *table, uint16_t number);

/* A round of who is wanted: begin, keep for what has a number, then add for what has none. The
 * rest is unwanted behind it. */
void path_table_begin(struct path_table *table, uint64_t now_ms);
void path_table_keep(struct path_table *table, const struct path_key *key);
/* The number of the path, a new one if it has none; 0: all are taken, or no memory. */
uint16_t path_table_add(struct path_table *table, const struct path_key *key, uint64_t now_ms);

#endif
