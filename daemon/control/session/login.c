/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/login.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/neighbour.h"
#include "daemon/control/peers/session_delta.h"
#include "daemon/control/session/rivals.h"
#include "daemon/control/session/sessions.h"
#include "daemon/control/session/source_watch.h"
#include "daemon/control/store/durable.h"
#include "lib/base/hash.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One login under way. The table is changed at once, so that logins that wait for the disk at the
 * same time see each other; if the disk fails, what was before is put back. */
struct login {
	struct gather gather; /* first */
	struct control *control;
	struct addr asked; /* of the neighbour table */
	struct login_order order;
	login_done *done;
	void *context;
	enum login_outcome outcome;
	uint64_t session;
	bool over_limit;
	struct rivals rivals; /* with the renewed session as it was */
	char why_not[IPC_TEXT_SIZE];
};

static void finish(struct login *login, enum login_outcome outcome, const char *text)
{
	struct control *control = login->control;
	static const enum counter counters[] = {
		[LOGIN_NEW] = COUNTER_LOGINS,
		[LOGIN_RENEWED] = COUNTER_LOGINS_RENEWED,
		[LOGIN_REPLACED] = COUNTER_LOGINS_REPLACED,
		[LOGIN_REFUSED] = COUNTER_LOGINS_REFUSED,
		[LOGIN_OVER_LIMIT] = COUNTER_LOGINS_REFUSED,
	};
	control->counters[counters[outcome]]++;
	if (outcome >= LOGIN_REFUSED)
		log_event(POLICY_LOG_INFO, LOG_ID_LOGIN_REFUSED,
			LOG_FIELDS({LOG_FIELD_USER, login->order.user},
				{LOG_FIELD_ZONE, login->order.zone}, {LOG_FIELD_DETAIL, text}),
			"login of user %s in zone %s refused: %s", log_person(login->order.user),
			login->order.zone, log_person(text));
	login->done(login->context, outcome, outcome >= LOGIN_REFUSED ? 0 : login->session, text);
	rivals_fini(&login->rivals);
	free(login);
}

static void __attribute__((format(printf, 2, 3)))
refuse(struct login *login, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	finish(login, login->over_limit ? LOGIN_OVER_LIMIT : LOGIN_REFUSED, text);
}

static void on_undone(struct gather *gather)
{
	struct login *login = (struct login *)gather;
	if (gather->status)
		log_warning(
			"what was before a login that is refused is not stored: %s", gather->text);
	refuse(login, "the session cannot be put in force: %s", login->why_not);
}

/* What was before is put back, here and in the relays; and on the disk, since it may have been
 * another part that failed: there before the refusal is said, which a crash does not turn. */
static void undo(struct login *login)
{
	struct control *control = login->control;
	struct session *now = session_table_find(control->table, login->session);

	gather_init(&login->gather, on_undone);
	if (now)
		entries_drop_session(control->entries, now->id);
	if (login->rivals.same) {
		sessions_put_back(control->sessions, login->rivals.same, &login->gather);
	} else if (now) {
		session_table_del(control->table, login->session);
		session_delta_send_gone(control, login->session);
		durable_del_session(control, login->session, &login->gather);
	}
	rivals_put_back(control, &login->rivals, &login->gather);
	entries_send(control->entries, &login->gather);
	sessions_arm(control->sessions);
	gather_end(&login->gather, 0, NULL);
}

static void on_effective(struct gather *gather)
{
	struct login *login = (struct login *)gather;
	struct control *control = login->control;
	if (gather->status) {
		memcpy(login->why_not, gather->text, sizeof(login->why_not));
		undo(login);
		return;
	}
	rivals_kill_flows(control, &login->rivals);
	finish(login, login->outcome, "");
}

static struct policy_string string_of(const char *text)
{
	size_t len = strlen(text);
	return (struct policy_string){
		.text = text, .len = (uint32_t)len, .hash = hash_bytes(text, len)};
}

static void put_in_force(
	struct login *login, const struct policy_zone *zone, const struct session *wanted)
{
	struct control *control = login->control;
	const struct login_order *order = &login->order;
	uint64_t now_ms = clock_now_ms(control);
	uint64_t lease_ms = order->lease_given ? order->lease_ms : zone->lease_s * 1000ull;
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	const struct session *old = login->rivals.same;
	struct session session = *wanted;

