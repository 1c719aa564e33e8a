/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns reading a file whose bytes must not stay in memory: a key, a secret; and the words for why
 * one cannot be read, with the line to type. */
#ifndef POSTERN_DAEMON_CONTROL_CREDENTIAL_FILE_H
#define POSTERN_DAEMON_CONTROL_CREDENTIAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What changes when the file does. */
struct file_stamp {
	uint64_t device, inode, size;
	int64_t changed_ns, written_ns;
};

struct secret_file {
	uint8_t *bytes; /* malloc'ed; wiped by secret_file_wipe() */
	size_t len;
	struct file_stamp stamp;
	unsigned mode;
};

/* What is no regular file is -EINVAL, a folder -EISDIR, what is written just now -EAGAIN, more than
 * max bytes -EFBIG. 0 or -errno. */
int secret_file_read(const char *path, size_t max, struct secret_file *file);
void secret_file_wipe(struct secret_file *file);
/* Zero: it cannot be looked at. */
struct file_stamp file_stamp_of(const char *path);
bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b);

/* Why it could not be read by this user, who runs this, and what to type where that mends it:
 * "Permission denied; type: setfacl -m u:postern:r FILE"; else what was expected there. */
#define FILE_WHY_SIZE 640
const char *secret_file_why(const char *path, size_t max, int error, const char *user,
	const char *expected, char buf[static FILE_WHY_SIZE]);

#endif
