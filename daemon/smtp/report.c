/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/report.h"

#include "daemon/flow/attempts.h"
#include "daemon/flow/record.h"
#include "daemon/smtp/envelope/allowance.h"
#include "daemon/smtp/envelope/blocked.h"
#include "daemon/smtp/note.h"
#include "daemon/smtp/scan/scan.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/client.h"
#include "daemon/smtp/wire/server_tls.h"
#include "lib/base/text.h"
#include "lib/policy/decide/decide.h"
#include "lib/record/queue_id.h"

#include <stdio.h>
#include <string.h>

/* Why, in words: the last server's, the operator's, or what the ending means. */
static const char *why(const struct smtp_flow *flow)
{
	const struct way *way = &flow->way;

	if (way->connected_ms == 0 && *attempts_why(way->attempts))
		return attempts_why(way->attempts);
	if (flow->state != SMTP_FLOW_DONE || flow->ending == ENDING_NONE)
		return NULL;
	if (flow->ending == ENDING_HANDSHAKE_FAILED && *client_tls_why(flow))
		return client_tls_why(flow);
	const char *text = NULL;
	if (flow->ending == ENDING_BLOCKED)
		text = blocked_text(flow);
	else if (flow->ending == ENDING_TLS_MISSING)
		text = client_tls_lacks(flow);
	return text ? text : ending_meanings[flow->ending];
}

/* ---- TLS ---- */

static struct message_text text_of(const char *text)
{
	return *text ? (struct message_text){text, strlen(text)} : (struct message_text){0};
}

static struct message_text next_line(struct message_text *lines)
{
	const char *end = lines->len ? memchr(lines->at, '\n', lines->len) : NULL;
	struct message_text line = {lines->at, end ? (size_t)(end - lines->at) : lines->len};

	*lines = end ? (struct message_text){end + 1, lines->len - line.len - 1}
		     : (struct message_text){0};
	return line;
}

/* As server_tls_words() has them. */
static void fill_tls(struct message_tls *tls, struct message_text lines)
{
	tls->version = next_line(&lines);
	tls->cipher = next_line(&lines);
	tls->check = next_line(&lines);
	tls->peer = next_line(&lines);
}

/* Its texts are the facts'. */
static void fill_client_tls(struct message_tls *tls, const struct tls_facts *facts)
{
	const bool shown = facts->asked && facts->reason != TLS_REASON_ABSENT;

	tls->version = text_of(tls_version_names[facts->version]);
	tls->cipher = text_of(facts->cipher);
	if (!shown)
		return;
	tls->peer = text_of(facts->name);
	tls->check = text_of(facts->reason == TLS_REASON_NONE ? TLS_CHECK_VERIFIED
							      : tls_reason_names[facts->reason]);
}

static void put_text(char *to, size_t room, const struct message_text *from)
{
	if (from->len)
		memcpy(to, from->at, from->len < room ? from->len : room - 1);
}

static void put_tls(struct ipc_tls *to, const struct message_tls *from)
{
	put_text(to->version, sizeof(to->version), &from->version);
	put_text(to->cipher, sizeof(to->cipher), &from->cipher);
	put_text(to->check, sizeof(to->check), &from->check);
	put_text(to->peer, sizeof(to->peer), &from->peer);
}

static void fill_sides(const struct smtp_flow *flow, struct ipc_flow *ipc)
{
	struct message_tls server = {0}, client = {0};
	struct tls_facts facts;

	fill_tls(&server, text_of(server_tls_words(flow)));
	put_tls(&ipc->server_tls, &server);
	if (!client_tls_facts(flow, &facts))
		return;
	fill_client_tls(&client, &facts);
	put_tls(&ipc->client_tls, &client);
	record_text(ipc->client_sni, sizeof(ipc->client_sni), facts.sni);
}

/* ---- flows ---- */

