/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a batch: a file of command lines. */
#ifndef POSTERN_TOOLS_POSTERNCTL_BATCH_H
#define POSTERN_TOOLS_POSTERNCTL_BATCH_H

#include "tools/posternctl/call.h"

/* All lines are looked at before any is sent. Statements of the policy are one change: all or
 * nothing, one number. Other commands go one after the other over one connection, up to the first
 * that is refused; both do not mix. Exit status. */
int batch_run(struct call *call, const char *path);

#endif
