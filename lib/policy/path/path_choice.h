/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which host of a server the kernel takes a client's connections to. It tries no second one,
 * and asks none: so only a host that is known to work is taken, and where there is none, the relay
 * is. */
#ifndef POSTERN_LIB_POLICY_PATH_PATH_CHOICE_H
#define POSTERN_LIB_POLICY_PATH_PATH_CHOICE_H

#include "lib/ipc/replica.h"

/* The hosts of a server with `path kernel`. */
struct path_hosts {
	const struct policy_server *server;
	const struct ipc_targets *targets;
	uint64_t inquiry; /* the one that goes on: what was asked before it does not count */
};

/* The address of the client's family that connections to the target of that index go to. NULL: none
 * may, as it is down or not known to be up, drained, without weight, or has no such address that
 * was asked and answers. */
const struct addr *path_choice_address(
	const struct path_hosts *hosts, size_t at, enum addr_family client);

/* Among the targets that have one the best by preference and depth, and between equals by weight:
 * the same seed (a hash of the client's address) has the same one as long as that is there, and
 * only those of one that goes are spread over the others. Index, or -1: none is up. */
ptrdiff_t path_choice_pick(const struct path_hosts *hosts, enum addr_family client, uint32_t seed);

/* Is it among those of which one is picked? */
bool path_choice_is_best(const struct path_hosts *hosts, size_t at, enum addr_family client);

#endif
