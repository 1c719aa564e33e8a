/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which file an event of a flow is for, and what high files do for low ones. */
#ifndef POSTERN_DAEMON_SMTP_DISPATCH_H
#define POSTERN_DAEMON_SMTP_DISPATCH_H

#include "daemon/smtp/flow.h"

extern const struct smtp_flow_face dispatch_smtp_face;

#endif
