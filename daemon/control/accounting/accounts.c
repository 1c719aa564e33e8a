/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/accounting/accounts.h"

#include "daemon/base/log.h"
#include "daemon/control/accounting/account_keys.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/session/source_watch.h"
#include "daemon/control/session/sources.h"
#include "daemon/control/store/account_store.h"
#include "daemon/control/store/session_store.h"
#include "lib/base/container.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SWEEP_MS       60000
#define SWEEP_AT_ONCE  1000
#define LEASE_LEAST_S  120 /* an Interim may be late */
#define LEASE_SPACINGS 3

_Static_assert(RADIUS_ADDRESSES_MAX <= SESSION_ADDRESSES_MAX, "a session has room for them");
_Static_assert(RADIUS_GROUPS_MAX <= SESSION_GROUPS_MAX, "and for these");

struct named_counts {
	char radius[POLICY_NAME_SIZE];
	struct account_counts counts;
};

struct accounts {
	struct control *control;
	struct radius_ledger *ledger;
	struct named_counts *counts; /* of the policy's radiuses */
	size_t ncounts;
	struct loop_timer sweep;
	struct account_keys keys;
	bool secret_stored;
};

/* One event on its way to the disk. */
struct taking {
	struct gather gather; /* first */
	struct accounts *accounts;
	accounts_done *done;
	void *context;
	uint64_t id;
	char radius[POLICY_NAME_SIZE];
	bool decided;
	bool repeats; /* nothing but what `known` says already: it waits until that is on the disk
		       */
	struct radius_entry known;
	struct radius_decision decision;
};

/* ---- counted ---- */

static struct account_counts *find_counts(const struct accounts *accounts, const char *radius)
{
	static struct account_counts nowhere;

	for (size_t i = 0; i < accounts->ncounts; i++)
		if (strcmp(accounts->counts[i].radius, radius) == 0)
			return &accounts->counts[i].counts;
	return &nowhere;
}

const struct account_counts *accounts_counts(const struct accounts *accounts, const char *radius)
{
	for (size_t i = 0; i < accounts->ncounts; i++)
		if (strcmp(accounts->counts[i].radius, radius) == 0)
			return &accounts->counts[i].counts;
	return NULL;
}

void accounts_follow(struct accounts *accounts)
{
	const struct policy *policy = accounts->control->policy;
	struct named_counts *next = calloc(policy->nradiuses + 1, sizeof(*next));

	if (!next) {
		log_error("no memory to count what accounting tells");
		return;
	}
	for (size_t i = 0; i < policy->nradiuses; i++) {
		const char *name = policy->radiuses[i].name.text;
		const struct account_counts *before = accounts_counts(accounts, name);
		snprintf(next[i].radius, sizeof(next[i].radius), "%s", name);
		if (before)
			next[i].counts = *before;
	}
	free(accounts->counts);
	accounts->counts = next;
	accounts->ncounts = policy->nradiuses;
}

size_t accounts_count(const struct accounts *accounts, enum radius_state state)
{
	return radius_ledger_count(accounts->ledger, state);
}

