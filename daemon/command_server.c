#include "daemon/command.h"

#include "daemon/control.h"
#include "daemon/live.h"
#include "daemon/row.h"
#include "daemon/server_hosts.h"

/* Flows of the rules that lead to a server. */
static json_int_t flows_of(const struct control *control, size_t server)
{
	json_int_t flows = 0;
	for (size_t i = 0; i < control->policy->nrules; i++) {
		const struct policy_rule *rule = &control->policy->rules[i];
		if (rule->to_server && !rule->to_original && rule->server == server)
			flows += (json_int_t)live_rule_of(control->live, rule->name.text).flows;
	}
	return flows;
}

static void show_host(struct command *command, size_t server, const struct policy_host *host)
{
	const struct control *control = command->control;
	const struct policy_server *of = &control->policy->servers[server];
	struct endpoint endpoint = {.addr = host->addr, .port = host->port};
	struct server_hosts_state state =
		server_hosts_find(control->server_hosts, of->name.text, &endpoint);
	command_row(command, json_pack("{s:o, s:o, s:i, s:i, s:i, s:s, s:o, s:o, s:I}", "server",
				     row_string(&of->name), "host", row_string(&host->name), "port",
				     (int)host->port, "preference", (int)host->preference, "weight",
				     (int)host->weight, "state", server_hosts_words[state.word],
				     "since_at", row_time(state.since_ms), "why",
				     row_text(state.text), "flows", flows_of(control, server)));
}

static void run_show(struct command *command)
{
	const struct policy *policy = command->control->policy;
	const char *name = command_word(command);
	ptrdiff_t index = name ? policy_find_server(policy, name) : -1;
	if (command_peek(command)) {
		command_usage(command, "\"%s\" is not expected here", command_peek(command));
		return;
	}
	if (name && index < 0) {
		command_done(command, COMMAND_REFUSED, "no such server \"%s\"", name);
		return;
	}
	for (size_t i = 0; i < policy->nservers; i++)
		for (size_t j = 0; j < policy->servers[i].nhosts; j++)
			if (!name || (ptrdiff_t)i == index)
				show_host(command, i, &policy->servers[i].hosts[j]);
	command_ok(command);
}

static const struct command_verb verbs[] = {
	{"show", "[NAME]", false, run_show},
	{NULL, NULL, false, NULL},
};

const struct command_noun command_server = {"server", verbs};
