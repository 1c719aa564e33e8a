/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control and health say to each other beside the picture: probes, trials, and the names
 * of clients, which control passes on between health and the smtp processes. */
#ifndef POSTERN_LIB_IPC_HEALTH_H
#define POSTERN_LIB_IPC_HEALTH_H

#include "lib/base/addr.h"
#include "lib/dns/client_name.h"
#include "lib/ipc/core.h"
#include "lib/policy/policy.h"
#include "lib/policy/target.h"
#include "lib/smtp/probe/trial.h"
#include "lib/tls/credential.h"
#include "lib/tls/facts.h"

#include <stddef.h>

enum ipc_health_type {
	/* control -> health */
	IPC_PROBE_NOW = IPC_FILE_HEALTH, /* probes a server's hosts at once */
	IPC_CLIENT_SIDE,                 /* the gateway's own addresses where the clients are */
	IPC_TEST,                        /* secret: try a server's hosts up to RCPT; answered by */

	/* health -> control */
	IPC_TESTED,   /* rows: one line each, then the reply */
	IPC_HOST_TLS, /* what was seen of TLS at one address of a host */

	/* smtp -> control -> health, and back */
	IPC_LOOKUP,    /* the names of a client of a listener, by DNS; of control: with seq */
	IPC_LOOKED_UP, /* they; with a seq the reply follows */
	/* auth, smtp -> control -> health */
	IPC_RESOLVE, /* the addresses of a host by its name */
	/* and back: when they are known, and again whenever they change */
	IPC_RESOLVED,
	/* control -> smtp */
	IPC_LOOKUPS_LOST, /* a new health process knows of no question: each is to be put again */
	IPC_HEALTH_END,
};

struct ipc_probe_now {
	struct ipc_header header;
	char server[POLICY_NAME_SIZE]; /* empty: all */
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
	/* of the server's account, that stands behind: CREDENTIAL_SECRET_BYTES_MAX at most, no NUL;
	 * 0: it has none, or it is not there. No member, so that who keeps the rest keeps no secret
	 */
	uint16_t secret_bytes;
};

enum ipc_tested_kind {
	IPC_TESTED_SAID,
	IPC_TESTED_HEARD,
	IPC_TESTED_TLS,     /* what came of the handshake, and with whom */
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

struct ipc_lookup {
	struct ipc_header header;
	uint64_t flow;  /* whose client it is; 0: of none */
	uint32_t place; /* of the flow in its table */
	uint32_t smtp;  /* number of the process that asks; filled in by control */
	struct addr addr;
};

/* Repeats the question. */
struct ipc_looked_up {
	struct ipc_header header;
	uint64_t flow;
	uint32_t place, smtp;
	struct addr addr;
	uint8_t known; /* enum client_names_known: never PENDING */
	uint16_t n;    /* names behind: those that are its own */
	uint32_t reserved;
	/* the first that reverse DNS says, its own or not; empty: none */
	char reverse[DNS_NAME_SIZE];
	char names[][DNS_NAME_SIZE];
};
_Static_assert(offsetof(struct ipc_looked_up, names) == sizeof(struct ipc_looked_up), "no gap");

struct ipc_resolve {
	struct ipc_header header;
	char name[DNS_NAME_SIZE];
};

#define RESOLVED_MAX 16

/* Without an address: it has none, or DNS does not answer. */
struct ipc_resolved {
	struct ipc_header header;
	char name[DNS_NAME_SIZE]; /* as it was asked for */
	uint32_t n;
	uint32_t status;                     /* enum dns_status: why it has none */
	struct addr addresses[RESOLVED_MAX]; /* behind n: ADDR_NONE */
};

struct ipc_host_tls {
	struct ipc_header header;
	uint64_t digest;  /* tls_terms_digest() of the host that it was looked at for */
	uint64_t seen_ms; /* wall clock; 0: nothing is known of it any more, and tls is unset */
	struct endpoint host;
	char server[POLICY_NAME_SIZE];
	char name[TARGET_NAME_SIZE]; /* of the target */
	uint32_t mode;               /* enum policy_server_tls_mode: how it has to be */
	uint32_t reserved;
	struct tls_seen tls;
};

#endif
