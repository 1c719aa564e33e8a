/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the picture that control gives who decides by it: policy, sessions, lists, blocks, targets.
 */
#ifndef POSTERN_LIB_IPC_REPLICA_H
#define POSTERN_LIB_IPC_REPLICA_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/policy/block.h"
#include "lib/policy/policy.h"
#include "lib/policy/target.h"

enum ipc_picture_type {
	/* control -> relay */
	IPC_POLICY = IPC_FILE_PICTURE, /* + descriptor: sealed memfd with canonical resolved text */
	IPC_POLICY_COMMIT,             /* use the prepared policy from now on */
	IPC_POLICY_ABORT,
	IPC_SESSIONS, /* one or more encoded sessions, back to back */
	IPC_SESSION_GONE,
	IPC_LIST_ENTRIES,
	IPC_LIST_CLEAR,
	IPC_PICTURE_DONE, /* policy, sessions and lists were sent: accept flows */

	/* control -> relay: a client is blocked, or no longer; its flows end. relay -> control: one
	 * that a limit wants */
	IPC_BLOCK,

	/* health -> control -> relay; control -> a new health: what the one before had said */
	IPC_TARGETS, /* where a server's flows may go: always the whole list of one server */

	/* control -> relay and health */
	IPC_INQUIRY, /* what hosts offer is asked anew */
	IPC_PICTURE_END,
};

struct ipc_policy { /* POLICY, POLICY_COMMIT, POLICY_ABORT */
	struct ipc_header header;
	uint64_t number;  /* of the policy */
	uint64_t inquiry; /* with COMMIT: as below */
	uint64_t lenient; /* 1: certificates and secrets that are missing do not refuse it */
};

/* Every apply begins an inquiry: what a host offers counts only in the one in which it was asked.
 * Never 0, and never the same again. */
struct ipc_inquiry {
	struct ipc_header header;
	uint64_t number;
};

struct ipc_sessions {
	struct ipc_header header;
	uint32_t n;
	uint32_t bytes; /* of data */
	uint8_t data[]; /* session_encode() n times */
};

struct ipc_session_gone {
	struct ipc_header header;
	uint64_t id;
};

struct ipc_list_entry {
	bool add;
	uint64_t end_ms;
	struct policy_elem elem; /* a mail address or host name is borrowed */
};

struct ipc_list_entries {
	struct ipc_header header;
	char name[POLICY_NAME_SIZE]; /* also LIST_CLEAR, with n 0 */
	uint32_t n;
	uint32_t bytes; /* of data */
	uint8_t data[]; /* ipc_list_put() n times */
};

/* One more behind those that stand there; room: of the whole ipc, bytes. False: it does not fit. */
bool ipc_list_put(
	struct ipc_list_entries *entries, size_t room, const struct ipc_list_entry *entry);
/* The one at `at`, which moves on and is 0 first; false: there is none. */
bool ipc_list_next(
	const struct ipc_list_entries *entries, uint32_t *at, struct ipc_list_entry *entry);

struct ipc_block {
	struct ipc_header header;
	uint32_t add; /* 0: the subject is blocked no longer */
	uint32_t reserved;
	struct block block;
};

/* What flows that are read find where others must not go: at a host that offers XCLIENT or XFORWARD
 * to the gateway. Elsewhere it is the same. */
struct ipc_target_read {
	char text[TARGET_TEXT_SIZE];
	uint64_t since_ms;
	uint8_t state;
	uint8_t client_families;
	uint8_t failing;
	uint8_t naddresses; /* they may try as many */
	uint8_t reserved[4];
};

/* One host of a server as flows may try it whose bytes pass unseen. */
struct ipc_target {
	char name[TARGET_NAME_SIZE]; /* as shown: host name, address, or domain without hosts */
	char text[TARGET_TEXT_SIZE]; /* why it is in this state; may be empty */
	uint64_t since_ms;           /* wall clock: when the state began; 0: at no time yet */
	uint64_t login_until_ms;     /* wall clock: no login before, it refused one; 0: none */
	uint32_t weight;             /* 0: no new flows */
	uint32_t limit_flows;        /* 0: none */
	uint32_t latency_us;         /* from connect to the end of the 220; 0: not known */
	uint16_t line;               /* index of the policy's host */
	uint16_t port;
	uint16_t preference;
	uint16_t asked; /* bit i: addresses[i] offers nothing that it must not */
	uint16_t lost;  /* bit i: addresses[i] does not answer, whatever the others do */
	uint8_t depth;  /* within one preference: 0 before 1 before 2, by an MX record's own */
	uint8_t state;  /* enum target_state */
	uint8_t client_families; /* bit 0 IPv4 clients, bit 1 IPv6 clients; 0: no flow is taken */
	uint8_t stale;           /* DNS is down: this is its last good answer */
	uint8_t naddresses;
	uint8_t drained; /* the operator wants no new flows here: control says it, health never */
	uint8_t failing; /* it has no state, not being probed, and the last try failed */
	uint8_t offers;  /* enum smtp_offer: what all addresses showed last; 0: not known */
	uint8_t pending; /* it has no address: its name was not looked up yet */
	struct ipc_target_read read;
	struct addr addresses[TARGET_ADDRESSES_MAX]; /* best first; behind naddresses: read alone */
};

/* Ascending preference, then depth. Between equals a relay spreads flows by weight. */
struct ipc_targets {
	struct ipc_header header;
	uint64_t number;  /* of the policy */
	uint64_t inquiry; /* in which those that are `asked` were */
	char server[POLICY_NAME_SIZE];
	uint32_t n;     /* at most TARGETS_MAX */
	uint32_t known; /* 0: health has said nothing of them, all of it is the policy's */
	uint32_t flows; /* enum level_flows: that may come to this server; 0: none */
	uint32_t reserved;
	struct ipc_target v[];
};

/* All of them, whichever flows may try them. */
unsigned ipc_target_addresses(const struct ipc_target *target);
/* As flows find it that are read; read false: the others. */
struct ipc_target ipc_target_seen(const struct ipc_target *target, bool read);
/* As the flows find it that may come (enum level_flows): 1, or 2 where those that are read find
 * another state. The first is the plain ones', unless only others come. */
unsigned ipc_target_views(
	unsigned flows, const struct ipc_target *target, struct ipc_target views[static 2]);
/* Whose the view of that index of n is, behind a state: "", " at message level". */
const char *ipc_target_level(unsigned view, unsigned n);
/* Of an address that nobody has asked yet: all flows may try it. */
void ipc_target_put(struct ipc_target *target, const struct addr *addr);

#endif
