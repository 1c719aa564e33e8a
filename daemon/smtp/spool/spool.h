/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns texts that are kept whole until their verdict is there: the first of each in memory, the
 * rest in a file that has no name.
 *
 * A text has at most SPOOL_MEMORY_BYTES in memory. What does not fit goes to a file, half of it at
 * a time, by a thread: a disk that stands still holds up the texts that need it and nothing else.
 * All texts of a process together have SPOOL_PIECES of memory; each is sure of a few of them, so
 * that none waits for another, and goes to its file the sooner the less there is beyond. Files come
 * from control (spool_files.h). */
#ifndef POSTERN_DAEMON_SMTP_SPOOL_SPOOL_H
#define POSTERN_DAEMON_SMTP_SPOOL_SPOOL_H

#include "daemon/base/pool.h"
#include "daemon/base/worker.h"
#include "daemon/smtp/spool/spool_files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_PIECE_BYTES  (16u << 10)
#define SPOOL_TEXT_PIECES  64u /* of one text in memory: 1 MiB */
#define SPOOL_MEMORY_BYTES (SPOOL_TEXT_PIECES * SPOOL_PIECE_BYTES)
#define SPOOL_TEXTS        1024u /* at once, in one process */
#define SPOOL_SURE_PIECES  4u    /* of each text; and one to read its file by */
#define SPOOL_PIECES       (SPOOL_TEXTS * (SPOOL_SURE_PIECES + 1)) /* 80 MiB */
#define SPOOL_FILE_WAIT_MS 10000 /* for a file; then the text is given up */

struct spool_text;

struct spool {
	struct worker *worker;
	struct loop *loop;
	struct pool texts, pieces;
	uint32_t beyond; /* pieces that are taken beyond the sure ones */
	bool expects;    /* texts may come: files are kept in stock */
	struct spool_files files;
	struct spool_text *waiting; /* for a file */
	/* A text takes or gives something again; also one that failed. */
	void (*on_ready)(void *owner);
};

/* Before the process gives up its privileges. 0 or -errno. */
int spool_init(struct spool *spool, struct loop *loop, void (*on_ready)(void *owner));
/* When no text is left; waits for the disk. */
void spool_fini(struct spool *spool);
/* A file came, or none can be had (files.error). */
void spool_on_file(struct spool *spool);
/* Once a second. */
void spool_tick(struct spool *spool);

/* Texts may come: by its files the disk is known before the first of them. */
void spool_expect(struct spool *spool);
/* May a text begin? -ENOSPC: the disk is nearly full; -EAGAIN: there are too many texts. */
int spool_may_begin(struct spool *spool);
/* NULL: as above, or no memory. owner: for on_ready(). */
struct spool_text *spool_begin(struct spool *spool, void *owner);
/* The text is over, whatever became of it. */
void spool_free(struct spool_text *text);
uint64_t spool_bytes(const struct spool_text *text);
/* What failed; 0: nothing. A text that failed takes everything and keeps nothing. */
int spool_error(const struct spool_text *text);

/* So much can be put now; on_ready() tells when it becomes more. */
size_t spool_room(const struct spool_text *text);
/* It is to become more: the first of the text go to its file. */
void spool_make_room(struct spool_text *text);
void spool_put(struct spool_text *text, const void *bytes, size_t len);

/* What is next to be read, behind what was taken: how many bytes, 0 at the end; -EAGAIN: on_ready()
 * tells; other -errno. Until spool_took(). */
int spool_peek(struct spool_text *text, const char **bytes);
/* So many bytes are passed over: any number, as long as there are. */
void spool_took(struct spool_text *text, size_t len);

#endif
