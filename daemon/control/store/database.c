/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/database.h"

#include "daemon/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define GROUP_MAX      1000 /* jobs in one transaction */
#define STATEMENTS_MAX 64

struct queue {
	struct database_job *first, **last;
};

struct statement {
	const char *sql;
	sqlite3_stmt *prepared;
};

struct database {
	struct loop_watch watch; /* of the eventfd: results are there */
	struct loop *loop;
	struct database_options options;
	char *path;

	/* The thread's own, once it runs. */
	sqlite3 *db;
	struct statement statements[STATEMENTS_MAX];
	size_t nstatements;

	int trouble; /* the loop's: how the last write job ended */

	pthread_t thread;
	pthread_mutex_t mutex;        /* for all below */
	pthread_cond_t work, results; /* a job waits; one is finished */
	struct queue waiting, finished;
	size_t queued;   /* waiting, running or finished */
	size_t nwaiting; /* of them, waiting */
	size_t bytes;    /* of all queued */
	bool urgent;     /* a job waits that must not linger */
	bool closing;
};

static void queue_init(struct queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static void queue_add(struct queue *queue, struct database_job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

int database_error(struct sqlite3 *db)
{
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return -EIO;
	}
}

int database_execute(struct sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : database_error(db);
}

struct sqlite3_stmt *database_statement(struct database *database, const char *sql)
{
	for (size_t i = 0; i < database->nstatements; i++)
		if (database->statements[i].sql == sql) {
			sqlite3_reset(database->statements[i].prepared);
			sqlite3_clear_bindings(database->statements[i].prepared);
			return database->statements[i].prepared;
		}
	sqlite3_stmt *prepared;
	if (database->nstatements == STATEMENTS_MAX ||
		sqlite3_prepare_v3(database->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared,
			NULL) != SQLITE_OK)
		return NULL;
	database->statements[database->nstatements++] = (struct statement){sql, prepared};
	return prepared;
}

int database_step(struct sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	int status = code == SQLITE_DONE || code == SQLITE_ROW
			     ? 0
			     : database_error(sqlite3_db_handle(statement));

	sqlite3_reset(statement);
	return status;
}

int database_version(struct database *database, struct sqlite3 *db, int *version)
{
	sqlite3_stmt *row = database_statement(database, "PRAGMA user_version");

	if (!row || sqlite3_step(row) != SQLITE_ROW)
		return database_error(db);
	*version = sqlite3_column_int(row, 0);
	sqlite3_reset(row);
	return 0;
}

static void close_database(struct database *database)
{
	for (size_t i = 0; i < database->nstatements; i++)
		sqlite3_finalize(database->statements[i].prepared);
	database->nstatements = 0;
	sqlite3_close(database->db);
	database->db = NULL;
}

static int sync_folder_of(const char *path)
{
	char folder[4096];
	int status = 0;

	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[1] = '\0';
	int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		status = -errno;
	close(fd);
	return status;
}

/* The file is made by us first, so that nobody else can read it and the log beside it. */
static int make_file(const char *path)
{
	if (access(path, F_OK) == 0)
		return 0;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return sync_folder_of(path);
}

/* alone: nobody else can look, and what is shared with who does needs no room; nor does anything
 * else of this. */
static int set_pragmas(struct database *database, bool alone)
{
	char sql[280];

	snprintf(sql, sizeof(sql),
		"%s; PRAGMA journal_mode=WAL;"
		"PRAGMA synchronous=%s; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=8000",
		alone ? "PRAGMA locking_mode=EXCLUSIVE" : "PRAGMA auto_vacuum=incremental",
		database->options.survives_power_cut ? "FULL" : "NORMAL");
	return database_execute(database->db, sql);
}

static int try_database(struct database *database, bool alone)
{
	int status = make_file(database->path);

	if (status < 0)
		return status;
	int code = sqlite3_open_v2(database->path, &database->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		status = database->db ? database_error(database->db) : -ENOMEM;
		goto fail;
	}
	sqlite3_busy_timeout(database->db, 2000); /* an operator may be looking with sqlite3 */
	status = set_pragmas(database, alone);
	if (status == 0)
		status = database->options.migrate(
			database, database->db, database->options.context);
	if (status == 0)
		return 0;
fail:
	close_database(database);
	return status;
}

/* What is known must be read on a full disk, too. */
static int open_database(struct database *database)
{
	int status = try_database(database, false);

	return status == -ENOSPC || status == -EIO ? try_database(database, true) : status;
}

static void move_file(const char *path, const char *suffix, const char *stamp)
{
	char from[4096], to[4096];

	snprintf(from, sizeof(from), "%s%s", path, suffix);
	snprintf(to, sizeof(to), "%s.corrupt-%s%s", path, stamp, suffix);
	if (rename(from, to) < 0 && errno != ENOENT)
		log_error("store: %s: %s", from, strerror(errno));
}

/* Moves a corrupt database out of the way and begins a new one. */
static int replace_database(struct database *database)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	if (database->db)
		close_database(database);
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	log_error("store: %s is corrupt: moved to %s.corrupt-%s, a new one is begun",
		database->path, database->path, stamp);
	move_file(database->path, "", stamp);
	move_file(database->path, "-wal", stamp);
	move_file(database->path, "-shm", stamp);
	return open_database(database);
}

