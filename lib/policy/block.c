/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/block.h"

#include "lib/base/hash.h"
#include "lib/base/heap.h"
#include "lib/base/net/lpm.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_BUCKETS 1024

const char *const block_kind_names[] = {
	[BLOCK_USER] = "user",
	[BLOCK_MAC] = "mac",
	[BLOCK_ADDRESS] = "address",
};
static_assert(sizeof(block_kind_names) / sizeof(block_kind_names[0]) == BLOCK_KINDS, "a name each");

/* Blocks that differ only in their zone hang together: MACs and prefixes have one place each in the
 * index, and its value is the first of them. Users share their bucket with others. */
struct node {
	struct heap_item end; /* first: the heap's items are nodes; not in it: never ends */
	struct block block;
	struct node *next;            /* of the same MAC or prefix, or in the bucket */
	struct node *older, *younger; /* of all */
};

struct blocks {
	struct node *users[USER_BUCKETS];
	struct lpm *places; /* MACs and prefixes */
	struct heap ends;
	struct node *oldest, *youngest;
	size_t n, nmacs;
};

struct blocks *blocks_new(void)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));

	if (!blocks)
		return NULL;
	blocks->places = lpm_new();
	if (!blocks->places) {
		free(blocks);
		return NULL;
	}
	return blocks;
}

void blocks_free(struct blocks *blocks)
{
	if (!blocks)
		return;
	for (struct node *node = blocks->oldest, *next; node; node = next) {
		next = node->younger;
		free(node);
	}
	lpm_free(blocks->places);
	heap_fini(&blocks->ends);
	free(blocks);
}

size_t blocks_count(const struct blocks *blocks)
{
	return blocks->n;
}

bool block_same_subject(const struct block *a, const struct block *b)
{
	if (a->kind != b->kind || strcmp(a->zone, b->zone) != 0)
		return false;
	switch ((enum block_kind)a->kind) {
	case BLOCK_USER:
		return strcmp(a->user, b->user) == 0;
	case BLOCK_MAC:
		return mac_equal(&a->mac, &b->mac);
	case BLOCK_ADDRESS:
		return a->prefix.len == b->prefix.len &&
		       addr_equal(&a->prefix.addr, &b->prefix.addr);
	}
	return false;
}

static unsigned bucket_of(const char *user)
{
	return hash_bytes(user, strlen(user)) % USER_BUCKETS;
}

/* The first of those among which the subject is, if it is there. */
static struct node *first_of(const struct blocks *blocks, const struct block *subject)
{
	switch ((enum block_kind)subject->kind) {
	case BLOCK_USER:
		return blocks->users[bucket_of(subject->user)];
	case BLOCK_MAC:
		return lpm_find_mac(blocks->places, &subject->mac);
	case BLOCK_ADDRESS:
		return lpm_find_exact(blocks->places, &subject->prefix);
	}
	return NULL;
}

static int set_first(struct blocks *blocks, const struct block *subject, struct node *first)
{
	switch ((enum block_kind)subject->kind) {
	case BLOCK_USER:
		blocks->users[bucket_of(subject->user)] = first;
		return 0;
	case BLOCK_MAC:
		if (first)
			return lpm_add_mac(blocks->places, &subject->mac, first);
		lpm_del_mac(blocks->places, &subject->mac);
		return 0;
	case BLOCK_ADDRESS:
		if (first)
			return lpm_add(blocks->places, &subject->prefix, first);
		lpm_del(blocks->places, &subject->prefix);
		return 0;
	}
	return -EINVAL;
}

static struct node *find(const struct blocks *blocks, const struct block *subject)
{
	struct node *node = first_of(blocks, subject);

	while (node && !block_same_subject(&node->block, subject))
		node = node->next;
	return node;
}

const struct block *blocks_find(const struct blocks *blocks, const struct block *subject)
{
	const struct node *node = find(blocks, subject);

	return node ? &node->block : NULL;
}

static void set_end(struct blocks *blocks, struct node *node)
{
	if (node->block.until_ms)
		heap_set(&blocks->ends, &node->end, node->block.until_ms);
	else
		heap_clear(&blocks->ends, &node->end);
}

int blocks_put(struct blocks *blocks, const struct block *block)
{
	struct node *node = find(blocks, block);

	if (heap_reserve(&blocks->ends) < 0)
		return -ENOMEM;
	if (node) {
		node->block = *block;
		set_end(blocks, node);
		return 0;
	}
	if (blocks->n >= BLOCKS_MAX)
		return -ENOSPC;
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->block = *block;
	node->next = first_of(blocks, block);
	int status = set_first(blocks, block, node);
	if (status < 0) {
		free(node);
		return status;
	}
	node->older = blocks->youngest;
	*(node->older ? &node->older->younger : &blocks->oldest) = node;
	blocks->youngest = node;
	blocks->n++;
	blocks->nmacs += block->kind == BLOCK_MAC;
	set_end(blocks, node);
	return 0;
}

