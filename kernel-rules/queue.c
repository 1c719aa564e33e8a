/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "kernel-rules/netlink.h"

/* Ethernet is not in it; this is enough for all headers that an honest first packet has. */
#define COPY_BYTES   256
#define BUFFER_BYTES (8 << 20) /* more than a full queue takes */
#define READS_MOST   64

struct queue {
	struct netlink nl;
	uint16_t number;
	uint32_t mask, server_mask;
	queue_on_packet *on_packet;
	void *context;
	uint64_t overruns;
	int packets; /* of the reading at hand */
};

static struct nlmsghdr *begin(
	struct queue *queue, struct netlink_request *request, uint16_t type, uint16_t flags)
{
	return netlink_begin_nf(&queue->nl, request, (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type),
		flags, AF_UNSPEC, queue->number);
}

static int configure(struct queue *queue)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = begin(queue, &request, NFQNL_MSG_CONFIG, NLM_F_ACK);
	nfq_nlmsg_cfg_put_cmd(nlh, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
	int status = netlink_ask(&queue->nl, nlh, NULL, NULL);
	if (status)
		return status;
	nlh = begin(queue, &request, NFQNL_MSG_CONFIG, NLM_F_ACK);
	nfq_nlmsg_cfg_put_params(nlh, NFQNL_COPY_PACKET, COPY_BYTES);
	mnl_attr_put_u32(nlh, NFQA_CFG_QUEUE_MAXLEN, htonl(QUEUE_LENGTH));
	mnl_attr_put_u32(nlh, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_FAIL_OPEN));
	mnl_attr_put_u32(nlh, NFQA_CFG_MASK, htonl(NFQA_CFG_F_FAIL_OPEN));
	return netlink_ask(&queue->nl, nlh, NULL, NULL);
}

void queue_close(struct queue *queue)
{
	if (!queue)
		return;
	netlink_close(&queue->nl);
	free(queue);
}

int queue_fd(const struct queue *queue)
{
	return queue->nl.fd;
}

static uint32_t attr_be32(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= 4 ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static void take_mac(const struct nlattr *attr, struct mac *mac)
{
	const struct nfqnl_msg_packet_hw *hw;
	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(*hw))
		return;
	hw = mnl_attr_get_payload(attr);
	if (ntohs(hw->hw_addrlen) == sizeof(mac->bytes))
		memcpy(mac->bytes, hw->hw_addr, sizeof(mac->bytes));
}

static int on_message(void *context, const struct nlmsghdr *nlh)
{
	struct queue *queue = context;
	struct nlattr *attrs[NFQA_MAX + 1] = {0};
	struct queue_packet packet = {0};

	if (nlh->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
		nfq_nlmsg_parse(nlh, attrs) < 0 || !attrs[NFQA_PACKET_HDR] ||
		mnl_attr_get_payload_len(attrs[NFQA_PACKET_HDR]) <
			sizeof(struct nfqnl_msg_packet_hdr))
		return 0;
	const struct nfqnl_msg_packet_hdr *header = mnl_attr_get_payload(attrs[NFQA_PACKET_HDR]);
	packet.id = ntohl(header->packet_id);
	packet.mark = attr_be32(attrs[NFQA_MARK]);
	packet.ifindex = attr_be32(attrs[NFQA_IFINDEX_INDEV]);
	take_mac(attrs[NFQA_HWADDR], &packet.mac);
	queue->packets++;
	const struct nlattr *payload = attrs[NFQA_PAYLOAD];
	packet.is_read = payload && packet_parse(mnl_attr_get_payload(payload),
					    mnl_attr_get_payload_len(payload), &packet.packet) == 0;
	queue->on_packet(queue->context, &packet);
	return 0;
}

/* fd: of an earlier program, bound and configured; -1: to be opened */
static int open_queue(struct queue **out, int fd, uint16_t number, uint32_t mask,
	uint32_t server_mask, queue_on_packet *on_packet, void *context)
{
	struct queue *queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->number = number;
	queue->mask = mask;
	queue->server_mask = server_mask;
	queue->on_packet = on_packet;
	queue->context = context;
	int status = fd < 0 ? netlink_open(&queue->nl, NETLINK_NETFILTER, 0)
			    : netlink_adopt(&queue->nl, NETLINK_NETFILTER, fd);
	queue->nl.on_other = on_message;
	queue->nl.other = queue;
	if (status == 0 && fd < 0) {
		netlink_set_buffer(&queue->nl, BUFFER_BYTES);
		status = configure(queue);
	}
	if (status) {
		queue_close(queue);
		return status;
	}
	*out = queue;
	return 0;
}

int queue_open(struct queue **queue, uint16_t number, uint32_t mask, uint32_t server_mask,
	queue_on_packet *on_packet, void *context)
{
	return open_queue(queue, -1, number, mask, server_mask, on_packet, context);
}

int queue_adopt(struct queue **queue, int fd, uint16_t number, uint32_t mask, uint32_t server_mask,
	queue_on_packet *on_packet, void *context)
{
	return fd < 0 ? -EBADF
		      : open_queue(queue, fd, number, mask, server_mask, on_packet, context);
}

int queue_read(struct queue *queue)
{
	queue->packets = 0;
	int status = netlink_read_events(&queue->nl, READS_MOST, on_message, queue);
	if (status == -ENOBUFS)
		queue->overruns++;
	else if (status)
		return status;
	return queue->packets;
}

/* The kernel carries it out within the call. */
static int send_request(struct queue *queue, const struct nlmsghdr *nlh)
{
	return send(queue->nl.fd, nlh, nlh->nlmsg_len, 0) < 0 ? -errno : 0;
}

/* A number's bits are ours only with the decision that it belongs to. */
static uint32_t mark_of(const struct queue *queue, uint32_t mark, enum mark decision, uint16_t path)
{
	uint32_t mask = queue->mask | (decision == MARK_KERNEL ? queue->server_mask : 0);
	return (mark & ~mask) | plan_mark_bits(queue->mask, decision) |
	       (plan_number_bits(queue->server_mask, path) & mask);
}

int queue_verdict(
	struct queue *queue, uint32_t id, uint32_t mark, enum mark decision, uint16_t path)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = begin(queue, &request, NFQNL_MSG_VERDICT, 0);
	nfq_nlmsg_verdict_put(nlh, (int)id, NF_ACCEPT);
	nfq_nlmsg_verdict_put_mark(nlh, mark_of(queue, mark, decision, path));
	return send_request(queue, nlh);
}

int queue_drop(struct queue *queue, uint32_t id)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = begin(queue, &request, NFQNL_MSG_VERDICT, 0);
	nfq_nlmsg_verdict_put(nlh, (int)id, NF_DROP);
	return send_request(queue, nlh);
}

int queue_drop_up_to(struct queue *queue, uint32_t id)
{
	struct netlink_request request;
	struct nlmsghdr *nlh = begin(queue, &request, NFQNL_MSG_VERDICT_BATCH, 0);
	nfq_nlmsg_verdict_put(nlh, (int)id, NF_DROP);
	return send_request(queue, nlh);
}

uint64_t queue_overruns(const struct queue *queue)
{
	return queue->overruns;
}
