/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/kernel/entries.h"

#include "daemon/control/control.h"
#include "lib/base/container.h"
#include "lib/base/hash.h"
#include "lib/base/vector.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 65536

/* The ways an entry is looked up; each has a hash of its own. */
enum way {
	WAY_KEY,
	WAY_MAC,
	WAY_ADDR,
	WAY_SESSION,
	WAY_PATH,
};
#define WAYS 5

struct node {
	struct entry entry;
	struct loop_timer timer;
	struct entries *entries;
	struct link {
		struct node *next, **back;
	} links[WAYS];
};

struct entries {
	struct control *control;
	struct node **buckets[WAYS];
	size_t n;
	bool flush;
	struct ipc_entry *batch; /* deletes not sent yet */
	size_t nbatch, batch_room;
};

static bool way_used(const struct entry *entry, enum way way)
{
	return (way != WAY_MAC || entry->key.has_mac) && (way != WAY_SESSION || entry->session) &&
	       (way != WAY_PATH || entry->way);
}

/* All that go when a path is led elsewhere stand in one chain, and no other but by chance. */
static uint32_t hash_of_path(const struct entry *entry)
{
	const uint16_t path[3] = {
		entry->way, entry->key.mark, entry->key.source.family == ADDR_IP6};

	return hash_bytes(path, sizeof(path)) % BUCKETS;
}

static uint32_t hash_of(const struct entry *entry, enum way way)
{
	struct {
		struct mac mac;
		struct addr addr;
	} both;
	memset(&both, 0, sizeof(both));
	both.mac = entry->key.mac;
	both.addr = entry->key.source;
	switch (way) {
	case WAY_KEY:
		return hash_bytes(&both, sizeof(both)) % BUCKETS;
	case WAY_MAC:
		return hash_bytes(&both.mac, sizeof(both.mac)) % BUCKETS;
	case WAY_ADDR:
		return hash_bytes(&both.addr, sizeof(both.addr)) % BUCKETS;
	case WAY_SESSION:
		return hash_bytes(&entry->session, sizeof(entry->session)) % BUCKETS;
	case WAY_PATH:
		return hash_of_path(entry);
	}
	return 0;
}

struct entries *entries_new(struct control *control)
{
	struct entries *entries = calloc(1, sizeof(*entries));
	if (!entries)
		return NULL;
	entries->control = control;
	for (unsigned way = 0; way < WAYS; way++) {
		entries->buckets[way] = calloc(BUCKETS, sizeof(*entries->buckets[way]));
		if (!entries->buckets[way]) {
			entries_free(entries);
			return NULL;
		}
	}
	return entries;
}

static void put_out(struct node *node)
{
	for (unsigned way = 0; way < WAYS; way++) {
		struct link *link = &node->links[way];
		if (!link->back)
			continue;
		*link->back = link->next;
		if (link->next)
			link->next->links[way].back = link->back;
	}
	loop_timer_clear(node->entries->control->loop, &node->timer);
	node->entries->n--;
	free(node);
}

static void empty(struct entries *entries)
{
	for (size_t i = 0; i < BUCKETS && entries->buckets[WAY_KEY]; i++)
		while (entries->buckets[WAY_KEY][i])
			put_out(entries->buckets[WAY_KEY][i]);
}

void entries_free(struct entries *entries)
{
	if (!entries)
		return;
	empty(entries);
	for (unsigned way = 0; way < WAYS; way++)
		free(entries->buckets[way]);
	free(entries->batch);
	free(entries);
}

size_t entries_count(const struct entries *entries)
{
	return entries->n;
}

static bool same_key(const struct ipc_entry *a, const struct ipc_entry *b)
{
	return a->has_mac == b->has_mac && addr_equal(&a->source, &b->source) &&
	       (!a->has_mac || mac_equal(&a->mac, &b->mac)) && strcmp(a->ifname, b->ifname) == 0;
}

