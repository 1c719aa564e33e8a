/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the text by which a keeper hands its place over to the program that it executes: which
 * descriptors stay open and what they are, and which children live on.
 *
 * It is lines of words, so that another version can read it: a line that it does not know is passed
 * over, one that it needs and does not find is an error. The writer is the same user's program of
 * another day and is not believed: all is bounded, numbers are in range, no descriptor or child
 * stands there twice, and the last line must be "end". */
#ifndef POSTERN_LIB_IPC_HANDOVER_H
#define POSTERN_LIB_IPC_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A version before wrote "fd NAME FD" and "place FD4 FD6" for relays' listeners: both are read. It
 * refuses what this one writes, so that it takes a restart to go back to it. */
#define HANDOVER_FORMAT        1
#define HANDOVER_BYTES_MAX     (512 << 10)
#define HANDOVER_VERSION_SIZE  32
#define HANDOVER_PROGRAM_SIZE  4096
#define HANDOVER_FDS_MAX       2304 /* 64 endpoints twice, 16 processes, and the rest */
#define HANDOVER_WORD_SIZE     24
#define HANDOVER_ENDPOINT_SIZE 64
#define HANDOVER_CHILDREN_MAX  128
#define HANDOVER_NUMBERS_MAX   128 /* of processes with flows */

/* Kinds of descriptors. Others may be added: who reads one that it does not know lets it be. */
#define HANDOVER_OWN      "own"      /* the keeper's, one of each: the name says which */
#define HANDOVER_LISTENER "listener" /* of the role of that name, at the endpoint */

/* Names of the keeper's own. */
#define HANDOVER_LOCK           "lock"
#define HANDOVER_CONTROL_SOCKET "control-socket"
#define HANDOVER_SESSION_SOCKET "session-socket"
#define HANDOVER_DESK_SOCKET    "desk-socket"
#define HANDOVER_LIMIT          "limit"
#define HANDOVER_MESSAGE_LIMIT  "message-limit"
#define HANDOVER_QUEUE_STATS    "queue-stats"
#define HANDOVER_NOTIFY         "notify"
#define HANDOVER_TABLE          "table"    /* the netlink socket that owns the table */
#define HANDOVER_QUEUE          "queue"    /* the netlink socket that is bound to the queue */
#define HANDOVER_FLOW_LOG       "flow-log" /* the netlink socket that flows are logged to */
#define HANDOVER_PLAN           "plan"     /* sealed memory: the plan in force */

struct handover_fd {
	char kind[HANDOVER_WORD_SIZE];
	char name[HANDOVER_WORD_SIZE];
	char endpoint[HANDOVER_ENDPOINT_SIZE]; /* an address; "-": none */
	int fd;
};

struct handover_child {
	char role[HANDOVER_WORD_SIZE];
	uint32_t number; /* no other's of this role */
	uint32_t generation;
	int32_t pid;
	int channel;
	bool mute;         /* its version was spoken to in another language than the writer's */
	uint64_t until_ms; /* monotonic: when it is to have drained; 0: was not told to */
	char version[HANDOVER_VERSION_SIZE];
};

struct handover {
	char version[HANDOVER_VERSION_SIZE]; /* of the writer */
	uint64_t protocol;                   /* ipc_protocol() of the writer */
	uint32_t drain_s;
	uint32_t upgrades;  /* so many were asked for */
	uint64_t paused_ms; /* monotonic: since when packets wait; 0: not told */
	uint32_t lacks;     /* table_lacks(); 0: not told */
	char program[HANDOVER_PROGRAM_SIZE];
	size_t nfds;
	struct handover_fd fds[HANDOVER_FDS_MAX];
	size_t nchildren;
	struct handover_child children[HANDOVER_CHILDREN_MAX];
};

/* No descriptor or child. */
void handover_init(struct handover *handover);
/* fd -1 is none, and not added. -E2BIG: no room. */
int handover_add(struct handover *handover, const char *kind, const char *name,
	const char *endpoint, int fd);
/* The keeper's own of this name, or -1. */
int handover_own(const struct handover *handover, const char *name);
/* Those of a kind and name, one after the other: start with *at 0. NULL: no more. */
const struct handover_fd *handover_next(
	const struct handover *handover, const char *kind, const char *name, size_t *at);
/* The length of the text, -E2BIG or -EINVAL (a name with a control character). */
int handover_encode(const struct handover *handover, char *text, size_t room);
/* 0 or -EBADMSG. */
int handover_decode(const char *text, size_t len, struct handover *handover);

#endif
