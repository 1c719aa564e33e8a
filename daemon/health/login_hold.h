/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how long nobody logs in at a host that refused a login: no flow, and for itself no test. */
#ifndef POSTERN_DAEMON_HEALTH_LOGIN_HOLD_H
#define POSTERN_DAEMON_HEALTH_LOGIN_HOLD_H

#include "daemon/base/loop.h"
#include "lib/policy/target.h"

struct login_hold {
	struct loop *loop;
	void (*on_over)(struct login_hold *hold); /* flows may log in again */
	struct loop_timer timer;                  /* the end of it */
	uint64_t until_ms;                        /* wall clock; 0: flows may */
	/* A test was refused the login, at this time; no other one tries it soon. Monotonic; 0:
	 * none was. */
	uint64_t tested_ms;
	char text[TARGET_TEXT_SIZE];
};

void login_hold_init(
	struct login_hold *hold, struct loop *loop, void (*on_over)(struct login_hold *hold));
void login_hold_fini(struct login_hold *hold);
/* A flow was refused the login: no other one tries it until then, TARGET_LOGIN_MS at most. A clock
 * that was set back does not make it longer. */
void login_hold_begin(struct login_hold *hold, uint64_t until_ms, const char *text);
/* There may be another secret. */
void login_hold_end(struct login_hold *hold);
/* A test was refused the login: flows may go on. */
void login_hold_on_tested(struct login_hold *hold);
/* So many seconds no test may log in there, since a flow or a test was refused; 0: it may. */
uint32_t login_hold_left_s(const struct login_hold *hold);

#endif
