/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/login_row.h"

#include "daemon/control/audit/column.h"
#include "daemon/control/audit/thin.h"
#include "daemon/control/request/json_row.h"
#include "lib/base/copy.h"

#include <sqlite3.h>
#include <string.h>

enum {
	KEY = 1,
	START,
	END,
	SESSION,
	ENDING,
	CLIENT,
	MAC,
	ZONE,
	USER,
	SOURCE,
	TERMS,
	DETAIL,
};

/* NULL, and in no index, where there is none. */
static void bind_text(sqlite3_stmt *row, int column, const char *text)
{
	if (*text)
		sqlite3_bind_text(row, column, text, -1, SQLITE_STATIC);
}

int login_row_insert(
	struct database *store, struct sqlite3 *db, const struct login_record *login, uint64_t key)
{
	sqlite3_stmt *row = database_statement(store,
		"INSERT INTO record(key, start_ms, end_ms, session, ending, client, mac, zone, "
		"user, source, terms, detail) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
	uint8_t client[AUDIT_ADDR_BYTES];

	if (!row)
		return database_error(db);
	sqlite3_bind_int64(row, KEY, (sqlite3_int64)key);
	sqlite3_bind_int64(row, START, (sqlite3_int64)login->at_ms);
	sqlite3_bind_int64(row, END, (sqlite3_int64)login->at_ms);
	if (login->session)
		sqlite3_bind_int64(row, SESSION, (sqlite3_int64)login->session);
	bind_text(row, ENDING, login_ending_names[login->ending]);
	if (login->client.family != ADDR_NONE) {
		int len = audit_encode_addr(&login->client, client);
		sqlite3_bind_blob(row, CLIENT, client, len, SQLITE_STATIC);
	}
	if (mac_is_set(&login->mac))
		sqlite3_bind_blob(row, MAC, login->mac.bytes, 6, SQLITE_STATIC);
	bind_text(row, ZONE, login->zone);
	bind_text(row, USER, login->user);
	bind_text(row, SOURCE, login->source);
	bind_text(row, TERMS, login->terms);
	bind_text(row, DETAIL, login->detail);
	return database_step(row);
}

void login_row_tell(
	json_t *row, const char *ending, const char *terms, const struct addr *client, bool whole)
{
	enum login_ending found;

	if (!ending || login_ending_parse(ending, &found) < 0)
		return;
	json_object_set_new(row, "ending", json_string(ending));
	json_object_set_new(row, "client", json_row_addr(client));
	json_object_set_new(row, "verdict", json_null());
	json_object_set_new(row, "path", json_null());
	if (!whole)
		return;
	json_object_set_new(row, "reason", json_null());
	if (terms)
		json_object_set_new(row, "terms", json_row_text(terms));
}

void login_row_strip(struct login_record *login)
{
	memset(&login->client, 0, sizeof(login->client));
	memset(&login->mac, 0, sizeof(login->mac));
	memset(login->user, 0, sizeof(login->user));
	memset(login->detail, 0, sizeof(login->detail));
}

struct who {
	char zone[POLICY_NAME_SIZE];
	struct addr addr;
	struct mac mac;
	uint16_t ending, zero;
};

static struct who who_of(const struct login_record *login)
{
	struct who who;

	memset(&who, 0, sizeof(who));
	copy_text(who.zone, sizeof(who.zone), login->zone);
	who.ending = (uint16_t)(login->ending + 1);
	return who;
}

/* The MAC where there is one: a client makes up addresses more easily. */
uint64_t login_row_key_of_client(const struct login_record *login)
{
	struct who who = who_of(login);

	if (mac_is_set(&login->mac))
		who.mac = login->mac;
	else
		who.addr = login->client;
	return thin_key((unsigned char *)&who, sizeof(who));
}

uint64_t login_row_key_of_zone(const struct login_record *login)
{
	struct who who = who_of(login);

	return thin_key((unsigned char *)&who, sizeof(who));
}
