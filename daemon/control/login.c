#include "daemon/control/login.h"

#include "daemon/control/control.h"
#include "daemon/control/durable.h"
#include "daemon/control/entries.h"
#include "daemon/log.h"
#include "daemon/control/peers.h"
#include "daemon/control/sessions.h"
#include "lib/language.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One login under way. The table is changed at once, so that logins that wait for the disk at the
 * same time see each other; if the disk fails, what was before is put back. */
struct login {
	struct gather gather; /* first */
	struct ask ask;
	struct control *control;
	struct login_order order;
	login_done *done;
	void *context;
	enum login_outcome outcome;
	uint64_t session;
	struct session *before;   /* the renewed session as it was; NULL: none */
	struct session *replaced; /* another user's, which ends; NULL: none */
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
	free(login->before);
	free(login->replaced);
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

/* What was before is put back, here and in the relays; and on the disk, since it may have been
 * another part that failed. */
static void undo(struct login *login)
{
	struct control *control = login->control;
	struct session *now = session_table_find(control->table, login->session);
	if (now)
		entries_drop_session(control->entries, now->id);
	if (login->before) {
		sessions_put_back(control->sessions, login->before);
	} else if (now) {
		session_table_del(control->table, login->session);
		peers_send_session_gone(control->peers, login->session);
		durable_del_session(control, login->session, NULL);
	}
	if (login->replaced)
		sessions_put_back(control->sessions, login->replaced);
	entries_send(control->entries, NULL);
	sessions_arm(control->sessions);
}

static void on_effective(struct gather *gather)
{
	struct login *login = (struct login *)gather;
	struct control *control = login->control;
	if (gather->status) {
		char text[MESSAGE_TEXT_SIZE];
		snprintf(text, sizeof(text), "%s", gather->text);
		undo(login);
		refuse(login, "the session cannot be put in force: %s", text);
		return;
	}
	if (login->replaced)
		sessions_kill_flows(control->sessions, login->replaced, ENDING_KILLED_REPLACED);
	finish(login, login->outcome, "");
}

/* The session that this login is about, or that is in its way. */
struct search {
	const struct login *login;
	const struct policy_zone *zone;
	struct session *found;
};

static bool same_client(const struct search *search, const struct session *session)
{
	const struct login_order *order = &search->login->order;
	bool by_mac = search->zone->identity != POLICY_IDENTITY_ADDRESS;
	if (session->kind != SESSION_PORTAL || strcmp(session->zone.text, order->zone) != 0)
		return false;
	if (by_mac && mac_is_set(&order->mac))
		return mac_equal(&session->mac, &order->mac);
	if (by_mac && mac_is_set(&session->mac))
		return false;
	for (size_t i = 0; i < session->naddresses; i++)
		for (size_t j = 0; j < order->naddresses; j++)
			if (addr_equal(&session->addresses[i].prefix.addr,
				    &order->addresses[j].addr) &&
				session->addresses[i].prefix.len == order->addresses[j].len)
				return true;
	return false;
}

static int find_client(void *context, struct session *session)
{
	struct search *search = context;
	if (!same_client(search, session))
		return 0;
	search->found = session;
	return strcmp(session->user.text, search->login->order.user) == 0;
}

/* The same user's session if there is one, else another's. */
static struct session *find_session(const struct login *login, const struct policy_zone *zone)
{
	struct search search = {.login = login, .zone = zone};
	const struct session_table *table = login->control->table;
	if (zone->identity != POLICY_IDENTITY_ADDRESS && mac_is_set(&login->order.mac)) {
		session_table_each_mac(table, &login->order.mac, find_client, &search);
		return search.found;
	}
	for (size_t i = 0; i < login->order.naddresses; i++)
		if (session_table_each_address(
			    table, &login->order.addresses[i].addr, find_client, &search))
			break;
	return search.found;
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

static void put_in_force(struct login *login, const struct policy_zone *zone, struct session *old)
{
	struct control *control = login->control;
	const struct login_order *order = &login->order;
	uint64_t now_ms = loop_wall_ms(control->loop);
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct policy_string groups[SESSION_GROUPS_MAX];
	bool renews = login->outcome == LOGIN_RENEWED;
	uint64_t lease_ms = order->lease_given ? order->lease_ms : zone->lease_s * 1000ull;

	login->session = renews ? old->id : sessions_new_id(control->sessions);
	struct session session = {.id = login->session,
		.kind = SESSION_PORTAL,
		.zone = string_of(order->zone),
		.user = string_of(order->user),
		.groups = groups,
		.ngroups = order->ngroups,
		.mac = order->mac,
		.addresses = addresses,
		.started_ms = renews ? old->started_ms : now_ms,
		.lease_end_ms = lease_ms ? now_ms + lease_ms : 0,
		.idle_s = order->idle_given ? (uint32_t)(order->idle_ms / 1000) : zone->idle_s,
		.active_ms = now_ms};
	for (size_t i = 0; i < order->ngroups; i++)
		groups[i] = string_of(order->groups[i]);
	session.naddresses = merge_addresses(order, renews ? old : NULL, now_ms, addresses);
	if (renews && !mac_is_set(&session.mac))
		session.mac = old->mac;

	gather_init(&login->gather, on_effective);
	if (login->outcome == LOGIN_REPLACED)
		sessions_del(control->sessions, old, ENDING_KILLED_REPLACED, &login->gather);
	int error = sessions_put(control->sessions, &session, &login->gather);
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
	struct session *old = find_session(login, zone);
	if (old && strcmp(old->user.text, login->order.user) == 0) {
		login->outcome = LOGIN_RENEWED;
		login->before = sessions_copy(old);
	} else if (over_limit(login, zone, &limit)) {
		control->counters[COUNTER_LOGINS_OVER_LIMIT]++;
		refuse(login, "user %s has %u sessions in zone %s already, and no more are allowed",
			login->order.user, (unsigned)limit, login->order.zone);
		return;
	} else if (old) {
		login->outcome = LOGIN_REPLACED;
		login->replaced = sessions_copy(old);
	}
	if (old && !login->before && !login->replaced) {
		refuse(login, "out of memory");
		return;
	}
	put_in_force(login, zone, old);
}

static void on_neighbour(struct ask *ask, const struct message_header *message)
{
	struct login *login = (struct login *)((char *)ask - offsetof(struct login, ask));
	const struct message_neighbour *answer = (const struct message_neighbour *)message;
	char text[ADDR_TEXT_SIZE];
	if (!message || message->type != MESSAGE_NEIGHBOUR) {
		refuse(login, "the neighbour table could not be asked; give the mac");
		return;
	}
	addr_format(&answer->addr, text);
	if (!mac_is_set(&answer->mac)) {
		refuse(login,
			"%s is not in the neighbour table, so its MAC is not known; give the mac",
			text);
		return;
	}
	ptrdiff_t zone = policy_find_zone_of(login->control->policy, answer->ifname, &answer->addr);
	if (zone < 0 || strcmp(login->control->policy->zones[zone].name.text, login->order.zone)) {
		refuse(login, "%s is a neighbour on interface %s, which is not in zone %s", text,
			answer->ifname, login->order.zone);
		return;
	}
	login->order.mac = answer->mac;
	decide(login);
}

static void ask_neighbour(struct login *login, const struct addr *addr)
{
	struct message_neighbour question;
	message_init(&question, MESSAGE_NEIGHBOUR_GET, sizeof(question));
	question.addr = *addr;
	login->ask.on_answer = on_neighbour;
	ask_send(&login->control->keeper_asks, &login->ask, &question, -1);
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
				ask_neighbour(login, &prefix->addr);
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
	uint64_t now_ms = loop_wall_ms(control->loop);
	if (!lease_given)
		lease_ms = zone < 0 ? 0 : control->policy->zones[zone].lease_s * 1000ull;
	struct session changed = *login->before;
	changed.lease_end_ms = lease_ms ? now_ms + lease_ms : 0;
	changed.active_ms = now_ms;
	gather_init(&login->gather, on_effective);
	int error = sessions_put(control->sessions, &changed, &login->gather);
	gather_end(&login->gather, error, NULL);
}
