/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/portal/orders.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/auth_peer.h"
#include "daemon/control/peers/peer.h"
#include "daemon/control/portal/asker.h"
#include "daemon/control/portal/mails.h"
#include "daemon/control/portal/record.h"
#include "daemon/control/session/login.h"
#include "daemon/control/session/sessions.h"
#include "lib/policy/level.h"
#include "lib/portal/tries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whose it is ---- */

/* The portal, if clients of that zone log in there; else NULL. */
static const struct policy_portal *portal_of(
	const struct policy *policy, const char *name, const char *zone)
{
	ptrdiff_t index = policy_find_zone(policy, zone);
	const struct policy_portal *portal =
		index < 0 ? NULL : policy_portal_of_zone(policy, (size_t)index);

	return portal && strcmp(portal->name.text, name) == 0 ? portal : NULL;
}

/* Who is logged in there, as a flow of his would be; NULL: nobody. */
static struct session *session_of(const struct control *control, const struct portal_client *client)
{
	ptrdiff_t zone = policy_find_zone(control->policy, client->zone);
	struct session *session = zone < 0 ? NULL
					   : session_table_identify(control->table, client->zone,
						     control->policy->zones[zone].identity,
						     &client->mac, &client->address);

	if (!session || session->aside_until_ms ||
		(session->lease_end_ms && session->lease_end_ms <= clock_now_ms(control)))
		return NULL;
	return session;
}

/* A session that a client may change; NULL: he has none, or it is not that portal's to say, which
 * is answered. */
static struct session *find(struct peer *web, const struct ipc_portal_client *ipc)
{
	const struct control *control = web->control;
	const struct portal_asker asker = portal_asker_of(web, &ipc->header);

	if (!portal_of(control->policy, ipc->portal, ipc->client.zone)) {
		portal_reply(&asker, -EPERM, "the zone is not that portal's");
		return NULL;
	}
	struct session *session = session_of(control, &ipc->client);
	if (!session || session->kind != SESSION_PORTAL) {
		portal_reply(&asker, -ENOENT, "nobody is logged in there");
		return NULL;
	}
	return session;
}

/* ---- login ---- */

struct entry {
	struct portal_asker asker;
	struct portal_client client;
	char portal[POLICY_NAME_SIZE];
	struct login_order order;
};

static void log_entry(const struct entry *entry, const char *word)
{
	char address[ADDR_TEXT_SIZE];

	log_info("portal %s: %s %s in zone %s from %s%s%s", entry->portal,
		log_person(entry->order.user), word, entry->order.zone,
		log_person(addr_format(&entry->client.address, address)),
		entry->order.terms[0] ? ", who accepted terms " : "", entry->order.terms);
}

static void on_login(void *context, enum login_outcome outcome, uint64_t session, const char *text)
{
	static const char *const words[] = {[LOGIN_NEW] = "logged in",
		[LOGIN_RENEWED] = "logged in again",
		[LOGIN_REPLACED] = "logged in in the place of another"};
	struct entry *entry = context;
	struct control *control = entry->asker.web->control;

	if (outcome >= LOGIN_REFUSED) {
		record_login(control, &entry->order,
			outcome == LOGIN_OVER_LIMIT ? LOGIN_ENDING_OVER_LIMIT : LOGIN_ENDING_FAILED,
			0, text);
		portal_reply(&entry->asker, outcome == LOGIN_OVER_LIMIT ? -EDQUOT : -EIO, text);
	} else {
		record_login(control, &entry->order, LOGIN_ENDING_PASSED, session,
			outcome == LOGIN_NEW ? "" : words[outcome]);
		log_entry(entry, words[outcome]);
		portal_reply(&entry->asker, 0, "");
	}
	free(entry);
}

/* False: auth said something that is nobody. */
static bool take_user(struct login_order *order, const struct ipc_portal_login *ipc)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session who;
	bool good = storage && session_decode(ipc->session, ipc->session_bytes, &who, storage) ==
				       ipc->session_bytes;

	good = good && who.kind == SESSION_AUTH && who.user.len > 0 &&
	       who.user.len < sizeof(order->user) && who.ngroups <= SESSION_GROUPS_MAX;
	for (size_t i = 0; good && i < who.ngroups; i++) {
		good = who.groups[i].len < sizeof(order->groups[i]);
		if (good)
			memcpy(order->groups[i], who.groups[i].text, who.groups[i].len + 1);
	}
	if (good) {
		memcpy(order->user, who.user.text, who.user.len + 1);
		order->ngroups = who.ngroups;
		order->groups_given = true;
	}
	free(storage);
	return good;
}

