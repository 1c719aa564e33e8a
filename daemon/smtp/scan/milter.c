/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scan by a milter: one connection for all messages of a client's. */
#include "daemon/smtp/scan/header.h"
#include "daemon/smtp/scan/message.h"
#include "daemon/smtp/scan/part.h"
#include "daemon/smtp/smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_MS 30000

static void go_on(struct scan_part *part);

static uint64_t now_of(const struct scan_part *part)
{
	return loop_now_ms(part->link.smtp->loop);
}

static struct milter_out out_of(const struct scan_part *part)
{
	return (struct milter_out){.bytes = part->link.smtp->scan_bytes,
		.room = MILTER_ROOM,
		.macros = &part->message->facts.macros};
}

static bool is_reached(const struct scan_part *part)
{
	return part->milter && part->milter->state != MILTER_END;
}

/* A new one for the message in hand. */
static void open_link(struct scan_part *part)
{
	if (!part->milter && !(part->milter = malloc(sizeof(*part->milter)))) {
		scan_part_fail(part, "no memory", false);
		return;
	}
	part->milter->state = MILTER_END;
	part->milter->answer = MILTER_ANSWER_NONE;
	part->milter->why = MILTER_WHY_NONE;
	part->fresh = true;
	part->starved = false;
	part->told_client = part->told_sender = part->told_data = part->told_end = false;
	part->told_recipients = 0;
	part->helo[0] = '\0';
	scan_link_open(&part->link);
}

/* One that was kept may have ended between two messages, which is nobody's fault. */
static bool is_stale(const struct scan_part *part)
{
	return !part->fresh && part->milter->why == MILTER_WHY_CLOSED && !part->told_data &&
	       part->message->face->is_first(part->message);
}

/* So many changes are its header's doing, whoever sent it: no fault of the filter. */
static bool is_too_much(const struct scan_part *part)
{
	return part->milter->why == MILTER_WHY_TOO_MUCH;
}

static void on_failed(struct scan_part *part, const struct milter_out *out)
{
	(void)out;
	scan_link_close(&part->link);
	if (part->verdict != SCAN_PENDING || part->goal == SCAN_GOAL_NONE)
		return;
	if (is_stale(part))
		open_link(part);
	else if (is_too_much(part))
		scan_part_refuse(part, 552, "5.3.4", SCAN_HEADER_TOO_LARGE, true);
	else
		scan_part_fail(part, part->milter->fault, true);
}

/* Of those who were told yes, as a new connection hears of them once more: then it is no to all. */
static bool refuses_one_taken(const struct scan_part *part)
{
	return part->milter->event == MILTER_EVENT_RCPT &&
	       part->told_recipients < part->message->face->recipients(part->message);
}

static void act(struct scan_part *part, const struct milter_out *out)
{
	scan_link_put(&part->link, out->bytes, out->len);
	if (out->close)
		scan_link_close(&part->link);
	switch ((enum milter_answer)out->answer) {
	case MILTER_ANSWER_NONE:
	case MILTER_ANSWER_GO:
		break;
	case MILTER_ANSWER_REFUSED:
		scan_part_refuse(part, out->refusal.code, out->refusal.enhanced, out->refusal.text,
			part->goal >= SCAN_GOAL_DATA || refuses_one_taken(part));
		break;
	case MILTER_ANSWER_FAILED:
		on_failed(part, out);
		break;
	}
}

/* ---- what it is told, in order ---- */

static void begin(struct scan_part *part)
{
	const struct policy_scan *scan = scan_part_policy(part);
	const uint32_t deadline_ms = scan->deadline_ms;
	const struct milter_setup setup = {
		.command_ms = deadline_ms < COMMAND_MS ? deadline_ms : COMMAND_MS,
		.scan_ms = deadline_ms,
		.changes = scan->mode == POLICY_SCAN_WHOLE,
		.quarantine_reject = scan->quarantine == POLICY_SCAN_REJECT};
	struct milter_out out = out_of(part);

	milter_begin(part->milter, &setup, now_of(part), &out);
	act(part, &out);
}

static void tell_client(struct scan_part *part, struct milter_out *out)
{
	part->told_client = true;
	milter_connect(
		part->milter, part->message->facts.host, part->message->client, now_of(part), out);
}

static void tell_recipient(struct scan_part *part, struct milter_out *out)
{
	struct scan_message *message = part->message;
	const char *address = message->face->recipient(message, part->told_recipients++);

	scan_facts_recipient(&message->facts, address);
	milter_rcpt(part->milter, address, NULL, now_of(part), out);
}

/* False: of the envelope it knows all. */
static bool tell_envelope(struct scan_part *part, struct milter_out *out)
{
	const struct scan_message *message = part->message;
	const char *helo = message->helo;

	if (!part->told_client) {
		tell_client(part, out);
	} else if (strcmp(part->helo, helo) != 0) {
		snprintf(part->helo, sizeof(part->helo), "%s", helo);
		milter_helo(part->milter, helo, now_of(part), out);
	} else if (!part->told_sender) {
		part->told_sender = true;
		milter_mail(part->milter, message->facts.sender, NULL, now_of(part), out);
	} else if (part->told_recipients < message->face->recipients(message)) {
		tell_recipient(part, out);
	} else {
		return false;
	}
	return true;
}

