/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who says that a MAC or an address is his: of several users, the one whose session began
 * last. Kept beyond the session's end, so that it does not matter in which order they are heard of;
 * of bounded size, and what began longest ago gives way. */
#ifndef POSTERN_LIB_RADIUS_CLAIMS_H
#define POSTERN_LIB_RADIUS_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RADIUS_CLAIM_SETS 16384
#define RADIUS_CLAIM_WAYS 8

struct radius_claim {
	uint64_t what; /* keyed hash; 0: none */
	uint64_t user; /* keyed hash */
	uint64_t key;  /* of the session */
	uint64_t begin_ms;
};

struct radius_claims {
	struct radius_claim *v; /* of RADIUS_CLAIM_SETS * RADIUS_CLAIM_WAYS */
};

/* 0 or -ENOMEM. */
int radius_claims_init(struct radius_claims *claims);
void radius_claims_fini(struct radius_claims *claims);
/* NULL: nobody's. */
const struct radius_claim *radius_claims_find(const struct radius_claims *claims, uint64_t what);
/* Is there another user's that began later? Seconds are what NASes know: of two of the same one a
 * Start wins, which is heard of now, and nothing else does. */
bool radius_claims_lose(
	const struct radius_claims *claims, const struct radius_claim *claim, bool starts);
/* One that does not lose. The same session's own is set to when it now says that it began. */
void radius_claims_put(struct radius_claims *claims, const struct radius_claim *claim);
/* None began later than this. */
void radius_claims_set_back(struct radius_claims *claims, uint64_t wall_ms);

#endif
