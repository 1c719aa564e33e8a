/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Login pages, as the policy has them and as they fare: who logged in, what failed, and who is shut
 * out. */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/listening.h"
#include "daemon/control/peers/web_peer.h"
#include "daemon/control/request/json_row.h"
#include "lib/portal/tries.h"

#include <stdio.h>

/* ---- what the policy says ---- */

static void add_listen(
	json_t *array, const struct control *control, const struct addr *address, uint16_t port)
{
	const struct endpoint at = {*address, port};
	const struct listening_at *found = listening_find(control, &at, POLICY_TAKER_PORTAL);
	char where[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE + 16];

	snprintf(text, sizeof(text), "%s %s", endpoint_format(&at, where),
		!found         ? "opens"
		: found->error ? "closed"
			       : "listens");
	json_array_append_new(array, json_string(text));
}

static json_t *listen_of(const struct control *control, const struct policy_portal *portal)
{
	json_t *array = json_array();

	for (size_t i = 0; i < portal->naddresses; i++) {
		add_listen(array, control, &portal->addresses[i], portal->port);
		if (portal->http_port)
			add_listen(array, control, &portal->addresses[i], portal->http_port);
	}
	return array;
}

static json_t *names_or_none(const struct policy_strings *names)
{
	return names->n ? json_row_strings(names->v, names->n) : json_array();
}

/* ---- who is shut out ---- */

static json_t *locked_of(const struct ipc_portal_state *state)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < state->nrows; i++) {
		const struct portal_locked_row *row = &state->rows[i];
		json_array_append_new(array,
			json_pack("{s:s, s:s, s:o, s:o, s:I, s:o}", "what",
				row->what == PORTAL_TRY_DEVICE ? "device" : "network", "zone",
				row->zone, "mac", json_row_mac(&row->mac), "address",
				json_row_addr(&row->address), "failures", (json_int_t)row->failures,
				"until_at", json_row_time(row->until_ms)));
	}
	return array;
}

static json_t *counts_row(const struct web_peer_portal *known)
{
	struct portal_counts counts = {0};

	web_peer_portal_counts(known, &counts);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "logins",
		(json_int_t)counts.logins, "failures", (json_int_t)counts.failures, "put_off",
		(json_int_t)counts.put_off, "later", (json_int_t)counts.later, "renewals",
		(json_int_t)counts.renewals, "logouts", (json_int_t)counts.logouts, "connections",
		(json_int_t)counts.connections, "connections_refused",
		(json_int_t)counts.refused_connections, "requests", (json_int_t)counts.requests,
		"requests_refused", (json_int_t)counts.refused_requests);
}

static const char *state_of(const struct web_peer_portal *known)
{
	return !known || !known->told ? "opens" : known->state.serves ? "up" : "down";
}

static void show_portal(struct command *command, const struct policy_portal *portal)
{
	const struct control *control = command->control;
	const struct web_peer_portal *known = web_peer_portal(control->web, portal->name.text);
	const bool told = known && known->told;
	char url[POLICY_PORTAL_URL_SIZE];
	json_t *row = json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "portal",
		json_row_string(&portal->name), "state", state_of(known), "url",
		policy_portal_url(portal, url), "zones",
		json_row_strings(portal->zone_names.v, portal->zone_names.n), "names",
		json_row_strings(portal->names.v, portal->names.n), "listen",
		listen_of(control, portal), "certificates",
		names_or_none(&portal->certificate_names), "auths",
		names_or_none(&portal->auth_names));
	json_t *counts = counts_row(known);

	json_object_update(row, counts);
	json_decref(counts);
	json_object_set_new(row, "open", json_integer(told ? known->state.open : 0));
	json_object_set_new(row, "locked_out", json_integer(told ? known->state.locked : 0));
	json_object_set_new(row, "locked", told ? locked_of(&known->state) : json_array());
	json_object_set_new(
		row, "counted_at", known ? json_row_time(known->state.begun_ms) : json_null());
	json_object_set_new(row, "why",
		told && !known->state.serves ? json_row_text(known->state.text) : json_null());
	json_object_set_new(row, "comment", json_row_string(&portal->comment));
	command_row(command, row);
}

static void run_show(struct command *command)
{
	const struct policy *policy = command->control->policy;
	size_t i, end;

	if (!command_named(command, POLICY_KIND_PORTAL, &i, &end))
		return;
	for (; i < end; i++)
		show_portal(command, &policy->portals[i]);
	command_ok(command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", command_edit},
	{"replace", command_edit},
	{"set", command_edit},
	{"unset", command_edit},
	{"delete", command_edit},
	{NULL, NULL},
};

const struct command_noun command_portal = {"portal", verbs};
