/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one login from its first word to its verdict: the dialogue, which backends are asked in
 * which order, how long a no is held back. */
#ifndef POSTERN_DAEMON_AUTH_ATTEMPT_H
#define POSTERN_DAEMON_AUTH_ATTEMPT_H

#include "daemon/base/loop.h"
#include "daemon/base/pool.h"
#include "lib/auth/sasl.h"
#include "lib/base/addr.h"
#include "lib/ipc/auth.h"
#include "lib/limit/guess.h"

struct asker;
struct auth;
struct backend;

/* Of more at once some make room (daemon/auth/crowd.h); where nobody does, they hear that it cannot
 * be found out now. */
#define ATTEMPTS_MAX 4096

/* state  holds                             moved on by
 * -----  --------------------------------  ------------------------------------------------
 * TALKS  a challenge that was said         the client's response; nobody waits; its time
 * ASKS   a backend that was asked          its answer; its time
 * HOLDS  a no                              its time */
enum attempt_state {
	ATTEMPT_TALKS,
	ATTEMPT_ASKS,
	ATTEMPT_HOLDS,
};

struct attempt {
	struct auth *auth;
	struct attempt *next, *before; /* of those under way */
	struct asker *asker;           /* NULL: control tests */
	uint64_t id;                   /* the asker's */
	uint32_t seq;                  /* of control's question */
	enum attempt_state state;
	struct loop_timer timer;
	struct policy *policy;                   /* held */
	const char *where;                       /* the listener or portal; "test" */
	bool portal;                             /* it is a portal */
	const struct policy_strings *auth_names; /* of it; NULL: a test */
	size_t at;                               /* which of its auths is asked */
	struct backend *backend;                 /* that is or was asked last; NULL: none */
	void *of_backend;                        /* its own */
	uint64_t number;                         /* no other attempt's of this process */
	struct endpoint client, server;
	struct addr place; /* of who guesses */
	bool secured;
	bool through; /* the backend alone understands its mechanism */
	bool counted; /* it was found out whether it may be asked for */
	bool known;   /* he logged in from there before: he waits for no stranger */
	bool asking;  /* the backend has not answered yet */
	uint64_t begun_ms, asked_ms;
	char mechanism[AUTH_MECHANISM_SIZE];
	char name[GUESS_NAME_SIZE]; /* by which it counts */
	uint64_t proof;             /* with its password; 0: the backend alone sees it */
	struct sasl sasl;           /* wiped with it */
};

struct attempts {
	struct pool pool;
	struct attempt *first;
	uint64_t last; /* number */
};

/* 0 or -ENOMEM. */
int attempts_init(struct attempts *attempts);
void attempts_fini(struct attempts *attempts);

void attempt_begin(struct auth *auth, struct asker *asker, const struct ipc_auth_ask *ask);
void attempt_respond(
	struct auth *auth, struct asker *asker, const struct ipc_auth_response *response);
void attempt_cancel(struct auth *auth, struct asker *asker, uint64_t id);
/* Of one that is gone, whose logins nobody waits for. */
void attempts_forget(struct auth *auth, const struct asker *asker);
/* All backends go: what was not found out by them is not, whichever would have been asked next. */
void attempts_leave(struct auth *auth);
/* One user's password at one backend, for control. */
void attempt_test(struct auth *auth, const struct ipc_auth_test *test);

enum attempt_answer {
	ATTEMPT_YES,     /* auth->who says who */
	ATTEMPT_NO,      /* a wrong password, or not known, where that is not told apart */
	ATTEMPT_UNKNOWN, /* the next backend may know him */
	ATTEMPT_LATER,   /* it could not be found out */
};
/* What a backend found out of the one that it was asked about. text: for the log, of no client's
 * words; NULL: none. The attempt may be gone then. */
void attempt_answer(struct attempt *attempt, enum attempt_answer answer, const char *text);
/* What the backend wants to hear next, in its own mechanism. */
void attempt_challenge(struct attempt *attempt, const void *bytes, size_t len);
/* By number: what was asked may be over when the answer comes. NULL: it is. */
struct attempt *attempt_find(struct auth *auth, uint64_t number);
/* The name as this backend is asked: without blanks around, with its domain where it has none. */
#define ATTEMPT_USER_SIZE (GUESS_NAME_SIZE + 256)
const char *attempt_user(const struct attempt *attempt, const struct backend *backend,
	char name[static ATTEMPT_USER_SIZE]);
/* The same in lower case: who it is where the backend names nobody, however it was typed. */
const char *attempt_typed(const struct attempt *attempt, const struct backend *backend,
	char name[static ATTEMPT_USER_SIZE]);

#endif
