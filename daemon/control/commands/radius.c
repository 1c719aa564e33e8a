/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources of accounting, as the policy has them and as they fare: who sends, what came of it, and
 * why what was of no use was not. */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/accounting/accounts.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/listening.h"
#include "daemon/control/peers/radius_peer.h"
#include "daemon/control/request/json_row.h"

#include <stdio.h>
#include <string.h>

static json_t *time_of(uint64_t wall_ms)
{
	return wall_ms ? json_row_time(wall_ms) : json_null();
}

/* ---- what the policy says ---- */

static json_t *listen_of(const struct control *control, const struct policy_radius *radius)
{
	json_t *array = json_array();

	for (size_t i = 0; i < radius->naddresses; i++) {
		const struct endpoint at = {radius->addresses[i], radius->port};
		const struct listening_at *found =
			listening_find(control, &at, POLICY_TAKER_RADIUS);
		char where[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE + 16];
		snprintf(text, sizeof(text), "%s %s", endpoint_format(&at, where),
			!found         ? "opens"
			: found->error ? "closed"
				       : "listens");
		json_array_append_new(array, json_string(text));
	}
	return array;
}

static json_t *from_of(const struct policy_radius *radius)
{
	json_t *array = json_array();

	for (size_t i = 0; i < radius->nsources; i++)
		for (size_t j = 0; j < radius->sources[i].prefixes.n; j++)
			json_array_append_new(
				array, json_row_prefix(&radius->sources[i].prefixes.v[j]));
	return array;
}

static json_t *zones_of(const struct policy_radius *radius)
{
	json_t *array = json_array();

	for (size_t i = 0; i < radius->nzones; i++) {
		bool twice = false;
		for (size_t j = 0; j < i && !twice; j++)
			twice = radius->zones[j].zone == radius->zones[i].zone;
		if (!twice)
			json_array_append_new(array, json_row_string(&radius->zones[i].zone_name));
	}
	return array;
}

/* ---- what it is told ---- */

static json_t *sender_row(const struct ipc_radius_sender *sender)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:I}", "source",
		json_row_addr(&sender->source), "packets", (json_int_t)sender->packets, "refused",
		(json_int_t)sender->refused, "limited", (json_int_t)sender->limited, "heard_at",
		time_of(sender->heard_ms), "refused_at", time_of(sender->refused_ms), "why",
		sender->refused ? json_string(radius_verdict_meanings[sender->verdict])
				: json_null(),
		"skew_ms", (json_int_t)sender->skew_ms);
}

static json_t *senders_of(const struct control *control, const struct policy_radius *radius)
{
	size_t n;
	const struct ipc_radius_sender *senders = radius_peer_senders(control->radius, &n);
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		if (strcmp(senders[i].radius, radius->name.text) == 0)
			json_array_append_new(array, sender_row(&senders[i]));
	return array;
}

static json_t *unused_of(const struct radius_counts *told, const struct account_counts *kept)
{
	json_t *object = json_object();

	for (unsigned i = RADIUS_UNUSED_NOTHING + 1; i < RADIUS_UNUSEDS; i++) {
		uint64_t n = told->unused[i] + (kept ? kept->unused[i] : 0);
		if (n)
			json_object_set_new(
				object, radius_unused_names[i], json_integer((json_int_t)n));
	}
	return object;
}

static json_t *refused_of(const struct radius_counts *told)
{
	json_t *object = json_object();

	for (unsigned i = RADIUS_VERDICT_GOOD + 1; i < RADIUS_VERDICTS; i++)
		if (told->verdicts[i])
			json_object_set_new(object, radius_verdict_names[i],
				json_integer((json_int_t)told->verdicts[i]));
	if (told->unlisted)
		json_object_set_new(object, "unlisted", json_integer((json_int_t)told->unlisted));
	if (told->limited)
		json_object_set_new(object, "limited", json_integer((json_int_t)told->limited));
	if (told->crowded)
		json_object_set_new(object, "crowded", json_integer((json_int_t)told->crowded));
	return object;
}

static json_t *counts_row(const struct radius_counts *told, const struct account_counts *kept)
{
	static const struct account_counts none;

	if (!kept)
		kept = &none;
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"packets", (json_int_t)told->packets, "answered", (json_int_t)told->answered,
		"duplicates", (json_int_t)told->duplicates, "starts",
		(json_int_t)told->statuses[RADIUS_STATUS_START], "interims",
		(json_int_t)told->statuses[RADIUS_STATUS_INTERIM], "stops",
		(json_int_t)told->statuses[RADIUS_STATUS_STOP], "opened",
		(json_int_t)kept->acts[RADIUS_ACT_OPEN], "renewed",
		(json_int_t)kept->acts[RADIUS_ACT_RENEW], "ended",
		(json_int_t)kept->acts[RADIUS_ACT_END], "starts_missed",
		(json_int_t)kept->starts_missed, "stops_missed", (json_int_t)kept->stops_missed,
		"restarts", (json_int_t)kept->restarts, "not_stored", (json_int_t)kept->failed,
		"bad_attributes", (json_int_t)told->bad);
}

static const char *state_of(const struct ipc_radius_state *state)
{
	return !state ? "opens" : state->md5 ? "up" : "down";
}

static void show_radius(struct command *command, const struct policy_radius *radius)
{
	const struct control *control = command->control;
	const char *name = radius->name.text;
	const struct ipc_radius_state *state = radius_peer_state(control->radius, name);
	const struct account_counts *kept = accounts_counts(control->accounts, name);
	struct radius_counts told = {0};

	radius_peer_counts(control->radius, name, &told);
	json_t *row = json_pack("{s:o, s:s, s:o, s:o, s:o}", "radius",
		json_row_string(&radius->name), "state", state_of(state), "listen",
		listen_of(control, radius), "from", from_of(radius), "zones", zones_of(radius));
	json_t *counts = counts_row(&told, kept);
	json_object_update(row, counts);
	json_decref(counts);
	json_t *rest = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "unused",
		unused_of(&told, kept), "refused", refused_of(&told), "unlisted_from",
		state ? json_row_addr(&state->unlisted_from) : json_null(), "unlisted_at",
		time_of(state ? state->unlisted_ms : 0), "sources", senders_of(control, radius),
		"counted_at", time_of(state ? state->begun_ms : 0), "timeout_s",
		(json_int_t)radius->timeout_s, "skew_s", (json_int_t)radius->skew_s, "comment",
		json_row_string(&radius->comment));
	json_object_update(row, rest);
	json_decref(rest);
	command_row(command, row);
}

static void run_show(struct command *command)
{
	const struct policy *policy = command->control->policy;
	size_t i, end;

	if (!command_named(command, POLICY_KIND_RADIUS, &i, &end))
		return;
	for (; i < end; i++)
		show_radius(command, &policy->radiuses[i]);
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

const struct command_noun command_radius = {"radius", verbs};
