/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/session/link_down.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/link.h"
#include "daemon/control/session/sessions.h"
#include "lib/base/vector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_interface(const struct policy_zone *zone, const char *ifname)
{
	for (size_t i = 0; i < zone->interfaces.n; i++)
		if (policy_interface_match(zone->interfaces.v[i].text, ifname))
			return true;
	return false;
}

/* Has the zone another link, that a client may be behind? This one may be up again. */
static bool has_other(
	const struct control *control, const struct policy_zone *zone, const char *ifname)
{
	for (size_t i = 0; i < control->nlinks; i++) {
		const struct control_link *link = &control->links[i];
		if (link->running && strcmp(link->name, ifname) != 0 &&
			has_interface(zone, link->name))
			return true;
	}
	return false;
}

/* Whom it takes along: ids, as the table is walked. */
struct search {
	const struct policy_zone *zone;
	const char *ifname;
	bool unseen; /* those, too, who were not seen anywhere yet */
	uint64_t *ids;
	size_t n, room;
};

static int note(struct search *search, const struct session *session)
{
	uint64_t *ids = vector_grow(search->ids, search->n, &search->room, sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	search->ids = ids;
	search->ids[search->n++] = session->id;
	return 0;
}

static bool is_of_zone(const struct search *search, const struct session *session)
{
	return session->kind == SESSION_PORTAL && !session->aside_until_ms &&
	       policy_string_equal(&session->zone, &search->zone->name);
}

static int look(void *context, struct session *session)
{
	struct search *search = context;

	if (!is_of_zone(search, session) ||
		!(*session->ifname ? strcmp(session->ifname, search->ifname) == 0 : search->unseen))
		return 0;
	return note(search, session);
}

/* By its MAC it is where the bridge says, whether it was seen sending mail there or not. */
static int look_at_mac(void *context, struct session *session)
{
	struct search *search = context;
	bool elsewhere = *session->ifname && strcmp(session->ifname, search->ifname) != 0;

	return is_of_zone(search, session) && !elsewhere ? note(search, session) : 0;
}

static void end_found(struct control *control, struct search *search, int error)
{
	for (size_t i = 0; i < search->n; i++)
		sessions_end(control->sessions, session_table_find(control->table, search->ids[i]),
			ENDING_KILLED_LINK, NULL);
	if (error)
		log_error("no memory to end all sessions behind %s", search->ifname);
	free(search->ids);
}

void link_down(struct control *control, const char *ifname)
{
	for (size_t i = 0; control->policy && i < control->policy->nzones; i++) {
		const struct policy_zone *zone = &control->policy->zones[i];
		struct search search = {.zone = zone, .ifname = ifname};
		if (!zone->link_down_ends || !has_interface(zone, ifname))
			continue;
		search.unseen = !has_other(control, zone, ifname);
		end_found(control, &search, session_table_each(control->table, look, &search));
	}
}

void link_down_mac(struct control *control, const char *bridge, const struct mac *mac)
{
	for (size_t i = 0; control->policy && i < control->policy->nzones; i++) {
		const struct policy_zone *zone = &control->policy->zones[i];
		struct search search = {.zone = zone, .ifname = bridge};
		if (!zone->link_down_ends || !has_interface(zone, bridge))
			continue;
		end_found(control, &search,
			session_table_each_mac(control->table, mac, look_at_mac, &search));
	}
}
