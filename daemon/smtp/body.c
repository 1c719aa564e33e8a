/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/body.h"

#include "daemon/smtp/note.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/spool/spool.h"

#include <errno.h>
#include <string.h>

/* A flow's share of what is given in one round. */
#define GIVE_BYTES (1u << 20)

static struct smtp_body_given *given_of(const struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	return &table->bodies[pool_number(&table->flows, flow)];
}

/* NULL: none is kept. */
static struct spool_text **place_of(const struct smtp_flow *flow)
{
	return &given_of(flow)->text;
}

static enum scan_answer refuse(
	struct smtp_refusal *refusal, uint16_t code, const char *enhanced, const char *text)
{
	*refusal = (struct smtp_refusal){code, enhanced, text};
	return SCAN_REFUSES;
}

static enum scan_answer refuse_room(struct smtp_flow *flow, struct smtp_refusal *refusal)
{
	smtp_count(flow->smtp, COUNTER_TEXTS_WITHOUT_ROOM);
	return refuse(refusal, 452, "4.3.1", "no room to keep the message, try again");
}

static bool have_room(struct smtp_flow *flow)
{
	struct spool *spool = &flow->smtp->spool;
	struct spool_text **place = place_of(flow);

	if (spool_may_begin(spool) < 0)
		return false;
	body_end(flow);
	*place = spool_begin(spool, flow);
	return *place;
}

enum scan_answer body_begin(
	struct smtp_flow *flow, struct engine_verdict *verdict, struct smtp_refusal *refusal)
{
	struct smtp_note *note = smtp_note_of(flow);
	enum scan_answer answer = scan_on_data(flow, verdict, refusal);

	if (answer != SCAN_GO_ON || verdict->mode != ENGINE_MODE_WHOLE)
		return answer;
	bool room = have_room(flow);
	if (note)
		note->no_room = !room;
	return room ? SCAN_GO_ON : refuse_room(flow, refusal);
}

void body_fill_out(struct smtp_flow *flow, struct engine_out *out)
{
	const struct spool_text *text = *place_of(flow);
	size_t room = text ? spool_room(text) : SIZE_MAX;

	out->text = flow->smtp->table.for_text;
	out->text_room = room < SMTP_FLOW_READ_BYTES ? room : SMTP_FLOW_READ_BYTES;
}

void body_take(struct smtp_flow *flow, const struct engine_out *out)
{
	struct spool_text *text = *place_of(flow);

	if (out->text_len == 0)
		return;
	if (text)
		spool_put(text, out->text, out->text_len);
	scan_text(flow, out->text, out->text_len);
}

void body_hold(struct smtp_flow *flow)
{
	struct spool_text *text = *place_of(flow);
	bool full = text && spool_room(text) < ENGINE_TEXT_ROOM;

	if (flow->engine.state != ENGINE_BODY)
		return;
	if (full)
		spool_make_room(text);
	engine_text_held(&flow->engine, full || scan_is_full(flow), loop_now_ms(flow->smtp->loop));
}

bool body_is_kept(const struct smtp_flow *flow)
{
	return flow->engine.state == ENGINE_BODY && *place_of(flow);
}

static bool is_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EMFILE || error == -EFBIG;
}

enum scan_answer body_on_dot(struct smtp_flow *flow, struct smtp_refusal *refusal)
{
	const struct spool_text *text = *place_of(flow);
	int error = text ? spool_error(text) : 0;

	if (is_full(error))
		return refuse_room(flow, refusal);
	if (error)
		return refuse(refusal, 451, "4.3.0", "the message could not be kept");
	return scan_on_dot(flow, refusal);
}

/* What comes next; *len 0: nothing does. 0 or -errno. */
static int next_span(struct smtp_flow *flow, const char **bytes, size_t *len)
{
	struct smtp_body_given *given = given_of(flow);
	uint64_t instead_of;
	size_t front = scan_front(flow, bytes, &instead_of);

	if (given->front < front) {
		*bytes += given->front;
		*len = front - given->front;
		return 0;
	}
	if (!given->behind)
		spool_took(*place_of(flow), instead_of);
	given->behind = true;
	int n = spool_peek(*place_of(flow), bytes);
	*len = n > 0 ? (size_t)n : 0;
	return n < 0 ? n : 0;
}

static void took(struct smtp_flow *flow, size_t used)
{
	struct smtp_body_given *given = given_of(flow);

	flow->smtp->table.round_given += used;
	if (given->behind)
		spool_took(*place_of(flow), used);
	else
		given->front += used;
}

bool body_on_give(struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;
	uint64_t now_ms = loop_now_ms(flow->smtp->loop);
	const char *bytes = "";
	size_t len = 0;

	if (flow->to_server.piece || flow->server_deaf)
		return false;
	if (table->round_given >= GIVE_BYTES) {
		smtp_flow_run_again(flow);
		return false;
	}
	int error = next_span(flow, &bytes, &len);
	if (error == -EAGAIN)
		return false;
	if (error)
		engine_give_up(&flow->engine, now_ms, smtp_out(flow));
	else
		took(flow,
			engine_give(&flow->engine, bytes, len, len == 0, now_ms, smtp_out(flow)));
	smtp_act(flow);
	return true;
}

void body_end(struct smtp_flow *flow)
{
	struct smtp_body_given *given = given_of(flow);

	if (!given->text)
		return;
	spool_free(given->text);
	memset(given, 0, sizeof(*given));
}

void body_on_ready(void *context)
{
	smtp_run(context);
}
