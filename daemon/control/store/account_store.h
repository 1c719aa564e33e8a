/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is known of the sessions that accounting tells of as it stands in state.db. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_ACCOUNT_STORE_H
#define POSTERN_DAEMON_CONTROL_STORE_ACCOUNT_STORE_H

#include "daemon/control/store/session_store.h"

struct sqlite3;
struct database;

/* While the database is opened. 0 or -errno; rows is to be fini'ed in any case. */
int account_store_load(struct database *store, struct sqlite3 *db, struct account_rows *rows);
void account_rows_fini(struct account_rows *rows);
/* As session_store.h has them. */
int account_store_put(struct database *store, const struct radius_entry *entry,
	session_store_done *done, void *context);
int account_store_del(struct database *store, const struct radius_key *key,
	session_store_done *done, void *context);
int account_store_secret(struct database *store, const uint8_t secret[static SIPHASH_SECRET_SIZE],
	session_store_done *done, void *context);

#endif
