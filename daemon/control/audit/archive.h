/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a database of records while they come, are asked for and go: what the disk does not take is
 * lost, counted and said, and what is too old or too much is removed in steps. What a record is,
 * how it is found and what goes first is its owner's, on the store's thread. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_ARCHIVE_H
#define POSTERN_DAEMON_CONTROL_AUDIT_ARCHIVE_H

#include "daemon/control/audit/loss.h"
#include "daemon/control/audit/result.h"
#include "daemon/control/store/database.h"

/* From the policy; audit_configure() after every apply. */
struct audit_config {
	uint32_t keep_s;     /* 0: no end */
	uint64_t size_bytes; /* 0: no end */
	bool names_none;     /* no user, addresses or MAC are kept or logged */
	/* The wall clock that age is reckoned by, since it cannot be undone; NULL: the loop's. */
	uint64_t (*believed_ms)(void *context);
	void *context;
	/* Flows and messages have a store each, and share size_bytes. What this one takes, and what
	 * the other one did when it last looked; NULL: it is alone. */
	uint64_t *used_bytes;
	const uint64_t *beside_bytes;
};
/* How much of size_bytes this store may take: what the other one leaves, and at least a half. 0: no
 * end. */
uint64_t audit_share_bytes(const struct audit_config *config);

/* Rows as they are told, each with its key for paging; then the end. */
typedef void audit_row(void *context, const char *json, uint64_t key);
typedef void audit_done(void *context, int status, bool more);

struct archive;

/* One step of removing what is too old or too much. */
struct archive_step {
	struct database_job job; /* first */
	struct archive *archive;
	uint64_t oldest_ms;  /* what ended before goes; 0: none by age */
	uint64_t keep_ms;    /* with it: so long one is kept */
	uint64_t size_bytes; /* 0: any */
	/* what came of it */
	uint64_t used_bytes, removed;
	bool more; /* at once */
};

struct archive_kind {
	const char *file; /* in the state folder */
	const char *what; /* "records", as the log calls them */
	size_t queue_bytes;
	int (*migrate)(struct database *store, struct sqlite3 *db, void *owner);
	/* 0 or -errno. */
	int (*remove)(struct database *store, struct sqlite3 *db, struct archive_step *step);
};

/* The first member of its owner. */
struct archive {
	struct loop_timer timer; /* first; once a minute, sooner when there is more to remove */
	struct loop *loop;
	struct database *store;
	const struct archive_kind *kind;
	struct audit_config config;
	uint64_t *counters;
	struct loss loss;
	uint64_t refused_minute;
	unsigned refused; /* in that minute */
	bool patient;     /* records are not lost to a slow disk */
	bool removing;
	struct archive_question *questions;
	uint64_t last_question;
};

/* The archive is zeroed, and kind lives as long. 0 or -errno. */
int archive_open(struct archive *archive, const struct archive_kind *kind, struct loop *loop,
	const char *state_dir, const struct audit_config *config,
	uint64_t counters[static COUNTERS]);
void archive_close(struct archive *archive);
/* As audit_be_patient(), audit_configure(). */
void archive_be_patient(struct archive *archive);
void archive_configure(struct archive *archive, const struct audit_config *config);

/* Of those that are thinned, is there room for one more in this minute? */
bool archive_is_within_minute(struct archive *archive, unsigned most);

/* One record on its way to the disk; malloc'ed, and begins what its owner needs for that. */
struct archive_writing {
	struct database_job job; /* first; the owner sets job.run */
	struct archive *archive;
};
/* bytes: of all of it. Takes it over. */
void archive_write(struct archive *archive, struct archive_writing *writing, size_t bytes);
/* One of which not even that could be made. */
void archive_lost(struct archive *archive, int why);

/* A question under way; malloc'ed, and begins what its owner needs for that. */
struct archive_question {
	struct database_job job; /* first; the owner sets job.run, which fills result */
	struct archive_question *next;
	struct archive *archive;
	uint64_t id;
	audit_row *row;
	audit_done *done; /* NULL: cancelled */
	void *context;
	struct audit_result result;
};
/* As audit_query(). Takes it over. */
uint64_t archive_ask(struct archive *archive, struct archive_question *question, audit_row *row,
	audit_done *done, void *context);
void archive_cancel(struct archive *archive, uint64_t id);

#endif
