/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words for how a command ended, for whoever reads its JSON. */
#ifndef POSTERN_LIB_COMMAND_OUTCOME_H
#define POSTERN_LIB_COMMAND_OUTCOME_H

/* X(identifier, word, exit status). Words are never changed, only added. */
#define OUTCOME_TABLE(X)                                                                          \
	X(DONE, "done", 0)                                                                        \
	X(UNCHANGED, "unchanged", 0)   /* there was nothing to change */                          \
	X(REFUSED, "refused", 1)       /* any reason that has no word of its own */               \
	X(TROUBLE, "trouble", 1)       /* it was done, and says that something is wrong */        \
	X(DIFFERS, "differs", 1)       /* it was done, and what was compared is not the same */   \
	X(ABSENT, "absent", 1)         /* what is named is not there */                           \
	X(EXISTS, "exists", 1)         /* what is to be added is there, in other words */         \
	X(SHADOWED, "shadowed", 1)     /* an earlier rule takes all that it could take */         \
	X(SYNTAX, "syntax", 1)         /* the language, or a list, says no: file, line, column */ \
	X(CONFIRMING, "confirming", 1) /* a policy waits to be confirmed */                       \
	X(EDITED, "edited", 1)         /* commands changed what this would take away */           \
	X(BASE, "base", 1)             /* another policy runs than the change began from */       \
	X(EMPTY, "empty", 1)           /* nothing came in, or nothing would be left */            \
	X(OPEN, "open", 1)             /* clients would pass that were steered */                 \
	X(DENIED, "denied", 1)         /* not for this caller */                                  \
	X(USAGE, "usage", 2)                                                                      \
	X(NO_DAEMON, "no-daemon", 3)                                                              \
	X(NO_ANSWER, "no-answer", 3) /* in time */

#define OUTCOME_ENUM(id, word, status) OUTCOME_##id,
enum outcome { OUTCOME_TABLE(OUTCOME_ENUM) };
#undef OUTCOME_ENUM

const char *outcome_word(enum outcome outcome);
/* The outcome of this word; OUTCOME_REFUSED for one that is not known. */
enum outcome outcome_find(const char *word);
/* The exit status of posternctl(8). */
int outcome_status(enum outcome outcome);

#endif
