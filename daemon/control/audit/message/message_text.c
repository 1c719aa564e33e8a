/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/message/message_text.h"

#include "daemon/base/log.h"
#include "daemon/control/audit/line.h"
#include "daemon/control/request/json_row.h"
#include "lib/base/text.h"
#include "lib/policy/policy.h"
#include "lib/tls/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE      1900         /* what the log takes */
#define SHOWN_SIZE     200          /* of one text in the log */
#define JSON_BYTES     (900u << 10) /* of recipients: the whole is one frame */
#define LOG_RECIPIENTS 5            /* named in the log; all are counted */

static json_t *text_json(const struct message_text *text)
{
	struct text_pieces pieces = {.n = 0};
	char escaped[TEXT_ESCAPED_MAX(MESSAGE_TEXT_MAX)];

	if (!text->at)
		return json_null();
	json_t *json = memchr(text->at, '\0', text->len) ? NULL : json_stringn(text->at, text->len);
	if (json)
		return json;
	size_t n = text->len < MESSAGE_TEXT_MAX ? text->len : MESSAGE_TEXT_MAX;
	size_t len = text_escape(&pieces, text->at, n, escaped);
	len += text_escape(&pieces, NULL, 0, escaped + len);
	json = json_stringn(escaped, len);
	return json ? json : json_null();
}

static json_t *recipient_json(const struct message_recipient *recipient)
{
	json_t *json = json_object();

	json_object_set_new(json, "by", json_string(message_by_name(recipient->by)));
	json_object_set_new(json, "rule", text_json(&recipient->rule));
	json_object_set_new(json, "verdict",
		recipient->verdict < POLICY_VERDICTS
			? json_string(policy_verdict_names[recipient->verdict])
			: json_null());
	const char *direction = message_direction_name(recipient->direction);
	json_object_set_new(json, "direction", direction ? json_string(direction) : json_null());
	json_object_set_new(json, "recipient", text_json(&recipient->address));
	json_object_set_new(json, "reply", text_json(&recipient->reply));
	return json;
}

/* How long it is as JSON, at most. */
static size_t json_bytes(const struct message_text *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++) {
		unsigned char byte = (unsigned char)text->at[i];
		n += byte > ' ' && byte < 0x7f && byte != '"' && byte != '\\' ? 1 : 6;
	}
	return n;
}

/* *shown: of how many. */
static json_t *recipients_json(const struct message_record *record, uint32_t *shown)
{
	struct message_recipient recipient;
	json_t *array = json_array();
	size_t at = 0, bytes = 0;

	for (*shown = 0; message_recipient_next(record, &at, &recipient); ++*shown) {
		bytes += 160 + json_bytes(&recipient.address) + json_bytes(&recipient.rule) +
			 json_bytes(&recipient.reply);
		if (bytes > JSON_BYTES)
			break;
		json_array_append_new(array, recipient_json(&recipient));
	}
	return array;
}

static json_t *tls_json(const struct message_tls *tls)
{
	if (!tls->version.at)
		return json_null();
	return json_row_tls(text_json(&tls->version), text_json(&tls->cipher),
		text_json(&tls->peer), text_json(&tls->check));
}

static json_t *client_tls_json(const struct message_record *record)
{
	json_t *json = tls_json(&record->client_tls);

	if (json_is_object(json))
		json_object_set_new(json, "sni", text_json(&record->client_sni));
	return json;
}

/* What is wrong with the certificate that the client showed; at NULL: nothing, or it showed none.
 */
static struct message_text invalid_client(const struct message_record *record)
{
	static const char verified[] = TLS_CHECK_VERIFIED;
	const struct message_text *check = &record->client_tls.check;
	const bool good =
		check->len == sizeof(verified) - 1 && memcmp(check->at, verified, check->len) == 0;

	return check->len > 0 && !good ? *check : (struct message_text){0};
}

static json_t *first_recipient_json(const struct message_record *record)
{
	struct message_recipient recipient;
	size_t at = 0;

	return message_recipient_next(record, &at, &recipient) ? text_json(&recipient.address)
							       : json_null();
}

