/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/query.h"

#include "daemon/control/audit/column.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows lie in the order of their keys, which is that of time, and so do the entries of one value in
 * an index. So a page is read from its newest row on, along one index, and nothing is ever sorted.
 * With several conditions the index is taken whose value is the rarest of late; the rows that it
 * gives are checked for the others.
 *
 * A network of clients is no value of an index: its clients are looked up one after the other, and
 * their newest rows merged. Too many of them means that rows of the network are easily found, and
 * the newest rows of all are checked instead. */

#define PROBE_ROWS  1000
#define CLIENTS_MAX 2000
#define MERGE_MAX   1000 /* rows in a merged page */

enum {
	PARAM_HIGH = 1,
	PARAM_LOW,
	PARAM_LIMIT,
	PARAM_FIRST_CLIENT,
	PARAM_LAST_CLIENT,
	PARAM_COLUMN, /* and one for each column */
	PARAM_FIRST_ORIGINAL = PARAM_COLUMN + AUDIT_COLUMNS,
	PARAM_LAST_ORIGINAL,
	PARAM_GATEWAY_PORT,
	PARAM_REPLY,
};

void audit_filter_init(struct audit_filter *filter)
{
	*filter = (struct audit_filter){.verdict = -1};
}

static bool is_host(const struct prefix *prefix)
{
	return prefix->addr.family != ADDR_NONE && prefix->len == addr_bits(&prefix->addr);
}

static bool is_network(const struct prefix *prefix)
{
	return prefix->addr.family != ADDR_NONE && prefix->len < addr_bits(&prefix->addr);
}

bool audit_query_has(const struct audit_filter *filter, enum audit_column column)
{
	switch (column) {
	case AUDIT_ID:
		return filter->id != 0;
	case AUDIT_SESSION:
		return filter->session != 0;
	case AUDIT_MAC:
		return mac_is_set(&filter->mac);
	case AUDIT_CLIENT:
		return is_host(&filter->client);
	case AUDIT_USER:
		return filter->user[0] != '\0';
	case AUDIT_RULE:
		return filter->rule[0] != '\0';
	case AUDIT_ENDING:
		return filter->ending != NULL;
	case AUDIT_SERVER:
		return filter->server[0] != '\0';
	case AUDIT_ZONE:
		return filter->zone[0] != '\0';
	case AUDIT_LISTENER:
		return filter->listener[0] != '\0';
	case AUDIT_VERDICT:
		return filter->verdict >= 0;
	case AUDIT_ORIGINAL:
		return is_host(&filter->original);
	}
	return false;
}

/* A device's session is a number with the highest bit. */
static const char *source_condition(unsigned sources)
{
	switch (sources) {
	case 1u << POLICY_SOURCE_SESSION:
		return " +session >= 0 AND ifnull(listener, '') = '' AND";
	case 1u << POLICY_SOURCE_DEVICE:
		return " +session < 0 AND";
	case 1u << POLICY_SOURCE_AUTH:
		return " +listener <> '' AND";
	default:
		return "";
	}
}

/* " FROM record ... key >= ?": with the unary + a column does not attract another index. */
static void append_from(const struct audit_filter *filter, int by, char *sql, size_t size)
{
	size_t len = strlen(sql);

	if (by >= 0)
		len += (size_t)snprintf(sql + len, size - len,
			" FROM record INDEXED BY record_%s WHERE %s = ?%d AND",
			audit_column_names[by], audit_column_names[by], PARAM_COLUMN + by);
	else
		len += (size_t)snprintf(sql + len, size - len, " FROM record NOT INDEXED WHERE");
	for (int i = 0; i < AUDIT_COLUMNS; i++)
		if (i != by && audit_query_has(filter, (enum audit_column)i))
			len += (size_t)snprintf(sql + len, size - len, " +%s = ?%d AND",
				audit_column_names[i], PARAM_COLUMN + i);
	len += (size_t)snprintf(sql + len, size - len, "%s", source_condition(filter->sources));
	if (is_network(&filter->client))
		len += (size_t)snprintf(sql + len, size - len, " +client BETWEEN ?%d AND ?%d AND",
			PARAM_FIRST_CLIENT, PARAM_LAST_CLIENT);
	if (is_network(&filter->original))
		len += (size_t)snprintf(sql + len, size - len, " +original BETWEEN ?%d AND ?%d AND",
			PARAM_FIRST_ORIGINAL, PARAM_LAST_ORIGINAL);
	if (filter->gateway_port)
		len += (size_t)snprintf(
			sql + len, size - len, " +gateway_port = ?%d AND", PARAM_GATEWAY_PORT);
	if (filter->reply[0])
		len += (size_t)snprintf(
			sql + len, size - len, " instr(reply, ?%d) AND", PARAM_REPLY);
	snprintf(sql + len, size - len, " key < ?%d AND key >= ?%d ORDER BY key DESC", PARAM_HIGH,
		PARAM_LOW);
}