static struct node *find_node(const struct entries *entries, const struct ipc_entry *key)
{
	struct entry wanted = {.key = *key};
	struct node *node = entries->buckets[WAY_KEY][hash_of(&wanted, WAY_KEY)];
	while (node && !same_key(&node->entry.key, key))
		node = node->links[WAY_KEY].next;
	return node;
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	put_out(container_of(timer, struct node, timer));
}

static void link_in(struct node *node, enum way way)
{
	struct node **bucket = &node->entries->buckets[way][hash_of(&node->entry, way)];
	struct link *link = &node->links[way];
	link->next = *bucket;
	link->back = bucket;
	if (link->next)
		link->next->links[way].back = &link->next;
	*bucket = node;
}

bool entries_add(
	struct entries *entries, const struct ipc_entry *key, uint64_t session, uint16_t way_id)
{
	struct loop *loop = entries->control->loop;
	struct node *node = find_node(entries, key);
	if (node)
		put_out(node);
	if (entries->n >= ENTRIES_MAX)
		return false;
	node = calloc(1, sizeof(*node));
	if (!node)
		return false;
	node->entries = entries;
	node->entry.key = *key;
	node->entry.session = session;
	node->entry.way = way_id;
	node->entry.end_ms = loop_now_ms(loop) + key->timeout_ms;
	node->timer.on_time = on_time;
	for (unsigned way = 0; way < WAYS; way++)
		if (way_used(&node->entry, (enum way)way))
			link_in(node, (enum way)way);
	entries->n++;
	loop_timer_set(loop, &node->timer, node->entry.end_ms);
	return true;
}

const struct entry *entries_find(const struct entries *entries, const struct ipc_entry *key)
{
	struct node *node = find_node(entries, key);
	return node ? &node->entry : NULL;
}

void entries_forget(struct entries *entries, const struct ipc_entry *key)
{
	struct node *node = find_node(entries, key);
	if (node)
		put_out(node);
}

const struct entry *entries_find_other(const struct entries *entries, const struct ipc_entry *key)
{
	struct entry wanted = {.key = *key};
	struct node *node = entries->buckets[WAY_ADDR][hash_of(&wanted, WAY_ADDR)];
	for (; node; node = node->links[WAY_ADDR].next)
		if (addr_equal(&node->entry.key.source, &key->source) &&
			strcmp(node->entry.key.ifname, key->ifname) == 0 &&
			!same_key(&node->entry.key, key))
			return &node->entry;
	return NULL;
}

/* Out of the picture and into the batch. Without memory the whole kernel cache is flushed instead:
 * it costs queue trips and is never wrong. */
static void drop(struct entries *entries, struct node *node)
{
	struct ipc_entry *batch = vector_grow(
		entries->batch, entries->nbatch, &entries->batch_room, sizeof(*entries->batch));
	if (!batch) {
		entries_drop_all(entries);
		return;
	}
	entries->batch = batch;
	struct ipc_entry *gone = &entries->batch[entries->nbatch++];
	*gone = node->entry.key;
	gone->add = 0;
	gone->timeout_ms = 0;
	put_out(node);
}

void entries_drop_session(struct entries *entries, uint64_t session)
{
	struct entry wanted = {.session = session};
	struct node **bucket = &entries->buckets[WAY_SESSION][hash_of(&wanted, WAY_SESSION)];
	for (struct node *node = *bucket, *next; node; node = next) {
		next = node->links[WAY_SESSION].next;
		if (node->entry.session == session)
			drop(entries, node);
		if (!entries->n)
			return;
	}
}

void entries_drop_way(
	struct entries *entries, uint16_t way, enum addr_family family, enum mark mark)
{
	struct entry wanted = {
		.way = way, .key = {.mark = (uint8_t)mark, .source = {.family = family}}};
	struct node **bucket = &entries->buckets[WAY_PATH][hash_of(&wanted, WAY_PATH)];
	for (struct node *node = *bucket, *next; node; node = next) {
		next = node->links[WAY_PATH].next;
		if (node->entry.way == way && node->entry.key.mark == mark &&
			node->entry.key.source.family == family)
			drop(entries, node);
		if (!entries->n)
			return;
	}
}

