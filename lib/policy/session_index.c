/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/session_index.h"

#include "lib/base/container.h"
#include "lib/base/net/lpm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* All links of one prefix; the value of a zone's lpm. */
struct prefix_slot {
	struct session_link *first;
};

struct session_user {
	struct hash_link hashed; /* by the name */
	struct session_zone *zone;
	struct session_entry *first;
	size_t count;
	uint32_t len;
	char name[];
};

/* Zones are few; they stay for as long as the index. */
struct session_zone {
	struct session_zone *next;
	struct lpm *addresses;       /* to struct prefix_slot */
	struct session_entry *alone; /* by MAC alone */
	size_t count, nalone;
	uint32_t hash;
	char name[POLICY_NAME_SIZE];
};

struct session_index {
	struct session_zone *zones;
	struct hash macs, users;
};

static uint32_t hash_of_mac(const struct mac *mac)
{
	return hash_bytes(mac->bytes, sizeof(mac->bytes));
}

static struct session_user *user_of(struct hash_link *link)
{
	return link ? container_of(link, struct session_user, hashed) : NULL;
}

static struct session_link *link_of(struct hash_link *link)
{
	return link ? container_of(link, struct session_link, hashed) : NULL;
}

/* The first that has this MAC, and the one behind it. Others may be among them. */
static struct session_link *first_link(const struct session_index *index, const struct mac *mac)
{
	return link_of(hash_find(&index->macs, hash_of_mac(mac)));
}

static struct session_link *next_link(const struct session_link *link)
{
	return link_of(hash_next(&link->hashed));
}

struct session_index *session_index_new(void)
{
	struct session_index *index = calloc(1, sizeof(*index));

	if (!index)
		return NULL;
	if (hash_reserve(&index->macs) < 0 || hash_reserve(&index->users) < 0) {
		session_index_free(index);
		return NULL;
	}
	return index;
}

static int free_slot(void *context, const struct prefix *prefix, const struct mac *mac, void *value)
{
	(void)context;
	(void)prefix;
	(void)mac;
	free(value);
	return 0;
}

void session_index_free(struct session_index *index)
{
	if (!index)
		return;
	for (struct session_zone *zone = index->zones, *next; zone; zone = next) {
		next = zone->next;
		lpm_each(zone->addresses, free_slot, NULL);
		lpm_free(zone->addresses);
		free(zone);
	}
	struct hash_walk walk = {0};
	for (struct session_user *user; (user = user_of(hash_step(&index->users, &walk)));)
		free(user);
	hash_fini(&index->users);
	hash_fini(&index->macs);
	free(index);
}

static struct session_zone *find_zone(const struct session_index *index, const char *name)
{
	uint32_t hash = hash_bytes(name, strlen(name));

	for (struct session_zone *zone = index->zones; zone; zone = zone->next)
		if (zone->hash == hash && strcmp(zone->name, name) == 0)
			return zone;
	return NULL;
}

static struct session_zone *add_zone(struct session_index *index, const struct policy_string *name)
{
	struct session_zone *zone = calloc(1, sizeof(*zone));

	if (!zone)
		return NULL;
	zone->addresses = lpm_new();
	if (!zone->addresses || name->len >= sizeof(zone->name)) {
		lpm_free(zone->addresses);
		free(zone);
		return NULL;
	}
	memcpy(zone->name, name->text, name->len);
	zone->hash = name->hash;
	zone->next = index->zones;
	index->zones = zone;
	return zone;
}

static struct session_user *find_user(const struct session_index *index,
	const struct session_zone *zone, const char *name, uint32_t len, uint32_t hash)
{
	struct session_user *user = user_of(hash_find(&index->users, hash));

	while (user &&
		(user->zone != zone || user->len != len || memcmp(user->name, name, len) != 0))
		user = user_of(hash_next(&user->hashed));
	return user;
}

static struct session_user *add_user(
	struct session_index *index, struct session_zone *zone, const struct policy_string *name)
{
	struct session_user *user = calloc(1, sizeof(*user) + name->len + 1);

	if (!user)
		return NULL;
	user->zone = zone;
	user->len = name->len;
	memcpy(user->name, name->text, name->len);
	hash_add(&index->users, &user->hashed, name->hash);
	return user;
}

static void free_user_if_idle(struct session_index *index, struct session_user *user)
{
	if (user->first)
		return;
	hash_del(&index->users, &user->hashed);
	free(user);
}

