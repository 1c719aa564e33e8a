/* Owns that nothing which a program writes can act on a terminal: neither what it quotes of files,
 * names and other machines' words, nor what a library of it says. */
#ifndef POSTERN_TERMINAL_H
#define POSTERN_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* A stream whose bytes go to out as text_escape() has them. It takes out over, which must not be
 * used any more, and is used unbuffered or closed before out's own end. NULL: out of memory. */
FILE *terminal_stream(FILE *out);
/* From now on stderr is such a stream, and stdout where it is a terminal: what a program or a file
 * takes stays as it is, byte for byte. */
void terminal_guard(bool out_is_terminal);

#endif
