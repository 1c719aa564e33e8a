/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/note.h"

#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/server_tls.h"
#include "lib/base/words.h"
#include "lib/policy/decide/decide.h"

#include <string.h>

#define SMALL_BYTES (SMTP_NOTE_PIECE_BYTES - sizeof(struct smtp_note))
/* In a big piece the last texts have a place of their own behind the recipients, so that there is
 * room for them however many recipients were said. */
#define REPLY_AT   (SMTP_FLOW_PIECE_BYTES - MESSAGE_TEXT_MAX)
#define ID_AT      (REPLY_AT - SMTP_HEADER_ID_MAX)
#define TLS_AT     (ID_AT - SERVER_TLS_WORDS_MAX)
#define SAME_REPLY UINT16_MAX /* as the recipient before */

/* In front of address and reply. */
struct entry {
	int32_t rule;
	uint16_t address_len, reply_len;
	uint8_t by, verdict, direction;
};

/* ---- its bytes ---- */

static uint8_t *bytes_of(struct smtp_note *note, const struct smtp_flow *flow)
{
	return note->piece ? pool_piece(&flow->smtp->table.pieces, note->piece - 1) : note->bytes;
}

static const uint8_t *read_of(const struct smtp_note *note, const struct smtp_flow *flow)
{
	return note->piece ? pool_piece(&flow->smtp->table.pieces, note->piece - 1) : note->bytes;
}

static void move_text(struct smtp_note_text *text, uint8_t *to, const uint8_t *from, uint32_t at)
{
	memcpy(to + at, from + text->at, text->len);
	text->at = at;
}

/* Into a big piece. False: it lies in one already, or there is none. */
static bool grow(struct smtp_note *note, const struct smtp_flow *flow)
{
	struct pool *pieces = &flow->smtp->table.pieces;
	uint8_t *piece = note->piece ? NULL : pool_take(pieces);

	if (!piece)
		return false;
	memcpy(piece, note->bytes, note->used);
	move_text(&note->message_id, piece, note->bytes, ID_AT);
	move_text(&note->reply, piece, note->bytes, REPLY_AT);
	move_text(&note->tls, piece, note->bytes, TLS_AT);
	note->end = TLS_AT;
	note->piece = 1 + pool_number(pieces, piece);
	return true;
}

static bool has_room(struct smtp_note *note, const struct smtp_flow *flow, size_t len)
{
	return len <= note->end - note->used || (grow(note, flow) && len <= note->end - note->used);
}

/* text is one of those at the end; what it was before is over. */
static void set_text(struct smtp_note *note, const struct smtp_flow *flow,
	struct smtp_note_text *text, const char *words, size_t len)
{
	if (!note->piece && len > text->len) {
		if (!has_room(note, flow, len))
			len = 0;
		else if (!note->piece)
			text->at = note->end -= (uint32_t)len;
	}
	memcpy(bytes_of(note, flow) + text->at, words, len);
	text->len = (uint32_t)len;
}

struct message_text smtp_note_text(const struct smtp_note *note, const struct smtp_flow *flow,
	const struct smtp_note_text *text)
{
	if (text->len == 0)
		return (struct message_text){0};
	return (struct message_text){(const char *)read_of(note, flow) + text->at, text->len};
}

/* ---- begin and end ---- */

void smtp_note_begin(struct smtp_flow *flow)
{
	struct pool *notes = &flow->smtp->table.notes;

	smtp_note_end(flow);
	struct smtp_note *note = pool_take(notes);
	if (!note) {
		smtp_count(flow->smtp, COUNTER_AUDIT_LOST);
		return;
	}
	flow->note = 1 + pool_number(notes, note);
	memset(note, 0, sizeof(*note));
	note->start_ms = loop_now_ms(flow->smtp->loop);
	note->server = note->rule = -1;
	note->end = SMALL_BYTES;
	note->used = note->helo.len = (uint32_t)strlen(flow->engine.helo_name);
	memcpy(note->bytes, flow->engine.helo_name, note->helo.len);
}

struct smtp_note *smtp_note_of(const struct smtp_flow *flow)
{
	return flow->note ? pool_piece(&flow->smtp->table.notes, flow->note - 1) : NULL;
}

void smtp_note_end(struct smtp_flow *flow)
{
	struct smtp_note *note = smtp_note_of(flow);

	if (!note)
		return;
	if (note->piece)
		pool_give(&flow->smtp->table.pieces, bytes_of(note, flow));
	pool_give(&flow->smtp->table.notes, note);
	flow->note = 0;
}

