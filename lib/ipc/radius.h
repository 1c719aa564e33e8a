/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is said with the process that takes accounting packets.
 *
 *	EVENT   radius -> control: a packet was proven, and tells of somebody
 *	DONE    control -> radius: what came of some is on the disk, so that they may be answered;
 *or that it could not be stored, and who sent them is to send them again
 *
 * `id` is radius's, no other event's. */
#ifndef POSTERN_IPC_RADIUS_H
#define POSTERN_IPC_RADIUS_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/policy/policy.h"
#include "lib/radius/who.h"

enum ipc_radius_type {
	/* radius -> control */
	IPC_RADIUS_EVENT = IPC_FILE_RADIUS,
	IPC_RADIUS_STATE,  /* of one radius of the policy, when it changed: once a second at most */
	IPC_RADIUS_SENDER, /* the same of one who sent to it */

	/* control -> radius */
	IPC_RADIUS_DONE,
	IPC_RADIUS_END,
};

#define IPC_RADIUS_SESSION_MAX  253 /* octets of one attribute */
#define IPC_RADIUS_GROUPS_BYTES (RADIUS_GROUPS_MAX * POLICY_USER_SIZE)

struct ipc_radius_event {
	struct ipc_header header;
	uint64_t id;
	uint64_t event_ms, begin_ms; /* struct radius_who */
	char radius[POLICY_NAME_SIZE];
	char nas[RADIUS_NAS_SIZE + 2];
	char user[POLICY_USER_SIZE]; /* empty: of STOP, ON and OFF alone */
	char zone[POLICY_NAME_SIZE]; /* empty: an address would tell */
	struct addr source;
	struct mac mac;
	uint8_t status; /* enum radius_status, but OTHER */
	uint8_t whole;
	uint8_t session[IPC_RADIUS_SESSION_MAX]; /* Acct-Session-Id */
	uint8_t session_len;
	struct prefix addresses[RADIUS_ADDRESSES_MAX];
	uint32_t naddresses;
	uint32_t timeout_s, interval_s; /* struct radius_account */
	uint32_t ngroups;
	uint32_t groups_bytes;
	uint32_t reserved;
	char groups[]; /* each with its NUL */
};

#define IPC_RADIUS_DONE_MAX 1024
struct ipc_radius_done {
	struct ipc_header header;
	uint32_t n;
	uint32_t failed; /* 1: it could not be stored; what is sent again is to be told again */
	uint64_t ids[];
};

/* Since the process began. */
struct radius_counts {
	uint64_t packets;  /* of those listed */
	uint64_t unlisted; /* of others: not read any further */
	uint64_t verdicts[RADIUS_VERDICTS];
	uint64_t statuses[RADIUS_STATUSES]; /* of the good ones */
	uint64_t unused[RADIUS_UNUSEDS];    /* as far as it is seen here */
	uint64_t answered, duplicates;
	uint64_t limited; /* over what one may send in a second: not read */
	uint64_t crowded; /* too many waited for the disk */
	uint64_t bad;     /* attributes that do not read, of good ones */
};

struct ipc_radius_state {
	struct ipc_header header;
	char radius[POLICY_NAME_SIZE];
	struct radius_counts counts;
	uint64_t begun_ms;         /* wall clock: they begin there */
	struct addr unlisted_from; /* who was heard last without being listed; ADDR_NONE: nobody */
	uint8_t md5;               /* 0: OpenSSL refuses it */
	uint8_t reserved[6];
	uint64_t unlisted_ms;
};

struct ipc_radius_sender {
	struct ipc_header header;
	char radius[POLICY_NAME_SIZE];
	struct addr source;
	uint8_t reserved[7];
	uint64_t packets, refused, limited;
	uint64_t heard_ms;   /* wall clock: the last good packet; 0: none */
	uint64_t refused_ms; /* wall clock: the last that was none */
	int64_t skew_ms;     /* of the last: how far its clock is behind ours */
	uint32_t verdict;    /* enum radius_verdict of that one */
	uint32_t reserved2;
};

#endif