int blocks_del(struct blocks *blocks, const struct block *subject)
{
	struct node *node = find(blocks, subject);
	struct node *before = first_of(blocks, subject);

	if (!node)
		return -ENOENT;
	if (before == node) {
		/* in the place of what is there already: nothing is allocated */
		set_first(blocks, subject, node->next);
	} else {
		while (before->next != node)
			before = before->next;
		before->next = node->next;
	}
	*(node->older ? &node->older->younger : &blocks->oldest) = node->younger;
	*(node->younger ? &node->younger->older : &blocks->youngest) = node->older;
	blocks->n--;
	blocks->nmacs -= node->block.kind == BLOCK_MAC;
	heap_clear(&blocks->ends, &node->end);
	free(node);
	return 0;
}

static bool holds(const struct block *block, const char *zone, uint64_t now_ms)
{
	return (!block->zone[0] || strcmp(block->zone, zone) == 0) &&
	       (!block->until_ms || block->until_ms > now_ms);
}

/* Of several that differ in their zone: that of the zone itself first. user NULL: all of them are
 * of one subject. */
static const struct block *pick(
	const struct node *node, const char *zone, const char *user, uint64_t now_ms)
{
	const struct block *found = NULL;

	for (; node; node = node->next) {
		if (user && strcmp(node->block.user, user) != 0)
			continue;
		if (holds(&node->block, zone, now_ms) && (!found || node->block.zone[0]))
			found = &node->block;
	}
	return found;
}

/* By the bare name, or with the source in front. */
static const struct block *pick_user(const struct blocks *blocks, const char *zone,
	const char *user, enum policy_source source, uint64_t now_ms)
{
	const char *bare = user;
	const struct block *found = NULL;
	char named[BLOCK_USER_SIZE];

	/* one that is itself called "auth:anna" is nobody's that is written so */
	policy_user_sources(&bare);
	if (bare == user)
		found = pick(blocks->users[bucket_of(user)], zone, user, now_ms);
	if (found)
		return found;
	snprintf(named, sizeof(named), "%s:%s", policy_source_names[source], user);
	return pick(blocks->users[bucket_of(named)], zone, named, now_ms);
}

const struct block *blocks_match(const struct blocks *blocks, const char *zone, const char *user,
	enum policy_source source, const struct mac *mac, const struct addr *addr, uint64_t now_ms)
{
	const struct block *found = NULL;
	void *held[LPM_DEPTH];

	if (blocks->n == 0)
		return NULL;
	if (user)
		found = pick_user(blocks, zone, user, source, now_ms);
	if (!found && mac && mac_is_set(mac))
		found = pick(lpm_find_mac(blocks->places, mac), zone, NULL, now_ms);
	if (found)
		return found;
	for (unsigned n = lpm_find_all(blocks->places, addr, held); n > 0 && !found;)
		found = pick(held[--n], zone, NULL, now_ms);
	return found;
}

bool blocks_hold_macs(const struct blocks *blocks, const char *zone, uint64_t now_ms)
{
	for (const struct node *node = blocks->nmacs ? blocks->oldest : NULL; node;
		node = node->younger)
		if (node->block.kind == BLOCK_MAC && holds(&node->block, zone, now_ms))
			return true;
	return false;
}

int blocks_each(const struct blocks *blocks, int (*visit)(void *context, const struct block *block),
	void *context)
{
	for (const struct node *node = blocks->oldest; node; node = node->younger) {
		int status = visit(context, &node->block);
		if (status)
			return status;
	}
	return 0;
}

const struct block *blocks_next_end(const struct blocks *blocks)
{
	const struct node *node = (const struct node *)heap_first(&blocks->ends);

	return node ? &node->block : NULL;
}

const char *block_format_subject(const struct block *block, char buf[static BLOCK_SUBJECT_SIZE])
{
	char text[PREFIX_TEXT_SIZE];
	const char *who = block->user;

	switch ((enum block_kind)block->kind) {
	case BLOCK_USER:
		break;
	case BLOCK_MAC:
		who = mac_format(&block->mac, text);
		break;
	case BLOCK_ADDRESS:
		who = prefix_format(&block->prefix, text);
		break;
	}
	snprintf(buf, BLOCK_SUBJECT_SIZE, "%s %s%s%s", block_kind_names[block->kind], who,
		*block->zone ? " in zone " : "", block->zone);
	return buf;
}
