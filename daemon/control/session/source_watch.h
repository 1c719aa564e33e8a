/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who hears of sessions that another program has told of (sources.h) and that end otherwise.
 */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_SOURCE_WATCH_H
#define POSTERN_DAEMON_CONTROL_SESSION_SOURCE_WATCH_H

#include "lib/policy/session.h"
#include "lib/record/ending.h"

struct control;
struct source_watch;

struct source_watch *source_watch_new(void);
void source_watch_free(struct source_watch *watch); /* NULL is allowed */

/* A session that a source told of is over, or is a login's, by anything but source_end(). */
enum source_gone {
	SOURCE_GONE_AGAIN,    /* whoever says that its client is there may open it again */
	SOURCE_GONE_OUT,      /* only a new beginning may: the next word of it would undo the end */
	SOURCE_GONE_REPLACED, /* another's has its client now */
};
typedef void source_on_gone(void *context, uint64_t session, enum source_gone how);
/* Who hears of it: one for all. It must not change sessions. */
void source_watch_gone(struct control *control, source_on_gone *on_gone, void *context);
/* For who ends sessions, and for logins that take one over, which goes on. */
void source_tell_gone(struct control *control, const struct session *session, enum ending why);
void source_tell_taken(struct control *control, const struct session *session);
/* From now on it is their source that ends one, and hears of nothing; or no more. */
void source_watch_own(struct control *control, bool own);

/* "radius wlc", "cli", "device": also of a session that is over, for as long as records of its
 * flows may come. text is empty where it is not known. */
const char *source_of_session(
	const struct control *control, uint64_t id, char text[static SESSION_SOURCE_TEXT_SIZE]);

#endif
