/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the world that decisions rest on, as it is now in control. */
#ifndef POSTERN_DAEMON_CONTROL_DECISION_WORLD_H
#define POSTERN_DAEMON_CONTROL_DECISION_WORLD_H

#include "lib/policy/decide/decide.h"

struct control;

struct decide_world decision_world(const struct control *control);

#endif
