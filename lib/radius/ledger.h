/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is known of each session that accounting tells of: live, waiting for its address, over;
 * and by that what the next request of it means.
 *
 * Requests come late, twice, in any order, and captured ones for ever: what counts is the time of
 * the event, which never goes back for a session. One that is over leaves a tombstone, by which a
 * request that was overtaken, or sent again, opens nothing. Of two users who say the same MAC or
 * address, the one whose session began later has it, in whatever order they are heard of.
 *
 * What a session is to others (its user, its addresses) is not known here: it is a number. Times of
 * events are the senders' wall clock; now_ms is a clock of the caller's that is never set. */
#ifndef POSTERN_LIB_RADIUS_LEDGER_H
#define POSTERN_LIB_RADIUS_LEDGER_H

#include "lib/base/heap.h"
#include "lib/radius/account.h"

/* A keyed hash of 128 bits: of who may speak for the NAS, the NAS, and the session's id there. */
struct radius_key {
	uint64_t v[2];
};
bool radius_key_equal(const struct radius_key *a, const struct radius_key *b);

enum radius_state {
	RADIUS_LIVE,
	RADIUS_PENDING, /* no address yet, where it needs one */
	RADIUS_ENDED,
	RADIUS_SUPERSEDED, /* over as another user began later with its MAC or address */
};
#define RADIUS_STATES 4

#define RADIUS_TOMBSTONES_MAX 100000
#define RADIUS_ENTRIES_MAX    300000
#define RADIUS_PENDING_MS     600000
#define RADIUS_TOMBSTONE_MS   86400000 /* or four times the skew, whichever is longer */

struct radius_entry {
	struct radius_key key;
	uint64_t nas;       /* a keyed hash: all sessions of one NAS */
	uint64_t session;   /* what it is to others; 0: nothing now */
	uint64_t begin_ms;  /* when it began, as far as known */
	uint64_t event_ms;  /* the newest event */
	uint64_t until_ms;  /* clock of the caller: forgotten then; 0: while it is live */
	uint32_t spacing_s; /* between its last two interims; 0: no two yet */
	uint32_t steady_s;  /* the same, when the two before were as far apart; 0: they were not */
	uint8_t state;      /* enum radius_state */
	uint8_t rank;       /* of the newest event: which of two at one time is the later */
	uint8_t started;    /* 1: its Start was seen */
	uint8_t interim;    /* 1: an Interim was */
};

/* One request. */
#define RADIUS_CLAIMS_MAX (1 + RADIUS_ADDRESSES_MAX)
struct radius_event {
	struct radius_key key;
	uint64_t nas;
	enum radius_status status; /* START, INTERIM or STOP */
	uint64_t event_ms;
	uint64_t begin_ms; /* event less Acct-Session-Time; 0: it does not say */
	uint64_t user;     /* a keyed hash of the user's name */
	bool can_open;     /* it has all that a session needs; else it waits for an address */
	/* keyed hashes of what it says is its: (zone, MAC), (zone, address) each */
	uint64_t claims[RADIUS_CLAIMS_MAX];
	size_t nclaims;
	uint32_t skew_s;
};

/* What is to be done. X(identifier, word) */
#define RADIUS_ACT_TABLE(X)                                                                \
	X(OPEN, "open")                                                                    \
	X(RENEW, "renew")                                                                  \
	X(WAIT, "wait")           /* for an address */                                     \
	X(END, "end")             /* the session, unless others of its NAS's lead to it */ \
	X(TOMBSTONE, "tombstone") /* a Stop of what was not known */                       \
	X(OLD, "old")             /* overtaken, or heard before: nothing */                \
	X(OVER, "over")           /* an Interim of what is over: nothing */                \
	X(CLAIMED, "claimed")     /* another user began later with its MAC or address */   \
	X(FULL, "full")           /* there is no room for one more */

enum radius_act {
#define RADIUS_ACT_ENUM(id, word) RADIUS_ACT_##id,
	RADIUS_ACT_TABLE(RADIUS_ACT_ENUM)
#undef RADIUS_ACT_ENUM
};
#define RADIUS_ACTS (RADIUS_ACT_FULL + 1)
extern const char *const radius_act_names[RADIUS_ACTS];

