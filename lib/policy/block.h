/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who may not send for a time, whatever the rules say: blocks of users, MACs, addresses and
 * networks, in one zone or in all.
 *
 * Control holds the authority's copy and every relay a copy kept by deltas; both use this code. */
#ifndef POSTERN_LIB_POLICY_BLOCK_H
#define POSTERN_LIB_POLICY_BLOCK_H

#include "lib/base/addr.h"
#include "lib/policy/policy.h"

#define BLOCKS_MAX 20000

#define BLOCK_LIMIT_SIZE   96
#define BLOCK_USER_SIZE    (POLICY_USER_SIZE + 8) /* with a source in front */
#define BLOCK_SUBJECT_SIZE (BLOCK_USER_SIZE + POLICY_NAME_SIZE + 24)

enum block_kind {
	BLOCK_USER,
	BLOCK_MAC,
	BLOCK_ADDRESS, /* or a network */
};
#define BLOCK_KINDS 3
extern const char *const block_kind_names[BLOCK_KINDS];

/* One block, as it travels and as it is kept. Times are of the
 * caller's clock. kind, zone and what the kind
 * names are its subject: there is one block of a subject. */
struct block {
	uint8_t kind; /* enum block_kind */
	uint8_t reserved;
	uint16_t code; /* 421 or 554 */
	uint32_t uid;  /* who made it; without meaning when a limit did */
	struct mac mac;
	struct prefix prefix;
	char user[BLOCK_USER_SIZE];   /* as policy_user_of() reads it: "anna" is of every source */
	char zone[POLICY_NAME_SIZE];  /* empty: all */
	char text[POLICY_TEXT_SIZE];  /* what the client hears */
	char limit[BLOCK_LIMIT_SIZE]; /* the limit that made it, in the language; empty: an operator
				       */
	uint64_t flow;                /* with a limit: the flow that was over it */
	uint64_t since_ms;
	uint64_t until_ms; /* 0: until it is deleted */
};

struct blocks;

struct blocks *blocks_new(void);
void blocks_free(struct blocks *blocks); /* NULL is allowed */
/* A copy, in place of the one of the same subject. 0, -ENOMEM, or -ENOSPC: BLOCKS_MAX are there. */
int blocks_put(struct blocks *blocks, const struct block *block);
/* By the subject. 0 or -ENOENT. */
int blocks_del(struct blocks *blocks, const struct block *subject);
/* By the subject; borrowed until the next change. NULL: none. */
const struct block *blocks_find(const struct blocks *blocks, const struct block *subject);
size_t blocks_count(const struct blocks *blocks);
/* The block of a client at this time; NULL: none. user, whose name is of this source, and mac may
 * be NULL. User before MAC before the longest prefix; of one subject that of the zone before that
 * of all. Borrowed. */
const struct block *blocks_match(const struct blocks *blocks, const char *zone, const char *user,
	enum policy_source source, const struct mac *mac, const struct addr *addr, uint64_t now_ms);
/* May a MAC that is not known yet be blocked in this zone? */
bool blocks_hold_macs(const struct blocks *blocks, const char *zone, uint64_t now_ms);
/* The oldest first; stops when visit returns non-zero and returns that. The visitor must not change
 * the table. */
int blocks_each(const struct blocks *blocks, int (*visit)(void *context, const struct block *block),
	void *context);
/* The next to be over; NULL: none ends. Never a scan. */
const struct block *blocks_next_end(const struct blocks *blocks);

/* "user anna in zone guest", "mac 02:00:5e:00:53:09", "address 192.0.2.0/24". Returns buf. */
const char *block_format_subject(const struct block *block, char buf[static BLOCK_SUBJECT_SIZE]);
bool block_same_subject(const struct block *a, const struct block *b);

#endif
