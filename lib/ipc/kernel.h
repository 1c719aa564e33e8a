/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what keeper and control say to each other of the kernel: interfaces, admission, entries, the
 * plan, facts. */
#ifndef POSTERN_LIB_IPC_KERNEL_H
#define POSTERN_LIB_IPC_KERNEL_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/metrics/histogram.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/policy.h"

enum ipc_kernel_type {
	/* keeper -> control and relay */
	IPC_LINK = IPC_FILE_KERNEL, /* an interface came or changed */
	IPC_UNLINK,
	IPC_LINKS_DONE, /* the whole picture was sent */

	/* keeper -> control */
	IPC_ADMIT,  /* a first packet waits for its verdict */
	IPC_EVENT,  /* healed, late, killed, queue overrun, ...: for log, counters, monitor */
	IPC_CLIENT, /* one row of IPC_CLIENTS_GET, then the reply */
	IPC_RELOAD, /* SIGHUP */
	IPC_STOP,   /* SIGTERM: control says which policy to leave behind, then ends */
	IPC_KERNEL_COUNTERS, /* answer to IPC_KERNEL_COUNTERS_GET */
	IPC_TEXT,            /* one line of IPC_DOCTOR_GET, then the reply */
	IPC_MAC_LOST,        /* the port of a bridge that it was last behind went down */
	IPC_LISTENING,       /* how an endpoint of the plan is: whenever that changes */

	/* control -> keeper */
	IPC_READY,   /* state is loaded; admission may begin */
	IPC_VERDICT, /* answer to IPC_ADMIT; its entry goes into the kernel first */
	IPC_ENTRIES, /* client set entries to add and delete, one batch */
	IPC_PLAN,    /* + descriptor: a sealed memfd with plan_encode() bytes */
	IPC_BYPASS,
	IPC_PATHS,   /* where paths of the plan lead from now on, one batch */
	IPC_SETTLED, /* the plan's policy is in force: endpoints that are not of it are closed */
	IPC_WANTED,  /* which of the processes that need not run are wanted */
	IPC_CLIENTS_GET,
	IPC_KERNEL_COUNTERS_GET,
	IPC_NEIGHBOUR_GET, /* answered by IPC_NEIGHBOUR */
	IPC_NEIGHBOUR,
	IPC_CUT,        /* end a client's passed flows: ct mark KILL */
	IPC_PASSED_GET, /* which addresses pass something? PASSED, then REPLY */
	IPC_PASSED,
	IPC_DOCTOR_GET,  /* facts that need privilege, as text lines "key value" */
	IPC_ARRIVED_GET, /* the lines "arrived ZONE N" of IPC_DOCTOR_GET, those alone */
	IPC_FOREIGN_GET, /* other programs' rules, for doctor; answered by */
	IPC_FOREIGN,     /* rows: one of the kernel's netlink messages each, then the reply */

	/* flows that the kernel carries alone */
	IPC_FLOW_LOG, /* keeper -> control + descriptor: where the kernel logs them, to be read */
	IPC_CONNECTIONS, /* rows: connections as the kernel tells them, then the reply; answers to:
			  */
	IPC_FLOWS_LOOK,  /* what is known of these? */
	IPC_FLOWS_CUT,   /* the same, and then they are ended: ct mark KILL */
	IPC_FLOWS_ALL,   /* what is known of all of them, those that are over included? */
	IPC_KERNEL_END,
};

struct ipc_link { /* LINK, UNLINK */
	struct ipc_header header;
	uint32_t ifindex;
	uint8_t has_mac;
	uint8_t up;
	uint8_t running; /* up, and its link is, too */
	uint8_t reserved;
	uint32_t carrier_downs;
	char name[POLICY_IFNAME_SIZE];
};

struct ipc_mac_lost {
	struct ipc_header header;
	struct mac mac;
	uint8_t reserved[2];
	char bridge[POLICY_IFNAME_SIZE];
};

struct ipc_admit {
	struct ipc_header header;
	uint32_t packet; /* the queue's id */
	uint32_t ifindex;
	struct endpoint source;
	struct endpoint original;
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
};

/* One entry of the kernel's client sets. */
struct ipc_entry {
	uint8_t add;  /* 1 add (replaces any other verdict), 0 delete */
	uint8_t mark; /* enum mark: MARK_RELAY to MARK_DROP, or MARK_KERNEL */
	uint8_t has_mac;
	uint8_t reserved;
	uint32_t timeout_ms; /* with add; 0 only with delete */
	uint16_t path;       /* with MARK_KERNEL: the number of its server, from 1 */
	uint16_t reserved2;
	struct addr source;
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
};

struct ipc_verdict {
	struct ipc_header header;
	uint32_t packet;
	uint16_t path;  /* with MARK_KERNEL: the number of its server */
	uint8_t mark;   /* enum mark: MARK_RELAY to MARK_DROP, or MARK_KERNEL */
	uint8_t cache;  /* 1: entry goes into the kernel */
	uint8_t forget; /* 1: forgotten is deleted in the same batch */
	uint8_t reserved[3];
	struct ipc_entry entry;
	struct ipc_entry forgotten; /* the same address with another MAC */
};

