/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/unknown_names.h"

#include "daemon/control/control.h"
#include "lib/base/container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Health holds a list with names that it asks for the first time for a second. */
#define WAIT_MS 2000

static bool has_names(const struct policy_server *server)
{
	for (size_t i = 0; i < server->nhosts; i++)
		if (server->hosts[i].addr.family == ADDR_NONE)
			return true;
	return false;
}

static bool all_are_told(const struct control *control)
{
	const struct policy *policy = control->policy;
	for (size_t i = 0; i < policy->nservers; i++)
		if (has_names(&policy->servers[i]) && !health_peer_is_told(control->health, i))
			return false;
	return true;
}

static void warn(FILE *out, const struct policy *policy, const struct policy_server *server,
	const struct ipc_target *target, bool told)
{
	const struct policy_host *host = &server->hosts[target->line];
	const char *why = !told           ? "is not looked up yet"
			  : *target->text ? target->text
					  : "has no address";
	fprintf(out, "%s:%u:%u: warning: server %s: %s %s\n",
		host->place.file < policy->nfiles ? policy->files[host->place.file] : "policy",
		(unsigned)host->place.line, (unsigned)host->place.column, server->name.text,
		target->name, why);
}

static void warn_of_server(FILE *out, const struct control *control, size_t index)
{
	const struct policy_server *server = &control->policy->servers[index];
	const struct ipc_targets *targets = health_peer_targets(control->health, index);
	bool told = health_peer_is_told(control->health, index);

	for (uint32_t i = 0; targets && i < targets->n; i++) {
		const struct ipc_target *target = &targets->v[i];
		if (target->line < server->nhosts && ipc_target_addresses(target) == 0 &&
			server->hosts[target->line].addr.family == ADDR_NONE)
			warn(out, control->policy, server, target, told);
	}
}

static void finish(struct unknown_names *unknown_names)
{
	const struct control *control = unknown_names->control;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	loop_timer_clear(control->loop, &unknown_names->deadline);
	health_peer_unwatch(control->health, &unknown_names->watch);
	for (size_t i = 0; out && i < control->policy->nservers; i++)
		if (has_names(&control->policy->servers[i]))
			warn_of_server(out, control, i);
	if (out && fclose(out) != 0)
		len = 0;
	unknown_names->done(unknown_names, len > 0 ? text : NULL);
	free(text);
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	finish(container_of(timer, struct unknown_names, deadline));
}

static void on_given_up(struct health_watch *watch)
{
	finish((struct unknown_names *)watch);
}

static void on_told(struct health_watch *watch)
{
	struct unknown_names *unknown_names = (struct unknown_names *)watch;

	if (all_are_told(unknown_names->control))
		finish(unknown_names);
}

void unknown_names_ask(struct unknown_names *unknown_names, struct control *control,
	void (*done)(struct unknown_names *unknown_names, const char *warnings))
{
	memset(unknown_names, 0, sizeof(*unknown_names));
	unknown_names->control = control;
	unknown_names->watch.on_told = on_told;
	unknown_names->watch.on_given_up = on_given_up;
	unknown_names->deadline.on_time = on_deadline;
	unknown_names->done = done;
	if (control->closing || all_are_told(control)) {
		finish(unknown_names);
		return;
	}
	health_peer_watch(control->health, &unknown_names->watch);
	loop_timer_set(
		control->loop, &unknown_names->deadline, loop_now_ms(control->loop) + WAIT_MS);
}
