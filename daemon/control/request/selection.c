/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/request/selection.h"

#include "daemon/control/control.h"
#include "lib/base/vector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_address(const struct selection *selection)
{
	return selection->address.addr.family != ADDR_NONE;
}

static int select_one(void *context, struct session *session)
{
	struct selection *selection = context;
	if ((session->kind == SESSION_DEVICE && !selection->devices) ||
		(selection->user && strcmp(session->user.text, selection->user) != 0) ||
		(selection->zone && strcmp(session->zone.text, selection->zone) != 0))
		return 0;
	for (size_t i = 0; i < selection->n && has_address(selection); i++)
		if (selection->ids[i] == session->id)
			return 0; /* met by another of its prefixes */
	uint64_t *ids = vector_grow(selection->ids, selection->n, &selection->room, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	selection->ids = ids;
	selection->ids[selection->n++] = session->id;
	return 0;
}

/* A search for those that have the very address or network. */
struct holders {
	struct selection *selection;
	const struct policy *policy;
	bool learned; /* look for learned addresses, else for given ones */
	bool found;
};

/* A learned address says who has it only where a MAC does. */
static bool learns(const struct policy *policy, const struct session *session)
{
	ptrdiff_t zone = policy_find_zone(policy, session->zone.text);
	return zone >= 0 && policy->zones[zone].identity == POLICY_IDENTITY_MAC;
}

static int select_holder(void *context, struct session *session)
{
	struct holders *holders = context;
	const struct selection *selection = holders->selection;
	bool has = false;
	for (size_t i = 0; i < session->naddresses && !has; i++)
		has = session->addresses[i].learned == holders->learned &&
		      prefix_equal(&session->addresses[i].prefix, &selection->address);
	if (!has || (selection->zone && strcmp(session->zone.text, selection->zone) != 0) ||
		(holders->learned && !learns(holders->policy, session)))
		return 0;
	holders->found = true;
	return select_one(holders->selection, session);
}

static void select_holders(const struct control *control, struct selection *selection)
{
	struct holders holders = {.selection = selection, .policy = control->policy};
	session_table_each_address(
		control->table, &selection->address.addr, select_holder, &holders);
	if (holders.found)
		return;
	holders.learned = true;
	session_table_each_address(
		control->table, &selection->address.addr, select_holder, &holders);
}

static bool is_host(const struct prefix *prefix)
{
	return prefix->len == addr_bits(&prefix->addr);
}

void selection_find(const struct control *control, struct selection *selection)
{
	const struct session_table *table = control->table;
	if (selection->id) {
		struct session *session = session_table_find(table, selection->id);
		if (session)
			select_one(selection, session);
	} else if (has_address(selection) &&
		   (selection->changes || !is_host(&selection->address))) {
		select_holders(control, selection);
	} else if (has_address(selection)) {
		session_table_each_owner(table, &selection->address.addr, select_one, selection);
	} else if (mac_is_set(&selection->mac)) {
		session_table_each_mac(table, &selection->mac, select_one, selection);
	} else if (selection->user) {
		session_table_each_user(table, selection->user, select_one, selection);
	} else {
		session_table_each(table, select_one, selection);
	}
}

bool selection_is_ambiguous(const struct control *control, const struct selection *selection)
{
	const struct session *first = NULL;
	for (size_t i = 0; i < selection->n && has_address(selection); i++) {
		const struct session *session =
			session_table_find(control->table, selection->ids[i]);
		if (first && !policy_string_equal(&first->zone, &session->zone))
			return true;
		first = session;
	}
	return false;
}

/* The session of the longest network that holds the address. */
struct wider {
	const struct selection *selection;
	const struct session *session;
};

static int find_wider(void *context, struct session *session)
{
	struct wider *wider = context;
	const struct selection *selection = wider->selection;
	if (session->kind != SESSION_PORTAL ||
		(selection->zone && strcmp(session->zone.text, selection->zone) != 0))
		return 0;
	for (size_t i = 0; i < session->naddresses; i++)
		if (session->addresses[i].prefix.len < selection->address.len &&
			prefix_contains(&session->addresses[i].prefix, &selection->address.addr))
			wider->session = session;
	return wider->session != NULL;
}

static const struct session *wider_of(
	const struct control *control, const struct selection *selection)
{
	struct wider wider = {.selection = selection};
	if (has_address(selection))
		session_table_each_address(
			control->table, &selection->address.addr, find_wider, &wider);
	return wider.session;
}

void selection_refuse(struct command *command, const struct selection *selection)
{
	const struct policy *policy = command->control->policy;
	const struct session *wider = wider_of(command->control, selection);
	char address[PREFIX_TEXT_SIZE] = "";
	if (has_address(selection))
		prefix_format(&selection->address, address);
	if (selection->n)
		command_done(command, OUTCOME_REFUSED,
			"address %s has sessions in several zones; give the zone", address);
	else if (selection->zone && policy_find_zone(policy, selection->zone) < 0)
		command_no_such(command, POLICY_KIND_ZONE, selection->zone);
	else if (selection->id)
		command_done(command, OUTCOME_ABSENT, "no such session: %s", selection->word);
	else if (wider)
		command_done(command, OUTCOME_ABSENT,
			"no session of address %s by itself; session %llu of user %s in zone %s "
			"has it among others",
			address, (unsigned long long)wider->id, wider->user.text, wider->zone.text);
	else
		command_done(command, OUTCOME_ABSENT, "no session of %s %s", selection->kind,
			selection->word);
}

static uint64_t parse_id(const char *word)
{
	bool device = *word == 'd';
	return strtoull(word + device, NULL, 10) | (device ? SESSION_DEVICE_ID : 0);
}

void selection_take(const struct command *command, struct selection *selection)
{
	/* what is named last here is what a refusal names: a zone only narrows */
	static const char *const kinds[] = {"zone", "user", "mac", "address", "ID"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!command_given(command, kinds[i]))
			continue;
		selection->kind = kinds[i];
		selection->word = command_value(command, kinds[i]);
	}
	const char *address = command_value(command, "address");
	const char *mac = command_value(command, "mac"), *id = command_value(command, "ID");
	selection->user = command_value(command, "user");
	selection->zone = command_value(command, "zone");
	if (id)
		selection->id = parse_id(id);
	if (address)
		prefix_parse(address, strlen(address), &selection->address);
	if (mac)
		mac_parse(mac, strlen(mac), &selection->mac);
}
