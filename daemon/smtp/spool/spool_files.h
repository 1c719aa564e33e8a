/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the files for texts: a few that are empty and nobody's, more from control as they are used.
 * None has a name: a process that ends in whatever way leaves nothing behind. */
#ifndef POSTERN_DAEMON_SMTP_SPOOL_SPOOL_FILES_H
#define POSTERN_DAEMON_SMTP_SPOOL_SPOOL_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct ipc_spool_file;
struct child;

#define SPOOL_FILES       1024 /* of all smtp processes together, whatever is in them */
#define SPOOL_FILES_STOCK 8

struct spool_files {
	struct child *child;
	int fds[SPOOL_FILES_STOCK];
	unsigned n;
	unsigned asked; /* and not come yet */
	unsigned used;  /* by texts, or on their way back */
	unsigned share; /* so many of them at most */
	int error;      /* why the last did not come; 0: it did */
	uint64_t looked_ms;
	bool is_low;
};

void spool_files_init(struct spool_files *files, struct child *child, unsigned share);
void spool_files_fini(struct spool_files *files);
/* Asks control for what is missing: once a second, and as files are taken. */
void spool_files_fill(struct spool_files *files);
/* Control's answer; fd is taken over, -1: none. */
void spool_files_put(struct spool_files *files, const struct ipc_spool_file *ipc, int fd);
/* What was asked for and did not come will not come. */
void spool_files_on_control_gone(struct spool_files *files);

/* -1: none is there. */
int spool_files_take(struct spool_files *files);
/* It is empty again, or (-1) closed. */
void spool_files_give(struct spool_files *files, int fd);

/* Has the disk less room than is left for others? */
bool spool_files_are_low(struct spool_files *files, uint64_t now_ms);
/* Is so little left on the disk of this file that no text goes on? In the thread. */
bool spool_file_is_full(int fd);

#endif
