/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/history/store.h"

#include "daemon/control/store/disk.h"
#include "lib/base/vector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_BYTES_MAX (512u << 20)
/* and the one that comes, and what a confirm goes back to */
#define LINES_MAX  (POLICY_STORE_APPLIED + POLICY_STORE_EDITED + 2)
#define WHOLE_MAX  22   /* the newest are looked at as a whole at the start */
#define HEAD_BYTES 4096 /* of a record: all that its line says stands there */

struct policy_store {
	char dir[4096];
	struct worker *disk;
	struct policy_current current;
	struct policy_store_line lines[LINES_MAX];
	size_t nlines;
	uint64_t last; /* highest number ever seen, cut off or not */
	char trouble[256];
};

/* A save under way in the disk's thread: bytes only, nothing shared with the loop. */
struct saving {
	struct worker_job job;
	struct policy_store *store;
	char dir[4096];
	char *record, *running;
	size_t record_len, running_len;
	struct policy_current current;
	struct policy_store_line line;
	uint64_t keep[LINES_MAX]; /* the numbers that stay */
	size_t nkeep;
	void (*done)(void *context, int status);
	void *context;
};

static void record_name(char name[static 32], uint64_t number)
{
	snprintf(name, 32, "%" PRIu64 ".policy", number);
}

static int load_path(const char *dir, uint64_t number, struct policy_record *record)
{
	char path[4096 + 64], name[32], *bytes;
	size_t len;
	record_name(name, number);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int error = disk_read(path, RECORD_BYTES_MAX, &bytes, &len);
	if (error)
		return error;
	error = policy_record_decode(bytes, len, record);
	free(bytes);
	if (!error && record->number != number) {
		policy_record_fini(record);
		error = -EBADMSG;
	}
	return error;
}

static struct policy_store_line line_of(const struct policy_record *record)
{
	struct policy_store_line line = {.number = record->number,
		.at_ms = record->at_ms,
		.uid = record->uid,
		.bytes = record->source_len};
	snprintf(line.origin, sizeof(line.origin), "%s", record->origin);
	return line;
}