/* A database that could not be opened again is tried anew with each job. */
static int have_database(struct database *database)
{
	return database->db ? 0 : open_database(database);
}

static int commit(struct database *database)
{
	const struct database_options *options = &database->options;
	int status = 0;

	if (options->before_commit)
		status = options->before_commit(database, database->db, options->context);
	if (status == 0)
		status = database_execute(database->db, "COMMIT");
	if (status == 0 && options->committed)
		options->committed(options->context);
	return status;
}

static int run_alone(struct database *database, struct database_job *job)
{
	int status = have_database(database);

	if (status == 0 && job->write)
		status = database_execute(database->db, "BEGIN IMMEDIATE");
	if (status < 0)
		return status;
	status = job->run(database, database->db, job);
	if (job->write && status == 0)
		status = commit(database);
	if (job->write && status < 0 && !sqlite3_get_autocommit(database->db))
		database_execute(database->db, "ROLLBACK");
	return status;
}

static int run_mended(struct database *database, struct database_job *job)
{
	int status = run_alone(database, job);

	if (status == -EUCLEAN) {
		status = replace_database(database);
		if (status == 0)
			status = run_alone(database, job);
	}
	return status;
}

/* All of the jobs from `first` to before `end` in one transaction. */
static int run_together(
	struct database *database, struct database_job *first, struct database_job *end)
{
	int status = have_database(database);

	if (status == 0)
		status = database_execute(database->db, "BEGIN IMMEDIATE");
	for (struct database_job *job = first; status == 0 && job != end; job = job->next)
		status = job->run(database, database->db, job);
	if (status == 0)
		status = commit(database);
	if (status < 0 && database->db && !sqlite3_get_autocommit(database->db))
		database_execute(database->db, "ROLLBACK");
	for (struct database_job *job = first; status == 0 && job != end; job = job->next)
		job->status = 0;
	return status;
}

/* The job behind the last one of the group that begins with first. */
static struct database_job *end_of_group(struct database_job *first, size_t *n)
{
	struct database_job *end = first->next;

	for (*n = 1; first->write && end && end->write && *n < GROUP_MAX; ++*n)
		end = end->next;
	return end;
}

