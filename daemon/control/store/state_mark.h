/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what state.db is held against at the start: beside it lies how far it had come and how many
 * sessions it had, so that a database that was emptied, or has lost the end of its log, is known as
 * such. The mark is written behind each commit, so it is never ahead of a database that is whole.
 */
#ifndef POSTERN_DAEMON_CONTROL_STORE_STATE_MARK_H
#define POSTERN_DAEMON_CONTROL_STORE_STATE_MARK_H

#include "daemon/control/store/database.h"

struct state_mark {
	char path[4096];
	uint64_t changes, sessions; /* as they stand in the transaction under way */
	bool counts;                /* the database has what counts them */
};

/* In migrate(): another database than before, perhaps. */
void state_mark_reset(struct state_mark *mark);
/* In load(), with the sessions that were read: what is lost, in words; "" for nothing. made: the
 * database was not there. */
#define STATE_MARK_TEXT_SIZE 256
void state_mark_compare(struct state_mark *mark, struct database *store, const char *state_dir,
	bool made, uint64_t sessions, char text[static STATE_MARK_TEXT_SIZE]);
/* As the last thing in a transaction, and behind its commit. */
int state_mark_count(struct state_mark *mark, struct database *store, struct sqlite3 *db);
void state_mark_write(struct state_mark *mark);

#endif
