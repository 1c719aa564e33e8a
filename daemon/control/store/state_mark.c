/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/state_mark.h"

#include "daemon/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MARK_BYTES 42 /* two numbers of twenty digits */

void state_mark_reset(struct state_mark *mark)
{
	mark->counts = false;
}

/* Counts anew what an earlier version may have changed without counting. */
static int begin_counting(struct sqlite3 *db)
{
	return database_execute(db,
		"CREATE TABLE IF NOT EXISTS change(n INTEGER NOT NULL, sessions INTEGER NOT NULL);"
		"INSERT INTO change SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM change);"
		"UPDATE change SET sessions = (SELECT count(*) FROM session);"
		"CREATE TRIGGER IF NOT EXISTS session_came AFTER INSERT ON session BEGIN "
		"UPDATE change SET sessions = sessions + 1; END;"
		"CREATE TRIGGER IF NOT EXISTS session_went AFTER DELETE ON session BEGIN "
		"UPDATE change SET sessions = sessions - 1; END");
}

static bool read_counts(struct database *store, uint64_t *changes, uint64_t *sessions)
{
	sqlite3_stmt *row = database_statement(store, "SELECT n, sessions FROM change");
	bool found = row && sqlite3_step(row) == SQLITE_ROW;

	if (found) {
		*changes = (uint64_t)sqlite3_column_int64(row, 0);
		*sessions = (uint64_t)sqlite3_column_int64(row, 1);
	}
	if (row)
		sqlite3_reset(row);
	return found;
}

int state_mark_count(struct state_mark *mark, struct database *store, struct sqlite3 *db)
{
	int status = mark->counts ? 0 : begin_counting(db);
	sqlite3_stmt *count =
		status ? NULL : database_statement(store, "UPDATE change SET n = n + 1");

	if (status)
		return status;
	if (!count)
		return database_error(db);
	status = database_step(count);
	if (!status && !read_counts(store, &mark->changes, &mark->sessions))
		status = database_error(db);
	return status;
}

/* Without fsync: a power cut leaves an older one, which says nothing wrong. */
void state_mark_write(struct state_mark *mark)
{
	char text[MARK_BYTES + 1];
	int fd = open(mark->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	mark->counts = true;
	snprintf(text, sizeof(text), "%020" PRIu64 " %020" PRIu64 "\n", mark->changes,
		mark->sessions);
	/* it cannot be had: then it is older than the database */
	if (fd >= 0 && pwrite(fd, text, MARK_BYTES, 0) != MARK_BYTES)
		unlink(mark->path);
	if (fd >= 0)
		close(fd);
}

static bool read_mark(const struct state_mark *mark, uint64_t *changes, uint64_t *sessions)
{
	char text[MARK_BYTES + 1] = "";
	int fd = open(mark->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, MARK_BYTES);

	if (fd >= 0)
		close(fd);
	return n == MARK_BYTES && sscanf(text, "%" SCNu64 " %" SCNu64, changes, sessions) == 2;
}

/* Something has run here: its audit lies there. */
static bool was_used(const char *state_dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/audit.db", state_dir);
	return access(path, F_OK) == 0;
}

void state_mark_compare(struct state_mark *mark, struct database *store, const char *state_dir,
	bool made, uint64_t sessions, char text[static STATE_MARK_TEXT_SIZE])
{
	uint64_t changes = 0, counted = 0, had_changes, had_sessions;

	snprintf(mark->path, sizeof(mark->path), "%s/state.mark", state_dir);
	bool counts = read_counts(store, &changes, &counted);
	bool marked = read_mark(mark, &had_changes, &had_sessions);
	text[0] = '\0';
	if (marked && changes < had_changes)
		snprintf(text, STATE_MARK_TEXT_SIZE,
			"state.db has lost its last %" PRIu64 " changes: it had %" PRIu64
			" sessions, %" PRIu64 " are left",
			had_changes - changes, had_sessions, sessions);
	else if (!marked && counts && changes)
		snprintf(text, STATE_MARK_TEXT_SIZE,
			"state.mark is gone or cannot be read: whether state.db has lost its last "
			"changes cannot be known; it has %" PRIu64 " sessions",
			sessions);
	else if (!marked && made && was_used(state_dir))
		snprintf(text, STATE_MARK_TEXT_SIZE,
			"state.db was lost: how many sessions it had cannot be known");
	if (*text)
		log_error("%s", text);
}
