/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/origin.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef TCP_SAVED_SYN
#define TCP_SAVED_SYN 28
#endif
#ifndef IPV6_2292PKTOPTIONS
#define IPV6_2292PKTOPTIONS 6
#endif

#define ETHERNET_BYTES 14

bool origin_syn_mac(const uint8_t *syn, size_t len, struct mac *mac)
{
	if (len < ETHERNET_BYTES + 20)
		return false;
	unsigned type = (unsigned)syn[12] << 8 | syn[13];
	unsigned version = syn[ETHERNET_BYTES] >> 4;
	if (!(type == 0x0800 && version == 4) && !(type == 0x86dd && version == 6))
		return false;
	memcpy(mac->bytes, syn + 6, sizeof(mac->bytes));
	return mac_is_set(mac);
}

static void ask_syn(int fd, struct origin *origin)
{
	uint8_t syn[512];
	socklen_t len = sizeof(syn);
	if (getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len) < 0 || len == 0)
		return;
	origin->syn_saved = true;
	if (!origin_syn_mac(syn, len, &origin->mac))
		memset(&origin->mac, 0, sizeof(origin->mac));
}

static void ask_interface(int fd, bool ip6, struct origin *origin)
{
	union {
		struct cmsghdr align;
		uint8_t room[256];
	} control;
	socklen_t len = sizeof(control);
	if (getsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP,
		    ip6 ? IPV6_2292PKTOPTIONS : IP_PKTOPTIONS, &control, &len) < 0)
		return;
	struct msghdr msg = {.msg_control = &control, .msg_controllen = len};
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (!ip6 && cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			origin->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (ip6 && cmsg->cmsg_level == IPPROTO_IPV6 &&
			   (cmsg->cmsg_type == IPV6_PKTINFO ||
				   cmsg->cmsg_type == IPV6_2292PKTINFO)) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			origin->ifindex = info.ipi6_ifindex;
		}
	}
}

int origin_ask(int fd, const void *peer, size_t peer_len, struct origin *origin)
{
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);

	memset(origin, 0, sizeof(*origin));
	int rc = endpoint_decode(peer, peer_len, &origin->client);
	if (rc < 0)
		return rc;
	/* the original destination; SO_ORIGINAL_DST can lie on such sockets (doc/kernel.md) */
	if (getsockname(fd, (struct sockaddr *)&local, &len) < 0)
		return -errno;
	rc = endpoint_decode((struct sockaddr *)&local, len, &origin->original);
	if (rc < 0)
		return rc;
	ask_interface(fd, local.ss_family == AF_INET6, origin);
	ask_syn(fd, origin);
	return 0;
}
