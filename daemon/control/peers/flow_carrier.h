/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the rest of control asks of who carries flows without being a process: the kernel. */
#ifndef POSTERN_DAEMON_CONTROL_PEERS_FLOW_CARRIER_H
#define POSTERN_DAEMON_CONTROL_PEERS_FLOW_CARRIER_H

#include "lib/ipc/flow.h"
#include "lib/policy/session.h"
#include "lib/record/ending.h"

struct flow_carrier;
struct flow_gather;

struct flow_carrier_face {
	/* Ends the flows that an order means. */
	void (*kill)(struct flow_carrier *carrier, const struct ipc_kill *order);
	/* Of those whose client is not known, ends what may be this session's, by its addresses. */
	void (*kill_unknown)(
		struct flow_carrier *carrier, const struct session *session, enum ending ending);
	/* Ends those that a block holds for. */
	void (*kill_blocked)(struct flow_carrier *carrier);
	/* Adds its flows to a gather (flow_reports.h), or how many there are at each host. */
	void (*gather)(struct flow_carrier *carrier, struct flow_gather *flows);
};

/* First in whoever is one. */
struct flow_carrier {
	const struct flow_carrier_face *face;
};

#endif