void entries_drop_mac(struct entries *entries, const struct mac *mac)
{
	struct entry wanted = {.key = {.mac = *mac}};
	struct node **bucket = &entries->buckets[WAY_MAC][hash_of(&wanted, WAY_MAC)];
	for (struct node *node = *bucket, *next; node; node = next) {
		next = node->links[WAY_MAC].next;
		if (mac_equal(&node->entry.key.mac, mac))
			drop(entries, node);
		if (!entries->n)
			return;
	}
}

void entries_drop_prefix(struct entries *entries, const struct prefix *prefix)
{
	struct range range = range_of(prefix);
	entries_drop_range(entries, &range);
}

void entries_drop_range(struct entries *entries, const struct range *range)
{
	size_t first = 0, last = BUCKETS;
	if (addr_equal(&range->first, &range->last)) {
		struct entry wanted = {.key = {.source = range->first}};
		first = hash_of(&wanted, WAY_ADDR);
		last = first + 1;
	}
	for (size_t i = first; i < last; i++) {
		for (struct node *node = entries->buckets[WAY_ADDR][i], *next; node; node = next) {
			next = node->links[WAY_ADDR].next;
			if (range_contains(range, &node->entry.key.source))
				drop(entries, node);
			if (!entries->n)
				return;
		}
	}
}

/* Looks at all of them; those of the interface, or with NULL those without a MAC, go. */
static void drop_among_all(struct entries *entries, const char *ifname)
{
	for (size_t i = 0; i < BUCKETS && entries->n; i++) {
		for (struct node *node = entries->buckets[WAY_KEY][i], *next; node; node = next) {
			next = node->links[WAY_KEY].next;
			if (ifname ? strcmp(node->entry.key.ifname, ifname) == 0
				   : !node->entry.key.has_mac)
				drop(entries, node);
			if (!entries->n)
				return;
		}
	}
}

void entries_drop_unnamed(struct entries *entries)
{
	drop_among_all(entries, NULL);
}

void entries_drop_interface(struct entries *entries, const char *ifname)
{
	drop_among_all(entries, ifname);
}

void entries_drop_all(struct entries *entries)
{
	empty(entries);
	entries->nbatch = 0;
	entries->flush = true;
}

static void send_ipc(struct entries *entries, struct ipc_entries *ipc, struct gather *gather)
{
	struct control *control = entries->control;
	/* the next control begins by emptying the kernel's cache */
	if (gather)
		gather_try(gather, &control->keeper_asks, ipc, -1);
	else if (control->keeper)
		channel_send(control->keeper, ipc, -1);
}

void entries_send(struct entries *entries, struct gather *gather)
{
	if (!entries->nbatch && !entries->flush)
		return;
	size_t room = entries->nbatch < IPC_ENTRIES_MAX ? entries->nbatch : IPC_ENTRIES_MAX;
	struct ipc_entries *ipc = malloc(sizeof(*ipc) + room * sizeof(ipc->v[0]));
	if (!ipc) {
		if (gather) {
			gather_add(gather);
			gather_end(gather, -ENOMEM, NULL);
		}
		return;
	}
	entries->control->counters[COUNTER_ENTRIES_DELETED] += entries->nbatch;
	for (size_t at = 0; at < entries->nbatch || entries->flush;) {
		size_t n = entries->nbatch - at < room ? entries->nbatch - at : room;
		ipc_init(ipc, IPC_ENTRIES, sizeof(*ipc) + n * sizeof(ipc->v[0]));
		ipc->flush = entries->flush;
		ipc->n = (uint32_t)n;
		if (n > 0)
			memcpy(ipc->v, entries->batch + at, n * sizeof(ipc->v[0]));
		send_ipc(entries, ipc, gather);
		entries->flush = false;
		at += n;
	}
	entries->nbatch = 0;
	free(ipc);
}

int entries_each(const struct entries *entries,
	int (*visit)(void *context, const struct entry *entry), void *context)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct node *node = entries->buckets[WAY_KEY][i]; node;
			node = node->links[WAY_KEY].next) {
			int result = visit(context, &node->entry);
			if (result)
				return result;
		}
	}
	return 0;
}
