/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/ledger_parts.h"

const char *const radius_act_names[RADIUS_ACTS] = {
#define RADIUS_ACT_NAME(id, word) [RADIUS_ACT_##id] = word,
	RADIUS_ACT_TABLE(RADIUS_ACT_NAME)
#undef RADIUS_ACT_NAME
};

/* ---- claims ---- */

static struct radius_claim claim_of(const struct radius_entry *entry, uint64_t user, uint64_t what)
{
	return (struct radius_claim){what, user, entry->key.v[0], entry->begin_ms};
}

void radius_ledger_claim(struct radius_ledger *ledger, const struct radius_key *key, uint64_t user,
	const uint64_t *claims, size_t n)
{
	const struct radius_entry *entry = radius_ledger_find(ledger, key);

	for (size_t i = 0; entry && i < n; i++) {
		const struct radius_claim claim = claim_of(entry, user, claims[i]);
		radius_claims_put(&ledger->claims, &claim);
	}
}

/* Is it heard of only now? */
static bool begins(const struct radius_event *event, const struct radius_decision *decision)
{
	return event->status == RADIUS_STATUS_START ||
	       (decision->known && decision->before.state == RADIUS_PENDING);
}

static bool loses(const struct radius_ledger *ledger, const struct radius_event *event,
	const struct radius_decision *decision)
{
	const bool starts = begins(event, decision);

	for (size_t i = 0; i < event->nclaims; i++) {
		const struct radius_claim claim =
			claim_of(&decision->now, event->user, event->claims[i]);
		if (radius_claims_lose(&ledger->claims, &claim, starts))
			return true;
	}
	return false;
}

static void note_loser(const struct radius_ledger *ledger, const struct radius_claim *claim,
	struct radius_decision *decision)
{
	const struct radius_claim *other = radius_claims_find(&ledger->claims, claim->what);

	if (!other || other->user == claim->user || other->key == claim->key)
		return;
	const struct radius_entry *loser = radius_ledger_find_half(ledger, other->key);
	if (loser && loser->state == RADIUS_LIVE && loser->session)
		decision->losers[decision->nlosers++] = loser->session;
}

static void claim_all(struct radius_ledger *ledger, const struct radius_event *event,
	struct radius_decision *decision)
{
	const bool starts = begins(event, decision);

	for (size_t i = 0; i < event->nclaims; i++) {
		const struct radius_claim claim =
			claim_of(&decision->now, event->user, event->claims[i]);
		if (radius_claims_lose(&ledger->claims, &claim, starts))
			continue;
		note_loser(ledger, &claim, decision);
		radius_claims_put(&ledger->claims, &claim);
	}
}

/* ---- the table of decisions ---- */

/* Of two events at one time. */
static uint8_t rank_of(enum radius_status status)
{
	return status == RADIUS_STATUS_START ? 0 : status == RADIUS_STATUS_STOP ? 2 : 1;
}

static bool is_newer(const struct radius_event *event, const struct radius_entry *entry)
{
	return event->event_ms != entry->event_ms ? event->event_ms > entry->event_ms
						  : rank_of(event->status) > entry->rank;
}

/* Interims that a NAS sends when something happened tell nothing of when the next comes: only two
 * spacings that are alike do. */
static void note_spacing(struct radius_entry *now, const struct radius_event *event)
{
	uint64_t ms = event->event_ms - now->event_ms;
	uint32_t s = ms / 1000 < UINT32_MAX ? (uint32_t)(ms / 1000) : UINT32_MAX;
	uint32_t before = now->spacing_s, apart = s > before ? s - before : before - s;

	if (event->status != RADIUS_STATUS_INTERIM)
		return;
	if (now->interim && s > 0) {
		now->spacing_s = s;
		now->steady_s = before && apart <= before / 4 ? (s > before ? s : before) : 0;
	}
	now->interim = 1;
}

/* What is known after an event that is newer than all before; known: of the same session. */
static struct radius_entry step(const struct radius_entry *before, const struct radius_event *event)
{
	struct radius_entry now = before ? *before : (struct radius_entry){.key = event->key};

	now.nas = event->nas;
	if (event->status == RADIUS_STATUS_START)
		now.begin_ms = event->event_ms;
	else if (!before)
		now.begin_ms = event->begin_ms ? event->begin_ms : event->event_ms;
	else if (event->begin_ms && !before->started && event->begin_ms < now.begin_ms)
		now.begin_ms = event->begin_ms;
	now.started |= event->status == RADIUS_STATUS_START;
	if (before && event->event_ms > before->event_ms)
		note_spacing(&now, event);
	else if (event->status == RADIUS_STATUS_INTERIM)
		now.interim = 1;
	now.event_ms = event->event_ms;
	now.rank = rank_of(event->status);
	return now;
}