static void add_whole(json_t *json, const struct message_record *record)
{
	char name[MESSAGE_NAME_SIZE];
	const struct message_text invalid = invalid_client(record);
	uint32_t shown;
	json_t *recipients = recipients_json(record, &shown);

	json_object_set_new(json, "flow", json_string(flowid_format(record->flow, name)));
	json_object_set_new(json, "started_at", json_row_time(record->start_ms));
	json_object_set_new(json, "lasted_ms",
		record->end_ms >= record->start_ms
			? json_integer((json_int_t)(record->end_ms - record->start_ms))
			: json_null());
	json_object_set_new(json, "login",
		record->user.at ? json_string(message_source_name(record->source)) : json_null());
	json_object_set_new(json, "session", json_row_session_id(record->session));
	json_object_set_new(json, "mac", json_row_mac(&record->mac));
	json_object_set_new(json, "listener", text_json(&record->listener));
	json_object_set_new(json, "helo", text_json(&record->helo));
	json_object_set_new(json, "client_tls", client_tls_json(record));
	json_object_set_new(json, "tls_invalid_client_certificate", text_json(&invalid));
	json_object_set_new(json, "sender_sent", text_json(&record->sender_sent));
	json_object_set_new(json, "host", json_row_endpoint(&record->host));
	json_object_set_new(json, "gateway", json_row_endpoint(&record->gateway));
	json_object_set_new(json, "server_tls", tls_json(&record->server_tls));
	json_object_set_new(json, "message_id", text_json(&record->message_id));
	json_object_set_new(json, "scan", text_json(&record->scan));
	json_object_set_new(json, "detail", text_json(&record->detail));
	json_object_set_new(json, "decisions", recipients);
	json_object_set_new(json, "left_out",
		json_integer((json_int_t)record->left_out + record->recipients - shown));
}

json_t *message_text_json(const struct message_record *record, bool whole)
{
	char name[MESSAGE_NAME_SIZE];
	json_t *json = json_object();

	json_object_set_new(json, "message",
		json_string(message_name_format(record->flow, record->number, name)));
	json_object_set_new(json, "ended_at", json_row_time(record->end_ms));
	json_object_set_new(json, "ending", json_string(message_ending_name(record->ending)));
	json_object_set_new(json, "user", text_json(&record->user));
	json_object_set_new(json, "zone", text_json(&record->zone));
	json_object_set_new(json, "client", json_row_endpoint(&record->client));
	json_object_set_new(json, "sender",
		record->sender.at && !record->sender.len ? json_string("<>")
							 : text_json(&record->sender));
	json_object_set_new(json, "recipient", first_recipient_json(record));
	json_object_set_new(json, "recipients",
		json_integer((json_int_t)record->recipients + record->left_out));
	json_object_set_new(json, "size_bytes", json_integer((json_int_t)record->size_bytes));
	json_object_set_new(json, "server", text_json(&record->server));
	json_object_set_new(json, "queue_id", text_json(&record->queue_id));
	json_object_set_new(json, "reply", text_json(&record->reply));
	if (whole)
		add_whole(json, record);
	return json;
}

