/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns reading small texts of lines and fields, as they stand in the state folder: bounded, a
 * number at a time, each field ended by one blank or the end of its line. */
#ifndef POSTERN_LIB_BASE_FIELDS_H
#define POSTERN_LIB_BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left to read. */
struct fields {
	const char *at, *end;
};

/* The next line, without its end; one that has none was cut off and is no line. */
bool fields_line(struct fields *text, struct fields *line);
/* Decimal digits and nothing else, at most `most`. */
bool fields_number(struct fields *line, uint64_t most, uint64_t *number);
/* Not empty, and it fits. */
bool fields_word(struct fields *line, char *word, size_t size);
/* All that is left, blanks included, perhaps nothing; and it fits. */
bool fields_rest(struct fields *line, char *text, size_t size);
/* Was all of the line read? */
bool fields_over(const struct fields *line);

#endif
