/* Owns a relay's picture of what control decided: policy, sessions, dynamic
 * lists, blocks.
 *
 * A control that was started anew sends the whole picture. Until it is complete the relay goes on
 * with the old one, so that a restart of control is seen by no flow, and what has gone meanwhile
 * goes in one step. */
#ifndef POSTERN_REPLICA_H
#define POSTERN_REPLICA_H

#include "lib/block.h"
#include "lib/lists.h"
#include "lib/message.h"
#include "lib/policy.h"
#include "lib/session.h"

struct picture {
	struct policy *policy; /* NULL: none came yet */
	uint64_t number;       /* of the policy */
	struct session_table *sessions;
	struct lists *lists;
	struct blocks *blocks;
};

struct replica {
	struct picture *now;    /* in force */
	struct picture *coming; /* being sent; NULL: changes are made to `now` */
	bool complete;          /* `now` was complete once */
	struct policy *prepared;
	uint64_t prepared_number;
	struct session_storage *storage;
	uint16_t relay_port;
};

/* 0 or -ENOMEM. */
int replica_init(struct replica *replica, uint16_t relay_port);
void replica_fini(struct replica *replica);
/* A new control begins to send. 0 or -ENOMEM. */
int replica_begin(struct replica *replica);

enum replica_change {
	REPLICA_NONE,     /* not a message about the picture */
	REPLICA_CHANGED,  /* taken */
	REPLICA_BLOCKED,  /* taken: a client is blocked */
	REPLICA_POLICY,   /* taken: another policy is in force */
	REPLICA_COMPLETE, /* taken: the whole picture is there and in force */
	REPLICA_FAILED,   /* *error says how */
};

/* Takes one message of control in; fd is closed if it is one of ours. text (may be left empty)
 * says what is wrong with a policy. */
enum replica_change replica_take(struct replica *replica, const struct message_header *message,
	int fd, int *error, char text[static MESSAGE_TEXT_SIZE]);

#endif
