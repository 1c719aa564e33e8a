/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/own_address.h"

#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A packet to an address of ours leaves from that same address. */
static bool leaves_from_itself(int fd, const struct addr *addr)
{
	struct endpoint end = {.addr = *addr, .port = 9}, local;
	struct sockaddr_storage sa;
	socklen_t len = (socklen_t)endpoint_encode(&end, &sa);

	if (connect(fd, (struct sockaddr *)&sa, len) < 0)
		return false;
	len = sizeof(sa);
	return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
	       endpoint_decode((struct sockaddr *)&sa, len, &local) == 0 &&
	       addr_equal(&local.addr, addr);
}

/* A second IPv4 address of a network is left from the first one: it stands in the list alone. */
static bool is_listed(int fd, const struct addr *addr)
{
	struct ifconf list = {0};
	bool found = false;

	if (ioctl(fd, SIOCGIFCONF, &list) < 0 || list.ifc_len <= 0)
		return false;
	list.ifc_buf = malloc((size_t)list.ifc_len);
	if (!list.ifc_buf || ioctl(fd, SIOCGIFCONF, &list) < 0)
		list.ifc_len = 0;
	for (size_t i = 0; !found && i < (size_t)list.ifc_len / sizeof(struct ifreq); i++) {
		struct endpoint own;
		const struct sockaddr *sa = &list.ifc_req[i].ifr_addr;
		found = endpoint_decode(sa, sizeof(*sa), &own) == 0 && addr_equal(&own.addr, addr);
	}
	free(list.ifc_buf);
	return found;
}

bool own_address(const struct addr *addr)
{
	int family = addr->family == ADDR_IP6 ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	bool own = leaves_from_itself(fd, addr) || (family == AF_INET && is_listed(fd, addr));
	close(fd);
	return own;
}