/* What the line of a record says, from its head alone: of hundreds, few are ever asked for. */
static int load_head(const char *dir, uint64_t number, struct policy_store_line *line)
{
	char path[4096 + 64], name[32], head[HEAD_BYTES];
	record_name(name, number);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len = fd < 0 ? -1 : read(fd, head, sizeof(head));
	int error = len < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	struct policy_record record;
	if (!error)
		error = policy_record_decode_head(head, (size_t)len, &record);
	if (error)
		return error;
	if (record.number != number)
		return -EBADMSG;
	*line = line_of(&record);
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* The numbers of all record files, ascending; at most max, the highest. */
static size_t find_numbers(const char *dir, uint64_t **numbers)
{
	DIR *folder = opendir(dir);
	size_t n = 0, room = 0;
	*numbers = NULL;
	for (struct dirent *file; folder && (file = readdir(folder));) {
		char *rest;
		uint64_t number = strtoull(file->d_name, &rest, 10);
		if (rest == file->d_name || strcmp(rest, ".policy") != 0 || number == 0)
			continue;
		uint64_t *more = vector_grow(*numbers, n, &room, sizeof(**numbers));
		if (!more)
			break;
		*numbers = more;
		(*numbers)[n++] = number;
	}
	if (folder)
		closedir(folder);
	if (n)
		qsort(*numbers, n, sizeof(**numbers), compare_numbers);
	return n;
}

static void add_line(struct policy_store *store, const struct policy_store_line *line)
{
	if (store->nlines == LINES_MAX) {
		memmove(store->lines, store->lines + 1, (LINES_MAX - 1) * sizeof(*store->lines));
		store->nlines--;
	}
	store->lines[store->nlines++] = *line;
}

/* Leaves of the lines those that are kept: a change by commands takes no place of the others. */
static void keep_lines(struct policy_store *store, const struct policy_current *current)
{
	size_t applied = 0, edited = 0, kept = LINES_MAX;
	struct policy_store_line *lines = store->lines;
	struct policy_store_line stay[LINES_MAX];
	for (size_t i = store->nlines; i-- > 0;) {
		bool edit = policy_record_is_edit(lines[i].origin);
		size_t before = edit ? edited++ : applied++;
		if (before < (edit ? POLICY_STORE_EDITED : POLICY_STORE_APPLIED) ||
			lines[i].number == current->number ||
			lines[i].number == current->confirm_back)
			stay[--kept] = lines[i];
	}
	store->nlines = LINES_MAX - kept;
	memcpy(lines, stay + kept, store->nlines * sizeof(*lines));
}

static void read_history(struct policy_store *store)
{
	uint64_t *numbers;
	size_t n = find_numbers(store->dir, &numbers);
	if (n)
		store->last = numbers[n - 1];
	for (size_t i = n > LINES_MAX ? n - LINES_MAX : 0; i < n; i++) {
		struct policy_record record;
		struct policy_store_line line;
		bool whole = n - i <= WHOLE_MAX;
		int error = whole ? load_path(store->dir, numbers[i], &record)
				  : load_head(store->dir, numbers[i], &line);
		if (error) {
			snprintf(store->trouble, sizeof(store->trouble),
				"policy %" PRIu64 " in the history cannot be read: %s", numbers[i],
				error == -EBADMSG ? "it was cut off" : strerror(-error));
			continue;
		}
		if (whole) {
			line = line_of(&record);
			policy_record_fini(&record);
		}
		add_line(store, &line);
	}
	free(numbers);
}

static bool has_line(const struct policy_store *store, uint64_t number)
{
	for (size_t i = 0; i < store->nlines; i++)
		if (store->lines[i].number == number)
			return true;
	return false;
}

/* The newest readable policy before a number, or the newest of all; 0: none. */
static uint64_t last_good(const struct policy_store *store, uint64_t before)
{
	for (size_t i = store->nlines; i-- > 0;)
		if (store->lines[i].number < before)
			return store->lines[i].number;
	return store->nlines ? store->lines[store->nlines - 1].number : 0;
}

static void read_current(struct policy_store *store)
{
	char path[sizeof(store->dir) + 16], *bytes = NULL;
	size_t len = 0;
	snprintf(path, sizeof(path), "%s/current", store->dir);
	int error = disk_read(path, 1u << 20, &bytes, &len);
	if (!error)
		error = policy_current_decode(bytes, len, &store->current);
	free(bytes);
	uint64_t wanted = error ? UINT64_MAX : store->current.number;
	if ((error == -ENOENT && !store->nlines) || (!error && has_line(store, wanted)))
		return;
	uint64_t number = last_good(store, wanted);
	policy_current_fini(&store->current);
	store->current.number = number;
	if (error)
		snprintf(store->trouble, sizeof(store->trouble),
			"which policy was running cannot be read (%s); the last good one, %" PRIu64
			", runs",
			error == -EBADMSG ? "cut off" : strerror(-error), number);
	else
		snprintf(store->trouble, sizeof(store->trouble),
			"policy %" PRIu64 " was cut off; the last good one, %" PRIu64 ", runs",
			wanted, number);
}

struct policy_store *policy_store_open(const char *state_dir, struct worker *disk, int *error)
{
	struct policy_store *store = calloc(1, sizeof(*store));
	*error = -ENOMEM;
	if (!store)
		return NULL;
	store->disk = disk;
	*error = 0;
	int n = snprintf(store->dir, sizeof(store->dir), "%s/policy", state_dir);
	if (n < 0 || (size_t)n >= sizeof(store->dir))
		*error = -ENAMETOOLONG;
	else if (mkdir(store->dir, 0750) < 0 && errno != EEXIST)
		*error = -errno;
	if (*error) {
		free(store);
		return NULL;
	}
	read_history(store);
	read_current(store);
	return store;
}

void policy_store_free(struct policy_store *store)
{
	if (!store)
		return;
	policy_current_fini(&store->current);
	free(store);
}

const struct policy_current *policy_store_current(const struct policy_store *store)
{
	return &store->current;
}

const char *policy_store_trouble(const struct policy_store *store)
{
	return store->trouble;
}

int policy_store_load(
	const struct policy_store *store, uint64_t number, struct policy_record *record)
{
	return load_path(store->dir, number, record);
}

const struct policy_store_line *policy_store_history(const struct policy_store *store, size_t *n)
{
	*n = store->nlines;
	return store->lines;
}

uint64_t policy_store_next_number(const struct policy_store *store)
{
	return store->last + 1;
}

static void free_saving(struct saving *saving)
{
	free(saving->record);
	free(saving->running);
	policy_current_fini(&saving->current);
	free(saving);
}

static void choose_kept(struct saving *saving)
{
	struct policy_store after = *saving->store;
	if (saving->record)
		add_line(&after, &saving->line);
	keep_lines(&after, &saving->current);
	for (size_t i = 0; i < after.nlines; i++)
		saving->keep[saving->nkeep++] = after.lines[i].number;
}

static struct saving *make_saving(struct policy_store *store, const struct policy_record *record,
	const struct policy_current *current)
{
	struct saving *saving = calloc(1, sizeof(*saving));
	if (!saving)
		return NULL;
	saving->store = store;
	memcpy(saving->dir, store->dir, sizeof(saving->dir));
	int error = policy_current_copy(&saving->current, current);
	if (!error)
		error = policy_current_encode(current, &saving->running, &saving->running_len);
	if (!error && record) {
		saving->line = line_of(record);
		error = policy_record_encode(record, &saving->record, &saving->record_len);
	}
	if (error) {
		free_saving(saving);
		return NULL;
	}
	choose_kept(saving);
	return saving;
}

static bool is_kept(const struct saving *saving, uint64_t number)
{
	for (size_t i = 0; i < saving->nkeep; i++)
		if (saving->keep[i] == number)
			return true;
	/* one that cannot be read is nobody's; a newer one is not ours */
	return number >= saving->current.number || number == saving->current.confirm_back;
}

static void remove_old(const struct saving *saving)
{
	uint64_t *numbers;
	size_t n = find_numbers(saving->dir, &numbers);
	for (size_t i = 0; i < n; i++) {
		char name[32], path[sizeof(saving->dir) + 40];
		if (is_kept(saving, numbers[i]))
			continue;
		record_name(name, numbers[i]);
		snprintf(path, sizeof(path), "%s/%s", saving->dir, name);
		unlink(path);
	}
	free(numbers);
}

static int write_saving(struct saving *saving)
{
	char name[32];
	int error = 0;
	if (saving->record) {
		record_name(name, saving->line.number);
		error = disk_replace(saving->dir, name, saving->record, saving->record_len);
	}
	if (!error)
		error = disk_replace(saving->dir, "current", saving->running, saving->running_len);
	if (!error)
		remove_old(saving);
	return error;
}

/* What was written is now the truth here, too. */
static void take_saving(struct saving *saving)
{
	struct policy_store *store = saving->store;
	policy_current_fini(&store->current);
	store->current = saving->current;
	saving->current = (struct policy_current){0};
	if (!saving->record)
		return;
	if (saving->line.number > store->last)
		store->last = saving->line.number;
	add_line(store, &saving->line);
	keep_lines(store, &store->current);
}

int policy_store_save(struct policy_store *store, const struct policy_record *record,
	const struct policy_current *current)
{
	struct saving *saving = make_saving(store, record, current);
	if (!saving)
		return -ENOMEM;
	int error = write_saving(saving);
	if (!error)
		take_saving(saving);
	free_saving(saving);
	return error;
}

static int run_saving(struct worker_job *job)
{
	return write_saving((struct saving *)job);
}

static void done_saving(struct worker_job *job)
{
	struct saving *saving = (struct saving *)job;
	void (*done)(void *, int) = saving->done;
	void *context = saving->context;
	int status = job->status;
	if (status == 0)
		take_saving(saving);
	free_saving(saving);
	done(context, status);
}

int policy_store_begin_save(struct policy_store *store, const struct policy_record *record,
	const struct policy_current *current, void (*done)(void *context, int status),
	void *context)
{
	struct saving *saving = make_saving(store, record, current);
	if (!saving)
		return -ENOMEM;
	saving->done = done;
	saving->context = context;
	saving->job.run = run_saving;
	saving->job.done = done_saving;
	worker_submit(store->disk, &saving->job);
	return 0;
}

bool policy_store_is_filed(struct policy_store *store, uint64_t number)
{
	struct policy_record record;
	if (policy_store_load(store, number, &record))
		return true; /* not known: nothing is claimed */
	uint64_t hash = policy_texts_hash_all(&record.texts, record.source, record.source_len);
	policy_record_fini(&record);
	return hash == policy_store_current(store)->file_hash;
}
