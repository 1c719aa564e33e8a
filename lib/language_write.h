/* Owns text that grows while a policy is printed. Private to lib/language_print.c and
 * lib/language_edit.c. */
#ifndef POSTERN_LANGUAGE_WRITE_H
#define POSTERN_LANGUAGE_WRITE_H

#include "lib/language.h"

struct language_writer {
	char *text;
	size_t len, room;
	bool failed; /* out of memory */
};

void language_write(struct language_writer *w, const char *text, size_t len);
/* At most 511 bytes. */
void language_writef(struct language_writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The text, malloc'ed; NULL: out of memory. len may be NULL. */
char *language_write_end(struct language_writer *w, size_t *len);

/* An empty line between two groups of statements, unless nothing stands before it. */
void language_write_gap(struct language_writer *w);
/* All in front of the first statement with a name. */
void language_write_top(struct language_writer *w, const struct policy *policy, bool full);
/* One statement with its newline. */
void language_write_part(struct language_writer *w, const struct policy *policy,
	enum policy_kind kind, size_t i, enum language_print flags);
void language_write_rule(struct language_writer *w, const struct policy_rule *rule);

#endif
