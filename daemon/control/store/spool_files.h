/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the files that smtp processes keep texts in: made in the state folder without a name, given
 * away, and never opened by anybody again. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_SPOOL_FILES_H
#define POSTERN_DAEMON_CONTROL_STORE_SPOOL_FILES_H

#include "lib/ipc/flow.h"

struct control;
struct peer;

/* Its thread makes them: they reach the process when they are there, or why they are not. */
void spool_files_send(struct peer *peer, const struct ipc_spool_files_get *get);
/* A file that has no name any more, or never had one; -errno. */
int spool_file_open(const char *dir);

#endif
