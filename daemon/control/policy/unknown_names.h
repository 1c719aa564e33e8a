/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is said of the names in a policy that was just applied: those that DNS does not know.
 * Names that health is still looking up are waited for a little, and only by who is told. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_UNKNOWN_NAMES_H
#define POSTERN_DAEMON_CONTROL_POLICY_UNKNOWN_NAMES_H

#include "daemon/base/loop.h"
#include "daemon/control/peers/health/health_peer.h"

struct control;

struct unknown_names {
	struct health_watch watch; /* first */
	struct control *control;
	struct loop_timer deadline;
	/* warnings: lines as a checker says them, or NULL: all is well. Borrowed. */
	void (*done)(struct unknown_names *unknown_names, const char *warnings);
};

/* done() is called once, perhaps before the return. names lives until then. */
void unknown_names_ask(struct unknown_names *unknown_names, struct control *control,
	void (*done)(struct unknown_names *unknown_names, const char *warnings));

#endif
