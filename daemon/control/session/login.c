/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/login.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/neighbour.h"
#include "daemon/control/peers/session_delta.h"
#include "daemon/control/session/sessions.h"
#include "daemon/control/store/durable.h"
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
	struct session *before; /* the renewed session as it was; NULL: none */
	/* Sessions that were in the way, as they were. */
	struct in_the_way {
		struct session *was;
		bool ends; /* else it only loses the addresses that are given here */
	} * others;
	size_t nothers;
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
	};
	control->counters[counters[outcome]]++;
	if (outcome == LOGIN_REFUSED)
		log_event(POLICY_LOG_INFO, LOG_ID_LOGIN_REFUSED,
			LOG_FIELDS({LOG_FIELD_USER, login->order.user},
				{LOG_FIELD_ZONE, login->order.zone}, {LOG_FIELD_DETAIL, text}),
			"login of user %s in zone %s refused: %s", log_person(login->order.user),
			login->order.zone, log_person(text));
	login->done(login->context, outcome, outcome == LOGIN_REFUSED ? 0 : login->session, text);
	for (size_t i = 0; i < login->nothers; i++)
		free(login->others[i].was);
	free(login->others);
	free(login->before);
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
	finish(login, LOGIN_REFUSED, text);
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
	if (login->before) {
		sessions_put_back(control->sessions, login->before, &login->gather);
	} else if (now) {
		session_table_del(control->table, login->session);
		session_delta_send_gone(control, login->session);
		durable_del_session(control, login->session, &login->gather);
	}
	for (size_t i = 0; i < login->nothers; i++)
		sessions_put_back(control->sessions, login->others[i].was, &login->gather);
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
	for (size_t i = 0; i < login->nothers; i++)
		if (login->others[i].ends)
			sessions_kill_flows(
				control->sessions, login->others[i].was, ENDING_KILLED_REPLACED);
	finish(login, login->outcome, "");
}

/* What a session is to a login. */
enum relation {
	NOTHING,
	CLIENT,  /* of the same client */
	ADDRESS, /* of another MAC, which no longer has a given address */
};

static bool is_given(const struct login_order *order, const struct session_address *address)
{
	if (address->learned)
		return false;
	for (size_t i = 0; i < order->naddresses; i++)
		if (prefix_equal(&order->addresses[i], &address->prefix))
			return true;
	return false;
}

static bool holds_given(const struct login_order *order, const struct session *session)
{
	for (size_t i = 0; i < session->naddresses; i++)
		if (is_given(order, &session->addresses[i]))
			return true;
	return false;
}

/* A session whose zone is gone would come back with it, to a machine that is another user's now. */
static bool is_set_aside_here(const struct login_order *order, const struct session *session)
{
	bool same_mac = mac_is_set(&order->mac) && mac_equal(&session->mac, &order->mac);

	return session->aside_until_ms && strcmp(session->user.text, order->user) != 0 &&
	       (same_mac || holds_given(order, session));
}

static enum relation relation_of(const struct login_order *order, const struct policy_zone *zone,
	const struct session *session)
{
	if (session->kind != SESSION_PORTAL)
		return NOTHING;
	if (strcmp(session->zone.text, order->zone) != 0)
		return is_set_aside_here(order, session) ? CLIENT : NOTHING;
	if (zone->identity == POLICY_IDENTITY_ADDRESS || !mac_is_set(&session->mac))
		return holds_given(order, session) ? CLIENT : NOTHING;
	if (!mac_is_set(&order->mac)) /* a network: who in it has a MAC of his own keeps his */
		return NOTHING;
	if (mac_equal(&session->mac, &order->mac))
		return CLIENT;
	return holds_given(order, session) ? ADDRESS : NOTHING;
}

struct search {
	struct login *login;
	const struct policy_zone *zone;
};

/* Copies, as the table changes later. */
static int find_related(void *context, struct session *session)
{
	struct search *search = context;
	struct login *login = search->login;
	enum relation relation = relation_of(&login->order, search->zone, session);
	bool renews = relation == CLIENT && !login->before &&
		      strcmp(session->user.text, login->order.user) == 0;

	if (relation == NOTHING || (login->before && login->before->id == session->id))
		return 0;
	for (size_t i = 0; i < login->nothers; i++)
		if (login->others[i].was->id == session->id)
			return 0; /* met by another of its addresses */
	struct session *was = sessions_copy(session);
	if (!was)
		return -ENOMEM;
	if (renews) {
		login->before = was;
		return 0;
	}
	struct in_the_way *others =
		realloc(login->others, (login->nothers + 1) * sizeof(*login->others));
	if (!others) {
		free(was);
		return -ENOMEM;
	}
	login->others = others;
	others[login->nothers++] = (struct in_the_way){.was = was,
		.ends = relation == CLIENT || search->zone->identity != POLICY_IDENTITY_MAC};
	return 0;
}

/* The session that is renewed, by its MAC rather than by an address, and all in the way of it. */
static int find_all_related(struct login *login, const struct policy_zone *zone)
{
	const struct session_table *table = login->control->table;
	struct search search = {.login = login, .zone = zone};
	int error = 0;
	if (zone->identity != POLICY_IDENTITY_ADDRESS && mac_is_set(&login->order.mac))
		error = session_table_each_mac(table, &login->order.mac, find_related, &search);
	for (size_t i = 0; !error && i < login->order.naddresses; i++)
		error = session_table_each_address(
			table, &login->order.addresses[i].addr, find_related, &search);
	return error;
}

