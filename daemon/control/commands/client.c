/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/decision_world.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/request/json_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the words of verdicts: of what the kernel hands to the relay, the relay's decision tells. */
static const char *verdict_name(enum mark mark, const struct decision *decision)
{
	static const enum policy_verdict verdicts[] = {[MARK_RELAY] = POLICY_VERDICT_REDIRECT,
		[MARK_PASS] = POLICY_VERDICT_PASS,
		[MARK_REJECT] = POLICY_VERDICT_REJECT,
		[MARK_DROP] = POLICY_VERDICT_DROP};
	if (mark == MARK_KERNEL)
		return "kernel";
	bool answers = mark == MARK_RELAY && decision->verdict == POLICY_VERDICT_ANSWER;
	return policy_verdict_names[answers ? POLICY_VERDICT_ANSWER : verdicts[mark]];
}

/* Where new connections of the client go, if to one server. */
static json_t *server_of(
	struct control *control, const struct ipc_entry *entry, const struct decision *decision)
{
	const char *name = entry->mark == MARK_KERNEL ? paths_server_of(control->paths, entry->path)
			   : entry->mark == MARK_RELAY && decision->server >= 0
				   ? control->policy->servers[decision->server].name.text
				   : NULL;
	return name ? json_row_text(name) : json_null();
}

struct showing {
	struct question ask; /* first */
	struct command *command;
	const char *zone; /* NULL: any */
};

/* What a new connection of the client to an address that no rule names would meet. */
static void decide_entry(struct control *control, const struct ipc_entry *entry, size_t zone,
	struct decision *decision)
{
	struct decide_world world = decision_world(control);
	struct decide_origin origin = {.zone = zone, .mac = entry->mac, .source = entry->source};
	struct endpoint original = {.addr = {.family = entry->source.family},
		.port = control->policy->zones[zone].ports.v[0]};
	decide_connection(&world, &origin, &original, clock_now_ms(control), decision);
}

static void show_client(struct showing *showing, const struct ipc_client *client)
{
	struct control *control = showing->command->control;
	const struct ipc_entry *entry = &client->entry;
	const struct entry *own = entries_find(control->entries, entry);
	ptrdiff_t zone = policy_find_zone_of(control->policy, entry->ifname, &entry->source);
	const char *zone_name = zone < 0 ? "" : control->policy->zones[zone].name.text;
	struct decision decision = {.rule = -1, .server = -1};
	if (showing->zone && strcmp(showing->zone, zone_name) != 0)
		return;
	if (zone >= 0)
		decide_entry(control, entry, (size_t)zone, &decision);
	json_t *user = decision.session ? json_row_string(&decision.session->user) : json_null();
	json_t *rule = decision.rule >= 0
			       ? json_row_string(&control->policy->rules[decision.rule].name)
			       : json_null();
	command_row(showing->command,
		json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:I, s:I, s:b, s:o}", "zone",
			zone_name, "interface", entry->ifname, "mac", json_row_mac(&entry->mac),
			"address", json_row_addr(&entry->source), "session",
			json_row_session_id(own ? own->session : 0), "user", user, "verdict",
			verdict_name(entry->mark, &decision), "rule", rule, "left_ms",
			(json_int_t)entry->timeout_ms, "packets", (json_int_t)client->packets,
			"known", own != NULL, "server", server_of(control, entry, &decision)));
}

static void on_answer(struct question *ask, const struct ipc_header *ipc)
{
	struct showing *showing = (struct showing *)ask;
	const struct ipc_reply *reply = (const struct ipc_reply *)ipc;
	if (ipc && ipc->type == IPC_CLIENT)
		show_client(showing, (const struct ipc_client *)ipc);
	else if (!ipc)
		command_done(showing->command, OUTCOME_REFUSED, "the keeper does not answer");
	else if (ipc->type == IPC_REPLY && reply->status)
		command_done(showing->command, OUTCOME_REFUSED, "%s", reply->text);
	else
		command_ok(showing->command);
}

static void run_show(struct command *command)
{
	struct showing *showing = command_new_state(command, sizeof(*showing));
	struct ipc_plain question;
	const char *zone = command_value(command, "zone");
	if (!showing)
		return;
	if (zone && policy_find_zone(command->control->policy, zone) < 0) {
		command_no_such(command, POLICY_KIND_ZONE, zone);
		return;
	}
	showing->command = command;
	showing->zone = zone;
	showing->ask.on_answer = on_answer;
	ipc_init(&question, IPC_CLIENTS_GET, sizeof(question));
	question_send(&command->control->keeper_asks, &showing->ask, &question, -1);
}

struct forgetting {
	struct gather gather; /* first */
	struct command *command;
	json_int_t n;
};

static void on_forgotten(struct gather *gather)
{
	struct forgetting *forgetting = (struct forgetting *)gather;
	if (gather->status) {
		command_done(forgetting->command, OUTCOME_REFUSED, "%s", gather->text);
		return;
	}
	if (!forgetting->n)
		command_unchanged(forgetting->command);
	command_row(forgetting->command, json_pack("{s:I}", "forgotten", forgetting->n));
	command_ok(forgetting->command);
}

static void run_forget(struct command *command)
{
	const char *word = command_value(command, "ADDRESS");
	struct forgetting *forgetting = calloc(1, sizeof(*forgetting));
	struct control *control = command->control;
	struct prefix prefix;
	command->state = forgetting;
	if (!forgetting || prefix_parse(word, strlen(word), &prefix) < 0) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	command_log(command);
	forgetting->command = command;
	size_t before = entries_count(control->entries);
	gather_init(&forgetting->gather, on_forgotten);
	entries_drop_prefix(control->entries, &prefix);
	forgetting->n = (json_int_t)(before - entries_count(control->entries));
	entries_send(control->entries, &forgetting->gather);
	gather_end(&forgetting->gather, 0, NULL);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"forget", run_forget},
	{NULL, NULL},
};

const struct command_noun command_client = {"client", verbs};
