/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/scan/scans.h"

#include "daemon/base/log.h"
#include "daemon/smtp/scan/header.h"
#include "daemon/smtp/smtp.h"
#include "lib/base/container.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Before the engine gives up waiting for its owner. */
#define BEFORE_ENGINE_MS 1000
/* The engine's own bound of a verdict is behind the scans'. */
#define BEHIND_MS 5000
static_assert(POLICY_SCAN_DEADLINE_MAX_MS + BEHIND_MS <= ENGINE_SCAN_MS,
	"what becomes of a message without a verdict is the scan's to say, not the engine's");
static_assert(2 * SCANNER_KEPT_MS < ENGINE_OWNER_MS - BEFORE_ENGINE_MS,
	"who waits for a place has it from one who is slow, and again from one before in the line");

static void on_time(struct loop_timer *timer, uint64_t now_ms);
static void on_settled(struct scan_message *message);
static void on_place(struct scan_message *message);

uint64_t scans_now(const struct scans *scans)
{
	return loop_now_ms(scans->flow->smtp->loop);
}

/* ---- its place ---- */

static struct scans **place_of(const struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	return &table->scans[pool_number(&table->flows, flow)];
}

struct scans *scans_of(const struct smtp_flow *flow)
{
	return flow->scanned ? *place_of(flow) : NULL;
}

static uint64_t before_engine_ms(const struct scans *scans)
{
	return scans->flow->engine.deadline_ms - BEFORE_ENGINE_MS;
}

/* When something of a part, or of its wait for a place, is due. */
static uint64_t due_of(const struct scans *scans, const struct scan_part *part)
{
	uint64_t at_ms = scan_part_deadline(part), place_ms = before_engine_ms(scans);

	return part->place.waits && place_ms < at_ms ? place_ms : at_ms;
}

/* It is not moved to a later time for every input: when it fires, it looks what is due. */
void scans_arm(struct scans *scans)
{
	struct loop *loop = scans->flow->smtp->loop;
	uint64_t at_ms = UINT64_MAX;

	for (size_t i = 0; i < scans->flow->way.policy->nscans; i++)
		if (scans->parts[i] && due_of(scans, scans->parts[i]) < at_ms)
			at_ms = due_of(scans, scans->parts[i]);
	if (at_ms == UINT64_MAX)
		loop_timer_clear(loop, &scans->timer);
	else if (!scans->timer.slot || at_ms < scans->timer.at_ms)
		loop_timer_set(loop, &scans->timer, at_ms);
}

struct scans *scans_make(struct smtp_flow *flow)
{
	static const struct scan_message_face face = {.recipients = scans_recipients,
		.recipient = scans_recipient,
		.is_first = scans_is_first,
		.text = scans_text,
		.on_settled = on_settled,
		.on_place = on_place};
	size_t n = flow->way.policy->nscans;
	struct scans *scans = calloc(1, sizeof(*scans) + n * sizeof(struct scan_part *));

	if (!scans)
		return NULL;
	scans->message = (struct scan_message){.smtp = flow->smtp,
		.face = &face,
		.client = &flow->way.client,
		.helo = flow->engine.helo_name};
	scans->flow = flow;
	scans->timer.on_time = on_time;
	*place_of(flow) = scans;
	flow->scanned = true;
	return scans;
}

struct scan_part *scans_next(const struct scans *scans, unsigned set, unsigned *at)
{
	while (*at < scans->flow->way.policy->nscans) {
		unsigned number = (*at)++;
		if (set >> number & 1 && scans->parts[number])
			return scans->parts[number];
	}
	return NULL;
}

/* False: no memory. */
bool scans_have_parts(struct scans *scans, unsigned set)
{
	const struct policy *policy = scans->flow->way.policy;

	for (unsigned i = 0; i < policy->nscans; i++) {
		if (!(set >> i & 1) || scans->parts[i])
			continue;
		struct scanner *scanner = scanner_of(scans->flow->smtp, &policy->scans[i]);
		if (scanner)
			scans->parts[i] =
				scan_part_new(&scans->message, &policy->scans[i], scanner);
		if (!scans->parts[i])
			return false;
	}
	return true;
}

/* ---- begin and end of a message ---- */

static void forget_text(struct scans *scans)
{
	if (scans->held.piece)
		smtp_flow_release(scans->flow, &scans->held, scans->held.len);
	scans->text = NULL;
	scans->text_len = 0;
	scan_header_free(scans->header);
	scans->header = NULL;
}

void scans_parts_over(struct scans *scans, unsigned set)
{
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, set, &at)))
		scan_part_over(part);
}

