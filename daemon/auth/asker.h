/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the pairs with the smtp processes and with web: what each asks, and what it is told. */
#ifndef POSTERN_DAEMON_AUTH_ASKER_H
#define POSTERN_DAEMON_AUTH_ASKER_H

#include "daemon/base/channel.h"
#include "lib/ipc/auth.h"

struct auth;

struct asker {
	struct asker *next;
	struct auth *auth;
	struct channel *channel;
};

struct askers {
	struct asker *first;
};

/* One end of a pair; fd is taken over. */
void asker_open(struct auth *auth, int fd);
/* What can be said at each listener, to all. */
void askers_offer(struct auth *auth);
void askers_close(struct auth *auth);

void asker_challenge(struct asker *asker, uint64_t id, const void *bytes, size_t len);
/* session: SESSION_ENCODED, with OK; text for the log, NULL: none; affirm: NULL: nothing is. */
void asker_verdict(struct asker *asker, uint64_t id, enum auth_verdict verdict, const char *auth,
	const char *text, const uint8_t *session, size_t len, const struct affirm *affirm);

#endif
