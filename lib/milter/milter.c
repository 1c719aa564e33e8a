/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/milter_parts.h"

#include "lib/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const milter_state_names[] = {
	[MILTER_NEGOTIATE] = "negotiate",
	[MILTER_READY] = "ready",
	[MILTER_ASKED] = "asked",
	[MILTER_END] = "end",
};
_Static_assert(sizeof(milter_state_names) / sizeof(*milter_state_names) == MILTER_STATES, "names");

const char *const milter_why_names[] = {
#define NAME(id, name, meaning) [MILTER_WHY_##id] = (name),
	MILTER_WHY_TABLE(NAME)
#undef NAME
};
_Static_assert(sizeof(milter_why_names) / sizeof(*milter_why_names) == MILTER_WHYS, "names");

/* ---- what each input begins and ends with ---- */

void milter_enter(struct milter_out *out, struct milter_writer *writer)
{
	assert(out->room >= MILTER_ROOM);
	out->len = 0;
	out->close = out->close_client = false;
	out->answer = MILTER_ANSWER_NONE;
	out->why = MILTER_WHY_NONE;
	out->refusal = (struct smtp_refusal){0};
	*writer = (struct milter_writer){.bytes = out->bytes, .room = out->room};
}

/* Nobody is answered. */
static void leave_unasked(
	const struct milter *milter, const struct milter_writer *writer, struct milter_out *out)
{
	assert(!writer->full);
	out->len = writer->len;
	out->close = milter->state == MILTER_END;
}

void milter_leave(struct milter *milter, const struct milter_writer *writer, struct milter_out *out)
{
	leave_unasked(milter, writer, out);
	out->answer = milter->answer;
	out->why = milter->why;
	if (milter->answer == MILTER_ANSWER_REFUSED) {
		out->close_client = milter->close_client;
		out->refusal = (struct smtp_refusal){
			.code = milter->code,
			.enhanced = milter->enhanced,
			.text = milter->words,
		};
	}
}

/* ---- answers ---- */

/* The one writer of the state behind an answer. */
static void settle(struct milter *milter, enum milter_settled settled)
{
	milter->deadline_ms = UINT64_MAX;
	if (settled > milter->settled)
		milter->settled = (uint8_t)settled;
	milter->state = milter->settled == MILTER_SETTLED_CONNECTION ? MILTER_END : MILTER_READY;
	if (milter->settled != MILTER_SETTLED_NOTHING)
		milter->due = 0;
}

void milter_go_on(struct milter *milter, enum milter_settled settled)
{
	milter->answer = MILTER_ANSWER_GO;
	milter->why = MILTER_WHY_NONE;
	settle(milter, settled);
}

void milter_refuse(struct milter *milter, enum milter_settled settled, enum milter_why why,
	unsigned code, const char *enhanced, const char *words)
{
	milter->answer = MILTER_ANSWER_REFUSED;
	milter->why = (uint8_t)why;
	milter->code = (uint16_t)code;
	snprintf(milter->enhanced, sizeof(milter->enhanced), "%s", enhanced);
	snprintf(milter->words, sizeof(milter->words), "%s", words);
	milter->close_client = code == 421;
	milter->changed = 0;
	settle(milter, milter->close_client ? MILTER_SETTLED_CONNECTION : settled);
}

void milter_fail(struct milter *milter, enum milter_why why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(milter->fault, sizeof(milter->fault), format, arguments);
	va_end(arguments);
	text_blank(milter->fault);
	milter->answer = MILTER_ANSWER_FAILED;
	milter->why = (uint8_t)why;
	if (milter->in_mail) /* behind the answer to its end they stay */
		milter->changed = 0;
	settle(milter, MILTER_SETTLED_CONNECTION);
}

/* ---- events ---- */

bool milter_hears(const struct milter *milter, enum milter_event event)
{
	if (event == MILTER_EVENT_DATA && milter->version < 4)
		return false;
	return !(milter->protocol & milter_bit_unwanted(event)) && !(milter->skip & 1u << event);
}

