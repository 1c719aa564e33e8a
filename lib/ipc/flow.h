/* Owns what a flow tells of itself, live or finished, and how that is packed. */
#ifndef POSTERN_IPC_FLOW_H
#define POSTERN_IPC_FLOW_H

#include "lib/ipc/ipc.h"

/* A live flow and an audit record are the same thing at two times: end_ms 0 is live. */
#define IPC_ATTEMPTS_MAX 8

struct ipc_attempt {
	struct endpoint host;
	uint32_t ms;     /* how long it took */
	uint16_t ending; /* enum ending; ENDING_NONE: it was taken */
	char reply[120]; /* the host's words, printable */
};

struct ipc_flow {
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
	char server[POLICY_NAME_SIZE]; /* "original" for server original */
	char state[24];                /* live: name of the flow's state */
	char detail[IPC_TEXT_SIZE];    /* printable: reason in words, last reply */
	struct endpoint gateway;       /* our end towards host; family ADDR_NONE: none */
	char reply[120];               /* printable: the server's last to a text, seen in clear */
	uint32_t nattempts;
	uint32_t relay;
	struct ipc_attempt attempts[IPC_ATTEMPTS_MAX];
};

/* The largest one packed; the usual one has a few hundred bytes. */
#define IPC_FLOW_BYTES_MAX 4096

/* IPC_FLOW, a live one. */
struct ipc_flow_row {
	struct ipc_header header;
	uint8_t data[]; /* packed */
};

/* How many bytes; never more than IPC_FLOW_BYTES_MAX. */
size_t ipc_flow_encode(const struct ipc_flow *flow, uint8_t bytes[static IPC_FLOW_BYTES_MAX]);
/* 0 or -EBADMSG: not a flow, or numbers out of range, or texts with control characters. */
int ipc_flow_decode(const uint8_t *bytes, size_t len, struct ipc_flow *flow);
/* For ipc_protocol(). */
uint64_t ipc_flow_hash(uint64_t hash);

#endif