static enum decide_reason reason_of(const struct smtp_flow *flow)
{
	if (flow->greeted == ENDING_BLOCKED)
		return DECIDE_BLOCKED;
	if (flow->greeted == ENDING_NOT_NAMED)
		return DECIDE_NEEDS_NAME;
	return flow->greeted == ENDING_NOT_ACCEPTED ? DECIDE_NOT_ACCEPTED : DECIDE_NEEDS_ENVELOPE;
}

static void fill(const struct smtp_flow *flow, struct ipc_flow *ipc)
{
	const struct policy_rule *rule =
		flow->rule < 0 ? NULL : &flow->way.policy->rules[flow->rule];

	memset(ipc, 0, sizeof(*ipc));
	record_fill_way(ipc, &flow->way);
	ipc->start_ms = record_wall_ms(&flow->way, flow->start_ms);
	ipc->from_client_bytes = flow->from_client_bytes;
	ipc->from_server_bytes = flow->from_server_bytes;
	ipc->messages = flow->engine.delivered;
	ipc->logins_refused = flow->logins_refused;
	ipc->logins_later = flow->logins_later;
	ipc->seen = flow->client_secured ? SMTP_SEEN_TLS : 0;
	ipc->verdict =
		flow->greeted == ENDING_NONE ? POLICY_VERDICT_REDIRECT : POLICY_VERDICT_ANSWER;
	ipc->reason = reason_of(flow);
	ipc->ending = flow->ending;
	ipc->audit = !rule || rule->audit;
	record_text(ipc->state, sizeof(ipc->state),
		engine_state_names[flow->state == SMTP_FLOW_TALK ? flow->engine.state
								 : ENGINE_END]);
	fill_sides(flow, ipc);
	if (rule)
		record_text(ipc->rule, sizeof(ipc->rule), rule->name.text);
	record_text(ipc->detail, sizeof(ipc->detail), why(flow));
	if (flow->said)
		record_text(ipc->reply, sizeof(ipc->reply),
			pool_piece(&flow->smtp->table.said, flow->said - 1));
	if (flow->state == SMTP_FLOW_DONE)
		ipc->end_ms = loop_wall_ms(flow->smtp->loop);
}

void smtp_report_started(struct smtp_flow *flow)
{
	struct ipc_start start = {.flow = flow->way.id,
		.session = flow->way.session,
		.at_ms = record_wall_ms(&flow->way, flow->start_ms)};

	if (flow->way.listener >= 0)
		record_text(start.listener, sizeof(start.listener),
			flow->way.policy->listeners[flow->way.listener].name.text);
	record_start(&flow->smtp->ways.records, &start);
}

int smtp_report_live(struct smtp_flow *flow, const struct ipc_header *request)
{
	_Alignas(struct ipc_header) uint8_t bytes[sizeof(struct ipc_flow_row) + IPC_FLOW_BYTES_MAX];
	struct ipc_flow_row *row = (struct ipc_flow_row *)bytes;
	struct ipc_flow *live = &flow->smtp->built;

	fill(flow, live);
	live->client_names_cut =
		!client_tls_names(flow, live->client_names, sizeof(live->client_names));
	ipc_init(row, IPC_FLOW, sizeof(*row));
	row->header.bytes += (uint32_t)ipc_flow_encode(live, row->data);
	row->header.seq = request->seq;
	return smtp_send(flow->smtp, row);
}

/* It left as it liked, but was not given what it came for. */
static bool misses_tls(const struct smtp_flow *flow)
{
	enum ending_class class = ending_class_of(flow->ending);

	return (class == ENDING_CLASS_NORMAL || class == ENDING_CLASS_LEFT) &&
	       flow->greeted == ENDING_NONE && flow->engine.asked && client_tls_lacks(flow);
}