bool milter_tell(struct milter *milter, enum milter_event event, const struct milter_macros *macros,
	struct milter_writer *writer)
{
	milter->event = (uint8_t)event;
	milter_macros_write(writer, event, milter->macros[event], macros);
	if (!milter_hears(milter, event))
		return false;
	milter_packet_begin(writer, milter_event_letters[event]);
	return true;
}

uint64_t milter_due_ms(const struct milter *milter, uint64_t now_ms)
{
	uint64_t last = milter->event_ms + milter->setup.scan_ms;
	uint64_t next = now_ms + milter->setup.command_ms;

	return milter->event == MILTER_EVENT_END || next > last ? last : next;
}

void milter_told(struct milter *milter, uint64_t now_ms, struct milter_writer *writer)
{
	milter_packet_end(writer);
	if (milter->protocol & milter_bit_unanswered((enum milter_event)milter->event))
		return;
	milter->state = MILTER_ASKED;
	milter->answer = MILTER_ANSWER_NONE;
	milter->event_ms = now_ms;
	milter->deadline_ms = milter_due_ms(milter, now_ms);
}

/* An input that may be settled already; false: it is. */
static bool begin(struct milter *milter, struct milter_out *out, struct milter_writer *writer)
{
	milter_enter(out, writer);
	assert(milter->state == MILTER_READY || milter->settled == MILTER_SETTLED_CONNECTION);
	if (milter->settled != MILTER_SETTLED_NOTHING) {
		milter_leave(milter, writer, out);
		return false;
	}
	milter->answer = MILTER_ANSWER_GO; /* unless it is asked for one */
	milter->why = MILTER_WHY_NONE;
	return true;
}

void milter_begin(struct milter *milter, const struct milter_setup *setup, uint64_t now_ms,
	struct milter_out *out)
{
	struct milter_writer writer;

	/* all but the bytes, which are written before they are read */
	memset(milter, 0, offsetof(struct milter, bytes));
	milter->setup = *setup;
	milter->version = MILTER_VERSION;
	for (unsigned i = 0; i < MILTER_EVENTS; i++)
		milter->macros[i] = milter_macros_of((enum milter_event)i);
	milter_enter(out, &writer);
	milter_tell(milter, MILTER_EVENT_OPTIONS, NULL, &writer);
	milter_packet_u32(&writer, MILTER_VERSION);
	milter_packet_u32(&writer, MILTER_ACTIONS_OFFERED);
	milter_packet_u32(&writer, MILTER_PROTOCOLS_OFFERED);
	milter_told(milter, now_ms, &writer);
	milter->state = MILTER_NEGOTIATE;
	milter_leave(milter, &writer, out);
}

void milter_connect(struct milter *milter, const char *name, const struct endpoint *client,
	uint64_t now_ms, struct milter_out *out)
{
	struct milter_writer writer;
	char address[ADDR_TEXT_SIZE];

	if (!begin(milter, out, &writer))
		return;
	if (milter_tell(milter, MILTER_EVENT_CONNECT, out->macros, &writer)) {
		bool has = client->addr.family != ADDR_NONE;
		milter_packet_text(&writer, name);
		milter_packet_bytes(
			&writer, has ? client->addr.family == ADDR_IP4 ? "4" : "6" : "U", 1);
		if (has) {
			milter_packet_u16(&writer, client->port);
			milter_packet_text(&writer, addr_format(&client->addr, address));
		}
		milter_told(milter, now_ms, &writer);
	}
	milter_leave(milter, &writer, out);
}

void milter_helo(struct milter *milter, const char *name, uint64_t now_ms, struct milter_out *out)
{
	struct milter_writer writer;

	if (!begin(milter, out, &writer))
		return;
	if (milter_tell(milter, MILTER_EVENT_HELO, out->macros, &writer)) {
		milter_packet_text(&writer, name);
		milter_told(milter, now_ms, &writer);
	}
	milter_leave(milter, &writer, out);
}

static void tell_path(struct milter *milter, enum milter_event event, const char *address,
	const char *const *parameters, uint64_t now_ms, struct milter_writer *writer,
	struct milter_out *out)
{
	if (milter_tell(milter, event, out->macros, writer)) {
		milter_packet_bytes(writer, "<", 1);
		milter_packet_bytes(writer, address, strlen(address));
		milter_packet_text(writer, ">");
		for (; parameters && *parameters; parameters++)
			milter_packet_text(writer, *parameters);
		milter_told(milter, now_ms, writer);
	}
	milter_leave(milter, writer, out);
}

