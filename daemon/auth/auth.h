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

struct auth;

/* What low files call back (face.c). */
struct auth_face {
	/* An smtp process says it. */
	void (*on_ask)(struct auth *auth, struct asker *asker, const struct ipc_auth_ask *ask);
	void (*on_response)(
		struct auth *auth, struct asker *asker, const struct ipc_auth_response *response);
	void (*on_cancel)(struct auth *auth, struct asker *asker, uint64_t id);
	void (*on_gone)(struct auth *auth, const struct asker *asker);
	/* What can be said at a listener may have changed; and all backends go. */
	void (*on_offer)(struct auth *auth);
	void (*on_leave)(struct auth *auth);
	/* By enum policy_auth_kind. */
	const struct backend_kind *kinds[POLICY_AUTH_KINDS];
};
extern const struct auth_face auth_face;

struct auth {
	struct child child; /* first */
	const struct auth_face *face;
	const struct process_start *start;
	struct loop *loop;
	struct replica replica;
	struct guess *guess;
	uint8_t key[AFFIRM_KEY_SIZE]; /* by which control knows what is affirmed */
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
