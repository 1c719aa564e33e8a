/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/milter_parts.h"

#include <assert.h>
#include <string.h>

/* ---- a header field ---- */

static void refuse_field(struct milter *milter, const char *words)
{
	milter_refuse(milter, MILTER_SETTLED_MESSAGE, MILTER_WHY_UNSCANNABLE, 552, "5.3.4", words);
}

static void hold(struct milter *milter, const char *bytes, size_t len)
{
	if (!milter->keeps)
		return;
	/* one NUL behind the value is still to come */
	if (len >= MILTER_DATA_MAX - milter->held) {
		refuse_field(milter, "a header field is too long to be scanned");
		return;
	}
	if (memchr(bytes, '\0', len)) {
		refuse_field(milter, "a header field with a NUL cannot be scanned");
		return;
	}
	memcpy(milter->bytes + milter->held, bytes, len);
	milter->held += (uint32_t)len;
}

static void begin_field(struct milter *milter)
{
	milter->keeps = milter_hears(milter, MILTER_EVENT_HEADER);
	milter->held = 0;
	hold(milter, milter->fields.line, milter->fields.name_len);
	if (milter->keeps)
		milter->bytes[milter->held++] = '\0';
}

/* The value as a filter reads it: lines joined by LF, without the end of the last one, and without
 * the space behind the colon unless it wants that. */
static void end_field(struct milter *milter)
{
	uint8_t *value = milter->bytes + strlen((const char *)milter->bytes) + 1;
	const uint8_t *end = milter->bytes + milter->held;
	const uint8_t *from = value;
	uint8_t *to = value;

	if (from < end && *from == ' ' && !(milter->protocol & MILTER_PROTOCOL_LEADSPC))
		from++;
	for (; from < end; from++)
		if (*from != '\r' || from + 1 == end || from[1] != '\n')
			*to++ = *from;
	if (to > value && to[-1] == '\n')
		to--;
	*to++ = '\0';
	milter->held = (uint32_t)(to - milter->bytes);
}

/* ---- what is due ---- */

static void tell_bytes(struct milter *milter, enum milter_event event, const void *bytes,
	size_t len, const struct milter_macros *macros, uint64_t now_ms,
	struct milter_writer *writer)
{
	if (!milter_tell(milter, event, macros, writer))
		return;
	milter_packet_bytes(writer, bytes, len);
	milter_told(milter, now_ms, writer);
}

void milter_tell_due(struct milter *milter, const struct milter_macros *macros, uint64_t now_ms,
	struct milter_writer *writer)
{
	while (milter->due && milter->state == MILTER_READY) {
		unsigned due = milter->due & -(unsigned)milter->due;
		milter->due &= (uint8_t)~due;
		switch ((enum milter_due)due) {
		case MILTER_DUE_FIELD:
			tell_bytes(milter, MILTER_EVENT_HEADER, milter->bytes, milter->held, NULL,
				now_ms, writer);
			milter->held = 0;
			break;
		case MILTER_DUE_EOH:
			tell_bytes(milter, MILTER_EVENT_EOH, "", 0, macros, now_ms, writer);
			break;
		case MILTER_DUE_REST:
			tell_bytes(milter, MILTER_EVENT_BODY, milter->fields.line,
				milter->fields.line_len, NULL, now_ms, writer);
			break;
		case MILTER_DUE_END:
			tell_bytes(milter, MILTER_EVENT_END, "", 0, macros, now_ms, writer);
			break;
		}
	}
}

/* ---- the text ---- */

static void take_piece(
	struct milter *milter, enum milter_fields_piece piece, const char *bytes, size_t len)
{
	switch (piece) {
	case MILTER_FIELDS_MORE:
		break;
	case MILTER_FIELDS_NAME:
		begin_field(milter);
		break;
	case MILTER_FIELDS_VALUE:
		hold(milter, bytes, len);
		break;
	case MILTER_FIELDS_END:
		if (!milter->keeps)
			break;
		end_field(milter);
		milter->due |= MILTER_DUE_FIELD;
		break;
	case MILTER_FIELDS_OVER:
		milter->in_body = true;
		milter->due |= MILTER_DUE_EOH;
		if (!milter->fields.empty && milter->fields.line_len > 0)
			milter->due |= MILTER_DUE_REST;
		break;
	}
}

/* How many of the bytes go into one piece of the body that fits. */
static size_t body_span(const struct milter_writer *writer, size_t len)
{
	size_t room = writer->room - writer->len;

	if (len > MILTER_DATA_MAX)
		len = MILTER_DATA_MAX;
	if (room <= MILTER_HEAD_BYTES)
		return 0;
	return len < room - MILTER_HEAD_BYTES ? len : room - MILTER_HEAD_BYTES;
}

bool milter_wants_text(const struct milter *milter)
{
	return milter->settled == MILTER_SETTLED_NOTHING &&
	       (!milter->in_body || milter->due || milter_hears(milter, MILTER_EVENT_BODY));
}

/* Is there room for a field that ends now, and for what may come behind it? */
static bool has_room(const struct milter *milter, const struct milter_writer *writer)
{
	size_t used = MILTER_ROOM - MILTER_DATA_MAX + milter->held;

	return writer->room - writer->len >= used;
}

size_t milter_text(struct milter *milter, const void *bytes, size_t len, uint64_t now_ms,
	struct milter_out *out)
{
	struct milter_writer writer;
	size_t all = 0, used;

	milter_enter(out, &writer);
	assert(milter->state == MILTER_READY || milter->settled == MILTER_SETTLED_CONNECTION);
	if (milter->settled == MILTER_SETTLED_NOTHING)
		milter->answer = MILTER_ANSWER_GO;
	while (all < len && milter_wants_text(milter) && milter->state == MILTER_READY) {
		const char *at = (const char *)bytes + all;
		if (milter->in_body) {
			used = body_span(&writer, len - all);
			if (used == 0)
				break;
			tell_bytes(milter, MILTER_EVENT_BODY, at, used, NULL, now_ms, &writer);
		} else {
			if (!has_room(milter, &writer))
				break;
			enum milter_fields_piece piece =
				milter_fields_read(&milter->fields, at, len - all, &used);
			take_piece(milter, piece, at, used);
			milter_tell_due(milter, out->macros, now_ms, &writer);
		}
		all += used;
	}
	milter_leave(milter, &writer, out);
	return milter_wants_text(milter) ? all : len;
}

void milter_end(struct milter *milter, uint64_t now_ms, struct milter_out *out)
{
	struct milter_writer writer;

	milter_enter(out, &writer);
	assert(milter->state == MILTER_READY || milter->settled == MILTER_SETTLED_CONNECTION);
	if (milter->settled == MILTER_SETTLED_NOTHING) {
		enum milter_fields_piece piece = MILTER_FIELDS_OVER;
		while (!milter->in_body) {
			piece = milter_fields_end(&milter->fields);
			take_piece(milter, piece, NULL, 0);
		}
		milter->due |= MILTER_DUE_END;
		milter_tell_due(milter, out->macros, now_ms, &writer);
	}
	milter_leave(milter, &writer, out);
}
