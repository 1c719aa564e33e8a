/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel-rules/netlink.h"

#define READS_MOST 64

struct watch {
	struct netlink nl;
};

/* Our own changes are most of all that happens (each new client is one): the kernel drops them
 * before they reach the socket. Classic BPF loads in network byte order. */
static int ignore_port(int fd, uint32_t port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

int watch_open(const struct table *table, struct watch **watch)
{
	int group = NFNLGRP_NFTABLES;
	struct watch *w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	int status = netlink_open(&w->nl, NETLINK_NETFILTER, 0);
	if (status) {
		free(w);
		return status;
	}
	netlink_set_buffer(&w->nl, 1 << 20);
	status = ignore_port(w->nl.fd, table_port(table));
	if (status == 0 && setsockopt(w->nl.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
				   sizeof(group)) < 0)
		status = -errno;
	if (status) {
		watch_close(w);
		return status;
	}
	*watch = w;
	return 0;
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	netlink_close(&watch->nl);
	free(watch);
}

int watch_fd(const struct watch *watch)
{
	return watch->nl.fd;
}

/* Attribute 1 of every message but NEWGEN is the table's name. */
static int on_event(void *context, const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	bool *ours = context;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		(nlh->nlmsg_type & 0xff) == NFT_MSG_NEWGEN || nfg->nfgen_family != NFPROTO_INET)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
	{
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME &&
			mnl_attr_get_payload_len(attr) == sizeof(TABLE_NAME) &&
			memcmp(mnl_attr_get_payload(attr), TABLE_NAME, sizeof(TABLE_NAME)) == 0)
			*ours = true;
	}
	return 0;
}

int watch_read(struct watch *watch)
{
	bool ours = false;
	int status = netlink_read_events(&watch->nl, READS_MOST, on_event, &ours);
	if (status == -ENOBUFS)
		return 1;
	return status ? status : ours;
}
