/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/spool/spool_files.h"

#include "daemon/process/child.h"
#include "lib/ipc/flow.h"

#include <errno.h>
#include <sys/vfs.h>
#include <unistd.h>

/* What texts leave to others, above all to records: so much, or so large a part of a small disk. */
#define LEAST_BYTES (1ull << 30)
#define LEAST_PART  16
#define LOOK_MS     1000

void spool_files_init(struct spool_files *files, struct child *child, unsigned share)
{
	*files = (struct spool_files){.child = child, .share = share};
}

void spool_files_fini(struct spool_files *files)
{
	while (files->n > 0)
		close(files->fds[--files->n]);
}

void spool_files_fill(struct spool_files *files)
{
	struct ipc_spool_files_get ipc;
	unsigned there = files->n + files->asked;

	if (there > SPOOL_FILES_STOCK / 2 || there + files->used >= files->share)
		return;
	ipc_init(&ipc, IPC_SPOOL_FILES_GET, sizeof(ipc));
	ipc.n = SPOOL_FILES_STOCK - there;
	if (child_send(files->child, &ipc) == 0)
		files->asked += ipc.n;
}

void spool_files_put(struct spool_files *files, const struct ipc_spool_file *ipc, int fd)
{
	files->error = ipc->status;
	if (ipc->status < 0)
		files->asked = 0;
	else if (files->asked > 0)
		files->asked--;
	if (fd >= 0 && (ipc->status < 0 || files->n == SPOOL_FILES_STOCK))
		close(fd);
	else if (fd >= 0)
		files->fds[files->n++] = fd;
}

void spool_files_on_control_gone(struct spool_files *files)
{
	files->asked = 0;
}

int spool_files_take(struct spool_files *files)
{
	int fd = -1;

	if (files->n > 0 && files->used < files->share) {
		fd = files->fds[--files->n];
		files->used++;
	}
	spool_files_fill(files);
	return fd;
}

void spool_files_give(struct spool_files *files, int fd)
{
	files->used--;
	if (fd >= 0 && files->n == SPOOL_FILES_STOCK)
		close(fd);
	else if (fd >= 0)
		files->fds[files->n++] = fd;
}

/* Has it less than this part of what is to be left? */
static bool has_less(int fd, unsigned part)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	uint64_t block = (uint64_t)(fs.f_frsize ? fs.f_frsize : fs.f_bsize);
	uint64_t least = fs.f_blocks / LEAST_PART * block;
	if (least > LEAST_BYTES)
		least = LEAST_BYTES;
	return fs.f_bavail * block < least / part;
}

bool spool_files_are_low(struct spool_files *files, uint64_t now_ms)
{
	if (files->looked_ms && now_ms < files->looked_ms + LOOK_MS)
		return files->is_low;
	files->looked_ms = now_ms;
	/* without a file to look at it is what control met */
	files->is_low = files->n > 0 ? has_less(files->fds[0], 1)
				     : files->error == -ENOSPC || files->error == -EDQUOT;
	return files->is_low;
}

bool spool_file_is_full(int fd)
{
	return has_less(fd, 2);
}
