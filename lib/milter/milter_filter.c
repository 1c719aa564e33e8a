/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/milter/milter_parts.h"

#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

/* The letters of a filter. */
enum letter {
	LETTER_OPTIONS = 'O',
	LETTER_GO = 'c',
	LETTER_ACCEPT = 'a',
	LETTER_PROGRESS = 'p',
	LETTER_SKIP = 's',
	LETTER_REJECT = 'r',
	LETTER_TEMPFAIL = 't',
	LETTER_DISCARD = 'd',
	LETTER_FAILURE = 'f',
	LETTER_SHUTDOWN = '4',
	LETTER_REPLY = 'y',
	LETTER_QUARANTINE = 'q',
	LETTER_ADD = 'h',
	LETTER_INSERT = 'i',
	LETTER_CHANGE = 'm',
	LETTER_ADD_RCPT = '+',
	LETTER_ADD_RCPT_PARAMETERS = '2',
	LETTER_DELETE_RCPT = '-',
	LETTER_SENDER = 'e',
	LETTER_BODY = 'b',
};

static const char *unsupported(char letter)
{
	switch (letter) {
	case LETTER_ADD_RCPT:
	case LETTER_ADD_RCPT_PARAMETERS:
	case LETTER_DELETE_RCPT:
		return "its recipients changed";
	case LETTER_SENDER:
		return "its sender changed";
	case LETTER_BODY:
		return "its body changed";
	default:
		return NULL;
	}
}

static bool is_change(char letter)
{
	return letter == LETTER_ADD || letter == LETTER_INSERT || letter == LETTER_CHANGE;
}

static struct milter_reader data_of(const struct milter *milter)
{
	const uint8_t *at = milter->bytes + milter->kept + MILTER_HEAD_BYTES;
	return (struct milter_reader){at, at + milter->got};
}

static void fail_malformed(struct milter *milter)
{
	milter_fail(milter, MILTER_WHY_PROTOCOL, "its '%c' to %s is malformed", milter->head[4],
		milter_event_names[milter->event]);
}

/* ---- its options ---- */

static void take_lists(struct milter *milter, struct milter_reader *reader)
{
	static const uint8_t events[] = {MILTER_EVENT_CONNECT, MILTER_EVENT_HELO, MILTER_EVENT_MAIL,
		MILTER_EVENT_RCPT, MILTER_EVENT_DATA, MILTER_EVENT_END, MILTER_EVENT_EOH};
	uint32_t stage;

	while (milter_read_u32(reader, &stage)) {
		const char *list = milter_read_text(reader);
		if (!list) {
			fail_malformed(milter);
			return;
		}
		if (stage < sizeof(events))
			milter->macros[events[stage]] = milter_macros_parse(list);
	}
	if (!milter_read_end(reader))
		fail_malformed(milter);
}

static void take_options(struct milter *milter)
{
	struct milter_reader reader = data_of(milter);
	uint32_t version, protocol;

	if (!milter_read_u32(&reader, &version) || !milter_read_u32(&reader, &milter->actions) ||
		!milter_read_u32(&reader, &protocol)) {
		fail_malformed(milter);
		return;
	}
	if (version < MILTER_VERSION_LEAST) {
		milter_fail(milter, MILTER_WHY_PROTOCOL,
			"it speaks version %u of the protocol, %u to %u were expected", version,
			MILTER_VERSION_LEAST, MILTER_VERSION);
		return;
	}
	milter->version = version < MILTER_VERSION ? version : MILTER_VERSION;
	milter->protocol = protocol & MILTER_PROTOCOLS_OFFERED;
	milter_go_on(milter, MILTER_SETTLED_NOTHING);
	take_lists(milter, &reader);
}

/* ---- what it wants changed ---- */

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
			return false;
	return len > 0 && len <= MILTER_FIELD_NAME_MAX;
}

static bool read_change(const struct milter *milter, uint8_t letter, struct milter_reader *reader,
	struct milter_change *change)
{
	static const uint8_t kinds[] = {
		[LETTER_ADD] = MILTER_CHANGE_ADD,
		[LETTER_INSERT] = MILTER_CHANGE_INSERT,
		[LETTER_CHANGE] = MILTER_CHANGE_SET,
	};

	*change = (struct milter_change){
		.kind = kinds[letter],
		.leadspc = milter->protocol & MILTER_PROTOCOL_LEADSPC,
	};
	if (letter != LETTER_ADD && !milter_read_u32(reader, &change->index))
		return false;
	change->name = milter_read_text(reader);
	change->value = milter_read_text(reader);
	return change->name && change->value;
}

