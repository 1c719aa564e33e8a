/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/spool/spool.h"

#include "daemon/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* What the thread does for a text: one thing at a time. */
enum task {
	TASK_WRITE, /* its first pieces, to the end of the file */
	TASK_READ,
	TASK_EMPTY, /* the file is to be another's */
};

struct spool_text {
	struct worker_job job; /* first */
	struct spool *spool;
	void *owner; /* NULL: it is over */
	int fd;      /* -1: all is in memory */
	int error;
	enum task task;
	bool busy;  /* the thread has it: npieces of the first, file_bytes and fd are not to change
		     */
	bool waits; /* for a file, since: */
	uint64_t waits_ms;
	struct spool_text *next;
	uint64_t file_bytes, memory_bytes;
	uint64_t taken; /* of the reading */
	uint32_t npieces;
	uint32_t part;                /* pieces that the thread writes */
	uint32_t read_piece;          /* 1 + its number; 0: none */
	uint64_t read_at, read_bytes; /* what it holds of the file */
	uint32_t pieces[SPOOL_TEXT_PIECES];
};

static void run_ready(struct spool_text *text)
{
	if (text->owner)
		text->spool->on_ready(text->owner);
}

/* ---- memory ---- */

static char *piece_of(const struct spool_text *text, uint32_t i)
{
	return pool_piece(&text->spool->pieces, text->pieces[i]);
}

/* How many more pieces it may have now. */
static uint32_t more_pieces(const struct spool_text *text)
{
	const struct spool *spool = text->spool;
	uint32_t sure = text->npieces < SPOOL_SURE_PIECES ? SPOOL_SURE_PIECES - text->npieces : 0;
	uint32_t texts = pool_taken(&spool->texts);
	uint32_t promised = texts * (SPOOL_SURE_PIECES + 1);
	uint32_t free = SPOOL_PIECES - promised - spool->beyond;
	uint32_t most = SPOOL_TEXT_PIECES - text->npieces;

	return sure + free < most ? sure + free : most;
}

static void take_piece(struct spool_text *text)
{
	struct spool *spool = text->spool;
	void *piece = pool_take(&spool->pieces);

	assert(piece);
	text->pieces[text->npieces++] = pool_number(&spool->pieces, piece);
	spool->beyond += text->npieces > SPOOL_SURE_PIECES;
}

/* The first of them, which are in the file now, or wanted no more. */
static void give_pieces(struct spool_text *text, uint32_t n)
{
	struct spool *spool = text->spool;

	for (uint32_t i = 0; i < n; i++) {
		pool_give(&spool->pieces, piece_of(text, i));
		spool->beyond -= text->npieces - i > SPOOL_SURE_PIECES;
	}
	text->npieces -= n;
	memmove(text->pieces, text->pieces + n, text->npieces * sizeof(text->pieces[0]));
}

static void give_read_piece(struct spool_text *text)
{
	struct pool *pieces = &text->spool->pieces;

	if (text->read_piece)
		pool_give(pieces, pool_piece(pieces, text->read_piece - 1));
	text->read_piece = 0;
	text->read_bytes = 0;
}

/* Nothing of it is to be had any more. */
static void fail(struct spool_text *text, int error)
{
	text->error = error;
	give_pieces(text, text->npieces);
	text->memory_bytes = 0;
}

/* ---- the thread ---- */

static int write_part(const struct spool_text *text)
{
	struct iovec parts[SPOOL_TEXT_PIECES];
	uint64_t at = text->file_bytes;
	int first = 0, n = (int)text->part;

	if (spool_file_is_full(text->fd))
		return -ENOSPC;
	for (int i = 0; i < n; i++)
		parts[i] = (struct iovec){piece_of(text, (uint32_t)i), SPOOL_PIECE_BYTES};
	while (first < n) {
		ssize_t written = pwritev(text->fd, parts + first, n - first, (off_t)at);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		at += (uint64_t)written;
		for (; first < n && (size_t)written >= parts[first].iov_len; first++)
			written -= (ssize_t)parts[first].iov_len;
		if (written > 0) {
			parts[first].iov_base = (char *)parts[first].iov_base + written;
			parts[first].iov_len -= (size_t)written;
		}
	}
	return 0;
}

static int read_part(struct spool_text *text)
{
	uint64_t left = text->file_bytes - text->read_at;
	size_t wanted = left < SPOOL_PIECE_BYTES ? (size_t)left : SPOOL_PIECE_BYTES, len = 0;
	char *to = pool_piece(&text->spool->pieces, text->read_piece - 1);

	while (len < wanted) {
		ssize_t n = pread(text->fd, to + len, wanted - len, (off_t)(text->read_at + len));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		len += (size_t)n;
	}
	text->read_bytes = len;
	return 0;
}

