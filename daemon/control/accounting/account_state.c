/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/accounting/account_state.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"

#include <stdio.h>
#include <string.h>

const struct policy_zone *account_state_zone(const struct accounts *accounts, const char *name)
{
	const struct policy *policy = accounts->control->policy;
	ptrdiff_t zone = *name ? policy_find_zone(policy, name) : -1;

	return zone < 0 ? NULL : &policy->zones[zone];
}

/* ---- on the disk ---- */

static void on_alone(void *context, int status)
{
	(void)context;
	if (status)
		log_error("what is known of a session by accounting cannot be stored: %s",
			strerror(-status));
}

static void on_stored(void *context, int status)
{
	char text[IPC_TEXT_SIZE];

	snprintf(text, sizeof(text), "it cannot be stored: %s", strerror(-status));
	gather_end(context, status, text);
}

void account_state_store(struct accounts *accounts, const struct radius_entry *now,
	const struct radius_key *key, struct gather *gather)
{
	struct session_store *to = accounts->control->store;
	session_store_done *done = gather ? on_stored : on_alone;

	if (!accounts->secret_stored)
		accounts->secret_stored = session_store_account_secret(to, accounts->keys.secret[0],
						  on_alone, NULL) == 0;
	if (gather)
		gather_add(gather);
	int error = now ? session_store_account_put(to, now, done, gather)
			: session_store_account_del(to, key, done, gather);
	if (error)
		done(gather, error);
}

void account_state_on_changed(
	void *context, const struct radius_entry *before, const struct radius_entry *now)
{
	account_state_store(context, now, &before->key, NULL);
}

/* ---- sessions that end otherwise ---- */

static uint32_t longest_skew(const struct accounts *accounts)
{
	const struct policy *policy = accounts->control->policy;
	uint32_t skew_s = POLICY_RADIUS_SKEW_S;

	for (size_t i = 0; i < policy->nradiuses; i++)
		if (policy->radiuses[i].skew_s > skew_s)
			skew_s = policy->radiuses[i].skew_s;
	return skew_s;
}

void account_state_on_gone(void *context, uint64_t session, enum source_gone how)
{
	static const enum radius_end ends[] = {[SOURCE_GONE_AGAIN] = RADIUS_END_FORGOTTEN,
		[SOURCE_GONE_OUT] = RADIUS_END_TOMBSTONE,
		[SOURCE_GONE_REPLACED] = RADIUS_END_SUPERSEDED};
	struct accounts *accounts = context;
	const struct session *was = session_table_find(accounts->control->table, session);

	if (how != SOURCE_GONE_OUT && was && was->via.len)
		account_counters_at(&accounts->counters, was->via.text)->stops_missed++;
	radius_ledger_session_gone(accounts->ledger, session, ends[how], longest_skew(accounts),
		clock_now_ms(accounts->control), account_state_on_changed, accounts);
}
