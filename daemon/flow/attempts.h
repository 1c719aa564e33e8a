/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the attempts at hosts that did not take a way, and what they come to when none is left. */
#ifndef POSTERN_DAEMON_FLOW_ATTEMPTS_H
#define POSTERN_DAEMON_FLOW_ATTEMPTS_H

#include "lib/ipc/flow.h"
#include "lib/record/ending.h"

#include <stdbool.h>

struct way;

/* What few flows have: attempts at more than the one host that was taken. */
struct attempts {
	uint32_t n;
	uint32_t left_off;       /* more than fit */
	bool now;                /* the last one is of the search that is under way, or was last */
	struct ipc_attempt said; /* the last one in which the host itself said why */
	struct ipc_attempt v[IPC_ATTEMPTS_MAX];
};

/* The attempt at the host at hand came to this; the first ones and the last one are kept. words:
 * the server's own, or the system's; may be empty. */
void attempts_note(struct way *way, enum ending ending, const char *words);
/* No host may be tried at all: why, of each. */
void attempts_note_unfit(struct way *way);
void attempts_drop(struct way *way);
/* A host is looked for once more. */
void attempts_begin(struct way *way);
/* The last one of that; NULL: there was none. */
const struct ipc_attempt *attempts_last(const struct attempts *attempts);

/* What they come to; NULL: there was none. */
enum ending attempts_ending(const struct attempts *attempts);
/* The last server's own words, or those of the last failure; may be empty. */
const char *attempts_why(const struct attempts *attempts);
/* The reply of the last host that said itself why; NULL: none did. */
const char *attempts_reply(const struct attempts *attempts);
/* What the client is told when they come to that ending: the last server's words where it said any.
 */
void attempts_text(
	const struct attempts *attempts, enum ending ending, char text[static IPC_TEXT_SIZE]);

#endif