/* What the same device was given by its address of the other version. Of its own version it has no
 * other: what it had before may be another guest's by now. */
static int take_along(void *context, struct session *session)
{
	struct login_order *order = context;
	const uint8_t own = order->addresses[0].addr.family;

	if (session->kind != SESSION_PORTAL || session->source != SESSION_SOURCE_PORTAL ||
		strcmp(session->zone.text, order->zone) != 0 ||
		strcmp(session->user.text, order->user) != 0)
		return 0;
	for (size_t i = 0; i < session->naddresses; i++) {
		const struct session_address *address = &session->addresses[i];
		if (!address->learned && address->prefix.addr.family != own &&
			order->naddresses < SESSION_ADDRESSES_MAX)
			order->addresses[order->naddresses++] = address->prefix;
	}
	return 1;
}

/* Where clients are known by address alone, each login is that of its address: behind a router, and
 * behind a repeater that answers for all who are behind it, every guest has the same MAC, and
 * nothing that can be asked says whether an address is still that of whom it was. */
static void fill_order(const struct control *control, const struct policy_portal *portal,
	const struct ipc_portal_login *ipc, struct login_order *order)
{
	const ptrdiff_t zone = policy_find_zone(control->policy, ipc->client.zone);
	const enum policy_identity identity = control->policy->zones[zone].identity;

	strcpy(order->zone, ipc->client.zone);
	strcpy(order->via, portal->name.text);
	_Static_assert(SESSION_TERMS_SIZE == PORTAL_VERSION_SIZE, "a session has room for it");
	strcpy(order->terms, ipc->terms);
	order->source = SESSION_SOURCE_PORTAL;
	order->mac = ipc->client.mac;
	order->addresses[0] = prefix_of(&ipc->client.address);
	order->naddresses = 1;
	if (mac_is_set(&order->mac) && identity != POLICY_IDENTITY_ADDRESS)
		session_table_each_mac(control->table, &order->mac, take_along, order);
}

static bool is_affirmed(const struct control *control, const struct ipc_portal_login *ipc)
{
	const ptrdiff_t zone = policy_find_zone(control->policy, ipc->client.zone);
	const struct portal_client device =
		portal_device(&ipc->client, control->policy->zones[zone].identity);
	const struct affirmed affirmed = {ipc->portal, portal_place(&device), ipc->client.address,
		ipc->session, ipc->session_bytes};

	if (!ipc->session_bytes || auth_peer_affirms(control->auth, &affirmed, &ipc->affirm))
		return true;
	log_warning("portal %s: a login that auth does not affirm was refused", ipc->portal);
	return false;
}

void portal_login(struct peer *web, const struct ipc_portal_login *ipc)
{
	struct control *control = web->control;
	const struct portal_asker asker = portal_asker_of(web, &ipc->header);
	const struct policy_portal *portal =
		portal_of(control->policy, ipc->portal, ipc->client.zone);
	char mac[MAC_TEXT_SIZE];

	if (!portal || (ipc->session_bytes > 0) != (portal->auth_names.n > 0)) {
		portal_reply(&asker, -EPERM, "that is not the portal's to say");
		return;
	}
	if (!is_affirmed(control, ipc)) {
		portal_reply(&asker, -EPERM, "auth does not affirm it");
		return;
	}
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry) {
		portal_reply(&asker, -ENOMEM, "out of memory");
		return;
	}
	entry->asker = asker;
	entry->client = ipc->client;
	strcpy(entry->portal, ipc->portal);
	if (!ipc->session_bytes)
		strcpy(entry->order.user, mac_format(&ipc->client.mac, mac));
	bool known =
		ipc->session_bytes ? take_user(&entry->order, ipc) : mac_is_set(&ipc->client.mac);
	if (!known) {
		portal_reply(&asker, -EBADMSG, "nobody says who it is");
		free(entry);
		return;
	}
	fill_order(control, portal, ipc, &entry->order);
	login_begin(control, &entry->order, on_login, entry);
}

void portal_wrong(struct peer *web, const struct ipc_portal_wrong *ipc)
{
	if (portal_of(web->control->policy, ipc->portal, ipc->client.zone))
		record_wrong(web->control, ipc->portal, &ipc->client, ipc->user);
}

