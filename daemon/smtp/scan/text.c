/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a message on its way to its scans, as fast as the slowest of them takes it. */
#include "daemon/smtp/scan/scans.h"

#include "daemon/smtp/scan/header.h"

const char *scans_text(const struct scan_message *message, size_t *len)
{
	const struct scans *scans = scans_having(message);

	*len = scans->held.piece ? scans->held.len : scans->text_len;
	return scans->held.piece ? (const char *)smtp_flow_held(scans->flow, &scans->held)
				 : scans->text;
}

/* How much all of them have had. */
static size_t taken_by_all(const struct scans *scans)
{
	struct scan_part *part;
	unsigned at = 0;
	size_t len;

	scans_text(&scans->message, &len);
	size_t least = len;
	while ((part = scans_next(scans, scans->set, &at)))
		if (!part->final && part->text_at < least)
			least = part->text_at;
	return least;
}

static void forget_taken(struct scans *scans, size_t taken)
{
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, scans->set, &at)))
		part->text_at = part->text_at > taken ? part->text_at - taken : 0;
}

static void fail_all(struct scans *scans, const char *words)
{
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, scans->set, &at)))
		if (!part->final)
			scan_part_fail(part, words, false);
}

/* Can one of them still want the header changed? */
static bool may_change(const struct scans *scans)
{
	const struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, scans->set, &at)))
		if (scan_part_policy(part)->kind == POLICY_SCAN_MILTER &&
			(!part->final || part->verdict == SCAN_GO))
			return true;
	return false;
}

/* Those that failed or refused already take it as had. */
void scan_text(struct smtp_flow *flow, const char *text, size_t len)
{
	struct scans *scans = scans_of(flow);
	struct scan_part *part;
	unsigned at = 0;

	if (!scans || !scans->in_text || len == 0)
		return;
	if (scans->header && may_change(scans))
		scan_header_put(scans->header, text, len);
	if (scans->held.piece) {
		if (!smtp_flow_hold(flow, &scans->held, text, len))
			fail_all(scans, "no memory");
	} else {
		scans->text = text;
		scans->text_len = len;
	}
	while ((part = scans_next(scans, scans->set, &at)))
		scan_part_seek(part, SCAN_GOAL_TEXT,
			scans_now(scans) + scan_part_policy(part)->deadline_ms);
	size_t taken = taken_by_all(scans);
	if (scans->held.piece) {
		if (taken > 0)
			smtp_flow_release(flow, &scans->held, taken);
	} else if (taken < len && !smtp_flow_hold(flow, &scans->held, text + taken, len - taken)) {
		fail_all(scans, "no memory");
	}
	forget_taken(scans, taken);
	scans->text = NULL;
	scans->text_len = 0;
	scans_arm(scans);
}

/* What they took since. */
void scans_release_text(struct scans *scans)
{
	if (!scans->held.piece)
		return;
	size_t taken = taken_by_all(scans);
	if (taken > 0)
		smtp_flow_release(scans->flow, &scans->held, taken);
	forget_taken(scans, taken);
}

bool scan_is_full(const struct smtp_flow *flow)
{
	const struct scans *scans = scans_of(flow);

	return scans && scans->held.piece;
}
