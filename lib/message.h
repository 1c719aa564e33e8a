/* Owns what the processes say to each other: fixed, length-checked messages over SOCK_SEQPACKET
 * socket pairs. All are of one machine and one build, so structures travel as they are; each is
 * checked by message_check() before anything in it is believed. One message is one record.
 *
 * Requests that want an answer carry `seq`, not zero; the answer is MESSAGE_REPLY with the same. */
#ifndef POSTERN_MESSAGE_H
#define POSTERN_MESSAGE_H

#include "lib/addr.h"
#include "lib/block.h"
#include "lib/counter.h"
#include "lib/decide.h"
#include "lib/ending.h"
#include "lib/histogram.h"
#include "lib/policy.h"
#include "lib/target.h"
#include "lib/trial.h"

#define MESSAGE_VERSION      1
#define MESSAGE_BYTES_MAX    65536
#define MESSAGE_TEXT_SIZE    256
#define MESSAGE_VERSION_SIZE 32

enum message_type {
	/* any <-> any */
	MESSAGE_PING = 1, /* keeper -> child, once a second; answered by */
	MESSAGE_PONG,
	MESSAGE_REPLY,

	/* keeper -> control and relay */
	MESSAGE_LINK, /* an interface came or changed */
	MESSAGE_UNLINK,
	MESSAGE_LINKS_DONE, /* the whole picture was sent */
	MESSAGE_PEER,       /* + descriptor: one end of a pair with another process */
	MESSAGE_PEER_GONE,  /* it died (to control) */
	MESSAGE_DRAIN,      /* take no new flows, end when the last is done or the time is over */

	/* keeper -> control */
	MESSAGE_ADMIT,  /* a first packet waits for its verdict */
	MESSAGE_EVENT,  /* healed, late, killed, queue overrun, ...: for log, counters, monitor */
	MESSAGE_CLIENT, /* one row of MESSAGE_CLIENTS_GET, then the reply */
	MESSAGE_RELOAD, /* SIGHUP */
	MESSAGE_STOP,   /* SIGTERM: control says which policy to leave behind, then ends */
	MESSAGE_KERNEL_COUNTERS, /* answer to MESSAGE_KERNEL_COUNTERS_GET */
	MESSAGE_TEXT,            /* one line of MESSAGE_DOCTOR_GET, then the reply */

	/* control -> keeper */
	MESSAGE_READY,   /* state is loaded; admission may begin */
	MESSAGE_VERDICT, /* answer to MESSAGE_ADMIT; its entry goes into the kernel first */
	MESSAGE_ENTRIES, /* client set entries to add and delete, one batch */
	MESSAGE_PLAN,    /* + descriptor: a sealed memfd with plan_encode() bytes */
	MESSAGE_BYPASS,
	MESSAGE_CLIENTS_GET,
	MESSAGE_KERNEL_COUNTERS_GET,
	MESSAGE_NEIGHBOUR_GET, /* answered by MESSAGE_NEIGHBOUR */
	MESSAGE_NEIGHBOUR,
	MESSAGE_CUT,        /* end a client's passed flows: ct mark KILL */
	MESSAGE_PASSED_GET, /* which addresses pass something? PASSED, then REPLY */
	MESSAGE_PASSED,
	MESSAGE_DOCTOR_GET, /* facts that need privilege, as text lines "key value" */

	/* control -> relay */
	MESSAGE_POLICY,        /* + descriptor: sealed memfd with canonical resolved text */
	MESSAGE_POLICY_COMMIT, /* use the prepared policy from now on */
	MESSAGE_POLICY_ABORT,
	MESSAGE_SESSIONS, /* one or more encoded sessions, back to back */
	MESSAGE_SESSION_GONE,
	MESSAGE_LIST_ENTRIES,
	MESSAGE_LIST_CLEAR,
	MESSAGE_PICTURE_DONE, /* policy, sessions and lists were sent: accept flows */
	MESSAGE_FLOW_IDS,     /* a block of flow ids to use */
	MESSAGE_KILL,         /* end flows */
	MESSAGE_FLOWS_GET,    /* answered by MESSAGE_FLOW rows, then the reply */
	MESSAGE_LOG_LEVEL,

