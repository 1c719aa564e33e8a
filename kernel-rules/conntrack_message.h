/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of a connection as the kernel tells it (ctnetlink). */
#ifndef POSTERN_KERNEL_RULES_CONNTRACK_MESSAGE_H
#define POSTERN_KERNEL_RULES_CONNTRACK_MESSAGE_H

#include "lib/base/addr.h"

/* No message of one connection is longer. */
#define CONNTRACK_MESSAGE_MAX 4096

struct conntrack_one {
	struct endpoint source, destination; /* as its opener has them */
	struct endpoint answerer;            /* who answers: behind DNAT the server */
	struct endpoint answered_to;         /* whom: behind SNAT the gateway */
	uint8_t protocol;
	/* An operator's zone, of both directions or of the original one alone. */
	uint16_t zone, original_zone;
	bool has_zone, has_original_zone;
	uint8_t state;   /* TCP_CONNTRACK_* */
	uint32_t left_s; /* until the kernel forgets it */
	uint32_t mark;
	/* Of the opener, and of the answerer; all 0 where the kernel does not count. */
	uint64_t sent_packets, sent_bytes, answered_packets, answered_bytes;
};

/* A netlink message, its header included. 0, or -EBADMSG. */
int conntrack_message_parse(const void *bytes, size_t len, struct conntrack_one *one);
/* Is only a memory of it left? */
bool conntrack_is_over(const struct conntrack_one *one);

#endif
