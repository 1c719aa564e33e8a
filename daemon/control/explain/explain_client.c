/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/explain/explain.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/neighbour.h"
#include "daemon/control/request/command.h"

#include <stdio.h>
#include <string.h>

/* The zone that is left when it was not given: the client's session's, or the only one that has
 * its address in its networks, or the only one. */
static bool find_zone(struct explaining *explaining)
{
	const struct policy *policy = explaining->command->control->policy;
	const char *found = NULL;
	if (*explaining->zone)
		return true;
	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *zone = &policy->zones[i];
		bool holds = zone->networks.n == 0;
		for (size_t j = 0; j < zone->networks.n && !holds; j++)
			holds = prefix_contains(&zone->networks.v[j], &explaining->addr);
		if (holds && found) {
			command_done(explaining->command, OUTCOME_REFUSED,
				"the client may be in zone %s or %s; give the zone", found,
				zone->name.text);
			return false;
		}
		if (holds)
			found = zone->name.text;
	}
	if (!found) {
		command_done(explaining->command, OUTCOME_REFUSED, "no zone holds this address");
		return false;
	}
	snprintf(explaining->zone, sizeof(explaining->zone), "%s", found);
	return true;
}

/* The client is seen with the MAC that it has now, whatever its session says. */
static void compare_mac(struct explaining *explaining, const struct neighbour *found)
{
	char text[200], now[MAC_TEXT_SIZE], then[MAC_TEXT_SIZE];
	if (!mac_is_set(&found->mac)) {
		if (!mac_is_set(&explaining->mac))
			return;
		explain_step(explaining,
			"neighbour table: the address is not in it; the session's MAC "
			"is assumed");
		return;
	}
	if (mac_is_set(&explaining->mac) && !mac_equal(&found->mac, &explaining->mac))
		snprintf(text, sizeof(text),
			"neighbour table: the address has MAC %s on %s now, not %s as its session",
			mac_format(&found->mac, now), found->ifname,
			mac_format(&explaining->mac, then));
	else
		snprintf(text, sizeof(text), "neighbour table: the address has MAC %s on %s",
			mac_format(&found->mac, now), found->ifname);
	explain_step(explaining, text);
	explaining->mac = found->mac;
}

/* Without a session the interface says which zone it is. False: ended. */
static bool take_interface(struct explaining *explaining, const struct neighbour *found)
{
	const struct policy *policy = explaining->command->control->policy;
	char text[160], mac[MAC_TEXT_SIZE];
	if (!mac_is_set(&found->mac)) {
		explain_step(explaining, "neighbour table: the address is not in it; no MAC");
		return true;
	}
	ptrdiff_t zone = policy_find_zone_of(policy, found->ifname, &explaining->addr);
	explaining->mac = found->mac;
	snprintf(text, sizeof(text), "neighbour table: the address has MAC %s on %s",
		mac_format(&found->mac, mac), found->ifname);
	explain_step(explaining, text);
	if (zone < 0 && !explaining->zone_word) {
		command_done(explaining->command, OUTCOME_REFUSED,
			"%s is in no zone: what comes from there passes as without Postern",
			found->ifname);
		return false;
	}
	if (zone >= 0 && !*explaining->zone)
		snprintf(explaining->zone, sizeof(explaining->zone), "%s",
			policy->zones[zone].name.text);
	return true;
}

static void on_neighbour(void *context, const struct neighbour *found)
{
	struct explaining *explaining = context;
	if (mac_is_set(&found->other_mac)) {
		command_done(explaining->command, OUTCOME_REFUSED,
			"the address is a neighbour on %s and, with another MAC, on %s; give the "
			"mac or the zone",
			found->ifname, found->other_ifname);
		return;
	}
	if (explaining->session)
		compare_mac(explaining, found);
	else if (!take_interface(explaining, found))
		return;
	if (find_zone(explaining))
		explain_tell(explaining);
}

static int take_session(void *context, struct session *session)
{
	struct explaining *explaining = context;
	if (session->aside_until_ms || !(explaining->sources & 1u << session->kind))
		return 0;
	if (explaining->zone_word && strcmp(session->zone.text, explaining->zone_word) != 0)
		return 0;
	snprintf(explaining->zone, sizeof(explaining->zone), "%s", session->zone.text);
	explaining->session = session->id;
	if (!mac_is_set(&explaining->mac))
		explaining->mac = session->mac;
	if (explaining->addr.family == ADDR_NONE && session->naddresses)
		explaining->addr = session->addresses[0].prefix.addr;
	return 1;
}

void explain_client(struct explaining *explaining)
{
	struct command *command = explaining->command;
	struct control *control = command->control;
	if (explaining->zone_word)
		snprintf(explaining->zone, sizeof(explaining->zone), "%s", explaining->zone_word);
	if (explaining->user) {
		if (!session_table_each_user(
			    control->table, explaining->user, take_session, explaining)) {
			command_done(command, OUTCOME_ABSENT, "user %s has no session%s%s",
				command_value(command, "user"),
				explaining->zone_word ? " in zone " : "",
				explaining->zone_word ? explaining->zone_word : "");
			return;
		}
	} else if (mac_is_set(&explaining->mac)) {
		session_table_each_mac(control->table, &explaining->mac, take_session, explaining);
	} else {
		session_table_each_owner(
			control->table, &explaining->addr, take_session, explaining);
	}
	bool known = explaining->addr.family != ADDR_NONE;
	if (!known)
		explaining->addr.family = explaining->destination_given
						  ? explaining->destination.addr.family
						  : ADDR_IP4;
	if (explaining->mac_given || !known) {
		if (find_zone(explaining))
			explain_tell(explaining);
		return;
	}
	ptrdiff_t zone =
		*explaining->zone ? policy_find_zone(control->policy, explaining->zone) : -1;
	if (zone < 0)
		zone = NEIGHBOUR_OF_ALL;
	neighbour_ask(control, zone, &explaining->addr, on_neighbour, explaining);
}
