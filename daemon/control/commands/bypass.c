/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/bypass.h"
#include "daemon/control/kernel/facts.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/request/monitor.h"
#include "lib/language/language.h"

#include <stdlib.h>

static void show_lines(struct command *command)
{
	const struct control *control = command->control;
	uint64_t now_ms = clock_now_ms(control);
	size_t n;
	const struct bypass_line *lines = bypass_lines(control->bypass, &n);
	for (size_t i = 0; i < n; i++) {
		json_int_t left = (json_int_t)((lines[i].until_ms - now_ms + 999) / 1000);
		command_row(
			command, json_pack("{s:s, s:o, s:o, s:I}", "zone",
					 *lines[i].zone ? lines[i].zone : "all", "since_at",
					 json_row_time(clock_to_wall(control, lines[i].since_ms)),
					 "until_at",
					 json_row_time(clock_to_wall(control, lines[i].until_ms)),
					 "left_s", left));
	}
}

static void on_facts(void *context, const struct facts *facts)
{
	struct command *command = context;
	bypass_follow(command->control->bypass, facts);
	show_lines(command);
	command_ok(command);
}

static void run_show(struct command *command)
{
	facts_ask(command->control, on_facts, command);
}

struct switching {
	struct gather gather; /* first */
	struct command *command;
};

static void on_switched(struct gather *gather)
{
	struct command *command = ((struct switching *)gather)->command;
	if (gather->status) {
		command_done(command, OUTCOME_REFUSED, "%s", gather->text);
		return;
	}
	show_lines(command);
	command_ok(command);
}

static void switch_bypass(struct command *command, bool on)
{
	const char *zone = command_value(command, "zone");
	const char *span = on ? command_value(command, "for") : NULL;
	struct control *control = command->control;
	struct switching *switching = command_new_state(command, sizeof(*switching));
	uint64_t ms = 0;
	if (!switching)
		return;
	if (zone && policy_find_zone(control->policy, zone) < 0) {
		command_no_such(command, POLICY_KIND_ZONE, zone);
		return;
	}
	if (span &&
		(language_parse_duration(span, &ms) < 0 || ms < 1000 || ms / 1000 > BYPASS_MAX_S)) {
		command_usage(command, "\"%s\" is no time of 1s to 30d, such as 1h", span);
		return;
	}
	command_warn(command, LOG_ID_BYPASS);
	if (monitor_wanted(control, MONITOR_POLICY))
		monitor_publish(control, MONITOR_POLICY,
			json_pack("{s:s, s:s}", "event", on ? "bypass-on" : "bypass-off", "zone",
				zone ? zone : "all"));
	if (!on && !bypass_covers(control->bypass, zone ? zone : ""))
		command_unchanged(command);
	switching->command = command;
	gather_init(&switching->gather, on_switched);
	bypass_switch(control->bypass, zone ? zone : "", on, ms / 1000, &switching->gather);
	gather_end(&switching->gather, 0, NULL);
}

static void run_on(struct command *command)
{
	switch_bypass(command, true);
}

static void run_off(struct command *command)
{
	switch_bypass(command, false);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"on", run_on},
	{"off", run_off},
	{NULL, NULL},
};

const struct command_noun command_bypass = {"bypass", verbs};
