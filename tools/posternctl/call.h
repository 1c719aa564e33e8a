/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a whole command line shares, and how its answer is shown. */
#ifndef POSTERN_TOOLS_POSTERNCTL_CALL_H
#define POSTERN_TOOLS_POSTERNCTL_CALL_H

#include "tools/posternctl/connection.h"

#include "lib/command/outcome.h"
#include "lib/command/verb.h"

#include <stdio.h>

struct call {
	const char *run_dir;
	const char *queue_dir; /* where the queue is configured */
	bool json;
	unsigned wait_s;     /* given; 0: as each verb says */
	bool by_hand;        /* somebody types: words may be shortened */
	const char *none;    /* what is said where a table has no rows; NULL: nothing */
	const char *columns; /* the only ones wanted; NULL: all */
	bool forgives;       /* that control cannot do it is not said: another way is tried, */
	bool forgave;        /* which has to be */
	struct connection *connection; /* opened at first use, kept over a batch */
};

/* Opens the connection if it is not open, and waits no longer than the verb says. 0, or the exit
 * status after an error message. */
int call_open(struct call *call, const struct verb *verb);
/* Sends the words (noun first) and shows the answer. body may be NULL. Exit status. */
int call_ask(struct call *call, const struct verb *verb, const char *const *words, size_t nwords,
	const char *body, size_t body_len);
/* An answer of our own, without asking: the text behind the tool's name, or the JSON that control
 * would send. error may be NULL. Exit status. */
int call_fail(struct call *call, enum outcome outcome, const struct verb_error *error,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* What control said of an end that is no good, on stderr, behind the tool's name. */
void call_show_error(const struct connection_answer *answer);
/* What control said of the end of an answer: its word, and the number of the policy that runs (0:
 * not told). */
enum outcome call_outcome(
	const struct connection_answer *answer, int status, unsigned long long *policy);
/* The same of a line of a file. */
int call_fail_at(struct call *call, enum outcome outcome, const struct verb_error *error,
	const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* The same where there was nothing wrong. */
int call_done(const struct call *call, enum outcome outcome, bool changed, const char *text);

#endif
