/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/lists.h"

#include "lib/base/container.h"
#include "lib/base/hash.h"
#include "lib/base/heap.h"
#include "lib/base/net/lpm.h"
#include "lib/policy/element.h"
#include "lib/policy/mailset.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct hash_link hashed; /* by its name */
	struct lpm *index;       /* of networks and MACs: the first part with that one */
	struct mailset *mails;   /* the same of mail addresses and host names, by their key */
	void *texts;             /* tree of entries: mail addresses and host names */
	struct listed *entries;  /* all */
	size_t n;
	char name[];
};

/* What of an entry stands in an index. Ranges and networks may have a network in common, mail
 * addresses a key. */
struct part {
	struct part *next;
	struct listed *entry;
};

struct listed {
	struct heap_item end; /* first: the heap's items are entries; not in it: never ends */
	struct list *list;
	struct listed *before, *after; /* in the list */
	struct policy_elem elem;       /* its text is ours */
	unsigned nparts;
	struct part parts[];
};

static uint64_t end_of(const struct listed *entry)
{
	return entry->end.slot ? entry->end.at : 0;
}

struct lists {
	struct hash names;
	struct heap ends;
};

static struct list *list_of(struct hash_link *link)
{
	return link ? container_of(link, struct list, hashed) : NULL;
}

struct lists *lists_new(void)
{
	return calloc(1, sizeof(struct lists));
}

/* ---- entries ---- */

static int compare_entries(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	return element_compare(&x->elem, &y->elem);
}

static void free_entry(struct listed *entry)
{
	if (element_text_len(&entry->elem))
		free((char *)entry->elem.text);
	free(entry);
}

static struct listed *new_entry(struct list *list, const struct policy_elem *elem, unsigned nparts)
{
	struct listed *entry = calloc(1, sizeof(*entry) + nparts * sizeof(entry->parts[0]));
	size_t len = element_text_len(elem);

	if (!entry)
		return NULL;
	entry->list = list;
	entry->elem = *elem;
	entry->nparts = nparts;
	for (unsigned i = 0; i < nparts; i++)
		entry->parts[i].entry = entry;
	if (len && !(entry->elem.text = strndup(elem->text, len))) {
		free(entry);
		return NULL;
	}
	return entry;
}

/* ---- the indexes: networks, by their prefix; MACs; mail addresses and hosts, by their key */

static void key_of(const struct policy_elem *elem, char key[static MAILSET_KEY_SIZE])
{
	if (elem->kind == POLICY_ELEM_HOST)
		mailset_key_of_host(elem->text, elem->len, key);
	else
		mailset_key(elem->text, elem->len, key);
}

static struct part *find_part(
	const struct list *list, const struct policy_elem *elem, const struct prefix *prefix)
{
	char key[MAILSET_KEY_SIZE];

	if (prefix)
		return lpm_find_exact(list->index, prefix);
	if (elem->kind == POLICY_ELEM_MAC)
		return lpm_find_mac(list->index, &elem->mac);
	key_of(elem, key);
	return mailset_find(list->mails, key);
}

/* Replaces what is there, which takes no memory. */
static int set_part(struct list *list, const struct policy_elem *elem, const struct prefix *prefix,
	struct part *part)
{
	char key[MAILSET_KEY_SIZE];

	if (prefix)
		return lpm_add(list->index, prefix, part);
	if (elem->kind == POLICY_ELEM_MAC)
		return lpm_add_mac(list->index, &elem->mac, part);
	key_of(elem, key);
	return mailset_add(list->mails, key, part);
}

static void unset_part(
	struct list *list, const struct policy_elem *elem, const struct prefix *prefix)
{
	char key[MAILSET_KEY_SIZE];

	if (prefix) {
		lpm_del(list->index, prefix);
	} else if (elem->kind == POLICY_ELEM_MAC) {
		lpm_del_mac(list->index, &elem->mac);
	} else {
		key_of(elem, key);
		mailset_del(list->mails, key);
	}
}

static int put_part(struct list *list, const struct policy_elem *elem, const struct prefix *prefix,
	struct part *part)
{
	part->next = find_part(list, elem, prefix);
	return set_part(list, elem, prefix, part);
}

static void take_part(struct list *list, const struct policy_elem *elem,
	const struct prefix *prefix, struct part *part)
{
	struct part *first = find_part(list, elem, prefix);

	if (first != part) {
		while (first->next != part)
			first = first->next;
		first->next = part->next;
	} else if (part->next) {
		set_part(list, elem, prefix, part->next);
	} else {
		unset_part(list, elem, prefix);
	}
}

/* A MAC, a mail address and a host have one part, without a prefix. */
static bool is_single(const struct policy_elem *elem)
{
	return elem->kind == POLICY_ELEM_MAC || element_text_len(elem) > 0;
}

static unsigned parts_of(
	const struct policy_elem *elem, struct prefix parts[static RANGE_PARTS_MAX])
{
	return is_single(elem) ? 1 : element_parts(elem, parts);
}