static void take_change(struct milter *milter)
{
	struct milter_reader reader = data_of(milter);
	struct milter_change change;

	if (!milter->setup.changes) {
		milter->dropped++;
		return;
	}
	if (!read_change(milter, milter->head[4], &reader, &change) || !milter_read_end(&reader) ||
		!is_name(change.name) || change.index > INT32_MAX) {
		fail_malformed(milter);
		return;
	}
	if (milter->changed == MILTER_CHANGES_MAX) {
		milter_fail(milter, MILTER_WHY_TOO_MUCH,
			"it wants more than %u changes to one header", MILTER_CHANGES_MAX);
		return;
	}
	/* its head stands before it */
	uint8_t *entry = milter->bytes + milter->kept;
	entry[0] = milter->head[4];
	memcpy(entry + 1, &milter->got, 4);
	milter->kept += MILTER_HEAD_BYTES + milter->got;
	milter->changed++;
}

bool milter_change(const struct milter *milter, size_t *at, struct milter_change *change)
{
	const uint8_t *entry = milter->bytes + *at;
	uint32_t len;

	if (milter->changed == 0 || *at >= milter->kept)
		return false;
	memcpy(&len, entry + 1, 4);
	struct milter_reader reader = {entry + MILTER_HEAD_BYTES, entry + MILTER_HEAD_BYTES + len};
	*at += MILTER_HEAD_BYTES + len;
	return read_change(milter, entry[0], &reader, change);
}

/* ---- its answers ---- */

/* What an answer to the event in hand holds for, unless it says otherwise. */
static enum milter_settled reach(const struct milter *milter)
{
	switch ((enum milter_event)milter->event) {
	case MILTER_EVENT_OPTIONS:
	case MILTER_EVENT_CONNECT:
	case MILTER_EVENT_HELO:
		return MILTER_SETTLED_CONNECTION;
	case MILTER_EVENT_RCPT:
		return MILTER_SETTLED_NOTHING;
	case MILTER_EVENT_MAIL:
	case MILTER_EVENT_DATA:
	case MILTER_EVENT_HEADER:
	case MILTER_EVENT_EOH:
	case MILTER_EVENT_BODY:
	case MILTER_EVENT_END:
		break;
	}
	return MILTER_SETTLED_MESSAGE;
}

static void take_reply(struct milter *milter)
{
	struct milter_reader reader = data_of(milter);
	struct milter_reply reply;
	const char *text = milter->stored ? milter_read_text(&reader) : "";
	const char *wrong = "a shorter one";

	if (!text || (milter->stored && !milter_read_end(&reader))) {
		fail_malformed(milter);
		return;
	}
	if (milter->stored)
		wrong = milter_reply_parse(text, &reply);
	if (wrong) {
		snprintf(milter->fault, sizeof(milter->fault),
			"its reply \"%.60s\" is none, expected was %s", text, wrong);
		text_blank(milter->fault);
		milter_refuse(milter, reach(milter), MILTER_WHY_BAD_REPLY, 451, "4.3.5",
			"a filter refused this in words that cannot be told");
		return;
	}
	milter_refuse(
		milter, reach(milter), MILTER_WHY_FILTER, reply.code, reply.enhanced, reply.words);
}

/* It lets the message through; but perhaps only as it cannot be. */
static void take_yes(struct milter *milter)
{
	if (milter->unsupported)
		milter_refuse(milter, MILTER_SETTLED_MESSAGE, MILTER_WHY_CHANGE, 451, "4.3.5",
			"a filter wants changed what is not changed here");
	else if (milter->quarantine && milter->setup.quarantine_reject)
		milter_refuse(milter, MILTER_SETTLED_MESSAGE, MILTER_WHY_QUARANTINE, 550, "5.7.1",
			"refused by a filter");
	else if (milter->quarantine)
		milter_refuse(milter, MILTER_SETTLED_MESSAGE, MILTER_WHY_QUARANTINE, 451, "4.7.1",
			"refused by a filter for now");
	else
		milter_go_on(milter, MILTER_SETTLED_NOTHING);
}

static void take_accept(struct milter *milter)
{
	enum milter_settled settled = reach(milter);

	/* to one recipient: the message, too */
	milter_go_on(milter, settled == MILTER_SETTLED_NOTHING ? MILTER_SETTLED_MESSAGE : settled);
}

