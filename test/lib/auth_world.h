/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a world for tests of where passwords are checked: the process's own code, with a policy,
 * what control would hand it, and the other end of an smtp process's pair. One at a time. */
#ifndef POSTERN_TEST_AUTH_WORLD_H
#define POSTERN_TEST_AUTH_WORLD_H

#include "daemon/auth/auth.h"

struct auth_world {
	struct auth auth;
	int pair; /* smtp's end */
};

/* The policy is in force as soon as auth_world_follow() says so. NULL: why was printed. */
struct auth_world *auth_world_open(const char *policy);
/* As control hands it: the bytes of a file. */
void auth_world_put(struct auth_world *world, enum credential_kind kind, const char *file,
	const void *bytes, size_t len);
void auth_world_follow(struct auth_world *world);
void auth_world_close(struct auth_world *world);

/* The loop runs so long, and what is due by then is done. */
void auth_world_run(struct auth_world *world, uint64_t ms);
/* A client of 192.0.2.7 says PLAIN at a listener. */
void auth_world_ask(struct auth_world *world, uint64_t id, const char *listener, const char *user,
	const char *password);
/* The next verdict, borrowed until the next call; the loop runs until it is there, at most so
 * long. NULL: none came. */
const struct ipc_auth_verdict *auth_world_verdict(struct auth_world *world, uint64_t most_ms);

#endif
