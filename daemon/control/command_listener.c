/* Listeners and protected domains, as the policy has them. */
#include "daemon/control/command.h"

#include "daemon/control/control.h"
#include "daemon/control/row.h"
#include "lib/element.h"

static void put_elems(json_t *array, const struct policy_elems *elems)
{
	char text[ELEMENT_TEXT_SIZE];

	for (size_t i = 0; i < elems->n; i++)
		json_array_append_new(array, row_text(element_format(&elems->v[i], text)));
}

static void put_strings(json_t *array, const struct policy_strings *strings)
{
	for (size_t i = 0; i < strings->n; i++)
		json_array_append_new(array, row_string(&strings->v[i]));
}

/* ---- listener ---- */

static json_t *addresses_of(const struct policy_listener *listener)
{
	json_t *array = json_array();

	for (size_t i = 0; i < listener->naddresses; i++)
		json_array_append_new(array, row_addr(&listener->addresses[i]));
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

static void show_listener(struct command *command, const struct policy_listener *listener)
{
	command_row(command,
		json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "listener", row_string(&listener->name),
			"addresses", addresses_of(listener), "ports", ports_of(listener), "accept",
			accept_of(listener), "tls", policy_tls_names[listener->tls.mode], "comment",
			row_string(&listener->comment)));
}

static void run_show_listener(struct command *command)
{
	const struct policy *policy = command->control->policy;
	const char *name = command_value(command, "NAME");
	ptrdiff_t index = name ? policy_find_listener(policy, name) : -1;

	if (name && index < 0) {
		command_no_such(command, POLICY_KIND_LISTENER, name);
		return;
	}
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (!name || (size_t)index == i)
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
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "domain", row_string(&domain->name), "names",
			names_of(domain), "server", row_string(&domain->server_name), "recipients",
			recipients_of(domain), "comment", row_string(&domain->comment)));
}

static void run_show_domain(struct command *command)
{
	const struct policy *policy = command->control->policy;
	const char *name = command_value(command, "NAME");
	ptrdiff_t index = name ? policy_find_domain(policy, name) : -1;

	if (name && index < 0) {
		command_no_such(command, POLICY_KIND_DOMAIN, name);
		return;
	}
	for (size_t i = 0; i < policy->ndomains; i++)
		if (!name || (size_t)index == i)
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