/* ---- recipients ---- */

static enum message_by by_of(const struct decide_reply *reply)
{
	switch (reply->reason) {
	case DECIDE_RULE:
		return reply->permitted ? MESSAGE_BY_SERVER : MESSAGE_BY_RULE;
	case DECIDE_UNAUTHENTICATED:
		return MESSAGE_BY_UNAUTHENTICATED;
	case DECIDE_BLOCKED:
		return MESSAGE_BY_BLOCK;
	case DECIDE_NO_RECIPIENT: /* of what a rule takes */
		return MESSAGE_BY_RULE;
	case DECIDE_NEEDS_NAME:
		return MESSAGE_BY_NAME;
	case DECIDE_UNMATCHED:
	case DECIDE_NEEDS_ENVELOPE:
	case DECIDE_NOT_ACCEPTED:
	case DECIDE_TLS:
		break;
	}
	return MESSAGE_BY_UNMATCHED;
}

void smtp_note_decided(struct smtp_note *note, const struct decide_reply *reply)
{
	note->asked = true;
	note->by = (uint8_t)by_of(reply);
	note->verdict = reply->permitted ? POLICY_VERDICT_REDIRECT : POLICY_VERDICT_ANSWER;
	note->rule = (int32_t)reply->rule;
	/* of a block's client no more is asked */
	note->direction = reply->reason == DECIDE_BLOCKED       ? MESSAGE_DIRECTION_NONE
			  : reply->direction == DECIDE_INCOMING ? MESSAGE_DIRECTION_INCOMING
								: MESSAGE_DIRECTION_OUTGOING;
}

void smtp_note_refused(struct smtp_note *note, enum message_by by)
{
	note->by = (uint8_t)by;
	note->verdict = POLICY_VERDICT_ANSWER;
}

/* A rule that sends a recipient to a server leaves the last word to that; but the gateway has its
 * own where it has no server, another one, or enough recipients. */
static enum message_by last_word(const struct smtp_note *note, const struct engine_reply *reply)
{
	if (reply->server)
		return MESSAGE_BY_SERVER;
	if (note->asked && note->by != MESSAGE_BY_SERVER)
		return (enum message_by)note->by;
	if (reply->code != 452)
		return MESSAGE_BY_GATEWAY;
	return note->asked ? MESSAGE_BY_SERVERS : MESSAGE_BY_LIMIT;
}

static size_t format_reply(const struct engine_reply *reply, char *text, size_t size)
{
	struct words words = {text, size - 1, 0};

	words_put_number(&words, reply->code, 3);
	words_put(&words, *reply->enhanced ? " " : "");
	words_put(&words, reply->enhanced);
	words_put(&words, *reply->text ? " " : "");
	words_put(&words, reply->text);
	return words.len;
}

static struct entry entry_at(const uint8_t *bytes, uint32_t at)
{
	struct entry entry;

	memcpy(&entry, bytes + at, sizeof(entry));
	return entry;
}

/* Is it what the recipient before heard, written there? */
static bool is_same(
	const struct smtp_note *note, const struct smtp_flow *flow, const char *reply, size_t len)
{
	const uint8_t *bytes = read_of(note, flow);

	if (note->recipients == 0)
		return false;
	const struct entry last = entry_at(bytes, note->last);
	return last.reply_len == len &&
	       memcmp(bytes + note->last + sizeof(last) + last.address_len, reply, len) == 0;
}

static void put(struct smtp_note *note, const struct smtp_flow *flow, const struct entry *entry,
	const char *address, const char *reply)
{
	size_t reply_len = entry->reply_len == SAME_REPLY ? 0 : entry->reply_len;
	size_t len = sizeof(*entry) + entry->address_len + reply_len;

	if (note->recipients == SMTP_NOTE_RECIPIENTS_MAX || !has_room(note, flow, len)) {
		note->left_out++;
		return;
	}
	uint8_t *at = bytes_of(note, flow) + note->used;
	memcpy(at, entry, sizeof(*entry));
	memcpy(at + sizeof(*entry), address, entry->address_len);
	memcpy(at + sizeof(*entry) + entry->address_len, reply, reply_len);
	if (reply_len)
		note->last = note->used;
	note->used += (uint32_t)len;
	note->recipients++;
}

