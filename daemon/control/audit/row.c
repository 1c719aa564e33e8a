/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/row.h"

#include "daemon/control/audit/column.h"
#include "daemon/control/audit/login_row.h"
#include "daemon/control/audit/text.h"
#include "lib/smtp/smtp.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION 7

const char *const audit_column_names[AUDIT_COLUMNS] = {
	[AUDIT_ID] = "id",
	[AUDIT_SESSION] = "session",
	[AUDIT_MAC] = "mac",
	[AUDIT_CLIENT] = "client",
	[AUDIT_USER] = "user",
	[AUDIT_RULE] = "rule",
	[AUDIT_ENDING] = "ending",
	[AUDIT_SERVER] = "server",
	[AUDIT_ZONE] = "zone",
	[AUDIT_VERDICT] = "verdict",
	[AUDIT_ORIGINAL] = "original",
	[AUDIT_LISTENER] = "listener",
};

/* The order of the columns, in the table, in INSERT and in SELECT. Numbers that only this version
 * of Postern could read are kept as words. */
enum {
	KEY,
	ID,
	SESSION,
	START,
	END,
	CONNECTED,
	FROM_CLIENT,
	FROM_SERVER,
	MESSAGES,
	SEEN,
	VERDICT,
	ENDING,
	REASON,
	CLIENT,
	CLIENT_PORT,
	ORIGINAL,
	ORIGINAL_PORT,
	HOST,
	HOST_PORT,
	MAC,
	INTERFACE,
	ZONE,
	USER,
	RULE,
	SERVER,
	DETAIL,
	RELAY,
	ATTEMPTS,
	GATEWAY,
	GATEWAY_PORT,
	REPLY,
	LISTENER,
	CLIENT_TLS,
	SERVER_TLS,
	SOURCE,
	PATH,
	TERMS,
	COLUMNS,
};

#define COLUMN_LIST                                                                              \
	"key, id, session, start_ms, end_ms, connected_ms, from_client, from_server, messages, " \
	"seen, verdict, ending, reason, client, client_port, original, original_port, host, "    \
	"host_port, mac, interface, zone, user, rule, server, detail, relay, attempts, "         \
	"gateway, gateway_port, reply, listener, client_tls, server_tls, source, path"

const char *const audit_row_columns = COLUMN_LIST ", terms"; /* these are a login's alone */

#define STRANGER_INDEX \
	"CREATE INDEX IF NOT EXISTS record_stranger ON record(key) WHERE " AUDIT_ROW_STRANGER

static int make_index(struct sqlite3 *db, enum audit_column column)
{
	const char *name = audit_column_names[column];
	char sql[160];

	snprintf(sql, sizeof(sql), "CREATE INDEX record_%s ON record(%s) WHERE %s IS NOT NULL",
		name, name, name);
	return database_execute(db, sql);
}

static int make(struct sqlite3 *db)
{
	int status = database_execute(db,
		"CREATE TABLE record(key INTEGER PRIMARY KEY, id INTEGER, session INTEGER,"
		"start_ms INTEGER, end_ms INTEGER, connected_ms INTEGER,"
		"from_client INTEGER, from_server INTEGER, messages INTEGER, seen TEXT,"
		"verdict TEXT, ending TEXT, reason TEXT, client BLOB, client_port INTEGER,"
		"original BLOB, original_port INTEGER, host BLOB, host_port INTEGER,"
		"mac BLOB, interface TEXT, zone TEXT, user TEXT, rule TEXT, server TEXT,"
		"detail TEXT, relay INTEGER, attempts TEXT, gateway BLOB,"
		"gateway_port INTEGER, reply TEXT, listener TEXT, client_tls TEXT,"
		"server_tls TEXT, source TEXT, path TEXT, terms TEXT)");
	for (int i = 0; status == 0 && i < AUDIT_COLUMNS; i++)
		status = make_index(db, (enum audit_column)i);
	return status;
}

/* Of 1: without the gateway's end, without replies, and no index of original destinations. */
static int renew_first(struct sqlite3 *db)
{
	int status = database_execute(db, "ALTER TABLE record ADD COLUMN gateway BLOB;"
					  "ALTER TABLE record ADD COLUMN gateway_port INTEGER;"
					  "ALTER TABLE record ADD COLUMN reply TEXT");
	return status ? status : make_index(db, AUDIT_ORIGINAL);
}

