#include "lib/lists.h"

#include "lib/heap.h"
#include "lib/lpm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BUCKETS 256

struct list {
	struct list *next; /* in its bucket */
	uint32_t hash;
	struct lpm *index;
	char name[];
};

struct entry {
	struct heap_item end; /* first: the heap's items are entries; not in it: never ends */
	struct list *list;
	struct policy_elem elem;
};

static uint64_t end_of(const struct entry *entry)
{
	return entry->end.slot ? entry->end.at : 0;
}

struct lists {
	struct list *buckets[NAME_BUCKETS];
	struct heap ends;
};

struct lists *lists_new(void)
{
	return calloc(1, sizeof(struct lists));
}

static int free_entry(
	void *context, const struct prefix *prefix, const struct mac *mac, void *value)
{
	struct lists *lists = context;

	(void)prefix;
	(void)mac;
	heap_clear(&lists->ends, &((struct entry *)value)->end);
	free(value);
	return 0;
}

static void free_list(struct lists *lists, struct list *list)
{
	lpm_each(list->index, free_entry, lists);
	lpm_free(list->index);
	free(list);
}

void lists_free(struct lists *lists)
{
	if (!lists)
		return;
	for (unsigned i = 0; i < NAME_BUCKETS; i++)
		for (struct list *list = lists->buckets[i], *next; list; list = next) {
			next = list->next;
			free_list(lists, list);
		}
	heap_fini(&lists->ends);
	free(lists);
}

static struct list *find_list(const struct lists *lists, const char *name)
{
	uint32_t hash = policy_hash(name, strlen(name));

	for (struct list *list = lists->buckets[hash % NAME_BUCKETS]; list; list = list->next)
		if (list->hash == hash && strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

static struct list *add_list(struct lists *lists, const char *name)
{
	size_t len = strlen(name);
	struct list *list = calloc(1, sizeof(*list) + len + 1);

	if (!list)
		return NULL;
	list->index = lpm_new();
	if (!list->index) {
		free(list);
		return NULL;
	}
	memcpy(list->name, name, len + 1);
	list->hash = policy_hash(name, len);
	list->next = lists->buckets[list->hash % NAME_BUCKETS];
	lists->buckets[list->hash % NAME_BUCKETS] = list;
	return list;
}

static struct entry *find_entry(const struct list *list, const struct policy_elem *elem)
{
	return elem->kind == POLICY_ELEM_MAC ? lpm_find_mac(list->index, &elem->mac)
					     : lpm_find_exact(list->index, &elem->prefix);
}

int lists_add(
	struct lists *lists, const char *name, const struct policy_elem *elem, uint64_t end_ms)
{
	struct list *list = find_list(lists, name);

	if (!list)
		list = add_list(lists, name);
	if (!list || heap_reserve(&lists->ends) < 0)
		return -ENOMEM;
	struct entry *entry = find_entry(list, elem);
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->list = list;
		entry->elem = *elem;
		int status = elem->kind == POLICY_ELEM_MAC
				     ? lpm_add_mac(list->index, &elem->mac, entry)
				     : lpm_add(list->index, &elem->prefix, entry);
		if (status < 0) {
			free(entry);
			return status;
		}
	}
	if (end_ms)
		heap_set(&lists->ends, &entry->end, end_ms);
	else
		heap_clear(&lists->ends, &entry->end);
	return 0;
}

int lists_remove(struct lists *lists, const char *name, const struct policy_elem *elem)
{
	struct list *list = find_list(lists, name);
	struct entry *entry = !list                           ? NULL
			      : elem->kind == POLICY_ELEM_MAC ? lpm_del_mac(list->index, &elem->mac)
							      : lpm_del(list->index, &elem->prefix);

	if (!entry)
		return -ENOENT;
	heap_clear(&lists->ends, &entry->end);
	free(entry);
	return 0;
}

void lists_clear(struct lists *lists, const char *name)
{
	struct list *list = find_list(lists, name);

	if (!list)
		return;
	struct list **link = &lists->buckets[list->hash % NAME_BUCKETS];
	while (*link != list)
		link = &(*link)->next;
	*link = list->next;
	free_list(lists, list);
}

/* When the last of several entries that all say yes is over. */
struct reach {
	bool held;
	bool for_ever;
	uint64_t end_ms;
};

static void reach_add(struct reach *reach, const struct entry *entry, uint64_t now_ms)
{
	uint64_t end_ms = end_of(entry);

	if (end_ms && end_ms <= now_ms)
		return;
	reach->held = true;
	if (end_ms == 0)
		reach->for_ever = true;
	else if (end_ms > reach->end_ms)
		reach->end_ms = end_ms;
}

bool lists_match(const struct lists *lists, const char *name, const struct mac *mac,
	const struct addr *addr, uint64_t now_ms, uint64_t *until_ms)
{
	const struct list *list = find_list(lists, name);
	struct reach reach = {0};

	if (!list)
		return false;
	if (mac && mac_is_set(mac)) {
		const struct entry *entry = lpm_find_mac(list->index, mac);
		if (entry)
			reach_add(&reach, entry, now_ms);
	}
	if (addr && !reach.for_ever) {
		void *held[LPM_DEPTH];
		unsigned n = lpm_find_all(list->index, addr, held);
		while (n > 0 && !reach.for_ever)
			reach_add(&reach, held[--n], now_ms);
	}
	if (reach.held && !reach.for_ever && until_ms &&
		(*until_ms == 0 || reach.end_ms < *until_ms))
		*until_ms = reach.end_ms;
	return reach.held;
}

size_t lists_count(const struct lists *lists, const char *name)
{
	const struct list *list = find_list(lists, name);

	return list ? lpm_count(list->index) : 0;
}

struct each {
	int (*visit)(void *context, const struct policy_elem *elem, uint64_t end_ms);
	void *context;
};

static int visit_entry(
	void *context, const struct prefix *prefix, const struct mac *mac, void *value)
{
	const struct each *each = context;
	const struct entry *entry = value;

	(void)prefix;
	(void)mac;
	return each->visit(each->context, &entry->elem, end_of(entry));
}

int lists_each(const struct lists *lists, const char *name,
	int (*visit)(void *context, const struct policy_elem *elem, uint64_t end_ms), void *context)
{
	const struct list *list = find_list(lists, name);
	struct each each = {visit, context};

	return list ? lpm_each(list->index, visit_entry, &each) : 0;
}

bool lists_next_end(
	const struct lists *lists, const char **name, struct policy_elem *elem, uint64_t *end_ms)
{
	const struct entry *entry = (const struct entry *)heap_first(&lists->ends);

	if (!entry)
		return false;
	*name = entry->list->name;
	*elem = entry->elem;
	*end_ms = entry->end.at;
	return true;
}
