/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/bridge_port.h"

#include "kernel-rules/netlink.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define READS_MOST 64
#define TRIES      8

struct seen {
	struct mac mac;
	uint32_t port; /* 0: none */
	uint32_t when; /* the number of what was heard */
};

struct bridge_ports {
	struct netlink events, questions;
	uint32_t heard;
	struct seen v[BRIDGE_PORT_SETS][BRIDGE_PORT_WAYS];
};

static struct seen *set_of(struct bridge_ports *ports, const struct mac *mac)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(mac->bytes); i++)
		hash = (hash ^ mac->bytes[i]) * 16777619u;
	return ports->v[(hash ^ hash >> 16) % BRIDGE_PORT_SETS];
}

static void note(struct bridge_ports *ports, const struct mac *mac, uint32_t port)
{
	struct seen *set = set_of(ports, mac), *to = set;

	for (size_t i = 0; i < BRIDGE_PORT_WAYS; i++) {
		if (set[i].port && mac_equal(&set[i].mac, mac)) {
			to = &set[i];
			break;
		}
		if (to->port && (!set[i].port || set[i].when - to->when > UINT32_MAX / 2))
			to = &set[i];
	}
	*to = (struct seen){.mac = *mac, .port = port, .when = ++ports->heard};
}

/* A MAC that a bridge has learned. Its own, and what a device of it keeps for itself, are none. */
static int on_entry(void *context, const struct nlmsghdr *nlh)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct mac mac = {0};
	bool of_bridge = false;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) ||
		ndm->ndm_family != AF_BRIDGE || ndm->ndm_ifindex <= 0 ||
		ndm->ndm_state & NUD_PERMANENT)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm))
	{
		size_t have = mnl_attr_get_payload_len(attr);
		if (mnl_attr_get_type(attr) == NDA_LLADDR && have == sizeof(mac.bytes))
			memcpy(mac.bytes, mnl_attr_get_payload(attr), sizeof(mac.bytes));
		else if (mnl_attr_get_type(attr) == NDA_MASTER)
			of_bridge = true;
	}
	if (of_bridge && mac_is_set(&mac) && !mac_is_group(&mac))
		note(context, &mac, (uint32_t)ndm->ndm_ifindex);
	return 0;
}

/* The states of IP neighbours, which change all the time, come to the same group. */
static int hear_bridges_alone(const struct netlink *nl)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_family)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_BRIDGE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	return setsockopt(nl->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
		       ? -errno
		       : 0;
}

/* A machine without bridges may not know the question. */
static int read_all(struct bridge_ports *ports)
{
	struct netlink_request request;
	int status = -EINTR;

	for (unsigned tries = 0; status == -EINTR && tries < TRIES; tries++) {
		struct nlmsghdr *nlh =
			netlink_begin(&ports->questions, &request, RTM_GETNEIGH, NLM_F_DUMP);
		struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
		ndm->ndm_family = AF_BRIDGE;
		status = netlink_ask(&ports->questions, nlh, on_entry, ports);
	}
	return status == -EOPNOTSUPP || status == -EINTR ? 0 : status;
}

int bridge_ports_open(struct bridge_ports **out)
{
	struct bridge_ports *ports = calloc(1, sizeof(*ports));

	if (!ports)
		return -ENOMEM;
	ports->questions.fd = -1;
	/* listen first, so that nothing falls between reading and listening */
	int status = netlink_open(&ports->events, NETLINK_ROUTE, RTMGRP_NEIGH);
	if (status == 0)
		status = hear_bridges_alone(&ports->events);
	if (status == 0)
		status = netlink_open(&ports->questions, NETLINK_ROUTE, 0);
	if (status == 0) {
		netlink_set_buffer(&ports->events, 1 << 20);
		status = read_all(ports);
	}
	if (status) {
		bridge_ports_close(ports);
		return status;
	}
	*out = ports;
	return 0;
}

void bridge_ports_close(struct bridge_ports *ports)
{
	if (!ports)
		return;
	netlink_close(&ports->events);
	netlink_close(&ports->questions);
	free(ports);
}

int bridge_ports_fd(const struct bridge_ports *ports)
{
	return ports->events.fd;
}

int bridge_ports_read(struct bridge_ports *ports)
{
	int status = netlink_read_events(&ports->events, READS_MOST, on_entry, ports);

	return status == -ENOBUFS ? read_all(ports) : status;
}

void bridge_ports_take(
	struct bridge_ports *ports, uint32_t port, bridge_ports_visit *visit, void *context)
{
	for (size_t set = 0; set < BRIDGE_PORT_SETS; set++)
		for (size_t i = 0; i < BRIDGE_PORT_WAYS; i++) {
			struct seen *seen = &ports->v[set][i];
			if (seen->port != port)
				continue;
			visit(context, &seen->mac);
			seen->port = 0;
		}
}
