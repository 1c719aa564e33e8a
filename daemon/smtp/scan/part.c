/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/part.h"

#include "daemon/smtp/scan/message.h"
#include "daemon/smtp/smtp.h"
#include "lib/base/container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_OF(link) ((struct scan_part *)(void *)(link))

/* Filters close on who says nothing for a while: 30 s and more, 5 s of an old clamd. */
#define SILENCE_MS 5000

static const struct scan_kind *kind_of(const struct scan_part *part)
{
	switch (part->link.scan->kind) {
	case POLICY_SCAN_MILTER:
		return &scan_milter_kind;
	case POLICY_SCAN_CLAMAV:
		break;
	}
	return &scan_clamav_kind;
}

static uint64_t now_of(const struct scan_part *part)
{
	return loop_now_ms(part->link.smtp->loop);
}

/* ---- what its connection says ---- */

/* A client that is slow with his text is no fault of the filter. */
static void note_silence(struct scan_part *part)
{
	part->starved = part->verdict == SCAN_GO && now_of(part) >= part->heard_ms + SILENCE_MS;
}

static void on_open(struct scan_link *link)
{
	PART_OF(link)->reached = true;
	kind_of(PART_OF(link))->go_on(PART_OF(link));
}

static void on_bytes(struct scan_link *link, const uint8_t *bytes, size_t len)
{
	note_silence(PART_OF(link));
	kind_of(PART_OF(link))->on_bytes(PART_OF(link), bytes, len);
}

static void on_drained(struct scan_link *link)
{
	kind_of(PART_OF(link))->go_on(PART_OF(link));
}

static void on_broken(struct scan_link *link, const char *words)
{
	note_silence(PART_OF(link));
	kind_of(PART_OF(link))->on_broken(PART_OF(link), words);
}

static void on_settled(struct scan_link *link)
{
	struct scan_message *message = PART_OF(link)->message;

	message->face->on_settled(message);
}

static void on_place(struct scanner_place *place)
{
	struct scan_part *part = container_of(place, struct scan_part, place);

	part->message->face->on_place(part->message);
}

static const struct scan_link_face face = {.on_open = on_open,
	.on_bytes = on_bytes,
	.on_drained = on_drained,
	.on_broken = on_broken,
	.on_settled = on_settled};

/* ---- verdicts ---- */

static void settle(struct scan_part *part)
{
	part->settled = true;
	if (part->ended_ms)
		scanner_took(part->scanner, now_of(part) - part->ended_ms);
	scanner_give(part->scanner, &part->place);
}

void scan_part_fail(struct scan_part *part, const char *words, bool counts)
{
	part->verdict = SCAN_FAILED;
	part->final = true;
	snprintf(part->fault, sizeof(part->fault), "%s", words);
	scan_link_close(&part->link);
	if (!part->asked || part->settled)
		return;
	settle(part);
	scanner_failed(part->scanner, part->filter, part->fault, counts && !part->starved);
}

void scan_part_refuse(
	struct scan_part *part, unsigned code, const char *enhanced, const char *words, bool final)
{
	part->verdict = SCAN_REFUSED;
	part->final = part->final || final;
	snprintf(part->enhanced, sizeof(part->enhanced), "%s", enhanced);
	snprintf(part->words, sizeof(part->words), "%s", words);
	/* who wants the client's connection ended is told no more of it, and that is enough */
	if (code == 421)
		code = 451;
	part->refusal = (struct smtp_refusal){(uint16_t)code, part->enhanced, part->words};
	if (!final && part->scanner)
		scanner_refused(part->scanner);
	if (!final || !part->asked || part->settled)
		return;
	settle(part);
	scanner_judged(part->scanner, part->filter, true);
}

void scan_part_pass(struct scan_part *part)
{
	part->verdict = SCAN_GO;
	part->final = true;
	if (!part->asked || part->settled)
		return;
	settle(part);
	scanner_judged(part->scanner, part->filter, false);
}

