/* Owns writing small files of the state folder: a thread of its own, so that control never waits
 * for a disk, and the one way of replacing a file. */
#ifndef POSTERN_DISK_H
#define POSTERN_DISK_H

#include "daemon/loop.h"

#include <stddef.h>

struct disk;

struct disk_job {
	struct disk_job *next;
	int status; /* what run returned */
	/* In the thread: may wait, must not touch what the loop owns. 0 or -errno. */
	int (*run)(struct disk_job *job);
	/* In the loop, later. May free the job. */
	void (*done)(struct disk_job *job);
};

/* Starts the thread; before the process gives up its privileges. NULL: out of memory. */
struct disk *disk_open(struct loop *loop);
/* Waits for all jobs and calls their done(), those included that a done() submits. Were there any?
 */
bool disk_settle(struct disk *disk);
/* The same, and ends the thread. NULL is allowed. */
void disk_close(struct disk *disk);
/* Jobs run one after the other, in order. */
void disk_submit(struct disk *disk, struct disk_job *job);

/* Writes the file anew: temporary file, fsync, rename, fsync of the folder. Whatever happens, the
 * old or the new one is there. May be called before the loop runs. 0 or -errno. */
int disk_replace(const char *dir, const char *name, const void *bytes, size_t len);
/* Reads a whole file of at most max bytes; *bytes is malloc'ed and has a NUL behind it. Never
 * waits: what is no regular file, which may be empty only for now, is -EINVAL. */
int disk_read(const char *path, size_t max, char **bytes, size_t *len);
/* The same for a program that may wait for what its caller gives it: /dev/stdin, a pipe of a
 * shell's
 * `<(...)`, a device. A FIFO that has a name is refused: nobody may ever write to it. */
int disk_read_given(const char *path, size_t max, char **bytes, size_t *len);

#endif
