/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns taking clients over from the relay of the same place (lib/ipc/hand.h). */
#ifndef POSTERN_DAEMON_SMTP_TAKE_H
#define POSTERN_DAEMON_SMTP_TAKE_H

#include "daemon/base/channel.h"
#include "lib/policy/session.h"
#include "lib/record/ending.h"

struct smtp;

struct take {
	struct channel *pair;            /* NULL: no relay of this place runs */
	int waiting;                     /* its end, before the picture is there; -1: none */
	struct session_storage *storage; /* of the session at hand */
};

/* 0 or -ENOMEM. */
int take_init(struct smtp *smtp);
void take_fini(struct smtp *smtp);
/* A relay started. fd is taken over. */
void take_on_pair(struct smtp *smtp, int fd);
/* The picture is there: what was handed over before it is taken now. */
void take_start(struct smtp *smtp);
/* Takes what was handed over by now. */
void take_drain(struct smtp *smtp);
/* No flow can be had for the client: it hears why, if its socket takes the line at once, and is
 * gone. fd is taken over. */
void take_turn_away(struct smtp *smtp, uint64_t id, int fd, enum ending why);
/* Is there a relay that may hand over more? */
bool take_may_come(const struct smtp *smtp);

#endif
