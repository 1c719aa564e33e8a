/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"
#include "lib/base/hash.h"

#include "daemon/control/audit/audit.h"
#include "daemon/control/control.h"
#include "daemon/control/explain/explain.h"
#include "daemon/control/peers/flow_reports.h"
#include "daemon/control/request/moment.h"
#include "lib/record/flowid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forget(struct command *command)
{
	struct explaining *explaining = command->state;
	json_decref(explaining->steps);
	json_decref(explaining->row);
	free(explaining->names_found);
	free(explaining->group_texts);
}

/* ---- a flow: live, else in the audit ---- */

static void tell_tls(
	struct explaining *explaining, const char *version, const char *check, const char *peer)
{
	char text[TLS_NAME_SIZE + 96];

	if (!*version)
		snprintf(text, sizeof(text), "flow: the client's side is in clear");
	else if (!*check)
		snprintf(text, sizeof(text),
			"flow: the client's side is in %s, without a certificate", version);
	else
		snprintf(text, sizeof(text),
			"flow: the client's side is in %s, its certificate%s%s: %s", version,
			*peer ? " for " : "", peer, check);
	explain_step(explaining, text);
}

/* Words about TLS that were given with the flow stand instead of its own. names: by blanks; open:
 * the certificate may have others. */
static void take_side(struct explaining *explaining, const char *version, const char *check,
	const char *peer, const char *names, bool open)
{
	if (explaining->tls_given)
		return;
	explaining->tls_given = true;
	explaining->tls.on = *version;
	explaining->tls.verified = strcmp(check, TLS_CHECK_VERIFIED) == 0;
	explaining->tls.names_open = open;
	snprintf(explaining->names, sizeof(explaining->names), "%s", names);
	tell_tls(explaining, version, check, peer);
}

static void take_flow(struct explaining *explaining, const char *zone, const struct mac *mac,
	const struct addr *addr, const struct endpoint *original)
{
	explaining->flow_found = true;
	snprintf(explaining->zone, sizeof(explaining->zone), "%s", zone);
	explaining->zone_word = explaining->zone;
	explaining->mac = *mac;
	explaining->mac_given = true;
	explaining->addr = *addr;
	if (!explaining->destination_given)
		explaining->destination = *original;
	explaining->destination_given = true;
}

static const char *text_of(const json_t *row, const char *field)
{
	const char *text = json_string_value(json_object_get(row, field));
	return text ? text : "";
}

/* "192.0.2.7:25" or "[2001:db8::7]:25". */
static bool parse_endpoint(const char *text, struct endpoint *endpoint)
{
	const char *colon = strrchr(text, ':');
	char *rest;
	if (!colon)
		return false;
	bool bracket = *text == '[' && colon > text && colon[-1] == ']';
	const char *from = text + bracket;
	unsigned long port = strtoul(colon + 1, &rest, 10);
	if (rest == colon + 1 || *rest || port > UINT16_MAX)
		return false;
	endpoint->port = (uint16_t)port;
	return addr_parse(from, (size_t)(colon - from) - bracket, &endpoint->addr) == 0;
}

static void on_record(void *context, const char *json, uint64_t key)
{
	struct explaining *explaining = context;
	struct endpoint client, original;
	struct mac mac = {0};
	json_t *row = json_loads(json, 0, NULL);
	(void)key;
	if (row && parse_endpoint(text_of(row, "client"), &client) &&
		parse_endpoint(text_of(row, "original"), &original)) {
		const char *text = text_of(row, "mac");
		if (*text)
			mac_parse(text, strlen(text), &mac);
		take_flow(explaining, text_of(row, "zone"), &mac, &client.addr, &original);
		explain_step(explaining, "flow: it is over; what follows is what would be decided "
					 "now");
		const json_t *tls = json_object_get(row, "client_tls");
		const char *peer = text_of(tls, "peer");
		if (strcmp(text_of(row, "reason"), decide_reason_names[DECIDE_NEEDS_ENVELOPE]) == 0)
			take_side(explaining, text_of(tls, "version"), text_of(tls, "check"), peer,
				peer, true);
	}
	json_decref(row);
}