	login->session = old ? old->id : sessions_new_id(control->sessions);
	session.id = login->session;
	session.started_ms = old ? old->started_ms : now_ms;
	if (old)
		memcpy(session.ifname, old->ifname, sizeof(session.ifname));
	memcpy(session.terms, old && !*order->terms ? old->terms : order->terms,
		sizeof(session.terms));
	/* programs log in for each news of a client; at a login page he showed who he is */
	const bool goes_on = old && old->source != SESSION_SOURCE_RADIUS &&
			     order->source != SESSION_SOURCE_PORTAL;
	session.hard_end_ms = sessions_hard_end(zone, goes_on ? old : NULL, now_ms);
	session.lease_end_ms = sessions_lease_end(now_ms, lease_ms, session.hard_end_ms);
	session.active_ms = now_ms;
	session.addresses = addresses;
	session.naddresses = sessions_merge_addresses(wanted, old, now_ms, addresses);
	if (old && !mac_is_set(&session.mac))
		session.mac = old->mac;
	if (old)
		source_tell_taken(control, old);

	gather_init(&login->gather, on_effective);
	int error = rivals_move(control, wanted, &login->rivals, &login->gather);
	if (!error)
		error = sessions_put(control->sessions, &session, &login->gather);
	gather_end(&login->gather, error, NULL);
}

static void decide_of(
	struct login *login, const struct policy_zone *zone, const struct session *wanted)
{
	struct control *control = login->control;
	uint32_t most;
	int error = rivals_find(control, zone, wanted, &login->rivals);

	if (!error)
		error = rivals_limit(control, zone, wanted, &login->rivals, &most);
	if (error == -EDQUOT) {
		login->over_limit = true;
		control->counters[COUNTER_LOGINS_OVER_LIMIT]++;
		refuse(login,
			"user %s has %u session%s in zone %s already, and no more are allowed",
			login->order.user, (unsigned)most, most == 1 ? "" : "s", login->order.zone);
		return;
	}
	if (error) {
		refuse(login, "out of memory");
		return;
	}
	login->outcome = login->rivals.same           ? LOGIN_RENEWED
			 : rivals_end(&login->rivals) ? LOGIN_REPLACED
						      : LOGIN_NEW;
	put_in_force(login, zone, wanted);
}

static void decide(struct login *login)
{
	struct control *control = login->control;
	const struct login_order *order = &login->order;
	ptrdiff_t index = policy_find_zone(control->policy, order->zone);
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct policy_string groups[SESSION_GROUPS_MAX];

	if (index < 0) {
		refuse(login, "zone %s is gone", order->zone);
		return;
	}
	const struct policy_zone *zone = &control->policy->zones[index];
	struct session wanted = {.kind = SESSION_PORTAL,
		.zone = string_of(order->zone),
		.user = string_of(order->user),
		.groups = groups,
		.ngroups = order->ngroups,
		.mac = order->mac,
		.addresses = addresses,
		.naddresses = order->naddresses,
		.idle_s = order->idle_given ? (uint32_t)(order->idle_ms / 1000) : zone->idle_s,
		.source = order->source,
		.via = string_of(order->via)};
	for (size_t i = 0; i < order->ngroups; i++)
		groups[i] = string_of(order->groups[i]);
	for (size_t i = 0; i < order->naddresses; i++)
		addresses[i] = (struct session_address){.prefix = order->addresses[i]};
	decide_of(login, zone, &wanted);
}

static void on_neighbour(void *context, const struct neighbour *found)
{
	struct login *login = context;
	char address[ADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE], other[MAC_TEXT_SIZE];
	addr_format(&login->asked, address);
	if (mac_is_set(&found->other_mac)) {
		refuse(login,
			"%s is a neighbour on %s with MAC %s and on %s with MAC %s; give the mac",
			address, found->ifname, mac_format(&found->mac, mac), found->other_ifname,
			mac_format(&found->other_mac, other));
	} else if (found->failed) {
		refuse(login, "the neighbour table could not be asked; give the mac");
	} else if (!mac_is_set(&found->mac)) {
		refuse(login,
			"%s is not in the neighbour table of an interface of zone %s, so its MAC "
			"is not known; give the mac",
			address, login->order.zone);
	} else {
		login->order.mac = found->mac;
		decide(login);
	}
}

