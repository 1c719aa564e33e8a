/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a client changes hands between a relay and the smtp process of its place.
 *
 *	HAND   relay -> smtp: the client's descriptor, and what the relay knows of it. What can be
 *	       read of a connection only once (the saved SYN) was read by then.
 *	TAKEN  smtp -> relay, before its first byte to or from the client. Until then the client is
 *	       the relay's, whatever becomes of the smtp process; from then on it is not, whatever
 *	       becomes of the relay.
 *	KILL   relay -> smtp, of the one flow: it follows a HAND that an order to end the flow met.
 *
 * Facts are handed over, decisions are not: smtp decides anew, under its own policy. */
#ifndef POSTERN_LIB_IPC_HAND_H
#define POSTERN_LIB_IPC_HAND_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/policy/policy.h"

#include <stdbool.h>

struct session;
struct session_storage;

enum ipc_hand_type {
	/* relay -> smtp; and KILL */
	IPC_HAND = IPC_FILE_HAND, /* + descriptor: a client */

	/* smtp -> relay */
	IPC_TAKEN,
	IPC_HAND_END,
};

/* Hand-overs of one pair that are on their way: the kernel counts descriptors that were sent and
 * not received, of all of a user's processes together. */
#define HAND_IN_FLIGHT_MAX 64

struct ipc_hand {
	struct ipc_header header;
	uint64_t flow;
	uint64_t start_ms; /* monotonic: when it was accepted */
	uint64_t policy;   /* number of the one that the relay decided by */
	struct endpoint client, original;
	struct mac mac; /* all zero: none */
	char ifname[POLICY_IFNAME_SIZE];
	char zone[POLICY_NAME_SIZE];
	uint32_t session_bytes; /* 0: the client has no session */
	uint32_t reserved;
	uint8_t session[]; /* session_encode() */
};

#define HAND_BYTES_MAX (sizeof(struct ipc_hand) + 16384)

struct ipc_taken {
	struct ipc_header header;
	uint64_t flow;
};

/* Puts the session behind the rest of the ipc, whose members are filled; NULL: none. The room
 * is HAND_BYTES_MAX. False: it has none, which no session of ours comes to. */
bool hand_put_session(struct ipc_hand *ipc, const struct session *session);
/* What was put: its strings are in storage. -ENOENT: there is none. -EBADMSG: it is none. */
int hand_get_session(
	const struct ipc_hand *ipc, struct session *session, struct session_storage *storage);

#endif
