/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what accounting tells: each event meets what is known of its session (lib/radius/ledger.h),
 * and what that comes to is done to sessions and put on the disk. Nothing is acknowledged before it
 * is there; a burst waits for the disk once. */
#ifndef POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNTS_H
#define POSTERN_DAEMON_CONTROL_ACCOUNTING_ACCOUNTS_H

#include "daemon/control/accounting/account_counters.h"
#include "lib/ipc/radius.h"
#include "lib/radius/ledger.h"

struct accounts;
struct control;

/* Behind the store, with what stood there. NULL: out of memory, said. */
struct accounts *accounts_open(struct control *control);
void accounts_free(struct accounts *accounts);
/* Another policy is in force. */
void accounts_follow(struct accounts *accounts);

/* Called when what came of an event is on the disk, or could not be stored. */
typedef void accounts_done(void *context, uint64_t id, bool failed);
void accounts_take(struct accounts *accounts, const struct ipc_radius_event *event,
	accounts_done *done, void *context);

/* NULL: the policy has no such radius. */
const struct account_counts *accounts_counts(const struct accounts *accounts, const char *radius);
size_t accounts_count(const struct accounts *accounts, enum radius_state state);
/* What is known of a session; NULL: nothing tells of it. */
const struct radius_entry *accounts_of_session(const struct accounts *accounts, uint64_t session);

#endif
