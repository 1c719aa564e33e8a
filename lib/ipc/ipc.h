/* Owns what the processes say to each other: length-checked messages over SOCK_SEQPACKET socket
 * pairs. All are of one machine and one build, so structures travel as they are; each is checked by
 * ipc_check() before anything in it is believed, and what is packed in it by who unpacks it.
 *
 * Requests that want an answer carry `seq`, not zero; the answer is IPC_REPLY with the same. */
#ifndef POSTERN_IPC_H
#define POSTERN_IPC_H

#include "lib/addr.h"
#include "lib/block.h"
#include "lib/counter.h"
#include "lib/decide.h"
#include "lib/ending.h"
#include "lib/histogram.h"
#include "lib/policy.h"
#include "lib/target.h"
#include "lib/trial.h"

#define IPC_VERSION      1
#define IPC_BYTES_MAX    65536
#define IPC_TEXT_SIZE    256
#define IPC_VERSION_SIZE 32

enum ipc_type {
	/* any <-> any */
	IPC_PING = 1, /* keeper -> child, once a second; answered by */
	IPC_PONG,
	IPC_REPLY,

	/* keeper -> control and relay */
	IPC_LINK, /* an interface came or changed */
	IPC_UNLINK,
	IPC_LINKS_DONE, /* the whole picture was sent */
	IPC_PEER,       /* + descriptor: one end of a pair with another process */
	IPC_PEER_GONE,  /* it died (to control) */
	IPC_DRAIN,      /* take no new flows, end when the last is done or the time is over */

	/* keeper -> control */
	IPC_ADMIT,  /* a first packet waits for its verdict */
	IPC_EVENT,  /* healed, late, killed, queue overrun, ...: for log, counters, monitor */
	IPC_CLIENT, /* one row of IPC_CLIENTS_GET, then the reply */
	IPC_RELOAD, /* SIGHUP */
	IPC_STOP,   /* SIGTERM: control says which policy to leave behind, then ends */
	IPC_KERNEL_COUNTERS, /* answer to IPC_KERNEL_COUNTERS_GET */
	IPC_TEXT,            /* one line of IPC_DOCTOR_GET, then the reply */

	/* control -> keeper */
	IPC_READY,   /* state is loaded; admission may begin */
	IPC_VERDICT, /* answer to IPC_ADMIT; its entry goes into the kernel first */
	IPC_ENTRIES, /* client set entries to add and delete, one batch */
	IPC_PLAN,    /* + descriptor: a sealed memfd with plan_encode() bytes */
	IPC_BYPASS,
	IPC_CLIENTS_GET,
	IPC_KERNEL_COUNTERS_GET,
	IPC_NEIGHBOUR_GET, /* answered by IPC_NEIGHBOUR */
	IPC_NEIGHBOUR,
	IPC_CUT,        /* end a client's passed flows: ct mark KILL */
	IPC_PASSED_GET, /* which addresses pass something? PASSED, then REPLY */
	IPC_PASSED,
	IPC_DOCTOR_GET, /* facts that need privilege, as text lines "key value" */

	/* control -> relay */
	IPC_POLICY,        /* + descriptor: sealed memfd with canonical resolved text */
	IPC_POLICY_COMMIT, /* use the prepared policy from now on */
	IPC_POLICY_ABORT,
	IPC_SESSIONS, /* one or more encoded sessions, back to back */
	IPC_SESSION_GONE,
	IPC_LIST_ENTRIES,
	IPC_LIST_CLEAR,
	IPC_PICTURE_DONE, /* policy, sessions and lists were sent: accept flows */
	IPC_FLOW_IDS,     /* a block of flow ids to use */
	IPC_KILL,         /* end flows */
	IPC_FLOWS_GET,    /* answered by IPC_FLOW rows, then the reply */
	IPC_LOG_LEVEL,

	/* relay -> control */
	IPC_FLOW,    /* one live flow */
	IPC_RECORDS, /* audit records of finished flows, and parts of them */
	IPC_STARTED, /* a flow began (for hits, monitor, idle sessions) */
	IPC_FLOW_IDS_GET,
	IPC_COUNTERS, /* a relay's counters, once a second when changed, and at its end */
	IPC_HOST,     /* what a relay found out about a server's host; control -> health too */

