/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listeners and protected domains, as the policy has them. */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/kernel/listening.h"
#include "daemon/control/request/command.h"

#include "daemon/base/own_address.h"
#include "daemon/control/audit/totals.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/control.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/session/live_flows.h"
#include "lib/policy/element.h"

#include <stdio.h>

static void put_elems(json_t *array, const struct policy_elems *elems)
{
	char text[ELEMENT_TEXT_SIZE];

	for (size_t i = 0; i < elems->n; i++)
		json_array_append_new(array, json_row_text(element_format(&elems->v[i], text)));
}

static void put_strings(json_t *array, const struct policy_strings *strings)
{
	for (size_t i = 0; i < strings->n; i++)
		json_array_append_new(array, json_row_string(&strings->v[i]));
}

/* ---- listener ---- */

static json_t *addresses_of(const struct policy_listener *listener)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listener->naddresses; i++)
		json_array_append_new(array, json_row_addr(&listener->addresses[i]));
	return array;
}

static json_t *ports_of(const struct policy_listener *listener)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listener->ports.n; i++)
		json_array_append_new(array, json_integer(listener->ports.v[i]));
	return array;
}

/* "any", "not" in front of what it is not. */
static json_t *accept_of(const struct policy_listener *listener)
{
	const struct policy_where *accept = &listener->accept;
	json_t *array = json_array();

	if (!accept->given || accept->any)
		json_array_append_new(array, json_string("any"));
	if (accept->negated)
		json_array_append_new(array, json_string("not"));
	put_elems(array, &accept->elems);
	put_strings(array, &accept->list_names);
	return array;
}

static const char *state_of(const struct listening_at *listening, const struct endpoint *at)
{
	if (!listening)
		return "opens";
	if (listening->error)
		return "failed";
	return addr_is_unspecified(&at->addr) || own_address(&at->addr) ? "listens" : "waits";
}

json_t *command_listener_endpoints(
	const struct control *control, const struct policy_listener *listener)
{
	json_t *array = json_array();
	char text[ENDPOINT_TEXT_SIZE + 16];

	for (size_t p = 0; p < listener->ports.n; p++)
		for (size_t a = 0; a < listener->naddresses; a++) {
			const struct endpoint at = {listener->addresses[a], listener->ports.v[p]};
			char where[ENDPOINT_TEXT_SIZE];
			snprintf(text, sizeof(text), "%s %s", endpoint_format(&at, where),
				state_of(listening_find(control, &at, POLICY_TAKER_LISTENER), &at));
			json_array_append_new(array, json_string(text));
		}
	return array;
}

static json_int_t refused(const struct totals_line *line)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < ENDINGS; i++)
		if (ending_class_of((enum ending)i) == ENDING_CLASS_REFUSED)
			sum += line->endings[i];
	return (json_int_t)sum;
}

static void show_listener(struct command *command, const struct policy_listener *listener)
{
	static const struct totals_line none;
	const struct control *control = command->control;
	const struct live_rule live =
		live_flows_listener_of(control->live_flows, listener->name.text);
	const struct totals_line *line =
		totals_find(control->totals, TOTALS_LISTENER, listener->name.text);

	line = line ? line : &none;
	command_row(command,
		json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			  "s:I, "
			  "s:I, s:o}",
			"listener", json_row_string(&listener->name), "addresses",
			addresses_of(listener), "ports", ports_of(listener), "accept",
			accept_of(listener), "tls", policy_tls_names[listener->tls.mode], "auth",
			json_row_strings(listener->auth_names.v, listener->auth_names.n),
			"endpoints", command_listener_endpoints(control, listener), "flows",
			(json_int_t)live.flows, "connections", (json_int_t)live.hits, "refused",
			refused(line), "not_named", (json_int_t)line->endings[ENDING_NOT_NAMED],
			"secured", (json_int_t)line->secured, "logins_passed",
			(json_int_t)line->logins_passed, "logins_refused",
			(json_int_t)line->logins_refused, "logins_later",
			(json_int_t)line->logins_later, "messages", (json_int_t)line->messages,
			"comment", json_row_string(&listener->comment)));
}

static void run_show_listener(struct command *command)
{
	const struct policy *policy = command->control->policy;
	size_t i, end;

	if (!command_named(command, POLICY_KIND_LISTENER, &i, &end))
		return;
	for (; i < end; i++)
		show_listener(command, &policy->listeners[i]);
	command_ok(command);
}

/* ---- domain ---- */

static json_t *names_of(const struct policy_domain *domain)
{
	json_t *array = json_array();

	put_strings(array, &domain->names);
	put_strings(array, &domain->list_names);
	return array;
}

static json_t *recipients_of(const struct policy_domain *domain)
{
	json_t *array = json_array();

	if (!domain->recipients.given)
		json_array_append_new(array, json_string("any"));
	put_elems(array, &domain->recipients.elems);
	put_strings(array, &domain->recipients.list_names);
	return array;
}

static void show_domain(struct command *command, const struct policy_domain *domain)
{
	command_row(command,
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "domain", json_row_string(&domain->name),
			"names", names_of(domain), "server", json_row_string(&domain->server_name),
			"recipients", recipients_of(domain), "comment",
			json_row_string(&domain->comment)));
}

static void run_show_domain(struct command *command)
{
	const struct policy *policy = command->control->policy;
	size_t i, end;

	if (!command_named(command, POLICY_KIND_DOMAIN, &i, &end))
		return;
	for (; i < end; i++)
		show_domain(command, &policy->domains[i]);
	command_ok(command);
}

#define EDITS                                                                    \
	{"add", command_edit}, {"replace", command_edit}, {"set", command_edit}, \
		{"unset", command_edit}, {"delete", command_edit},               \
	{                                                                        \
		NULL, NULL                                                       \
	}

static const struct command_verb listener_verbs[] = {{"show", run_show_listener}, EDITS};
static const struct command_verb domain_verbs[] = {{"show", run_show_domain}, EDITS};

const struct command_noun command_listener = {"listener", listener_verbs};
const struct command_noun command_domain = {"domain", domain_verbs};
