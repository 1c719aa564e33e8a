/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/session.h"

#include "lib/base/container.h"
#include "lib/policy/element.h"
#include "lib/policy/lists.h"
#include "lib/policy/session_table.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const session_source_names[SESSION_SOURCES] = {
	[SESSION_SOURCE_CLI] = "cli",
	[SESSION_SOURCE_HOOK] = "hook",
	[SESSION_SOURCE_RADIUS] = "radius",
	[SESSION_SOURCE_PORTAL] = "portal",
};

static struct session_entry *entry_by_id(struct hash_link *link)
{
	return link ? container_of(link, struct session_entry, by_id) : NULL;
}

static struct session_entry *find_id(const struct session_table *table, uint64_t id)
{
	struct session_entry *entry = entry_by_id(hash_find(&table->ids, (uint32_t)id));

	while (entry && entry->session.id != id)
		entry = entry_by_id(hash_next(&entry->by_id));
	return entry;
}

static void free_entry(struct session_entry *entry)
{
	if (!entry)
		return;
	free(entry->links);
	free(entry->session.addresses);
	free(entry);
}

static void free_devices(struct devices *devices)
{
	for (size_t i = 0; i < devices->n; i++)
		free_entry(devices->v[i]);
	free(devices->v);
	session_index_free(devices->index);
	*devices = (struct devices){0};
}

struct session_table *session_table_new(void)
{
	struct session_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->portal = session_index_new();
	table->devices.index = session_index_new();
	if (!table->portal || !table->devices.index || hash_reserve(&table->ids) < 0) {
		session_table_free(table);
		return NULL;
	}
	return table;
}

void session_table_free(struct session_table *table)
{
	if (!table)
		return;
	struct hash_walk walk = {0};
	for (struct session_entry *entry; (entry = entry_by_id(hash_step(&table->ids, &walk)));)
		free_entry(entry);
	hash_fini(&table->ids);
	session_index_free(table->portal);
	free_devices(&table->devices);
	heap_fini(&table->ends);
	free(table);
}

static struct policy_string put_string(char **at, const struct policy_string *string)
{
	struct policy_string copy = {*at, string->len, string->hash};

	if (string->len)
		memcpy(*at, string->text, string->len);
	(*at)[string->len] = '\0';
	*at += string->len + 1;
	return copy;
}

/* A copy of the session in one block, but for the addresses, which have their own. */
static struct session_entry *copy_session(const struct session *session)
{
	size_t bytes = sizeof(struct session_entry) + session->zone.len + session->user.len +
		       session->via.len + session->nas.len + 4 +
		       session->ngroups * sizeof(struct policy_string);

	for (size_t i = 0; i < session->ngroups; i++)
		bytes += session->groups[i].len + 1;
	struct session_entry *entry = calloc(1, bytes);
	if (!entry)
		return NULL;
	entry->session = *session;
	entry->session.groups = (struct policy_string *)(void *)(entry + 1);
	char *at = (char *)(entry->session.groups + session->ngroups);
	entry->session.zone = put_string(&at, &session->zone);
	entry->session.user = put_string(&at, &session->user);
	entry->session.via = put_string(&at, &session->via);
	entry->session.nas = put_string(&at, &session->nas);
	for (size_t i = 0; i < session->ngroups; i++)
		entry->session.groups[i] = put_string(&at, &session->groups[i]);
	entry->session.addresses = NULL;
	if (session->naddresses) {
		entry->session.addresses =
			malloc(session->naddresses * sizeof(*session->addresses));
		if (!entry->session.addresses) {
			free(entry);
			return NULL;
		}
		memcpy(entry->session.addresses, session->addresses,
			session->naddresses * sizeof(*session->addresses));
	}
	return entry;
}

static int make_links(struct session_entry *entry)
{
	const struct session *session = &entry->session;

	entry->has_mac = mac_is_set(&session->mac);
	entry->has_address = session->naddresses > 0;
	entry->nmacs = entry->has_mac;
	entry->nlinks = entry->nmacs + session->naddresses;
	if (entry->nlinks == 0)
		return 0;
	entry->links = calloc(entry->nlinks, sizeof(*entry->links));
	if (!entry->links)
		return -ENOMEM;
	if (entry->has_mac) {
		entry->links[0].by_mac = true;
		entry->links[0].mac = session->mac;
	}
	for (size_t i = 0; i < session->naddresses; i++) {
		entry->links[entry->nmacs + i].prefix = session->addresses[i].prefix;
		entry->links[entry->nmacs + i].learned = session->addresses[i].learned;
	}
	return 0;
}

static uint64_t end_of(const struct session *session)
{
	uint64_t end_ms = session->lease_end_ms;

	if (session->aside_until_ms)
		return end_ms && end_ms < session->aside_until_ms ? end_ms
								  : session->aside_until_ms;
	if (session->idle_s) {
		uint64_t idle_ms = session->active_ms + (uint64_t)session->idle_s * 1000;
		if (end_ms == 0 || idle_ms < end_ms)
			end_ms = idle_ms;
	}
	return end_ms;
}

