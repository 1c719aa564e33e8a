/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which session was let pass from which address.
 *
 * The kernel's table of connections knows addresses alone, and a session gains and loses addresses
 * while connections that it began go on. So each address that a session passes from is kept until
 * the session is over, or until another session of the zone passes from it; in the state folder
 * too, since neither a crash nor a restart ends what the kernel lets pass. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_PASSED_H
#define POSTERN_DAEMON_CONTROL_SESSION_PASSED_H

#include "lib/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct control;
struct passed;

/* Of one session; the one that passed longest ago goes. */
#define PASSED_ADDRESSES_MAX 256

/* A line of the state folder: "SESSION ADDRESS"; without an address, the last session of which
 * nothing is known. */
struct fields;
bool passed_parse(struct fields *line, uint64_t *session, struct addr *addr);

/* Reads the state folder; the table of sessions is filled, and last_id is the highest number that a
 * session ever had. NULL: out of memory. */
struct passed *passed_open(struct control *control, uint64_t last_id);
void passed_free(struct passed *passed); /* NULL is allowed */
/* false: the session is older than what is kept here; where it has passed from is not known. */
bool passed_is_known(const struct passed *passed, uint64_t session);

/* The session passes from the address, and may do so again until until_ms (steady clock) without
 * being seen. true: *gone was given up for it. */
bool passed_note(struct passed *passed, uint64_t session, const struct addr *addr,
	uint64_t until_ms, struct addr *gone);
/* A connection that passes from the address had a packet then. */
void passed_note_used(struct passed *passed, const struct addr *addr, uint64_t at_ms);
/* When the session may have passed anything last; 0: it is not known to have passed at all. */
uint64_t passed_last_ms(const struct passed *passed, uint64_t session);
bool passed_any(const struct passed *passed, uint64_t session);
void passed_each(const struct passed *passed, uint64_t session,
	void (*visit)(void *context, const struct addr *addr), void *context);

#endif
