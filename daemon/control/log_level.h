/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the log level of all processes. */
#ifndef POSTERN_DAEMON_CONTROL_LOG_LEVEL_H
#define POSTERN_DAEMON_CONTROL_LOG_LEVEL_H

#include "lib/policy/policy.h"

struct control;

/* Here and in every other process. */
void log_level_set(struct control *control, enum policy_log_level level);

#endif