/* ---- renewal ---- */

static void on_renewed(
	void *context, enum login_outcome outcome, uint64_t session, const char *text)
{
	struct portal_asker *asker = context;

	(void)session;
	portal_reply(asker, outcome >= LOGIN_REFUSED ? -EIO : 0, text);
	free(asker);
}

void portal_renew(struct peer *web, const struct ipc_portal_client *ipc)
{
	struct session *session = find(web, ipc);
	struct portal_asker *asker = session ? malloc(sizeof(*asker)) : NULL;
	const struct portal_asker of = portal_asker_of(web, &ipc->header);

	if (!session)
		return;
	if (!asker) {
		portal_reply(&of, -ENOMEM, "out of memory");
		return;
	}
	*asker = of;
	login_renew(web->control, session->id, false, 0, on_renewed, asker);
}

/* ---- logout ---- */

struct leave {
	struct gather gather; /* first */
	struct portal_asker asker;
	struct session *was; /* a copy */
	char why_not[IPC_TEXT_SIZE];
};

static void end_leave(struct leave *leave, int status, const char *text)
{
	sessions_arm(leave->asker.web->control->sessions);
	portal_reply(&leave->asker, status, text);
	free(leave->was);
	free(leave);
}

static void on_put_back(struct gather *gather)
{
	struct leave *leave = (struct leave *)gather;

	end_leave(leave, -EIO, leave->why_not);
}

static void on_left(struct gather *gather)
{
	struct leave *leave = (struct leave *)gather;
	struct control *control = leave->asker.web->control;

	if (gather->status) {
		memcpy(leave->why_not, gather->text, sizeof(leave->why_not));
		gather_init(&leave->gather, on_put_back);
		sessions_put_back(control->sessions, leave->was, &leave->gather);
		gather_end(&leave->gather, 0, NULL);
		return;
	}
	if (!sessions_keep_flows(control->sessions, leave->was))
		sessions_kill_flows(control->sessions, leave->was, ENDING_KILLED_LOGOUT);
	control->counters[COUNTER_LOGOUTS]++;
	log_info("%s logged out in zone %s", log_person(leave->was->user.text),
		leave->was->zone.text);
	end_leave(leave, 0, "");
}

void portal_logout(struct peer *web, const struct ipc_portal_client *ipc)
{
	const struct portal_asker asker = portal_asker_of(web, &ipc->header);
	struct session *session = find(web, ipc);
	struct leave *leave = session ? calloc(1, sizeof(*leave)) : NULL;

	if (!session)
		return;
	if (leave)
		leave->was = sessions_copy(session);
	if (!leave || !leave->was) {
		free(leave);
		portal_reply(&asker, -ENOMEM, "out of memory");
		return;
	}
	leave->asker = asker;
	gather_init(&leave->gather, on_left);
	sessions_del(web->control->sessions, session, ENDING_KILLED_LOGOUT, &leave->gather);
	gather_end(&leave->gather, 0, NULL);
}

/* ---- shown ---- */

void portal_show(struct peer *web, const struct ipc_portal_client *ipc)
{
	struct control *control = web->control;
	const struct portal_asker asker = portal_asker_of(web, &ipc->header);
	const struct policy *policy = control->policy;
	ptrdiff_t zone = policy_find_zone(policy, ipc->client.zone);
	struct ipc_portal_shown shown;

	if (!portal_of(policy, ipc->portal, ipc->client.zone)) {
		portal_reply(&asker, -EPERM, "the zone is not that portal's");
		return;
	}
	const struct session *session = session_of(control, &ipc->client);
	if (!session) {
		portal_reply(&asker, -ENOENT, "nobody is logged in there");
		return;
	}
	ipc_init(&shown, IPC_PORTAL_SHOWN, sizeof(shown));
	snprintf(shown.user, sizeof(shown.user), "%s", session->user.text);
	shown.device = session->kind == SESSION_DEVICE;
	if (session->lease_end_ms)
		shown.ends_ms = clock_to_wall(control, session->lease_end_ms);
	if (session->hard_end_ms)
		shown.hard_end_ms = clock_to_wall(control, session->hard_end_ms);
	portal_mails_begin(control, session,
		level_cause_of_zone(policy, (size_t)zone).word != LEVEL_NO_WORD, &asker, &shown);
}