struct ipc_entries {
	struct ipc_header header;
	uint32_t flush; /* 1: all client sets are emptied first */
	uint32_t n;
	struct ipc_entry v[]; /* n of them */
};
#define IPC_ENTRIES_MAX 1000

struct ipc_client {
	struct ipc_header header;
	struct ipc_entry entry; /* timeout_ms: time left */
	uint64_t packets;
};

enum ipc_event_kind {
	IPC_EVENT_HEALED_TABLE,
	IPC_EVENT_HEALED_ROUTE,
	IPC_EVENT_ADMIT_LATE, /* released undecided */
	IPC_EVENT_ADMIT_SHED, /* reset: more came than control could decide in time */
	IPC_EVENT_ADMIT_MALFORMED,
	IPC_EVENT_QUEUE_STUCK, /* packets in the kernel's queue that were nobody's */
	IPC_EVENT_QUEUE_OVERRUN,
	IPC_EVENT_ENTRY_FAILED, /* a full set, for one */
	IPC_EVENT_RELAY_KILLED, /* missed its heartbeat */
	IPC_EVENT_RELAY_STARTED,
	IPC_EVENT_LISTENER_CLOSED,
	IPC_EVENT_LISTENER_OPENED,
};
#define IPC_EVENTS 12

struct ipc_event {
	struct ipc_header header;
	uint32_t kind; /* enum ipc_event_kind */
	uint32_t count;
	char text[IPC_TEXT_SIZE];
};

struct ipc_kernel_counters {
	struct ipc_header header;
	uint64_t steered, queued, limited, posture_reset, posture_passed, bypassed, stray_reset,
		path_begun, path_lost;
	uint64_t entries;      /* in all client sets */
	uint32_t native_queue; /* 1 native, 0 nft_compat */
	uint32_t table_owned;  /* 1: owner and persist */
	struct histogram admission;
};

struct ipc_text {
	struct ipc_header header;
	char text[1024];
};

struct ipc_foreign {
	struct ipc_header header;
	uint32_t n; /* of bytes */
	uint32_t reserved;
	uint8_t bytes[];
};

/* One whose asker has given up before it was begun is not done: he has said that nothing changed.
 */
struct ipc_plan {
	struct ipc_header header;
	uint64_t begin_ms; /* monotonic: not later than that; 0: at any time */
	uint64_t lenient;  /* 1: an endpoint that cannot be had does not refuse it */
};

/* Where the connections with a path's number go. */
struct ipc_path {
	uint16_t path; /* its number */
	uint16_t reserved;
	struct endpoint at4, at6; /* family ADDR_NONE: no host of it is up */
};

struct ipc_paths {
	struct ipc_header header;
	uint32_t n;
	uint32_t reserved;
	struct ipc_path v[];
};
#define IPC_PATHS_MAX 256

struct ipc_listening {
	struct ipc_header header;
	struct endpoint at;
	uint32_t error; /* 0: it listens; an errno: it does not, and is tried again */
	uint32_t taker; /* enum policy_taker: whose name that is */
	uint32_t reserved;
	char listener[POLICY_NAME_SIZE];
	char text[IPC_TEXT_SIZE]; /* why it does not */
};

struct ipc_bypass {
	struct ipc_header header;
	uint32_t on;
	uint32_t seconds;            /* 0: no end */
	char zone[POLICY_NAME_SIZE]; /* empty: all */
};

struct ipc_wanted {
	struct ipc_header header;
	uint32_t roles; /* 1 << enum process_role each */
	uint32_t reserved;
};

struct ipc_neighbour { /* NEIGHBOUR_GET and NEIGHBOUR */
	struct ipc_header header;
	struct addr addr;
	struct mac mac;   /* all zero in the answer: not known there */
	uint32_t ifindex; /* of the one interface that is asked */
};

/* One element a connection; connections that are over are none. */
#define IPC_PASSED_MAX 256
struct ipc_passed {
	struct ipc_header header;
	uint32_t n;
	struct ipc_passed_one {
		struct addr source;
		uint32_t unused_s; /* since its last packet */
	} v[];
};

struct ipc_cut {
	struct ipc_header header;
	struct prefix source; /* family ADDR_NONE: the present addresses of mac */
	struct mac mac;
};

/* A flow as its client has it. */
struct ipc_tuple {
	struct endpoint client, original;
};

/* To ask for one costs the keeper some 5 us, in which it does nothing else. */
#define IPC_TUPLES_MAX 128
struct ipc_tuples {
	struct ipc_header header;
	uint32_t n;
	uint32_t reserved;
	struct ipc_tuple v[];
};

/* Back to back, each at a multiple of eight. */
struct ipc_connection {
	uint32_t index; /* of the tuple asked for; 0 with FLOWS_ALL */
	uint32_t len;   /* of the kernel's message, which follows; 0: there is none */
};

struct ipc_connections {
	struct ipc_header header;
	uint8_t data[];
};

/* Puts one behind the others: header.bytes grows. false: there is no room in IPC_BYTES_MAX. */
bool ipc_connections_put(
	struct ipc_connections *ipc, uint32_t index, const void *message, size_t len);
/* One after the other: start with *at 0. NULL: no more. The message is behind it. */
const struct ipc_connection *ipc_connections_next(const struct ipc_connections *ipc, size_t *at);

#endif
