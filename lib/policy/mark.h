/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the kernel knows of a verdict: the number in our bits of a packet's mark, of a
 * connection's, and of an entry of the client sets. */
#ifndef POSTERN_LIB_POLICY_MARK_H
#define POSTERN_LIB_POLICY_MARK_H

enum mark {
	MARK_NONE = 0, /* undecided: the zone's posture follows */
	MARK_RELAY = 1,
	MARK_PASS = 2,
	MARK_REJECT = 3,
	MARK_DROP = 4,
	MARK_KILL = 5,    /* connections only: both sides are reset at their next packet */
	MARK_LIMITED = 6, /* packets only: over the rate limit in front of the queue */
	MARK_KERNEL = 7,  /* DNAT to a server of `path kernel`, whose number stands beside it */
};
#define MARKS 8

#endif