	/* relay -> control */
	MESSAGE_FLOW,    /* one live flow */
	MESSAGE_RECORD,  /* a finished flow: the audit record */
	MESSAGE_STARTED, /* a flow began (for hits, monitor, idle sessions) */
	MESSAGE_FLOW_IDS_GET,
	MESSAGE_COUNTERS, /* a relay's counters, once a second when changed, and at its end */
	MESSAGE_HOST,     /* what a relay found out about a server's host; control -> health too */

	/* health -> control -> relay; control -> a new health: what the one before had said */
	MESSAGE_TARGETS, /* where a server's flows may go: always the whole list of one server */

	/* control -> health */
	MESSAGE_PROBE_NOW, /* probes a server's hosts at once */

	/* control -> keeper */
	MESSAGE_WANTED,      /* which of the processes that need not run are wanted */
	MESSAGE_ARRIVED_GET, /* the lines "arrived ZONE N" of MESSAGE_DOCTOR_GET, those alone */

	/* control -> web */
	MESSAGE_METRICS_LISTEN,
	MESSAGE_METRICS_PAGE, /* + descriptor: a sealed memfd with the text of all metrics */

	/* web -> control */
	MESSAGE_METRICS_STATE, /* whether it could listen */
	MESSAGE_METRICS_GET,   /* answered by MESSAGE_METRICS_PAGE, or by the reply why not */

	/* relay -> keeper */
	MESSAGE_SOCKETS_GET, /* transparent sockets, to be bound to clients' addresses */

	/* keeper -> relay */
	MESSAGE_SOCKET, /* + descriptor: one of MESSAGE_SOCKETS_GET */

	/* control -> health */
	MESSAGE_TEST, /* try a server's hosts up to RCPT; answered by */

	/* health -> control */
	MESSAGE_TESTED, /* rows: one line each, then the reply */

	/* keeper -> control, relay and health */
	MESSAGE_HAND_OVER, /* another control comes: what relays still say is heard, then this one
			      ends; a relay keeps what it has to say for the next */

	/* control -> relay */
	MESSAGE_LOADS_GET, /* how many flows are where; answered by */

	/* relay -> control */
	MESSAGE_LOAD, /* rows: flows at one host, then the reply */

	/* control -> health */
	MESSAGE_CLIENT_SIDE, /* the gateway's own addresses where the clients are */

	/* control -> relay: a client is blocked, or no longer; its flows end. relay -> control: one
	 * that a limit wants */
	MESSAGE_BLOCK,

	/* control -> relay */
	MESSAGE_FORESEE, /* what a flow would meet now; the reply's value is an ending */

	/* control -> keeper */
	MESSAGE_FOREIGN_GET, /* other programs' rules, for doctor; answered by */

	/* keeper -> control */
	MESSAGE_FOREIGN, /* rows: one of the kernel's netlink messages each, then the reply */
};
#define MESSAGE_TYPES (MESSAGE_FOREIGN + 1)

struct message_header {
	uint16_t type;
	uint16_t version;
	uint32_t seq;
	uint32_t bytes; /* of the whole message, header included */
	uint32_t reserved;
};

struct message_reply {
	struct message_header header;
	int32_t status; /* 0 or -errno */
	uint32_t value;
	char text[MESSAGE_TEXT_SIZE];
};

struct message_plain { /* PING, PONG, LINKS_DONE, READY, RELOAD, HAND_OVER, PICTURE_DONE, ..._GET */
	struct message_header header;
};

struct message_link { /* LINK, UNLINK */
	struct message_header header;
	uint32_t ifindex;
	uint8_t has_mac;
	uint8_t up;
	uint8_t reserved[2];
	char name[POLICY_IFNAME_SIZE];
};

struct message_peer { /* PEER, PEER_GONE */
	struct message_header header;
	uint32_t number;     /* no other's of this role that runs */
	uint32_t generation; /* counts its starts */
	uint32_t draining;   /* 1: it is of a version before, and takes no new flows */
	uint32_t role;       /* of the other end: enum process_role */
	char version[MESSAGE_VERSION_SIZE]; /* of a draining one */
};

