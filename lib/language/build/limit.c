/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/build/language_build.h"

#include <stdio.h>
#include <string.h>

void language_limit_begin(struct language *l)
{
	language_enter(l, &l->inner, LANGUAGE_BLOCK_LIMIT, NULL);
	l->limit_block_s = 0;
}

void language_limit_block(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t ms)
{
	language_once(l, &l->inner, word, "block");
	l->limit_block = *word;
	l->limit_block_s = language_seconds(l, span, ms, 1);
}

void language_sessions_begin(struct language *l)
{
	language_enter(l, &l->inner, LANGUAGE_BLOCK_SESSIONS, NULL);
	l->limit_over_given = l->limit_over_replaces = false;
}

void language_limit_over(struct language *l, const struct language_span *word, bool replaces)
{
	language_once(l, &l->inner, word, "over");
	l->limit_over_given = true;
	l->limit_over_replaces = replaces;
}

/* What of a limit stands once: its kind and what it is `per`, as it is written. */
static const char *phrase_of(const struct policy_limit *limit)
{
	static const char *const phrases[POLICY_LIMIT_KINDS][POLICY_PERS] = {
		[POLICY_LIMIT_FLOWS] = {"limit flows", "limit flows per client",
			"limit flows per user"},
		[POLICY_LIMIT_RATE] = {"limit rate", "limit rate per client",
			"limit rate per user"},
		[POLICY_LIMIT_SESSIONS] = {[POLICY_PER_USER] = "limit sessions per user"},
		[POLICY_LIMIT_MESSAGES] = {"limit messages", "limit messages per client",
			"limit messages per user",
			"limit messages per sender", [POLICY_PER_FLOW] = "limit messages per flow"},
		[POLICY_LIMIT_RECIPIENTS] = {"limit recipients", "limit recipients per client",
			"limit recipients per user", "limit recipients per sender",
			[POLICY_PER_MESSAGE] = "limit recipients per message"},
		[POLICY_LIMIT_SIZE] = {"limit size"},
	};

	return phrases[limit->kind][limit->per];
}

static void note_once(struct language_span *note, const struct language_span *word)
{
	if (note->width == 0)
		*note = *word;
}

/* Where it stands, for the checks; and the words that have flows read. */
static void note_limit(
	struct language *l, const struct language_span *word, const struct policy_limit *limit)
{
	struct language_span *first = l->block.kind == LANGUAGE_BLOCK_RULE
					      ? &l->rule_note.message_word
					      : &l->zone_note.message_limit;

	switch (limit->kind) {
	case POLICY_LIMIT_FLOWS:
	case POLICY_LIMIT_RATE:
		note_once(&l->rule_note.flow_limit, word);
		break;
	case POLICY_LIMIT_SESSIONS:
		break;
	case POLICY_LIMIT_MESSAGES:
	case POLICY_LIMIT_RECIPIENTS:
	case POLICY_LIMIT_SIZE:
		note_once(first, word);
		break;
	}
}

static void add(
	struct language *l, const struct language_span *word, const struct policy_limit *limit)
{
	if (!language_once(l, &l->block, word, phrase_of(limit)))
		return;
	note_limit(l, word, limit);
	struct policy_limit *slot = language_push(l, &l->limits, sizeof(*slot));
	if (slot)
		*slot = *limit;
}

static void check_block(struct language *l, enum policy_per per)
{
	if (per == POLICY_PER_CLIENT || per == POLICY_PER_USER)
		return;
	if (per == POLICY_PER_SENDER)
		language_error(l, &l->limit_block,
			"an address is written by whoever sends and blocks nobody, expected `per "
			"client` or `per user` before { block }");
	else
		language_error(l, &l->limit_block,
			"a limit of the whole %s blocks nobody, expected `per client` or `per "
			"user` before { block }",
			language_block_word(l->block.kind));
}

void language_limit(struct language *l, const struct language_span *word,
	const struct language_span *span, enum policy_limit_kind kind, uint64_t count,
	uint32_t seconds, enum policy_per per)
{
	struct policy_limit limit = {
		.place = word->place, .kind = kind, .per = per, .per_seconds = seconds};

	limit.count = language_number(l, span, count, 1, 1000000000);
	if (seconds)
		limit.block_s = l->limit_block_s;
	if (limit.block_s)
		check_block(l, per);
	if (kind == POLICY_LIMIT_SESSIONS) {
		limit.over_given = l->limit_over_given;
		limit.over_replaces = l->limit_over_replaces;
	}
	add(l, word, &limit);
}

void language_limit_size(struct language *l, const struct language_span *word,
	const struct language_span *span, uint64_t bytes)
{
	struct policy_limit limit = {
		.place = word->place, .kind = POLICY_LIMIT_SIZE, .size_bytes = bytes};

	if (bytes == 0 || bytes > POLICY_SIZE_MAX_BYTES) {
		language_error(l, span, "no message can have this size, expected 1k to 4095m");
		limit.size_bytes = POLICY_SIZE_BYTES;
	}
	add(l, word, &limit);
}

void language_rule_limit_none(struct language *l, const struct language_span *word)
{
	language_once(l, &l->block, word, "limit none");
	l->rule.limit_none = true;
	l->rule_note.limit_none = *word;
}

static void imply(struct language *l, const struct policy_place *place, struct policy_limit limit)
{
	const struct policy_limit *limits = l->limits.v;

	for (size_t i = 0; i < l->limits.n; i++)
		if (limits[i].kind == limit.kind && limits[i].per == limit.per)
			return;
	struct policy_limit *slot = language_push(l, &l->limits, sizeof(*slot));
	if (!slot)
		return;
	*slot = limit;
	slot->implied = true;
	slot->place = *place;
}

void language_limits_end(
	struct language *l, struct policy_limits *limits, const struct policy_place *place)
{
	bool listener = l->block.kind == LANGUAGE_BLOCK_LISTENER;

	if (listener)
		imply(l, place,
			(struct policy_limit){.kind = POLICY_LIMIT_FLOWS,
				.per = POLICY_PER_ALL,
				.count = POLICY_LISTENER_FLOWS});
	if (place) {
		/* one client shall not hold all flows; of a zone's, how many they are is known at
		 * the end */
		imply(l, place,
			(struct policy_limit){.kind = POLICY_LIMIT_FLOWS,
				.per = POLICY_PER_CLIENT,
				.count = listener ? POLICY_LISTENER_FLOWS_PER_CLIENT : 0});
		imply(l, place,
			(struct policy_limit){.kind = POLICY_LIMIT_RECIPIENTS,
				.per = POLICY_PER_MESSAGE,
				.count = POLICY_RECIPIENTS});
		imply(l, place,
			(struct policy_limit){
				.kind = POLICY_LIMIT_SIZE, .size_bytes = POLICY_SIZE_BYTES});
	}
	limits->v = language_keep(l, &l->limits, sizeof(struct policy_limit));
	limits->n = limits->v ? l->limits.n : 0;
}
