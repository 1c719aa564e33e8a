/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the parts of the process that takes accounting packets share. */
#ifndef POSTERN_DAEMON_RADIUS_RADIUS_H
#define POSTERN_DAEMON_RADIUS_RADIUS_H

#include "daemon/process/child.h"
#include "daemon/process/replica.h"
#include "daemon/radius/md5.h"
#include "daemon/radius/senders.h"
#include "daemon/radius/sockets.h"
#include "daemon/radius/tallies.h"
#include "daemon/radius/waiting.h"

struct radius {
	struct child child; /* first */
	const struct process_start *start;
	struct loop *loop;
	struct replica replica;
	struct md5 *md5; /* NULL: OpenSSL refuses it */
	struct sockets sockets;
	struct waiting waiting; /* for control's word */
	struct senders senders;
	struct tallies tallies;
	uint64_t begun_ms; /* wall clock */
	bool leaving;      /* control hands over: the next one is told */
};

/* NULL: none came yet. */
static inline const struct policy *radius_policy(const struct radius *radius)
{
	return radius->replica.now->policy;
}

#endif