bool scan_part_failure(const struct scan_part *part, struct smtp_refusal *refusal)
{
	switch (scan_part_policy(part)->on_failure) {
	case POLICY_SCAN_ACCEPT:
		return false;
	case POLICY_SCAN_REJECT:
		*refusal = (struct smtp_refusal){550, "5.7.1", "this cannot be scanned"};
		break;
	case POLICY_SCAN_TEMPFAIL:
		*refusal = (struct smtp_refusal){451, "4.7.1", "this cannot be scanned now"};
		break;
	}
	if (part->too_large) /* at no time */
		*refusal = (struct smtp_refusal){552, "5.3.4", "too large to be scanned"};
	return true;
}

/* ---- the text ---- */

const char *scan_part_text(const struct scan_part *part, size_t *len)
{
	const char *text = part->message->face->text(part->message, len);

	*len = part->final || part->text_at > *len ? 0 : *len - part->text_at;
	return *len ? text + part->text_at : NULL;
}

void scan_part_text_taken(struct scan_part *part, size_t len)
{
	part->text_at += len;
	if (len > 0 && part->goal == SCAN_GOAL_TEXT) /* it has its time anew */
		part->due_ms = now_of(part) + scan_part_policy(part)->deadline_ms;
}

/* ---- its goals ---- */

/* False: its circuit is open. */
static bool begin(struct scan_part *part)
{
	if (part->asked)
		return true;
	part->asked = true;
	part->settled = !part->scanner;
	if (part->settled)
		return true;
	scanner_asked(part->scanner);
	if (scanner_may_try(part->scanner, part->filter))
		return true;
	part->settled = true;
	scanner_shed(part->scanner);
	scan_part_fail(part, "it failed five times in a row and is not tried now", false);
	return false;
}

void scan_part_seek(struct scan_part *part, enum scan_goal goal, uint64_t due_ms)
{
	part->goal = (uint8_t)goal;
	part->due_ms = due_ms;
	part->heard_ms = now_of(part);
	part->place.ended = goal == SCAN_GOAL_END;
	if (part->final || !begin(part))
		return;
	part->verdict = SCAN_PENDING;
	kind_of(part)->go_on(part);
}

void scan_part_over(struct scan_part *part)
{
	kind_of(part)->over(part);
	scanner_give(part->scanner, &part->place);
	part->goal = SCAN_GOAL_NONE;
	part->verdict = SCAN_PENDING;
	part->final = part->asked = part->settled = part->again = false;
	part->too_large = part->late = part->reached = part->starved = false;
	part->text_at = 0;
	part->due_ms = UINT64_MAX;
	part->ended_ms = 0;
	part->fault[0] = part->words[0] = '\0';
}

uint64_t scan_part_deadline(const struct scan_part *part)
{
	uint64_t own_ms = kind_of(part)->deadline(part), at_ms = part->link.due_ms;

	if (own_ms < at_ms)
		at_ms = own_ms;
	if (part->verdict == SCAN_PENDING && part->goal != SCAN_GOAL_NONE && part->due_ms < at_ms)
		at_ms = part->due_ms;
	return at_ms;
}

static const char *late_words(const struct scan_part *part)
{
	if (part->link.state == SCAN_LINK_OPEN && scan_link_is_full(&part->link))
		return "late: it does not take what it is told";
	return part->link.state == SCAN_LINK_OPEN ? "late: it does not answer in time"
						  : "late: no connection in time";
}

void scan_part_on_time(struct scan_part *part, uint64_t now_ms)
{
	scan_link_on_time(&part->link, now_ms);
	kind_of(part)->on_time(part, now_ms);
	if (part->verdict != SCAN_PENDING || part->goal == SCAN_GOAL_NONE || now_ms < part->due_ms)
		return;
	part->late = true;
	scan_part_fail(part, late_words(part), true);
}

/* ---- its life ---- */

struct scan_part *scan_part_new(
	struct scan_message *message, const struct policy_scan *scan, struct scanner *scanner)
{
	struct scan_part *part = calloc(1, sizeof(*part));

	if (!part)
		return NULL;
	scan_link_init(&part->link, message->smtp, scan, &face);
	part->place.on_place = on_place;
	part->scanner = scanner;
	part->filter = policy_scan_filter(scan);
	part->message = message;
	part->due_ms = UINT64_MAX;
	return part;
}

void scan_part_free(struct scan_part *part)
{
	if (!part)
		return;
	scan_part_over(part);
	kind_of(part)->fini(part);
	scan_link_close(&part->link);
	free(part);
}
