/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which stage an event of a flow is for: by the flow's state, in one place. */
#ifndef POSTERN_DAEMON_RELAY_DISPATCH_H
#define POSTERN_DAEMON_RELAY_DISPATCH_H

#include "daemon/relay/flow.h"

extern const struct flow_face dispatch_face;

#endif
