/* Owns a request of the control sockets while it is carried out: its words, its answer. */
#ifndef POSTERN_COMMAND_H
#define POSTERN_COMMAND_H

#include "daemon/log.h"
#include "daemon/control/server.h"
#include "lib/policy.h"

#include <jansson.h>
#include <sys/types.h>

/* Exit statuses of posternctl (design, section 5). */
enum command_status {
	COMMAND_DONE = 0,
	COMMAND_REFUSED = 1, /* or: something is wrong */
	COMMAND_USAGE = 2,
};

/* Rows made in one turn of the loop, so that a long answer does not hold up admission. */
#define COMMAND_ROWS_A_TURN 500

struct command_verb {
	const char *verb; /* "" for a noun that takes its words directly */
	const char *usage;
	bool portal; /* session.sock takes it too */
	void (*run)(struct command *command);
};

struct command_noun {
	const char *noun;
	const struct command_verb *verbs; /* ends with verb NULL; the first is the noun alone */
};

/* Lives from its request until command_done(), even when the client is gone before. */
struct command {
	struct control *control;
	struct server_client *client; /* NULL: gone, the answer goes nowhere */
	const struct command_noun *noun;
	const struct command_verb *verb;
	char *bytes; /* what words points into */
	const char **words;
	size_t nwords, at; /* at: the next word to be read */
	char *body;        /* NULL: none */
	size_t body_len;
	uid_t uid;
	bool portal;
	/* Makes the next rows of a long answer; set by command_stream(). */
	void (*more)(struct command *command);
	void *state; /* the verb's own, freed by free() at the end */
	/* Frees what the state points to; NULL: nothing. */
	void (*forget)(struct command *command);
};

/* Finds the verb and runs it. Takes the command over. */
void command_run(struct command *command);
/* The client is gone: nobody waits any more. */
void command_abandon(struct command *command);

/* One row; row is taken over. */
void command_row(struct command *command, json_t *row);
void command_text(struct command *command, const char *text, size_t len);
void command_stream(struct command *command, void (*more)(struct command *command));
/* Ends and frees the command. */
void command_done(struct command *command, enum command_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define command_ok(command) command_done(command, COMMAND_DONE, "%s", "")
/* Status 2: what is wrong with the words, then the verb's usage. */
void command_usage(struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The next word, or NULL behind the last. */
const char *command_word(struct command *command);
const char *command_peek(const struct command *command);
/* Reads the next word if it is this one. */
/* No word is left; else refuses what is. */
bool command_at_end(struct command *command);
/* Refuses a name that the running policy does not have, with those it has. */
void command_no_such(struct command *command, enum policy_kind kind, const char *name);
bool command_take(struct command *command, const char *word);
/* Reads the rest of the words as pairs of a name and a value, each name at most once. false: they
 * are none, and the command has been ended with its usage. */
struct command_option {
	const char *name;
	const char **value; /* left alone when absent */
};
bool command_options(
	struct command *command, const struct command_option *options, size_t noptions);
/* The words as one line, for log and history. */
const char *command_line(const struct command *command, char line[static 256]);
/* Every change is logged with the caller's uid. */
void command_log(const struct command *command);
/* The same for what should be noticed. */
void command_warn(const struct command *command, enum log_id id);
/* No more answer but events, until the client goes. Ends the command. */
void command_watch(struct command *command, unsigned topics);
/* One row that is JSON text already. */
void command_json(struct command *command, const char *json);

extern const struct command_noun *const command_nouns[];
extern const struct command_noun command_status, command_policy, command_rule, command_zone,
	command_server, command_device, command_list, command_session, command_client, command_flow,
	command_explain, command_audit, command_monitor, command_bypass, command_counters,
	command_log_noun, command_doctor;

#endif