static struct session_entry *entry_of(struct session *session)
{
	return container_of(session, struct session_entry, session);
}

void session_table_touch(struct session_table *table, struct session *session)
{
	struct session_entry *entry = entry_of(session);
	uint64_t end_ms = end_of(session);

	if (end_ms == 0)
		heap_clear(&table->ends, &entry->end);
	else if (entry->end.slot || heap_reserve(&table->ends) == 0)
		heap_set(&table->ends, &entry->end, end_ms);
}

int session_table_put(struct session_table *table, const struct session *session)
{
	struct session_entry *entry = copy_session(session);

	if (!entry)
		return -ENOMEM;
	if (make_links(entry) < 0 || heap_reserve(&table->ends) < 0 ||
		session_index_add(table->portal, entry) < 0) {
		free_entry(entry);
		return -ENOMEM;
	}
	session_table_del(table, entry->session.id); /* `session` may be the very one */
	hash_add(&table->ids, &entry->by_id, (uint32_t)entry->session.id);
	session_table_touch(table, &entry->session);
	return 0;
}

int session_table_del(struct session_table *table, uint64_t id)
{
	struct session_entry *entry = find_id(table, id);

	if (!entry)
		return -ENOENT;
	hash_del(&table->ids, &entry->by_id);
	heap_clear(&table->ends, &entry->end);
	session_index_del(table->portal, entry);
	free_entry(entry);
	return 0;
}

struct session *session_table_find(const struct session_table *table, uint64_t id)
{
	if (id & SESSION_DEVICE_ID) {
		uint64_t i = id & ~SESSION_DEVICE_ID;
		return i < table->devices.n ? &table->devices.v[i]->session : NULL;
	}
	struct session_entry *entry = find_id(table, id);
	return entry ? &entry->session : NULL;
}

size_t session_table_count(const struct session_table *table)
{
	return table->ids.n;
}

size_t session_table_count_zone(const struct session_table *table, const char *zone)
{
	return session_index_count_zone(table->portal, zone);
}

size_t session_table_count_user(
	const struct session_table *table, const char *zone, const char *user)
{
	return session_index_count_user(table->portal, zone, user);
}

/* The links of a device: counted in a first pass, filled in a second, MACs and prefixes apart. */
struct gather {
	struct session_link *macs, *prefixes; /* NULL: count only */
	size_t nmacs, nprefixes;
};

static int gather_mac(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct gather *gather = context;

	if (elem->kind != POLICY_ELEM_MAC)
		return 0;
	if (gather->macs)
		gather->macs[gather->nmacs] =
			(struct session_link){.by_mac = true, .mac = elem->mac, .end_ms = end_ms};
	gather->nmacs++;
	return 0;
}

static int gather_elem(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct gather *gather = context;
	struct prefix parts[RANGE_PARTS_MAX];
	unsigned n = element_parts(elem, parts);

	for (unsigned i = 0; i < n; i++) {
		if (gather->prefixes)
			gather->prefixes[gather->nprefixes] =
				(struct session_link){.prefix = parts[i], .end_ms = end_ms};
		gather->nprefixes++;
	}
	return gather_mac(context, elem, end_ms);
}

static void gather_list(struct gather *gather, const struct policy_list *list,
	const struct lists *lists,
	int (*take)(void *context, const struct policy_elem *elem, uint64_t end_ms))
{
	for (size_t i = 0; i < list->elems.n; i++)
		take(gather, &list->elems.v[i], 0);
	if (list->kind == POLICY_LIST_DYNAMIC && lists)
		lists_each(lists, list->name.text, take, gather);
}

static void gather_device(struct gather *gather, const struct policy *policy,
	const struct policy_device *device, const struct lists *lists)
{
	for (size_t i = 0; i < device->nmacs; i++)
		gather_elem(gather,
			&(struct policy_elem){.kind = POLICY_ELEM_MAC, .mac = device->macs[i]}, 0);
	for (size_t i = 0; i < device->addresses.n; i++)
		gather_elem(gather,
			&(struct policy_elem){
				.kind = POLICY_ELEM_PREFIX, .prefix = device->addresses.v[i]},
			0);
	for (size_t i = 0; i < device->mac_list_names.n; i++)
		gather_list(gather, &policy->lists[device->mac_lists[i]], lists, gather_mac);
	for (size_t i = 0; i < device->list_names.n; i++)
		gather_list(gather, &policy->lists[device->lists[i]], lists, gather_elem);
}

static int make_device_links(struct session_entry *entry, const struct policy *policy,
	const struct policy_device *device, const struct lists *lists)
{
	struct gather gather = {0};

	gather_device(&gather, policy, device, lists);
	entry->nmacs = gather.nmacs;
	entry->nlinks = gather.nmacs + gather.nprefixes;
	entry->has_mac = gather.nmacs > 0 || device->mac_list_names.n > 0;
	entry->has_address = gather.nprefixes > 0 || device->list_names.n > 0;
	if (entry->nlinks == 0)
		return 0;
	entry->links = calloc(entry->nlinks, sizeof(*entry->links));
	if (!entry->links)
		return -ENOMEM;
	gather = (struct gather){.macs = entry->links, .prefixes = entry->links + gather.nmacs};
	gather_device(&gather, policy, device, lists);
	return 0;
}

