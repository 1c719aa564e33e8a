/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/ledger.h"

#include "lib/base/container.h"
#include "lib/radius/ledger_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_LEAST    1024
#define RESTART_LEAST_MS 1000 /* a NAS does not begin anew more often */

/* In one chain of each index. */
struct link {
	struct link *next, **back;
};

struct node {
	struct radius_entry entry;
	struct heap_item end; /* at until_ms, of all that are not live */
	struct link links[INDEXES];
};

bool radius_key_equal(const struct radius_key *a, const struct radius_key *b)
{
	return a->v[0] == b->v[0] && a->v[1] == b->v[1];
}

/* ---- chains ---- */

static struct node *node_of(const struct link *link, unsigned index)
{
	return (struct node *)(void *)((char *)(uintptr_t)link - offsetof(struct node, links) -
				       index * sizeof(struct link));
}

static uint64_t value_of(const struct radius_entry *entry, unsigned index)
{
	return index == BY_KEY ? entry->key.v[0] : index == BY_NAS ? entry->nas : entry->session;
}

static struct link **chain_of(const struct radius_ledger *ledger, unsigned index, uint64_t value)
{
	return &ledger->chains[index][value & (ledger->buckets - 1)];
}

static void link_in(struct radius_ledger *ledger, struct node *node, unsigned index)
{
	const uint64_t value = value_of(&node->entry, index);
	struct link **chain = chain_of(ledger, index, value);
	struct link *link = &node->links[index];

	*link = (struct link){0};
	if (index == BY_SESSION && !value)
		return;
	*link = (struct link){*chain, chain};
	if (*chain)
		(*chain)->back = &link->next;
	*chain = link;
}

static void link_out(struct node *node, unsigned index)
{
	struct link *link = &node->links[index];

	if (!link->back)
		return;
	*link->back = link->next;
	if (link->next)
		link->next->back = link->back;
}

static bool make_chains(struct link **chains[static INDEXES], size_t buckets)
{
	bool made = true;

	for (unsigned i = 0; i < INDEXES; i++) {
		chains[i] = calloc(buckets, sizeof(struct link *));
		made = made && chains[i];
	}
	return made;
}

static void free_chains(struct link **chains[static INDEXES])
{
	for (unsigned i = 0; i < INDEXES; i++)
		free(chains[i]);
}

static void grow(struct radius_ledger *ledger)
{
	struct link **old[INDEXES], **more[INDEXES];
	const size_t before = ledger->buckets;

	if (!make_chains(more, before * 2)) {
		free_chains(more); /* the chains become longer */
		return;
	}
	memcpy(old, ledger->chains, sizeof(old));
	memcpy(ledger->chains, more, sizeof(more));
	ledger->buckets = before * 2;
	for (unsigned index = 0; index < INDEXES; index++)
		for (size_t i = 0; i < before; i++)
			for (struct link *link = old[index][i], *next; link; link = next) {
				next = link->next;
				link_in(ledger, node_of(link, index), index);
			}
	free_chains(old);
}

struct radius_ledger *radius_ledger_new(void)
{
	struct radius_ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		return NULL;
	ledger->buckets = BUCKETS_LEAST;
	if (!make_chains(ledger->chains, ledger->buckets) ||
		radius_claims_init(&ledger->claims) < 0) {
		radius_ledger_free(ledger);
		return NULL;
	}
	return ledger;
}

void radius_ledger_free(struct radius_ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; ledger->chains[BY_KEY] && i < ledger->buckets; i++)
		for (struct link *link = ledger->chains[BY_KEY][i], *next; link; link = next) {
			next = link->next;
			free(node_of(link, BY_KEY));
		}
	free_chains(ledger->chains);
	heap_fini(&ledger->ends);
	radius_claims_fini(&ledger->claims);
	free(ledger);
}

/* ---- entries ---- */

static struct node *find(const struct radius_ledger *ledger, const struct radius_key *key)
{
	for (struct link *link = *chain_of(ledger, BY_KEY, key->v[0]); link; link = link->next) {
		struct node *node = node_of(link, BY_KEY);
		if (radius_key_equal(&node->entry.key, key))
			return node;
	}
	return NULL;
}