static const struct prefix *prefix_at(
	const struct policy_elem *elem, const struct prefix *parts, unsigned i)
{
	return is_single(elem) ? NULL : &parts[i];
}

static struct listed *find_entry(const struct list *list, const struct policy_elem *elem)
{
	struct prefix parts[RANGE_PARTS_MAX];

	if (element_text_len(elem)) {
		const struct listed wanted = {.elem = *elem};
		struct listed **found = tfind(&wanted, &list->texts, compare_entries);
		return found ? *found : NULL;
	}
	parts_of(elem, parts);
	struct part *part = find_part(list, elem, prefix_at(elem, parts, 0));
	while (part && element_compare(&part->entry->elem, elem) != 0)
		part = part->next;
	return part ? part->entry : NULL;
}

static void unlink_entry(struct list *list, struct listed *entry, unsigned nparts)
{
	struct prefix parts[RANGE_PARTS_MAX];

	if (element_text_len(&entry->elem))
		tdelete(entry, &list->texts, compare_entries);
	parts_of(&entry->elem, parts);
	for (unsigned i = 0; i < nparts; i++)
		take_part(list, &entry->elem, prefix_at(&entry->elem, parts, i), &entry->parts[i]);
}

static struct listed *add_entry(struct list *list, const struct policy_elem *elem)
{
	struct prefix parts[RANGE_PARTS_MAX];
	unsigned n = parts_of(elem, parts);
	struct listed *entry = new_entry(list, elem, n);

	if (!entry)
		return NULL;
	if (element_text_len(elem) && !tsearch(entry, &list->texts, compare_entries)) {
		free_entry(entry);
		return NULL;
	}
	for (unsigned i = 0; i < n; i++) {
		if (put_part(list, elem, prefix_at(elem, parts, i), &entry->parts[i]) == 0)
			continue;
		unlink_entry(list, entry, i);
		free_entry(entry);
		return NULL;
	}
	entry->after = list->entries;
	if (entry->after)
		entry->after->before = entry;
	list->entries = entry;
	list->n++;
	return entry;
}

static void del_entry(struct list *list, struct listed *entry)
{
	unlink_entry(list, entry, entry->nparts);
	if (entry->before)
		entry->before->after = entry->after;
	else
		list->entries = entry->after;
	if (entry->after)
		entry->after->before = entry->before;
	list->n--;
	free_entry(entry);
}

/* ---- lists ---- */

static void leave_entry(void *entry)
{
	(void)entry;
}

static void free_list(struct lists *lists, struct list *list)
{
	tdestroy(list->texts, leave_entry);
	for (struct listed *entry = list->entries, *after; entry; entry = after) {
		after = entry->after;
		heap_clear(&lists->ends, &entry->end);
		free_entry(entry);
	}
	lpm_free(list->index);
	mailset_free(list->mails);
	free(list);
}

void lists_free(struct lists *lists)
{
	if (!lists)
		return;
	struct hash_walk walk = {0};
	for (struct list *list; (list = list_of(hash_step(&lists->names, &walk)));)
		free_list(lists, list);
	hash_fini(&lists->names);
	heap_fini(&lists->ends);
	free(lists);
}

static struct list *find_list(const struct lists *lists, const char *name)
{
	struct list *list = list_of(hash_find(&lists->names, hash_bytes(name, strlen(name))));

	while (list && strcmp(list->name, name) != 0)
		list = list_of(hash_next(&list->hashed));
	return list;
}

static struct list *add_list(struct lists *lists, const char *name)
{
	size_t len = strlen(name);
	struct list *list = calloc(1, sizeof(*list) + len + 1);

	if (!list)
		return NULL;
	list->index = lpm_new();
	list->mails = mailset_new();
	if (!list->index || !list->mails || hash_reserve(&lists->names) < 0) {
		lpm_free(list->index);
		mailset_free(list->mails);
		free(list);
		return NULL;
	}
	memcpy(list->name, name, len + 1);
	hash_add(&lists->names, &list->hashed, hash_bytes(name, len));
	return list;
}

int lists_add(
	struct lists *lists, const char *name, const struct policy_elem *elem, uint64_t end_ms)
{
	struct list *list = find_list(lists, name);

	if (!list)
		list = add_list(lists, name);
	if (!list || heap_reserve(&lists->ends) < 0)
		return -ENOMEM;
	struct listed *entry = find_entry(list, elem);
	if (!entry)
		entry = add_entry(list, elem);
	if (!entry)
		return -ENOMEM;
	if (end_ms)
		heap_set(&lists->ends, &entry->end, end_ms);
	else
		heap_clear(&lists->ends, &entry->end);
	return 0;
}

