/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/setting.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define FILLING_PERCENT 80

long setting_read(const char *path)
{
	char text[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

bool setting_is_filling(long count, long max)
{
	return max > 0 && (int64_t)count * 100 >= (int64_t)max * FILLING_PERCENT;
}

bool setting_of_conntrack(long *count, long *max)
{
	*max = setting_read("/proc/sys/net/netfilter/nf_conntrack_max");
	*count = setting_read("/proc/sys/net/netfilter/nf_conntrack_count");
	return setting_is_filling(*count, *max);
}