static void on_records(void *context, int status, bool more)
{
	struct explaining *explaining = context;
	(void)more;
	if (explaining->flow_found)
		explain_client(explaining);
	else
		command_done(explaining->command, status ? OUTCOME_REFUSED : OUTCOME_ABSENT, "%s",
			status ? "the audit cannot be read" : "no such flow");
}

static void on_flow(struct flow_gather *flows, const struct ipc_flow *flow)
{
	struct explaining *explaining = (struct explaining *)flows;
	const struct ipc_tls *tls = &flow->client_tls;
	if (flow->id != explaining->flow)
		return;
	take_flow(explaining, flow->zone, &flow->mac, &flow->client.addr, &flow->original);
	if (flow->reason == DECIDE_NEEDS_ENVELOPE)
		take_side(explaining, tls->version, tls->check, tls->peer, flow->client_names,
			flow->client_names_cut);
}

static void on_flows(struct flow_gather *flows)
{
	struct explaining *explaining = (struct explaining *)flows;
	struct audit_filter filter;
	if (explaining->flow_found) {
		explain_client(explaining);
		return;
	}
	audit_filter_init(&filter);
	filter.id = explaining->flow;
	filter.whole = true;
	if (!audit_query(explaining->command->control->audit, &filter, on_record, on_records,
		    explaining))
		command_done(explaining->command, OUTCOME_ABSENT, "no such flow");
}
/* ---- words ---- */

/* Its form was looked at before, in the same way. */
static void take_path(struct command *command, const char *word, unsigned way,
	struct smtp_path *path, bool *given)
{
	const char *text = command_value(command, word);
	size_t used;

	*given = text && smtp_path_parse(path, way | SMTP_PATH_BARE, text, strlen(text), &used) ==
				 SMTP_PATH_GOOD;
}

