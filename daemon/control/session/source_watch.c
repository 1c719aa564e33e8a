/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/source_watch.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"

#include <stdlib.h>

struct source_watch {
	source_on_gone *on_gone;
	void *context;
	bool own; /* it is their source that ends one */
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
	*control->source_watch = (struct source_watch){.on_gone = on_gone, .context = context};
}

static void tell(struct control *control, const struct session *session, enum source_gone how)
{
	const struct source_watch *watch = control->source_watch;

	if (session->source == SESSION_SOURCE_RADIUS && watch->on_gone && !watch->own)
		watch->on_gone(watch->context, session->id, how);
}

/* A lease that ran out, or a link that went, is made good by who says that the client is there; an
 * idle time, which is a lease's ending too, is not. */
void source_tell_gone(struct control *control, const struct session *session, enum ending why)
{
	bool idle = session->lease_end_ms > clock_now_ms(control);

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
