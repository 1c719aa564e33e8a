/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the parts of the process that checks passwords share. */
#ifndef POSTERN_DAEMON_AUTH_AUTH_H
#define POSTERN_DAEMON_AUTH_AUTH_H

#include "daemon/auth/asker.h"
#include "daemon/auth/attempt.h"
#include "daemon/auth/backend.h"
#include "daemon/auth/who.h"
#include "daemon/process/child.h"
#include "daemon/process/host_addresses.h"
#include "daemon/process/replica.h"
#include "lib/limit/guess.h"

struct auth {
	struct child child; /* first */
	const struct process_start *start;
	struct loop *loop;
	struct replica replica;
	struct guess *guess;
	struct askers askers;
	struct attempts attempts;
	struct backends backends;    /* of the policy in force */
	struct host_addresses hosts; /* known by name */
	struct who who;              /* for the answer at hand */
};

static inline const struct policy *auth_policy(const struct auth *auth)
{
	return auth->replica.now->policy;
}

#endif
