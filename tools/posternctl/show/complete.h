/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what may stand at the end of a command line, for the shell's completion. */
#ifndef POSTERN_TOOLS_POSTERNCTL_SHOW_COMPLETE_H
#define POSTERN_TOOLS_POSTERNCTL_SHOW_COMPLETE_H

#include "tools/posternctl/call.h"

/* One candidate a line, whatever it begins with; "@file" where a file's name is expected. words are
 * those in front of the one that is being typed. */
void complete_run(struct call *call, const char *const *words, size_t nwords);

#endif