static struct session_entry *make_device(
	const struct policy *policy, size_t number, const struct lists *lists)
{
	const struct policy_device *device = &policy->devices[number];
	struct session_address *addresses = calloc(device->addresses.n + 1, sizeof(*addresses));

	if (!addresses)
		return NULL;
	for (size_t i = 0; i < device->addresses.n; i++)
		addresses[i].prefix = device->addresses.v[i];
	struct session session = {
		.id = SESSION_DEVICE_ID | number,
		.kind = SESSION_DEVICE,
		.zone = policy->zones[device->zone].name,
		.user = device->user,
		.groups = device->groups.v,
		.ngroups = device->groups.n,
		.addresses = addresses,
		.naddresses = device->addresses.n,
	};
	if (device->nmacs)
		session.mac = device->macs[0];
	struct session_entry *entry = copy_session(&session);
	free(addresses);
	if (entry && make_device_links(entry, policy, device, lists) < 0) {
		free_entry(entry);
		return NULL;
	}
	return entry;
}

int session_table_set_devices(
	struct session_table *table, const struct policy *policy, const struct lists *lists)
{
	struct devices made = {.index = session_index_new()};

	made.v = calloc(policy->ndevices + 1, sizeof(struct session_entry *));
	if (!made.index || !made.v)
		goto fail;
	for (size_t i = 0; i < policy->ndevices; i++) {
		made.v[i] = make_device(policy, i, lists);
		if (!made.v[i])
			goto fail;
		made.n = i + 1;
		if (session_index_add(made.index, made.v[i]) < 0)
			goto fail;
	}
	free_devices(&table->devices);
	table->devices = made;
	return 0;

fail:
	free_devices(&made);
	return -ENOMEM;
}

int session_table_each(const struct session_table *table, session_visit *visit, void *context)
{
	struct hash_walk walk = {0};
	for (struct session_entry *entry; (entry = entry_by_id(hash_step(&table->ids, &walk)));) {
		int stop = visit(context, &entry->session);
		if (stop)
			return stop;
	}
	for (size_t i = 0; i < table->devices.n; i++) {
		int stop = visit(context, &table->devices.v[i]->session);
		if (stop)
			return stop;
	}
	return 0;
}

int session_table_each_user(
	const struct session_table *table, const char *user, session_visit *visit, void *context)
{
	int stop = session_index_each_user(table->portal, user, visit, context);

	return stop ? stop : session_index_each_user(table->devices.index, user, visit, context);
}

int session_table_each_mac(const struct session_table *table, const struct mac *mac,
	session_visit *visit, void *context)
{
	int stop = session_index_each_mac(table->portal, mac, visit, context);

	return stop ? stop : session_index_each_mac(table->devices.index, mac, visit, context);
}

int session_table_each_address(const struct session_table *table, const struct addr *addr,
	session_visit *visit, void *context)
{
	int stop = session_index_each_address(table->portal, addr, visit, context);

	return stop ? stop : session_index_each_address(table->devices.index, addr, visit, context);
}

struct owner_search {
	const struct addr *addr;
	session_visit *visit;
	void *context;
	bool given; /* look for given addresses, else for all */
	bool found;
};

static bool was_given(const struct session *session, const struct addr *addr)
{
	for (size_t i = 0; i < session->naddresses; i++)
		if (!session->addresses[i].learned &&
			prefix_contains(&session->addresses[i].prefix, addr))
			return true;
	return false;
}

static int visit_owner(void *context, struct session *session)
{
	struct owner_search *search = context;
	if (search->given && !was_given(session, search->addr))
		return 0;
	search->found = true;
	return search->visit(search->context, session);
}

int session_table_each_owner(const struct session_table *table, const struct addr *addr,
	session_visit *visit, void *context)
{
	struct owner_search search = {addr, visit, context, true, false};
	int stop = session_table_each_address(table, addr, visit_owner, &search);
	if (search.found)
		return stop;
	search.given = false;
	return session_table_each_address(table, addr, visit_owner, &search);
}

struct session *session_table_next_end(const struct session_table *table, uint64_t *at_ms)
{
	struct heap_item *first = heap_first(&table->ends);

	if (!first)
		return NULL;
	*at_ms = first->at;
	return &(container_of(first, struct session_entry, end))->session;
}

const char *session_format_source(
	const struct session *session, char text[static SESSION_SOURCE_TEXT_SIZE])
{
	const char *name =
		session->kind == SESSION_DEVICE ? "device" : session_source_names[session->source];

	snprintf(text, SESSION_SOURCE_TEXT_SIZE, "%s%s%s", name, session->via.len ? " " : "",
		session->via.len ? session->via.text : "");
	return text;
}