static void take_discard(struct milter *milter)
{
	if (reach(milter) == MILTER_SETTLED_CONNECTION)
		fail_malformed(milter); /* no message is there */
	else
		milter_refuse(milter, MILTER_SETTLED_MESSAGE, MILTER_WHY_DISCARD, 550, "5.7.1",
			"refused by a filter");
}

static void take_skip(struct milter *milter)
{
	if (milter->event == MILTER_EVENT_END) {
		fail_malformed(milter);
		return;
	}
	milter->skip |= (uint16_t)(1u << milter->event);
	milter_go_on(milter, MILTER_SETTLED_NOTHING);
}

static void take_quarantine(struct milter *milter)
{
	struct milter_reader reader = data_of(milter);
	const char *reason = milter->stored ? milter_read_text(&reader) : "";

	if (!reason || (milter->stored && !milter_read_end(&reader))) {
		fail_malformed(milter);
		return;
	}
	milter->quarantine = true;
	snprintf(milter->fault, sizeof(milter->fault), "quarantine: %s", reason);
	text_blank(milter->fault);
}

/* What only comes behind the end, and before the answer to it. False: no such thing. */
static bool take_wish(struct milter *milter, char letter)
{
	const char *what = unsupported(letter);

	if (!is_change(letter) && letter != LETTER_QUARANTINE && !what)
		return false;
	if (milter->event != MILTER_EVENT_END) {
		milter_fail(milter, MILTER_WHY_PROTOCOL,
			"it wants a message changed before its end: '%c' to %s", letter,
			milter_event_names[milter->event]);
	} else if (is_change(letter)) {
		take_change(milter);
	} else if (letter == LETTER_QUARANTINE) {
		take_quarantine(milter);
	} else {
		milter->unsupported = true;
		snprintf(milter->fault, sizeof(milter->fault), "the filter wants %s", what);
	}
	return true;
}

static void take_answer(struct milter *milter, char letter, uint64_t now_ms)
{
	switch (letter) {
	case LETTER_PROGRESS:
		milter->deadline_ms = milter_due_ms(milter, now_ms);
		return;
	case LETTER_GO:
		if (milter->event == MILTER_EVENT_END)
			take_yes(milter);
		else
			milter_go_on(milter, MILTER_SETTLED_NOTHING);
		return;
	case LETTER_ACCEPT:
		if (milter->event == MILTER_EVENT_END)
			take_yes(milter);
		else
			take_accept(milter);
		return;
	case LETTER_SKIP:
		take_skip(milter);
		return;
	case LETTER_REJECT:
		milter_refuse(milter, reach(milter), MILTER_WHY_FILTER, 550, "5.7.1",
			"refused by a filter");
		return;
	case LETTER_TEMPFAIL:
		milter_refuse(milter, reach(milter), MILTER_WHY_FILTER, 451, "4.7.1",
			"refused by a filter for now");
		return;
	case LETTER_DISCARD:
		take_discard(milter);
		return;
	case LETTER_FAILURE:
	case LETTER_SHUTDOWN:
		milter_refuse(milter, MILTER_SETTLED_CONNECTION, MILTER_WHY_FILTER, 421, "4.7.1",
			"a filter ends this connection");
		return;
	default:
		milter_fail(milter, MILTER_WHY_PROTOCOL, "it says 0x%02x to %s, which is no answer",
			(unsigned char)letter, milter_event_names[milter->event]);
	}
}

/* A packet is whole. */
static void take_packet(struct milter *milter, uint64_t now_ms)
{
	char letter = (char)milter->head[4];

	if (letter == LETTER_OPTIONS && milter->state == MILTER_NEGOTIATE) {
		take_options(milter);
	} else if (milter->state == MILTER_NEGOTIATE) {
		milter_fail(milter, MILTER_WHY_PROTOCOL, "it says 0x%02x instead of its options",
			(unsigned char)letter);
	} else if (letter == LETTER_REPLY) {
		take_reply(milter);
	} else if (!take_wish(milter, letter)) {
		if (milter->size > 0)
			fail_malformed(milter);
		else
			take_answer(milter, letter, now_ms);
	}
	if (milter->answer != MILTER_ANSWER_NONE && milter->event == MILTER_EVENT_END)
		milter->in_mail = false;
}

/* ---- packets ---- */