static void forget(struct radius_ledger *ledger, struct node *node)
{
	for (unsigned i = 0; i < INDEXES; i++)
		link_out(node, i);
	heap_clear(&ledger->ends, &node->end);
	ledger->counts[node->entry.state]--;
	ledger->n--;
	free(node);
}

static void place(struct radius_ledger *ledger, struct node *node)
{
	for (unsigned i = 0; i < INDEXES; i++)
		link_in(ledger, node, i);
	ledger->counts[node->entry.state]++;
	if (node->entry.until_ms)
		heap_set(&ledger->ends, &node->end, node->entry.until_ms);
	else
		heap_clear(&ledger->ends, &node->end);
}

/* The entry, in place of what is known of its key. */
static int set(struct radius_ledger *ledger, const struct radius_entry *entry)
{
	struct node *node = find(ledger, &entry->key);

	if (!node && ledger->n >= RADIUS_ENTRIES_MAX)
		return -ENOSPC;
	if (heap_reserve(&ledger->ends) < 0)
		return -ENOMEM;
	if (node) {
		for (unsigned i = 0; i < INDEXES; i++)
			link_out(node, i);
		ledger->counts[node->entry.state]--;
	} else {
		node = calloc(1, sizeof(*node));
		if (!node)
			return -ENOMEM;
		if (++ledger->n > ledger->buckets)
			grow(ledger);
	}
	node->entry = *entry;
	place(ledger, node);
	return 0;
}

const struct radius_entry *radius_ledger_find(
	const struct radius_ledger *ledger, const struct radius_key *key)
{
	const struct node *node = find(ledger, key);

	return node ? &node->entry : NULL;
}

const struct radius_entry *radius_ledger_find_half(
	const struct radius_ledger *ledger, uint64_t half)
{
	for (struct link *link = *chain_of(ledger, BY_KEY, half); link; link = link->next)
		if (node_of(link, BY_KEY)->entry.key.v[0] == half)
			return &node_of(link, BY_KEY)->entry;
	return NULL;
}

int radius_ledger_put(struct radius_ledger *ledger, const struct radius_entry *entry)
{
	return set(ledger, entry);
}

size_t radius_ledger_count(const struct radius_ledger *ledger, enum radius_state state)
{
	return ledger->counts[state];
}

const struct radius_entry *radius_ledger_of_session(
	const struct radius_ledger *ledger, uint64_t session)
{
	struct link *link = session ? *chain_of(ledger, BY_SESSION, session) : NULL;

	for (; link; link = link->next)
		if (node_of(link, BY_SESSION)->entry.session == session)
			return &node_of(link, BY_SESSION)->entry;
	return NULL;
}

size_t radius_ledger_count_session(const struct radius_ledger *ledger, uint64_t session)
{
	struct link *link = session ? *chain_of(ledger, BY_SESSION, session) : NULL;
	size_t n = 0;

	for (; link; link = link->next)
		n += node_of(link, BY_SESSION)->entry.session == session;
	return n;
}

void radius_ledger_opened(
	struct radius_ledger *ledger, const struct radius_key *key, uint64_t session)
{
	struct node *node = find(ledger, key);

	if (!node)
		return;
	link_out(node, BY_SESSION);
	node->entry.session = session;
	link_in(ledger, node, BY_SESSION);
}

/* What was heard since may have changed it again. */
void radius_ledger_undo(struct radius_ledger *ledger, const struct radius_decision *decision)
{
	struct node *node = find(ledger, &decision->now.key);

	if (!node || node->entry.event_ms != decision->now.event_ms ||
		node->entry.rank != decision->now.rank || node->entry.state != decision->now.state)
		return;
	if (!decision->known)
		forget(ledger, node);
	else
		set(ledger, &decision->before); /* room is there */
}

/* ---- the end of what is known ---- */

static uint64_t tombstone_end(uint32_t skew_s, uint64_t now_ms)
{
	uint64_t skew_ms = 4000ull * skew_s;

	return now_ms + (skew_ms > RADIUS_TOMBSTONE_MS ? skew_ms : RADIUS_TOMBSTONE_MS);
}