char *message_text_dump(const struct message_record *record, bool whole)
{
	json_t *json = message_text_json(record, whole);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

/* For the log: one line, what may not be shown as '?', an empty sender as <>. */
static const char *shown(const struct message_text *text, char buf[static SHOWN_SIZE])
{
	size_t n = text->len < SHOWN_SIZE - 1 ? text->len : SHOWN_SIZE - 1;

	if (!text->at)
		return "";
	for (size_t i = 0; i < n; i++)
		buf[i] = text->at[i] ? text->at[i] : '?';
	buf[n] = '\0';
	text_blank(buf);
	return n ? buf : "<>";
}

struct log_texts {
	char line[LINE_SIZE], name[MESSAGE_NAME_SIZE], flow[FLOWID_TEXT_SIZE];
	char client[ENDPOINT_TEXT_SIZE], host[ENDPOINT_TEXT_SIZE], mac[MAC_TEXT_SIZE];
	char user[SHOWN_SIZE], zone[SHOWN_SIZE], listener[SHOWN_SIZE], sender[SHOWN_SIZE];
	char server[SHOWN_SIZE], reply[SHOWN_SIZE], queue_id[SHOWN_SIZE], message_id[SHOWN_SIZE];
	char detail[SHOWN_SIZE], scan[SHOWN_SIZE], recipients[LOG_RECIPIENTS][SHOWN_SIZE];
	char tls[SHOWN_SIZE]; /* one after the other */
};

static void fill(const struct message_record *record, struct log_texts *texts)
{
	struct message_recipient recipient;
	size_t at = 0;

	message_name_format(record->flow, record->number, texts->name);
	flowid_format(record->flow, texts->flow);
	for (size_t i = 0; i < LOG_RECIPIENTS; i++) {
		texts->recipients[i][0] = '\0';
		if (message_recipient_next(record, &at, &recipient))
			shown(&recipient.address, texts->recipients[i]);
	}
	texts->client[0] = texts->host[0] = texts->mac[0] = '\0';
	if (record->client.addr.family != ADDR_NONE)
		endpoint_format(&record->client, texts->client);
	if (record->host.addr.family != ADDR_NONE)
		endpoint_format(&record->host, texts->host);
	if (mac_is_set(&record->mac))
		mac_format(&record->mac, texts->mac);
}

static void put_tls(
	struct line *line, const struct message_record *record, char text[static SHOWN_SIZE])
{
	const struct message_text invalid = invalid_client(record);

	line_put_pair(line, "client_tls", shown(&record->client_tls.version, text));
	line_put_pair(line, "client_cipher", shown(&record->client_tls.cipher, text));
	line_put_pair(line, "client_sni", shown(&record->client_sni, text));
	line_put_pair(line, "client_peer", shown(&record->client_tls.peer, text));
	line_put_pair(line, "tls_invalid_client_certificate", shown(&invalid, text));
	line_put_pair(line, "server_tls", shown(&record->server_tls.version, text));
	line_put_pair(line, "server_cipher", shown(&record->server_tls.cipher, text));
	line_put_pair(line, "server_peer", shown(&record->server_tls.peer, text));
	line_put_pair(line, "server_check", shown(&record->server_tls.check, text));
}

static const char *put_line(const struct message_record *record, struct log_texts *texts)
{
	struct line line = {texts->line, sizeof(texts->line), 0};

	line_put_pair(&line, "message", texts->name);
	line_put_pair(&line, "ending", message_ending_name(record->ending));
	line_put_pair(&line, "user", shown(&record->user, texts->user));
	line_put_pair(&line, "zone", shown(&record->zone, texts->zone));
	line_put_pair(&line, "listener", shown(&record->listener, texts->listener));
	line_put_pair(&line, "client", texts->client);
	line_put_pair(&line, "mac", texts->mac);
	line_put_pair(&line, "sender", shown(&record->sender, texts->sender));
	line_put_number(&line, "recipients", (uint64_t)record->recipients + record->left_out);
	for (size_t i = 0; i < LOG_RECIPIENTS; i++)
		line_put_pair(&line, "recipient", texts->recipients[i]);
	line_put_number(&line, "size_bytes", record->size_bytes);
	line_put_pair(&line, "server", shown(&record->server, texts->server));
	line_put_pair(&line, "host", texts->host);
	line_put_pair(&line, "queue_id", shown(&record->queue_id, texts->queue_id));
	line_put_pair(&line, "message_id", shown(&record->message_id, texts->message_id));
	put_tls(&line, record, texts->tls);
	line_put_pair(&line, "reply", shown(&record->reply, texts->reply));
	line_put_pair(&line, "scan", shown(&record->scan, texts->scan));
	line_put_pair(&line, "detail", shown(&record->detail, texts->detail));
	return line_end(&line);
}

void message_text_log(const struct message_record *record)
{
	struct log_texts texts;

	if (!log_wants(POLICY_LOG_INFO))
		return;
	fill(record, &texts);
	put_line(record, &texts);
	log_event(POLICY_LOG_INFO, LOG_ID_MESSAGE,
		LOG_FIELDS({LOG_FIELD_FLOW, texts.flow}, {LOG_FIELD_MESSAGE, texts.name},
			{LOG_FIELD_ENDING, message_ending_name(record->ending)},
			{LOG_FIELD_USER, shown(&record->user, texts.user)},
			{LOG_FIELD_ZONE, shown(&record->zone, texts.zone)},
			{LOG_FIELD_CLIENT, texts.client}, {LOG_FIELD_MAC, texts.mac},
			{LOG_FIELD_SENDER, shown(&record->sender, texts.sender)},
			{LOG_FIELD_RECIPIENT, texts.recipients[0]},
			{LOG_FIELD_RECIPIENT, texts.recipients[1]},
			{LOG_FIELD_RECIPIENT, texts.recipients[2]},
			{LOG_FIELD_RECIPIENT, texts.recipients[3]},
			{LOG_FIELD_RECIPIENT, texts.recipients[4]},
			{LOG_FIELD_SERVER, shown(&record->server, texts.server)},
			{LOG_FIELD_HOST, texts.host},
			{LOG_FIELD_QUEUE_ID, shown(&record->queue_id, texts.queue_id)},
			{LOG_FIELD_HEADER_ID, shown(&record->message_id, texts.message_id)},
			{LOG_FIELD_DETAIL, shown(&record->detail, texts.detail)}),
		"%s", texts.line);
}
