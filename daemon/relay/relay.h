/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the stages of a relay process share. */
#ifndef POSTERN_DAEMON_RELAY_RELAY_H
#define POSTERN_DAEMON_RELAY_RELAY_H

#include "daemon/base/channel.h"
#include "daemon/base/loop.h"
#include "daemon/process/child.h"
#include "daemon/process/replica.h"
#include "daemon/relay/accept.h"
#include "daemon/relay/carry/copy.h"
#include "daemon/relay/connect/host_answers.h"
#include "daemon/relay/flow.h"
#include "daemon/relay/hand.h"
#include "daemon/relay/report.h"
#include "lib/metrics/counter.h"

struct relay {
	struct child child;
	const struct process_start *start; /* as the child has it, and the loop, too */
	struct loop *loop;
	struct replica replica;
	struct way_host ways;
	struct flow_table table;
	struct copy_tools tools;
	struct accept accept;
	struct hand hand;
	struct host_answers hosts;
	struct ipc_flow built; /* the flow at hand, as it is reported */
	struct loop_timer drain_end;
	bool links_known, picture_known; /* both are wanted before the first flow */
};

static inline void relay_count(struct relay *relay, unsigned counter)
{
	child_count(&relay->child, counter);
}

/* To control, if there is one. 0 or -errno. */
static inline int relay_send(struct relay *relay, const void *ipc)
{
	return child_send(&relay->child, ipc);
}

/* The picture in force. Its policy is NULL before the first one came. */
const struct picture *relay_picture(const struct relay *relay);
/* What replies begin with: the policy's hostname, or the machine's. */
const char *relay_name(const struct relay *relay);

#endif
