/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns that nothing which a program writes can act on a terminal: neither what it quotes of files,
 * names and other machines' words, nor what a library of it says. */
#ifndef POSTERN_LIB_BASE_TERMINAL_H
#define POSTERN_LIB_BASE_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* A stream whose bytes go to out as text_escape() has them. out is borrowed until it is closed, and
 * has no buffer any more. NULL: out of memory. */
FILE *terminal_stream(FILE *out);

struct terminal {
	FILE *out, *err; /* the standard streams as they were */
	int error;       /* the first that writing to stdout met; 0: none */
};

/* From now on stderr is such a stream, and stdout where it is a terminal: what a program or a file
 * takes stays as it is, byte for byte. terminal lives as long as the program. */
void terminal_guard(struct terminal *terminal, bool out_is_terminal);
/* The last act of a program: closes stdout, and says on stderr when not all of it could be written.
 * Returns the exit status: the one given, or 1 where that would have been 0 and something is lost.
 */
int terminal_end(struct terminal *terminal, const char *program, int status);

#endif