int lists_remove(struct lists *lists, const char *name, const struct policy_elem *elem)
{
	struct list *list = find_list(lists, name);
	struct listed *entry = list ? find_entry(list, elem) : NULL;

	if (!entry)
		return -ENOENT;
	heap_clear(&lists->ends, &entry->end);
	del_entry(list, entry);
	return 0;
}

const struct policy_elem *lists_find(const struct lists *lists, const char *name,
	const struct policy_elem *elem, uint64_t *end_ms)
{
	const struct list *list = find_list(lists, name);
	const struct listed *entry = list ? find_entry(list, elem) : NULL;

	if (!entry)
		return NULL;
	*end_ms = end_of(entry);
	return &entry->elem;
}

void lists_clear(struct lists *lists, const char *name)
{
	struct list *list = find_list(lists, name);

	if (!list)
		return;
	hash_del(&lists->names, &list->hashed);
	free_list(lists, list);
}

/* When the last of several entries that all say yes is over. */
struct reach {
	bool held;
	bool for_ever;
	uint64_t end_ms;
};

static void reach_add(struct reach *reach, const struct part *part, uint64_t now_ms)
{
	for (; part; part = part->next) {
		uint64_t end_ms = end_of(part->entry);
		if (end_ms && end_ms <= now_ms)
			continue;
		reach->held = true;
		if (end_ms == 0)
			reach->for_ever = true;
		else if (end_ms > reach->end_ms)
			reach->end_ms = end_ms;
	}
}

static bool reach_lower(const struct reach *reach, uint64_t *until_ms)
{
	if (reach->held && !reach->for_ever && until_ms &&
		(*until_ms == 0 || reach->end_ms < *until_ms))
		*until_ms = reach->end_ms;
	return reach->held;
}

bool lists_match(const struct lists *lists, const char *name, const struct mac *mac,
	const struct addr *addr, uint64_t now_ms, uint64_t *until_ms)
{
	const struct list *list = find_list(lists, name);
	struct reach reach = {0};

	if (!list)
		return false;
	if (mac && mac_is_set(mac))
		reach_add(&reach, lpm_find_mac(list->index, mac), now_ms);
	if (addr && !reach.for_ever) {
		void *held[LPM_DEPTH];
		unsigned n = lpm_find_all(list->index, addr, held);
		while (n > 0 && !reach.for_ever)
			reach_add(&reach, held[--n], now_ms);
	}
	return reach_lower(&reach, until_ms);
}

bool lists_match_mail(const struct lists *lists, const char *name, const char *key, uint64_t now_ms,
	uint64_t *until_ms)
{
	const struct list *list = find_list(lists, name);
	struct reach reach = {0};
	void *held[MAILSET_DEPTH];

	if (!list)
		return false;
	for (unsigned n = mailset_find_all(list->mails, key, held); n > 0 && !reach.for_ever;)
		reach_add(&reach, held[--n], now_ms);
	return reach_lower(&reach, until_ms);
}

bool lists_match_text(const struct lists *lists, const char *name, const char *key, uint64_t now_ms,
	uint64_t *until_ms)
{
	const struct list *list = find_list(lists, name);
	struct reach reach = {0};

	if (list)
		reach_add(&reach, mailset_find(list->mails, key), now_ms);
	return reach_lower(&reach, until_ms);
}

size_t lists_count(const struct lists *lists, const char *name)
{
	const struct list *list = find_list(lists, name);

	return list ? list->n : 0;
}

struct each {
	int (*visit)(void *context, const struct policy_elem *elem, uint64_t end_ms);
	void *context;
	int stopped;
};

static int visit_entry(
	void *context, const struct prefix *prefix, const struct mac *mac, void *value)
{
	const struct each *each = context;
	int stop = 0;

	(void)prefix;
	(void)mac;
	for (const struct part *part = value; part && !stop; part = part->next)
		if (part == part->entry->parts) /* where a range begins */
			stop = each->visit(each->context, &part->entry->elem, end_of(part->entry));
	return stop;
}

static void visit_text(const void *node, VISIT which, void *context)
{
	const struct listed *entry = *(struct listed *const *)node;
	struct each *each = context;

	if ((which == postorder || which == leaf) && !each->stopped)
		each->stopped = each->visit(each->context, &entry->elem, end_of(entry));
}

int lists_each(const struct lists *lists, const char *name,
	int (*visit)(void *context, const struct policy_elem *elem, uint64_t end_ms), void *context)
{
	const struct list *list = find_list(lists, name);
	struct each each = {visit, context, 0};

	if (list)
		each.stopped = lpm_each(list->index, visit_entry, &each);
	if (list && !each.stopped)
		twalk_r(list->texts, visit_text, &each);
	return each.stopped;
}

bool lists_next_end(
	const struct lists *lists, const char **name, struct policy_elem *elem, uint64_t *end_ms)
{
	const struct listed *entry = (const struct listed *)heap_first(&lists->ends);

	if (!entry)
		return false;
	*name = entry->list->name;
	*elem = entry->elem;
	*end_ms = entry->end.at;
	return true;
}