/* Of the message in hand nothing is left. */
void scans_over(struct scans *scans)
{
	scans_parts_over(scans, scans->set | scans->joining);
	scans->set = scans->joining = 0;
	scans->filled = scans->in_text = scans->in_hand = false;
	scans->ending = MESSAGE_DELIVERED;
	scans->used = scans->last = scans->recipients = scans->cursor = scans->cursor_at = 0;
	forget_text(scans);
}

/* What was begun of a text is over; its envelope stands. */
static void end_text(struct scans *scans)
{
	if (!scans->in_text)
		return;
	scans->in_text = false;
	scans_parts_over(scans, scans->set);
	forget_text(scans);
}

static bool is_of_text(const struct engine *engine)
{
	return engine->state != ENGINE_DRAIN && engine->state != ENGINE_LAST &&
	       engine->state != ENGINE_END && engine->state != ENGINE_COMMAND;
}

void scan_follow(struct smtp_flow *flow)
{
	struct scans *scans = scans_of(flow);

	if (!scans || !scans->in_text || is_of_text(&flow->engine))
		return;
	end_text(scans);
	scans_arm(scans);
}

void scan_message_over(struct smtp_flow *flow)
{
	struct scans *scans = scans_of(flow);

	if (!scans)
		return;
	scans_over(scans);
	scans_arm(scans);
}

void scan_flow_over(struct smtp_flow *flow)
{
	struct scans *scans = scans_of(flow);

	if (!scans)
		return;
	for (size_t i = 0; i < flow->way.policy->nscans; i++)
		scan_part_free(scans->parts[i]);
	forget_text(scans);
	loop_timer_clear(flow->smtp->loop, &scans->timer);
	free(scans->list);
	free(scans);
	*place_of(flow) = NULL;
	flow->scanned = false;
}

/* ---- answers ---- */

enum scan_answer scans_refuse(
	struct smtp_refusal *refusal, uint16_t code, const char *enhanced, const char *text)
{
	*refusal = (struct smtp_refusal){code, enhanced, text};
	return SCAN_REFUSES;
}

/* Of those that have a verdict on what they were asked: the first refusal in the order of the
 * policy, then the first failure. */
enum scan_answer scans_answer(struct scans *scans, unsigned set, struct smtp_refusal *refusal)
{
	const struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, set, &at))) {
		if (part->verdict == SCAN_PENDING)
			return SCAN_WAITS;
		if (part->verdict != SCAN_REFUSED)
			continue;
		*refusal = part->refusal;
		scans_set_ending(scans, MESSAGE_REFUSED_SCAN);
		return SCAN_REFUSES;
	}
	at = 0;
	while ((part = scans_next(scans, set, &at)))
		if (part->verdict == SCAN_FAILED && scan_part_failure(part, refusal)) {
			scans_set_ending(scans, MESSAGE_SCAN_FAILED);
			return SCAN_REFUSES;
		}
	return SCAN_GO_ON;
}

void scans_seek(struct scans *scans, unsigned set, enum scan_goal goal)
{
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, set, &at)))
		scan_part_seek(part, goal, before_engine_ms(scans));
}

/* ---- from DATA on ---- */

/* A place with each, one after the other, so that no two wait for each other. */
static bool have_places(struct scans *scans)
{
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, scans->set, &at)))
		if (!part->final && !scanner_take(part->scanner, &part->place))
			return false;
	return true;
}

static bool is_crowded(const struct scans *scans)
{
	struct scan_part *part;
	unsigned at = 0;

	if (scans_now(scans) < before_engine_ms(scans))
		return false;
	while ((part = scans_next(scans, scans->set, &at))) {
		if (!part->place.waits)
			continue;
		part->settled = true;
		scanner_crowded(part->scanner);
		scanner_give(part->scanner, &part->place);
	}
	return true;
}

/* False: the refusal says why not now. */
static bool begin_text(struct scans *scans, enum engine_mode mode)
{
	struct scan_part *part;
	unsigned at = 0;

	scans->in_text = true;
	while ((part = scans_next(scans, scans->set, &at)))
		part->text_at = 0;
	scans_seek(scans, scans->set, SCAN_GOAL_DATA);
	return mode != ENGINE_MODE_WHOLE || scan_header_begin(scans);
}

static void fill_verdict(const struct scans *scans, struct engine_verdict *verdict)
{
	const struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, scans->set, &at))) {
		const struct policy_scan *scan = scan_part_policy(part);
		if (verdict->mode != ENGINE_MODE_WHOLE)
			verdict->mode = scan->mode == POLICY_SCAN_WHOLE ? ENGINE_MODE_WHOLE
									: ENGINE_MODE_SEEN;
		if (scan->deadline_ms + BEHIND_MS > verdict->scan_ms)
			verdict->scan_ms = scan->deadline_ms + BEHIND_MS;
	}
}

