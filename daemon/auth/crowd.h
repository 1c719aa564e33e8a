/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who has a place when many log in at once: whom a backend is asked for, and who makes room.
 */
#ifndef POSTERN_DAEMON_AUTH_CROWD_H
#define POSTERN_DAEMON_AUTH_CROWD_H

#include "daemon/auth/attempt.h"

/* Of strangers. The rest of the places is kept for those who are known to log in. */
#define CROWD_STRANGERS (ATTEMPTS_MAX / 4 * 3)

/* May the backend be asked for this one: is he known, or were neither too many refused nor are too
 * many asked for already? */
bool crowd_may_ask(struct attempt *attempt, uint64_t now_us);
/* Who goes for one more, of a full table: whoever has had a challenge to answer for longest, else
 * the no that is due next. NULL: a backend is asked for all. */
struct attempt *crowd_who_goes(const struct attempts *attempts);

#endif