void audit_query_sql(const struct audit_filter *filter, int column, char sql[static AUDIT_SQL_SIZE])
{
	snprintf(sql, AUDIT_SQL_SIZE, "SELECT %s", audit_row_columns);
	append_from(filter, column, sql, AUDIT_SQL_SIZE);
	size_t len = strlen(sql);
	snprintf(sql + len, AUDIT_SQL_SIZE - len, " LIMIT ?%d", PARAM_LIMIT);
}

static uint64_t key_of_time(uint64_t at_ms)
{
	return audit_row_key(at_ms, 0);
}

static void bind_text(sqlite3_stmt *statement, enum audit_column column, const char *text)
{
	sqlite3_bind_text(statement, PARAM_COLUMN + (int)column, text, -1, SQLITE_STATIC);
}

static void bind_network(sqlite3_stmt *statement, const struct prefix *prefix, int first)
{
	uint8_t bytes[AUDIT_ADDR_BYTES];
	struct addr last = prefix->addr;

	for (unsigned i = prefix->len; i < addr_bits(&last); i++)
		last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	int len = audit_encode_addr(&prefix->addr, bytes);
	sqlite3_bind_blob(statement, first, bytes, len, SQLITE_TRANSIENT);
	len = audit_encode_addr(&last, bytes);
	sqlite3_bind_blob(statement, first + 1, bytes, len, SQLITE_TRANSIENT);
}

static uint64_t high_key(const struct audit_filter *filter)
{
	uint64_t high = filter->before ? filter->before : AUDIT_KEY_MAX;

	if (filter->until_ms && key_of_time(filter->until_ms) < high)
		high = key_of_time(filter->until_ms);
	return high;
}

/* Parameters that a statement does not have are passed over. */
static void bind_filter(sqlite3_stmt *statement, const struct audit_filter *filter, unsigned limit)
{
	uint8_t bytes[AUDIT_ADDR_BYTES];

	sqlite3_bind_int64(statement, PARAM_HIGH, (sqlite3_int64)high_key(filter));
	sqlite3_bind_int64(statement, PARAM_LOW, (sqlite3_int64)key_of_time(filter->since_ms));
	sqlite3_bind_int64(statement, PARAM_LIMIT, limit);
	if (is_network(&filter->client))
		bind_network(statement, &filter->client, PARAM_FIRST_CLIENT);
	if (is_network(&filter->original))
		bind_network(statement, &filter->original, PARAM_FIRST_ORIGINAL);
	if (filter->gateway_port)
		sqlite3_bind_int64(statement, PARAM_GATEWAY_PORT, filter->gateway_port);
	if (filter->reply[0])
		sqlite3_bind_text(statement, PARAM_REPLY, filter->reply, -1, SQLITE_STATIC);
	if (filter->id)
		sqlite3_bind_int64(statement, PARAM_COLUMN + AUDIT_ID, (sqlite3_int64)filter->id);
	if (filter->session)
		sqlite3_bind_int64(
			statement, PARAM_COLUMN + AUDIT_SESSION, (sqlite3_int64)filter->session);
	if (mac_is_set(&filter->mac))
		sqlite3_bind_blob(
			statement, PARAM_COLUMN + AUDIT_MAC, filter->mac.bytes, 6, SQLITE_STATIC);
	if (is_host(&filter->client)) {
		int len = audit_encode_addr(&filter->client.addr, bytes);
		sqlite3_bind_blob(
			statement, PARAM_COLUMN + AUDIT_CLIENT, bytes, len, SQLITE_TRANSIENT);
	}
	if (is_host(&filter->original)) {
		int len = audit_encode_addr(&filter->original.addr, bytes);
		sqlite3_bind_blob(
			statement, PARAM_COLUMN + AUDIT_ORIGINAL, bytes, len, SQLITE_TRANSIENT);
	}
	bind_text(statement, AUDIT_USER, filter->user);
	bind_text(statement, AUDIT_RULE, filter->rule);
	bind_text(statement, AUDIT_SERVER, filter->server);
	bind_text(statement, AUDIT_ZONE, filter->zone);
	bind_text(statement, AUDIT_LISTENER, filter->listener);
	if (filter->ending)
		bind_text(statement, AUDIT_ENDING, filter->ending);
	if (filter->verdict >= 0 && filter->verdict < POLICY_VERDICTS)
		bind_text(statement, AUDIT_VERDICT, policy_verdict_names[filter->verdict]);
}

