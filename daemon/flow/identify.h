/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 4, identify: the zone and the MAC of a flow's client. The session follows from them in
 * the decision. */
#ifndef POSTERN_DAEMON_FLOW_IDENTIFY_H
#define POSTERN_DAEMON_FLOW_IDENTIFY_H

#include "daemon/flow/origin.h"
#include "daemon/flow/way.h"

/* Fills the flow's policy, zone, interface and MAC from the picture as it is now. ENDING_NONE, or
 * why the client cannot be told: ENDING_NO_ZONE, ENDING_NO_MAC. */
enum ending identify_flow(struct way *way, const struct origin *origin);

/* The same of whoever comes in by this interface (NULL: it is not known), under this policy. */
struct identified {
	int32_t zone; /* -1: none */
	struct mac mac;
};
enum ending identify_client(const struct policy *policy, const struct link *link,
	const struct origin *origin, struct identified *who);

#endif