const struct radius_entry *accounts_of_session(const struct accounts *accounts, uint64_t session)
{
	return radius_ledger_of_session(accounts->ledger, session);
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

static void store(struct accounts *accounts, const struct radius_entry *now,
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

/* Of each that changed by something else than its own event. */
static void on_changed(
	void *context, const struct radius_entry *before, const struct radius_entry *now)
{
	store(context, now, &before->key, NULL);
}

static uint32_t longest_skew(const struct accounts *accounts)
{
	const struct policy *policy = accounts->control->policy;
	uint32_t skew_s = POLICY_RADIUS_SKEW_S;

	for (size_t i = 0; i < policy->nradiuses; i++)
		if (policy->radiuses[i].skew_s > skew_s)
			skew_s = policy->radiuses[i].skew_s;
	return skew_s;
}

/* ---- sessions that end otherwise ---- */

static void on_gone(void *context, uint64_t session, enum source_gone how)
{
	static const enum radius_end ends[] = {[SOURCE_GONE_AGAIN] = RADIUS_END_FORGOTTEN,
		[SOURCE_GONE_OUT] = RADIUS_END_TOMBSTONE,
		[SOURCE_GONE_REPLACED] = RADIUS_END_SUPERSEDED};
	struct accounts *accounts = context;
	const struct session *was = session_table_find(accounts->control->table, session);

	if (how != SOURCE_GONE_OUT && was && was->via.len)
		find_counts(accounts, was->via.text)->stops_missed++;
	radius_ledger_session_gone(accounts->ledger, session, ends[how], longest_skew(accounts),
		clock_now_ms(accounts->control), on_changed, accounts);
}

/* ---- one event ---- */

static const struct policy_zone *zone_of(const struct accounts *accounts, const char *name)
{
	const struct policy *policy = accounts->control->policy;
	ptrdiff_t zone = *name ? policy_find_zone(policy, name) : -1;

	return zone < 0 ? NULL : &policy->zones[zone];
}

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
		&accounts->keys, zone_of(accounts, event->zone), &says, to->claims);
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
static bool put_session(struct taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius)
{
	struct accounts *accounts = taking->accounts;
	struct account_counts *counts = find_counts(accounts, event->radius);
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
static void end_session(struct taking *taking)
{
	struct accounts *accounts = taking->accounts;
	const struct radius_entry *before = &taking->decision.before;

	if (before->state == RADIUS_LIVE && before->session &&
		radius_ledger_count_session(accounts->ledger, before->session) == 0)
		source_end(accounts->control, before->session, &taking->gather);
}

static void end_losers(struct taking *taking)
{
	struct accounts *accounts = taking->accounts;
	const struct radius_decision *decision = &taking->decision;

	for (size_t i = 0; i < decision->nlosers; i++) {
		on_gone(accounts, decision->losers[i], SOURCE_GONE_REPLACED);
		source_end(accounts->control, decision->losers[i], &taking->gather);
	}
}

/* Is there something to be kept? */
static bool act(struct taking *taking, const struct ipc_radius_event *event,
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
static void wait_for_known(struct taking *taking)
{
	const struct radius_entry *known =
		radius_ledger_find(taking->accounts->ledger, &taking->decision.before.key);

	if (!known)
		return; /* of a NAS that began anew later */
	taking->repeats = true;
	taking->known = *known;
	store(taking->accounts, known, NULL, &taking->gather);
}

/* That could not be stored meanwhile: it is not known. */
static bool is_undone(const struct radius_ledger *ledger, const struct radius_entry *was)
{
	const struct radius_entry *now = radius_ledger_find(ledger, &was->key);

	return !now || now->event_ms < was->event_ms;
}

static void decide(struct taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius, const struct policy_radius_source *source)
{
	struct accounts *accounts = taking->accounts;
	struct account_counts *counts = find_counts(accounts, event->radius);
	struct radius_decision *decision = &taking->decision;
	struct radius_event now;

	fill_event(accounts, event, radius, source, &now);
	radius_ledger_take(accounts->ledger, &now, clock_now_ms(accounts->control), decision);
	taking->decided = true;
	counts->acts[decision->act]++;
	counts->unused[unused_act(decision->act)]++;
	counts->starts_missed += decision->start_missed;
	if (act(taking, event, radius))
		store(accounts, &decision->now, NULL, &taking->gather);
	else if (decision->act == RADIUS_ACT_OLD || decision->act == RADIUS_ACT_OVER)
		wait_for_known(taking);
}

/* ---- a NAS that begins anew ---- */

struct restart {
	struct accounts *accounts;
	struct gather *gather;
	struct account_counts *counts;
	uint64_t *sessions;
	size_t n, room;
};

static void on_restarted(
	void *context, const struct radius_entry *before, const struct radius_entry *now)
{
	struct restart *restart = context;

	store(restart->accounts, now, &before->key, restart->gather);
	if (before->state != RADIUS_LIVE)
		return;
	if (restart->n == restart->room) {
		size_t room = restart->room ? restart->room * 2 : 64;
		uint64_t *sessions = realloc(restart->sessions, room * sizeof(*sessions));
		if (!sessions)
			return; /* its lease ends it */
		restart->sessions = sessions;
		restart->room = room;
	}
	restart->sessions[restart->n++] = before->session;
}

static void end_nas(struct taking *taking, const struct ipc_radius_event *event,
	const struct policy_radius *radius, const struct policy_radius_source *source)
{
	struct accounts *accounts = taking->accounts;
	struct restart restart = {.accounts = accounts,
		.gather = &taking->gather,
		.counts = find_counts(accounts, event->radius)};

	if (radius->restart_keeps ||
		!radius_ledger_nas_over(accounts->ledger,
			account_keys_nas(&accounts->keys, event, source), event->event_ms,
			radius->skew_s, clock_now_ms(accounts->control), on_restarted, &restart))
		return;
	restart.counts->restarts++;
	for (size_t i = 0; i < restart.n; i++) {
		if (radius_ledger_count_session(accounts->ledger, restart.sessions[i]) > 0)
			continue;
		source_end(accounts->control, restart.sessions[i], &taking->gather);
		restart.counts->restarted++;
	}
	free(restart.sessions);
	log_event(POLICY_LOG_INFO, LOG_ID_NONE, NULL, 0,
		"radius %s: NAS %s began anew, %zu sessions that it had are over", event->radius,
		event->nas, restart.n);
}

/* ---- taken ---- */

static void on_taken(struct gather *gather)
{
	struct taking *taking = (struct taking *)gather;
	const struct radius_ledger *ledger = taking->accounts->ledger;
	bool failed = gather->status != 0 || (taking->repeats && is_undone(ledger, &taking->known));

	if (failed) {
		find_counts(taking->accounts, taking->radius)->failed++;
		if (taking->decided && !taking->repeats)
			radius_ledger_undo(taking->accounts->ledger, &taking->decision);
	}
	taking->done(taking->context, taking->id, failed);
	free(taking);
}

void accounts_take(struct accounts *accounts, const struct ipc_radius_event *event,
	accounts_done *done, void *context)
{
	const struct policy *policy = accounts->control->policy;
	ptrdiff_t index = policy_find_radius(policy, event->radius);
	const struct policy_radius *radius = index < 0 ? NULL : &policy->radiuses[index];
	const struct policy_radius_source *source =
		radius ? radius_source_of(radius, &event->source) : NULL;
	struct taking *taking = source ? calloc(1, sizeof(*taking)) : NULL;

	/* under another policy it may be heard again */
	if (!taking) {
		done(context, event->id, true);
		return;
	}
	taking->accounts = accounts;
	taking->done = done;
	taking->context = context;
	taking->id = event->id;
	memcpy(taking->radius, event->radius, sizeof(taking->radius));
	gather_init(&taking->gather, on_taken);
	if (event->status == RADIUS_STATUS_ON || event->status == RADIUS_STATUS_OFF)
		end_nas(taking, event, radius, source);
	else
		decide(taking, event, radius, source);
	gather_end(&taking->gather, 0, NULL);
}

/* ---- its life ---- */

static void on_sweep(struct loop_timer *timer, uint64_t now_ms)
{
	struct accounts *accounts = container_of(timer, struct accounts, sweep);
	size_t n = radius_ledger_sweep(accounts->ledger, clock_now_ms(accounts->control),
		SWEEP_AT_ONCE, on_changed, accounts);

	/* what is left over comes soon */
	loop_timer_set(
		accounts->control->loop, timer, now_ms + (n == SWEEP_AT_ONCE ? 100 : SWEEP_MS));
}

static void claim_again(
	struct accounts *accounts, const struct radius_entry *entry, const struct session *session)
{
	struct prefix addresses[RADIUS_ADDRESSES_MAX];
	struct account_says says = {session->zone.text, &session->mac, addresses, 0};
	uint64_t claims[RADIUS_CLAIMS_MAX];

	for (size_t i = 0; i < session->naddresses && says.naddresses < RADIUS_ADDRESSES_MAX; i++)
		if (!session->addresses[i].learned)
			addresses[says.naddresses++] = session->addresses[i].prefix;
	size_t n = account_keys_claims(
		&accounts->keys, zone_of(accounts, session->zone.text), &says, claims);
	radius_ledger_claim(accounts->ledger, &entry->key,
		account_keys_user(&accounts->keys, session->user.text), claims, n);
}

static void take_back(struct accounts *accounts, const struct radius_entry *entry)
{
	struct control *control = accounts->control;
	const struct session *session =
		entry->session ? session_table_find(control->table, entry->session) : NULL;
	bool over = entry->until_ms ? entry->until_ms <= clock_now_ms(control)
				    : !session || session->source != SESSION_SOURCE_RADIUS;

	if (over) {
		store(accounts, NULL, &entry->key, NULL);
		return;
	}
	if (radius_ledger_put(accounts->ledger, entry) == 0 && session)
		claim_again(accounts, entry, session);
}

static void on_set_back(void *context)
{
	struct accounts *accounts = context;

	radius_ledger_set_back(accounts->ledger, loop_wall_ms(accounts->control->loop));
}

static int take_secret(struct accounts *accounts, const struct account_rows *rows)
{
	uint8_t secret[SIPHASH_SECRET_SIZE];

	if (rows->has_secret)
		memcpy(secret, rows->secret, sizeof(secret));
	else if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -errno;
	accounts->secret_stored = rows->has_secret;
	account_keys_init(&accounts->keys, secret);
	return 0;
}

struct accounts *accounts_open(struct control *control)
{
	struct accounts *accounts = calloc(1, sizeof(*accounts));
	struct account_rows *rows = session_store_account_rows(control->store);

	if (!accounts)
		return NULL;
	accounts->control = control;
	accounts->ledger = radius_ledger_new();
	accounts->sweep.on_time = on_sweep;
	if (!accounts->ledger || take_secret(accounts, rows) < 0) {
		accounts_free(accounts);
		return NULL;
	}
	for (size_t i = 0; i < rows->n; i++)
		take_back(accounts, &rows->v[i]);
	account_rows_fini(rows);
	on_set_back(accounts); /* while nobody looked, maybe */
	clock_on_set_back(control, on_set_back, accounts);
	accounts_follow(accounts);
	source_watch_gone(control, on_gone, accounts);
	loop_timer_set(control->loop, &accounts->sweep, loop_now_ms(control->loop) + SWEEP_MS);
	return accounts;
}

void accounts_free(struct accounts *accounts)
{
	if (!accounts)
		return;
	loop_timer_clear(accounts->control->loop, &accounts->sweep);
	radius_ledger_free(accounts->ledger);
	free(accounts->counts);
	free(accounts);
}
