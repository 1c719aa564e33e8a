/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns reading small files and the one way of replacing one. It waits for the disk. */
#ifndef POSTERN_DAEMON_CONTROL_STORE_DISK_H
#define POSTERN_DAEMON_CONTROL_STORE_DISK_H

#include <stddef.h>

/* Writes the file anew: temporary file, fsync, rename, fsync of the folder. Whatever happens, the
 * old or the new one is there. May be called before the loop runs. 0 or -errno. */
int disk_replace(const char *dir, const char *name, const void *bytes, size_t len);
/* The same for what the daemon alone may read, whatever its umask. */
int disk_replace_secret(const char *dir, const char *name, const void *bytes, size_t len);
/* Reads a whole file of at most max bytes; *bytes is malloc'ed and has a NUL behind it. Never
 * waits: what is no regular file, which may be empty only for now, is -EINVAL. */
int disk_read(const char *path, size_t max, char **bytes, size_t *len);
/* The same for a program that may wait for what its caller gives it: /dev/stdin, a pipe of a
 * shell's
 * `<(...)`, a device. A FIFO that has a name is refused: nobody may ever write to it. */
int disk_read_given(const char *path, size_t max, char **bytes, size_t *len);

#endif
