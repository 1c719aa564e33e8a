/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int replace(const char *dir, const char *name, const void *bytes, size_t len, mode_t mode)
{
	char temporary[256];
	snprintf(temporary, sizeof(temporary), ".%s.new", name);
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	int error = 0;
	unlinkat(folder, temporary, 0); /* of one that died, with another mode */
	int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0) {
		error = -errno;
		goto close_folder;
	}
	error = write_all(fd, bytes, len);
	close(fd);
	if (!error && renameat(folder, temporary, folder, name) < 0)
		error = -errno;
	if (!error && fsync(folder) < 0)
		error = -errno;
	if (error)
		unlinkat(folder, temporary, 0);
close_folder:
	close(folder);
	return error;
}

int disk_replace(const char *dir, const char *name, const void *bytes, size_t len)
{
	return replace(dir, name, bytes, len, 0640);
}

int disk_replace_secret(const char *dir, const char *name, const void *bytes, size_t len)
{
	return replace(dir, name, bytes, len, 0600);
}

static int read_all(int fd, size_t room, size_t max, char **bytes, size_t *len)
{
	size_t used = 0;
	char *text = room <= max + 1 ? malloc(room) : NULL;
	int error = text ? 0 : -EFBIG;
	while (!error) {
		ssize_t n = read(fd, text + used, room - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			error = n < 0 ? -errno : 0;
			break;
		}
		used += (size_t)n;
		if (used + 1 < room)
			continue;
		char *more = used <= max ? realloc(text, 2 * room) : NULL;
		if (!more) {
			error = -EFBIG;
		} else {
			text = more;
			room *= 2;
		}
	}
	if (!error && used > max)
		error = -EFBIG;
	if (error) {
		free(text);
		return error;
	}
	text[used] = '\0';
	*bytes = text;
	*len = used;
	return 0;
}

static int read_file(int fd, const struct stat *st, size_t max, char **bytes, size_t *len)
{
	bool sized = S_ISREG(st->st_mode) && st->st_size > 0;
	return read_all(fd, sized ? (size_t)st->st_size + 1 : 65536, max, bytes, len);
}

/* O_NONBLOCK: opening a FIFO shall not wait for its writer. fd, or -errno. */
static int open_file(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int error = fstat(fd, st) < 0 ? -errno : S_ISDIR(st->st_mode) ? -EISDIR : 0;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int disk_read(const char *path, size_t max, char **bytes, size_t *len)
{
	struct stat st;
	int fd = open_file(path, &st);
	if (fd < 0)
		return fd;
	int error = S_ISREG(st.st_mode) ? read_file(fd, &st, max, bytes, len) : -EINVAL;
	close(fd);
	return error;
}

static bool has_name(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) < 0 || fs.f_type != PIPEFS_MAGIC;
}

int disk_read_given(const char *path, size_t max, char **bytes, size_t *len)
{
	struct stat st;
	if (strcmp(path, "/dev/stdin") == 0)
		return fstat(STDIN_FILENO, &st) < 0 ? -errno
						    : read_file(STDIN_FILENO, &st, max, bytes, len);
	int fd = open_file(path, &st);
	if (fd < 0)
		return fd;
	int error = S_ISFIFO(st.st_mode) && has_name(fd) ? -EINVAL : 0;
	if (!error)
		error = fcntl(fd, F_SETFL, 0) < 0 ? -errno : read_file(fd, &st, max, bytes, len);
	close(fd);
	return error;
}
