/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns running posternd, for what it does without a daemon. */
#ifndef POSTERN_TOOLS_POSTERNCTL_DAEMON_H
#define POSTERN_TOOLS_POSTERNCTL_DAEMON_H

/* The one beside this program, or in PATH; its exit status, 127 if there is none. words ends with
 * NULL, its first is filled in here. out takes what it writes; -1: stdout. */
int daemon_run(const char **words, int out);

#endif