static void put_recipient(struct smtp_note *note, const struct smtp_flow *flow, struct entry *entry,
	const char *address, size_t len, const struct engine_reply *reply)
{
	char words[MESSAGE_TEXT_MAX];
	size_t words_len = format_reply(reply, words, sizeof(words));

	entry->address_len = (uint16_t)(len < MESSAGE_TEXT_MAX ? len : MESSAGE_TEXT_MAX);
	entry->reply_len = is_same(note, flow, words, words_len) ? SAME_REPLY : (uint16_t)words_len;
	put(note, flow, entry, address, words);
}

/* No address that a rule could be asked about: it stands there as it was said. */
static void note_malformed(
	struct smtp_note *note, const struct smtp_flow *flow, const struct engine_reply *reply)
{
	struct entry entry = {.rule = -1, .by = MESSAGE_BY_FORM, .verdict = POLICY_VERDICT_ANSWER};
	const char *said;
	size_t len;

	if (!engine_recipient_said(&flow->engine, &said, &len))
		return;
	note->bys |= 1u << MESSAGE_BY_FORM;
	put_recipient(note, flow, &entry, said, len, reply);
}

void smtp_note_recipient(
	struct smtp_note *note, const struct smtp_flow *flow, const struct engine_reply *reply)
{
	const struct policy *policy = flow->way.policy;
	char text[SMTP_PATH_TEXT_MAX];
	struct smtp_path path;

	if (!engine_recipient(&flow->engine, &path)) {
		note_malformed(note, flow, reply);
		return;
	}
	struct entry entry = {
		.rule = note->asked ? note->rule : -1, .by = (uint8_t)last_word(note, reply)};

	entry.verdict = note->asked ? note->verdict : POLICY_VERDICT_REDIRECT;
	entry.direction = note->asked ? note->direction : MESSAGE_DIRECTION_NONE;
	note->asked = false;
	note->bys |= (uint16_t)(1u << entry.by);
	if (entry.by == MESSAGE_BY_LIMIT)
		smtp_count(flow->smtp, COUNTER_RECIPIENTS_OVER_LIMIT);
	if (entry.rule >= 0 && !policy->rules[entry.rule].audit) {
		note->silent++;
		return;
	}
	size_t len = smtp_path_format(&path, text);
	put_recipient(note, flow, &entry, text + 1, len - 2, reply); /* without the brackets */
}

void smtp_note_read(const struct smtp_note *note, const struct smtp_flow *flow,
	struct message_recipient recipients[static SMTP_NOTE_RECIPIENTS_MAX])
{
	const struct policy *policy = flow->way.policy;
	const uint8_t *bytes = read_of(note, flow);
	struct message_text reply = {0};
	uint32_t at = note->helo.len;

	for (uint32_t i = 0; i < note->recipients; i++) {
		const struct entry entry = entry_at(bytes, at);
		const char *address = (const char *)bytes + at + sizeof(entry);
		if (entry.reply_len != SAME_REPLY)
			reply = (struct message_text){address + entry.address_len, entry.reply_len};
		recipients[i] = (struct message_recipient){.address = {address, entry.address_len},
			.reply = reply,
			.by = entry.by,
			.verdict = entry.verdict,
			.direction = entry.direction};
		if (entry.rule >= 0)
			recipients[i].rule =
				(struct message_text){policy->rules[entry.rule].name.text,
					policy->rules[entry.rule].name.len};
		at += (uint32_t)(sizeof(entry) + entry.address_len +
				 (entry.reply_len == SAME_REPLY ? 0 : entry.reply_len));
	}
}

/* ---- its server ---- */

void smtp_note_server(struct smtp_note *note, const struct smtp_flow *flow)
{
	const char *words = server_tls_words(flow);
	const struct endpoint *own = &flow->way.gateway;

	if (note->gateway.port != own->port || !addr_equal(&note->gateway.addr, &own->addr))
		set_text(note, flow, &note->tls, words, strlen(words));
	note->host = flow->way.host;
	note->gateway = *own;
	note->server = flow->way.server;
	note->to_original = flow->way.to_original;
}

void smtp_note_reply(
	struct smtp_note *note, const struct smtp_flow *flow, const struct engine_reply *reply)
{
	char words[MESSAGE_TEXT_MAX];

	note->reply_is_server = reply->server;
	set_text(note, flow, &note->reply, words, format_reply(reply, words, sizeof(words)));
}

void smtp_note_id(struct smtp_note *note, const struct smtp_flow *flow, const char *id)
{
	set_text(note, flow, &note->message_id, id, strnlen(id, SMTP_HEADER_ID_MAX));
}
