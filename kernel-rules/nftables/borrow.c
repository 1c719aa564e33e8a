/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Borrowing the table's socket: where the kernel has owned tables, nobody but the socket that owns
 * it may change one, and a process that hangs holds it all the same. Root takes a copy of the
 * descriptor out of that process (Linux 5.6) and speaks as the owner. */
#include "kernel-rules/nftables/table_state.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/netlink.h>

/* 0: the table is nobody's, or not there. */
static int read_owner(uint32_t *port)
{
	struct netlink nl;
	struct contents view;
	int error = netlink_open(&nl, NETLINK_NETFILTER, 0);
	if (error)
		return error;
	error = contents_read(&nl, &view);
	*port = error || !(view.flags & TABLE_F_OWNER) ? 0 : view.owner;
	contents_fini(&view);
	netlink_close(&nl);
	return error;
}

/* The inode of the netfilter socket with this port, in our own network namespace; 0: none. */
static unsigned long find_inode(uint32_t port)
{
	FILE *file = fopen("/proc/net/netlink", "re");
	unsigned long inode, found = 0;
	unsigned bus, pid;
	char line[256];
	while (file && !found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %u %u %*s %*s %*s %*s %*s %*s %lu", &bus, &pid, &inode) ==
				3 &&
			bus == NETLINK_NETFILTER && pid == port)
			found = inode;
	if (file)
		fclose(file);
	return found;
}

/* Which descriptor of the process it is; -1: none. */
static int find_descriptor(const char *pid, unsigned long inode)
{
	char path[64], link[64], wanted[64];
	int found = -1;
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && found < 0 && (entry = readdir(folder))) {
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		if (strcmp(link, wanted) == 0)
			found = atoi(entry->d_name);
	}
	if (folder)
		closedir(folder);
	return found;
}

static int take_copy(const char *pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
	if (process < 0)
		return -errno;
	int copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	int error = -errno;
	close(process);
	return copy < 0 ? error : copy;
}

static int copy_socket(unsigned long inode)
{
	int result = -ESRCH;
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	while (folder && result == -ESRCH && (entry = readdir(folder))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		int fd = find_descriptor(entry->d_name, inode);
		if (fd >= 0)
			result = take_copy(entry->d_name, fd);
	}
	if (folder)
		closedir(folder);
	return result;
}

int table_borrow(struct table **table)
{
	uint32_t port;
	int error = read_owner(&port);
	if (error)
		return error;
	unsigned long inode = port ? find_inode(port) : 0;
	int fd = inode ? copy_socket(inode) : -ESRCH;
	if (fd < 0)
		return fd;
	error = table_adopt(table, fd, 0);
	if (error)
		close(fd);
	return error;
}