#define MESSAGE_SOCKETS_MAX 64 /* in one request */

struct message_sockets_get {
	struct message_header header;
	uint32_t ip6; /* 1: of family IPv6 */
	uint32_t n;
};

struct message_socket {
	struct message_header header;
	uint32_t ip6;
	int32_t status; /* 0, and the descriptor is with it; -errno: nor come the rest of them */
};

struct message_drain {
	struct message_header header;
	uint32_t seconds;
	uint32_t reserved;
};

struct message_admit {
	struct message_header header;
	uint32_t packet; /* the queue's id */
	uint32_t ifindex;
	struct endpoint source;
	struct endpoint original;
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
};

/* One entry of the kernel's client sets. */
struct message_entry {
	uint8_t add;    /* 1 add (replaces any other verdict), 0 delete */
	uint8_t kernel; /* enum decide_kernel */
	uint8_t has_mac;
	uint8_t reserved;
	uint32_t timeout_ms; /* with add; 0 only with delete */
	struct addr source;
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
};

struct message_verdict {
	struct message_header header;
	uint32_t packet;
	uint8_t kernel; /* enum decide_kernel */
	uint8_t cache;  /* 1: entry goes into the kernel */
	uint8_t forget; /* 1: forgotten is deleted in the same batch */
	uint8_t reserved;
	struct message_entry entry;
	struct message_entry forgotten; /* the same address with another MAC */
};

struct message_entries {
	struct message_header header;
	uint32_t flush; /* 1: all client sets are emptied first */
	uint32_t n;
	struct message_entry v[]; /* n of them */
};
#define MESSAGE_ENTRIES_MAX 1000

struct message_client {
	struct message_header header;
	struct message_entry entry; /* timeout_ms: time left */
	uint64_t packets;
};

enum message_event_kind {
	MESSAGE_EVENT_HEALED_TABLE,
	MESSAGE_EVENT_HEALED_ROUTE,
	MESSAGE_EVENT_ADMIT_LATE, /* released undecided */
	MESSAGE_EVENT_ADMIT_SHED, /* reset: more came than control could decide in time */
	MESSAGE_EVENT_ADMIT_MALFORMED,
	MESSAGE_EVENT_QUEUE_STUCK, /* packets in the kernel's queue that were nobody's */
	MESSAGE_EVENT_QUEUE_OVERRUN,
	MESSAGE_EVENT_ENTRY_FAILED, /* a full set, for one */
	MESSAGE_EVENT_RELAY_KILLED, /* missed its heartbeat */
	MESSAGE_EVENT_RELAY_STARTED,
	MESSAGE_EVENT_LISTENER_CLOSED,
	MESSAGE_EVENT_LISTENER_OPENED,
};
#define MESSAGE_EVENTS 12

struct message_event {
	struct message_header header;
	uint32_t kind; /* enum message_event_kind */
	uint32_t count;
	char text[MESSAGE_TEXT_SIZE];
};

struct message_kernel_counters {
	struct message_header header;
	uint64_t steered, queued, limited, posture_reset, posture_passed, bypassed, stray_reset;
	uint64_t entries;      /* in all client sets */
	uint32_t native_queue; /* 1 native, 0 nft_compat */
	uint32_t table_owned;  /* 1: owner and persist */
	struct histogram admission;
};

struct message_text {
	struct message_header header;
	char text[1024];
};

struct message_foreign {
	struct message_header header;
	uint32_t n; /* of bytes */
	uint32_t reserved;
	uint8_t bytes[];
};

/* One whose asker has given up before it was begun is not done: he has said that nothing changed.
 */
struct message_plan {
	struct message_header header;
	uint64_t begin_ms; /* monotonic: not later than that; 0: at any time */
};

struct message_bypass {
	struct message_header header;
	uint32_t on;
	uint32_t seconds;            /* 0: no end */
	char zone[POLICY_NAME_SIZE]; /* empty: all */
};

struct message_foresee {
	struct message_header header;
	struct addr client;
	struct mac mac;
	struct endpoint original;
	char zone[POLICY_NAME_SIZE];
	char server[POLICY_NAME_SIZE]; /* "original": the client's own */
	char user[POLICY_USER_SIZE];
};

