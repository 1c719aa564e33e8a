/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/credential/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LETSENCRYPT "/etc/letsencrypt/"
#define HOOK        "/usr/share/postern/hooks/certbot"

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static struct file_stamp stamp_of(const struct stat *st)
{
	return (struct file_stamp){.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.changed_ns = ns_of(&st->st_ctim),
		.written_ns = ns_of(&st->st_mtim)};
}

struct file_stamp file_stamp_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? (struct file_stamp){0} : stamp_of(&st);
}

bool file_stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed_ns == b->changed_ns && a->written_ns == b->written_ns;
}

void secret_file_wipe(struct secret_file *file)
{
	if (file->bytes)
		explicit_bzero(file->bytes, file->len);
	free(file->bytes);
	file->bytes = NULL;
	file->len = 0;
}

/* Never into memory that grows: what realloc() leaves behind nobody wipes. */
static int read_whole(int fd, const struct stat *st, struct secret_file *file)
{
	size_t size = (size_t)st->st_size, used = 0;
	struct stat after;

	file->bytes = malloc(size + 1);
	file->len = size;
	if (!file->bytes)
		return -ENOMEM;
	while (used < size) {
		ssize_t n = read(fd, file->bytes + used, size - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EAGAIN;
		used += (size_t)n;
	}
	if (fstat(fd, &after) < 0)
		return -errno;
	file->stamp = stamp_of(&after);
	const struct file_stamp before = stamp_of(st);
	return file_stamp_same(&before, &file->stamp) ? 0 : -EAGAIN;
}

int secret_file_read(const char *path, size_t max, struct secret_file *file)
{
	struct stat st;

	*file = (struct secret_file){0};
	/* O_NONBLOCK: a FIFO's writer may never come */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int error = fstat(fd, &st) < 0           ? -errno
		    : S_ISDIR(st.st_mode)        ? -EISDIR
		    : !S_ISREG(st.st_mode)       ? -EINVAL
		    : (uint64_t)st.st_size > max ? -EFBIG
						 : read_whole(fd, &st, file);
	file->mode = st.st_mode & 07777;
	close(fd);
	if (error)
		secret_file_wipe(file);
	return error;
}

/* The first folder on the way that may not be passed; false: all may. */
static bool find_closed_folder(const char *path, char folder[static PATH_MAX])
{
	for (size_t i = 1; path[i] && i < PATH_MAX; i++) {
		if (path[i] != '/')
			continue;
		memcpy(folder, path, i);
		folder[i] = '\0';
		if (access(folder, X_OK) < 0 && errno == EACCES)
			return true;
	}
	return false;
}

/* The file that a link leads to as far as we may see it. */
static void why_denied(const char *path, const char *user, char buf[static FILE_WHY_SIZE])
{
	char folder[PATH_MAX], end[PATH_MAX];
	const char *file = realpath(path, end) ? end : path;

	if (strncmp(path, LETSENCRYPT, strlen(LETSENCRYPT)) == 0 ||
		strncmp(file, LETSENCRYPT, strlen(LETSENCRYPT)) == 0)
		snprintf(buf, FILE_WHY_SIZE,
			"Permission denied for user %s: certbot keeps it for root; type: " HOOK
			" DIR, the certificate's folder in " LETSENCRYPT "live, and name the copy "
			"(postern-hooks(5))",
			user);
	else if (find_closed_folder(path, folder) || find_closed_folder(file, folder))
		snprintf(buf, FILE_WHY_SIZE,
			"Permission denied for user %s in %.200s; type: setfacl -m u:%s:x %.200s",
			user, folder, user, folder);
	else
		snprintf(buf, FILE_WHY_SIZE,
			"Permission denied for user %s; type: setfacl -m u:%s:r %.400s", user, user,
			file);
}

const char *secret_file_why(const char *path, size_t max, int error, const char *user,
	const char *expected, char buf[static FILE_WHY_SIZE])
{
	switch (-error) {
	case EACCES:
		why_denied(path, user, buf);
		break;
	case EISDIR:
		snprintf(buf, FILE_WHY_SIZE, "it is a folder, expected %s", expected);
		break;
	case EINVAL:
		snprintf(buf, FILE_WHY_SIZE, "it is no regular file, expected %s", expected);
		break;
	case EFBIG:
		snprintf(buf, FILE_WHY_SIZE, "it is too large, expected at most %zu bytes", max);
		break;
	case EAGAIN:
		snprintf(buf, FILE_WHY_SIZE, "it is being written just now");
		break;
	default:
		snprintf(buf, FILE_WHY_SIZE, "%s, expected %s", strerror(-error), expected);
	}
	return buf;
}
