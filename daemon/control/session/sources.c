/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/sources.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/session/rivals.h"
#include "daemon/control/session/sessions.h"
#include "daemon/control/session/source_watch.h"

#include "lib/base/hash.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const source_outcome_names[] = {
	[SOURCE_OPENED] = "opened",
	[SOURCE_RENEWED] = "renewed",
	[SOURCE_TAKEN] = "taken",
	[SOURCE_NO_ZONE] = "no-zone",
	[SOURCE_OUTSIDE] = "outside",
	[SOURCE_NO_ADDRESS] = "no-address",
	[SOURCE_NO_MAC] = "no-mac",
	[SOURCE_OVER_LIMIT] = "over-limit",
	[SOURCE_FAILED] = "failed",
};
static_assert(sizeof(source_outcome_names) / sizeof(*source_outcome_names) == SOURCE_OUTCOMES,
	"a name for each");

static struct policy_string string_of(const char *text)
{
	size_t len = strlen(text);

	return (struct policy_string){
		.text = text, .len = (uint32_t)len, .hash = hash_bytes(text, len)};
}

/* ---- may it be? ---- */

static bool in_networks(const struct policy_zone *zone, const struct prefix *prefix)
{
	for (size_t i = 0; i < zone->networks.n; i++)
		if (zone->networks.v[i].len <= prefix->len &&
			prefix_contains(&zone->networks.v[i], &prefix->addr))
			return true;
	return zone->networks.n == 0;
}

static bool is_clients(const struct prefix *prefix)
{
	return prefix->len && !addr_is_unspecified(&prefix->addr) &&
	       !addr_is_multicast(&prefix->addr) && !addr_is_loopback(&prefix->addr);
}

/* The session is as it would be. */
static enum source_outcome check(const struct policy_zone *zone, const struct session *wanted)
{
	bool host = false;

	for (size_t i = 0; i < wanted->naddresses; i++) {
		const struct prefix *prefix = &wanted->addresses[i].prefix;
		if (!is_clients(prefix) || !in_networks(zone, prefix))
			return SOURCE_OUTSIDE;
		host |= prefix->len == addr_bits(&prefix->addr);
	}
	if (zone->identity != POLICY_IDENTITY_MAC && !wanted->naddresses)
		return SOURCE_NO_ADDRESS;
	if (zone->identity == POLICY_IDENTITY_ADDRESS)
		return SOURCE_OPENED;
	/* a network behind a router has none of its own */
	bool needs = host || !wanted->naddresses;
	return mac_is_group(&wanted->mac) || (needs && !mac_is_set(&wanted->mac)) ? SOURCE_NO_MAC
										  : SOURCE_OPENED;
}

/* ---- opening and renewing ---- */

/* A session in the making, and what it is made of. */
struct making {
	struct control *control;
	const struct policy_zone *zone;
	struct session wanted;
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct policy_string groups[SESSION_GROUPS_MAX];
	struct rivals rivals;
};

/* old: what it was; NULL: it was not. */
static void fill_wanted(
	struct making *making, const struct source_order *order, const struct session *old)
{
	struct session *wanted = &making->wanted;

	*wanted = (struct session){.kind = SESSION_PORTAL,
		.zone = string_of(order->zone),
		.user = string_of(order->user),
		.groups = making->groups,
		.ngroups = order->ngroups,
		.mac = mac_is_set(&order->mac) || !old ? order->mac : old->mac,
		.addresses = making->addresses,
		.source = order->source,
		.via = string_of(order->via),
		.nas = string_of(order->nas)};
	for (size_t i = 0; i < order->ngroups; i++)
		making->groups[i] = string_of(order->groups[i]);
	for (size_t i = 0; i < order->naddresses; i++)
		making->addresses[wanted->naddresses++] =
			(struct session_address){.prefix = order->addresses[i]};
	for (size_t i = 0; !order->naddresses && old && i < old->naddresses; i++)
		if (!old->addresses[i].learned)
			making->addresses[wanted->naddresses++] = old->addresses[i];
}

static const struct policy_zone *zone_of(const struct control *control, const char *name)
{
	ptrdiff_t zone = policy_find_zone(control->policy, name);

	return zone < 0 ? NULL : &control->policy->zones[zone];
}

enum source_outcome source_check(const struct control *control, const struct source_order *order)
{
	const struct policy_zone *zone = zone_of(control, order->zone);
	struct making making;

	if (!zone)
		return SOURCE_NO_ZONE;
	fill_wanted(&making, order, NULL);
	return check(zone, &making.wanted);
}

