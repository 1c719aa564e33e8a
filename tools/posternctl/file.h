/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how a file is opened and read that the operator names. */
#ifndef POSTERN_TOOLS_POSTERNCTL_FILE_H
#define POSTERN_TOOLS_POSTERNCTL_FILE_H

#include <stdio.h>

/* For reading; "-" is standard input, as is /dev/stdin. A pipe of the shell's is waited for, a FIFO
 * that has a name is not: nobody may ever write to it. NULL with errno, EINVAL for such
 * a FIFO. */
FILE *file_open(const char *path);
/* All of it. malloc'ed; NULL: and what is wrong. */
#define FILE_WRONG_SIZE 512
char *file_read(const char *path, size_t *len, char wrong[static FILE_WRONG_SIZE]);

#endif
