/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the log of flows that the kernel carries alone: our table tells of each first packet and of
 * each FIN and RST (NFLOG). */
#ifndef POSTERN_KERNEL_RULES_FLOW_LOG_H
#define POSTERN_KERNEL_RULES_FLOW_LOG_H

#include "lib/base/addr.h"

/* What our rules log: how many bytes of a packet, and how many packets the kernel gathers before it
 * wakes the reader. */
#define FLOW_LOG_BYTES 128
#define FLOW_LOG_BATCH 64
/* After so long it wakes him all the same; in 1/100 s. */
#define FLOW_LOG_FLUSH 10

enum flow_log_kind {
	FLOW_LOG_BEGIN,  /* the first packet, which may come more than once */
	FLOW_LOG_END,    /* a FIN or RST of the client */
	FLOW_LOG_ANSWER, /* a FIN or RST of the server */
};
#define FLOW_LOG_KINDS 3
extern const char *const flow_log_prefixes[FLOW_LOG_KINDS]; /* as our rules say it */

struct flow_log_entry {
	enum flow_log_kind kind;
	uint32_t ifindex; /* that it came in by */
	uint32_t mark;    /* the packet's; BEGIN: with the number of its path */
	struct mac mac;   /* all zero: the interface has none */
	/* Client and original destination; ANSWER: server and client. */
	struct endpoint source, destination;
	bool is_reset;
	/* A RST in answer to a first packet, of which there is no number to go on from (RFC 9293
	 * 3.10.7.1). */
	bool is_refusal;
};

/* A socket bound to the group, for the keeper to open (CAP_NET_ADMIN); reading needs no right.
 * Only one socket at a time has a group. The descriptor, or -EBUSY, -EPERM, other -errno. */
int flow_log_open(uint16_t group);

typedef void flow_log_on_entry(void *context, const struct flow_log_entry *entry);
/* Call when the descriptor is readable: reads a bounded amount. 0; -ENOBUFS: some were lost;
 * other -errno. */
int flow_log_read(int fd, flow_log_on_entry *on_entry, void *context);
/* One datagram of the socket. What is no entry of ours is left out. */
void flow_log_parse(const void *bytes, size_t len, flow_log_on_entry *on_entry, void *context);

#endif
