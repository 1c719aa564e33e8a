/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what one event of accounting comes to: what is known of its session decides
 * (lib/radius/ledger.h), and the session is opened, renewed or ended. */
#ifndef POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_EVENT_H
#define POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_EVENT_H

#include "daemon/control/accounting/account_state.h"

/* One event on its way to the disk. */
struct account_taking {
	struct gather gather; /* first */
	struct accounts *accounts;
	void (*done)(void *context, uint64_t id, bool failed);
	void *context;
	uint64_t id;
	char radius[POLICY_NAME_SIZE];
	bool decided;
	bool repeats; /* nothing but what `known` says already: it waits until that is on the disk
		       */
	struct radius_entry known;
	struct radius_decision decision;
};

/* Does what a Start, an Interim-Update or a Stop says. What is to be on the disk before it is
 * answered is in the taking's gather. */
void account_event_take(struct account_taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius, const struct policy_radius_source *source);

#endif
