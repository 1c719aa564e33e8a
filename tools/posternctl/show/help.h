/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the help: all of the table for people, and as JSON for programs. */
#ifndef POSTERN_TOOLS_POSTERNCTL_SHOW_HELP_H
#define POSTERN_TOOLS_POSTERNCTL_SHOW_HELP_H

#include "tools/posternctl/call.h"

/* `help`, `help NOUN`, `NOUN help`, `NOUN --help`. */
bool help_is_asked(const char *const *words, size_t nwords);
int help_run(struct call *call, const char *const *words, size_t nwords);
void help_show(FILE *out);

#endif
