/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/text.h"

#include "daemon/control/audit/line.h"
#include "daemon/control/request/json_row.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/session.h"
#include "lib/record/flowid.h"
#include "lib/smtp/smtp.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *audit_text_seen(uint32_t seen, char text[static AUDIT_SEEN_SIZE])
{
	size_t len = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < SMTP_SEEN_BITS; i++)
		if (seen >> i & 1)
			len += (size_t)snprintf(text + len, AUDIT_SEEN_SIZE - len, "%s%s",
				len ? "," : "", smtp_seen_names[i]);
	return text;
}

json_t *audit_text_attempts(const struct ipc_flow *record)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < record->nattempts && i < IPC_ATTEMPTS_MAX; i++) {
		const struct ipc_attempt *attempt = &record->attempts[i];
		json_array_append_new(array,
			json_pack("{s:o, s:I, s:s, s:o}", "host", json_row_endpoint(&attempt->host),
				"took_ms", (json_int_t)attempt->ms, "ending",
				ending_name(attempt->ending), "reply",
				json_row_text(attempt->reply)));
	}
	return array;
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_row_text(text) : json_null();
}

json_t *audit_text_tls(const struct ipc_tls *tls, const char *sni)
{
	if (!*tls->version)
		return json_null();
	json_t *json = json_row_tls(text_or_null(tls->version), text_or_null(tls->cipher),
		text_or_null(tls->peer), text_or_null(tls->check));
	if (sni)
		json_object_set_new(json, "sni", text_or_null(sni));
	return json;
}

/* What is wrong with the certificate that the client showed. Empty: nothing, or it showed none. */
static const char *invalid_client(const struct ipc_flow *record)
{
	return strcmp(record->client_tls.check, TLS_CHECK_VERIFIED) == 0 ? ""
									 : record->client_tls.check;
}

/* Which sides were in TLS of the gateway's own. */
static json_t *sides_json(const struct ipc_flow *record)
{
	json_t *array = json_array();

	if (*record->client_tls.version)
		json_array_append_new(array, json_string("client"));
	if (*record->server_tls.version)
		json_array_append_new(array, json_string("server"));
	return array;
}

const char *audit_text_verdict(const struct ipc_flow *record)
{
	return record->verdict < POLICY_VERDICTS ? policy_verdict_names[record->verdict] : "?";
}

const char *audit_text_reason(const struct ipc_flow *record)
{
	return record->reason < DECIDE_REASONS ? decide_reason_names[record->reason] : "?";
}

static json_t *seen_json(uint32_t seen)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < SMTP_SEEN_BITS; i++)
		if (seen >> i & 1)
			json_array_append_new(array, json_string(smtp_seen_names[i]));
	return array;
}

static json_t *session_json(uint64_t session)
{
	char text[24];

	if (session == 0)
		return json_null();
	snprintf(text, sizeof(text), "%s%" PRIu64, session & SESSION_DEVICE_ID ? "d" : "",
		(uint64_t)(session & ~SESSION_DEVICE_ID));
	return json_string(text);
}

/* What carried it; nothing, where it was passed or refused by the kernel. */
static json_t *path_json(const struct ipc_flow *record)
{
	bool carried = record->verdict == POLICY_VERDICT_REDIRECT ||
		       record->verdict == POLICY_VERDICT_ANSWER;

	return carried && record->path < POLICY_PATHS ? json_string(policy_path_names[record->path])
						      : json_null();
}

static json_t *span_json(uint64_t from_ms, uint64_t to_ms)
{
	return from_ms && to_ms >= from_ms ? json_integer((json_int_t)(to_ms - from_ms))
					   : json_null();
}

