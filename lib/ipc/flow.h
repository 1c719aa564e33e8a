/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a process with flows and control say to each other of them: ids, beginnings, live ones,
 * ends, hosts, and the sockets that it asks the keeper for. */
#ifndef POSTERN_LIB_IPC_FLOW_H
#define POSTERN_LIB_IPC_FLOW_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/policy.h"
#include "lib/record/ending.h"
#include "lib/tls/facts.h"

enum ipc_flow_type {
	/* control -> relay */
	IPC_FLOW_IDS = IPC_FILE_FLOW, /* a block of flow ids to use */
	IPC_KILL,                     /* end flows */
	IPC_FLOWS_GET,                /* answered by IPC_FLOW rows, then the reply */
	IPC_LOADS_GET,                /* how many flows are where; answered by IPC_LOAD */
	IPC_FORESEE, /* what a flow would meet now; the reply's value is an ending */

	/* relay -> control */
	IPC_FLOW,    /* one live flow */
	IPC_RECORDS, /* audit records of finished flows, and parts of them */
	IPC_STARTED, /* flows began (for hits, monitor, idle sessions) */
	IPC_FLOW_IDS_GET,
	IPC_LOAD, /* rows: flows at one host, then the reply */
	IPC_HOST, /* what a relay found out about a server's host; control -> health too */

	/* smtp -> control */
	IPC_SPOOL_FILES_GET, /* files for texts that are kept */
	/* control -> smtp */
	IPC_SPOOL_FILE, /* + descriptor: one of these, empty and without a name */

	/* relay -> keeper */
	IPC_SOCKETS_GET, /* transparent sockets, to be bound to clients' addresses */

	/* keeper -> relay */
	IPC_SOCKET, /* + descriptor: one of IPC_SOCKETS_GET */

	/* keeper -> smtp */
	IPC_ENDPOINT,      /* + descriptor: it listens, where a listener takes connections */
	IPC_ENDPOINT_GONE, /* and takes none any more: the descriptor is to be closed */
	IPC_FLOW_END,
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
	char user[POLICY_USER_SIZE];     /* as policy_user_of() reads it; empty: any */
	char server[POLICY_NAME_SIZE];   /* empty: any */
	char zone[POLICY_NAME_SIZE];     /* empty: any */
	char listener[POLICY_NAME_SIZE]; /* empty: any */
};

struct ipc_start {
	uint64_t flow;
	uint64_t session;
	uint64_t at_ms;
	char rule[POLICY_NAME_SIZE];
	char listener[POLICY_NAME_SIZE]; /* empty: it comes from a zone */
};

struct ipc_started {
	struct ipc_header header;
	struct ipc_start v[];
};

struct ipc_load {
	struct ipc_header header;
	struct endpoint host;
	uint32_t flows;
	char server[POLICY_NAME_SIZE];
};

enum ipc_host_kind {
	IPC_HOST_ASKED,  /* it answered what it offers: `usable` */
	IPC_HOST_WORKED, /* it greeted a flow well */
	IPC_HOST_FAILED, /* a flow could not have it; text says why */
	IPC_HOST_BROKEN, /* it was had, and does what no host may; text says what */
	IPC_HOST_LOGIN,  /* it refused the login of the server's account; text says how */
};

struct ipc_host {
	struct ipc_header header;
	uint64_t inquiry; /* with ASKED: in which it was asked */
	struct endpoint host;
	uint16_t usable; /* with ASKED: 0 refused, text says why */
	uint16_t kind;   /* enum ipc_host_kind */
	char server[POLICY_NAME_SIZE];
	char text[IPC_TEXT_SIZE];
};

