/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the ledger's two files share: its store, and its decisions. */
#ifndef POSTERN_LIB_RADIUS_LEDGER_PARTS_H
#define POSTERN_LIB_RADIUS_LEDGER_PARTS_H

#include "lib/radius/claims.h"
#include "lib/radius/ledger.h"

struct link;

enum { BY_KEY, BY_NAS, BY_SESSION, INDEXES };

struct radius_ledger {
	struct link **chains[INDEXES]; /* of `buckets` each */
	size_t buckets, n;
	size_t counts[RADIUS_STATES];
	struct heap ends;
	struct radius_claims claims;
};

/* By the first half of its key alone; NULL: not known. */
const struct radius_entry *radius_ledger_find_half(
	const struct radius_ledger *ledger, uint64_t half);
/* It is over, and a tombstone from now on. */
void radius_ledger_bury(
	struct radius_entry *entry, enum radius_state state, uint32_t skew_s, uint64_t now_ms);
/* When the NAS began anew last, as far as is kept: a claim on it, of nobody. 0: not known. */
uint64_t radius_ledger_restarted_ms(const struct radius_ledger *ledger, uint64_t nas);

#endif
