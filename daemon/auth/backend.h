/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns where passwords are checked: one backend for each `auth` of the policy, of four kinds, and
 * what is told of each.
 *
 * A backend is asked with ask() and answers, then or later, by attempt_answer(), once. One that is
 * asked with drop() instead does not any more. Nothing it does waits. */
#ifndef POSTERN_DAEMON_AUTH_BACKEND_H
#define POSTERN_DAEMON_AUTH_BACKEND_H

#include "daemon/base/loop.h"
#include "lib/auth/dovecot.h"
#include "lib/ipc/auth.h"
#include "lib/policy/policy.h"

#include <stdbool.h>

struct attempt;
struct auth;
struct backend;

/* What a kind of backend can; all but open and ask may be NULL. */
struct backend_kind {
	/* What it needs is there: makes backend->own. 0 or -errno. */
	int (*open)(struct backend *backend);
	/* What it needs is there anew: users, secrets, trust, hosts. */
	void (*renew)(struct backend *backend);
	void (*close)(struct backend *backend);
	/* Is this attempt's user who he says? Its name and password are in attempt->sasl. */
	void (*ask)(struct backend *backend, struct attempt *attempt);
	/* The same in a mechanism that the backend alone understands, whose first response, if
	 * any, is said; and what the client answers to its challenge. */
	void (*begin)(struct backend *backend, struct attempt *attempt, const void *response,
		size_t len, bool given);
	void (*respond)(
		struct backend *backend, struct attempt *attempt, const void *response, size_t len);
	/* The attempt that it was asked about is over. */
	void (*drop)(struct backend *backend, struct attempt *attempt);
};

struct backend {
	struct auth *auth;
	const struct policy_auth *policy; /* of `policy_held` */
	struct policy *policy_held;
	const struct backend_kind *kind;
	void *own; /* the kind's */
	/* The mechanisms that it told of last, kept while it is away; not `done`: it told nothing,
	 * or is of a kind that has PLAIN and LOGIN alone. */
	struct dovecot_greeting greeting;
	struct ipc_auth_state state;
	bool changed; /* since it was told */
};

struct backends {
	struct backend *v;
	size_t n;
	/* The number of this process's first policy: under that, smtp may know from the process
	 * before what they have. */
	uint64_t first;
};

/* Another policy is in force: all begin anew. Of one that stays where it was what was counted goes
 * on, and of a Dovecot whose socket stayed the same is still known what it has. */
void backends_follow(struct auth *auth);
/* There are other users, secrets, trust or hosts. */
void backends_renew(struct auth *auth);
void backends_close(struct auth *auth);
/* NULL: there is none of this name. */
struct backend *backends_find(struct auth *auth, const char *name);
/* To control: those that changed, or all. */
void backends_tell(struct auth *auth, bool all);

/* May this mechanism be said to it? By its `mechanism`, or what it can. */
bool backend_takes(const struct backend *backend, const char *mechanism);
/* It has not told yet what it has, and this may be of it. */
bool backend_may_take(const struct backend *backend, const char *mechanism);
/* Is a password said by this one? Of what dovecot told; PLAIN and LOGIN. */
bool backend_says_password(const struct backend *backend, const char *mechanism);
/* The mechanisms that can be said at a listener, as words; clear: those of them that say no
 * password. False: what the process before told holds, until it is told what there is. */
bool backends_offer(struct auth *auth, const struct policy_listener *listener,
	char mechanisms[static AUTH_MECHANISMS_SIZE], char clear[static AUTH_MECHANISMS_SIZE]);

/* It told what it has. */
void backend_greeted(struct backend *backend, const struct dovecot_greeting *greeting);
/* It works, or why it does not, in words of no client's. */
void backend_note(struct backend *backend, bool up, const char *text);

/* The four kinds, each in its own file. */
extern const struct backend_kind backend_users, backend_ldap, backend_forward, backend_dovecot;

#endif
