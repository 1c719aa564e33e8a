/* Owns what posternctl knows of each noun: its verbs, their usage, and how answers are shown. */
#ifndef POSTERN_TOOLS_NOUN_H
#define POSTERN_TOOLS_NOUN_H

#include "tools/table.h"

#include <stddef.h>

/* What the whole command line shares. */
struct call {
	const char *run_dir;
	bool json;
	bool usage_shown;              /* with the last refusal, by the daemon */
	struct connection *connection; /* opened at first use, kept over a batch */
};

enum verb_file {
	VERB_NO_FILE,
	VERB_FILE,      /* the first word behind the verb that is no option is FILE or - */
	VERB_NAME_FILE, /* ... the second */
};

struct verb {
	const char *name;
	const char *usage; /* what follows "posternctl NOUN VERB" */
	const char *help;
	enum table_style style; /* of its rows when not JSON */
	enum verb_file file;
	/* NULL: the words go to the daemon as they are. Returns the exit status. */
	int (*run)(struct call *call, const struct verb *verb, const char **words, size_t nwords);
};

struct noun {
	const char *name;
	const char *help;
	const struct verb *verbs; /* ends with a verb without name; the first is the noun alone */
};

/* In the order of the manual; ends with NULL. */
extern const struct noun *const nouns[];
extern const struct noun noun_status, noun_policy, noun_rule, noun_zone, noun_server, noun_device,
	noun_list, noun_session, noun_client, noun_flow, noun_explain, noun_audit, noun_monitor,
	noun_bypass, noun_counters, noun_log, noun_doctor, noun_block;

/* Opens the connection if it is not open. 0, or -errno after an error message; the exit status for
 * that. */
int noun_open(struct call *call);
int noun_no_connection(int error);
/* Sends the words (noun first) and shows the answer. body may be NULL. Exit status. */
int noun_ask(struct call *call, const struct verb *verb, const char **words, size_t nwords,
	const char *body, size_t body_len);
/* The same; one flow by its id is shown in full, many as a table. */
int noun_show_flows(struct call *call, const struct verb *verb, const char **words, size_t nwords);
/* The same for one command line: finds noun and verb, reads FILE, runs. */
int noun_run(struct call *call, const char **words, size_t nwords);
/* Reads a whole file, or standard input for "-". malloc'ed; NULL after an error message. */
char *noun_read_file(const char *path, size_t *len);
/* Runs posternd, which stands beside this program or in PATH; its exit status, 127 if there is
 * none. words ends with NULL, its first is filled in here. */
int noun_run_daemon(const char **words);
void noun_help(const struct noun *noun, FILE *out); /* NULL: all */

#endif
