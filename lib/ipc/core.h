/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the processes say to each other, and what all of them say: heartbeat, reply, peers,
 * drain, log level, counters. What two of them alone have to say is in the files beside it.
 *
 * One ipc is one record of a SOCK_SEQPACKET socket pair. All are of one machine and one build, so
 * structures travel as they are; each is checked by ipc_check() before anything in it is believed,
 * and what is packed in it by who unpacks it. Requests that want an answer carry `seq`, not zero;
 * the answer is IPC_REPLY with the same. */
#ifndef POSTERN_LIB_IPC_CORE_H
#define POSTERN_LIB_IPC_CORE_H

#include "lib/metrics/counter.h"
#include "lib/metrics/histogram.h"

#include <string.h>

#define IPC_VERSION      1
#define IPC_BYTES_MAX    65536
#define IPC_TEXT_SIZE    256
#define IPC_VERSION_SIZE 32

/* Each file here has so many types, from its own number on. */
#define IPC_FILE_TYPES 64
enum ipc_file {
	IPC_FILE_CORE = 0,
	IPC_FILE_KERNEL = 1 * IPC_FILE_TYPES,
	IPC_FILE_PICTURE = 2 * IPC_FILE_TYPES,
	IPC_FILE_FLOW = 3 * IPC_FILE_TYPES,
	IPC_FILE_HEALTH = 4 * IPC_FILE_TYPES,
	IPC_FILE_WEB = 5 * IPC_FILE_TYPES,
	IPC_FILE_HAND = 6 * IPC_FILE_TYPES,
	IPC_FILE_CREDENTIAL = 7 * IPC_FILE_TYPES,
	IPC_FILE_AUTH = 8 * IPC_FILE_TYPES,
	IPC_FILE_SCAN = 9 * IPC_FILE_TYPES,
	IPC_FILE_RADIUS = 10 * IPC_FILE_TYPES,
};
#define IPC_FILES 11
#define IPC_TYPES (IPC_FILES * IPC_FILE_TYPES)

enum ipc_core_type {
	/* any <-> any */
	IPC_PING = IPC_FILE_CORE + 1, /* keeper -> child, once a second; answered by */
	IPC_PONG,
	IPC_REPLY,

	/* keeper -> the others */
	IPC_PEER,      /* + descriptor: one end of a pair with another process */
	IPC_PEER_GONE, /* it died (to control) */
	IPC_DRAIN,     /* take no new flows, end when the last is done or the time is over */
	IPC_HAND_OVER, /* another control comes: what relays still say is heard, then this one
			  ends; a relay keeps what it has to say for the next */

	IPC_REST, /* to one with flows: it is wanted no longer, and ends when its last flow has. Or
		     it is wanted again */

	/* control -> the others */
	IPC_LOG_LEVEL,

	/* the others -> control */
	IPC_COUNTERS, /* a process's counters, once a second when changed, and at its end */
	IPC_CORE_END,
};

struct ipc_header {
	uint16_t type;
	uint16_t version;
	uint32_t seq;
	uint32_t bytes; /* of the whole ipc, header included */
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

struct ipc_peer { /* PEER, PEER_GONE */
	struct ipc_header header;
	uint32_t number;                /* no other's of this role that runs */
	uint32_t generation;            /* counts its starts */
	uint32_t draining;              /* 1: it is of a version before, and takes no new flows */
	uint32_t role;                  /* of the other end: enum process_role */
	char version[IPC_VERSION_SIZE]; /* of a draining one */
};

struct ipc_drain {
	struct ipc_header header;
	uint32_t seconds;
	uint32_t reserved;
};

struct ipc_rest {
	struct ipc_header header;
	uint32_t rests; /* 0: it is wanted again */
	uint32_t reserved;
};

struct ipc_log_level {
	struct ipc_header header;
	uint32_t level; /* enum policy_log_level */
	uint32_t reserved;
};

struct ipc_counters {
	struct ipc_header header;
	uint32_t number; /* of the process */
	uint32_t n;      /* COUNTERS */
	uint64_t v[COUNTERS];
	struct histogram histograms[HISTOGRAMS]; /* a relay's; ADMISSION is the keeper's */
};

/* Is it a well-formed ipc, of len bytes in an aligned buffer? Type known, version ours, length
 * exact, counts within it, enums in range, strings terminated and without control characters. 0 or
 * -EBADMSG. What one process may say to another is checked by the receiver. */
int ipc_check(const void *bytes, size_t len);
/* Fills the header: zeroes the ipc and sets type and bytes. */
static inline void ipc_init(void *ipc, unsigned type, size_t bytes)
{
	struct ipc_header *header = ipc;

	memset(ipc, 0, bytes);
	header->type = (uint16_t)type;
	header->version = IPC_VERSION;
	header->bytes = (uint32_t)bytes;
}
const char *ipc_name(unsigned type);
/* Does it hold what must not stay in memory? Whoever held one wipes it: both ends of a channel, and
 * who made it. */
bool ipc_is_secret(unsigned type);
/* What two builds must have in common to understand each other: equal, as far as kinds and sizes
 * tell, when what they say is. A change of meaning alone raises IPC_VERSION. */
uint64_t ipc_protocol(void);

#endif
