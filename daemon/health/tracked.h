/* Owns one target over time: its probes, what they found at each of its addresses, and its state.
 */
#ifndef POSTERN_DAEMON_HEALTH_TRACKED_H
#define POSTERN_DAEMON_HEALTH_TRACKED_H

#include "daemon/health/login_hold.h"
#include "daemon/health/probe.h"
#include "daemon/health/terms.h"
#include "daemon/health/view.h"
#include "lib/ipc/picture.h"
#include "lib/policy/target.h"

struct tracked_address {
	struct addr addr;
	uint64_t asked; /* offers nothing that it must not: the inquiry of the question, or 0 */
	bool refused;   /* not to be used; text says why */
	bool forges;    /* the same, but by flows that are read */
	uint8_t offers; /* enum smtp_offer: what it showed last; 0: it was not asked */
	char text[TARGET_TEXT_SIZE];
	struct tls_seen *tls; /* what its TLS was last; NULL: none was seen */
	uint64_t tls_seen_ms; /* wall clock */
	bool tls_due;         /* to be told, or that it counts no more */
};

/* A round of probes goes over all addresses; the first good one is enough to be up. */
struct tracked {
	struct tracked *next;
	const struct terms *terms;
	struct loop *loop;
	void (*on_change)(void *context); /* something to be told has changed */
	void *context;
	bool wanted;     /* by the last expansion */
	bool due;        /* waits for a place to probe */
	uint64_t due_ms; /* since then */
	struct target target;
	uint64_t tls; /* tls_terms_digest() of its line: other TLS is another question */
	size_t n;
	struct tracked_address addresses[TARGET_ADDRESSES_MAX]; /* as in target */
	/* A host that offers XCLIENT or XFORWARD must not be used by plain flows, whose clients
	 * could say them, and may be by those that are read, where they are not passed on. */
	struct view plain, read;
	struct login_hold login; /* down until then, whatever probes find: they do not log in */
	uint64_t broken_ms; /* monotonic: when a flow last told what it does that no host may */
	char broken[TARGET_TEXT_SIZE]; /* what; empty: nothing */
	uint8_t last_family;           /* that worked last */
	uint32_t latency_us;
	/* the round at hand */
	struct probe *probe; /* NULL: none */
	size_t at;           /* of order */
	size_t norder;
	struct addr order[TARGET_ADDRESSES_MAX];
	uint64_t inquiry; /* in which it was begun */
	uint64_t ended_ms;
	struct loop_timer timer; /* the next round */
};

/* NULL: out of memory. */
struct tracked *tracked_new(struct loop *loop, const struct terms *terms,
	void (*on_change)(void *context), void *context);
void tracked_free(struct tracked *tracked);
/* The terms are others: what probes found under the old ones is forgotten. */
void tracked_reset(struct tracked *tracked);
/* DNS or policy say this of it now. A new address is probed at once; what was found under other
 * terms of TLS is forgotten. */
void tracked_update(struct tracked *tracked, const struct target *target);
/* Begins or goes on with its round. False: no place is free. */
bool tracked_probe(struct tracked *tracked, struct probes *probes);
void tracked_probe_soon(struct tracked *tracked);
/* The TLS that flows speak with it: NONE where it is left to their clients. Borrowed. */
struct secure_order tracked_tls(const struct tracked *tracked);
/* Its addresses: what all flows may try first, then what those may that are read; of either the
 * family that worked last first. What is refused last. Returns how many. */
size_t tracked_order(
	const struct tracked *tracked, const struct tracked_address *order[TARGET_ADDRESSES_MAX]);
/* A flow told of late what it does that no host may. */
bool tracked_is_broken(const struct tracked *tracked);
bool tracked_has(const struct tracked *tracked, const struct endpoint *host);
/* How its TLS has to be. */
enum policy_server_tls_mode tracked_tls_mode(const struct tracked *tracked);
/* A relay's word on one of its addresses. */
void tracked_on_host(struct tracked *tracked, const struct ipc_host *ipc);
/* What an earlier health process told, in that inquiry. */
void tracked_seed(struct tracked *tracked, const struct ipc_target *told, uint64_t inquiry);

#endif
