/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns charging messages and recipients to the rates that a policy bounds them by, in memory that
 * all processes share that count them. */
#ifndef POSTERN_LIB_LIMIT_MESSAGE_LIMIT_H
#define POSTERN_LIB_LIMIT_MESSAGE_LIMIT_H

#include "lib/limit/bucket.h"
#include "lib/limit/limit_of.h"
#include "lib/smtp/refusal.h"

/* What anybody can name without end, senders, has a table of its own, so that it crowds out nobody
 * else. */
struct message_limit {
	struct bucket_table all, senders;
};

#define MESSAGE_LIMIT_BYTES (UINT64_C(24) << 20) /* only what is used is there */

/* Makes the tables of the memory (all zero), before any attach. 0 or -EINVAL. */
int message_limit_init(
	void *memory, size_t bytes, const uint8_t secret[static SIPHASH_SECRET_SIZE]);
/* 0, or -EINVAL: no such memory. */
int message_limit_attach(struct message_limit *limits, void *memory, size_t bytes);

/* Who asks, for a message or for one of its recipients. */
struct message_limit_ask {
	const struct policy *policy;
	struct limit_place place;
	const int32_t *rules; /* that took the recipient, or all that took one of the message's */
	size_t nrules;
	struct limit_who who;
	enum policy_limit_kind kind; /* MESSAGES or RECIPIENTS */
};

/* Takes one of each rate that holds, the client's own first, up to the first that is over: nothing
 * is given back. Of several rules a place's rate is taken once. BUCKET_OVER or _FULL: of which
 * limit (its rule is rules[*rule]). Before a new sender is counted the client is, so that one can
 * not fill the table with senders. now_us as bucket_take() has it. */
enum bucket_verdict message_limit_take(const struct message_limit *limits,
	const struct message_limit_ask *ask, uint64_t now_us, struct limit_of *which, size_t *rule);
/* What message_limit_take() would say now. Takes nothing. */
enum bucket_verdict message_limit_foresee(const struct message_limit *limits,
	const struct message_limit_ask *ask, uint64_t now_us, struct limit_of *which, size_t *rule);
/* What the client hears of BUCKET_OVER, by this limit, or BUCKET_FULL. */
struct smtp_refusal message_limit_refusal(
	enum bucket_verdict verdict, const struct policy_limit *limit);

#endif
