/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the lines of a batch file: words as a shell would have them. */
#ifndef POSTERN_LIB_COMMAND_BATCH_H
#define POSTERN_LIB_COMMAND_BATCH_H

#include <stddef.h>

/* The next line of a text that ends with NUL; the text is changed. NULL: the end. */
char *batch_line(char **text);
/* Splits a line at blanks; quotes, backslash and '#' as in a shell. The line is changed, and the
 * words point into it. Count, or -1: an open quote, or more words than there is room. */
int batch_words(char *line, const char **words, size_t room);

#endif
