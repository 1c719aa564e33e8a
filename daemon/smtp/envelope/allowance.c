/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/envelope/allowance.h"

#include "daemon/flow/charge.h"
#include "daemon/process/process.h"
#include "daemon/smtp/note.h"
#include "daemon/smtp/smtp.h"
#include "lib/limit/limit_of.h"
#include "lib/limit/message_limit.h"
#include "lib/policy/mailset.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

int allowance_init(struct smtp *smtp, int fd)
{
	size_t bytes;
	void *memory = process_map(fd, PROT_READ | PROT_WRITE, &bytes);

	return memory ? message_limit_attach(&smtp->limits, memory, bytes) : -errno;
}

/* Not the loop's: of two processes that take out of one bucket, neither shall be late. */
static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- what bounds each message ---- */

static uint64_t size_of(const struct policy *policy, struct limit_place place, ptrdiff_t rule)
{
	const struct policy_limit *limit =
		limit_of_kind(policy, place, rule, POLICY_LIMIT_SIZE, POLICY_PER_ALL);

	return limit ? limit->size_bytes : POLICY_SIZE_MAX_BYTES;
}

static uint32_t recipients_of(const struct policy *policy, struct limit_place place, ptrdiff_t rule)
{
	const struct policy_limit *limit =
		limit_of_kind(policy, place, rule, POLICY_LIMIT_RECIPIENTS, POLICY_PER_MESSAGE);

	return limit && limit->count < UINT16_MAX ? limit->count : UINT16_MAX;
}

static bool may_take(const struct policy_rule *rule, struct limit_place place)
{
	bool here = place.of_listener ? policy_rule_in_listener(rule, place.at)
				      : policy_rule_in_zone(rule, place.at);

	return here && rule->to_server && !rule->disabled;
}

void allowance_set_up(const struct smtp_flow *flow, struct engine_setup *setup)
{
	const struct policy *policy = flow->way.policy;
	const struct limit_place place = way_place(&flow->way);

	setup->size_max = size_of(policy, place, -1);
	setup->recipients_max = (uint16_t)recipients_of(policy, place, -1);
	for (size_t i = 0; i < policy->nrules; i++) {
		if (!may_take(&policy->rules[i], place))
			continue;
		uint64_t size = size_of(policy, place, (ptrdiff_t)i);
		uint32_t recipients = recipients_of(policy, place, (ptrdiff_t)i);
		if (size > setup->size_max)
			setup->size_max = size;
		if (recipients > setup->recipients_max)
			setup->recipients_max = (uint16_t)recipients;
	}
}

/* ---- rates ---- */

static bool refuse(
	struct smtp_refusal *refusal, uint16_t code, const char *enhanced, const char *text)
{
	*refusal = (struct smtp_refusal){code, enhanced, text};
	return false;
}

static bool take(struct smtp_flow *flow, enum policy_limit_kind kind, const int32_t *rules,
	size_t nrules, struct smtp_refusal *refusal)
{
	const struct way *way = &flow->way;
	char sender[MAILSET_KEY_SIZE];
	const struct message_limit_ask ask = {.policy = way->policy,
		.place = way_place(way),
		.rules = rules,
		.nrules = nrules,
		.who = {&way->mac, &way->client.addr, way->user, sender},
		.kind = kind};
	struct limit_of which;
	size_t rule;

	mailset_key_of(&flow->engine.sender, sender);
	enum bucket_verdict verdict =
		message_limit_take(&flow->smtp->limits, &ask, now_us(), &which, &rule);
	if (verdict == BUCKET_OK)
		return true;
	if (verdict == BUCKET_FULL)
		smtp_count(flow->smtp, COUNTER_LIMITS_FULL_MESSAGES);
	else if (which.limit->block_s)
		charge_block(way, which.limit);
	*refusal = message_limit_refusal(verdict, which.limit);
	return false;
}

/* ---- a message ---- */

static bool is_noted(const struct smtp_note *note, int32_t rule)
{
	for (uint32_t i = 0; i < note->nrules; i++)
		if (note->rules[i] == rule)
			return true;
	return false;
}

void allowance_note_rule(struct smtp_flow *flow)
{
	struct smtp_note *note = smtp_note_of(flow);

	if (note && note->nrules < SMTP_NOTE_RULES && !is_noted(note, flow->rule))
		note->rules[note->nrules++] = flow->rule;
}

/* Without a note, for want of memory, it is that of the last recipient. */
static const int32_t *rules_of(const struct smtp_flow *flow, size_t *n)
{
	const struct smtp_note *note = smtp_note_of(flow);

	*n = note && note->nrules ? note->nrules : 1;
	return note && note->nrules ? note->rules : &flow->rule;
}

static bool admit(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal)
{
	const struct engine *engine = &flow->engine;
	const struct policy *policy = flow->way.policy;
	const struct smtp_note *note = smtp_note_of(flow);
	const struct limit_place place = way_place(&flow->way);

	/* it will hear to come again: it is counted then */
	if (engine->connected && engine->accepted > 0 && verdict->server != engine->server)
		return true;
	verdict->size_max = (uint32_t)size_of(policy, place, flow->rule);
	if (engine->parameters.size > verdict->size_max)
		return refuse(refusal, 552, "5.3.4", "message too big");
	if (engine->accepted >= recipients_of(policy, place, flow->rule) ||
		(note && note->nrules == SMTP_NOTE_RULES && !is_noted(note, flow->rule)))
		return refuse(refusal, 452, "4.5.3", "too many recipients");
	return take(flow, POLICY_LIMIT_RECIPIENTS, &flow->rule, 1, refusal);
}

bool allowance_recipient(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal)
{
	struct smtp_note *note = smtp_note_of(flow);

	if (admit(flow, verdict, refusal))
		return true;
	if (note)
		smtp_note_refused(note, MESSAGE_BY_LIMIT);
	return false;
}

static bool is_within_flow(const struct smtp_flow *flow, const int32_t *rules, size_t nrules)
{
	for (size_t i = 0; i < nrules; i++) {
		const struct policy_limit *limit = limit_of_kind(flow->way.policy,
			way_place(&flow->way), rules[i], POLICY_LIMIT_MESSAGES, POLICY_PER_FLOW);
		if (limit && flow->messages >= limit->count)
			return false;
	}
	return true;
}

bool allowance_message(struct smtp_flow *flow, struct smtp_refusal *refusal)
{
	struct smtp_note *note = smtp_note_of(flow);
	size_t nrules;
	const int32_t *rules = rules_of(flow, &nrules);
	bool admitted = is_within_flow(flow, rules, nrules)
				? take(flow, POLICY_LIMIT_MESSAGES, rules, nrules, refusal)
				: refuse(refusal, 450, "4.7.1",
					  "over the limit of messages of one connection");

	if (note)
		note->limited = !admitted;
	flow->messages += admitted; /* and whatever becomes of it, nothing is given back */
	if (!admitted)
		smtp_count(flow->smtp, COUNTER_MESSAGES_OVER_LIMIT);
	return admitted;
}
