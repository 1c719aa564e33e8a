/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the reading of a packet's headers as the queue delivers them. */
#ifndef POSTERN_KERNEL_RULES_PACKET_H
#define POSTERN_KERNEL_RULES_PACKET_H

#include "lib/base/addr.h"

struct packet {
	struct endpoint source, destination;
	bool is_first; /* SYN without ACK, RST and FIN: it opens a connection */
	bool is_reset; /* RST */
	uint32_t sequence;
};

/* bytes begin at the network header and may be cut off behind the TCP header. 0; -EPROTO: not
 * TCP; -EBADMSG: cut off, malformed, or a fragment without ports. */
int packet_parse(const uint8_t *bytes, size_t len, struct packet *packet);

#endif