static int prepare(struct sqlite3 *db, const char *sql, const struct audit_filter *filter,
	unsigned limit, sqlite3_stmt **statement)
{
	if (sqlite3_prepare_v2(db, sql, -1, statement, NULL) != SQLITE_OK)
		return database_error(db);
	bind_filter(*statement, filter, limit);
	return 0;
}

/* How far back the last PROBE_ROWS entries of this value reach: the further, the rarer. 0: there
 * are not as many. */
static int probe(struct sqlite3 *db, const struct audit_filter *filter, int column, uint64_t *key)
{
	struct audit_filter alone;
	sqlite3_stmt *statement;
	char sql[AUDIT_SQL_SIZE];

	audit_filter_init(&alone); /* no other condition */
	snprintf(sql, sizeof(sql), "SELECT key");
	append_from(&alone, column, sql, sizeof(sql));
	size_t len = strlen(sql);
	snprintf(sql + len, sizeof(sql) - len, " LIMIT 1 OFFSET %d", PROBE_ROWS);
	int status = prepare(db, sql, filter, 1, &statement);
	if (status < 0)
		return status;
	int code = sqlite3_step(statement);
	*key = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	status = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : database_error(db);
	sqlite3_finalize(statement);
	return status;
}

/* The index to go by, -1 for none. */
static int choose_column(struct sqlite3 *db, const struct audit_filter *filter, int *column)
{
	int candidates[AUDIT_COLUMNS], n = 0;
	uint64_t rarest = UINT64_MAX;

	for (int i = 0; i < AUDIT_COLUMNS; i++)
		if (audit_query_has(filter, (enum audit_column)i))
			candidates[n++] = i;
	*column = n ? candidates[0] : -1;
	if (n < 2 || filter->id)
		return 0;
	for (int i = 0; i < n && rarest > 0; i++) {
		uint64_t key;
		int status = probe(db, filter, candidates[i], &key);
		if (status < 0)
			return status;
		if (key < rarest) {
			rarest = key;
			*column = candidates[i];
		}
	}
	return 0;
}

static int take_rows(struct sqlite3 *db, sqlite3_stmt *statement, const struct audit_filter *filter,
	unsigned limit, struct audit_result *result)
{
	int code;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (result->n == limit) {
			result->more = true;
			return 0;
		}
		char *json = audit_row_read(statement, filter->whole);
		if (!json)
			return -ENOMEM;
		result->v[result->n++] =
			(struct audit_found){json, (uint64_t)sqlite3_column_int64(statement, 0)};
	}
	return code == SQLITE_DONE ? 0 : database_error(db);
}

static int run_by(struct sqlite3 *db, const struct audit_filter *filter, int column, unsigned limit,
	struct audit_result *result)
{
	char sql[AUDIT_SQL_SIZE];
	sqlite3_stmt *statement;

	audit_query_sql(filter, column, sql);
	int status = prepare(db, sql, filter, limit + 1, &statement);
	if (status < 0)
		return status;
	status = take_rows(db, statement, filter, limit, result);
	sqlite3_finalize(statement);
	return status;
}

/* The newest keys seen, the highest first. */
struct page {
	uint64_t *keys;
	size_t n, room;
};

static uint64_t lowest_of_use(const struct page *page, uint64_t low)
{
	return page->n < page->room ? low : page->keys[page->n - 1] + 1;
}

static void page_add(struct page *page, uint64_t key)
{
	size_t i = page->n < page->room ? page->n++ : page->n - 1;

	for (; i > 0 && page->keys[i - 1] < key; i--)
		page->keys[i] = page->keys[i - 1];
	page->keys[i] = key;
}

/* The next client of the network behind `after` (the first at the beginning): 1, 0 for none. */
static int next_client(struct database *store, struct sqlite3 *db,
	const struct audit_filter *filter, uint8_t after[static AUDIT_ADDR_BYTES], int *len)
{
	sqlite3_stmt *statement =
		*len == 0 ? database_statement(store,
				    "SELECT client FROM record INDEXED BY record_client "
				    "WHERE client >= ?4 AND client <= ?5 ORDER BY client LIMIT 1")
			  : database_statement(store,
				    "SELECT client FROM record INDEXED BY record_client "
				    "WHERE client > ?4 AND client <= ?5 ORDER BY client LIMIT 1");

	if (!statement)
		return database_error(db);
	bind_network(statement, &filter->client, PARAM_FIRST_CLIENT);
	if (*len)
		sqlite3_bind_blob(statement, PARAM_FIRST_CLIENT, after, *len, SQLITE_TRANSIENT);
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		*len = sqlite3_column_bytes(statement, 0);
		if (*len > AUDIT_ADDR_BYTES)
			*len = AUDIT_ADDR_BYTES;
		memcpy(after, sqlite3_column_blob(statement, 0), (size_t)*len);
	}
	int status = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : database_error(db);
	sqlite3_reset(statement);
	return status;
}

