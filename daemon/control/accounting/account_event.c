/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/accounting/account_event.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/session/sources.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LEASE_LEAST_S  120 /* an Interim may be late */
#define LEASE_SPACINGS 3

_Static_assert(RADIUS_ADDRESSES_MAX <= SESSION_ADDRESSES_MAX, "a session has room for them");
_Static_assert(RADIUS_GROUPS_MAX <= SESSION_GROUPS_MAX, "and for these");

static void fill_event(const struct accounts *accounts, const struct ipc_radius_event *event,
	const struct policy_radius *radius, const struct policy_radius_source *source,
	struct radius_event *to)
{
	*to = (struct radius_event){.nas = account_keys_nas(&accounts->keys, event, source),
		.status = (enum radius_status)event->status,
		.event_ms = event->event_ms,
		.begin_ms = event->begin_ms,
		.user = account_keys_user(&accounts->keys, event->user),
		.can_open = event->whole,
		.skew_s = radius->skew_s};
	account_keys_session(&accounts->keys, event, source, &to->key);
	const struct account_says says = {
		event->zone, &event->mac, event->addresses, event->naddresses};
	to->nclaims = account_keys_claims(
		&accounts->keys, account_state_zone(accounts, event->zone), &says, to->claims);
}

/* Three spacings without news, as far as it is known how far they are apart. */
static uint64_t lease_of(const struct ipc_radius_event *event, const struct policy_radius *radius,
	const struct radius_entry *entry)
{
	uint64_t spacing_s = entry->steady_s ? entry->steady_s : event->interval_s;
	uint64_t lease_s = spacing_s ? spacing_s * LEASE_SPACINGS : radius->timeout_s;

	if (lease_s < LEASE_LEAST_S)
		lease_s = LEASE_LEAST_S;
	if (lease_s > radius->timeout_s)
		lease_s = radius->timeout_s;
	if (!event->timeout_s)
		return lease_s * 1000;
	uint64_t end_ms = entry->begin_ms + event->timeout_s * 1000ull;
	uint64_t left_ms = end_ms > event->event_ms ? end_ms - event->event_ms : 0;
	if (left_ms < 1000)
		left_ms = 1000;
	return left_ms < lease_s * 1000 ? left_ms : lease_s * 1000;
}

static void fill_order(const struct ipc_radius_event *event, struct source_order *order)
{
	const char *group = event->groups;

	*order = (struct source_order){.source = SESSION_SOURCE_RADIUS,
		.via = event->radius,
		.user = event->user,
		.zone = event->zone,
		.mac = event->mac,
		.naddresses = event->naddresses,
		.ngroups = event->ngroups};
	memcpy(order->addresses, event->addresses, event->naddresses * sizeof(*order->addresses));
	for (uint32_t i = 0; i < event->ngroups; i++) {
		order->groups[i] = group;
		group += strlen(group) + 1;
	}
}

static enum radius_unused unused_of(enum source_outcome outcome)
{
	switch (outcome) {
	case SOURCE_OPENED:
	case SOURCE_RENEWED:
	case SOURCE_FAILED:
		break;
	case SOURCE_TAKEN:
		return RADIUS_UNUSED_TAKEN;
	case SOURCE_NO_ZONE:
		return RADIUS_UNUSED_ZONE;
	case SOURCE_OUTSIDE:
	case SOURCE_NO_ADDRESS:
		return RADIUS_UNUSED_NETWORK;
	case SOURCE_NO_MAC:
		return RADIUS_UNUSED_MAC;
	case SOURCE_OVER_LIMIT:
		return RADIUS_UNUSED_LIMIT;
	}
	return RADIUS_UNUSED_NOTHING;
}

static void log_opened(const struct ipc_radius_event *event, uint64_t session)
{
	char id[24];

	snprintf(id, sizeof(id), "%" PRIu64, session);
	log_event(POLICY_LOG_INFO, LOG_ID_NONE,
		LOG_FIELDS({LOG_FIELD_SESSION, id}, {LOG_FIELD_USER, event->user},
			{LOG_FIELD_ZONE, event->zone}),
		"session %s of user %s in zone %s begins: %s of radius %s", id,
		log_person(event->user), event->zone, radius_status_names[event->status],
		event->radius);
}

