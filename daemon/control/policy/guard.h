/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what keeps a change of the policy from being made by accident (doc/design.md): an open
 * confirm, a change by commands that it would take away, another policy than it began from, clients
 * that would no longer be redirected. Every change passes here, whoever wants it. */
#ifndef POSTERN_DAEMON_CONTROL_POLICY_GUARD_H
#define POSTERN_DAEMON_CONTROL_POLICY_GUARD_H

#include "lib/command/outcome.h"
#include "lib/policy/policy.h"

struct control;

enum guard_kind {
	GUARD_EDIT,   /* by a command: all else of the running policy stays */
	GUARD_WHOLE,  /* a text in place of the running policy */
	GUARD_BACK,   /* an earlier one again, because somebody wants it */
	GUARD_RETURN, /* by itself: nobody confirmed, or the kernel took nothing else */
};

/* What a change is, and what its caller takes upon himself. */
struct guard_pass {
	enum guard_kind kind;
	bool allow_open;    /* --allow-open */
	bool allow_empty;   /* --allow-empty */
	bool discard_edits; /* --discard-edits */
	uint64_t base;      /* --base N; 0: none */
};

/* OUTCOME_DONE: it may be made. Else *text says why not and how all the same; malloc'ed. */
enum outcome guard_look(struct control *control, const struct policy *coming,
	const struct guard_pass *pass, char **text);

/* OUTCOME_DONE, or OUTCOME_CONFIRMING with the text: the same without a change at hand. */
enum outcome guard_look_at_confirm(struct control *control, char **text);
/* "policy 7 waits to be confirmed until 2026-03-01 10:00:00, by uid 0 (policy apply -)", malloc'ed;
 * NULL: none waits. */
char *guard_confirming(struct control *control);

#endif