void smtp_report_end(struct smtp_flow *flow)
{
	struct smtp *smtp = flow->smtp;
	struct ipc_flow *record = &smtp->built;
	uint8_t bytes[IPC_FLOW_BYTES_MAX];

	if (misses_tls(flow))
		flow->ending = ENDING_TLS_MISSING;
	smtp_count(smtp, counter_of_ending(flow->ending));
	fill(flow, record);
	if (record->verdict == POLICY_VERDICT_REDIRECT)
		histogram_add(&smtp->child.histograms[HISTOGRAM_FLOW], HISTOGRAM_FLOW,
			record->end_ms > record->start_ms
				? (record->end_ms - record->start_ms) * 1000
				: 0);
	record_put(&smtp->ways.records, IPC_RECORD_FLOW, bytes, ipc_flow_encode(record, bytes));
}

/* ---- messages ---- */

void smtp_report_decided(struct smtp_flow *flow, const struct decide_reply *reply)
{
	struct smtp_note *note = smtp_note_of(flow);

	flow->rule = (int32_t)reply->rule;
	if (note)
		smtp_note_decided(note, reply);
}

void smtp_report_refused(struct smtp_flow *flow, enum message_by by)
{
	struct smtp_note *note = smtp_note_of(flow);

	if (note)
		smtp_note_refused(note, by);
}

/* Nobody was told yes, by whomever. */
static enum message_ending refused_by(const struct smtp_flow *flow, const struct smtp_note *note)
{
	enum message_ending by_scan;

	if (note->bys & 1u << MESSAGE_BY_SERVER)
		return MESSAGE_REFUSED_SERVER;
	if (note->bys & 1u << MESSAGE_BY_SCAN)
		return scan_ending(flow, &by_scan) ? by_scan : MESSAGE_REFUSED_SCAN;
	if (note->bys & 1u << MESSAGE_BY_GATEWAY)
		return MESSAGE_NO_SERVER;
	if (note->bys & 1u << MESSAGE_BY_LIMIT)
		return MESSAGE_REFUSED_LIMIT;
	return note->bys == 1u << MESSAGE_BY_FORM ? MESSAGE_REFUSED_FORM : MESSAGE_REFUSED_RULE;
}

/* Its flow is over, or it goes on. */
static enum message_ending left_by(const struct smtp_flow *flow)
{
	if (flow->engine.state != ENGINE_END || flow->engine.ending == ENDING_QUIT)
		return MESSAGE_CLIENT_RESET;
	return flow->engine.ending == ENDING_IDLE ? MESSAGE_CLIENT_SILENT : MESSAGE_CLIENT_LEFT;
}

/* A client that was told yes for a recipient sent no text. */
static enum message_ending abandoned_by(const struct smtp_flow *flow, const struct smtp_note *note)
{
	const struct engine *engine = &flow->engine;
	enum message_ending by_scan;

	if (engine->state == ENGINE_END && engine->wanted != ENDING_NONE &&
		engine->ending == engine->wanted)
		return MESSAGE_KILLED;
	if (note->limited)
		return MESSAGE_REFUSED_LIMIT;
	if (note->no_room)
		return MESSAGE_FAILED;
	if (scan_ending(flow, &by_scan))
		return by_scan;
	if (note->reply.len > 0 && note->reply_is_server)
		return MESSAGE_REFUSED_SERVER;
	if (note->reply.len > 0)
		return flow->late ? MESSAGE_SERVER_SILENT : MESSAGE_SERVER_LEFT;
	return left_by(flow);
}

/* Our own no to a text, by its class (RFC 3463 3). */
static enum message_ending rejected_by(
	const struct smtp_flow *flow, const struct engine_reply *reply)
{
	enum message_ending by_scan;

	if (scan_ending(flow, &by_scan))
		return by_scan;
	if (strcmp(reply->enhanced, "5.3.4") == 0)
		return MESSAGE_REFUSED_SIZE;
	if (strcmp(reply->enhanced, "5.4.6") == 0)
		return MESSAGE_REFUSED_LOOP;
	return reply->code / 100 == 4 ? MESSAGE_FAILED : MESSAGE_REFUSED_FORM;
}

