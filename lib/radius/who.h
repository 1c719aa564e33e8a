/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who a request of accounting tells of, by what the policy says: user, groups, zone, MAC and
 * addresses; or why nothing can be done with it. */
#ifndef POSTERN_RADIUS_WHO_H
#define POSTERN_RADIUS_WHO_H

#include "lib/policy/policy.h"
#include "lib/radius/account.h"

/* Why a good packet is of no use. X(identifier, word, what it says) */
#define RADIUS_UNUSED_TABLE(X)                                                                \
	X(NOTHING, "", "")                                                                    \
	X(STATUS, "status", "its status is none of a client's, or of a NAS that begins anew") \
	X(SKEW, "skew", "its event is further from now than `skew`")                          \
	X(USER, "user", "it names no user that may be one")                                   \
	X(ZONE, "zone", "it is of none of the zones named")                                   \
	X(NETWORK, "network", "its addresses are in no network of its zone")                  \
	X(MAC, "mac", "it has no MAC, and its zone knows clients by MAC")                     \
	X(OLD, "old", "it was overtaken, or is here a second time")                           \
	X(OVER, "over", "its session is over already")                                        \
	X(CLAIMED, "claimed", "another user began later with its MAC or address")             \
	X(TAKEN, "taken", "a session of another source has its MAC or address")               \
	X(LIMIT, "limit", "its user has as many sessions as are allowed")                     \
	X(FULL, "full", "there is no room for one more")

enum radius_unused {
#define RADIUS_UNUSED_ENUM(id, ...) RADIUS_UNUSED_##id,
	RADIUS_UNUSED_TABLE(RADIUS_UNUSED_ENUM)
#undef RADIUS_UNUSED_ENUM
};
#define RADIUS_UNUSEDS (RADIUS_UNUSED_FULL + 1)
extern const char *const radius_unused_names[RADIUS_UNUSEDS];
extern const char *const radius_unused_meanings[RADIUS_UNUSEDS];

#define RADIUS_NO_ZONE     SIZE_MAX
#define RADIUS_NAS_SIZE    254
#define RADIUS_DELAY_MAX_S 3600 /* so much later than `skew` may a packet come that says so */

struct radius_who {
	size_t zone; /* index; RADIUS_NO_ZONE: an address would tell */
	bool whole;  /* all that a session of the zone needs is there; else it waits for an address
		      */
	char user[POLICY_USER_SIZE];
	char groups[RADIUS_GROUPS_MAX][POLICY_USER_SIZE];
	size_t ngroups;
	unsigned bad_groups;       /* that are no text */
	char nas[RADIUS_NAS_SIZE]; /* its name, or an address */
	struct mac mac;
	struct prefix addresses[RADIUS_ADDRESSES_MAX]; /* those in a network of the zone */
	size_t naddresses;
	uint64_t event_ms; /* wall clock of the sender */
	uint64_t begin_ms; /* when the session began; 0: it does not say */
	int64_t skew_ms;   /* how far the event is before now, less the delay that it owns up to */
};

/* source: who sent it. Of a STOP user, zone and addresses may be missing; of ON and OFF all but
 * event and NAS. */
enum radius_unused radius_who_read(const struct policy *policy, const struct policy_radius *radius,
	const struct radius_account *account, const struct addr *source, uint64_t now_ms,
	struct radius_who *who);

/* Whose secret proves what this source sends: the longest network; NULL: nobody listed it. */
const struct policy_radius_source *radius_source_of(
	const struct policy_radius *radius, const struct addr *source);

#endif