static int add_client(struct database *store, struct sqlite3 *db, const struct audit_filter *filter,
	const uint8_t *client, int len, struct page *page)
{
	sqlite3_stmt *keys = database_statement(store,
		"SELECT key FROM record INDEXED BY record_client "
		"WHERE client = ?4 AND key < ?1 AND key >= ?2 ORDER BY key DESC LIMIT ?3");
	int code;

	if (!keys)
		return database_error(db);
	sqlite3_bind_int64(keys, PARAM_HIGH, (sqlite3_int64)high_key(filter));
	sqlite3_bind_int64(
		keys, PARAM_LOW, (sqlite3_int64)lowest_of_use(page, key_of_time(filter->since_ms)));
	sqlite3_bind_int64(keys, PARAM_LIMIT, (sqlite3_int64)page->room);
	sqlite3_bind_blob(keys, PARAM_FIRST_CLIENT, client, len, SQLITE_STATIC);
	while ((code = sqlite3_step(keys)) == SQLITE_ROW)
		page_add(page, (uint64_t)sqlite3_column_int64(keys, 0));
	int status = code == SQLITE_DONE ? 0 : database_error(db);
	sqlite3_reset(keys);
	return status;
}

/* Fills the page with the newest keys of a network's clients. -E2BIG: too many clients. */
static int merge_clients(struct database *store, struct sqlite3 *db,
	const struct audit_filter *filter, struct page *page)
{
	uint8_t client[AUDIT_ADDR_BYTES];
	int len = 0, status;

	for (unsigned n = 0; (status = next_client(store, db, filter, client, &len)) > 0; n++) {
		if (n == CLIENTS_MAX)
			return -E2BIG;
		status = add_client(store, db, filter, client, len, page);
		if (status < 0)
			break;
	}
	return status;
}

static int take_page(struct sqlite3 *db, const struct page *page, const struct audit_filter *filter,
	unsigned limit, struct audit_result *result)
{
	char sql[AUDIT_SQL_SIZE];
	sqlite3_stmt *row;
	int status = 0;

	snprintf(sql, sizeof(sql), "SELECT %s FROM record WHERE key = ?1", audit_row_columns);
	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
		return database_error(db);
	for (size_t i = 0; status == 0 && i < page->n && i < limit; i++) {
		sqlite3_bind_int64(row, 1, (sqlite3_int64)page->keys[i]);
		status = take_rows(db, row, filter, limit, result);
		sqlite3_reset(row);
	}
	result->more = page->n > limit;
	sqlite3_finalize(row);
	return status;
}

static int run_network(struct database *store, struct sqlite3 *db,
	const struct audit_filter *filter, unsigned limit, struct audit_result *result)
{
	struct page page = {calloc(limit + 1, sizeof(uint64_t)), 0, limit + 1};

	if (!page.keys)
		return -ENOMEM;
	int status = merge_clients(store, db, filter, &page);
	if (status == 0)
		status = take_page(db, &page, filter, limit, result);
	else if (status == -E2BIG)
		status = run_by(db, filter, -1, limit, result);
	free(page.keys);
	return status;
}

int audit_query_run(struct database *store, struct sqlite3 *db, const struct audit_filter *filter,
	struct audit_result *result)
{
	unsigned limit = filter->limit ? filter->limit : AUDIT_QUERY_LIMIT;
	int column;

	if (limit > AUDIT_QUERY_LIMIT_MAX)
		limit = AUDIT_QUERY_LIMIT_MAX;
	*result = (struct audit_result){.v = calloc(limit, sizeof(struct audit_found))};
	if (!result->v)
		return -ENOMEM;
	int status = choose_column(db, filter, &column);
	if (status < 0)
		return status;
	bool client_alone = column < 0 && !is_network(&filter->original) && !filter->gateway_port &&
			    !filter->reply[0];
	if (client_alone && is_network(&filter->client) && limit <= MERGE_MAX)
		return run_network(store, db, filter, limit, result);
	return run_by(db, filter, column, limit, result);
}