/* What was refused was one recipient among others; and a part that began anew hears all once more.
 */
static void hear_of_envelope(struct scans *scans)
{
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, scans->set, &at))) {
		if (part->goal == SCAN_GOAL_NONE) {
			part->again = true;
			scan_part_seek(part, SCAN_GOAL_RECIPIENTS, before_engine_ms(scans));
		} else if (!part->again && !part->final && part->verdict == SCAN_REFUSED) {
			part->verdict = SCAN_GO;
		}
	}
}

static enum scan_answer have_begun(
	struct scans *scans, enum engine_mode mode, struct smtp_refusal *refusal)
{
	hear_of_envelope(scans);
	enum scan_answer before = scans_answer(scans, scans->set, refusal);
	if (before != SCAN_GO_ON)
		return before;
	if (!have_places(scans)) {
		if (!is_crowded(scans))
			return SCAN_WAITS;
		scans_set_ending(scans, MESSAGE_SCAN_FAILED);
		return scans_refuse(
			refusal, 451, "4.7.1", "too many messages are being scanned now");
	}
	return begin_text(scans, mode) ? SCAN_GO_ON
				       : scans_refuse(refusal, 451, "4.3.0", "no memory");
}

enum scan_answer scan_on_data(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal)
{
	struct scans *scans = scans_of(flow);
	enum scan_answer answer = SCAN_GO_ON;

	if (!scans || scans->set == 0)
		return SCAN_GO_ON;
	fill_verdict(scans, verdict);
	if (scans->ask != flow->engine.ask) {
		scans->ask = flow->engine.ask;
		scans->ending = MESSAGE_DELIVERED;
		end_text(scans);
	}
	if (!scans->in_text)
		answer = have_begun(scans, verdict->mode, refusal);
	if (answer == SCAN_GO_ON)
		answer = scans_answer(scans, scans->set, refusal);
	scans_arm(scans);
	return answer;
}

static void note_unscanned(const struct scans *scans)
{
	struct scan_part *part;
	unsigned at = 0;

	while ((part = scans_next(scans, scans->set, &at))) {
		if (part->milter && part->verdict == SCAN_GO)
			scanner_changes(
				part->scanner, part->milter->changed, part->milter->dropped);
		if (part->verdict == SCAN_FAILED)
			scanner_unscanned(part->scanner, scans->message.facts.id, part->fault);
	}
}

enum scan_answer scan_on_dot(struct smtp_flow *flow, struct smtp_refusal *refusal)
{
	struct scans *scans = scans_of(flow);
	struct scan_part *part;
	unsigned at = 0;

	if (!scans || scans->set == 0)
		return SCAN_GO_ON;
	if (scans->ask != flow->engine.ask) {
		scans->ask = flow->engine.ask;
		while ((part = scans_next(scans, scans->set, &at))) {
			if (!part->final)
				part->ended_ms = scans_now(scans);
			scan_part_seek(part, SCAN_GOAL_END,
				scans_now(scans) + scan_part_policy(part)->deadline_ms);
		}
	}
	enum scan_answer answer = scans_answer(scans, scans->set, refusal);
	if (answer == SCAN_GO_ON && !scan_header_change(scans)) {
		scans_set_ending(scans, MESSAGE_REFUSED_SCAN);
		answer = scans_refuse(refusal, 552, "5.3.4", SCAN_HEADER_TOO_LARGE);
	}
	if (answer == SCAN_GO_ON)
		note_unscanned(scans);
	scans_arm(scans);
	return answer;
}

size_t scan_front(const struct smtp_flow *flow, const char **bytes, uint64_t *instead_of)
{
	const struct scans *scans = scans_of(flow);
	const struct scan_header *header = scans ? scans->header : NULL;

	*bytes = header && header->front ? header->front : "";
	*instead_of = header ? header->instead_of : 0;
	return header ? header->front_len : 0;
}

/* ---- time, and what happens by itself ---- */

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct scans *scans = container_of(timer, struct scans, timer);
	struct smtp_flow *flow = scans->flow;

	for (size_t i = 0; i < flow->way.policy->nscans; i++)
		if (scans->parts[i])
			scan_part_on_time(scans->parts[i], now_ms);
	on_settled(&scans->message);
}

static void on_settled(struct scan_message *message)
{
	struct scans *scans = (struct scans *)(void *)message;

	scans_release_text(scans);
	scans_arm(scans);
	smtp_run(scans->flow);
}

static void on_place(struct scan_message *message)
{
	struct smtp_flow *flow = ((struct scans *)(void *)message)->flow;

	if (flow->state == SMTP_FLOW_TALK) /* else it gives it back when it is freed */
		smtp_flow_run_again(flow);
}