static enum message_ending ending_of(const struct smtp_flow *flow, const struct smtp_note *note,
	enum engine_outcome outcome, const struct engine_reply *reply)
{
	switch (outcome) {
	case ENGINE_OUTCOME_DELIVERED:
		return flow->engine.client_lost ? MESSAGE_CLIENT_LOST : MESSAGE_DELIVERED;
	case ENGINE_OUTCOME_REFUSED:
		return MESSAGE_REFUSED_SERVER;
	case ENGINE_OUTCOME_REJECTED:
		return rejected_by(flow, reply);
	case ENGINE_OUTCOME_LEFT:
		return left_by(flow);
	case ENGINE_OUTCOME_SERVER_LOST:
		return note->server_late ? MESSAGE_SERVER_SILENT : MESSAGE_SERVER_LEFT;
	case ENGINE_OUTCOME_UNKNOWN:
		return MESSAGE_UNKNOWN;
	case ENGINE_OUTCOME_ENDED:
		return MESSAGE_KILLED;
	case ENGINE_OUTCOME_NO_RECIPIENT:
		return refused_by(flow, note);
	case ENGINE_OUTCOME_ABANDONED:
	case ENGINE_OUTCOME_NONE:
		break;
	}
	return abandoned_by(flow, note);
}

/* Without the brackets; what has none is told as it is. */
static struct message_text id_of(struct message_text id)
{
	if (id.len > 2 && id.at[0] == '<' && id.at[id.len - 1] == '>')
		return (struct message_text){id.at + 1, id.len - 2};
	return id;
}

static struct message_text name_of(const struct policy_string *name)
{
	return (struct message_text){name->text, name->len};
}

static void fill_way(struct message_record *record, const struct way *way)
{
	record->flow = way->id;
	record->session = way->session;
	record->source = (uint16_t)record_source(way);
	record->client = way->client;
	record->mac = way->mac;
	record->user = text_of(way->user);
	if (way->zone >= 0)
		record->zone = name_of(&way->policy->zones[way->zone].name);
	if (way->listener >= 0)
		record->listener = name_of(&way->policy->listeners[way->listener].name);
}

static void fill_note(
	struct message_record *record, const struct smtp_note *note, const struct smtp_flow *flow)
{
	record->start_ms = record_wall_ms(&flow->way, note->start_ms);
	record->left_out = note->left_out;
	record->unrecorded = note->silent > 0 && note->recipients + note->left_out == 0;
	record->host = note->host;
	record->gateway = note->gateway;
	record->helo = smtp_note_text(note, flow, &note->helo);
	fill_tls(&record->server_tls, smtp_note_text(note, flow, &note->tls));
	record->message_id = id_of(smtp_note_text(note, flow, &note->message_id));
	if (note->to_original)
		record->server = text_of("original");
	else if (note->server >= 0)
		record->server = name_of(&flow->way.policy->servers[note->server].name);
	if (note->reply_is_server)
		record->reply = smtp_note_text(note, flow, &note->reply);
	else
		record->detail = smtp_note_text(note, flow, &note->reply);
	if (record->ending == MESSAGE_DELIVERED || record->ending == MESSAGE_CLIENT_LOST)
		record->queue_id.len =
			queue_id_find(record->reply.at, record->reply.len, &record->queue_id.at);
}

#define WHY_SIZE 256

/* No host could be had: the last that was tried, and why not. */
static void fill_attempt(
	struct message_record *record, const struct smtp_flow *flow, char why_not[static WHY_SIZE])
{
	const struct ipc_attempt *last = attempts_last(flow->way.attempts);
	const struct policy_server *server = way_server(&flow->way);

	if (record->ending != MESSAGE_NO_SERVER || flow->server.fd >= 0 || !last)
		return;
	record->host = last->host;
	if (flow->way.to_original)
		record->server = text_of("original");
	else if (server)
		record->server = name_of(&server->name);
	snprintf(why_not, WHY_SIZE, "%s%s%s", ending_meanings[last->ending],
		*last->reply ? ": " : "", last->reply);
	record->detail = text_of(why_not);
}

