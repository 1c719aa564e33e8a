/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what was sent in a session, and what was refused and why, as its user is shown it: from the
 * records, without an address of anybody. */
#ifndef POSTERN_DAEMON_CONTROL_PORTAL_MAILS_H
#define POSTERN_DAEMON_CONTROL_PORTAL_MAILS_H

#include "daemon/control/portal/asker.h"
#include "lib/ipc/web.h"
#include "lib/policy/session.h"

struct control;

/* Answers what is shown, when that is added to it. messages: of what is read, else of flows. */
void portal_mails_begin(struct control *control, const struct session *session, bool messages,
	const struct portal_asker *asker, const struct ipc_portal_shown *shown);

#endif
