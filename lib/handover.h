/* Owns the text by which a keeper hands its place over to the program that it executes: which
 * descriptors stay open and what they are, and which children live on.
 *
 * It is lines of words, so that another version can read it: a line that it does not know is passed
 * over, one that it needs and does not find is an error. The writer is the same user's program of
 * another day and is not believed: all is bounded, numbers are in range, no descriptor or child
 * stands there twice, and the last line must be "end". */
#ifndef POSTERN_HANDOVER_H
#define POSTERN_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#define HANDOVER_FORMAT       1
#define HANDOVER_BYTES_MAX    65536
#define HANDOVER_VERSION_SIZE 32
#define HANDOVER_PROGRAM_SIZE 4096
#define HANDOVER_PLACES_MAX   32
#define HANDOVER_CHILDREN_MAX 64
#define HANDOVER_NUMBERS_MAX  64 /* of relays */

/* Descriptors with one meaning each; -1: not there. */
enum handover_fd {
	HANDOVER_LOCK,
	HANDOVER_CONTROL_SOCKET,
	HANDOVER_SESSION_SOCKET,
	HANDOVER_LIMIT,
	HANDOVER_QUEUE_STATS,
	HANDOVER_NOTIFY,
	HANDOVER_TABLE, /* the netlink socket that owns the table */
	HANDOVER_QUEUE, /* the netlink socket that is bound to the queue */
	HANDOVER_PLAN,  /* sealed memory: the plan in force */
	HANDOVER_DESK_SOCKET,
};
#define HANDOVER_FDS 10

enum handover_role {
	HANDOVER_RELAY,
	HANDOVER_HEALTH,
};

/* Where a relay is to accept. */
struct handover_place {
	int listener4, listener6; /* -1: closed */
};

struct handover_child {
	enum handover_role role;
	uint32_t number; /* relay; 0 for health */
	uint32_t generation;
	int32_t pid;
	int channel;
	uint64_t until_ms; /* monotonic: when it is to have drained; 0: was not told to */
	char version[HANDOVER_VERSION_SIZE];
};

struct handover {
	char version[HANDOVER_VERSION_SIZE]; /* of the writer */
	uint64_t protocol;                   /* message_protocol() of the writer */
	uint32_t drain_s;
	uint32_t upgrades;  /* so many were asked for */
	uint64_t paused_ms; /* monotonic: since when packets wait; 0: not told */
	uint32_t lacks;     /* table_lacks(); 0: not told */
	char program[HANDOVER_PROGRAM_SIZE];
	int fds[HANDOVER_FDS];
	size_t nplaces;
	struct handover_place places[HANDOVER_PLACES_MAX];
	size_t nchildren;
	struct handover_child children[HANDOVER_CHILDREN_MAX];
};

/* No descriptor, place or child. */
void handover_init(struct handover *handover);
/* The length of the text, -E2BIG or -EINVAL (a name with a control character). */
int handover_encode(const struct handover *handover, char *text, size_t room);
/* 0 or -EBADMSG. */
int handover_decode(const char *text, size_t len, struct handover *handover);

#endif
