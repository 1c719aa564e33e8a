/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/spool_files.h"

#include "daemon/base/channel.h"
#include "daemon/base/log.h"
#include "daemon/base/worker.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct making {
	struct worker_job job; /* first */
	struct control *control;
	enum process_role role; /* whose they will be, if it is still the same */
	uint32_t number, generation;
	uint32_t wanted, n;
	int fds[IPC_SPOOL_FILES_MAX];
};

/* Where a file system has none without a name (overlayfs, some of FUSE), one loses it at once. */
static int open_and_unlink(const char *dir)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/.text-XXXXXX", dir);

	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (unlink(path) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

int spool_file_open(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* EISDIR and ENOENT: a kernel that does not know the flag */
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL)
		return open_and_unlink(dir);
	return -errno;
}

static int run(struct worker_job *job)
{
	struct making *making = (struct making *)job;

	while (making->n < making->wanted) {
		int fd = spool_file_open(making->control->start.options.state_dir);
		if (fd < 0)
			return fd;
		making->fds[making->n++] = fd;
	}
	return 0;
}

static void send_all(const struct making *making, const struct peer *peer)
{
	struct ipc_spool_file ipc;
	int error = making->job.status;

	ipc_init(&ipc, IPC_SPOOL_FILE, sizeof(ipc));
	for (uint32_t i = 0; i < making->n; i++) {
		int sent = channel_send(peer->channel, &ipc, making->fds[i]);
		error = sent < 0 ? sent : error;
	}
	ipc.status = error;
	if (ipc.status < 0)
		channel_send(peer->channel, &ipc, -1);
}

static void done(struct worker_job *job)
{
	struct making *making = (struct making *)job;
	const struct peer *peer =
		making->control->flow_peers
			? flow_peers_find(making->control->flow_peers, making->role, making->number)
			: NULL;

	if (job->status)
		log_warning("cannot make a file for a message's text in %s: %s",
			making->control->start.options.state_dir, strerror(-job->status));
	if (peer && peer->channel && peer->generation == making->generation)
		send_all(making, peer);
	while (making->n > 0)
		close(making->fds[--making->n]);
	free(making);
}

void spool_files_send(struct peer *peer, const struct ipc_spool_files_get *get)
{
	struct making *making = calloc(1, sizeof(*making));

	if (!making)
		return;
	*making = (struct making){.job = {.run = run, .done = done},
		.control = peer->control,
		.role = peer->role,
		.number = peer->number,
		.generation = peer->generation,
		.wanted = get->n};
	worker_submit(peer->control->disk, &making->job);
}