/* Without the brackets; the null path is empty, but there. */
static struct message_text sender_of(const struct engine *engine, char text[SMTP_PATH_TEXT_MAX])
{
	size_t len = smtp_path_format(&engine->sender, text);

	return (struct message_text){text + 1, len - 2};
}

/* A server with an account is told its sender; who bounces stays nobody. */
static struct message_text sender_sent(const struct message_record *record,
	const struct smtp_note *note, const struct policy *policy)
{
	const struct message_text none = {0};

	if (note->to_original || note->server < 0 || !record->sender.len)
		return none;
	const struct policy_account *account = &policy->servers[note->server].account;
	return account->given && account->sender.len ? name_of(&account->sender) : none;
}

/* The record of the flow has it, too. */
static void keep_said(struct smtp_flow *flow, const struct message_text *reply)
{
	struct pool *pool = &flow->smtp->table.said;
	char *said = flow->said ? pool_piece(pool, flow->said - 1) : pool_take(pool);

	if (!said)
		return;
	flow->said = 1 + pool_number(pool, said);
	snprintf(said, SMTP_FLOW_SAID_BYTES, "%.*s", (int)reply->len, reply->at);
	text_blank(said);
}

static void report_message(struct smtp_flow *flow, const struct smtp_note *note,
	enum engine_outcome outcome, const struct engine_reply *reply)
{
	struct smtp *smtp = flow->smtp;
	struct smtp_flow_table *table = &smtp->table;
	const struct engine *engine = &flow->engine;
	char sender[SMTP_PATH_TEXT_MAX], why_not[WHY_SIZE], scans[SCAN_WORDS_SIZE];
	struct tls_facts facts;
	struct message_record record = {.number = engine->message,
		.ending = (uint16_t)ending_of(flow, note, outcome, reply),
		.end_ms = loop_wall_ms(smtp->loop),
		.size_bytes = engine->size,
		.sender = sender_of(engine, sender)};

	fill_way(&record, &flow->way);
	if (client_tls_facts(flow, &facts)) {
		fill_client_tls(&record.client_tls, &facts);
		record.client_sni = text_of(facts.sni);
	}
	fill_note(&record, note, flow);
	fill_attempt(&record, flow, why_not);
	record.scan = text_of(scan_words(flow, scans));
	if (record.reply.len && !record.unrecorded)
		keep_said(flow, &record.reply);
	record.sender_sent = sender_sent(&record, note, flow->way.policy);
	smtp_note_read(note, flow, table->recipients);
	size_t len = message_record_encode(&record, table->recipients, note->recipients,
		table->record, MESSAGE_RECORD_BYTES_MAX);
	record_put(&smtp->ways.records, IPC_RECORD_MESSAGE, table->record, len);
}

/* The server gave nothing more while the client was still to say its text. */
static bool is_server_late(const struct smtp_flow *flow)
{
	return flow->late && flow->engine.state == ENGINE_DRAIN;
}

void smtp_report_transaction(struct smtp_flow *flow, const struct engine_out *out)
{
	struct smtp_note *note = smtp_note_of(flow);

	if (out->message_done == ENGINE_OUTCOME_DELIVERED)
		smtp_count(flow->smtp, COUNTER_MESSAGES);
	if (out->recipient_done && out->recipient.server && out->recipient.code / 100 == 2)
		allowance_note_rule(flow);
	if (!note)
		return;
	if (out->recipient_done && out->recipient.server && flow->server.fd >= 0)
		smtp_note_server(note, flow);
	if (out->recipient_done)
		smtp_note_recipient(note, flow, &out->recipient);
	if (out->text_done)
		smtp_note_id(note, flow, out->message_id);
	if (out->message.code)
		smtp_note_reply(note, flow, &out->message);
	note->server_late = note->server_late || is_server_late(flow);
	if (out->message_done != ENGINE_OUTCOME_NONE)
		report_message(flow, note, (enum engine_outcome)out->message_done, &out->message);
	if (!flow->engine.mail)
		smtp_note_end(flow);
}