	/* health -> control -> relay; control -> a new health: what the one before had said */
	IPC_TARGETS, /* where a server's flows may go: always the whole list of one server */

	/* control -> health */
	IPC_PROBE_NOW, /* probes a server's hosts at once */

	/* control -> keeper */
	IPC_WANTED,      /* which of the processes that need not run are wanted */
	IPC_ARRIVED_GET, /* the lines "arrived ZONE N" of IPC_DOCTOR_GET, those alone */

	/* control -> web */
	IPC_METRICS_LISTEN,
	IPC_METRICS_PAGE, /* + descriptor: a sealed memfd with the text of all metrics */

	/* web -> control */
	IPC_METRICS_STATE, /* whether it could listen */
	IPC_METRICS_GET,   /* answered by IPC_METRICS_PAGE, or by the reply why not */

	/* relay -> keeper */
	IPC_SOCKETS_GET, /* transparent sockets, to be bound to clients' addresses */

	/* keeper -> relay */
	IPC_SOCKET, /* + descriptor: one of IPC_SOCKETS_GET */

	/* control -> health */
	IPC_TEST, /* try a server's hosts up to RCPT; answered by */

	/* health -> control */
	IPC_TESTED, /* rows: one line each, then the reply */

	/* keeper -> control, relay and health */
	IPC_HAND_OVER, /* another control comes: what relays still say is heard, then this one
			      ends; a relay keeps what it has to say for the next */

	/* control -> relay */
	IPC_LOADS_GET, /* how many flows are where; answered by */

	/* relay -> control */
	IPC_LOAD, /* rows: flows at one host, then the reply */

	/* control -> health */
	IPC_CLIENT_SIDE, /* the gateway's own addresses where the clients are */

	/* control -> relay: a client is blocked, or no longer; its flows end. relay -> control: one
	 * that a limit wants */
	IPC_BLOCK,

	/* control -> relay */
	IPC_FORESEE, /* what a flow would meet now; the reply's value is an ending */

	/* control -> keeper */
	IPC_FOREIGN_GET, /* other programs' rules, for doctor; answered by */

	/* keeper -> control */
	IPC_FOREIGN, /* rows: one of the kernel's netlink messages each, then the reply */
};
#define IPC_TYPES (IPC_FOREIGN + 1)

struct ipc_header {
	uint16_t type;
	uint16_t version;
	uint32_t seq;
	uint32_t bytes; /* of the whole message, header included */
	uint32_t reserved;
};

struct ipc_reply {
	struct ipc_header header;
	int32_t status; /* 0 or -errno */
	uint32_t value;
	char text[IPC_TEXT_SIZE];
};

struct ipc_plain { /* PING, PONG, LINKS_DONE, READY, RELOAD, HAND_OVER, PICTURE_DONE, ..._GET */
	struct ipc_header header;
};

struct ipc_link { /* LINK, UNLINK */
	struct ipc_header header;
	uint32_t ifindex;
	uint8_t has_mac;
	uint8_t up;
	uint8_t reserved[2];
	char name[POLICY_IFNAME_SIZE];
};

struct ipc_peer { /* PEER, PEER_GONE */
	struct ipc_header header;
	uint32_t number;                /* no other's of this role that runs */
	uint32_t generation;            /* counts its starts */
	uint32_t draining;              /* 1: it is of a version before, and takes no new flows */
	uint32_t role;                  /* of the other end: enum process_role */
	char version[IPC_VERSION_SIZE]; /* of a draining one */
};

#define IPC_SOCKETS_MAX 64 /* in one request */

struct ipc_sockets_get {
	struct ipc_header header;
	uint32_t ip6; /* 1: of family IPv6 */
	uint32_t n;
};

struct ipc_socket {
	struct ipc_header header;
	uint32_t ip6;
	int32_t status; /* 0, and the descriptor is with it; -errno: nor come the rest of them */
};

