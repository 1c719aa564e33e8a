/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a database and the thread that works on it: jobs go in, results come back in the loop.
 *
 * Jobs run in the order they were submitted. Adjacent write jobs share one transaction (and so one
 * wait for the disk); when such a group fails it is undone and its jobs are run again one by one,
 * so that a bad one does not fail the others. run() may therefore be called twice and must leave
 * nothing behind but what it does to the database. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_DATABASE_H
#define POSTERN_DAEMON_CONTROL_STORE_DATABASE_H

#include "daemon/base/loop.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;
struct database;

/* Embedded by whoever has something to do on the database. Borrowed until done(). */
struct database_job {
	/* On the thread; must not touch what the loop owns. 0 or -errno (database_error()). */
	int (*run)(struct database *database, struct sqlite3 *db, struct database_job *job);
	/* In the loop, after the transaction is on the disk or undone. May free the job. */
	void (*done)(struct database_job *job, int status);
	bool write;   /* within a transaction, grouped with its neighbours */
	size_t bytes; /* that it holds: refused when the queue is full; 0: never */

	struct database_job *next; /* the store's own */
	int status;
};

struct database_options {
	/* Brings the schema up to date. Called in database_open(), and on the thread when a corrupt
	 * database was replaced. 0 or -errno. */
	int (*migrate)(struct database *database, struct sqlite3 *db, void *context);
	/* Reads what is to be read at the start; may be NULL. Called in database_open() alone. */
	int (*load)(struct database *database, struct sqlite3 *db, void *context);
	/* On the thread, at the end of each transaction of write jobs; may be NULL. 0 or -errno. */
	int (*before_commit)(struct database *database, struct sqlite3 *db, void *context);
	/* On the thread, behind the commit; may be NULL. */
	void (*committed)(void *context);
	void *context;
	bool survives_power_cut; /* synchronous=FULL: what is done is on the disk */
	size_t queue_bytes;      /* of jobs that may be refused */
	/* These wait so long for company, as one transaction of many costs little more than
	 * one of one; any other job makes them run at once. */
	unsigned linger_ms;
	/* A database that cannot be opened now is no error of database_open(): it is said, and
	 * tried again with every job. */
	bool optional;
};

/* Opens or makes the database and starts the thread, all signals blocked in it. A corrupt database
 * is moved aside (path.corrupt-TIME), with a message, and a new one is begun. 0 or -errno. */
int database_open(struct loop *loop, const char *path, const struct database_options *options,
	struct database **database);
/* Waits for all jobs and calls their done(), those included that a done() submits. Were there any?
 */
bool database_settle(struct database *database);
/* The same, and ends the thread. NULL is allowed. */
void database_close(struct database *database);
/* 0, or -ENOBUFS for a job with bytes when the queue is full: then done() is not called. */
int database_submit(struct database *database, struct database_job *job);
/* Why the last write job failed, -errno; 0: it did not. */
int database_trouble(const struct database *database);
/* Jobs submitted and not done. */
size_t database_waiting(const struct database *database);

/* For run(), migrate() and load(): a statement kept from call to call, reset and without bindings.
 * sql must be a literal: it is known by its address. NULL: see database_error(). */
struct sqlite3_stmt *database_statement(struct database *database, const char *sql);
/* Steps a statement that returns no rows and resets it. 0 or -errno. */
int database_step(struct sqlite3_stmt *statement);
/* Of the schema, as `PRAGMA user_version` has it; 0: it is new. 0 or -errno. */
int database_version(struct database *database, struct sqlite3 *db, int *version);
/* Several statements without bindings. 0 or -errno. */
int database_execute(struct sqlite3 *db, const char *sql);
/* The -errno of what went wrong last: -ENOSPC, -EROFS, -EUCLEAN (corrupt), -EIO, ... */
int database_error(struct sqlite3 *db);

#endif
