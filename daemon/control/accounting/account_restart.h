/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the word of a NAS comes to that it begins anew: all sessions that it had are over. */
#ifndef POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_RESTART_H
#define POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_RESTART_H

#include "daemon/control/accounting/account_event.h"

/* Does what Accounting-On and -Off say, as account_event_take(). */
void account_restart_take(struct account_taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius, const struct policy_radius_source *source);

#endif