static bool replaces(const struct login *login)
{
	for (size_t i = 0; i < login->nothers; i++)
		if (login->others[i].ends)
			return true;
	return false;
}

static bool over_limit(const struct login *login, const struct policy_zone *zone, uint32_t *limit)
{
	size_t have = session_table_count_user(
		login->control->table, login->order.zone, login->order.user);
	for (size_t i = 0; i < zone->limits.n; i++) {
		if (zone->limits.v[i].kind == POLICY_LIMIT_SESSIONS &&
			have >= zone->limits.v[i].count) {
			*limit = zone->limits.v[i].count;
			return true;
		}
	}
	return false;
}

static struct policy_string string_of(const char *text)
{
	size_t len = strlen(text);
	return (struct policy_string){
		.text = text, .len = (uint32_t)len, .hash = policy_hash(text, len)};
}

/* Given addresses in place of those given before; learned ones stay while there is room. */
static size_t merge_addresses(const struct login_order *order, const struct session *old,
	uint64_t now_ms, struct session_address addresses[static SESSION_ADDRESSES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < order->naddresses; i++)
		addresses[n++] =
			(struct session_address){.prefix = order->addresses[i], .seen_ms = now_ms};
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

/* The session without the addresses that are another's from now on. */
static int take_addresses(struct login *login, const struct session *was, struct gather *gather)
{
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct session changed = *was;
	size_t n = 0;
	for (size_t i = 0; i < was->naddresses; i++)
		if (!is_given(&login->order, &was->addresses[i]))
			addresses[n++] = was->addresses[i];
	changed.addresses = addresses;
	changed.naddresses = n;
	return sessions_put(login->control->sessions, &changed, gather);
}

/* 0 or -ENOMEM. */
static int move_out_of_the_way(struct login *login)
{
	struct control *control = login->control;
	int error = 0;
	for (size_t i = 0; !error && i < login->nothers; i++) {
		const struct in_the_way *other = &login->others[i];
		if (other->ends)
			sessions_del(control->sessions, other->was, ENDING_KILLED_REPLACED,
				&login->gather);
		else
			error = take_addresses(login, other->was, &login->gather);
	}
	return error;
}

static void put_in_force(struct login *login, const struct policy_zone *zone)
{
	struct control *control = login->control;
	const struct login_order *order = &login->order;
	uint64_t now_ms = clock_now_ms(control);
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct policy_string groups[SESSION_GROUPS_MAX];
	const struct session *old = login->before;
	uint64_t lease_ms = order->lease_given ? order->lease_ms : zone->lease_s * 1000ull;

	login->session = old ? old->id : sessions_new_id(control->sessions);
	struct session session = {.id = login->session,
		.kind = SESSION_PORTAL,
		.zone = string_of(order->zone),
		.user = string_of(order->user),
		.groups = groups,
		.ngroups = order->ngroups,
		.mac = order->mac,
		.addresses = addresses,
		.started_ms = old ? old->started_ms : now_ms,
		.lease_end_ms = lease_ms ? now_ms + lease_ms : 0,
		.idle_s = order->idle_given ? (uint32_t)(order->idle_ms / 1000) : zone->idle_s,
		.active_ms = now_ms};
	for (size_t i = 0; i < order->ngroups; i++)
		groups[i] = string_of(order->groups[i]);
	session.naddresses = merge_addresses(order, old, now_ms, addresses);
	if (old && !mac_is_set(&session.mac))
		session.mac = old->mac;

	gather_init(&login->gather, on_effective);
	int error = move_out_of_the_way(login);
	if (!error)
		error = sessions_put(control->sessions, &session, &login->gather);
	gather_end(&login->gather, error, NULL);
}

static void decide(struct login *login)
{
	struct control *control = login->control;
	ptrdiff_t index = policy_find_zone(control->policy, login->order.zone);
	uint32_t limit;
	if (index < 0) {
		refuse(login, "zone %s is gone", login->order.zone);
		return;
	}
	const struct policy_zone *zone = &control->policy->zones[index];
	if (find_all_related(login, zone)) {
		refuse(login, "out of memory");
		return;
	}
	if (!login->before && over_limit(login, zone, &limit)) {
		control->counters[COUNTER_LOGINS_OVER_LIMIT]++;
		refuse(login, "user %s has %u sessions in zone %s already, and no more are allowed",
			login->order.user, (unsigned)limit, login->order.zone);
		return;
	}
	login->outcome = login->before     ? LOGIN_RENEWED
			 : replaces(login) ? LOGIN_REPLACED
					   : LOGIN_NEW;
	put_in_force(login, zone);
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
	login->before = sessions_copy(old);
	if (!login->before) {
		refuse(login, "out of memory");
		return;
	}
	ptrdiff_t zone = policy_find_zone(control->policy, old->zone.text);
	uint64_t now_ms = clock_now_ms(control);
	if (!lease_given)
		lease_ms = zone < 0 ? 0 : control->policy->zones[zone].lease_s * 1000ull;
	struct session changed = *login->before;
	changed.lease_end_ms = lease_ms ? now_ms + lease_ms : 0;
	changed.active_ms = now_ms;
	gather_init(&login->gather, on_effective);
	int error = sessions_put(control->sessions, &changed, &login->gather);
	gather_end(&login->gather, error, NULL);
}
