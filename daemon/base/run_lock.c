/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

bool run_lock_is_held(const char *run_dir, char pid[RUN_LOCK_PID_SIZE])
{
	char path[PATH_MAX], text[RUN_LOCK_PID_SIZE] = "?";

	snprintf(path, sizeof(path), "%s/" RUN_LOCK_NAME, run_dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	ssize_t len = held ? pread(fd, text, sizeof(text) - 1, 0) : 0;
	if (len > 0)
		text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
	if (pid)
		memcpy(pid, text, sizeof(text));
	return held;
}
