#include "daemon/control/store/store.h"

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
	struct store_job *first, **last;
};

struct statement {
	const char *sql;
	sqlite3_stmt *prepared;
};

struct store {
	struct loop_watch watch; /* of the eventfd: results are there */
	struct loop *loop;
	struct store_options options;
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

static void queue_add(struct queue *queue, struct store_job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

int store_error(struct sqlite3 *db)
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

int store_execute(struct sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_error(db);
}

struct sqlite3_stmt *store_statement(struct store *store, const char *sql)
{
	for (size_t i = 0; i < store->nstatements; i++)
		if (store->statements[i].sql == sql) {
			sqlite3_reset(store->statements[i].prepared);
			sqlite3_clear_bindings(store->statements[i].prepared);
			return store->statements[i].prepared;
		}
	sqlite3_stmt *prepared;
	if (store->nstatements == STATEMENTS_MAX ||
		sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared,
			NULL) != SQLITE_OK)
		return NULL;
	store->statements[store->nstatements++] = (struct statement){sql, prepared};
	return prepared;
}

int store_step(struct sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	int status = code == SQLITE_DONE || code == SQLITE_ROW
			     ? 0
			     : store_error(sqlite3_db_handle(statement));

	sqlite3_reset(statement);
	return status;
}

int store_version(struct store *store, struct sqlite3 *db, int *version)
{
	sqlite3_stmt *row = store_statement(store, "PRAGMA user_version");

	if (!row || sqlite3_step(row) != SQLITE_ROW)
		return store_error(db);
	*version = sqlite3_column_int(row, 0);
	sqlite3_reset(row);
	return 0;
}

static void close_database(struct store *store)
{
	for (size_t i = 0; i < store->nstatements; i++)
		sqlite3_finalize(store->statements[i].prepared);
	store->nstatements = 0;
	sqlite3_close(store->db);
	store->db = NULL;
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
static int set_pragmas(struct store *store, bool alone)
{
	char sql[280];

	snprintf(sql, sizeof(sql),
		"%s; PRAGMA journal_mode=WAL;"
		"PRAGMA synchronous=%s; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=8000",
		alone ? "PRAGMA locking_mode=EXCLUSIVE" : "PRAGMA auto_vacuum=incremental",
		store->options.survives_power_cut ? "FULL" : "NORMAL");
	return store_execute(store->db, sql);
}

static int try_database(struct store *store, bool alone)
{
	int status = make_file(store->path);

	if (status < 0)
		return status;
	int code = sqlite3_open_v2(store->path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		status = store->db ? store_error(store->db) : -ENOMEM;
		goto fail;
	}
	sqlite3_busy_timeout(store->db, 2000); /* an operator may be looking with sqlite3 */
	status = set_pragmas(store, alone);
	if (status == 0)
		status = store->options.migrate(store, store->db, store->options.context);
	if (status == 0)
		return 0;
fail:
	close_database(store);
	return status;
}

/* What is known must be read on a full disk, too. */
static int open_database(struct store *store)
{
	int status = try_database(store, false);

	return status == -ENOSPC || status == -EIO ? try_database(store, true) : status;
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
static int replace_database(struct store *store)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	if (store->db)
		close_database(store);
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	log_error("store: %s is corrupt: moved to %s.corrupt-%s, a new one is begun", store->path,
		store->path, stamp);
	move_file(store->path, "", stamp);
	move_file(store->path, "-wal", stamp);
	move_file(store->path, "-shm", stamp);
	return open_database(store);
}

/* A database that could not be opened again is tried anew with each job. */
static int have_database(struct store *store)
{
	return store->db ? 0 : open_database(store);
}

static int commit(struct store *store)
{
	const struct store_options *options = &store->options;
	int status = 0;

	if (options->before_commit)
		status = options->before_commit(store, store->db, options->context);
	if (status == 0)
		status = store_execute(store->db, "COMMIT");
	if (status == 0 && options->committed)
		options->committed(options->context);
	return status;
}

static int run_alone(struct store *store, struct store_job *job)
{
	int status = have_database(store);

	if (status == 0 && job->write)
		status = store_execute(store->db, "BEGIN IMMEDIATE");
	if (status < 0)
		return status;
	status = job->run(store, store->db, job);
	if (job->write && status == 0)
		status = commit(store);
	if (job->write && status < 0 && !sqlite3_get_autocommit(store->db))
		store_execute(store->db, "ROLLBACK");
	return status;
}

static int run_mended(struct store *store, struct store_job *job)
{
	int status = run_alone(store, job);

	if (status == -EUCLEAN) {
		status = replace_database(store);
		if (status == 0)
			status = run_alone(store, job);
	}
	return status;
}

/* All of the jobs from `first` to before `end` in one transaction. */
static int run_together(struct store *store, struct store_job *first, struct store_job *end)
{
	int status = have_database(store);

	if (status == 0)
		status = store_execute(store->db, "BEGIN IMMEDIATE");
	for (struct store_job *job = first; status == 0 && job != end; job = job->next)
		status = job->run(store, store->db, job);
	if (status == 0)
		status = commit(store);
	if (status < 0 && store->db && !sqlite3_get_autocommit(store->db))
		store_execute(store->db, "ROLLBACK");
	for (struct store_job *job = first; status == 0 && job != end; job = job->next)
		job->status = 0;
	return status;
}

/* The job behind the last one of the group that begins with first. */
static struct store_job *end_of_group(struct store_job *first, size_t *n)
{
	struct store_job *end = first->next;

	for (*n = 1; first->write && end && end->write && *n < GROUP_MAX; ++*n)
		end = end->next;
	return end;
}

/* Gives finished jobs, from first to before end, back to the loop. */
static void hand_back(struct store *store, struct store_job *first, struct store_job *end)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&store->mutex);
	for (struct store_job *job = first, *next; job != end; job = next) {
		next = job->next;
		queue_add(&store->finished, job);
	}
	pthread_cond_signal(&store->results);
	pthread_mutex_unlock(&store->mutex);
	while (write(store->watch.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void run_all(struct store *store, struct store_job *first)
{
	while (first) {
		size_t n;
		struct store_job *end = end_of_group(first, &n);
		if (n == 1 || run_together(store, first, end) < 0)
			for (struct store_job *job = first; job != end; job = job->next)
				job->status = run_mended(store, job);
		hand_back(store, first, end);
		first = end;
	}
}

/* Waits for jobs, with the mutex held, and then for more of them. Takes them all; NULL: closing. */
static struct store_job *take_jobs(struct store *store)
{
	struct timespec until;

	while (!store->waiting.first && !store->closing)
		pthread_cond_wait(&store->work, &store->mutex);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)(store->options.linger_ms % 1000) * 1000000;
	until.tv_sec += store->options.linger_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!store->urgent && !store->closing && store->nwaiting < GROUP_MAX)
		if (pthread_cond_timedwait(&store->work, &store->mutex, &until) == ETIMEDOUT)
			break;
	struct store_job *first = store->waiting.first;
	queue_init(&store->waiting);
	store->nwaiting = 0;
	store->urgent = false;
	return first;
}

static void *work(void *argument)
{
	struct store *store = argument;

	pthread_mutex_lock(&store->mutex);
	for (struct store_job *first; (first = take_jobs(store));) {
		pthread_mutex_unlock(&store->mutex);
		run_all(store, first);
		pthread_mutex_lock(&store->mutex);
	}
	pthread_mutex_unlock(&store->mutex);
	return NULL;
}

static void finish_jobs(struct store *store)
{
	pthread_mutex_lock(&store->mutex);
	struct store_job *job = store->finished.first;
	queue_init(&store->finished);
	pthread_mutex_unlock(&store->mutex);
	for (struct store_job *next; job; job = next) {
		next = job->next;
		pthread_mutex_lock(&store->mutex);
		store->queued--;
		store->bytes -= job->bytes;
		pthread_mutex_unlock(&store->mutex);
		if (job->write)
			store->trouble = job->status;
		job->done(job, job->status);
	}
}

static void on_results(struct loop_watch *watch, uint32_t events)
{
	struct store *store = (struct store *)watch; /* its first member */
	uint64_t count;

	(void)events;
	while (read(watch->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	finish_jobs(store);
}

/* The signals are the loop's: the thread has none. */
static int start_thread(struct store *store)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&store->thread, NULL, work, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

static int open_and_load(struct store *store)
{
	int status = open_database(store);

	if (status == 0 && store->options.load)
		status = store->options.load(store, store->db, store->options.context);
	if (status == -EUCLEAN) {
		status = replace_database(store);
		if (status == 0 && store->options.load)
			status = store->options.load(store, store->db, store->options.context);
	}
	return status;
}

static void free_store(struct store *store)
{
	if (store->watch.fd >= 0) {
		loop_del(store->loop, &store->watch);
		close(store->watch.fd);
	}
	close_database(store);
	pthread_mutex_destroy(&store->mutex);
	pthread_cond_destroy(&store->work);
	pthread_cond_destroy(&store->results);
	free(store->path);
	free(store);
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

int store_open(struct loop *loop, const char *path, const struct store_options *options,
	struct store **out)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	/* its count of memory in use, which nobody asks for, costs a mutex at every malloc; refused
	 * once a database was opened, and then it is set already */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	store->watch = (struct loop_watch){.fd = -1, .on_event = on_results};
	store->loop = loop;
	store->options = *options;
	store->path = strdup(path);
	pthread_mutex_init(&store->mutex, NULL);
	init_condition(&store->work);
	pthread_cond_init(&store->results, NULL);
	queue_init(&store->waiting);
	queue_init(&store->finished);
	int status = store->path ? open_and_load(store) : -ENOMEM;
	if (status < 0 && status != -ENOMEM && options->optional) {
		log_error("store: %s: %s: tried again later", path, strerror(-status));
		status = 0;
	}
	if (status == 0) {
		store->watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		status = store->watch.fd < 0 ? -errno : loop_add(loop, &store->watch, EPOLLIN);
	}
	if (status == 0)
		status = start_thread(store);
	if (status < 0) {
		free_store(store);
		return status;
	}
	*out = store;
	return 0;
}

bool store_settle(struct store *store)
{
	bool any = false;

	for (; store_waiting(store); any = true) {
		pthread_mutex_lock(&store->mutex);
		if (store->waiting.first) {
			store->urgent = true;
			pthread_cond_signal(&store->work);
		}
		while (!store->finished.first)
			pthread_cond_wait(&store->results, &store->mutex);
		pthread_mutex_unlock(&store->mutex);
		finish_jobs(store);
	}
	return any;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_settle(store);
	pthread_mutex_lock(&store->mutex);
	store->closing = true;
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->mutex);
	pthread_join(store->thread, NULL);
	free_store(store);
}

int store_submit(struct store *store, struct store_job *job)
{
	pthread_mutex_lock(&store->mutex);
	bool refused =
		job->bytes > 0 && (job->bytes > store->options.queue_bytes ||
					  store->bytes > store->options.queue_bytes - job->bytes);
	if (!refused) {
		bool wake = !store->waiting.first;
		queue_add(&store->waiting, job);
		store->queued++;
		store->bytes += job->bytes;
		if (++store->nwaiting == GROUP_MAX)
			wake = true;
		if (job->bytes == 0 && !store->urgent)
			wake = store->urgent = true;
		if (wake)
			pthread_cond_signal(&store->work);
	}
	pthread_mutex_unlock(&store->mutex);
	return refused ? -ENOBUFS : 0;
}

int store_trouble(const struct store *store)
{
	return store->trouble;
}

size_t store_waiting(const struct store *store)
{
	struct store *locked = (struct store *)store;

	pthread_mutex_lock(&locked->mutex);
	size_t queued = store->queued;
	pthread_mutex_unlock(&locked->mutex);
	return queued;
}