json_t *audit_text_json(const struct ipc_flow *record, bool whole)
{
	char id[FLOWID_TEXT_SIZE];
	json_t *json = json_object();

	json_object_set_new(json, "flow",
		record->id ? json_string(flowid_format(record->id, id)) : json_null());
	json_object_set_new(json, "started_at", json_row_time(record->start_ms));
	json_object_set_new(json, "user", text_or_null(record->user));
	json_object_set_new(json, "zone", text_or_null(record->zone));
	json_object_set_new(json, "listener", text_or_null(record->listener));
	json_object_set_new(json, "client", json_row_endpoint(&record->client));
	json_object_set_new(json, "original", json_row_endpoint(&record->original));
	json_object_set_new(json, "rule", text_or_null(record->rule));
	json_object_set_new(json, "verdict", json_string(audit_text_verdict(record)));
	json_object_set_new(json, "server", text_or_null(record->server));
	json_object_set_new(json, "path", path_json(record));
	json_object_set_new(
		json, "from_client_bytes", json_integer((json_int_t)record->from_client_bytes));
	json_object_set_new(
		json, "from_server_bytes", json_integer((json_int_t)record->from_server_bytes));
	json_object_set_new(json, "messages", json_integer(record->messages));
	json_object_set_new(json, "tls", sides_json(record));
	if (record->end_ms)
		json_object_set_new(json, "ending", json_string(ending_name(record->ending)));
	else
		json_object_set_new(json, "state", text_or_null(record->state));
	if (!whole)
		return json;
	json_object_set_new(json, "ended_at", json_row_time(record->end_ms));
	json_object_set_new(json, "lasted_ms", span_json(record->start_ms, record->end_ms));
	json_object_set_new(
		json, "connected_after_ms", span_json(record->start_ms, record->connected_ms));
	json_object_set_new(json, "host", json_row_endpoint(&record->host));
	json_object_set_new(json, "gateway", json_row_endpoint(&record->gateway));
	json_object_set_new(json, "reply", text_or_null(record->reply));
	json_object_set_new(json, "session", session_json(record->session));
	json_object_set_new(json, "source", text_or_null(record->source));
	if (record->end_ms) /* a login's, beside which it stands: columns are of all rows */
		json_object_set_new(json, "terms", json_null());
	json_object_set_new(json, "mac", json_row_mac(&record->mac));
	json_object_set_new(json, "interface", text_or_null(record->ifname));
	json_object_set_new(json, "reason", json_string(audit_text_reason(record)));
	json_object_set_new(json, "seen", seen_json(record->seen));
	json_object_set_new(
		json, "client_tls", audit_text_tls(&record->client_tls, record->client_sni));
	json_object_set_new(
		json, "tls_invalid_client_certificate", text_or_null(invalid_client(record)));
	json_object_set_new(json, "server_tls", audit_text_tls(&record->server_tls, NULL));
	json_object_set_new(json, "detail", text_or_null(record->detail));
	json_object_set_new(json, "relay",
		record->path == POLICY_PATH_RELAY ? json_integer(record->relay) : json_null());
	json_object_set_new(json, "attempts", audit_text_attempts(record));
	return json;
}

char *audit_json(const struct ipc_flow *record, bool whole)
{
	json_t *json = audit_text_json(record, whole);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

static void put_tls(struct line *line, const struct ipc_flow *record)
{
	line_put_pair(line, "client_tls", record->client_tls.version);
	line_put_pair(line, "client_cipher", record->client_tls.cipher);
	line_put_pair(line, "client_sni", record->client_sni);
	line_put_pair(line, "client_peer", record->client_tls.peer);
	line_put_pair(line, "tls_invalid_client_certificate", invalid_client(record));
	line_put_pair(line, "server_tls", record->server_tls.version);
	line_put_pair(line, "server_cipher", record->server_tls.cipher);
	line_put_pair(line, "server_peer", record->server_tls.peer);
	line_put_pair(line, "server_check", record->server_tls.check);
}

const char *audit_text_line(const struct ipc_flow *record, char buf[static AUDIT_LINE_SIZE])
{
	struct line line = {buf, AUDIT_LINE_SIZE, 0};
	char id[FLOWID_TEXT_SIZE], mac[MAC_TEXT_SIZE], seen[AUDIT_SEEN_SIZE];

	if (record->id)
		line_put_pair(&line, "flow", flowid_format(record->id, id));
	line_put_pair(&line, "ending", ending_name(record->ending));
	line_put_pair(&line, "verdict", audit_text_verdict(record));
	line_put_pair(&line, "user", record->user);
	line_put_pair(&line, "source", record->source);
	line_put_pair(&line, "zone", record->zone);
	line_put_pair(&line, "listener", record->listener);
	line_put_endpoint(&line, "client", &record->client);
	if (mac_is_set(&record->mac))
		line_put_pair(&line, "mac", mac_format(&record->mac, mac));
	line_put_pair(&line, "interface", record->ifname);
	line_put_endpoint(&line, "original", &record->original);
	line_put_pair(&line, "rule", record->rule);
	line_put_pair(&line, "server", record->server);
	if (record->path == POLICY_PATH_KERNEL)
		line_put_pair(&line, "path", policy_path_names[record->path]);
	line_put_endpoint(&line, "host", &record->host);
	line_put_endpoint(&line, "gateway", &record->gateway);
	line_put_number(&line, "from_client_bytes", record->from_client_bytes);
	line_put_number(&line, "from_server_bytes", record->from_server_bytes);
	line_put_number(&line, "messages", record->messages);
	line_put_pair(&line, "seen", audit_text_seen(record->seen, seen));
	put_tls(&line, record);
	if (record->end_ms >= record->start_ms)
		line_put_number(&line, "lasted_ms", record->end_ms - record->start_ms);
	line_put_pair(&line, "reply", record->reply);
	line_put_pair(&line, "detail", record->detail);
	return line_end(&line);
}