static bool has_name(void *context, const char *name)
{
	const struct explaining *explaining = context;
	char names[sizeof(explaining->names)], *rest = NULL;

	if (explaining->certificate && decide_same_name(explaining->certificate, name))
		return true;
	memcpy(names, explaining->names, sizeof(names));
	for (char *one = strtok_r(names, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
		if (decide_same_name(one, name))
			return true;
	return false;
}

/* A certificate that is named is valid. false: ended. */
static bool take_tls(struct command *command, struct explaining *explaining)
{
	const char *tls = command_value(command, "tls");

	explaining->certificate = command_value(command, "certificate");
	explaining->tls_given = tls || explaining->certificate;
	explaining->tls = (struct decide_tls){
		.on = explaining->certificate || (tls && strcmp(tls, "none") != 0),
		.verified = explaining->certificate || (tls && strcmp(tls, "verified") == 0),
		.has_name = has_name,
		.context = explaining};
	if (!explaining->certificate || !tls || strcmp(tls, "verified") == 0)
		return true;
	command_usage(command, "a certificate is looked at with `tls verified`, or alone");
	return false;
}

static bool take_words(struct command *command, struct explaining *explaining)
{
	const char *mac = command_value(command, "mac"), *flow = command_value(command, "flow");
	const char *address = command_value(command, "address");
	const char *time = command_value(command, "time");
	const char *destination = command_value(command, "destination");
	struct endpoint *to = &explaining->destination;
	explaining->user = command_value(command, "user");
	explaining->sources = POLICY_SOURCES_ALL;
	if (explaining->user)
		explaining->sources = policy_user_sources(&explaining->user);
	explaining->zone_word = command_value(command, "zone");
	explaining->listener = command_value(command, "listener");
	take_path(command, "sender", 0, &explaining->sender, &explaining->sender_given);
	take_path(command, "recipient", SMTP_PATH_RECIPIENT, &explaining->recipient,
		&explaining->recipient_given);
	if (!take_tls(command, explaining))
		return false;
	explaining->mac_given = mac && mac_parse(mac, strlen(mac), &explaining->mac) == 0;
	if (address)
		addr_parse(address, strlen(address), &explaining->addr);
	if (flow)
		flowid_parse(flow, strlen(flow), &explaining->flow);
	if (time && moment_parse_next(
			    time, loop_wall_ms(command->control->loop), &explaining->at_ms) < 0) {
		command_usage(command, "\"%s\" is no time: " MOMENT_NEXT, time);
		return false;
	}
	if (!destination)
		return true;
	explaining->destination_given = true;
	to->port = 25;
	if (addr_parse(destination, strlen(destination), &to->addr) == 0 ||
		parse_endpoint(destination, to))
		return true;
	command_usage(command, "\"%s\" is no address; a name is not looked up here", destination);
	return false;
}

static struct policy_string string_of(const char *text)
{
	size_t len = strlen(text);

	return (struct policy_string){text, (uint32_t)len, hash_bytes(text, len)};
}

/* Which groups a user has, only who checks his password knows. false: ended. */
static bool take_groups(struct command *command, struct explaining *explaining)
{
	const char *given = command_value(command, "group");
	struct session *login = &explaining->login;
	char *rest = explaining->group_texts = strdup(given ? given : "");

	login->groups = explaining->login_groups;
	for (char *one; rest && *rest;) {
		one = strsep(&rest, ",");
		if (*one == '\0' || login->ngroups == SESSION_GROUPS_MAX) {
			command_usage(command, "\"%s\" is not expected here, but 1 to %d names",
				given, SESSION_GROUPS_MAX);
			return false;
		}
		login->groups[login->ngroups++] = string_of(one);
	}
	return true;
}

/* As if the user had logged in at the listener. false: ended. */
static bool take_login(struct command *command, struct explaining *explaining)
{
	const struct policy *policy = command->control->policy;
	ptrdiff_t index = policy_find_listener(policy, explaining->listener);

	if (policy->listeners[index].auth_names.n == 0) {
		command_usage(command, "nobody can log in at listener %s, it has no `auth`",
			explaining->listener);
		return false;
	}
	if (!(explaining->sources & 1u << POLICY_SOURCE_AUTH)) {
		command_usage(command,
			"\"%s\" logs in at no listener, expected \"%s\" or \"auth:%s\"",
			command_value(command, "user"), explaining->user, explaining->user);
		return false;
	}
	explaining->login.kind = SESSION_AUTH;
	explaining->login.user = string_of(explaining->user);
	if (!take_groups(command, explaining))
		return false;
	explain_step(explaining, explaining->login.ngroups
					 ? "user: as after a login, with these groups"
					 : "user: as after a login, in no group");
	return true;
}

/* A listener has no sessions, and knows its clients by their addresses. false: ended. */
static bool may_listen(struct command *command, struct explaining *explaining)
{
	if (policy_find_listener(command->control->policy, explaining->listener) < 0) {
		command_no_such(command, POLICY_KIND_LISTENER, explaining->listener);
		return false;
	}
	if (explaining->addr.family == ADDR_NONE || explaining->mac_given || explaining->flow) {
		command_usage(command,
			"listener %s knows its clients by their addresses; expected `address`",
			explaining->listener);
		return false;
	}
	return !explaining->user || take_login(command, explaining);
}

static void run_explain(struct command *command)
{
	struct explaining *explaining = command_new_state(command, sizeof(*explaining));
	if (!explaining)
		return;
	explaining->command = command;
	explaining->steps = json_array();
	command->forget = forget;
	if (!take_words(command, explaining))
		return;
	if (command_value(command, "group") && !(explaining->listener && explaining->user)) {
		command_usage(command, "groups are of a `user` at a `listener`");
		return;
	}
	const char *zone = explaining->zone_word;
	if (zone && policy_find_zone(command->control->policy, zone) < 0) {
		command_no_such(command, POLICY_KIND_ZONE, zone);
		return;
	}
	if (explaining->listener) {
		if (may_listen(command, explaining))
			explain_listener(explaining);
		return;
	}
	if (!explaining->flow) {
		explain_client(explaining);
		return;
	}
	explaining->flows.on_flow = on_flow;
	explaining->flows.done = on_flows;
	flow_reports_gather(command->control, &explaining->flows);
}

static const struct command_verb verbs[] = {
	{"", run_explain},
	{NULL, NULL},
};

const struct command_noun command_explain = {"explain", verbs};