static int run_task(struct worker_job *job)
{
	struct spool_text *text = (struct spool_text *)job;

	switch (text->task) {
	case TASK_WRITE:
		return write_part(text);
	case TASK_READ:
		return read_part(text);
	case TASK_EMPTY:
		break;
	}
	if (ftruncate(text->fd, 0) == 0)
		return 0;
	int error = -errno;
	close(text->fd);
	return error;
}

static void submit(struct spool_text *text, enum task task)
{
	text->task = task;
	text->busy = true;
	worker_submit(text->spool->worker, &text->job);
}

static void forget(struct spool_text *text)
{
	pool_give(&text->spool->texts, text);
}

/* It is nobody's: its file goes back, as the last. */
static void end(struct spool_text *text)
{
	give_pieces(text, text->npieces);
	give_read_piece(text);
	if (text->fd >= 0)
		submit(text, TASK_EMPTY);
	else
		forget(text);
}

static void wake_waiting(struct spool *spool);

static void on_done(struct worker_job *job)
{
	struct spool_text *text = (struct spool_text *)job;
	struct spool *spool = text->spool;

	text->busy = false;
	if (text->task == TASK_EMPTY) {
		spool_files_give(&spool->files, job->status ? -1 : text->fd);
		forget(text);
		wake_waiting(spool);
		return;
	}
	if (job->status) {
		fail(text, job->status);
	} else if (text->task == TASK_WRITE) {
		uint64_t bytes = (uint64_t)text->part * SPOOL_PIECE_BYTES;
		text->file_bytes += bytes;
		text->memory_bytes -= bytes;
		give_pieces(text, text->part);
	}
	if (!text->owner)
		end(text);
	else
		run_ready(text);
}

/* ---- files ---- */

static void leave_line(struct spool_text *text)
{
	struct spool_text **at = &text->spool->waiting;

	if (!text->waits)
		return;
	while (*at != text)
		at = &(*at)->next;
	*at = text->next;
	text->waits = false;
}

static void join_line(struct spool_text *text)
{
	struct spool_text **at = &text->spool->waiting;

	if (text->waits)
		return;
	while (*at)
		at = &(*at)->next;
	*at = text;
	text->next = NULL;
	text->waits = true;
	text->waits_ms = loop_now_ms(text->spool->loop);
}

/* Half of what is whole, so that more can come when the thread is done. */
static void spill(struct spool_text *text)
{
	uint32_t whole = (uint32_t)(text->memory_bytes / SPOOL_PIECE_BYTES);

	if (text->busy || whole == 0)
		return;
	if (text->fd < 0)
		text->fd = spool_files_take(&text->spool->files);
	if (text->fd < 0) {
		join_line(text);
		return;
	}
	text->part = whole > 1 ? whole / 2 : 1;
	submit(text, TASK_WRITE);
}

static void wake_waiting(struct spool *spool)
{
	struct spool_text *text;

	while ((text = spool->waiting)) {
		text->fd = spool_files_take(&spool->files);
		if (text->fd < 0)
			return;
		leave_line(text);
		spill(text);
	}
}

void spool_on_file(struct spool *spool)
{
	wake_waiting(spool);
}

void spool_tick(struct spool *spool)
{
	uint64_t now_ms = loop_now_ms(spool->loop);
	struct spool_text *text;

	while ((text = spool->waiting) && now_ms >= text->waits_ms + SPOOL_FILE_WAIT_MS) {
		leave_line(text);
		fail(text, spool->files.error ? spool->files.error : -EMFILE);
		run_ready(text);
	}
	if (spool->expects)
		spool_files_fill(&spool->files);
	pool_trim(&spool->pieces, 64);
}

/* ---- a text ---- */

int spool_init(struct spool *spool, struct loop *loop, void (*on_ready)(void *owner))
{
	spool->loop = loop;
	spool->on_ready = on_ready;
	int error = pool_init(&spool->texts, sizeof(struct spool_text), SPOOL_TEXTS);
	if (!error)
		error = pool_init(&spool->pieces, SPOOL_PIECE_BYTES, SPOOL_PIECES);
	if (!error)
		spool->worker = worker_open(loop);
	return error ? error : spool->worker ? 0 : -ENOMEM;
}

void spool_fini(struct spool *spool)
{
	worker_close(spool->worker);
	spool_files_fini(&spool->files);
	pool_fini(&spool->texts);
	pool_fini(&spool->pieces);
}

void spool_expect(struct spool *spool)
{
	if (!spool->expects)
		spool_files_fill(&spool->files);
	spool->expects = true;
}

int spool_may_begin(struct spool *spool)
{
	if (pool_taken(&spool->texts) == SPOOL_TEXTS)
		return -EAGAIN;
	return spool_files_are_low(&spool->files, loop_now_ms(spool->loop)) ? -ENOSPC : 0;
}

