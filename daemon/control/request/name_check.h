/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns whether a name that was asked for is one at all: a question that nothing matches is
 * answered, a mistyped name is refused. */
#ifndef POSTERN_DAEMON_CONTROL_REQUEST_NAME_CHECK_H
#define POSTERN_DAEMON_CONTROL_REQUEST_NAME_CHECK_H

#include "daemon/control/request/command.h"

/* Is the value of this part ("user", "zone", "rule", "server") known, or not given? */
bool name_check_given(const struct command *command, const char *part);
/* Ends the command: there is no such user, zone, rule or server. more is what else was looked at,
 * or
 * "". */
void name_check_refuse(struct command *command, const char *part, const char *more);

#endif
