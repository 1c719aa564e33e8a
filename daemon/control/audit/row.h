/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an audit record looks like as a row of audit.db. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_ROW_H
#define POSTERN_DAEMON_CONTROL_AUDIT_ROW_H

#include "daemon/control/store/database.h"
#include "lib/ipc/flow.h"

/* SQL: the record is of a client that was not logged in, or says with a wrong password who it is.
 */
#define AUDIT_ROW_STRANGER "session IS NULL AND (user IS NULL OR ending = 'login-wrong')"

/* A row's key: when the flow ended, in milliseconds, above a number that makes it unique. So the
 * newest are those with the highest keys, and a time is a bound on keys. */
#define AUDIT_KEY_SHIFT 20
#define AUDIT_KEY_MAX   INT64_MAX

/* What has an index: a filter on one of them never reads rows in vain. */
enum audit_column {
	AUDIT_ID,
	AUDIT_SESSION,
	AUDIT_MAC,
	AUDIT_CLIENT,
	AUDIT_USER,
	AUDIT_RULE,
	AUDIT_ENDING,
	AUDIT_SERVER,
	AUDIT_ZONE,
	AUDIT_VERDICT,
	AUDIT_ORIGINAL,
	AUDIT_LISTENER,
};
#define AUDIT_COLUMNS 12
extern const char *const audit_column_names[AUDIT_COLUMNS];

/* Makes the tables. 0 or -errno. */
int audit_row_migrate(struct database *store, struct sqlite3 *db);
uint64_t audit_row_key(uint64_t end_ms, uint32_t number);
/* 0 or -errno; -EEXIST: the key is in use. */
int audit_row_insert(
	struct database *store, struct sqlite3 *db, const struct ipc_flow *record, uint64_t key);
/* The columns for a SELECT, and one row of it as JSON text, malloc'ed; NULL: out of memory. The
 * first column is the key. */
extern const char *const audit_row_columns;
char *audit_row_read(struct sqlite3_stmt *row, bool whole);

/* Takes out what says who it was. */
void audit_row_strip(struct ipc_flow *record);

#endif