static bool in_networks(const struct policy_zone *zone, const struct prefix *prefix)
{
	for (size_t i = 0; i < zone->networks.n; i++)
		if (zone->networks.v[i].len <= prefix->len &&
			prefix_contains(&zone->networks.v[i], &prefix->addr))
			return true;
	return zone->networks.n == 0;
}

static bool check_order(struct login *login, const struct policy_zone *zone)
{
	const struct login_order *order = &login->order;
	char text[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < order->naddresses; i++) {
		const struct prefix *prefix = &order->addresses[i];
		prefix_format(prefix, text);
		/* one login for everybody, or for nobody */
		if (prefix->len == 0 || addr_is_unspecified(&prefix->addr) ||
			addr_is_multicast(&prefix->addr) || addr_is_loopback(&prefix->addr)) {
			refuse(login, "%s cannot be a client's address", text);
			return false;
		}
		if (in_networks(zone, prefix))
			continue;
		refuse(login, "%s is not in a network of zone %s", text, order->zone);
		return false;
	}
	if (!order->naddresses && zone->identity != POLICY_IDENTITY_MAC) {
		refuse(login, "zone %s knows its clients by address: give the address",
			order->zone);
		return false;
	}
	if (order->mac.bytes[0] & 1) {
		refuse(login, "a group's MAC is no client's");
		return false;
	}
	if (!order->naddresses && !mac_is_set(&order->mac)) {
		refuse(login, "give the client's address or mac");
		return false;
	}
	return true;
}

void login_begin(
	struct control *control, const struct login_order *order, login_done *done, void *context)
{
	struct login *login = calloc(1, sizeof(*login));
	if (!login) {
		done(context, LOGIN_REFUSED, 0, "out of memory");
		return;
	}
	login->control = control;
	login->order = *order;
	login->done = done;
	login->context = context;
	ptrdiff_t index = policy_find_zone(control->policy, order->zone);
	const struct policy_zone *zone = index < 0 ? NULL : &control->policy->zones[index];
	if (!zone) {
		char text[LANGUAGE_NO_SUCH_SIZE];
		language_no_such_text(
			control->policy, POLICY_KIND_ZONE, order->zone, strlen(order->zone), text);
		refuse(login, "%s", text);
		return;
	}
	if (!check_order(login, zone))
		return;
	if (zone->identity != POLICY_IDENTITY_ADDRESS && !mac_is_set(&order->mac)) {
		for (size_t i = 0; i < order->naddresses; i++) {
			const struct prefix *prefix = &order->addresses[i];
			if (prefix->len == addr_bits(&prefix->addr)) {
				login->asked = prefix->addr;
				neighbour_ask(control, index, &login->asked, on_neighbour, login);
				return;
			}
		}
	}
	decide(login);
}

void login_renew(struct control *control, uint64_t id, bool lease_given, uint64_t lease_ms,
	login_done *done, void *context)
{
	struct session *old = session_table_find(control->table, id);
	struct login *login = calloc(1, sizeof(*login));
	if (!login || !old) {
		free(login);
		done(context, LOGIN_REFUSED, 0, old ? "out of memory" : "the session is over");
		return;
	}
	if (old->aside_until_ms) {
		free(login);
		done(context, LOGIN_REFUSED, 0, "the session is set aside, as its zone is gone");
		return;
	}
	login->control = control;
	login->done = done;
	login->context = context;
	login->outcome = LOGIN_RENEWED;
	login->session = id;
	login->rivals.same = sessions_copy(old);
	if (!login->rivals.same) {
		refuse(login, "out of memory");
		return;
	}
	ptrdiff_t zone = policy_find_zone(control->policy, old->zone.text);
	const struct policy_zone *in = zone < 0 ? NULL : &control->policy->zones[zone];
	uint64_t now_ms = clock_now_ms(control);
	if (!lease_given)
		lease_ms = in ? in->lease_s * 1000ull : 0;
	struct session changed = *login->rivals.same;
	if (in)
		changed.hard_end_ms = sessions_hard_end(in, &changed, now_ms);
	changed.lease_end_ms = sessions_lease_end(now_ms, lease_ms, changed.hard_end_ms);
	changed.active_ms = now_ms;
	gather_init(&login->gather, on_effective);
	int error = sessions_put(control->sessions, &changed, &login->gather);
	gather_end(&login->gather, error, NULL);
}
