/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/sessions.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/peers/flow_carrier.h"
#include "daemon/control/peers/flow_kill.h"
#include "daemon/control/peers/session_delta.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/request/monitor.h"
#include "daemon/control/session/end_passed.h"
#include "daemon/control/session/idle.h"
#include "daemon/control/session/live_flows.h"
#include "daemon/control/session/source_watch.h"
#include "daemon/control/store/durable.h"
#include "lib/base/container.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDS_A_TURN 200
#define ASIDE_MS    86400000
#define ARM_MOST_MS 60000 /* the wall clock may be set at any time */

struct sessions {
	struct control *control;
	struct loop_timer timer;
	uint64_t last_id;
};

static void on_time(struct loop_timer *timer, uint64_t now_ms);

struct sessions *sessions_new(struct control *control)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));
	if (!sessions)
		return NULL;
	sessions->control = control;
	sessions->timer.on_time = on_time;
	return sessions;
}

void sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return;
	loop_timer_clear(sessions->control->loop, &sessions->timer);
	free(sessions);
}

struct session *sessions_copy(const struct session *session)
{
	uint8_t bytes[SESSION_ENCODED_MAX];
	size_t len = session_encode(session, bytes, sizeof(bytes));
	struct session *copy = len ? malloc(sizeof(*copy) + session_storage_size()) : NULL;
	if (copy && !session_decode(bytes, len, copy, (struct session_storage *)(copy + 1))) {
		free(copy);
		return NULL;
	}
	return copy;
}

void sessions_arm(struct sessions *sessions)
{
	struct loop *loop = sessions->control->loop;
	uint64_t at_ms, now_ms = clock_now_ms(sessions->control);
	if (!session_table_next_end(sessions->control->table, &at_ms)) {
		loop_timer_clear(loop, &sessions->timer);
		return;
	}
	uint64_t left_ms = at_ms > now_ms ? at_ms - now_ms : 0;
	if (left_ms > ARM_MOST_MS)
		left_ms = ARM_MOST_MS;
	loop_timer_set(loop, &sessions->timer, loop_now_ms(loop) + left_ms);
}

/* Idle times begin anew at the start: what was used while control was away is not known. */
static int restart_idle(void *context, struct session *session)
{
	struct sessions *sessions = context;
	if (session->idle_s) {
		session->active_ms = clock_now_ms(sessions->control);
		session_table_touch(sessions->control->table, session);
	}
	return 0;
}

uint64_t sessions_new_id(struct sessions *sessions)
{
	return ++sessions->last_id;
}

void sessions_loaded(struct sessions *sessions, uint64_t last_id)
{
	sessions->last_id = last_id;
	session_table_each(sessions->control->table, restart_idle, sessions);
	free(sessions_follow_policy(sessions, NULL)); /* it may be another than at the end */
}

void sessions_drop_entries(struct sessions *sessions, const struct session *session)
{
	struct entries *entries = sessions->control->entries;
	entries_drop_session(entries, session->id);
	if (mac_is_set(&session->mac))
		entries_drop_mac(entries, &session->mac);
	for (size_t i = 0; i < session->naddresses; i++)
		entries_drop_prefix(entries, &session->addresses[i].prefix);
}

static void publish(struct control *control, const char *event, const struct session *session)
{
	if (monitor_wanted(control, MONITOR_SESSION))
		monitor_publish_row(
			control, MONITOR_SESSION, event, json_row_session(control, session));
}

int sessions_put(struct sessions *sessions, const struct session *session, struct gather *gather)
{
	struct control *control = sessions->control;
	bool known = session_table_find(control->table, session->id) != NULL;
	int error = session_table_put(control->table, session);
	if (error)
		return error;
	session_delta_send(control, session);
	sessions_drop_entries(sessions, session);
	entries_send(control->entries, gather);
	durable_put_session(control, session, gather);
	sessions_arm(sessions);
	publish(control, known ? "renewed" : "login", session);
	return 0;
}

