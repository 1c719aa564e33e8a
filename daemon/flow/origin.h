/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the kernel says about where an accepted connection comes from (doc/kernel.md). */
#ifndef POSTERN_DAEMON_FLOW_ORIGIN_H
#define POSTERN_DAEMON_FLOW_ORIGIN_H

#include "lib/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct origin {
	struct endpoint client, original;
	uint32_t ifindex; /* 0: not said */
	struct mac mac;   /* of the SYN's sender; not set: none seen */
	bool syn_saved;
};

/* Asks the kernel about an accepted socket whose peer is given. 0 or -errno. */
int origin_ask(int fd, const void *peer, size_t peer_len, struct origin *origin);
/* The MAC in a saved SYN that begins with an Ethernet header; false: it has none. */
bool origin_syn_mac(const uint8_t *syn, size_t len, struct mac *mac);

#endif
