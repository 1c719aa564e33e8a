/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/accounting/accounts.h"

#include "daemon/control/accounting/account_event.h"
#include "daemon/control/accounting/account_restart.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/store/account_store.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SWEEP_MS      60000
#define SWEEP_AT_ONCE 1000

/* ---- counted ---- */

const struct account_counts *accounts_counts(const struct accounts *accounts, const char *radius)
{
	return account_counters_find(&accounts->counters, radius);
}

void accounts_follow(struct accounts *accounts)
{
	account_counters_follow(&accounts->counters, accounts->control->policy);
}

size_t accounts_count(const struct accounts *accounts, enum radius_state state)
{
	return radius_ledger_count(accounts->ledger, state);
}

const struct radius_entry *accounts_of_session(const struct accounts *accounts, uint64_t session)
{
	return radius_ledger_of_session(accounts->ledger, session);
}

/* ---- taken ---- */

/* That could not be stored meanwhile: it is not known. */
static bool is_undone(const struct radius_ledger *ledger, const struct radius_entry *was)
{
	const struct radius_entry *now = radius_ledger_find(ledger, &was->key);

	return !now || now->event_ms < was->event_ms;
}

static void on_taken(struct gather *gather)
{
	struct account_taking *taking = (struct account_taking *)gather;
	const struct radius_ledger *ledger = taking->accounts->ledger;
	bool failed = gather->status != 0 || (taking->repeats && is_undone(ledger, &taking->known));

	if (failed) {
		account_counters_at(&taking->accounts->counters, taking->radius)->failed++;
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
	struct account_taking *taking = source ? calloc(1, sizeof(*taking)) : NULL;

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
		account_restart_take(taking, event, radius, source);
	else
		account_event_take(taking, event, radius, source);
	gather_end(&taking->gather, 0, NULL);
}

/* ---- its life ---- */

static void on_sweep(struct loop_timer *timer, uint64_t now_ms)
{
	struct accounts *accounts = container_of(timer, struct accounts, sweep);
	size_t n = radius_ledger_sweep(accounts->ledger, clock_now_ms(accounts->control),
		SWEEP_AT_ONCE, account_state_on_changed, accounts);

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
		&accounts->keys, account_state_zone(accounts, session->zone.text), &says, claims);
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
		account_state_store(accounts, NULL, &entry->key, NULL);
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
	source_watch_gone(control, account_state_on_gone, accounts);
	loop_timer_set(control->loop, &accounts->sweep, loop_now_ms(control->loop) + SWEEP_MS);
	return accounts;
}

void accounts_free(struct accounts *accounts)
{
	if (!accounts)
		return;
	loop_timer_clear(accounts->control->loop, &accounts->sweep);
	radius_ledger_free(accounts->ledger);
	account_counters_fini(&accounts->counters);
	free(accounts);
}
