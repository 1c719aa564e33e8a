/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one target over time: its probes, what they found at each of its addresses, and its state.
 */
#ifndef POSTERN_DAEMON_HEALTH_WATCHED_TARGET_H
#define POSTERN_DAEMON_HEALTH_WATCHED_TARGET_H

#include "daemon/health/login_hold.h"
#include "daemon/health/probe.h"
#include "daemon/health/shown_state.h"
#include "daemon/health/terms.h"
#include "lib/ipc/replica.h"
#include "lib/policy/target.h"

struct watched_target_address {
	struct addr addr;
	uint64_t asked; /* offers nothing that it must not: the inquiry of the question, or 0 */
	bool refused;   /* not to be used; text says why */
	bool forges;    /* the same, but by flows that are read */
	uint8_t offers; /* enum smtp_offer: what it showed last; 0: it was not asked */
	/* By itself, for those who try no other: as a target is down and up. */
	bool lost;
	uint8_t missed, worked; /* in a row */
	char text[TARGET_TEXT_SIZE];
	struct tls_seen *tls; /* what its TLS was last; NULL: none was seen */
	uint64_t tls_seen_ms; /* wall clock */
	bool tls_due;         /* to be told, or that it counts no more */
};

/* A round of probes goes over all addresses; the first good one is enough to be up. */
struct watched_target {
	struct watched_target *next;
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
	struct watched_target_address addresses[TARGET_ADDRESSES_MAX]; /* as in target */
	/* A host that offers XCLIENT or XFORWARD must not be used by plain flows, whose clients
	 * could say them, and may be by those that are read, where they are not passed on. */
	struct shown_state plain, read;
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
struct watched_target *watched_target_new(struct loop *loop, const struct terms *terms,
	void (*on_change)(void *context), void *context);
void watched_target_free(struct watched_target *watched_target);
/* The terms are others: what probes found under the old ones is forgotten. */
void watched_target_reset(struct watched_target *watched_target);
/* DNS or policy say this of it now. A new address is probed at once; what was found under other
 * terms of TLS is forgotten. */
void watched_target_update(struct watched_target *watched_target, const struct target *target);
/* Begins or goes on with its round. False: no place is free. */
bool watched_target_probe(struct watched_target *watched_target, struct probes *probes);
void watched_target_probe_soon(struct watched_target *watched_target);
/* The TLS that flows speak with it: NONE where it is left to their clients. Borrowed. */
struct secure_order watched_target_tls(const struct watched_target *watched_target);
/* Its addresses: what all flows may try first, then what those may that are read; of either the
 * family that worked last first. What is refused last. Returns how many. */
size_t watched_target_order(const struct watched_target *watched_target,
	const struct watched_target_address *order[TARGET_ADDRESSES_MAX]);
/* A flow told of late what it does that no host may. */
bool watched_target_is_broken(const struct watched_target *watched_target);
bool watched_target_has(const struct watched_target *watched_target, const struct endpoint *host);
/* How its TLS has to be. */
enum policy_server_tls_mode watched_target_tls_mode(const struct watched_target *watched_target);
/* A relay's word on one of its addresses. */
void watched_target_on_host(struct watched_target *watched_target, const struct ipc_host *ipc);
/* What an earlier health process told, in that inquiry. */
void watched_target_seed(
	struct watched_target *watched_target, const struct ipc_target *told, uint64_t inquiry);

#endif