static bool tell_text(struct scan_part *part, struct milter_out *out)
{
	size_t len;
	const char *text = scan_part_text(part, &len);

	if (len > 0) {
		size_t used = milter_text(part->milter, text, len, now_of(part), out);
		scan_part_text_taken(part, used);
		return true;
	}
	if (part->goal < SCAN_GOAL_END || part->told_end)
		return false;
	part->told_end = true;
	milter_end(part->milter, now_of(part), out);
	return true;
}

/* False: there is nothing left on the way to the goal. */
static bool tell_next(struct scan_part *part, struct milter_out *out)
{
	if (tell_envelope(part, out))
		return true;
	if (part->goal < SCAN_GOAL_DATA)
		return false;
	if (!part->told_data) {
		part->told_data = true;
		milter_data(part->milter, now_of(part), out);
		return true;
	}
	return part->goal >= SCAN_GOAL_TEXT && tell_text(part, out);
}

/* An answer of before that holds for the whole connection needs none. */
static bool is_settled(const struct scan_part *part)
{
	return part->milter->state == MILTER_END &&
	       (part->milter->answer == MILTER_ANSWER_GO ||
		       part->milter->answer == MILTER_ANSWER_REFUSED);
}

static bool may_tell(const struct scan_part *part)
{
	if (is_settled(part))
		return true;
	return part->milter->state == MILTER_READY && part->link.state == SCAN_LINK_OPEN &&
	       !scan_link_is_full(&part->link);
}

static void go_on(struct scan_part *part)
{
	if (part->link.state == SCAN_LINK_CLOSED && !is_reached(part) &&
		!(part->milter && is_settled(part))) {
		if (part->told_data) /* another would hear, and judge, the rest of the text */
			scan_part_fail(part, part->milter->fault, true);
		else
			open_link(part);
		return;
	}
	if (part->link.state == SCAN_LINK_OPEN && part->milter->state == MILTER_END &&
		part->milter->answer == MILTER_ANSWER_NONE)
		begin(part);
	while (part->verdict == SCAN_PENDING && part->goal != SCAN_GOAL_NONE && may_tell(part)) {
		struct milter_out out = out_of(part);
		if (tell_next(part, &out)) {
			act(part, &out);
		} else if (part->goal == SCAN_GOAL_END) {
			scan_part_pass(part);
		} else {
			part->verdict = SCAN_GO;
		}
	}
}

/* ---- what it says ---- */

static void on_bytes(struct scan_part *part, const uint8_t *bytes, size_t len)
{
	struct milter_out out = out_of(part);

	milter_filter(part->milter, bytes, len, now_of(part), &out);
	act(part, &out);
	/* libmilter says each change of a header by a write of its own */
	if (part->milter->state == MILTER_ASKED)
		scan_link_acknowledge(&part->link);
	if (part->verdict == SCAN_PENDING && part->goal != SCAN_GOAL_NONE)
		go_on(part);
}

static void on_broken(struct scan_part *part, const char *words)
{
	struct milter_out out = out_of(part);

	if (part->milter->state == MILTER_END) { /* it was not reached */
		if (part->verdict == SCAN_PENDING && part->goal != SCAN_GOAL_NONE)
			scan_part_fail(part, words, true);
		return;
	}
	milter_closed(part->milter, words, &out);
	on_failed(part, &out);
}

static uint64_t deadline(const struct scan_part *part)
{
	return is_reached(part) ? part->milter->deadline_ms : UINT64_MAX;
}

static void on_time(struct scan_part *part, uint64_t now_ms)
{
	if (!is_reached(part) || now_ms < part->milter->deadline_ms)
		return;
	struct milter_out out = out_of(part);
	milter_time(part->milter, now_ms, &out);
	act(part, &out);
}

/* ---- ends ---- */

static void close_milter(struct scan_part *part)
{
	struct milter_out out = out_of(part);

	milter_quit(part->milter, &out);
	scan_link_put(&part->link, out.bytes, out.len);
	scan_link_close(&part->link);
}

static void over(struct scan_part *part)
{
	part->told_sender = part->told_data = part->told_end = part->fresh = false;
	part->told_recipients = 0;
	if (!part->milter)
		return;
	if (part->link.state != SCAN_LINK_OPEN) {
		scan_link_close(&part->link);
		return;
	}
	if (part->milter->state == MILTER_NEGOTIATE) {
		close_milter(part);
		return;
	}
	struct milter_out out = out_of(part);
	milter_abort(part->milter, &out);
	scan_link_put(&part->link, out.bytes, out.len);
	if (out.close)
		scan_link_close(&part->link);
}

static void fini(struct scan_part *part)
{
	if (part->milter && part->link.state == SCAN_LINK_OPEN)
		close_milter(part);
	free(part->milter);
	part->milter = NULL;
}

const struct scan_kind scan_milter_kind = {.go_on = go_on,
	.over = over,
	.fini = fini,
	.deadline = deadline,
	.on_time = on_time,
	.on_bytes = on_bytes,
	.on_broken = on_broken};