/* Of 2 or before: without listeners. */
static int renew_second(struct sqlite3 *db)
{
	int status = database_execute(db, "ALTER TABLE record ADD COLUMN listener TEXT");

	return status ? status : make_index(db, AUDIT_LISTENER);
}

/* Of 6 or before: without logins; of 5, without paths; of 4, without sources of sessions; of 3,
 * without TLS, too. */
static int renew(struct sqlite3 *db, int found)
{
	int status = found < 2 ? renew_first(db) : 0;

	if (status == 0 && found < 3)
		status = renew_second(db);
	if (status == 0 && found < 4)
		status = database_execute(db, "ALTER TABLE record ADD COLUMN client_tls TEXT;"
					      "ALTER TABLE record ADD COLUMN server_tls TEXT");
	if (status == 0 && found < 5)
		status = database_execute(db, "ALTER TABLE record ADD COLUMN source TEXT");
	if (status == 0 && found < 6)
		status = database_execute(db, "ALTER TABLE record ADD COLUMN path TEXT");
	return status ? status
		      : database_execute(db, "ALTER TABLE record ADD COLUMN terms TEXT;"
					     "DROP INDEX IF EXISTS record_stranger");
}

int audit_row_migrate(struct database *store, struct sqlite3 *db)
{
	int found, status = database_version(store, db, &found);

	if (status < 0 || found == SCHEMA_VERSION)
		return status;
	if (found > SCHEMA_VERSION)
		return -EPROTONOSUPPORT;
	status = database_execute(db, "BEGIN IMMEDIATE");
	if (status == 0)
		status = found ? renew(db, found) : make(db);
	if (status == 0)
		status = database_execute(db, STRANGER_INDEX "; PRAGMA user_version=7; COMMIT");
	return status;
}

uint64_t audit_row_key(uint64_t end_ms, uint32_t number)
{
	const uint64_t most = AUDIT_KEY_MAX >> AUDIT_KEY_SHIFT;

	return (end_ms < most ? end_ms : most) << AUDIT_KEY_SHIFT |
	       (number & ((1u << AUDIT_KEY_SHIFT) - 1));
}

