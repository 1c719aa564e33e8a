/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one nftables transaction: its messages in one buffer, its sending, its answers. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_BATCH_H
#define POSTERN_KERNEL_RULES_NFTABLES_BATCH_H

#include "kernel-rules/netlink.h"

#define BATCH_BYTES_MAX (64u << 20)
/* A message is never larger: whoever fills one with elements stops in time. */
#define BATCH_MESSAGE_MAX 49152

struct batch {
	char *bytes;
	size_t used, room;
	uint32_t seq;    /* of the last message */
	int error;       /* first failure while building: -ENOMEM or -EMSGSIZE */
	uint32_t failed; /* after a failed batch_send(): sequence number of what was refused */
};

/* Begins a transaction. Errors while building are kept and come out of batch_send(). */
void batch_init(struct batch *batch);
void batch_fini(struct batch *batch);
/* Begins a message (NFT_MSG_*) in family inet. There is room for BATCH_MESSAGE_MAX bytes. NULL
 * when the batch has failed already. It counts only with batch_end(). */
struct nlmsghdr *batch_begin(struct batch *batch, uint16_t message, uint16_t flags);
void batch_end(struct batch *batch, const struct nlmsghdr *nlh);
void batch_fail(struct batch *batch, int error);

/* All or nothing. 0; -EMSGSIZE before anything was sent; what the kernel said to the first refused
 * message. */
int batch_send(struct batch *batch, struct netlink *nl);
/* Type of the message that was refused: NFT_MSG_*, or -1. */
int batch_failed_type(const struct batch *batch);

#endif