void sessions_del(struct sessions *sessions, const struct session *session, enum ending why,
	struct gather *gather)
{
	struct control *control = sessions->control;
	struct session *copy = sessions_copy(session);
	char id[24];
	if (!copy)
		return;
	session_table_del(control->table, copy->id);
	session_delta_send_gone(control, copy->id);
	sessions_drop_entries(sessions, copy);
	entries_send(control->entries, gather);
	durable_del_session(control, copy->id, gather);
	snprintf(id, sizeof(id), "%" PRIu64, copy->id);
	log_event(POLICY_LOG_INFO, LOG_ID_SESSION_OVER,
		LOG_FIELDS({LOG_FIELD_SESSION, id}, {LOG_FIELD_USER, copy->user.text},
			{LOG_FIELD_ZONE, copy->zone.text}, {LOG_FIELD_ENDING, ending_name(why)}),
		"session %s of user %s in zone %s is over: %s", id, log_person(copy->user.text),
		copy->zone.text, ending_meanings[why]);
	publish(control, ending_name(why), copy);
	source_tell_gone(control, copy, why);
	free(copy);
	sessions_arm(sessions);
}

void sessions_put_back(
	struct sessions *sessions, const struct session *session, struct gather *gather)
{
	struct control *control = sessions->control;
	if (session_table_put(control->table, session) < 0)
		return;
	session_delta_send(control, session);
	durable_put_session(control, session, gather);
}

void sessions_kill_flows(
	struct sessions *sessions, const struct session *session, enum ending ending)
{
	struct control *control = sessions->control;
	struct ipc_kill order;
	ipc_init(&order, IPC_KILL, sizeof(order));
	order.session = session->id;
	order.ending = ending;
	flow_kill(control, &order);
	control->flow_carrier->face->kill_unknown(control->flow_carrier, session, ending);
	end_passed_of_session(control->end_passed, session);
}

bool sessions_keep_flows(const struct sessions *sessions, const struct session *session)
{
	const struct policy *policy = sessions->control->policy;
	ptrdiff_t zone = policy_find_zone(policy, session->zone.text);
	return zone >= 0 && policy->zones[zone].logout_keeps;
}

uint64_t sessions_hard_end(
	const struct policy_zone *zone, const struct session *old, uint64_t now_ms)
{
	if (old && old->hard_end_ms)
		return old->hard_end_ms;
	return zone->reauthenticate_s ? now_ms + zone->reauthenticate_s * 1000ull : 0;
}

uint64_t sessions_lease_end(uint64_t now_ms, uint64_t lease_ms, uint64_t hard_end_ms)
{
	uint64_t end_ms = lease_ms ? now_ms + lease_ms : hard_end_ms;

	return hard_end_ms && hard_end_ms < end_ms ? hard_end_ms : end_ms;
}

size_t sessions_merge_addresses(const struct session *wanted, const struct session *old,
	uint64_t now_ms, struct session_address addresses[static SESSION_ADDRESSES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < wanted->naddresses; i++)
		addresses[n++] = (struct session_address){
			.prefix = wanted->addresses[i].prefix, .seen_ms = now_ms};
	for (size_t i = 0; old && i < old->naddresses && n < SESSION_ADDRESSES_MAX; i++) {
		bool twice = !old->addresses[i].learned;
		for (size_t j = 0; j < n && !twice; j++)
			twice = prefix_contains(
				&addresses[j].prefix, &old->addresses[i].prefix.addr);
		if (!twice)
			addresses[n++] = old->addresses[i];
	}
	return n;
}

void sessions_end(struct sessions *sessions, const struct session *session, enum ending why,
	struct gather *gather)
{
	if (!sessions_keep_flows(sessions, session))
		sessions_kill_flows(sessions, session, why);
	sessions_del(sessions, session, why, gather);
}

static void end_session(struct sessions *sessions, struct session *session)
{
	uint64_t hard_end_ms = session->hard_end_ms;
	bool hard = hard_end_ms && hard_end_ms <= clock_now_ms(sessions->control);

	sessions->control->counters[COUNTER_LEASES_ENDED]++;
	sessions_end(
		sessions, session, hard ? ENDING_KILLED_REAUTHENTICATE : ENDING_KILLED_LEASE, NULL);
}

static void end_by_time(struct sessions *sessions, struct session *session)
{
	struct control *control = sessions->control;
	uint64_t now_ms = clock_now_ms(control);
	bool lease_over = session->lease_end_ms && session->lease_end_ms <= now_ms;
	if (!lease_over && session->aside_until_ms) {
		sessions_del(sessions, session, ENDING_KILLED_POLICY, NULL);
		return;
	}
	if (!lease_over && live_flows_has_session(control->live_flows, session->id)) {
		session->active_ms = now_ms;
		session_table_touch(control->table, session);
		return;
	}
	if (!lease_over && idle_goes_on(control->idle, session))
		return;
	end_session(sessions, session);
}

void sessions_end_idle(struct sessions *sessions, struct session *session)
{
	if (!live_flows_has_session(sessions->control->live_flows, session->id))
		end_session(sessions, session);
}

