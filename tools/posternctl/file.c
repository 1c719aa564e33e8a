/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/file.h"

#include "lib/command/request.h"
#include "lib/language/language.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BYTES_MAX ((size_t)REQUEST_BODY_MAX)

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

/* All of an open file; NULL with errno. */
static char *read_all(FILE *file, size_t *len)
{
	size_t room = 65536, used = 0, n;
	char *text = malloc(room);
	while (text && (n = fread(text + used, 1, room - used, file)) > 0) {
		used += n;
		if (used < room)
			continue;
		errno = EFBIG;
		char *more = room < BYTES_MAX ? realloc(text, room *= 2) : NULL;
		if (!more)
			free(text);
		text = more;
	}
	if (text && ferror(file)) {
		free(text);
		text = NULL;
	}
	*len = used;
	return text;
}

char *file_read(const char *path, size_t *len, char wrong[static FILE_WRONG_SIZE])
{
	FILE *file = file_open(path);
	char *text = file ? read_all(file, len) : NULL;
	if (!text)
		snprintf(wrong, FILE_WRONG_SIZE, "%.400s: %s", path, language_read_error(-errno));
	if (file && file != stdin)
		fclose(file);
	return text;
}