/* Opens or renews the session. False: it is refused, and nothing is known of it. */
static bool put_session(struct account_taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius)
{
	struct accounts *accounts = taking->accounts;
	struct account_counts *counts = account_counters_at(&accounts->counters, event->radius);
	struct radius_decision *decision = &taking->decision;
	struct source_order order;
	char nas[SESSION_NAS_SIZE];
	uint64_t id;

	fill_order(event, &order);
	snprintf(nas, sizeof(nas), "%.*s", (int)sizeof(nas) - 1, event->nas);
	order.nas = nas;
	order.lease_ms = lease_of(event, radius, &decision->now);
	order.goes_on = decision->start_missed;
	enum source_outcome outcome = source_put(accounts->control,
		decision->act == RADIUS_ACT_RENEW ? decision->before.session : 0, &order,
		&taking->gather, &id);
	if (outcome == SOURCE_OPENED)
		log_opened(event, id);
	if (outcome == SOURCE_OPENED || outcome == SOURCE_RENEWED) {
		decision->now.session = id;
		radius_ledger_opened(accounts->ledger, &decision->now.key, id);
		return true;
	}
	counts->unused[unused_of(outcome)]++;
	radius_ledger_undo(accounts->ledger, decision);
	taking->decided = false;
	return false;
}

/* Unless others of its NASes lead to it, as of one who roams. */
static void end_session(struct account_taking *taking)
{
	struct accounts *accounts = taking->accounts;
	const struct radius_entry *before = &taking->decision.before;

	if (before->state == RADIUS_LIVE && before->session &&
		radius_ledger_count_session(accounts->ledger, before->session) == 0)
		source_end(accounts->control, before->session, &taking->gather);
}

static void end_losers(struct account_taking *taking)
{
	struct accounts *accounts = taking->accounts;
	const struct radius_decision *decision = &taking->decision;

	for (size_t i = 0; i < decision->nlosers; i++) {
		account_state_on_gone(accounts, decision->losers[i], SOURCE_GONE_REPLACED);
		source_end(accounts->control, decision->losers[i], &taking->gather);
	}
}

/* Is there something to be kept? */
static bool act(struct account_taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius)
{
	switch (taking->decision.act) {
	case RADIUS_ACT_OPEN:
	case RADIUS_ACT_RENEW:
		return put_session(taking, event, radius);
	case RADIUS_ACT_END:
	case RADIUS_ACT_CLAIMED:
		end_session(taking);
		return true;
	case RADIUS_ACT_WAIT:
		return true;
	case RADIUS_ACT_TOMBSTONE:
		end_losers(taking);
		return true;
	case RADIUS_ACT_OLD:
	case RADIUS_ACT_OVER:
	case RADIUS_ACT_FULL:
		break;
	}
	return false;
}

static enum radius_unused unused_act(enum radius_act what)
{
	return what == RADIUS_ACT_OLD       ? RADIUS_UNUSED_OLD
	       : what == RADIUS_ACT_OVER    ? RADIUS_UNUSED_OVER
	       : what == RADIUS_ACT_CLAIMED ? RADIUS_UNUSED_CLAIMED
	       : what == RADIUS_ACT_FULL    ? RADIUS_UNUSED_FULL
					    : RADIUS_UNUSED_NOTHING;
}

/* What it repeats may be on its way to the disk, and must be there before this is answered: changes
 * are carried out in order. */
static void wait_for_known(struct account_taking *taking)
{
	const struct radius_entry *known =
		radius_ledger_find(taking->accounts->ledger, &taking->decision.before.key);

	if (!known)
		return; /* of a NAS that began anew later */
	taking->repeats = true;
	taking->known = *known;
	account_state_store(taking->accounts, known, NULL, &taking->gather);
}

void account_event_take(struct account_taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius, const struct policy_radius_source *source)
{
	struct accounts *accounts = taking->accounts;
	struct account_counts *counts = account_counters_at(&accounts->counters, event->radius);
	struct radius_decision *decision = &taking->decision;
	struct radius_event now;

	fill_event(accounts, event, radius, source, &now);
	radius_ledger_take(accounts->ledger, &now, clock_now_ms(accounts->control), decision);
	taking->decided = true;
	counts->acts[decision->act]++;
	counts->unused[unused_act(decision->act)]++;
	counts->starts_missed += decision->start_missed;
	if (act(taking, event, radius))
		account_state_store(accounts, &decision->now, NULL, &taking->gather);
	else if (decision->act == RADIUS_ACT_OLD || decision->act == RADIUS_ACT_OVER)
		wait_for_known(taking);
}