void sessions_end_due(struct sessions *sessions)
{
	uint64_t at_ms, steady_ms = clock_now_ms(sessions->control);
	for (unsigned i = 0; i < ENDS_A_TURN; i++) {
		struct session *session = session_table_next_end(sessions->control->table, &at_ms);
		if (!session || at_ms > steady_ms)
			break;
		end_by_time(sessions, session);
	}
	sessions_arm(sessions);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	sessions_end_due(container_of(timer, struct sessions, timer));
}

/* On the disk with what is written of it next: where a client is he tells by each first packet. An
 * interface may be called by bytes that no text has, and is then not known by it. */
void sessions_seen(struct sessions *sessions, uint64_t id, const char *ifname)
{
	struct session *session = session_table_find(sessions->control->table, id);
	if (!session || session->kind != SESSION_PORTAL)
		return;
	memset(session->ifname, 0, sizeof(session->ifname));
	for (const char *at = ifname; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return;
	snprintf(session->ifname, sizeof(session->ifname), "%s", ifname);
}

void sessions_active(struct sessions *sessions, uint64_t id)
{
	struct session *session = session_table_find(sessions->control->table, id);
	uint64_t at_ms = clock_now_ms(sessions->control);
	if (!session || session->kind != SESSION_PORTAL || session->active_ms >= at_ms)
		return;
	session->active_ms = at_ms;
	session_table_touch(sessions->control->table, session);
}

/* Another session of the zone that learned this address. */
struct search {
	const struct session *owner;
	const struct addr *addr;
	struct session *found;
};

static int find_other(void *context, struct session *session)
{
	struct search *search = context;
	if (session->kind != SESSION_PORTAL || session->id == search->owner->id ||
		!policy_string_equal(&session->zone, &search->owner->zone))
		return 0;
	for (size_t i = 0; i < session->naddresses; i++) {
		const struct session_address *address = &session->addresses[i];
		if (address->learned && addr_equal(&address->prefix.addr, search->addr)) {
			search->found = session;
			return 1;
		}
	}
	return 0;
}

/* `changed` may point into the table's own copy, which is gone behind the put. */
static bool put_and_tell(struct sessions *sessions, const struct session *changed)
{
	struct control *control = sessions->control;
	uint64_t id = changed->id;
	if (session_table_put(control->table, changed) < 0)
		return false;
	session_delta_send(control, session_table_find(control->table, id));
	return true;
}

/* The address has moved to another MAC: it is learned there and forgotten here. */
static void unlearn(struct sessions *sessions, struct session *session, const struct addr *addr)
{
	struct session changed = *session;
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < session->naddresses; i++)
		if (!session->addresses[i].learned ||
			!addr_equal(&session->addresses[i].prefix.addr, addr))
			addresses[n++] = session->addresses[i];
	changed.addresses = addresses;
	changed.naddresses = n;
	put_and_tell(sessions, &changed);
}

/* Makes room by giving up the address that was learned and not seen for longest. */
static bool give_up_oldest(struct sessions *sessions, struct session_address *addresses, size_t *n)
{
	size_t oldest = *n;
	for (size_t i = 0; i < *n; i++)
		if (addresses[i].learned &&
			(oldest == *n || addresses[i].seen_ms < addresses[oldest].seen_ms))
			oldest = i;
	if (oldest == *n)
		return false;
	entries_drop_prefix(sessions->control->entries, &addresses[oldest].prefix);
	entries_send(sessions->control->entries, NULL);
	memmove(addresses + oldest, addresses + oldest + 1, (*n - oldest - 1) * sizeof(*addresses));
	--*n;
	return true;
}

static bool is_known(struct session *session, const struct addr *addr, uint64_t now_ms)
{
	for (size_t i = 0; i < session->naddresses; i++) {
		if (!prefix_contains(&session->addresses[i].prefix, addr))
			continue;
		session->addresses[i].seen_ms = now_ms;
		return true;
	}
	return false;
}

/* Learned addresses are not written to disk: they are seen again at the client's next admission
 * after a restart, and a client that makes up addresses shall not make disk writes. */
