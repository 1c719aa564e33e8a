/* Owns the decision: which rule takes a client's connection, and what of it may be cached.
 * Pure; used alike by admission, relay and `explain`. */
#ifndef POSTERN_DECIDE_H
#define POSTERN_DECIDE_H

#include "lib/block.h"
#include "lib/lists.h"
#include "lib/policy.h"
#include "lib/schedule.h"
#include "lib/session.h"

/* What the decision rests on. */
struct decide_world {
	const struct policy *policy;
	const struct lists *lists;
	const struct session_table *sessions;
	schedule_local *local;
	const struct blocks *blocks; /* NULL: none */
	/* All times are of one clock, and schedules are of the calendar: how far that is ahead. */
	int64_t calendar_ahead_ms;
};

/* Where a connection comes from. A zone today; other origins may come. */
struct decide_origin {
	size_t zone; /* index into policy->zones */
	struct mac mac;
	struct addr source;
};

enum decide_field {
	DECIDE_SOURCE = 1 << 0,
	DECIDE_DESTINATION = 1 << 1,
	DECIDE_PORT = 1 << 2,
	DECIDE_TIME = 1 << 3,
	DECIDE_SESSION = 1 << 4,
	DECIDE_ENVELOPE = 1 << 5, /* needs the envelope; unused today */
};

enum decide_reason {
	DECIDE_RULE,            /* a rule matched */
	DECIDE_UNAUTHENTICATED, /* no session, or its lease is over: the zone's `unauthenticated` */
	DECIDE_UNMATCHED,       /* a session, no rule: the zone's `unmatched` */
	DECIDE_BLOCKED,         /* whatever the rules say */
};
#define DECIDE_REASONS 4
extern const char *const decide_reason_names[DECIDE_REASONS];

struct decision {
	enum policy_verdict verdict;
	enum decide_reason reason;
	ptrdiff_t rule;   /* index, -1 unless DECIDE_RULE */
	ptrdiff_t server; /* index; -1 for `server original` and for no redirect */
	bool to_original;
	const struct policy_act *act;  /* for the other verdicts; borrowed from the policy */
	const struct block *block;     /* with DECIDE_BLOCKED, whose answer it has; borrowed */
	const struct session *session; /* borrowed; NULL: none, or its lease is over */
	unsigned fields;               /* of enum decide_field: what was looked at */
	uint64_t until_ms;             /* not true after this; 0: no end (lease, schedule, list) */
};

/* The decision for one connection. */
void decide_connection(const struct decide_world *world, const struct decide_origin *origin,
	const struct endpoint *original, uint64_t now_ms, struct decision *decision);

/* What the kernel does with a client's packets; the relay carries out both redirect and answer. */
enum decide_kernel {
	DECIDE_KERNEL_RELAY,
	DECIDE_KERNEL_PASS,
	DECIDE_KERNEL_REJECT,
	DECIDE_KERNEL_DROP,
};
enum decide_kernel decide_kernel_of(enum policy_verdict verdict);

/* The decision for every connection of a client at once, for the kernel's cache: destination and
 * (in a zone of several ports) port are taken as unknown, in a zone with identity address the MAC
 * too; each rule that could match counts. True and *kernel, *until_ms (0: no end) when every
 * connection of the client has the same kernel verdict until then, so that a cache keyed by
 * (interface, MAC, address), with identity address by (interface, address), cannot be wrong; false
 * when what is unknown decides and nothing may be cached. */
bool decide_client(const struct decide_world *world, const struct decide_origin *origin,
	uint64_t now_ms, enum decide_kernel *kernel, uint64_t *until_ms);

/* The same walk as decide_connection(), told step by step, for `explain`: step is called for the
 * identity, for each rule ("rule office: no, source 192.0.2.7 is not in list office") and for the
 * outcome. Text is one line without newline, borrowed. */
typedef void decide_step(void *context, const char *text);
void decide_explain(const struct decide_world *world, const struct decide_origin *origin,
	const struct endpoint *original, uint64_t now_ms, struct decision *decision,
	decide_step *step, void *context);

#endif
