/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/rivals.h"

#include "daemon/control/control.h"
#include "daemon/control/session/sessions.h"
#include "lib/base/vector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPLACED_MOST 64

/* What a session is to the wanted one. */
enum relation {
	NOTHING,
	CLIENT,  /* of the same client */
	ADDRESS, /* of another MAC, which no longer has a given address */
};

static bool is_given(const struct session *wanted, const struct session_address *address)
{
	if (address->learned)
		return false;
	for (size_t i = 0; i < wanted->naddresses; i++)
		if (!wanted->addresses[i].learned &&
			prefix_equal(&wanted->addresses[i].prefix, &address->prefix))
			return true;
	return false;
}

static bool holds_given(const struct session *wanted, const struct session *session)
{
	for (size_t i = 0; i < session->naddresses; i++)
		if (is_given(wanted, &session->addresses[i]))
			return true;
	return false;
}

/* Of two who have MACs of their own: a network may be that of all who are in it. */
static bool is_taken(const struct session *wanted, const struct session_address *address)
{
	return address->prefix.len == addr_bits(&address->prefix.addr) && is_given(wanted, address);
}

static bool holds_taken(const struct session *wanted, const struct session *session)
{
	for (size_t i = 0; i < session->naddresses; i++)
		if (is_taken(wanted, &session->addresses[i]))
			return true;
	return false;
}

/* A session whose zone is gone would come back with it, to a machine that is another user's now. */
static bool is_set_aside_here(const struct session *wanted, const struct session *session)
{
	bool same_mac = mac_is_set(&wanted->mac) && mac_equal(&session->mac, &wanted->mac);

	return session->aside_until_ms && !policy_string_equal(&session->user, &wanted->user) &&
	       (same_mac || holds_given(wanted, session));
}

static enum relation relation_of(
	const struct session *wanted, const struct policy_zone *zone, const struct session *session)
{
	if (session->kind != SESSION_PORTAL)
		return NOTHING;
	if (!policy_string_equal(&session->zone, &wanted->zone))
		return is_set_aside_here(wanted, session) ? CLIENT : NOTHING;
	if (zone->identity == POLICY_IDENTITY_ADDRESS || !mac_is_set(&session->mac))
		return holds_given(wanted, session) ? CLIENT : NOTHING;
	if (!mac_is_set(&wanted->mac)) /* a network: who in it has a MAC of his own keeps his */
		return NOTHING;
	if (mac_equal(&session->mac, &wanted->mac))
		return CLIENT;
	return holds_taken(wanted, session) ? ADDRESS : NOTHING;
}