struct ipc_drain {
	struct ipc_header header;
	uint32_t seconds;
	uint32_t reserved;
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
	uint8_t add;    /* 1 add (replaces any other verdict), 0 delete */
	uint8_t kernel; /* enum decide_kernel */
	uint8_t has_mac;
	uint8_t reserved;
	uint32_t timeout_ms; /* with add; 0 only with delete */
	struct addr source;
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
};

struct ipc_verdict {
	struct ipc_header header;
	uint32_t packet;
	uint8_t kernel; /* enum decide_kernel */
	uint8_t cache;  /* 1: entry goes into the kernel */
	uint8_t forget; /* 1: forgotten is deleted in the same batch */
	uint8_t reserved;
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
	uint64_t steered, queued, limited, posture_reset, posture_passed, bypassed, stray_reset;
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
};

struct ipc_bypass {
	struct ipc_header header;
	uint32_t on;
	uint32_t seconds;            /* 0: no end */
	char zone[POLICY_NAME_SIZE]; /* empty: all */
};

struct ipc_foresee {
	struct ipc_header header;
	struct addr client;
	struct mac mac;
	struct endpoint original;
	char zone[POLICY_NAME_SIZE];
	char server[POLICY_NAME_SIZE]; /* "original": the client's own */
	char user[POLICY_USER_SIZE];
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

struct ipc_block {
	struct ipc_header header;
	uint32_t add; /* 0: the subject is blocked no longer */
	uint32_t reserved;
	struct block block;
};

struct ipc_policy { /* POLICY, POLICY_COMMIT, POLICY_ABORT */
	struct ipc_header header;
	uint64_t number; /* of the policy */
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
	uint8_t add;
	uint8_t reserved[7];
	uint64_t end_ms;
	struct policy_elem elem;
};

struct ipc_list_entries {
	struct ipc_header header;
	char name[POLICY_NAME_SIZE]; /* also LIST_CLEAR, with n 0 */
	uint32_t n;
	uint32_t reserved;
	struct ipc_list_entry v[];
};

struct ipc_flow_ids {
	struct ipc_header header;
	uint64_t first, last;
};

/* Flows that match every criterion given are ended: RST to both sides. */
struct ipc_kill {
	struct ipc_header header;
	uint64_t flow;    /* 0: any */
	uint64_t session; /* 0: any */
	uint32_t ending;  /* enum ending: what the record says */
	uint32_t reserved;
	char user[POLICY_USER_SIZE];   /* empty: any */
	char server[POLICY_NAME_SIZE]; /* empty: any */
	char zone[POLICY_NAME_SIZE];   /* empty: any */
};

struct ipc_log_level {
	struct ipc_header header;
	uint32_t level; /* enum policy_log_level */
	uint32_t reserved;
};

struct ipc_started {
	struct ipc_header header;
	uint64_t flow;
	uint64_t session;
	uint64_t at_ms;
	char rule[POLICY_NAME_SIZE];
};

struct ipc_load {
	struct ipc_header header;
	struct endpoint host;
	uint32_t flows;
	char server[POLICY_NAME_SIZE];
};

struct ipc_counters {
	struct ipc_header header;
	uint32_t number; /* of the process */
	uint32_t n;      /* COUNTERS */
	uint64_t v[COUNTERS];
	struct histogram histograms[HISTOGRAMS]; /* a relay's; ADMISSION is the keeper's */
};

enum ipc_host_kind {
	IPC_HOST_ASKED,  /* it answered what it offers: `usable` */
	IPC_HOST_WORKED, /* it greeted a flow well */
	IPC_HOST_FAILED, /* a flow could not have it; text says why */
};

struct ipc_host {
	struct ipc_header header;
	struct endpoint host;
	uint16_t usable; /* with ASKED: 0 refused, text says why */
	uint16_t kind;   /* enum ipc_host_kind */
	char server[POLICY_NAME_SIZE];
	char text[IPC_TEXT_SIZE];
};

/* One host of a server as flows may try it. */
struct ipc_target {
	char name[TARGET_NAME_SIZE]; /* as shown: host name, address, or domain without hosts */
	char text[TARGET_TEXT_SIZE]; /* why it is in this state; may be empty */
	uint64_t since_ms;           /* wall clock: when the state began; 0: at no time yet */
	uint32_t weight;             /* 0: no new flows */
	uint32_t limit_flows;        /* 0: none */
	uint32_t latency_us;         /* from connect to the end of the 220; 0: not known */
	uint16_t line;               /* index of the policy's host */
	uint16_t port;
	uint16_t preference;
	uint16_t asked; /* bit i: addresses[i] offers nothing that it must not */
	uint8_t depth;  /* within one preference: 0 before 1 before 2, by an MX record's own */
	uint8_t state;  /* enum target_state */
	uint8_t client_families; /* bit 0 IPv4 clients, bit 1 IPv6 clients; 0: no flow is taken */
	uint8_t stale;           /* DNS is down: this is its last good answer */
	uint8_t naddresses;
	uint8_t drained; /* the operator wants no new flows here: control says it, health never */
	uint8_t failing; /* it has no state, not being probed, and the last try failed */
	uint8_t reserved;
	struct addr addresses[TARGET_ADDRESSES_MAX]; /* best first */
};

/* Ascending preference, then depth. Between equals a relay spreads flows by weight. */
struct ipc_targets {
	struct ipc_header header;
	uint64_t number; /* of the policy */
	char server[POLICY_NAME_SIZE];
	uint32_t n; /* at most TARGETS_MAX */
	uint32_t reserved;
	struct ipc_target v[];
};

struct ipc_probe_now {
	struct ipc_header header;
	char server[POLICY_NAME_SIZE]; /* empty: all */
};

struct ipc_wanted {
	struct ipc_header header;
	uint32_t roles; /* 1 << enum process_role each */
	uint32_t reserved;
};

struct ipc_metrics_listen {
	struct ipc_header header;
	struct endpoint at;
};

struct ipc_metrics_state {
	struct ipc_header header;
	struct endpoint at;
	int32_t status; /* 0: it listens; -errno: it does not, and tries again */
	uint32_t reserved;
};

struct ipc_client_side {
	struct ipc_header header;
	struct addr ip4, ip6; /* ADDR_NONE: none, or not known */
};

struct ipc_test {
	struct ipc_header header;
	struct addr client; /* to be announced; ADDR_NONE: as probes do */
	char server[POLICY_NAME_SIZE];
	char user[POLICY_USER_SIZE]; /* empty: none */
	char from[TRIAL_PATH_SIZE];  /* trial_is_path(); empty: postmaster of the gateway */
	char to[TRIAL_PATH_SIZE];
	uint8_t nobody; /* 1: from is the empty path itself */
	uint8_t reserved;
};

enum ipc_tested_kind {
	IPC_TESTED_SAID,
	IPC_TESTED_HEARD,
	IPC_TESTED_VERDICT, /* the last of this address */
};

struct ipc_tested {
	struct ipc_header header;
	struct endpoint host; /* ADDR_NONE: it has no address */
	struct addr client;   /* that was announced or came there; ADDR_NONE: none */
	uint16_t kind;        /* enum ipc_tested_kind */
	uint16_t verdict;     /* enum trial_verdict, with VERDICT */
	char name[TARGET_NAME_SIZE];
	char text[TRIAL_VERDICT_SIZE];
};

/* Is this a well-formed message, of len bytes in an aligned buffer? Type known, version ours,
 * length exact, counts within it, enums in range, strings terminated and without control
 * characters. 0 or -EBADMSG. What one process may say to another is checked by the receiver. */
int ipc_check(const void *bytes, size_t len);
/* Fills the header: zeroes the message and sets type and bytes. */
void ipc_init(void *message, enum ipc_type type, size_t bytes);
const char *ipc_name(enum ipc_type type);
/* What two builds must have in common to understand each other's messages: equal, as far as kinds
 * and sizes tell, when their messages are. A change of meaning alone raises IPC_VERSION. */
uint64_t ipc_protocol(void);

#endif
