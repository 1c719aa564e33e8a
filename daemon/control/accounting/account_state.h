/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control knows by accounting, in memory and on the disk, and what becomes of it when a
 * session ends by something else. */
#ifndef POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_STATE_H
#define POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNT_STATE_H

#include "daemon/base/loop.h"
#include "daemon/control/accounting/account_counters.h"
#include "daemon/control/accounting/account_keys.h"
#include "daemon/control/peers/question.h"
#include "daemon/control/session/source_watch.h"
#include "daemon/control/store/session_store.h"

struct control;

struct accounts {
	struct control *control;
	struct radius_ledger *ledger;
	struct account_counters counters;
	struct loop_timer sweep;
	struct account_keys keys;
	bool secret_stored;
};

/* NULL: the policy has none of this name. */
const struct policy_zone *account_state_zone(const struct accounts *accounts, const char *name);
/* now: NULL, what is known of the key is forgotten. gather: who waits for it; NULL: nobody, and a
 * failure is logged. */
void account_state_store(struct accounts *accounts, const struct radius_entry *now,
	const struct radius_key *key, struct gather *gather);
/* A radius_ledger_visit: stores each that changed by something else than its own event. */
void account_state_on_changed(
	void *accounts, const struct radius_entry *before, const struct radius_entry *now);
/* Of source_watch_gone(). */
void account_state_on_gone(void *accounts, uint64_t session, enum source_gone how);

#endif