static int add(struct rivals *rivals, struct session *was, bool ends, enum ending why)
{
	struct rival *v = realloc(rivals->v, (rivals->n + 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	rivals->v = v;
	v[rivals->n++] = (struct rival){.was = was, .ends = ends, .why = why};
	return 0;
}

struct search {
	struct rivals *rivals;
	const struct session *wanted;
	const struct policy_zone *zone;
};

static struct rival *find(const struct rivals *rivals, uint64_t id)
{
	for (size_t i = 0; i < rivals->n; i++)
		if (rivals->v[i].was->id == id)
			return &rivals->v[i];
	return NULL;
}

static int find_related(void *context, struct session *session)
{
	struct search *search = context;
	struct rivals *rivals = search->rivals;
	enum relation relation = relation_of(search->wanted, search->zone, session);
	bool renews = relation == CLIENT && !rivals->same &&
		      policy_string_equal(&session->user, &search->wanted->user);

	if (relation == NOTHING || (rivals->same && rivals->same->id == session->id) ||
		find(rivals, session->id)) /* met by another of its addresses */
		return 0;
	struct session *was = sessions_copy(session);
	if (!was)
		return -ENOMEM;
	if (renews) {
		rivals->same = was;
		return 0;
	}
	bool ends = relation == CLIENT || search->zone->identity != POLICY_IDENTITY_MAC;
	int error = add(rivals, was, ends, ENDING_KILLED_REPLACED);
	if (error)
		free(was);
	return error;
}

/* The one that is renewed by its MAC rather than by an address, and all in the way of it. */
int rivals_find(const struct control *control, const struct policy_zone *zone,
	const struct session *wanted, struct rivals *rivals)
{
	struct search search = {.rivals = rivals, .wanted = wanted, .zone = zone};
	int error = 0;

	if (zone->identity != POLICY_IDENTITY_ADDRESS && mac_is_set(&wanted->mac))
		error = session_table_each_mac(control->table, &wanted->mac, find_related, &search);
	for (size_t i = 0; !error && i < wanted->naddresses; i++)
		error = session_table_each_address(
			control->table, &wanted->addresses[i].prefix.addr, find_related, &search);
	return error;
}

/* The user's sessions in the zone that would stay. */
struct staying {
	const struct session *wanted;
	const struct rivals *rivals;
	struct age {
		uint64_t started_ms, id;
	} * v;
	size_t n, room;
};

static int note_staying(void *context, struct session *session)
{
	struct staying *staying = context;
	const struct rival *rival = find(staying->rivals, session->id);

	if (session->kind != SESSION_PORTAL || (rival && rival->ends) ||
		!policy_string_equal(&session->zone, &staying->wanted->zone))
		return 0;
	struct age *v = vector_grow(staying->v, staying->n, &staying->room, sizeof(*v));
	if (!v)
		return -ENOMEM;
	staying->v = v;
	staying->v[staying->n++] = (struct age){session->started_ms, session->id};
	return 0;
}

static int compare_ages(const void *a, const void *b)
{
	const struct age *x = a, *y = b;

	if (x->started_ms != y->started_ms)
		return x->started_ms < y->started_ms ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int add_oldest(struct rivals *rivals, const struct session *session)
{
	struct rival *rival = find(rivals, session->id);
	struct session *was;

	if (rival) { /* it would have lost an address alone */
		rival->ends = true;
		rival->why = ENDING_KILLED_LIMIT;
		return 0;
	}
	was = sessions_copy(session);
	if (!was)
		return -ENOMEM;
	int error = add(rivals, was, true, ENDING_KILLED_LIMIT);
	if (error)
		free(was);
	return error;
}

static const struct policy_limit *limit_of_sessions(const struct policy_zone *zone)
{
	for (size_t i = 0; i < zone->limits.n; i++)
		if (zone->limits.v[i].kind == POLICY_LIMIT_SESSIONS)
			return &zone->limits.v[i];
	return NULL;
}

/* As many as there are too many, by a limit that was lowered, too; of these some at a time. */
static int replace_oldest(const struct control *control, const struct policy_limit *limit,
	struct staying *staying, struct rivals *rivals)
{
	size_t too_many = staying->n + 1 - limit->count;
	int error = 0;

	qsort(staying->v, staying->n, sizeof(*staying->v), compare_ages);
	for (size_t i = 0; !error && i < too_many && i < REPLACED_MOST; i++)
		error = add_oldest(rivals, session_table_find(control->table, staying->v[i].id));
	return error;
}

int rivals_limit(const struct control *control, const struct policy_zone *zone,
	const struct session *wanted, struct rivals *rivals, uint32_t *most)
{
	const struct policy_limit *limit = limit_of_sessions(zone);
	struct staying staying = {.wanted = wanted, .rivals = rivals};

	if (!limit || rivals->same)
		return 0;
	int error =
		session_table_each_user(control->table, wanted->user.text, note_staying, &staying);
	*most = limit->count;
	if (!error && staying.n >= limit->count)
		error = limit->over_replaces ? replace_oldest(control, limit, &staying, rivals)
					     : -EDQUOT;
	free(staying.v);
	return error;
}

bool rivals_end(const struct rivals *rivals)
{
	for (size_t i = 0; i < rivals->n; i++)
		if (rivals->v[i].ends)
			return true;
	return false;
}

/* The session without the addresses that are another's from now on. */
static int take_addresses(struct control *control, const struct session *wanted,
	const struct session *was, struct gather *gather)
{
	struct session_address addresses[SESSION_ADDRESSES_MAX];
	struct session changed = *was;
	size_t n = 0;

	for (size_t i = 0; i < was->naddresses; i++)
		if (!is_taken(wanted, &was->addresses[i]))
			addresses[n++] = was->addresses[i];
	changed.addresses = addresses;
	changed.naddresses = n;
	return sessions_put(control->sessions, &changed, gather);
}

int rivals_move(struct control *control, const struct session *wanted, const struct rivals *rivals,
	struct gather *gather)
{
	int error = 0;

	for (size_t i = 0; !error && i < rivals->n; i++) {
		const struct rival *rival = &rivals->v[i];
		if (rival->ends)
			sessions_del(control->sessions, rival->was, rival->why, gather);
		else
			error = take_addresses(control, wanted, rival->was, gather);
	}
	return error;
}

/* What another user has begun ends with the change of users; what goes for a limit is the same
 * user's, and ends as a logout does. */
void rivals_kill_flows(struct control *control, const struct rivals *rivals)
{
	for (size_t i = 0; i < rivals->n; i++) {
		const struct rival *rival = &rivals->v[i];
		bool keep = rival->why == ENDING_KILLED_LIMIT &&
			    sessions_keep_flows(control->sessions, rival->was);
		if (rival->ends && !keep)
			sessions_kill_flows(control->sessions, rival->was, rival->why);
	}
}

void rivals_put_back(struct control *control, const struct rivals *rivals, struct gather *gather)
{
	for (size_t i = 0; i < rivals->n; i++)
		sessions_put_back(control->sessions, rivals->v[i].was, gather);
}

void rivals_fini(struct rivals *rivals)
{
	for (size_t i = 0; i < rivals->n; i++)
		free(rivals->v[i].was);
	free(rivals->v);
	free(rivals->same);
	*rivals = (struct rivals){0};
}