struct spool_text *spool_begin(struct spool *spool, void *owner)
{
	uint32_t free =
		SPOOL_PIECES - spool->beyond - pool_taken(&spool->texts) * (SPOOL_SURE_PIECES + 1);

	/* what others have beyond what they are sure of comes back soon */
	if (free < SPOOL_SURE_PIECES + 1)
		return NULL;
	struct spool_text *text = pool_take(&spool->texts);
	if (!text)
		return NULL;
	memset(text, 0, offsetof(struct spool_text, pieces));
	spool->expects = true;
	text->job.run = run_task;
	text->job.done = on_done;
	text->spool = spool;
	text->owner = owner;
	text->fd = -1;
	return text;
}

void spool_free(struct spool_text *text)
{
	if (!text)
		return;
	text->owner = NULL;
	leave_line(text);
	if (!text->busy)
		end(text);
}

uint64_t spool_bytes(const struct spool_text *text)
{
	return text->file_bytes + text->memory_bytes;
}

int spool_error(const struct spool_text *text)
{
	return text->error;
}

size_t spool_room(const struct spool_text *text)
{
	if (text->error)
		return SIZE_MAX;
	uint64_t had = (uint64_t)text->npieces * SPOOL_PIECE_BYTES - text->memory_bytes;

	return had + (size_t)more_pieces(text) * SPOOL_PIECE_BYTES;
}

void spool_put(struct spool_text *text, const void *bytes, size_t len)
{
	const char *from = bytes;

	if (text->error)
		return;
	assert(len <= spool_room(text));
	while (len > 0) {
		size_t at = text->memory_bytes % SPOOL_PIECE_BYTES;
		if (text->memory_bytes == (uint64_t)text->npieces * SPOOL_PIECE_BYTES)
			take_piece(text);
		size_t n = len < SPOOL_PIECE_BYTES - at ? len : SPOOL_PIECE_BYTES - at;
		memcpy(piece_of(text, text->npieces - 1) + at, from, n);
		text->memory_bytes += n;
		from += n;
		len -= n;
	}
	if (spool_room(text) < SPOOL_PIECE_BYTES)
		spill(text);
}

void spool_make_room(struct spool_text *text)
{
	spill(text);
}

/* ---- reading ---- */

/* What the kernel has in memory, as mostly just after it was written: the thread is not woken for
 * each piece. False: it is to be read from the disk. */
static bool read_cached(struct spool_text *text)
{
	uint64_t left = text->file_bytes - text->read_at;
	struct iovec to = {pool_piece(&text->spool->pieces, text->read_piece - 1),
		left < SPOOL_PIECE_BYTES ? (size_t)left : SPOOL_PIECE_BYTES};
	ssize_t n = preadv2(text->fd, &to, 1, (off_t)text->read_at, RWF_NOWAIT);
	bool all = n == (ssize_t)to.iov_len;

	text->read_bytes = all ? to.iov_len : 0;
	return all;
}

static int peek_file(struct spool_text *text, const char **bytes)
{
	uint64_t at = text->taken - text->read_at;

	if (text->taken >= text->read_at && at < text->read_bytes) {
		*bytes = (char *)pool_piece(&text->spool->pieces, text->read_piece - 1) + at;
		return (int)(text->read_bytes - at);
	}
	if (text->busy)
		return -EAGAIN;
	if (!text->read_piece) {
		void *piece = pool_take(&text->spool->pieces);
		assert(piece);
		text->read_piece = 1 + pool_number(&text->spool->pieces, piece);
	}
	text->read_at = text->taken;
	if (read_cached(text)) {
		*bytes = pool_piece(&text->spool->pieces, text->read_piece - 1);
		return (int)text->read_bytes;
	}
	submit(text, TASK_READ);
	return -EAGAIN;
}

int spool_peek(struct spool_text *text, const char **bytes)
{
	if (text->error)
		return text->error;
	if (text->taken < text->file_bytes)
		return peek_file(text, bytes);
	/* what the thread writes is in memory as well, until it is done */
	uint64_t at = text->taken - text->file_bytes;
	size_t in = at % SPOOL_PIECE_BYTES;
	uint64_t left = text->memory_bytes - at;
	if (left == 0)
		return 0;
	*bytes = piece_of(text, (uint32_t)(at / SPOOL_PIECE_BYTES)) + in;
	return (int)(left < SPOOL_PIECE_BYTES - in ? left : SPOOL_PIECE_BYTES - in);
}

void spool_took(struct spool_text *text, size_t len)
{
	assert(text->error || len <= spool_bytes(text) - text->taken);
	text->taken += len;
}
