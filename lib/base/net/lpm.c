/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/net/lpm.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A path-compressed binary trie for each of IPv4, IPv6 and MACs. A node stands for the first len
 * bits of its key; a child's key begins with them. A node without a value has two children: it is
 * only there to branch. Nodes live in one array and name each other by index, 0 meaning none. */
struct node {
	uint32_t child[2];
	void *value;
	uint8_t len;
	uint8_t key[]; /* key_bytes of the trie */
};

struct trie {
	unsigned char *nodes;
	uint32_t size, used; /* index 0 is never used */
	uint32_t unused;     /* list of freed nodes through child[0] */
	uint32_t root;
	uint32_t count;
	uint8_t key_bytes;
	uint8_t stride;
};

enum { TRIE_IP4, TRIE_IP6, TRIE_MAC, TRIES };

struct lpm {
	struct trie tries[TRIES];
};

#define DEEPEST LPM_DEPTH

static struct node *node_at(const struct trie *trie, uint32_t i)
{
	return (struct node *)(void *)(trie->nodes + (size_t)i * trie->stride);
}

static unsigned bit_of(const uint8_t *key, unsigned i)
{
	return key[i / 8] >> (7 - i % 8) & 1;
}

/* How many of the first `most` bits are the same. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned most)
{
	unsigned bits = 0;

	for (; bits < most; bits += 8) {
		unsigned differ = a[bits / 8] ^ b[bits / 8];
		if (differ) {
			bits += (unsigned)__builtin_clz(differ) - 24;
			break;
		}
	}
	return bits < most ? bits : most;
}

static void clear_behind(uint8_t *key, unsigned len, unsigned bytes)
{
	if (len % 8) {
		key[len / 8] &= (uint8_t)(0xff00 >> len % 8);
		len += 8 - len % 8;
	}
	memset(key + len / 8, 0, bytes - len / 8);
}

/* Makes room for two nodes, which is what one insertion takes at most. */
static int reserve(struct trie *trie)
{
	if (trie->size - trie->used >= 2)
		return 0;
	if (trie->size > UINT32_MAX / 2)
		return -ENOMEM;
	uint32_t size = trie->size ? trie->size * 2 : 8;
	unsigned char *nodes = realloc(trie->nodes, (size_t)size * trie->stride);
	if (!nodes)
		return -ENOMEM;
	trie->nodes = nodes;
	trie->size = size;
	if (trie->used == 0)
		trie->used = 1;
	return 0;
}

static uint32_t make_node(struct trie *trie, const uint8_t *key, unsigned len, void *value)
{
	uint32_t i = trie->unused;

	if (i)
		trie->unused = node_at(trie, i)->child[0];
	else
		i = trie->used++;
	struct node *node = node_at(trie, i);
	node->child[0] = node->child[1] = 0;
	node->value = value;
	node->len = (uint8_t)len;
	memcpy(node->key, key, trie->key_bytes);
	clear_behind(node->key, len, trie->key_bytes);
	return i;
}

static void free_node(struct trie *trie, uint32_t i)
{
	node_at(trie, i)->child[0] = trie->unused;
	trie->unused = i;
}

static int trie_add(struct trie *trie, const uint8_t *key, unsigned len, void *value)
{
	assert(value);
	if (reserve(trie) < 0)
		return -ENOMEM;

	uint32_t *link = &trie->root;
	unsigned common = 0;
	while (*link) {
		struct node *node = node_at(trie, *link);
		common = common_bits(node->key, key, node->len < len ? node->len : len);
		if (common < node->len)
			break;
		if (node->len == len) {
			if (!node->value)
				trie->count++;
			node->value = value;
			return 0;
		}
		link = &node->child[bit_of(key, node->len)];
	}

	uint32_t below = *link, made = make_node(trie, key, len, value);
	trie->count++;
	if (!below) {
		*link = made;
	} else if (common == len) {
		node_at(trie, made)->child[bit_of(node_at(trie, below)->key, len)] = below;
		*link = made;
	} else {
		uint32_t branch = make_node(trie, key, common, NULL);
		node_at(trie, branch)->child[bit_of(key, common)] = made;
		node_at(trie, branch)->child[!bit_of(key, common)] = below;
		*link = branch;
	}
	return 0;
}

/* Takes a node without a value out, if it no longer has two children to keep apart. */
static void unlink_if_idle(struct trie *trie, uint32_t *link)
{
	uint32_t i = *link;
	struct node *node = node_at(trie, i);

	if (node->value || (node->child[0] && node->child[1]))
		return;
	*link = node->child[0] ? node->child[0] : node->child[1];
	free_node(trie, i);
}

static void *trie_del(struct trie *trie, const uint8_t *key, unsigned len)
{
	uint32_t *link = &trie->root, *above = NULL;

	while (*link) {
		struct node *node = node_at(trie, *link);
		if (node->len > len || common_bits(node->key, key, node->len) < node->len)
			return NULL;
		if (node->len == len)
			break;
		above = link;
		link = &node->child[bit_of(key, node->len)];
	}
	if (!*link)
		return NULL;
	void *value = node_at(trie, *link)->value;
	if (!value)
		return NULL;
	node_at(trie, *link)->value = NULL;
	trie->count--;
	unlink_if_idle(trie, link);
	if (above)
		unlink_if_idle(trie, above);
	return value;
}

/* The deepest node with a value on the way to key. */
static const struct node *trie_find(const struct trie *trie, const uint8_t *key, unsigned len)
{
	const struct node *best = NULL;

	for (uint32_t i = trie->root; i;) {
		const struct node *node = node_at(trie, i);
		if (node->len > len || common_bits(node->key, key, node->len) < node->len)
			break;
		if (node->value)
			best = node;
		if (node->len == len)
			break;
		i = node->child[bit_of(key, node->len)];
	}
	return best;
}

