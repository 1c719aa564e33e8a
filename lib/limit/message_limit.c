/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limit/message_limit.h"

#include <errno.h>

/* Of all senders' buckets a client may begin so many in a limit's unit of time. */
#define SENDERS_SHARE 64

/* What a key begins with: a kind of limit and its `per`, or new senders. */
#define WHAT(kind, per)  ((uint32_t)(kind)*POLICY_PERS + (uint32_t)(per))
#define WHAT_NEW_SENDERS WHAT(POLICY_LIMIT_KINDS, 0)

static size_t first_part(size_t bytes)
{
	return bytes / 3 * 2 & ~(size_t)7;
}

int message_limit_init(void *memory, size_t bytes, const uint8_t secret[static SIPHASH_SECRET_SIZE])
{
	size_t part = first_part(bytes);
	int error = bucket_init(memory, part, secret);

	return error ? error : bucket_init((char *)memory + part, bytes - part, secret);
}

int message_limit_attach(struct message_limit *limits, void *memory, size_t bytes)
{
	size_t part = first_part(bytes);
	int error = bucket_attach(&limits->all, memory, part);

	return error ? error : bucket_attach(&limits->senders, (char *)memory + part, bytes - part);
}

typedef enum bucket_verdict charge_fn(const struct bucket_table *table,
	const struct bucket_key *key, uint32_t count, uint32_t per_seconds, uint64_t now_us);

/* A sender that is not counted yet. */
static enum bucket_verdict charge_new_sender(const struct message_limit *limits,
	const struct message_limit_ask *ask, uint32_t per_seconds, uint64_t now_us,
	charge_fn *charge)
{
	struct limit_subject client =
		limit_of_subject(ask->policy, ask->place, POLICY_PER_CLIENT, &ask->who);
	char scope[LIMIT_OF_SCOPE_SIZE];
	uint32_t count = limits->senders.nslots / SENDERS_SHARE + 1;
	struct bucket_key key = bucket_key(&limits->all, WHAT_NEW_SENDERS,
		limit_of_scope(ask->policy, ask->place, -1, &(struct limit_of){0}, scope),
		client.bytes, client.len, count, per_seconds);

	return charge(&limits->all, &key, count, per_seconds, now_us);
}

static enum bucket_verdict charge_one(const struct message_limit *limits,
	const struct message_limit_ask *ask, const struct limit_of *of, int32_t rule,
	uint64_t now_us, charge_fn *charge)
{
	const struct policy_limit *limit = of->limit;
	bool sender = limit->per == POLICY_PER_SENDER;
	const struct bucket_table *table = sender ? &limits->senders : &limits->all;
	char scope[LIMIT_OF_SCOPE_SIZE];
	struct limit_subject subject =
		limit_of_subject(ask->policy, ask->place, limit->per, &ask->who);
	struct bucket_key key = bucket_key(table, WHAT(limit->kind, limit->per),
		limit_of_scope(ask->policy, ask->place, rule, of, scope), subject.bytes,
		subject.len, limit->count, limit->per_seconds);

	if (sender && !bucket_is_known(table, &key, now_us)) {
		enum bucket_verdict verdict =
			charge_new_sender(limits, ask, limit->per_seconds, now_us, charge);
		if (verdict != BUCKET_OK)
			return verdict;
	}
	return charge(table, &key, limit->count, limit->per_seconds, now_us);
}

/* Has a rule before this one the place's own limit, too? */
static bool is_charged(
	const struct message_limit_ask *ask, size_t rule, const struct policy_limit *limit)
{
	for (size_t i = 0; i < rule; i++)
		if (limit_of_kind(ask->policy, ask->place, ask->rules[i], limit->kind,
			    limit->per) == limit)
			return true;
	return false;
}

static enum bucket_verdict charge_all(const struct message_limit *limits,
	const struct message_limit_ask *ask, uint64_t now_us, struct limit_of *which, size_t *rule,
	charge_fn *charge)
{
	struct limit_of of[LIMIT_OF_MAX];

	for (size_t i = 0; i < ask->nrules; i++) {
		size_t n = limit_of(ask->policy, ask->place, ask->rules[i], of);
		for (size_t j = 0; j < n; j++) {
			const struct policy_limit *limit = of[j].limit;
			if (limit->kind != ask->kind || limit->per_seconds == 0 ||
				is_charged(ask, i, limit))
				continue;
			*which = of[j];
			*rule = i;
			enum bucket_verdict verdict =
				charge_one(limits, ask, &of[j], ask->rules[i], now_us, charge);
			if (verdict != BUCKET_OK)
				return verdict;
		}
	}
	return BUCKET_OK;
}

enum bucket_verdict message_limit_take(const struct message_limit *limits,
	const struct message_limit_ask *ask, uint64_t now_us, struct limit_of *which, size_t *rule)
{
	return charge_all(limits, ask, now_us, which, rule, bucket_take);
}

enum bucket_verdict message_limit_foresee(const struct message_limit *limits,
	const struct message_limit_ask *ask, uint64_t now_us, struct limit_of *which, size_t *rule)
{
	return charge_all(limits, ask, now_us, which, rule, bucket_foresee);
}

static const char *text_of(const struct policy_limit *limit)
{
	static const char *const texts[2][POLICY_PERS] = {
		{"over the limit of messages here, try again later",
			"over the limit of messages of this client, try again later",
			"over the limit of messages of this user, try again later",
			"over the limit of messages of this sender, try again later"},
		{"over the limit of recipients here, try again later",
			"over the limit of recipients of this client, try again later",
			"over the limit of recipients of this user, try again later",
			"over the limit of recipients of this sender, try again later"},
	};

	return texts[limit->kind == POLICY_LIMIT_RECIPIENTS][limit->per];
}

struct smtp_refusal message_limit_refusal(
	enum bucket_verdict verdict, const struct policy_limit *limit)
{
	return (struct smtp_refusal){450, "4.7.1",
		verdict == BUCKET_FULL ? "too many send mail now, try again later"
				       : text_of(limit)};
}
