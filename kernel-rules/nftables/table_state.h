/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is inside a table handle; for the files that carry out the functions of table.h. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_TABLE_STATE_H
#define POSTERN_KERNEL_RULES_NFTABLES_TABLE_STATE_H

#include "kernel-rules/nftables/batch.h"
#include "kernel-rules/nftables/set.h"
#include "kernel-rules/nftables/table.h"

/* A change of what an apply keeps (client sets, counters) needs another number: a table with
 * another one is replaced whole. nft prints it as the table's comment. */
#define TABLE_LAYOUT "postern layout 4"

#define TABLE_F_OWNER   2 /* NFT_TABLE_F_OWNER: only this socket may change it */
#define TABLE_F_PERSIST 4 /* NFT_TABLE_F_PERSIST, Linux 6.9: it outlives the socket */

struct table {
	struct netlink nl;
	/* What this kernel can do, found out by the first apply and then remembered. */
	bool no_owner, no_native_queue, no_set_counters;
	enum table_queue queue;
	bool running; /* the client sets are there */
	bool owned;
	uint32_t client_max;
	bool renews; /* adding an entry that is there begins its time anew (Linux 6.12) */
	/* At most so many entries are in each client set; 0 is exact. */
	uint32_t counts[SET_CLIENTS];
	/* Of the plan in force; not running: none. */
	bool has_paths;
	uint32_t server_mask;
	struct plan_path *paths;
	size_t npaths;
	uint16_t highest_number;
	uint64_t recounted_ms; /* when a full set was last counted; CLOCK_MONOTONIC */
};

enum contents_kind {
	CONTENTS_CHAIN,
	CONTENTS_SET,
	CONTENTS_COUNTER,
};

struct contents_name {
	enum contents_kind kind;
	bool base; /* a base chain */
	char name[SET_NAME_SIZE];
};

/* The table as the kernel has it. */
struct contents {
	bool exists, layout_ok;
	uint32_t flags, owner;
	struct contents_name *names;
	size_t n;
};

/* 0 or -errno; a table that is not there is no error. */
int contents_read(struct netlink *nl, struct contents *view);
void contents_fini(struct contents *view);
bool contents_has(const struct contents *view, enum contents_kind kind, const char *name);

/* The message that makes the table, or takes it over from a dead owner. */
void table_put(struct batch *batch, uint32_t flags);

#endif