struct message_neighbour { /* NEIGHBOUR_GET and NEIGHBOUR */
	struct message_header header;
	struct addr addr;
	struct mac mac;   /* all zero in the answer: not known there */
	uint32_t ifindex; /* of the one interface that is asked */
};

/* One element a connection; connections that are over are none. */
#define MESSAGE_PASSED_MAX 256
struct message_passed {
	struct message_header header;
	uint32_t n;
	struct message_passed_one {
		struct addr source;
		uint32_t unused_s; /* since its last packet */
	} v[];
};

struct message_cut {
	struct message_header header;
	struct prefix source; /* family ADDR_NONE: the present addresses of mac */
	struct mac mac;
};

struct message_block {
	struct message_header header;
	uint32_t add; /* 0: the subject is blocked no longer */
	uint32_t reserved;
	struct block block;
};

struct message_policy { /* POLICY, POLICY_COMMIT, POLICY_ABORT */
	struct message_header header;
	uint64_t number; /* of the policy */
};

struct message_sessions {
	struct message_header header;
	uint32_t n;
	uint32_t bytes; /* of data */
	uint8_t data[]; /* session_encode() n times */
};

struct message_session_gone {
	struct message_header header;
	uint64_t id;
};

struct message_list_entry {
	uint8_t add;
	uint8_t reserved[7];
	uint64_t end_ms;
	struct policy_elem elem;
};

struct message_list_entries {
	struct message_header header;
	char name[POLICY_NAME_SIZE]; /* also LIST_CLEAR, with n 0 */
	uint32_t n;
	uint32_t reserved;
	struct message_list_entry v[];
};

struct message_flow_ids {
	struct message_header header;
	uint64_t first, last;
};

/* Flows that match every criterion given are ended: RST to both sides. */
struct message_kill {
	struct message_header header;
	uint64_t flow;    /* 0: any */
	uint64_t session; /* 0: any */
	uint32_t ending;  /* enum ending: what the record says */
	uint32_t reserved;
	char user[POLICY_USER_SIZE];   /* empty: any */
	char server[POLICY_NAME_SIZE]; /* empty: any */
	char zone[POLICY_NAME_SIZE];   /* empty: any */
};

struct message_log_level {
	struct message_header header;
	uint32_t level; /* enum policy_log_level */
	uint32_t reserved;
};

struct message_started {
	struct message_header header;
	uint64_t flow;
	uint64_t session;
	uint64_t at_ms;
	char rule[POLICY_NAME_SIZE];
};

/* A live flow and an audit record are the same thing at two times: end_ms 0 is live. */
#define MESSAGE_ATTEMPTS_MAX 8

struct message_attempt {
	struct endpoint host;
	uint32_t ms;     /* how long it took */
	uint16_t ending; /* enum ending; ENDING_NONE: it was taken */
	char reply[120]; /* the host's words, printable */
};

struct message_flow { /* FLOW and RECORD */
	struct message_header header;
	uint64_t id;
	uint64_t session;
	uint64_t start_ms, end_ms; /* wall clock */
	uint64_t connected_ms;     /* wall clock: the good greeting; 0: never */
	uint64_t from_client_bytes, from_server_bytes;
	uint32_t messages; /* that the server took (250 after the data), as seen in clear */
	uint32_t seen;     /* of enum smtp_seen (smtp.h) */
	uint16_t verdict;  /* enum policy_verdict */
	uint16_t ending;   /* enum ending */
	uint16_t reason;   /* enum decide_reason */
	uint16_t audit;    /* 0: the rule says audit off */
	struct endpoint client;
	struct endpoint original;
	struct endpoint host; /* family ADDR_NONE: none */
	struct mac mac;
	char ifname[POLICY_IFNAME_SIZE];
	char zone[POLICY_NAME_SIZE];
	char user[POLICY_USER_SIZE];
	char rule[POLICY_NAME_SIZE];
	char server[POLICY_NAME_SIZE];  /* "original" for server original */
	char state[24];                 /* live: name of the flow's state */
	char detail[MESSAGE_TEXT_SIZE]; /* printable: reason in words, last reply */
	struct endpoint gateway;        /* our end towards host; family ADDR_NONE: none */
	char reply[120];                /* printable: the server's last to a text, seen in clear */
	uint32_t nattempts;
	uint32_t relay;
	struct message_attempt attempts[MESSAGE_ATTEMPTS_MAX];
};

