/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/tries.h"

#include "lib/limit/guess.h"

#include <stdlib.h>
#include <string.h>

#define PROBE    16 /* rows in which one key may stand */
#define LOCK_MS  (PORTAL_TRIES_LOCK_S * UINT64_C(1000))
#define EACH_MS  (LOCK_MS / PORTAL_TRIES_NETWORK)
#define KNOWN_MS (PORTAL_TRIES_KNOWN_S * UINT64_C(1000))

_Static_assert((PORTAL_TRIES_ROWS & (PORTAL_TRIES_ROWS - 1)) == 0, "rows are found by a mask");

/* In the order of enum portal_try. */
enum kind {
	KIND_DEVICE = PORTAL_TRY_DEVICE,
	KIND_NETWORK = PORTAL_TRY_NETWORK,
	KIND_USER = PORTAL_TRY_USER,
};

struct row {
	uint64_t key[2]; /* both 0: free */
	enum kind kind;
	struct portal_client client; /* of a device or network */
	uint32_t failures;
	uint64_t begun_ms;    /* the first of these failures */
	uint64_t until_ms;    /* device, user: not before; network: when all is refilled */
	uint64_t passed_ms;   /* device: when somebody logged in last; 0: nobody did */
	uint64_t passed_user; /* who that was */
};

struct portal_tries {
	uint8_t secret[SIPHASH_SECRET_SIZE];
	struct row rows[PORTAL_TRIES_ROWS];
};

/* What stands for a device, a network or a user in the table. */
struct who {
	uint64_t key[2];
	enum kind kind;
	struct portal_client client; /* of a device or network */
};

struct portal_tries *portal_tries_new(const uint8_t secret[static SIPHASH_SECRET_SIZE])
{
	struct portal_tries *tries = calloc(1, sizeof(*tries));

	if (tries)
		memcpy(tries->secret, secret, SIPHASH_SECRET_SIZE);
	return tries;
}

void portal_tries_free(struct portal_tries *tries)
{
	free(tries);
}

