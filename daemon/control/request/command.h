/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a request of the control sockets while it is carried out: its words, its answer.
 *
 * What may be typed stands in lib/command/verbs.c, which the words are read by (commands/nouns.c);
 * a verb's function finds what was given by command_value(), command_values() and command_given(),
 * by the names of the table. A new verb is a line there and one in its noun's table here.
 *
 * A command ends with one of the words of lib/command/outcome.h, which is its `code`. On the way it
 * may say what it removed and what it warns of. Whoever asked for JSON gets all of it as one
 * object: status code message file line column expected near changed removed warnings policy. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_COMMAND_H
#define POSTERN_DAEMON_CONTROL_REQUEST_COMMAND_H

#include "daemon/base/log.h"
#include "daemon/control/policy/guard.h"
#include "daemon/control/request/control_socket.h"
#include "daemon/control/request/intake.h"
#include "lib/command/outcome.h"
#include "lib/command/verb.h"
#include "lib/language/language.h"

#include <jansson.h>
#include <sys/types.h>

/* Rows made in one turn of the loop, so that a long answer does not hold up admission. */
#define COMMAND_ROWS_A_TURN 500

struct command;

struct command_verb {
	const char *verb; /* as the table says it; "" for a noun that takes its words directly */
	void (*run)(struct command *command);
};

struct command_noun {
	const char *noun;
	const struct command_verb *verbs; /* ends with verb NULL */
};

/* Lives from its request until command_done(), even when the client is gone before. */
struct command {
	struct control *control;
	struct control_socket_client *client; /* NULL: gone, the answer goes nowhere */
	const struct verb_noun *noun;
	const struct verb *verb;
	struct intake intake; /* what words points into, and the body: NULL with --allow-empty */
	const char **words;
	size_t nwords;
	struct verb_words given;
	uid_t uid;
	enum control_socket_place came_by;
	/* Of the answer; see below. */
	bool unchanged;
	json_t *removed, *warnings, *place;
	/* Makes the next rows of a long answer; set by command_stream(). */
	void (*more)(struct command *command);
	/* Runs once no apply is under way; set by command_when_free(). */
	void (*later)(struct command *command);
	void *state; /* the verb's own, freed by free() at the end */
	/* Frees what the state points to; NULL: nothing. */
	void (*forget)(struct command *command);
};

/* From the control sockets; see there. */
void *command_new(struct control *control, const struct control_socket_request *request);
void command_more(void *context);
void command_abandon(void *context);
/* Runs it now, or as soon as no apply is under way; not at all when the client is gone by then. */
void command_when_free(struct command *command, void (*run)(struct command *command));
/* Has the client gone without waiting for the answer? Then nothing is begun any more. */
bool command_is_abandoned(const struct command *command);

/* The verb's own, zeroed. NULL: out of memory, and the command has ended. */
void *command_new_state(struct command *command, size_t bytes);

/* ---- what was given ---- */

/* The value of a part of the verb, the first one; NULL: not given. */
const char *command_value(const struct command *command, const char *name);
const char *const *command_values(const struct command *command, const char *name, size_t *n);
/* The same of an option; NULL also where the verb has no such option. */
const char *command_option(const struct command *command, const char *name);
/* Of an option or word that stands alone. */
bool command_given(const struct command *command, const char *name);
/* The words as one line, for log and history. */
const char *command_line(const struct command *command, char line[static 256]);

/* ---- the answer ---- */

/* One row; row is taken over. */
void command_row(struct command *command, json_t *row);
/* One row that is JSON text already. */
void command_json(struct command *command, const char *json);
void command_text(struct command *command, const char *text, size_t len);
void command_stream(struct command *command, void (*more)(struct command *command));
/* No more answer but events, until the client goes. Ends the command. */
void command_watch(struct command *command, unsigned topics);

/* To be said with the end, whatever it is. */
void command_removed(struct command *command, const char *text);
void command_warning(struct command *command, const char *text);
/* Each warning of a text as the checker writes it, "FILE:LINE:COLUMN: warning: ..." and the lines
 * that belong to it; what is none is said as it is. */
void command_warnings(struct command *command, const char *text);
/* A command that may change something has not, though it ends with OUTCOME_DONE. */
void command_unchanged(struct command *command);

/* Ends and frees the command. The text is for people, and ends up as `message`. */
void command_done(struct command *command, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Where some have taken a change and others, or the disk, have not: before the reason. */
#define COMMAND_HALF        "not done in full, and what is done may be gone after a restart: "
#define command_ok(command) command_done(command, OUTCOME_DONE, "%s", "")
/* For what ends with an outcome: the context is the command, which ends with it. */
void command_on_outcome(void *context, enum outcome outcome, const char *text);
/* OUTCOME_USAGE: what is wrong with the words, then the verb's usage. */
void command_usage(struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* OUTCOME_ABSENT: a name that the running policy does not have, with those it has. */
void command_no_such(struct command *command, enum policy_kind kind, const char *name);
/* What the word NAME means of the running policy's, from *at up to *end: the one of this name, or
 * all where the word is not given. False: there is none, and the command has ended. */
bool command_named(struct command *command, enum policy_kind kind, size_t *at, size_t *end);
/* OUTCOME_SYNTAX: what the language says of a text; the first error is the place. */
void command_syntax(struct command *command, const struct language_diagnosis *diagnosis);
/* Notes a place for an error that is ended by command_done(); texts may be NULL. */
void command_place(struct command *command, const char *file, unsigned line, unsigned column,
	const char *expected, const char *near);

/* May the policy be changed at all now? false: a confirm is open, and the command has ended. */
bool command_may_change(struct command *command);
/* What the caller takes upon himself, by the options that the verb has. */
struct guard_pass command_pass(const struct command *command, enum guard_kind kind);

/* Every change is logged with the caller's uid. */
void command_log(const struct command *command);
/* The same for what should be noticed. */
void command_warn(const struct command *command, enum log_id id);

/* The function of every verb with VERB_EDITS (commands/edit.c). */
void command_edit(struct command *command);
/* Lines of such verbs as one change. */
void command_batch(struct command *command);

#endif