/* The text stays where it is until the row is in. */
static void bind_text(sqlite3_stmt *row, int column, const char *text)
{
	if (text && *text) /* else NULL, and in no index */
		sqlite3_bind_text(row, column + 1, text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *row, int column, uint64_t number)
{
	if (number)
		sqlite3_bind_int64(row, column + 1, (sqlite3_int64)number);
}

static void bind_endpoint(sqlite3_stmt *row, int column, const struct endpoint *endpoint,
	uint8_t bytes[static AUDIT_ADDR_BYTES])
{
	if (endpoint->addr.family == ADDR_NONE)
		return;
	int len = audit_encode_addr(&endpoint->addr, bytes);
	sqlite3_bind_blob(row, column + 1, bytes, len, SQLITE_STATIC);
	bind_number(row, column + 1, endpoint->port);
}

/* NULL: in clear. */
static char *dump_tls(const struct ipc_tls *tls, const char *sni)
{
	json_t *json = *tls->version ? audit_text_tls(tls, sni) : NULL;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

int audit_row_insert(
	struct database *store, struct sqlite3 *db, const struct ipc_flow *record, uint64_t key)
{
	sqlite3_stmt *row = database_statement(store,
		"INSERT INTO record(" COLUMN_LIST ") VALUES "
		"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	char seen[AUDIT_SEEN_SIZE], *attempts = NULL;
	char *client_tls, *server_tls;
	uint8_t addresses[4][AUDIT_ADDR_BYTES];

	if (!row)
		return database_error(db);
	sqlite3_bind_int64(row, KEY + 1, (sqlite3_int64)key);
	bind_number(row, ID, record->id);
	bind_number(row, SESSION, record->session);
	bind_number(row, START, record->start_ms);
	bind_number(row, END, record->end_ms);
	bind_number(row, CONNECTED, record->connected_ms);
	bind_number(row, FROM_CLIENT, record->from_client_bytes);
	bind_number(row, FROM_SERVER, record->from_server_bytes);
	bind_number(row, MESSAGES, record->messages);
	bind_text(row, SEEN, audit_text_seen(record->seen, seen));
	if (record->verdict < POLICY_VERDICTS)
		bind_text(row, VERDICT, policy_verdict_names[record->verdict]);
	bind_text(row, ENDING, ending_name(record->ending));
	if (record->reason < DECIDE_REASONS)
		bind_text(row, REASON, decide_reason_names[record->reason]);
	bind_endpoint(row, CLIENT, &record->client, addresses[0]);
	bind_endpoint(row, ORIGINAL, &record->original, addresses[1]);
	bind_endpoint(row, HOST, &record->host, addresses[2]);
	bind_endpoint(row, GATEWAY, &record->gateway, addresses[3]);
	bind_text(row, REPLY, record->reply);
	if (mac_is_set(&record->mac))
		sqlite3_bind_blob(row, MAC + 1, record->mac.bytes, 6, SQLITE_STATIC);
	bind_text(row, INTERFACE, record->ifname);
	bind_text(row, ZONE, record->zone);
	bind_text(row, LISTENER, record->listener);
	bind_text(row, USER, record->user);
	bind_text(row, RULE, record->rule);
	bind_text(row, SERVER, record->server);
	bind_text(row, DETAIL, record->detail);
	bind_number(row, RELAY, record->relay);
	if (record->nattempts) {
		json_t *array = audit_text_attempts(record);
		attempts = json_dumps(array, JSON_COMPACT);
		bind_text(row, ATTEMPTS, attempts);
		json_decref(array);
	}
	client_tls = dump_tls(&record->client_tls, record->client_sni);
	server_tls = dump_tls(&record->server_tls, NULL);
	bind_text(row, CLIENT_TLS, client_tls);
	bind_text(row, SERVER_TLS, server_tls);
	bind_text(row, SOURCE, record->source);
	if (record->path != POLICY_PATH_RELAY)
		bind_text(row, PATH, policy_path_names[record->path]);
	int status = database_step(row);
	free(attempts);
	free(client_tls);
	free(server_tls);
	return status;
}

static void read_text(sqlite3_stmt *row, int column, char *text, size_t size)
{
	const char *value = (const char *)sqlite3_column_text(row, column);

	snprintf(text, size, "%s", value ? value : "");
}

static void read_endpoint(sqlite3_stmt *row, int column, struct endpoint *endpoint)
{
	const uint8_t *bytes = sqlite3_column_blob(row, column);
	int len = sqlite3_column_bytes(row, column);

	if (!bytes || !((len == 5 && bytes[0] == ADDR_IP4) || (len == 17 && bytes[0] == ADDR_IP6)))
		return;
	endpoint->addr.family = bytes[0];
	memcpy(endpoint->addr.bytes, bytes + 1, (size_t)len - 1);
	endpoint->port = (uint16_t)sqlite3_column_int(row, column + 1);
}

static unsigned read_word(sqlite3_stmt *row, int column, const char *const *names, unsigned n)
{
	const char *word = (const char *)sqlite3_column_text(row, column);

	for (unsigned i = 0; word && i < n; i++)
		if (strcmp(word, names[i]) == 0)
			return i;
	return 0;
}

static uint32_t read_seen(sqlite3_stmt *row)
{
	char text[AUDIT_SEEN_SIZE], *rest = NULL;
	uint32_t seen = 0;

	read_text(row, SEEN, text, sizeof(text));
	for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
		for (unsigned i = 0; i < SMTP_SEEN_BITS; i++)
			if (strcmp(word, smtp_seen_names[i]) == 0)
				seen |= 1u << i;
	return seen;
}

static void take_text(const json_t *json, const char *name, char *text, size_t size)
{
	const char *value = json_string_value(json_object_get(json, name));

	snprintf(text, size, "%s", value ? value : "");
}

static void read_tls(sqlite3_stmt *row, int column, struct ipc_tls *tls, char *sni, size_t sni_size)
{
	const char *kept = (const char *)sqlite3_column_text(row, column);
	json_t *json = kept ? json_loads(kept, 0, NULL) : NULL;

	if (!json)
		return;
	take_text(json, "version", tls->version, sizeof(tls->version));
	take_text(json, "cipher", tls->cipher, sizeof(tls->cipher));
	take_text(json, "peer", tls->peer, sizeof(tls->peer));
	take_text(json, "check", tls->check, sizeof(tls->check));
	if (sni)
		take_text(json, "sni", sni, sni_size);
	json_decref(json);
}

static void read_record(sqlite3_stmt *row, struct ipc_flow *record)
{
	memset(record, 0, sizeof(*record));
	record->id = (uint64_t)sqlite3_column_int64(row, ID);
	record->session = (uint64_t)sqlite3_column_int64(row, SESSION);
	record->start_ms = (uint64_t)sqlite3_column_int64(row, START);
	record->end_ms = (uint64_t)sqlite3_column_int64(row, END);
	record->connected_ms = (uint64_t)sqlite3_column_int64(row, CONNECTED);
	record->from_client_bytes = (uint64_t)sqlite3_column_int64(row, FROM_CLIENT);
	record->from_server_bytes = (uint64_t)sqlite3_column_int64(row, FROM_SERVER);
	record->messages = (uint32_t)sqlite3_column_int64(row, MESSAGES);
	record->seen = read_seen(row);
	record->verdict = (uint16_t)read_word(row, VERDICT, policy_verdict_names, POLICY_VERDICTS);
	record->ending = (uint16_t)read_word(row, ENDING, ending_names, ENDINGS);
	record->reason = (uint16_t)read_word(row, REASON, decide_reason_names, DECIDE_REASONS);
	read_endpoint(row, CLIENT, &record->client);
	read_endpoint(row, ORIGINAL, &record->original);
	read_endpoint(row, HOST, &record->host);
	read_endpoint(row, GATEWAY, &record->gateway);
	read_text(row, REPLY, record->reply, sizeof(record->reply));
	read_tls(row, CLIENT_TLS, &record->client_tls, record->client_sni,
		sizeof(record->client_sni));
	read_tls(row, SERVER_TLS, &record->server_tls, NULL, 0);
	if (sqlite3_column_bytes(row, MAC) == 6)
		memcpy(record->mac.bytes, sqlite3_column_blob(row, MAC), 6);
	read_text(row, INTERFACE, record->ifname, sizeof(record->ifname));
	read_text(row, ZONE, record->zone, sizeof(record->zone));
	read_text(row, LISTENER, record->listener, sizeof(record->listener));
	read_text(row, USER, record->user, sizeof(record->user));
	read_text(row, RULE, record->rule, sizeof(record->rule));
	read_text(row, SERVER, record->server, sizeof(record->server));
	read_text(row, DETAIL, record->detail, sizeof(record->detail));
	record->relay = (uint32_t)sqlite3_column_int64(row, RELAY);
	read_text(row, SOURCE, record->source, sizeof(record->source));
	record->path = (uint16_t)read_word(row, PATH, policy_path_names, POLICY_PATHS);
}

char *audit_row_read(struct sqlite3_stmt *row, bool whole)
{
	const char *kept = (const char *)sqlite3_column_text(row, ATTEMPTS);
	struct ipc_flow record;

	read_record(row, &record);
	json_t *json = audit_text_json(&record, whole);
	login_row_tell(json, (const char *)sqlite3_column_text(row, ENDING),
		(const char *)sqlite3_column_text(row, TERMS), &record.client.addr, whole);
	json_t *attempts = whole && kept ? json_loads(kept, 0, NULL) : NULL;
	if (attempts)
		json_object_set_new(json, "attempts", attempts);
	char *text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

void audit_row_strip(struct ipc_flow *record)
{
	memset(&record->client, 0, sizeof(record->client));
	memset(&record->original, 0, sizeof(record->original));
	memset(&record->mac, 0, sizeof(record->mac));
	memset(record->user, 0, sizeof(record->user));
	memset(&record->gateway, 0, sizeof(record->gateway));
	memset(record->client_tls.peer, 0, sizeof(record->client_tls.peer));
	memset(record->client_sni, 0, sizeof(record->client_sni)); /* as the original */
	memset(record->reply, 0, sizeof(record->reply));
	memset(record->detail, 0, sizeof(record->detail)); /* a reply may name a mailbox */
}