static void put_text(struct siphash *hash, const char *text)
{
	siphash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash(
	const struct portal_tries *tries, const struct who *who, const char *user, uint32_t half)
{
	struct siphash hash;

	siphash_begin(&hash, tries->secret);
	siphash_number(&hash, half);
	siphash_number(&hash, who->kind);
	put_text(&hash, who->client.zone);
	siphash_bytes(&hash, &who->client.mac, sizeof(who->client.mac));
	siphash_bytes(&hash, &who->client.address, sizeof(who->client.address));
	put_text(&hash, user);
	uint64_t number = siphash_end(&hash);
	return number ? number : 1;
}

static struct who find_key(const struct portal_tries *tries, struct who who, const char *user)
{
	for (uint32_t half = 0; half < 2; half++)
		who.key[half] = hash(tries, &who, user, half);
	return who;
}

static struct who begin(enum kind kind, const char *zone)
{
	struct who who;

	memset(&who, 0, sizeof(who));
	who.kind = kind;
	memcpy(who.client.zone, zone, strnlen(zone, POLICY_NAME_SIZE - 1));
	return who;
}

static struct who device_of(const struct portal_tries *tries, const struct portal_client *client)
{
	struct who who = begin(KIND_DEVICE, client->zone);

	who.client.mac = client->mac;
	if (!mac_is_set(&client->mac))
		who.client.address = client->address;
	return find_key(tries, who, "");
}

static struct who network_of(const struct portal_tries *tries, const struct portal_client *client)
{
	size_t keep = client->address.family == ADDR_IP6 ? 8 : 3;
	struct who who = begin(KIND_NETWORK, client->zone);

	who.client.address = client->address;
	memset(who.client.address.bytes + keep, 0, sizeof(who.client.address.bytes) - keep);
	return find_key(tries, who, "");
}

static struct who user_of(const struct portal_tries *tries, const char *user)
{
	char name[GUESS_NAME_SIZE];

	guess_name(user, NULL, name);
	return find_key(tries, begin(KIND_USER, ""), name);
}

static struct row *row_at(struct portal_tries *tries, uint64_t key, size_t i)
{
	return &tries->rows[(key + i) & (PORTAL_TRIES_ROWS - 1)];
}

static struct row *find(struct portal_tries *tries, const struct who *who)
{
	for (size_t i = 0; i < PROBE; i++) {
		struct row *row = row_at(tries, who->key[0], i);
		if (memcmp(row->key, who->key, sizeof(row->key)) == 0)
			return row;
	}
	return NULL;
}

static bool is_locked(const struct row *row, uint64_t now_ms)
{
	if (row->key[0] == 0 || row->until_ms <= now_ms)
		return false;
	if (row->kind == KIND_NETWORK)
		return row->until_ms - now_ms > LOCK_MS - EACH_MS;
	return row->kind != KIND_DEVICE || row->failures >= PORTAL_TRIES_DEVICE;
}

/* 0: free; the more, the more is lost with it. */
static unsigned worth(const struct row *row, uint64_t now_ms)
{
	if (row->key[0] == 0)
		return 0;
	if (row->until_ms > now_ms)
		return 3;
	return row->passed_ms && now_ms - row->passed_ms < KNOWN_MS ? 2 : 1;
}

static uint64_t age_of(const struct row *row)
{
	return row->until_ms > row->passed_ms ? row->until_ms : row->passed_ms;
}

/* The row in which a new key may stand: the one that tells least, of these the oldest. */
static struct row *room_for(struct portal_tries *tries, const struct who *who, uint64_t now_ms)
{
	struct row *best = NULL;

	for (size_t i = 0; i < PROBE; i++) {
		struct row *row = row_at(tries, who->key[0], i);
		if (is_locked(row, now_ms))
			continue;
		if (!best || worth(row, now_ms) < worth(best, now_ms) ||
			(worth(row, now_ms) == worth(best, now_ms) && age_of(row) < age_of(best)))
			best = row;
	}
	return best;
}

static struct row *make(struct portal_tries *tries, const struct who *who, uint64_t now_ms)
{
	struct row *row = find(tries, who);

	if (row || !(row = room_for(tries, who, now_ms)))
		return row;
	*row = (struct row){
		.key = {who->key[0], who->key[1]},
		.kind = who->kind,
		.client = who->client,
	};
	return row;
}

/* ---- may he? ---- */

static bool is_known(const struct row *device, uint64_t now_ms)
{
	return device && device->passed_ms && now_ms - device->passed_ms < KNOWN_MS;
}

static enum portal_try wait_for(const struct row *row, uint64_t now_ms, uint64_t *wait_ms)
{
	*wait_ms = row->until_ms - now_ms;
	if (row->kind == KIND_NETWORK)
		*wait_ms -= LOCK_MS - EACH_MS;
	return (enum portal_try)row->kind;
}

enum portal_try portal_tries_ask(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms, uint64_t *wait_ms)
{
	const struct who whos[] = {
		device_of(tries, client), network_of(tries, client), user_of(tries, user)};
	const struct row *device = find(tries, &whos[0]);
	const struct row *network = find(tries, &whos[1]);
	const struct row *name = find(tries, &whos[2]);
	bool known = is_known(device, now_ms) && device->passed_user == whos[2].key[0];

	*wait_ms = 0;
	if (device && is_locked(device, now_ms))
		return wait_for(device, now_ms, wait_ms);
	if (!known && network && is_locked(network, now_ms))
		return wait_for(network, now_ms, wait_ms);
	if (!known && name && is_locked(name, now_ms))
		return wait_for(name, now_ms, wait_ms);
	if ((device || room_for(tries, &whos[0], now_ms)) &&
		(network || room_for(tries, &whos[1], now_ms)) &&
		(name || room_for(tries, &whos[2], now_ms)))
		return PORTAL_TRY_OK;
	*wait_ms = EACH_MS;
	return PORTAL_TRY_FULL;
}

/* ---- what came of it ---- */

/* 0, 1, 2, 4, ... seconds: who pushes the button twice does not wait. */
static uint64_t slowness_ms(uint32_t failures)
{
	if (failures < 2)
		return 0;
	return (failures > 6 ? PORTAL_TRIES_SLOW_S : UINT64_C(1) << (failures - 2)) * 1000;
}

/* Failures of a time ago are none any more. */
static void age(struct row *row, uint64_t now_ms)
{
	if (row->failures > 0 && row->until_ms <= now_ms && now_ms - row->begun_ms >= LOCK_MS)
		row->failures = 0;
	if (row->failures == 0)
		row->begun_ms = now_ms;
}

static void count(struct row *row, uint64_t now_ms)
{
	age(row, now_ms);
	row->failures++;
	switch (row->kind) {
	case KIND_DEVICE: /* quiet when the time of its first failure is over, or shut out */
		row->until_ms =
			(row->failures < PORTAL_TRIES_DEVICE ? row->begun_ms : now_ms) + LOCK_MS;
		return;
	case KIND_NETWORK:
		row->until_ms = (row->until_ms > now_ms ? row->until_ms : now_ms) + EACH_MS;
		return;
	case KIND_USER:
		row->until_ms = now_ms + slowness_ms(row->failures);
		return;
	}
}

static void take_back(struct row *row, uint64_t now_ms)
{
	if (!row || row->failures == 0)
		return;
	row->failures--;
	if (row->kind == KIND_NETWORK)
		row->until_ms = row->until_ms > now_ms + EACH_MS ? row->until_ms - EACH_MS : now_ms;
	else if (row->kind == KIND_USER)
		row->until_ms = now_ms;
	else if (row->failures == PORTAL_TRIES_DEVICE - 1)
		row->until_ms = row->begun_ms + LOCK_MS;
}

void portal_tries_begin(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms)
{
	const struct who whos[] = {
		device_of(tries, client), network_of(tries, client), user_of(tries, user)};

	for (size_t i = 0; i < sizeof(whos) / sizeof(*whos); i++) {
		struct row *row = make(tries, &whos[i], now_ms);
		if (row)
			count(row, now_ms);
	}
}

void portal_tries_forget(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms)
{
	const struct who whos[] = {
		device_of(tries, client), network_of(tries, client), user_of(tries, user)};

	for (size_t i = 0; i < sizeof(whos) / sizeof(*whos); i++)
		take_back(find(tries, &whos[i]), now_ms);
}

void portal_tries_passed(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms)
{
	const struct who who = device_of(tries, client), name = user_of(tries, user);
	struct row *device = make(tries, &who, now_ms);
	struct row *row = find(tries, &name);

	portal_tries_forget(tries, client, user, now_ms);
	if (row) /* he knows his password: who guesses at it begins anew */
		row->failures = 0;
	if (!device)
		return;
	device->passed_ms = now_ms;
	device->passed_user = name.key[0];
}

uint64_t portal_tries_hold(uint64_t begun_ms, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - begun_ms;
	return (passed_ms / PORTAL_HOLD_MS + 1) * PORTAL_HOLD_MS - passed_ms;
}

size_t portal_tries_locked(
	const struct portal_tries *tries, uint64_t now_ms, struct portal_locked *v, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < PORTAL_TRIES_ROWS; i++) {
		const struct row *row = &tries->rows[i];
		if (row->kind == KIND_USER || !is_locked(row, now_ms))
			continue;
		uint64_t wait_ms;
		enum portal_try what = wait_for(row, now_ms, &wait_ms);
		if (n < room)
			v[n] = (struct portal_locked){
				what, row->client, row->failures, now_ms + wait_ms};
		n++;
	}
	return n;
}

struct portal_client portal_device(
	const struct portal_client *client, enum policy_identity identity)
{
	struct portal_client device = *client;

	if (identity == POLICY_IDENTITY_ADDRESS)
		device.mac = (struct mac){0};
	return device;
}

struct addr portal_place(const struct portal_client *client)
{
	/* fd00::/8, of which no guest on the Internet is, and the MAC within the first 64 bits */
	struct addr place = {.bytes = {0xfd, 0x00}, .family = ADDR_IP6};

	if (!mac_is_set(&client->mac))
		return client->address;
	memcpy(place.bytes + 2, client->mac.bytes, sizeof(client->mac.bytes));
	return place;
}