void radius_ledger_bury(
	struct radius_entry *entry, enum radius_state state, uint32_t skew_s, uint64_t now_ms)
{
	entry->state = (uint8_t)state;
	entry->session = 0;
	entry->until_ms = tombstone_end(skew_s, now_ms);
}

void radius_ledger_session_gone(struct radius_ledger *ledger, uint64_t session, enum radius_end end,
	uint32_t skew_s, uint64_t now_ms, radius_ledger_visit *visit, void *context)
{
	struct link *link = session ? *chain_of(ledger, BY_SESSION, session) : NULL;

	for (struct link *next; link; link = next) {
		struct node *node = node_of(link, BY_SESSION);
		struct radius_entry before = node->entry, now = before;
		next = link->next; /* what is put again stands in front, or in another chain */
		if (before.session != session)
			continue;
		radius_ledger_bury(&now,
			end == RADIUS_END_SUPERSEDED ? RADIUS_SUPERSEDED : RADIUS_ENDED, skew_s,
			now_ms);
		if (end == RADIUS_END_FORGOTTEN || set(ledger, &now) < 0) {
			forget(ledger, node);
			visit(context, &before, NULL);
		} else {
			visit(context, &before, &now);
		}
	}
}

uint64_t radius_ledger_restarted_ms(const struct radius_ledger *ledger, uint64_t nas)
{
	const struct radius_claim *claim = radius_claims_find(&ledger->claims, nas);

	return claim ? claim->begin_ms : 0;
}

bool radius_ledger_nas_over(struct radius_ledger *ledger, uint64_t nas, uint64_t event_ms,
	uint32_t skew_s, uint64_t now_ms, radius_ledger_visit *visit, void *context)
{
	struct link *link = *chain_of(ledger, BY_NAS, nas);

	if (event_ms < radius_ledger_restarted_ms(ledger, nas) + RESTART_LEAST_MS)
		return false;
	radius_claims_put(&ledger->claims,
		&(struct radius_claim){.what = nas, .key = nas, .begin_ms = event_ms});
	for (struct link *next; link; link = next) {
		struct node *node = node_of(link, BY_NAS);
		struct radius_entry before = node->entry, now = before;
		next = link->next;
		if (before.nas != nas || before.begin_ms >= event_ms ||
			(before.state != RADIUS_LIVE && before.state != RADIUS_PENDING))
			continue;
		radius_ledger_bury(&now, RADIUS_ENDED, skew_s, now_ms);
		if (now.event_ms < event_ms)
			now.event_ms = event_ms;
		if (set(ledger, &now) == 0)
			visit(context, &before, &now);
	}
	return true;
}

void radius_ledger_set_back(struct radius_ledger *ledger, uint64_t wall_ms)
{
	for (size_t i = 0; i < ledger->buckets; i++)
		for (struct link *link = ledger->chains[BY_KEY][i]; link; link = link->next) {
			struct radius_entry *entry = &node_of(link, BY_KEY)->entry;
			if (entry->event_ms > wall_ms)
				entry->event_ms = wall_ms;
			if (entry->begin_ms > wall_ms)
				entry->begin_ms = wall_ms;
		}
	radius_claims_set_back(&ledger->claims, wall_ms);
}

size_t radius_ledger_sweep(struct radius_ledger *ledger, uint64_t now_ms, size_t most,
	radius_ledger_visit *visit, void *context)
{
	size_t n = 0;

	for (struct heap_item *first; n < most && (first = heap_first(&ledger->ends)); n++) {
		struct node *node = container_of(first, struct node, end);
		const size_t tombstones =
			ledger->counts[RADIUS_ENDED] + ledger->counts[RADIUS_SUPERSEDED];
		if (first->at > now_ms && tombstones <= RADIUS_TOMBSTONES_MAX)
			break;
		const struct radius_entry before = node->entry;
		forget(ledger, node);
		visit(context, &before, NULL);
	}
	return n;
}

uint64_t radius_ledger_next_ms(const struct radius_ledger *ledger)
{
	const struct heap_item *first = heap_first(&ledger->ends);

	return first ? first->at : 0;
}