static int add_link(
	struct session_index *index, struct session_zone *zone, struct session_link *link)
{
	if (link->by_mac) {
		hash_add(&index->macs, &link->hashed, hash_of_mac(&link->mac));
		return 0;
	}
	struct prefix_slot *slot = lpm_find_exact(zone->addresses, &link->prefix);
	if (!slot) {
		slot = calloc(1, sizeof(*slot));
		if (!slot || lpm_add(zone->addresses, &link->prefix, slot) < 0) {
			free(slot);
			return -ENOMEM;
		}
	}
	link->next = slot->first;
	slot->first = link;
	return 0;
}

static void del_link(
	struct session_index *index, struct session_zone *zone, struct session_link *link)
{
	if (link->by_mac) {
		hash_del(&index->macs, &link->hashed);
		return;
	}
	struct prefix_slot *slot = lpm_find_exact(zone->addresses, &link->prefix);
	struct session_link **at = &slot->first;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	if (!slot->first) {
		lpm_del(zone->addresses, &link->prefix);
		free(slot);
	}
}

static void add_alone(struct session_zone *zone, struct session_entry *entry)
{
	entry->alone_next = zone->alone;
	entry->alone_link = &zone->alone;
	if (zone->alone)
		zone->alone->alone_link = &entry->alone_next;
	zone->alone = entry;
	zone->nalone++;
}

static void del_alone(struct session_entry *entry)
{
	*entry->alone_link = entry->alone_next;
	if (entry->alone_next)
		entry->alone_next->alone_link = entry->alone_link;
	entry->alone_link = NULL;
	entry->zone->nalone--;
}

int session_index_add(struct session_index *index, struct session_entry *entry)
{
	const struct policy_string *name = &entry->session.user;
	struct session_zone *zone = find_zone(index, entry->session.zone.text);
	size_t done = 0;

	if (!zone)
		zone = add_zone(index, &entry->session.zone);
	if (!zone)
		return -ENOMEM;
	struct session_user *user = find_user(index, zone, name->text, name->len, name->hash);
	if (!user)
		user = add_user(index, zone, name);
	if (!user)
		return -ENOMEM;
	for (; done < entry->nlinks; done++) {
		entry->links[done].entry = entry;
		if (add_link(index, zone, &entry->links[done]) < 0)
			goto undo;
	}
	entry->zone = zone;
	entry->user = user;
	entry->user_next = user->first;
	entry->user_link = &user->first;
	if (user->first)
		user->first->user_link = &entry->user_next;
	user->first = entry;
	user->count++;
	zone->count++;
	if (entry->has_mac && !entry->has_address)
		add_alone(zone, entry);
	return 0;

undo:
	while (done > 0)
		del_link(index, zone, &entry->links[--done]);
	free_user_if_idle(index, user);
	return -ENOMEM;
}

void session_index_del(struct session_index *index, struct session_entry *entry)
{
	for (size_t i = 0; i < entry->nlinks; i++)
		del_link(index, entry->zone, &entry->links[i]);
	*entry->user_link = entry->user_next;
	if (entry->user_next)
		entry->user_next->user_link = entry->user_link;
	entry->user->count--;
	entry->zone->count--;
	if (entry->alone_link)
		del_alone(entry);
	free_user_if_idle(index, entry->user);
	entry->user = NULL;
	entry->zone = NULL;
}

size_t session_index_count_zone(const struct session_index *index, const char *zone)
{
	const struct session_zone *found = find_zone(index, zone);

	return found ? found->count : 0;
}

size_t session_index_count_user(
	const struct session_index *index, const char *zone, const char *user)
{
	uint32_t len = (uint32_t)strlen(user), hash = hash_bytes(user, len);
	size_t count = 0;

	for (const struct session_zone *z = index->zones; z; z = z->next) {
		if (zone && strcmp(z->name, zone) != 0)
			continue;
		const struct session_user *found = find_user(index, z, user, len, hash);
		count += found ? found->count : 0;
	}
	return count;
}

static bool is_over(const struct session_link *link, uint64_t now_ms)
{
	return link->end_ms && link->end_ms <= now_ms;
}

