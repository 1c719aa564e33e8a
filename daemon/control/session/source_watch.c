/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/source_watch.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"

#include <stdlib.h>
#include <string.h>

#define PAST 4096

/* Who told of a session that is over. */
struct past {
	uint64_t id;
	char source[SESSION_SOURCE_TEXT_SIZE];
};

struct source_watch {
	source_on_gone *on_gone;
	void *context;
	bool own; /* it is their source that ends one */
	/* by the low bits of their numbers, which are given out in sequence */
	struct past past[PAST];
};

struct source_watch *source_watch_new(void)
{
	return calloc(1, sizeof(struct source_watch));
}

void source_watch_free(struct source_watch *watch)
{
	free(watch);
}

void source_watch_gone(struct control *control, source_on_gone *on_gone, void *context)
{
	control->source_watch->on_gone = on_gone;
	control->source_watch->context = context;
}

static void tell(struct control *control, const struct session *session, enum source_gone how)
{
	const struct source_watch *watch = control->source_watch;

	if (session->source == SESSION_SOURCE_RADIUS && watch->on_gone && !watch->own)
		watch->on_gone(watch->context, session->id, how);
}

static void remember(struct source_watch *watch, const struct session *session)
{
	struct past *past = &watch->past[session->id % PAST];

	past->id = session->id;
	session_format_source(session, past->source);
}

const char *source_of_session(
	const struct control *control, uint64_t id, char text[static SESSION_SOURCE_TEXT_SIZE])
{
	const struct past *past = &control->source_watch->past[id % PAST];
	const struct session *session = id ? session_table_find(control->table, id) : NULL;

	text[0] = '\0';
	if (session)
		session_format_source(session, text);
	else if (id && past->id == id)
		memcpy(text, past->source, SESSION_SOURCE_TEXT_SIZE);
	return text;
}

/* A lease that ran out, or a link that went, is made good by who says that the client is there; an
 * idle time, which is a lease's ending too, is not. */
void source_tell_gone(struct control *control, const struct session *session, enum ending why)
{
	bool idle = session->lease_end_ms > clock_now_ms(control);

	remember(control->source_watch, session);
	if (why == ENDING_KILLED_REPLACED)
		tell(control, session, SOURCE_GONE_REPLACED);
	else if (why == ENDING_KILLED_LOGOUT || why == ENDING_KILLED_REAUTHENTICATE ||
		 why == ENDING_KILLED_LIMIT || (why == ENDING_KILLED_LEASE && idle))
		tell(control, session, SOURCE_GONE_OUT);
	else
		tell(control, session, SOURCE_GONE_AGAIN);
}

void source_tell_taken(struct control *control, const struct session *session)
{
	tell(control, session, SOURCE_GONE_REPLACED);
}

void source_watch_own(struct control *control, bool own)
{
	control->source_watch->own = own;
}
