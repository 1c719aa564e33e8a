/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static bool is_named_fifo(int fd)
{
	struct stat st;
	struct statfs fs;
	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
	       (fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC);
}

FILE *file_open(const char *path)
{
	if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0)
		return stdin;
	/* O_NONBLOCK: opening a FIFO shall not wait */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	int error = is_named_fifo(fd) ? EINVAL : fcntl(fd, F_SETFL, 0) < 0 ? errno : 0;
	FILE *file = error ? NULL : fdopen(fd, "r");
	if (!file) {
		close(fd);
		errno = error ? error : ENOMEM;
	}
	return file;
}
