/* Owns what is said of the names in a policy that was just applied: those that DNS does not know.
 * Names that health is still looking up are waited for a little, and only by who is told. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_NAMES_H
#define POSTERN_DAEMON_CONTROL_POLICY_NAMES_H

#include "daemon/base/loop.h"

struct control;

struct names {
	struct names *next;
	struct control *control;
	struct loop_timer deadline;
	/* warnings: lines as a checker says them, or NULL: all is well. Borrowed. */
	void (*done)(struct names *names, const char *warnings);
};

/* done() is called once, perhaps before the return. names lives until then. */
void names_ask(struct names *names, struct control *control,
	void (*done)(struct names *names, const char *warnings));
/* Health told a server's targets. */
void names_on_told(struct names *names);
/* It will not: done() is called with what is known. */
void names_give_up(struct names *names);

#endif