static void *find_exact(const struct trie *trie, const uint8_t *key, unsigned len)
{
	const struct node *node = trie_find(trie, key, len);

	return node && node->len == len ? node->value : NULL;
}

struct lpm *lpm_new(void)
{
	static const uint8_t key_bytes[TRIES] = {4, 16, 6};
	struct lpm *lpm = calloc(1, sizeof(*lpm));

	if (!lpm)
		return NULL;
	for (unsigned i = 0; i < TRIES; i++) {
		size_t align = _Alignof(struct node);
		size_t bytes = offsetof(struct node, key) + key_bytes[i];
		lpm->tries[i].key_bytes = key_bytes[i];
		lpm->tries[i].stride = (uint8_t)((bytes + align - 1) / align * align);
	}
	return lpm;
}

void lpm_free(struct lpm *lpm)
{
	if (!lpm)
		return;
	for (unsigned i = 0; i < TRIES; i++)
		free(lpm->tries[i].nodes);
	free(lpm);
}

/* The trie of a family; NULL for ADDR_NONE, which nothing is ever found in. */
static struct trie *trie_of(const struct lpm *lpm, const struct addr *addr)
{
	if (addr->family == ADDR_NONE)
		return NULL;
	return (struct trie *)&lpm->tries[addr->family == ADDR_IP4 ? TRIE_IP4 : TRIE_IP6];
}

int lpm_add(struct lpm *lpm, const struct prefix *prefix, void *value)
{
	struct trie *trie = trie_of(lpm, &prefix->addr);

	assert(trie && prefix->len <= addr_bits(&prefix->addr));
	return trie_add(trie, prefix->addr.bytes, prefix->len, value);
}

int lpm_add_mac(struct lpm *lpm, const struct mac *mac, void *value)
{
	return trie_add(&lpm->tries[TRIE_MAC], mac->bytes, 48, value);
}

void *lpm_del(struct lpm *lpm, const struct prefix *prefix)
{
	struct trie *trie = trie_of(lpm, &prefix->addr);

	return trie ? trie_del(trie, prefix->addr.bytes, prefix->len) : NULL;
}

void *lpm_del_mac(struct lpm *lpm, const struct mac *mac)
{
	return trie_del(&lpm->tries[TRIE_MAC], mac->bytes, 48);
}

static void prefix_from(const struct node *node, unsigned trie, struct prefix *prefix)
{
	memset(prefix, 0, sizeof(*prefix));
	prefix->addr.family = trie == TRIE_IP4 ? ADDR_IP4 : ADDR_IP6;
	memcpy(prefix->addr.bytes, node->key, trie == TRIE_IP4 ? 4 : 16);
	prefix->len = node->len;
}

void *lpm_find(const struct lpm *lpm, const struct addr *addr, struct prefix *matched)
{
	const struct trie *trie = trie_of(lpm, addr);
	const struct node *node = trie ? trie_find(trie, addr->bytes, addr_bits(addr)) : NULL;

	if (!node)
		return NULL;
	if (matched)
		prefix_from(node, addr->family == ADDR_IP4 ? TRIE_IP4 : TRIE_IP6, matched);
	return node->value;
}

unsigned lpm_find_all(
	const struct lpm *lpm, const struct addr *addr, void *values[static LPM_DEPTH])
{
	const struct trie *trie = trie_of(lpm, addr);
	unsigned n = 0;

	for (uint32_t i = trie ? trie->root : 0; i;) {
		const struct node *node = node_at(trie, i);
		if (common_bits(node->key, addr->bytes, node->len) < node->len)
			break;
		if (node->value)
			values[n++] = node->value;
		if (node->len == addr_bits(addr))
			break;
		i = node->child[bit_of(addr->bytes, node->len)];
	}
	return n;
}

void *lpm_find_exact(const struct lpm *lpm, const struct prefix *prefix)
{
	const struct trie *trie = trie_of(lpm, &prefix->addr);

	return trie ? find_exact(trie, prefix->addr.bytes, prefix->len) : NULL;
}

void *lpm_find_mac(const struct lpm *lpm, const struct mac *mac)
{
	return find_exact(&lpm->tries[TRIE_MAC], mac->bytes, 48);
}

size_t lpm_count(const struct lpm *lpm)
{
	size_t count = 0;

	for (unsigned i = 0; i < TRIES; i++)
		count += lpm->tries[i].count;
	return count;
}

bool lpm_has_macs(const struct lpm *lpm)
{
	return lpm->tries[TRIE_MAC].count > 0;
}

int lpm_each(const struct lpm *lpm,
	int (*visit)(
		void *context, const struct prefix *prefix, const struct mac *mac, void *value),
	void *context)
{
	for (unsigned t = 0; t < TRIES; t++) {
		const struct trie *trie = &lpm->tries[t];
		uint32_t stack[DEEPEST + 1];
		unsigned depth = 0;
		if (trie->root)
			stack[depth++] = trie->root;
		while (depth > 0) {
			const struct node *node = node_at(trie, stack[--depth]);
			if (node->child[1])
				stack[depth++] = node->child[1];
			if (node->child[0])
				stack[depth++] = node->child[0];
			if (!node->value)
				continue;
			struct prefix prefix;
			struct mac mac;
			if (t == TRIE_MAC)
				memcpy(mac.bytes, node->key, sizeof(mac.bytes));
			else
				prefix_from(node, t, &prefix);
			int stop = visit(context, t == TRIE_MAC ? NULL : &prefix,
				t == TRIE_MAC ? &mac : NULL, node->value);
			if (stop)
				return stop;
		}
	}
	return 0;
}
