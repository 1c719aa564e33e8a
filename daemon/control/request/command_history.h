/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what commands that show finished things have in common: of which time, how many rows, page
 * by page, and that there are more. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_COMMAND_HISTORY_H
#define POSTERN_DAEMON_CONTROL_REQUEST_COMMAND_HISTORY_H

#include "daemon/control/request/command.h"

/* Of `since` and `until`; 0: not given. false: the command has ended. */
bool history_times(struct command *command, uint64_t *since_ms, uint64_t *until_ms);

/* What is shown: begins the command's state. More is asked for only when the rows before are read:
 * an answer of any length waits in little memory. */
struct history {
	struct command *command;
	const struct history_kind *kind;
	const char *id; /* of the only record wanted; NULL: those that match */
	uint64_t left;  /* rows; UINT64_MAX: all */
	uint64_t shown, last;
	bool found; /* history_on_named() was called */
};

struct history_kind {
	const char *what; /* "audit": that cannot be read */
	/* Asks for that many more, older than `last`: history_on_row(), history_on_done(). */
	void (*ask)(struct history *history, unsigned rows);
	void (*show)(struct history *history, const char *json);
	/* Ends the command: the only one wanted is not there. */
	void (*absent)(struct history *history);
	/* Nothing matched: ends the command, or says why with history_end(). */
	void (*doubt)(struct history *history);
};

/* NULL: out of memory, and the command has ended. `limit` says how many rows, and `ID` the only
 * one. bytes: of the whole state. */
void *history_new(struct command *command, const struct history_kind *kind, size_t bytes);
/* The first rows, and then all of them. */
void history_begin(struct history *history);
/* For audit_query() and messages_query(), with the history as their context. */
void history_on_row(void *context, const char *json, uint64_t key);
void history_on_done(void *context, int status, bool more);
/* A record that proves a name. */
void history_on_named(void *context, const char *json, uint64_t key);
/* Ends the command: -errno; or it is over, and whether there are more rows. */
void history_refuse(struct history *history, int status);
void history_end(struct history *history, bool more);

#endif
