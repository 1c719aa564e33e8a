/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a process does that accepts when descriptors or memory are short: one client hears it
 * at once, the others wait in the backlog until something is there again, instead of the process
 * spinning over them.
 *
 *	int error = errno; (of accept4)
 *	if (shortage_is(error))
 *		refused = shortage_pause(shortage, listener, error);
 *
 * Its owner takes its listeners out of the loop while it is paused, and puts them back after. */
#ifndef POSTERN_DAEMON_FLOW_SHORTAGE_H
#define POSTERN_DAEMON_FLOW_SHORTAGE_H

#include "daemon/base/loop.h"

struct shortage {
	struct loop *loop;
	void (*on_change)(struct shortage *shortage); /* paused is another one */
	struct loop_timer resume;
	bool paused;
	int reserve; /* a descriptor, to refuse one with when there is no other; -1: none */
	uint64_t said_ms;
};

/* on_change may be called within each of the others but shortage_fini(). */
void shortage_init(
	struct shortage *shortage, struct loop *loop, void (*on_change)(struct shortage *shortage));
void shortage_fini(struct shortage *shortage);
/* That is what this error of accept4() means. */
bool shortage_is(int error);
/* Pauses, for a moment at most. True: for want of a descriptor one client of the listener was
 * refused, by the reserve; by RST where the listener has SO_LINGER. */
bool shortage_pause(struct shortage *shortage, int listener, int error);
/* Something that was short may be there again. */
void shortage_end(struct shortage *shortage);
/* Whether it is to be logged: once a minute. */
bool shortage_is_news(struct shortage *shortage);

#endif
