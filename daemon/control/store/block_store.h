/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns blocks as they stand in state.db. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_BLOCK_STORE_H
#define POSTERN_DAEMON_CONTROL_STORE_BLOCK_STORE_H

#include "lib/policy/block.h"

struct sqlite3;
struct database;

/* While the database is opened: what is not over by now_ms goes into blocks. 0 or -errno. */
int block_store_load(
	struct database *store, struct sqlite3 *db, struct blocks *blocks, uint64_t now_ms);
/* done() is called as session_store.h says. 0 or -errno at once. */
typedef void block_store_done(void *context, int status);
int block_store_put(
	struct database *store, const struct block *block, block_store_done *done, void *context);
int block_store_del(
	struct database *store, const struct block *subject, block_store_done *done, void *context);

#endif
