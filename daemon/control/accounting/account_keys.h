/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the keyed hashes by which accounting's sessions, NASes, users and claims are known: of fixed
 * size whatever a NAS calls them, and nobody makes two that meet. */
#ifndef POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_KEYS_H
#define POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_KEYS_H

#include "lib/base/siphash.h"
#include "lib/ipc/radius.h"
#include "lib/radius/ledger.h"

struct account_keys {
	uint8_t secret[2][SIPHASH_SECRET_SIZE];
};

void account_keys_init(struct account_keys *keys, const uint8_t secret[static SIPHASH_SECRET_SIZE]);
/* Whoever has the same secret speaks for the same NASes. */
uint64_t account_keys_nas(const struct account_keys *keys, const struct ipc_radius_event *event,
	const struct policy_radius_source *source);
/* The session by its id there; where it has none, by its MAC, or by an address. */
void account_keys_session(const struct account_keys *keys, const struct ipc_radius_event *event,
	const struct policy_radius_source *source, struct radius_key *key);
uint64_t account_keys_user(const struct account_keys *keys, const char *user);
/* What one says is his. */
struct account_says {
	const char *zone;
	const struct mac *mac;
	const struct prefix *addresses;
	size_t naddresses;
};
/* As claims; zone: NULL while it is gone. How many. */
size_t account_keys_claims(const struct account_keys *keys, const struct policy_zone *zone,
	const struct account_says *says, uint64_t claims[static RADIUS_CLAIMS_MAX]);

#endif
