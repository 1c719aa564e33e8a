/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how often may be tried to log in on the login page: by device, by network, by user.
 *
 * A device (portal_device(): its MAC, whatever addresses it takes; without MAC its address) that
 * failed PORTAL_TRIES_DEVICE times is shut out for PORTAL_TRIES_LOCK_S. A network (/24, of IPv6
 * /64) has PORTAL_TRIES_NETWORK failures, and then as many as are refilled evenly in that time:
 * whoever makes up devices has no more, and who comes back, with the device and as the user that he
 * logged in as last, does not wait for him: with another name he is a stranger, or devices that
 * logged in with an account of one's own would each buy guesses at all others. A user is never shut
 * out, or a guest could shut out the director: he waits longer from try to try, and not at all from
 * where he logged in before.
 *
 * A try counts as failed from its begin until it is known to have passed, so that many at once have
 * no more than one after the other. One that passed takes back itself and no other, or an account
 * of one's own would buy guesses at another's. The table is bounded: quiet rows make room, one that
 * shuts somebody out never does, and who finds no room waits. */
#ifndef POSTERN_LIB_PORTAL_TRIES_H
#define POSTERN_LIB_PORTAL_TRIES_H

#include "lib/base/siphash.h"
#include "lib/portal/client.h"

#define PORTAL_TRIES_DEVICE  5
#define PORTAL_TRIES_NETWORK 50
#define PORTAL_TRIES_LOCK_S  900
#define PORTAL_TRIES_SLOW_S  30 /* the longest wait for a user */
#define PORTAL_TRIES_KNOWN_S (30 * 86400)
#define PORTAL_TRIES_ROWS    8192
#define PORTAL_HOLD_MS       1000

enum portal_try {
	PORTAL_TRY_OK,
	PORTAL_TRY_DEVICE,
	PORTAL_TRY_NETWORK,
	PORTAL_TRY_USER,
	PORTAL_TRY_FULL,
};

struct portal_tries;

/* secret: by which nobody finds whom he meets in the table. NULL: no memory. */
struct portal_tries *portal_tries_new(const uint8_t secret[static SIPHASH_SECRET_SIZE]);
void portal_tries_free(struct portal_tries *tries); /* NULL is allowed */

/* May somebody at this device try to log in as user now? Else *wait_ms says when again. Counts
 * nothing. Times are of a clock that never goes back. */
enum portal_try portal_tries_ask(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms, uint64_t *wait_ms);
/* He does: after PORTAL_TRY_OK. */
void portal_tries_begin(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms);
/* The try that was begun passed. */
void portal_tries_passed(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms);
/* It could not be found out: it was none. */
void portal_tries_forget(struct portal_tries *tries, const struct portal_client *client,
	const char *user, uint64_t now_ms);

/* How long a refusal that is known at now_ms is held back, of a try begun_ms: it is said at the
 * next multiple of PORTAL_HOLD_MS, however fast or slow it was known. */
uint64_t portal_tries_hold(uint64_t begun_ms, uint64_t now_ms);

/* Who is shut out now: a device, or a network by its first address. */
struct portal_locked {
	enum portal_try what;
	struct portal_client client;
	uint32_t failures;
	uint64_t until_ms;
};
/* Returns how many there are; the first `room` of them are put into v. */
size_t portal_tries_locked(
	const struct portal_tries *tries, uint64_t now_ms, struct portal_locked *v, size_t room);

/* By what a client is told from others of its zone: where clients are known by address alone its
 * MAC is unset, as all behind a router or repeater have the same. */
struct portal_client portal_device(
	const struct portal_client *client, enum policy_identity identity);

/* The address that stands for a device (portal_device()) where places are counted by address and
 * /64: one made of its MAC, since all guests of a WLAN share one /64. Without MAC its own. */
struct addr portal_place(const struct portal_client *client);

#endif