struct ipc_foresee {
	struct ipc_header header;
	struct addr client;
	struct mac mac;
	struct endpoint original;
	char zone[POLICY_NAME_SIZE]; /* or else: */
	char listener[POLICY_NAME_SIZE];
	char server[POLICY_NAME_SIZE]; /* "original": the client's own; empty: none is known yet */
	char rule[POLICY_NAME_SIZE];   /* whose limits hold; empty: the zone's alone */
	char user[POLICY_USER_SIZE];
	uint8_t read; /* 1: as a flow that is read */
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

#define IPC_SPOOL_FILES_MAX 16 /* in one request */

struct ipc_spool_files_get {
	struct ipc_header header;
	uint32_t n;
	uint32_t reserved;
};

struct ipc_spool_file {
	struct ipc_header header;
	int32_t status; /* 0, and the descriptor is with it; -errno: nor come the rest of them */
	uint32_t reserved;
};

struct ipc_endpoint { /* ENDPOINT, ENDPOINT_GONE */
	struct ipc_header header;
	struct endpoint at; /* with GONE family ADDR_NONE: all of them */
	uint32_t empty;     /* with GONE: 1: what waits there is taken first. 0: it is another's */
	uint32_t reserved;
};

/* A live flow and an audit record are the same thing at two times: end_ms 0 is live. */
#define IPC_ATTEMPTS_MAX 8

struct ipc_attempt {
	struct endpoint host;
	uint32_t ms;     /* how long it took */
	uint16_t ending; /* enum ending; ENDING_NONE: it was taken */
	char reply[120]; /* the host's words, printable */
};

/* One side, in TLS, of a flow that is read. Texts are printable. */
struct ipc_tls {
	char version[8]; /* "TLSv1.3"; empty: in clear */
	char cipher[TLS_CIPHER_SIZE];
	char check[16];           /* what came of looking at the peer's certificate: TLS_CHECK_*, or
				     the name of what is wrong with it; empty: none was shown */
	char peer[TLS_NAME_SIZE]; /* whom that names */
};

#define IPC_FLOW_SOURCE_SIZE (POLICY_NAME_SIZE + 16)
#define IPC_FLOW_NAMES_SIZE  512

struct ipc_flow {
	uint64_t id;
	uint64_t session;
	uint64_t start_ms, end_ms; /* wall clock */
	uint64_t connected_ms;     /* wall clock: the good greeting; 0: never */
	uint64_t from_client_bytes, from_server_bytes;
	uint32_t messages; /* that the server took (250 after the data), as far as seen */
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
	char zone[POLICY_NAME_SIZE]; /* where it comes from: one of the two, or neither */
	char listener[POLICY_NAME_SIZE];
	char user[POLICY_USER_SIZE];
	char rule[POLICY_NAME_SIZE];
	char server[POLICY_NAME_SIZE]; /* "original" for server original */
	char state[24];                /* live: name of the flow's state */
	char detail[IPC_TEXT_SIZE];    /* printable: reason in words, last reply */
	struct endpoint gateway;       /* our end towards host; family ADDR_NONE: none */
	char reply[120];               /* printable: the server's last to a text, seen in clear */
	uint32_t nattempts;
	uint32_t relay;
	struct ipc_attempt attempts[IPC_ATTEMPTS_MAX];
	/* from here on: of a flow that is read, in TLS */
	struct ipc_tls client_tls, server_tls;
	char client_sni[TLS_NAME_SIZE]; /* the host that the client asked for in its handshake */
	/* live, with client_tls.check "verified": all names in its certificate, by blanks */
	char client_names[IPC_FLOW_NAMES_SIZE];
	uint16_t client_names_cut; /* 1: others had no room */
	/* of a listener: tries to log in that were refused, or that nobody could answer or did; the
	 * one that passed has left its user */
	uint16_t logins_refused, logins_later;
	uint16_t path; /* enum policy_path: what carried it */
	uint16_t reserved[2];
	char source[IPC_FLOW_SOURCE_SIZE]; /* who told of the session: filled in by control */
};

/* The largest one packed; the usual one has a few hundred bytes. */
#define IPC_FLOW_BYTES_MAX 5120

/* IPC_FLOW, a live one. */
struct ipc_flow_row {
	struct ipc_header header;
	uint8_t data[]; /* packed */
};

/* How many bytes; never more than IPC_FLOW_BYTES_MAX. */
size_t ipc_flow_encode(const struct ipc_flow *flow, uint8_t bytes[static IPC_FLOW_BYTES_MAX]);
/* 0 or -EBADMSG: not a flow, or numbers out of range, or texts with control characters. */
int ipc_flow_decode(const uint8_t *bytes, size_t len, struct ipc_flow *flow);

#endif