struct message_load {
	struct message_header header;
	struct endpoint host;
	uint32_t flows;
	char server[POLICY_NAME_SIZE];
};

struct message_counters {
	struct message_header header;
	uint32_t number; /* of the process */
	uint32_t n;      /* COUNTERS */
	uint64_t v[COUNTERS];
	struct histogram histograms[HISTOGRAMS]; /* a relay's; ADMISSION is the keeper's */
};

enum message_host_kind {
	MESSAGE_HOST_ASKED,  /* it answered what it offers: `usable` */
	MESSAGE_HOST_WORKED, /* it greeted a flow well */
	MESSAGE_HOST_FAILED, /* a flow could not have it; text says why */
};

struct message_host {
	struct message_header header;
	struct endpoint host;
	uint16_t usable; /* with ASKED: 0 refused, text says why */
	uint16_t kind;   /* enum message_host_kind */
	char server[POLICY_NAME_SIZE];
	char text[MESSAGE_TEXT_SIZE];
};

/* One host of a server as flows may try it. */
struct message_target {
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
struct message_targets {
	struct message_header header;
	uint64_t number; /* of the policy */
	char server[POLICY_NAME_SIZE];
	uint32_t n; /* at most TARGETS_MAX */
	uint32_t reserved;
	struct message_target v[];
};

struct message_probe_now {
	struct message_header header;
	char server[POLICY_NAME_SIZE]; /* empty: all */
};

struct message_wanted {
	struct message_header header;
	uint32_t roles; /* 1 << enum process_role each */
	uint32_t reserved;
};

struct message_metrics_listen {
	struct message_header header;
	struct endpoint at;
};

struct message_metrics_state {
	struct message_header header;
	struct endpoint at;
	int32_t status; /* 0: it listens; -errno: it does not, and tries again */
	uint32_t reserved;
};

struct message_client_side {
	struct message_header header;
	struct addr ip4, ip6; /* ADDR_NONE: none, or not known */
};

struct message_test {
	struct message_header header;
	struct addr client; /* to be announced; ADDR_NONE: as probes do */
	char server[POLICY_NAME_SIZE];
	char user[POLICY_USER_SIZE]; /* empty: none */
	char from[TRIAL_PATH_SIZE];  /* trial_is_path(); empty: postmaster of the gateway */
	char to[TRIAL_PATH_SIZE];
	uint8_t nobody; /* 1: from is the empty path itself */
	uint8_t reserved;
};

enum message_tested_kind {
	MESSAGE_TESTED_SAID,
	MESSAGE_TESTED_HEARD,
	MESSAGE_TESTED_VERDICT, /* the last of this address */
};

struct message_tested {
	struct message_header header;
	struct endpoint host; /* ADDR_NONE: it has no address */
	struct addr client;   /* that was announced or came there; ADDR_NONE: none */
	uint16_t kind;        /* enum message_tested_kind */
	uint16_t verdict;     /* enum trial_verdict, with VERDICT */
	char name[TARGET_NAME_SIZE];
	char text[TRIAL_VERDICT_SIZE];
};

/* Is this a well-formed message, of len bytes in an aligned buffer? Type known, version ours,
 * length exact, counts within it, enums in range, strings terminated and without control
 * characters. 0 or -EBADMSG. What one process may say to another is checked by the receiver. */
int message_check(const void *bytes, size_t len);
/* Fills the header: zeroes the message and sets type and bytes. */
void message_init(void *message, enum message_type type, size_t bytes);
const char *message_name(enum message_type type);
/* What two builds must have in common to understand each other's messages: equal, as far as kinds
 * and sizes tell, when their messages are. A change of meaning alone raises MESSAGE_VERSION. */
uint64_t message_protocol(void);

#endif