static bool has_login(const struct making *making)
{
	const struct rivals *rivals = &making->rivals;

	if (rivals->same && rivals->same->source != making->wanted.source)
		return true;
	for (size_t i = 0; i < rivals->n; i++)
		if (rivals->v[i].was->source != SESSION_SOURCE_RADIUS)
			return true;
	return false;
}

/* renews: it is not begun anew. */
static int put_in_force(
	struct making *making, uint64_t lease_ms, bool renews, struct gather *gather, uint64_t *id)
{
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct control *control = making->control;
	const struct session *old = making->rivals.same;
	uint64_t now_ms = clock_now_ms(control);
	struct session session = making->wanted;

	*id = session.id = old ? old->id : sessions_new_id(control->sessions);
	session.started_ms = old ? old->started_ms : now_ms;
	if (old) {
		memcpy(session.ifname, old->ifname, sizeof(session.ifname));
		memcpy(session.terms, old->terms, sizeof(session.terms));
	}
	session.idle_s = making->zone->idle_s;
	/* that its client is still there is no use of it */
	session.active_ms = old ? old->active_ms : now_ms;
	session.hard_end_ms = sessions_hard_end(making->zone, renews ? old : NULL, now_ms);
	session.lease_end_ms = sessions_lease_end(now_ms, lease_ms, session.hard_end_ms);
	session.addresses = addresses;
	session.naddresses = sessions_merge_addresses(&making->wanted, old, now_ms, addresses);
	int error = rivals_move(control, &making->wanted, &making->rivals, gather);
	if (!error)
		error = sessions_put(control->sessions, &session, gather);
	if (!error)
		rivals_kill_flows(control, &making->rivals);
	return error;
}

static enum source_outcome put(struct making *making, const struct source_order *order, bool renews,
	struct gather *gather, uint64_t *id)
{
	struct rivals *rivals = &making->rivals;
	uint32_t most;

	enum source_outcome outcome = check(making->zone, &making->wanted);
	if (outcome != SOURCE_OPENED)
		return outcome;
	int error = rivals_find(making->control, making->zone, &making->wanted, rivals);
	if (error)
		return SOURCE_FAILED;
	if (has_login(making))
		return SOURCE_TAKEN;
	error = rivals_limit(making->control, making->zone, &making->wanted, rivals, &most);
	if (error == -EDQUOT)
		return SOURCE_OVER_LIMIT;
	if (!error)
		error = put_in_force(making, order->lease_ms, renews, gather, id);
	return error ? SOURCE_FAILED : rivals->same ? SOURCE_RENEWED : SOURCE_OPENED;
}

static void end_own(struct control *control, const struct session *session, enum ending why,
	struct gather *gather)
{
	source_watch_own(control, true);
	sessions_end(control->sessions, session, why, gather);
	source_watch_own(control, false);
}

/* The session that the order renews; NULL: it opens one. */
static const struct session *find_old(struct control *control, uint64_t id,
	const struct source_order *order, struct gather *gather)
{
	const struct session *old = id ? session_table_find(control->table, id) : NULL;

	if (!old || old->source != order->source)
		return NULL;
	if (strcmp(old->user.text, order->user) == 0 && strcmp(old->zone.text, order->zone) == 0)
		return old;
	end_own(control, old, ENDING_KILLED_REPLACED, gather);
	return NULL;
}

enum source_outcome source_put(struct control *control, uint64_t session,
	const struct source_order *order, struct gather *gather, uint64_t *id)
{
	struct making making = {.control = control, .zone = zone_of(control, order->zone)};
	enum source_outcome outcome = SOURCE_FAILED;

	*id = 0;
	if (!making.zone)
		return SOURCE_NO_ZONE;
	const struct session *old = find_old(control, session, order, gather);
	if (old)
		making.rivals.same = sessions_copy(old);
	if (!old || making.rivals.same) {
		fill_wanted(&making, order, making.rivals.same);
		outcome = put(&making, order, old != NULL || order->goes_on, gather, id);
	}
	rivals_fini(&making.rivals);
	if (outcome == SOURCE_FAILED) {
		gather_add(gather);
		gather_end(gather, -ENOMEM, "out of memory");
	}
	return outcome;
}

void source_end(struct control *control, uint64_t session, struct gather *gather)
{
	const struct session *found = session_table_find(control->table, session);

	if (found && found->source == SESSION_SOURCE_RADIUS)
		end_own(control, found, ENDING_KILLED_LOGOUT, gather);
}
