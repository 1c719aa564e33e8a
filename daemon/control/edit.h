/* Owns the CLI's edits of the running policy: one statement put in, replaced, moved or taken out,
 * checked and applied as a whole policy. */
#ifndef POSTERN_EDIT_H
#define POSTERN_EDIT_H

#include "daemon/control/command.h"
#include "daemon/control/policy_texts.h"
#include "lib/language.h"

struct edit;

/* Makes the new policy from the running one; NULL with errors in the diagnosis. */
typedef struct policy *edit_make(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis);

struct edit {
	struct command *command;
	edit_make *make;
	const char *kind; /* "rule" or "device" */
	const char *name;
	char *statement; /* malloc'ed; NULL: none */
	enum language_position position;
	const char *other;
	bool enable;
	bool may_shadow; /* the statement cannot make the rule unreachable */
	bool adds;       /* the name is a new one */
	bool is_there;   /* found out by edit_run(): what is added is there */
};

/* Carries it out and ends the command; `edit` is copied. */
void edit_run(const struct edit *edit);

/* Words of the command line as a statement "kind NAME { words }": what only fits as a string gets
 * its quotes back. malloc'ed. */
char *edit_statement(const char *kind, const char *name, const char *const *words, size_t n);
/* By `first`, `last`, `before X` or `after X` of the command; none of them is last. */
void edit_take_position(struct command *command, struct edit *edit);

/* The texts that the running policy read, for parsing it again as it was; the file whose path is
 * given is read anew. 0 or -errno. */
struct control;
int edit_running_texts(struct control *control, const char *anew, struct policy_texts *texts);

#endif
