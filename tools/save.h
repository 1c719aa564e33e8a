/* Owns writing the running policy to its file, with the rights of who calls posternctl. */
#ifndef POSTERN_TOOLS_SAVE_H
#define POSTERN_TOOLS_SAVE_H

#include "tools/noun.h"

/* `policy save [FILE]`. Exit status. */
int save_run(struct call *call, const struct verb *verb, const char **words, size_t nwords);

#endif