/* Gives finished jobs, from first to before end, back to the loop. */
static void hand_back(
	struct database *database, struct database_job *first, struct database_job *end)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&database->mutex);
	for (struct database_job *job = first, *next; job != end; job = next) {
		next = job->next;
		queue_add(&database->finished, job);
	}
	pthread_cond_signal(&database->results);
	pthread_mutex_unlock(&database->mutex);
	while (write(database->watch.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void run_all(struct database *database, struct database_job *first)
{
	while (first) {
		size_t n;
		struct database_job *end = end_of_group(first, &n);
		if (n == 1 || run_together(database, first, end) < 0)
			for (struct database_job *job = first; job != end; job = job->next)
				job->status = run_mended(database, job);
		hand_back(database, first, end);
		first = end;
	}
}

/* Waits for jobs, with the mutex held, and then for more of them. Takes them all; NULL: closing. */
static struct database_job *take_jobs(struct database *database)
{
	struct timespec until;

	while (!database->waiting.first && !database->closing)
		pthread_cond_wait(&database->work, &database->mutex);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(database->options.linger_ms % 1000) * 1000000;
	until.tv_sec += database->options.linger_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!database->urgent && !database->closing && database->nwaiting < GROUP_MAX)
		if (pthread_cond_timedwait(&database->work, &database->mutex, &until) == ETIMEDOUT)
			break;
	struct database_job *first = database->waiting.first;
	queue_init(&database->waiting);
	database->nwaiting = 0;
	database->urgent = false;
	return first;
}

static void *work(void *argument)
{
	struct database *database = argument;

	pthread_mutex_lock(&database->mutex);
	for (struct database_job *first; (first = take_jobs(database));) {
		pthread_mutex_unlock(&database->mutex);
		run_all(database, first);
		pthread_mutex_lock(&database->mutex);
	}
	pthread_mutex_unlock(&database->mutex);
	return NULL;
}

static void finish_jobs(struct database *database)
{
	pthread_mutex_lock(&database->mutex);
	struct database_job *job = database->finished.first;
	queue_init(&database->finished);
	pthread_mutex_unlock(&database->mutex);
	for (struct database_job *next; job; job = next) {
		next = job->next;
		pthread_mutex_lock(&database->mutex);
		database->queued--;
		database->bytes -= job->bytes;
		pthread_mutex_unlock(&database->mutex);
		if (job->write)
			database->trouble = job->status;
		job->done(job, job->status);
	}
}

static void on_results(struct loop_watch *watch, uint32_t events)
{
	struct database *database = (struct database *)watch; /* its first member */
	uint64_t count;

	(void)events;
	while (read(watch->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	finish_jobs(database);
}

/* The signals are the loop's: the thread has none. */
static int start_thread(struct database *database)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&database->thread, NULL, work, database);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static int open_and_load(struct database *database)
{
	int status = open_database(database);

	if (status == 0 && database->options.load)
		status = database->options.load(database, database->db, database->options.context);
	if (status == -EUCLEAN) {
		status = replace_database(database);
		if (status == 0 && database->options.load)
			status = database->options.load(
				database, database->db, database->options.context);
	}
	return status;
}

static void free_store(struct database *database)
{
	if (database->watch.fd >= 0) {
		loop_del(database->loop, &database->watch);
		close(database->watch.fd);
	}
	close_database(database);
	pthread_mutex_destroy(&database->mutex);
	pthread_cond_destroy(&database->work);
	pthread_cond_destroy(&database->results);
	free(database->path);
	free(database);
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

int database_open(struct loop *loop, const char *path, const struct database_options *options,
	struct database **out)
{
	struct database *database = calloc(1, sizeof(*database));

	if (!database)
		return -ENOMEM;
	/* its count of memory in use, which nobody asks for, costs a mutex at every malloc; refused
	 * once a database was opened, and then it is set already */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	database->watch = (struct loop_watch){.fd = -1, .on_event = on_results};
	database->loop = loop;
	database->options = *options;
	database->path = strdup(path);
	pthread_mutex_init(&database->mutex, NULL);
	init_condition(&database->work);
	pthread_cond_init(&database->results, NULL);
	queue_init(&database->waiting);
	queue_init(&database->finished);
	int status = database->path ? open_and_load(database) : -ENOMEM;
	if (status < 0 && status != -ENOMEM && options->optional) {
		log_error("store: %s: %s: tried again later", path, strerror(-status));
		status = 0;
	}
	if (status == 0) {
		database->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		status =
			database->watch.fd < 0 ? -errno : loop_add(loop, &database->watch, EPOLLIN);
	}
	if (status == 0)
		status = start_thread(database);
	if (status < 0) {
		free_store(database);
		return status;
	}
	*out = database;
	return 0;
}

bool database_settle(struct database *database)
{
	bool any = false;

	for (; database_waiting(database); any = true) {
		pthread_mutex_lock(&database->mutex);
		if (database->waiting.first) {
			database->urgent = true;
			pthread_cond_signal(&database->work);
		}
		while (!database->finished.first)
			pthread_cond_wait(&database->results, &database->mutex);
		pthread_mutex_unlock(&database->mutex);
		finish_jobs(database);
	}
	return any;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	database_settle(database);
	pthread_mutex_lock(&database->mutex);
	database->closing = true;
	pthread_cond_signal(&database->work);
	pthread_mutex_unlock(&database->mutex);
	pthread_join(database->thread, NULL);
	free_store(database);
}

int database_submit(struct database *database, struct database_job *job)
{
	pthread_mutex_lock(&database->mutex);
	bool refused = job->bytes > 0 &&
		       (job->bytes > database->options.queue_bytes ||
			       database->bytes > database->options.queue_bytes - job->bytes);
	if (!refused) {
		bool wake = !database->waiting.first;
		queue_add(&database->waiting, job);
		database->queued++;
		database->bytes += job->bytes;
		if (++database->nwaiting == GROUP_MAX)
			wake = true;
		if (job->bytes == 0 && !database->urgent)
			wake = database->urgent = true;
		if (wake)
			pthread_cond_signal(&database->work);
	}
	pthread_mutex_unlock(&database->mutex);
	return refused ? -ENOBUFS : 0;
}

int database_trouble(const struct database *database)
{
	return database->trouble;
}

size_t database_waiting(const struct database *database)
{
	struct database *locked = (struct database *)database;

	pthread_mutex_lock(&locked->mutex);
	size_t queued = database->queued;
	pthread_mutex_unlock(&locked->mutex);
	return queued;
}
