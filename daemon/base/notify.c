/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static int manager = -1;

void notify_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* of the abstract name space */
		address.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		manager = fd;
}

int notify_fd(void)
{
	return manager;
}

void notify_adopt(int fd)
{
	manager = fd;
}

void notify_reloading(const char *status)
{
	struct timespec now = {0};
	char state[256];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=%s",
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, status);
	notify_manager(state);
}

void notify_manager(const char *state)
{
	if (manager >= 0)
		send(manager, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}