static void decide_stop(struct radius_ledger *ledger, const struct radius_event *event,
	uint64_t now_ms, struct radius_decision *decision)
{
	const struct radius_entry *before = decision->known ? &decision->before : NULL;

	/* of a session before, that had the same number */
	if (before && event->event_ms < before->begin_ms) {
		decision->act = RADIUS_ACT_OLD;
		return;
	}
	if (before && before->state == RADIUS_ENDED) {
		decision->act = RADIUS_ACT_OLD;
		return;
	}
	decision->act =
		before && before->state == RADIUS_LIVE ? RADIUS_ACT_END : RADIUS_ACT_TOMBSTONE;
	decision->start_missed = !before;
	decision->now = step(before, event);
	if (before && before->event_ms > event->event_ms)
		decision->now.event_ms = before->event_ms;
	if (!before && event->begin_ms)
		claim_all(ledger, event, decision);
	radius_ledger_bury(&decision->now, RADIUS_ENDED, event->skew_s, now_ms);
}

/* Is there nothing more in it? A late Start still tells when the session began. */
static bool is_old(struct radius_ledger *ledger, const struct radius_event *event,
	const struct radius_entry *before)
{
	if (event->event_ms < radius_ledger_restarted_ms(ledger, event->nas))
		return true;
	if (!before || is_newer(event, before))
		return false;
	/* what it waits for, at the same time */
	if (before->state == RADIUS_PENDING && event->can_open &&
		event->event_ms == before->event_ms)
		return false;
	if (event->status == RADIUS_STATUS_START && !before->started) {
		struct radius_entry told = *before;
		told.started = 1;
		if (event->event_ms < told.begin_ms)
			told.begin_ms = event->event_ms;
		if (radius_ledger_put(ledger, &told) == 0)
			radius_ledger_claim(
				ledger, &event->key, event->user, event->claims, event->nclaims);
	}
	return true;
}

static void decide_other(struct radius_ledger *ledger, const struct radius_event *event,
	uint64_t now_ms, struct radius_decision *decision)
{
	const struct radius_entry *before = decision->known ? &decision->before : NULL;
	const bool starts = event->status == RADIUS_STATUS_START;

	if (is_old(ledger, event, before)) {
		decision->act = RADIUS_ACT_OLD;
		return;
	}
	if (before && before->state == RADIUS_ENDED && !starts) {
		decision->act = RADIUS_ACT_OVER;
		return;
	}
	/* a Start behind an end is another session */
	if (before && before->state == RADIUS_ENDED)
		before = NULL;
	decision->now = step(before, event);
	decision->start_missed = !before && !starts;
	const bool live = before && before->state == RADIUS_LIVE;
	if (loses(ledger, event, decision)) {
		/* of a live one as well: its address is another's now */
		decision->act = RADIUS_ACT_CLAIMED;
		radius_ledger_bury(&decision->now, RADIUS_SUPERSEDED, event->skew_s, now_ms);
		return;
	}
	claim_all(ledger, event, decision);
	decision->now.state = live || event->can_open ? RADIUS_LIVE : RADIUS_PENDING;
	decision->now.until_ms =
		decision->now.state == RADIUS_PENDING ? now_ms + RADIUS_PENDING_MS : 0;
	decision->act = live              ? RADIUS_ACT_RENEW
			: event->can_open ? RADIUS_ACT_OPEN
					  : RADIUS_ACT_WAIT;
}

void radius_ledger_take(struct radius_ledger *ledger, const struct radius_event *event,
	uint64_t now_ms, struct radius_decision *decision)
{
	const struct radius_entry *before = radius_ledger_find(ledger, &event->key);

	*decision = (struct radius_decision){.known = before};
	if (before)
		decision->before = *before;
	if (event->status == RADIUS_STATUS_STOP)
		decide_stop(ledger, event, now_ms, decision);
	else
		decide_other(ledger, event, now_ms, decision);
	if (decision->act == RADIUS_ACT_OLD || decision->act == RADIUS_ACT_OVER)
		return;
	if (radius_ledger_put(ledger, &decision->now) < 0)
		decision->act = RADIUS_ACT_FULL;
}
