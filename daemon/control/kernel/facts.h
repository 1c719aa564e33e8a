/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns facts that only the keeper can see: asked for, then looked at by words. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_FACTS_H
#define POSTERN_DAEMON_CONTROL_KERNEL_FACTS_H

#include "lib/ipc/kernel.h"

struct control;

#define FACTS_MAX 4096

struct facts {
	char **lines; /* "word word ...", see the keeper's list */
	size_t n;
	bool counters_known;
	struct ipc_kernel_counters counters;
	bool complete;    /* the keeper answered all */
	uint8_t *foreign; /* other programs' rules (foreign.h), if they were asked for */
	size_t foreign_len;
};

/* Asks; done gets the facts, which are freed behind it. */
void facts_ask(struct control *control, void (*done)(void *context, const struct facts *facts),
	void *context);
/* The same, with other programs' rules, which may be many. */
void facts_ask_all(struct control *control, void (*done)(void *context, const struct facts *facts),
	void *context);
/* What follows the words that a line begins with; NULL: there is no such line. at: where to go on,
 * begin with 0; NULL: the first. */
const char *facts_find(const struct facts *facts, const char *words, size_t *at);

#endif
