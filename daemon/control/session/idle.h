/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the idle time of sessions that pass: control sees their connections begin now and then, and
 * the kernel is asked what else they do before one of them ends as idle. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_IDLE_H
#define POSTERN_DAEMON_CONTROL_SESSION_IDLE_H

#include "lib/policy/session.h"

struct control;
struct idle;

/* What comes of a look. */
struct idle_face {
	/* It was not in use: it ends now. */
	void (*on_idle)(struct control *control, struct session *session);
	/* A look is over: when the next session may end is to be reckoned anew. */
	void (*on_looked)(struct control *control);
};

struct idle *idle_new(struct control *control, const struct idle_face *face);
void idle_free(struct idle *idle); /* NULL is allowed */
/* The session's idle time is over, as far as is known. true: it was in use after all, or the kernel
 * is asked, and the session ends later. false: it ends now. */
bool idle_goes_on(struct idle *idle, struct session *session);

#endif