struct radius_decision {
	enum radius_act act;
	bool start_missed; /* an Interim, or a Stop, is the first that is heard of it */
	bool known;        /* `before` is what was known */
	struct radius_entry before;
	struct radius_entry now; /* what is known from here on; unless OLD, OVER or FULL */
	/* Other users' sessions that lose what this one says is its: they are over at once. */
	uint64_t losers[RADIUS_CLAIMS_MAX];
	size_t nlosers;
};

struct radius_ledger;

/* NULL: out of memory. */
struct radius_ledger *radius_ledger_new(void);
void radius_ledger_free(struct radius_ledger *ledger); /* NULL is allowed */

/* Decides, and notes what is known now. Of OPEN the session's number is told by
 * radius_ledger_opened(). */
void radius_ledger_take(struct radius_ledger *ledger, const struct radius_event *event,
	uint64_t now_ms, struct radius_decision *decision);
void radius_ledger_opened(
	struct radius_ledger *ledger, const struct radius_key *key, uint64_t session);
/* Puts back what was known before a decision that could not be carried out, unless more was heard
 * since. */
void radius_ledger_undo(struct radius_ledger *ledger, const struct radius_decision *decision);

/* As it was kept, at a start. 0, -ENOMEM, or -ENOSPC: no room. */
int radius_ledger_put(struct radius_ledger *ledger, const struct radius_entry *entry);
/* And what a live one says is its. */
void radius_ledger_claim(struct radius_ledger *ledger, const struct radius_key *key, uint64_t user,
	const uint64_t *claims, size_t n);
/* Borrowed until the next change; NULL: not known. */
const struct radius_entry *radius_ledger_find(
	const struct radius_ledger *ledger, const struct radius_key *key);
size_t radius_ledger_count(const struct radius_ledger *ledger, enum radius_state state);
/* How many live ones lead to this session. */
size_t radius_ledger_count_session(const struct radius_ledger *ledger, uint64_t session);
/* One of them; NULL: none does. */
const struct radius_entry *radius_ledger_of_session(
	const struct radius_ledger *ledger, uint64_t session);

/* Given each that changes. before: as it was; now: NULL when it is forgotten. It must not change
 * the ledger. */
typedef void radius_ledger_visit(
	void *context, const struct radius_entry *before, const struct radius_entry *now);

/* The session is over by another cause. FORGOTTEN: the next Interim opens it again. */
enum radius_end { RADIUS_END_FORGOTTEN, RADIUS_END_TOMBSTONE, RADIUS_END_SUPERSEDED };
void radius_ledger_session_gone(struct radius_ledger *ledger, uint64_t session, enum radius_end end,
	uint32_t skew_s, uint64_t now_ms, radius_ledger_visit *visit, void *context);
/* The NAS began anew: all of its that began before are over, and what is heard of them later.
 * False: it is known, or older than what is. */
bool radius_ledger_nas_over(struct radius_ledger *ledger, uint64_t nas, uint64_t event_ms,
	uint32_t skew_s, uint64_t now_ms, radius_ledger_visit *visit, void *context);
/* Our clock says this, and was set back: what it said before of times to come is of now, or all
 * that senders without a clock of their own say would be older, until it has caught up. */
void radius_ledger_set_back(struct radius_ledger *ledger, uint64_t wall_ms);
/* Forgets whose time is over, and tombstones beyond their number, at most `most`. How many. */
size_t radius_ledger_sweep(struct radius_ledger *ledger, uint64_t now_ms, size_t most,
	radius_ledger_visit *visit, void *context);
/* When the next is to be forgotten; 0: none. */
uint64_t radius_ledger_next_ms(const struct radius_ledger *ledger);

/* One entry as bytes. decode: false: they are none. */
#define RADIUS_ENTRY_BYTES 68
void radius_entry_encode(
	const struct radius_entry *entry, uint8_t bytes[static RADIUS_ENTRY_BYTES]);
bool radius_entry_decode(const uint8_t *bytes, size_t len, struct radius_entry *entry);

#endif