/* A length that is ASCII is no length: clamd says UNKNOWN COMMAND, a mail server 220. */
static void fail_long(struct milter *milter, uint32_t length, const uint8_t *bytes, size_t len)
{
	char text[48];
	size_t n = 0;

	for (unsigned i = 0; i < MILTER_HEAD_BYTES; i++) {
		unsigned char c = milter->head[i];
		if ((c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t') {
			milter_fail(milter, MILTER_WHY_PROTOCOL,
				"a packet of %u bytes to %s, at most %u were expected", length,
				milter_event_names[milter->event], MILTER_FILTER_MAX);
			return;
		}
		text[n++] = (char)c;
	}
	for (size_t i = 0; i < len && n < sizeof(text) - 1; i++)
		text[n++] = (char)bytes[i];
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	milter_fail(milter, MILTER_WHY_NO_MILTER, "no milter, it says \"%s\"", text);
}

/* What becomes of what stands behind the letter; false: it will not be read. */
static bool begin_packet(struct milter *milter, const uint8_t *bytes, size_t len)
{
	uint32_t length = (uint32_t)milter->head[0] << 24 | (uint32_t)milter->head[1] << 16 |
			  (uint32_t)milter->head[2] << 8 | milter->head[3];
	char letter = (char)milter->head[4];

	if (length == 0 || length - 1 > MILTER_FILTER_MAX) {
		fail_long(milter, length, bytes, len);
		return false;
	}
	milter->size = length - 1;
	milter->got = 0;
	bool change = is_change(letter) && milter->setup.changes;
	if (change && milter->kept + MILTER_HEAD_BYTES + milter->size > MILTER_CHANGES_BYTES) {
		milter_fail(milter, MILTER_WHY_TOO_MUCH,
			"its changes to one header take more than %u bytes", MILTER_CHANGES_BYTES);
		return false;
	}
	bool kept =
		letter == LETTER_OPTIONS || letter == LETTER_REPLY || letter == LETTER_QUARANTINE;
	milter->stored = change || (kept && milter->size <= MILTER_REPLY_MAX);
	if (letter == LETTER_OPTIONS && !milter->stored) {
		fail_malformed(milter);
		return false;
	}
	return true;
}

/* Returns how many bytes were read, at most to the end of a packet; *whole: it is there. */
static size_t read_packet(struct milter *milter, const uint8_t *bytes, size_t len, bool *whole)
{
	size_t all = 0;

	*whole = false;
	while (milter->head_len < MILTER_HEAD_BYTES) {
		if (all == len)
			return all;
		milter->head[milter->head_len++] = bytes[all++];
		if (milter->head_len == MILTER_HEAD_BYTES &&
			!begin_packet(milter, bytes + all, len - all))
			return all;
	}
	size_t n = len - all < milter->size - milter->got ? len - all : milter->size - milter->got;
	if (milter->stored && n > 0)
		memcpy(milter->bytes + milter->kept + MILTER_HEAD_BYTES + milter->got, bytes + all,
			n);
	milter->got += (uint32_t)n;
	if (milter->got == milter->size) {
		*whole = true;
		milter->head_len = 0;
	}
	return all + n;
}

/* What it says unasked could be anything's answer. */
static void fail_unasked(struct milter *milter)
{
	milter_fail(milter, MILTER_WHY_PROTOCOL, "it speaks without being asked, behind %s",
		milter_event_names[milter->event]);
}

void milter_filter(struct milter *milter, const void *bytes, size_t len, uint64_t now_ms,
	struct milter_out *out)
{
	struct milter_writer writer;
	const uint8_t *at = bytes;
	bool whole;

	milter_enter(out, &writer);
	if (milter->state == MILTER_END)
		return;
	if (milter->state == MILTER_READY)
		milter->answer = MILTER_ANSWER_NONE;
	while (len > 0 && milter->state != MILTER_END) {
		if (milter->state == MILTER_READY) {
			fail_unasked(milter);
			break;
		}
		size_t used = read_packet(milter, at, len, &whole);
		at += used;
		len -= used;
		if (whole)
			take_packet(milter, now_ms);
	}
	if (milter->state == MILTER_READY && milter->answer == MILTER_ANSWER_GO)
		milter_tell_due(milter, out->macros, now_ms, &writer);
	if (milter->state == MILTER_END && milter->answer != MILTER_ANSWER_FAILED) {
		milter_packet_begin(&writer, MILTER_LETTER_QUIT);
		milter_packet_end(&writer);
	}
	milter_leave(milter, &writer, out);
}
