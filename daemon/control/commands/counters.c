/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/request/command.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/facts.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/session/sessions.h"

#include <string.h>

void command_counters_sum(
	struct control *control, const struct facts *facts, uint64_t sum[static COUNTERS])
{
	const struct ipc_kernel_counters *kernel = &facts->counters;
	memcpy(sum, control->counters, COUNTERS * sizeof(sum[0]));
	flow_peers_sum_counters(control->flow_peers, sum);
	sum[COUNTER_SESSIONS] = sessions_in_force(control);
	sum[COUNTER_BLOCKS] = blocks_count(control->blocks);
	sum[COUNTER_ENTRIES] = entries_count(control->entries);
	if (!facts->counters_known)
		return;
	sum[COUNTER_ENTRIES] = kernel->entries;
	sum[COUNTER_STEERED] = kernel->steered;
	sum[COUNTER_QUEUED] = kernel->queued;
	sum[COUNTER_LIMITED] = kernel->limited;
	sum[COUNTER_POSTURE_RESET] = kernel->posture_reset;
	sum[COUNTER_POSTURE_PASSED] = kernel->posture_passed;
	sum[COUNTER_BYPASSED] = kernel->bypassed;
	sum[COUNTER_STRAYS_RESET] = kernel->stray_reset;
	sum[COUNTER_PATHS_BEGUN] = kernel->path_begun;
	sum[COUNTER_PATHS_LOST] = kernel->path_lost;
}

static json_t *row_of(unsigned counter, const char *name, uint64_t value, const char *help)
{
	return json_pack("{s:s, s:I, s:s, s:s}", "counter", name, "value", (json_int_t)value,
		"kind", counter_kind_of(counter) == COUNTER_KIND_GAUGE ? "gauge" : "total", "help",
		help);
}

/* For programs that know it by its former name; the tool shows it to nobody else. */
static void show_former(struct command *command, unsigned counter, uint64_t value)
{
	char help[COUNTER_FORMER_SIZE];
	const char *name = counter_former(counter, help);

	if (!name)
		return;
	json_t *row = row_of(counter, name, value, help);
	json_object_set_new(row, "deprecated", json_true());
	command_row(command, row);
}

static void on_facts(void *context, const struct facts *facts)
{
	struct command *command = context;
	uint64_t sum[COUNTERS];
	command_counters_sum(command->control, facts, sum);
	for (unsigned i = 0; i < COUNTERS; i++) {
		command_row(command, row_of(i, counter_name(i), sum[i], counter_help(i)));
		show_former(command, i, sum[i]);
	}
	command_ok(command);
}

static void run_show(struct command *command)
{
	facts_ask(command->control, on_facts, command);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{NULL, NULL},
};

const struct command_noun command_counters = {"counters", verbs};