void sessions_learn(struct sessions *sessions, const struct decide_origin *origin)
{
	struct control *control = sessions->control;
	const struct policy_zone *zone = &control->policy->zones[origin->zone];
	uint64_t now_ms = clock_now_ms(control);
	if (zone->identity != POLICY_IDENTITY_MAC || !mac_is_set(&origin->mac))
		return;
	struct session *session = session_table_identify(
		control->table, zone->name.text, zone->identity, &origin->mac, &origin->source);
	if (!session || session->kind != SESSION_PORTAL ||
		!mac_equal(&session->mac, &origin->mac) ||
		is_known(session, &origin->source, now_ms))
		return;
	uint64_t id = session->id;
	struct search search = {.owner = session, .addr = &origin->source};
	session_table_each_address(control->table, &origin->source, find_other, &search);
	if (search.found) {
		unlearn(sessions, search.found, &origin->source);
		session = session_table_find(control->table, id);
	}
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct session changed = *session;
	size_t n = session->naddresses;
	if (n) /* by its MAC alone it has none */
		memcpy(addresses, session->addresses, n * sizeof(*addresses));
	if (n == SESSION_ADDRESSES_MAX && !give_up_oldest(sessions, addresses, &n))
		return;
	addresses[n++] = (struct session_address){
		.prefix = prefix_of(&origin->source), .learned = true, .seen_ms = now_ms};
	changed.addresses = addresses;
	changed.naddresses = n;
	control->counters[COUNTER_ADDRESSES_LEARNED] += put_and_tell(sessions, &changed);
}

/* Sessions of one zone that went with it, or came back with it. */
struct moved_zone {
	char name[POLICY_NAME_SIZE];
	size_t n;
	bool back;
};

struct moving {
	struct sessions *sessions;
	struct gather *gather;
	struct moved_zone *zones;
	size_t n;
};

static void count_moved(struct moving *moving, const struct session *session, bool back)
{
	size_t at = 0;
	while (at < moving->n && strcmp(moving->zones[at].name, session->zone.text) != 0)
		at++;
	if (at == moving->n) {
		struct moved_zone *zones = realloc(moving->zones, (at + 1) * sizeof(*zones));
		if (!zones)
			return; /* nobody hears of it, but it is done */
		moving->zones = zones;
		zones[moving->n++] = (struct moved_zone){.back = back};
		snprintf(zones[at].name, sizeof(zones[at].name), "%s", session->zone.text);
	}
	moving->zones[at].n++;
}

/* Only its times change: the table that is walked stays as it is. */
static int follow(void *context, struct session *session)
{
	struct moving *moving = context;
	struct sessions *sessions = moving->sessions;
	struct control *control = sessions->control;
	bool has_zone = policy_find_zone(control->policy, session->zone.text) >= 0;
	uint64_t now_ms = clock_now_ms(control);
	if (session->kind != SESSION_PORTAL || has_zone == (session->aside_until_ms == 0))
		return 0;
	if (!has_zone)
		sessions_kill_flows(sessions, session, ENDING_KILLED_POLICY);
	session->aside_until_ms = has_zone ? 0 : now_ms + ASIDE_MS;
	session->active_ms = now_ms; /* idle is who could have done something */
	session_table_touch(control->table, session);
	session_delta_send(control, session);
	durable_put_session(control, session, moving->gather);
	publish(control, has_zone ? "back" : "aside", session);
	count_moved(moving, session, has_zone);
	return 0;
}

char *sessions_follow_policy(struct sessions *sessions, struct gather *gather)
{
	struct moving moving = {.sessions = sessions, .gather = gather};
	char *text = NULL;
	size_t len;
	session_table_each(sessions->control->table, follow, &moving);
	FILE *out = moving.n ? open_memstream(&text, &len) : NULL;
	for (size_t i = 0; i < moving.n; i++) {
		char line[256];
		const struct moved_zone *zone = &moving.zones[i];
		const char *s = zone->n == 1 ? "" : "s";
		if (zone->back)
			snprintf(line, sizeof(line), "zone %s is back, and %zu session%s with it",
				zone->name, zone->n, s);
		else
			snprintf(line, sizeof(line),
				"zone %s is gone: %zu session%s set aside, to come back with it "
				"within a day",
				zone->name, zone->n, s);
		log_event(POLICY_LOG_WARNING, LOG_ID_NONE, LOG_FIELDS({LOG_FIELD_ZONE, zone->name}),
			"%s", line);
		if (out)
			fprintf(out, "%s\n", line);
	}
	if (out)
		fclose(out);
	free(moving.zones);
	sessions_arm(sessions);
	return text;
}

size_t sessions_in_force(const struct control *control)
{
	size_t n = 0;
	for (size_t i = 0; i < control->policy->nzones; i++)
		n += session_table_count_zone(control->table, control->policy->zones[i].name.text);
	return n;
}
