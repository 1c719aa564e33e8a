/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a process's picture of what control decided: policy, sessions, dynamic lists, blocks, TLS
 * with its certificates and keys, and of the servers' hosts as health sees them, as far as its role
 * is told of them.
 *
 * A control that was started anew sends the whole picture. Until it is complete the process goes on
 * with the old one, so that a restart of control is seen by no flow, and what has gone meanwhile
 * goes in one step. */
#ifndef POSTERN_DAEMON_PROCESS_REPLICA_H
#define POSTERN_DAEMON_PROCESS_REPLICA_H

#include "daemon/process/child.h"
#include "daemon/process/replica_targets.h"
#include "daemon/tls/contexts.h"
#include "lib/policy/block.h"
#include "lib/policy/lists.h"
#include "lib/policy/policy.h"
#include "lib/policy/session.h"

struct picture {
	struct policy *policy; /* NULL: none came yet */
	uint64_t number;       /* of the policy */
	uint64_t inquiry;      /* what hosts offered in one before counts no more; 0: none yet */
	struct session_table *sessions;
	struct lists *lists;
	struct blocks *blocks;
	struct tls_contexts *contexts; /* of the policy; NULL: the role is told of none */
};

enum replica_change {
	REPLICA_CHANGED,  /* something else */
	REPLICA_BLOCKED,  /* a client is blocked */
	REPLICA_POLICY,   /* another policy is in force */
	REPLICA_COMPLETE, /* the whole picture is there and in force */
	REPLICA_INQUIRY,  /* under the same policy hosts are asked anew */
	REPLICA_RENEWED,  /* under the same policy there are other certificates or secrets */
};

struct replica {
	struct picture *now;    /* in force */
	struct picture *coming; /* being sent; NULL: changes are made to `now` */
	bool complete;          /* `now` was complete once */
	struct policy *prepared;
	uint64_t prepared_number;
	struct tls_contexts *prepared_contexts;
	struct tls_credentials credentials;
	struct replica_targets targets; /* of the policy in force */
	struct session_storage *storage;
	uint16_t relay_port;
	/* What it was told was taken. */
	void (*on_change)(struct child *child, enum replica_change change);
};

/* 0 or -ENOMEM. */
int replica_init(struct replica *replica, uint16_t relay_port,
	void (*on_change)(struct child *child, enum replica_change change));
void replica_fini(struct replica *replica);
/* A new control begins to send. 0 or -ENOMEM. */
int replica_begin(struct replica *replica);

/* Takes one ipc of control in, tells the process by replica->on_change, and answers. With
 * another policy the log goes by it before. A descriptor that is taken over is -1 afterwards.
 * False: the ipc is not about the picture. */
bool replica_take(
	struct child *child, struct replica *replica, const struct ipc_header *ipc, int *fd);

#endif
