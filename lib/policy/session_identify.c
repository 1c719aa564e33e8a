/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/session_table.h"

struct client {
	const char *zone;
	const struct mac *mac;
	const struct addr *addr;
	uint64_t now_ms;
	bool devices; /* look for a device alone */
};

static struct session_found find_mac(
	const struct session_table *table, const struct client *client, enum session_want want)
{
	struct session_found found = {0};

	if (!client->devices)
		found = session_index_find_mac(
			table->portal, client->zone, client->mac, want, client->now_ms);
	if (found.entry)
		return found;
	return session_index_find_mac(
		table->devices.index, client->zone, client->mac, want, client->now_ms);
}

static struct session_found find_address(
	const struct session_table *table, const struct client *client, enum session_want want)
{
	struct session_found portal = {0};
	struct session_found device = session_index_find_address(table->devices.index, client->zone,
		client->addr, want, client->mac, client->now_ms);

	if (!client->devices)
		portal = session_index_find_address(table->portal, client->zone, client->addr, want,
			client->mac, client->now_ms);
	if (!device.entry || (portal.entry && portal.len >= device.len))
		return portal;
	return device;
}

/* A device may be bound by less than the zone asks of a login: it is what the operator wrote. */
static struct session_found find_mac_address(
	const struct session_table *table, const struct client *client)
{
	struct session_found found = {0};

	if (mac_is_set(client->mac))
		found = find_address(table, client, SESSION_WANT_THIS_MAC);
	if (!found.entry)
		found = session_index_find_mac(table->devices.index, client->zone, client->mac,
			SESSION_WANT_NO_ADDRESS, client->now_ms);
	if (!found.entry)
		found = session_index_find_address(table->devices.index, client->zone, client->addr,
			SESSION_WANT_NO_MAC, client->mac, client->now_ms);
	return found;
}

static struct session_found find(const struct session_table *table, enum policy_identity identity,
	const struct client *client)
{
	struct session_found found = {0};

	switch (identity) {
	case POLICY_IDENTITY_MAC:
		found = find_mac(table, client, SESSION_WANT_ANY);
		return found.entry ? found : find_address(table, client, SESSION_WANT_NO_MAC);
	case POLICY_IDENTITY_ADDRESS:
		found = find_mac(table, client, SESSION_WANT_NO_ADDRESS);
		return found.entry ? found : find_address(table, client, SESSION_WANT_ANY);
	case POLICY_IDENTITY_MAC_ADDRESS:
		return find_mac_address(table, client);
	}
	return found;
}

struct session *session_table_identify_at(const struct session_table *table, const char *zone,
	enum policy_identity identity, const struct mac *mac, const struct addr *addr,
	uint64_t now_ms, uint64_t *until_ms)
{
	static const struct mac none;
	struct client client = {zone, mac ? mac : &none, addr, now_ms, false};
	struct session_found found = find(table, identity, &client);

	/* packets that anybody of an access network may cause take no device from the operator */
	if (found.entry && found.entry->session.source == SESSION_SOURCE_RADIUS) {
		client.devices = true;
		struct session_found device = find(table, identity, &client);
		found = device.entry ? device : found;
	}
	if (!found.entry)
		return NULL;
	if (found.end_ms && (*until_ms == 0 || found.end_ms < *until_ms))
		*until_ms = found.end_ms;
	return &found.entry->session;
}

struct session *session_table_identify(const struct session_table *table, const char *zone,
	enum policy_identity identity, const struct mac *mac, const struct addr *addr)
{
	uint64_t until_ms = 0;

	return session_table_identify_at(table, zone, identity, mac, addr, 0, &until_ms);
}

size_t session_table_by_mac_alone(
	const struct session_table *table, const char *zone, const struct session *v[], size_t room)
{
	size_t n = session_index_by_mac_alone(table->portal, zone, v, room);
	size_t taken = n < room ? n : room;

	return n + session_index_by_mac_alone(table->devices.index, zone, v + taken, room - taken);
}