/* When the entry stops having this MAC (0: never); false: it has it not, now. */
static bool has_mac_until(
	const struct session_entry *entry, const struct mac *mac, uint64_t now_ms, uint64_t *end_ms)
{
	bool found = false;

	for (size_t i = 0; i < entry->nmacs; i++) {
		const struct session_link *link = &entry->links[i];
		if (is_over(link, now_ms) || !mac_equal(&link->mac, mac))
			continue;
		if (!found || (*end_ms && (link->end_ms == 0 || link->end_ms > *end_ms)))
			*end_ms = link->end_ms;
		found = true;
	}
	return found;
}

struct session_found session_index_find_mac(const struct session_index *index, const char *zone,
	const struct mac *mac, enum session_want want, uint64_t now_ms)
{
	const struct session_zone *in = find_zone(index, zone);

	if (!in || !mac_is_set(mac))
		return (struct session_found){0};
	for (struct session_link *link = first_link(index, mac); link; link = next_link(link)) {
		if (link->entry->zone != in || !mac_equal(&link->mac, mac) || is_over(link, now_ms))
			continue;
		if (want == SESSION_WANT_NO_ADDRESS && link->entry->has_address)
			continue;
		return (struct session_found){link->entry, -1, link->end_ms};
	}
	return (struct session_found){0};
}

static bool is_wanted(const struct session_entry *entry, enum session_want want,
	const struct mac *mac, uint64_t now_ms, uint64_t *end_ms)
{
	switch (want) {
	case SESSION_WANT_ANY:
		return true;
	case SESSION_WANT_NO_MAC:
		return !entry->has_mac;
	case SESSION_WANT_NO_ADDRESS:
		return !entry->has_address;
	case SESSION_WANT_THIS_MAC:
		return has_mac_until(entry, mac, now_ms, end_ms);
	}
	return false;
}

struct session_found session_index_find_address(const struct session_index *index, const char *zone,
	const struct addr *addr, enum session_want want, const struct mac *mac, uint64_t now_ms)
{
	const struct session_zone *in = find_zone(index, zone);
	void *slots[LPM_DEPTH];
	unsigned n = in ? lpm_find_all(in->addresses, addr, slots) : 0;

	while (n > 0) {
		const struct prefix_slot *slot = slots[--n];
		for (struct session_link *link = slot->first; link; link = link->next) {
			uint64_t end_ms = 0;
			if (link->learned || is_over(link, now_ms) ||
				!is_wanted(link->entry, want, mac, now_ms, &end_ms))
				continue;
			if (link->end_ms && (end_ms == 0 || link->end_ms < end_ms))
				end_ms = link->end_ms;
			return (struct session_found){link->entry, link->prefix.len, end_ms};
		}
	}
	return (struct session_found){0};
}

size_t session_index_by_mac_alone(
	const struct session_index *index, const char *zone, const struct session *v[], size_t room)
{
	const struct session_zone *in = find_zone(index, zone);
	size_t n = 0;

	for (const struct session_entry *e = in ? in->alone : NULL; e && n < room;
		e = e->alone_next)
		v[n++] = &e->session;
	return in ? in->nalone : 0;
}

int session_index_each_user(
	const struct session_index *index, const char *user, session_visit *visit, void *context)
{
	uint32_t len = (uint32_t)strlen(user), hash = hash_bytes(user, len);

	for (const struct session_zone *zone = index->zones; zone; zone = zone->next) {
		const struct session_user *found = find_user(index, zone, user, len, hash);
		for (struct session_entry *e = found ? found->first : NULL; e; e = e->user_next) {
			int stop = visit(context, &e->session);
			if (stop)
				return stop;
		}
	}
	return 0;
}

int session_index_each_mac(const struct session_index *index, const struct mac *mac,
	session_visit *visit, void *context)
{
	for (struct session_link *link = first_link(index, mac); link; link = next_link(link)) {
		int stop = mac_equal(&link->mac, mac) ? visit(context, &link->entry->session) : 0;
		if (stop)
			return stop;
	}
	return 0;
}

int session_index_each_address(const struct session_index *index, const struct addr *addr,
	session_visit *visit, void *context)
{
	for (const struct session_zone *zone = index->zones; zone; zone = zone->next) {
		void *slots[LPM_DEPTH];
		unsigned n = lpm_find_all(zone->addresses, addr, slots);
		while (n > 0) {
			const struct prefix_slot *slot = slots[--n];
			for (struct session_link *l = slot->first; l; l = l->next) {
				int stop = visit(context, &l->entry->session);
				if (stop)
					return stop;
			}
		}
	}
	return 0;
}
