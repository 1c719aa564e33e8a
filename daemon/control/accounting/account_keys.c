/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/accounting/account_keys.h"

#include <string.h>

void account_keys_init(struct account_keys *keys, const uint8_t secret[static SIPHASH_SECRET_SIZE])
{
	memcpy(keys->secret[0], secret, SIPHASH_SECRET_SIZE);
	for (size_t i = 0; i < SIPHASH_SECRET_SIZE; i++)
		keys->secret[1][i] = secret[i] ^ 0x5a;
}

static void begin_hash(const struct account_keys *keys, struct siphash hash[2], char kind)
{
	for (unsigned i = 0; i < 2; i++) {
		siphash_begin(&hash[i], keys->secret[i]);
		siphash_bytes(&hash[i], &kind, 1);
	}
}

/* With its length, so that no two that are put together read as two others. */
static void add_hash(struct siphash hash[2], const void *bytes, size_t len)
{
	for (unsigned i = 0; i < 2; i++) {
		siphash_number(&hash[i], (uint32_t)len);
		siphash_bytes(&hash[i], bytes, len);
	}
}

static uint64_t end_hash(struct siphash hash[2], struct radius_key *key)
{
	struct radius_key made = {{siphash_end(&hash[0]), siphash_end(&hash[1])}};

	if (key)
		*key = made;
	return made.v[0] ? made.v[0] : 1; /* 0 is nothing */
}

/* Whoever has the same secret speaks for the same NASes. */
static void hash_nas(const struct account_keys *keys, const struct ipc_radius_event *event,
	const struct policy_radius_source *source, char kind, struct siphash hash[2])
{
	begin_hash(keys, hash, kind);
	add_hash(hash, event->radius, strlen(event->radius));
	add_hash(hash, source->secret_file.text, source->secret_file.len);
	add_hash(hash, event->nas, strlen(event->nas));
}

uint64_t account_keys_nas(const struct account_keys *keys, const struct ipc_radius_event *event,
	const struct policy_radius_source *source)
{
	struct siphash hash[2];

	hash_nas(keys, event, source, 'n', hash);
	return end_hash(hash, NULL);
}

void account_keys_session(const struct account_keys *keys, const struct ipc_radius_event *event,
	const struct policy_radius_source *source, struct radius_key *key)
{
	struct siphash hash[2];

	hash_nas(keys, event, source, 'k', hash);
	if (event->session_len)
		add_hash(hash, event->session, event->session_len);
	else if (mac_is_set(&event->mac))
		add_hash(hash, event->mac.bytes, sizeof(event->mac.bytes));
	else if (event->naddresses)
		add_hash(hash, &event->addresses[0], sizeof(event->addresses[0]));
	end_hash(hash, key);
}

static uint64_t hash_of(const struct account_keys *keys, char kind, const char *scope,
	const void *bytes, size_t len)
{
	struct siphash hash[2];

	begin_hash(keys, hash, kind);
	add_hash(hash, scope, strlen(scope));
	add_hash(hash, bytes, len);
	return end_hash(hash, NULL);
}

uint64_t account_keys_user(const struct account_keys *keys, const char *user)
{
	return hash_of(keys, 'u', "", user, strlen(user));
}

static uint64_t hash_mac(const struct account_keys *keys, const char *zone, const struct mac *mac)
{
	return hash_of(keys, 'm', zone, mac->bytes, sizeof(mac->bytes));
}

static uint64_t hash_address(
	const struct account_keys *keys, const char *zone, const struct prefix *prefix)
{
	uint8_t bytes[18];

	memcpy(bytes, prefix->addr.bytes, 16);
	bytes[16] = prefix->addr.family;
	bytes[17] = prefix->len;
	return hash_of(keys, 'a', zone, bytes, sizeof(bytes));
}

/* Of all that have a MAC a network may be the same, which is nobody's own then. */
static bool is_own(
	const struct policy_zone *zone, const struct mac *mac, const struct prefix *prefix)
{
	return (zone && zone->identity == POLICY_IDENTITY_ADDRESS) || !mac_is_set(mac) ||
	       prefix->len == addr_bits(&prefix->addr);
}

size_t account_keys_claims(const struct account_keys *keys, const struct policy_zone *zone,
	const struct account_says *says, uint64_t claims[static RADIUS_CLAIMS_MAX])
{
	size_t n = 0;

	if (!*says->zone)
		return 0;
	/* elsewhere a MAC is nobody's */
	if (zone && zone->identity != POLICY_IDENTITY_ADDRESS && mac_is_set(says->mac))
		claims[n++] = hash_mac(keys, says->zone, says->mac);
	for (size_t i = 0; i < says->naddresses; i++)
		if (is_own(zone, says->mac, &says->addresses[i]))
			claims[n++] = hash_address(keys, says->zone, &says->addresses[i]);
	return n;
}
