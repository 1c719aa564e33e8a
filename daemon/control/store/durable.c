/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/store/durable.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/store/session_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(struct gather *gather, int status)
{
	char text[IPC_TEXT_SIZE];
	snprintf(text, sizeof(text), "it cannot be stored: %s", strerror(-status));
	gather_end(gather, status, text);
}

static void on_done(void *context, int status)
{
	tell(context, status);
}

static void on_done_alone(void *context, int status)
{
	(void)context;
	if (status)
		log_error("a change of sessions, lists or blocks cannot be stored: %s",
			strerror(-status));
}

static session_store_done *begin(struct gather *gather)
{
	if (!gather)
		return on_done_alone;
	gather_add(gather);
	return on_done;
}

static void end(struct gather *gather, int error)
{
	if (error && gather)
		tell(gather, error);
	else if (error)
		on_done_alone(NULL, error);
}

void durable_put_session(
	struct control *control, const struct session *session, struct gather *gather)
{
	session_store_done *done = begin(gather);
	end(gather, session_store_put(control->store, session, done, gather));
}

void durable_del_session(struct control *control, uint64_t id, struct gather *gather)
{
	session_store_done *done = begin(gather);
	end(gather, session_store_del(control->store, id, done, gather));
}

void durable_add_element(struct control *control, const char *list, const struct policy_elem *elem,
	uint64_t end_ms, struct gather *gather)
{
	session_store_done *done = begin(gather);
	end(gather, session_store_list_add(control->store, list, elem, end_ms, done, gather));
}

void durable_del_element(struct control *control, const char *list, const struct policy_elem *elem,
	struct gather *gather)
{
	session_store_done *done = begin(gather);
	end(gather, session_store_list_remove(control->store, list, elem, done, gather));
}

void durable_set_list(struct control *control, const char *list,
	const struct session_store_entry *entries, size_t n, struct gather *gather)
{
	session_store_done *done = begin(gather);
	end(gather, session_store_list_set(control->store, list, entries, n, done, gather));
}

void durable_put_block(struct control *control, const struct block *block, struct gather *gather)
{
	session_store_done *done = begin(gather);
	end(gather, session_store_block_put(control->store, block, done, gather));
}

void durable_del_block(struct control *control, const struct block *subject, struct gather *gather)
{
	session_store_done *done = begin(gather);
	end(gather, session_store_block_del(control->store, subject, done, gather));
}