/* The message in hand is over. */
static void forget(struct milter *milter)
{
	milter->in_mail = milter->in_body = milter->keeps = false;
	milter->quarantine = milter->unsupported = false;
	milter->skip = 0;
	milter->due = 0;
	milter->changed = 0;
	milter->dropped = 0;
	milter->kept = milter->held = 0;
	milter->fields = (struct milter_fields){0};
	if (milter->settled == MILTER_SETTLED_MESSAGE)
		milter->settled = MILTER_SETTLED_NOTHING;
}

/* The filter forgets it, too. */
static void abort_message(struct milter *milter, struct milter_writer *writer)
{
	if (milter->in_mail && milter->state == MILTER_READY) {
		milter_packet_begin(writer, MILTER_LETTER_ABORT);
		milter_packet_end(writer);
	}
	forget(milter);
}

void milter_mail(struct milter *milter, const char *address, const char *const *parameters,
	uint64_t now_ms, struct milter_out *out)
{
	struct milter_writer abort, writer;

	milter_enter(out, &abort);
	abort_message(milter, &abort);
	if (!begin(milter, out, &writer))
		return;
	writer.len = abort.len;
	milter->in_mail = true;
	tell_path(milter, MILTER_EVENT_MAIL, address, parameters, now_ms, &writer, out);
}

void milter_rcpt(struct milter *milter, const char *address, const char *const *parameters,
	uint64_t now_ms, struct milter_out *out)
{
	struct milter_writer writer;

	if (begin(milter, out, &writer))
		tell_path(milter, MILTER_EVENT_RCPT, address, parameters, now_ms, &writer, out);
}

void milter_data(struct milter *milter, uint64_t now_ms, struct milter_out *out)
{
	struct milter_writer writer;

	if (!begin(milter, out, &writer))
		return;
	if (milter_tell(milter, MILTER_EVENT_DATA, out->macros, &writer))
		milter_told(milter, now_ms, &writer);
	milter_leave(milter, &writer, out);
}

void milter_abort(struct milter *milter, struct milter_out *out)
{
	struct milter_writer writer;

	milter_enter(out, &writer);
	assert(milter->state != MILTER_NEGOTIATE);
	if (milter->state == MILTER_ASKED)
		milter_fail(milter, MILTER_WHY_CLOSED,
			"given up before it answered to the message's %s",
			milter_event_names[milter->event]);
	abort_message(milter, &writer);
	leave_unasked(milter, &writer, out);
}

void milter_quit(struct milter *milter, struct milter_out *out)
{
	struct milter_writer writer;

	milter_enter(out, &writer);
	if (milter->state != MILTER_END) {
		milter_packet_begin(&writer, MILTER_LETTER_QUIT);
		milter_packet_end(&writer);
		milter_fail(milter, MILTER_WHY_CLOSED, "it was said goodbye to");
	}
	forget(milter);
	leave_unasked(milter, &writer, out);
}

void milter_closed(struct milter *milter, const char *words, struct milter_out *out)
{
	struct milter_writer writer;
	bool awaited = milter->state == MILTER_ASKED || milter->state == MILTER_NEGOTIATE;

	milter_enter(out, &writer);
	if (milter->state != MILTER_END)
		milter_fail(milter, MILTER_WHY_CLOSED, "the filter closed %s%s%s%s",
			awaited ? "instead of an answer to " : "behind ",
			milter_event_names[milter->event], words ? ": " : "", words ? words : "");
	if (awaited)
		milter_leave(milter, &writer, out);
	else
		leave_unasked(milter, &writer, out);
}

void milter_time(struct milter *milter, uint64_t now_ms, struct milter_out *out)
{
	struct milter_writer writer;

	milter_enter(out, &writer);
	if (now_ms >= milter->deadline_ms) {
		milter_fail(milter, MILTER_WHY_LATE, "no answer to %s within %llu ms",
			milter_event_names[milter->event],
			(unsigned long long)(now_ms - milter->event_ms));
		milter_leave(milter, &writer, out);
	}
}
