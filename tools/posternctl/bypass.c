/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/daemon.h"
#include "tools/posternctl/noun.h"

#include "lib/language/language.h"

#include <string.h>
#include <unistd.h>

/* `posternd --bypass` programs the kernel's table itself, past a daemon that hangs, too. */
static int past_control(struct call *call, const struct verb *verb, const struct verb_words *given)
{
	bool on = strcmp(verb->name, "on") == 0;
	const char *zone = verb_value(given, "zone"), *span = on ? verb_value(given, "for") : NULL;
	const char *command[8] = {"", "--bypass", verb->name};
	char seconds[32];
	uint64_t ms;
	size_t n = 3;
	if (zone) {
		command[n++] = "--zone";
		command[n++] = zone;
	}
	if (span && language_parse_duration(span, &ms) == 0) {
		snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)(ms / 1000));
		command[n++] = "--for";
		command[n++] = seconds;
	}
	fputs("posternctl: no daemon does it; the bypass is set in the kernel's table itself\n",
		stderr);
	int status = daemon_run(command, -1); /* 2 is wrong usage there, too */
	if (status == CONNECTION_DONE)
		return call_done(call, OUTCOME_DONE, true, "");
	return call_fail(call, status == CONNECTION_USAGE ? OUTCOME_USAGE : OUTCOME_REFUSED, NULL,
		"the bypass is as it was");
}

/* In every state of the daemon: control gets a moment, then root does it alone. */
int bypass_run(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	call->forgives = geteuid() == 0;
	int status = call_ask(call, verb, words, nwords, NULL, 0);
	call->forgives = false;
	return call->forgave ? past_control(call, verb, given) : status;
}
