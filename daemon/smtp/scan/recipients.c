/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recipients of a message whose rules have scans. */
#include "daemon/smtp/scan/scans.h"

#include "lib/policy/decide/decide.h"

#include <stdlib.h>
#include <string.h>

#define ANOTHER_SCAN "this is scanned otherwise, send it in another message"

static bool put_recipient(struct scans *scans)
{
	char text[SMTP_PATH_TEXT_MAX];
	struct smtp_path path;

	if (!engine_recipient(&scans->flow->engine, &path))
		return false;
	uint32_t len = (uint32_t)smtp_path_format(&path, text) - 2; /* without the brackets */
	if (scans->used + len + 1 > scans->room) {
		uint32_t room = 2 * scans->room + len + 1;
		char *list = realloc(scans->list, room);
		if (!list)
			return false;
		scans->list = list;
		scans->room = room;
		/* it was in the old one */
		scans->message.facts.macros.values[MILTER_MACRO_RCPT_ADDR] = NULL;
	}
	scans->last = scans->used;
	memcpy(scans->list + scans->used, text + 1, len);
	scans->list[scans->used + len] = '\0';
	scans->used += len + 1;
	scans->recipients++;
	scans->in_hand = true;
	return true;
}

void scan_recipient_done(struct smtp_flow *flow, bool taken)
{
	struct scans *scans = scans_of(flow);
	struct scan_part *part;
	unsigned at = 0;

	if (!scans || !scans->in_hand)
		return;
	scans->in_hand = false;
	if (taken)
		return;
	scans->used = scans->last;
	scans->recipients--;
	scans->cursor = scans->cursor_at = 0;
	while ((part = scans_next(scans, scans->set, &at)))
		if (part->told_recipients > scans->recipients)
			part->told_recipients = scans->recipients;
}

uint32_t scans_recipients(const struct scan_message *message)
{
	return scans_having(message)->recipients;
}

const char *scans_recipient(struct scan_message *message, uint32_t number)
{
	struct scans *scans = (struct scans *)(void *)message;

	if (scans->in_hand && number + 1 == scans->recipients)
		return scans->list + scans->last;
	if (number < scans->cursor)
		scans->cursor = scans->cursor_at = 0;
	for (; scans->cursor < number; scans->cursor++)
		scans->cursor_at += (uint32_t)strlen(scans->list + scans->cursor_at) + 1;
	return scans->list + scans->cursor_at;
}

bool scans_is_first(const struct scan_message *message)
{
	return scans_having(message)->flow->engine.accepted == 0;
}

/* False: this recipient is to come in another message. */
static bool set_scans(struct scans *scans, unsigned wanted, bool submission)
{
	if (scans->flow->engine.accepted == 0 && scans->set != wanted) {
		scans_parts_over(scans, scans->set);
		scans->set = wanted;
	}
	scans->joining = wanted & ~scans->set;
	return submission || wanted == scans->set;
}

/* One that joins had no say in those who were taken before. */
static void leave_join(struct scans *scans, struct smtp_refusal *refusal)
{
	const unsigned joining = scans->joining;
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, joining, &at)))
		if (part->verdict == SCAN_REFUSED && part->told_recipients > 0 &&
			part->told_recipients < scans->recipients)
			*refusal = (struct smtp_refusal){452, "4.5.3", ANOTHER_SCAN};
	scans_parts_over(scans, joining);
	scans->joining = 0;
}

/* The recipient in hand is new to them. */
static enum scan_answer ask_of_recipient(
	struct scans *scans, const struct decide_reply *reply, struct smtp_refusal *refusal)
{
	struct smtp_flow *flow = scans->flow;

	scans->ask = flow->engine.ask;
	if (scans->number != flow->engine.message)
		scans_over(scans);
	scans->number = flow->engine.message;
	scans->ending = MESSAGE_DELIVERED;
	scan_recipient_done(flow, false); /* of one that met no reply */
	if (!set_scans(scans, reply->scans, reply->submission)) {
		scans->joining = 0;
		return scans_refuse(refusal, 452, "4.5.3", ANOTHER_SCAN);
	}
	const unsigned set = scans->set | scans->joining;
	if (!scans_have_parts(scans, set) || !put_recipient(scans)) {
		scans->joining = 0;
		return scans_refuse(refusal, 451, "4.3.0", "no memory");
	}
	if (!scans->filled && set)
		scan_facts_fill(&scans->message.facts, flow);
	scans->filled = scans->filled || set;
	scans_seek(scans, set, SCAN_GOAL_RECIPIENTS);
	return SCAN_GO_ON;
}

enum scan_answer scan_on_recipient(
	struct smtp_flow *flow, const struct decide_reply *reply, struct smtp_refusal *refusal)
{
	struct scans *scans = scans_of(flow);
	enum scan_answer answer = SCAN_GO_ON;

	if (flow->way.policy->nscans == 0)
		return SCAN_GO_ON;
	if (!scans && !(scans = scans_make(flow)))
		return scans_refuse(refusal, 451, "4.3.0", "no memory");
	if (scans->ask != flow->engine.ask)
		answer = ask_of_recipient(scans, reply, refusal);
	const unsigned set = scans->set | scans->joining;
	if (answer == SCAN_GO_ON)
		answer = scans_answer(scans, set, refusal);
	if (answer == SCAN_REFUSES && scans->joining)
		leave_join(scans, refusal);
	if (answer == SCAN_GO_ON) {
		scans->set = set;
		scans->joining = 0;
	}
	scans_arm(scans);
	return answer;
}
