#include "tools/noun.h"

#include "lib/language.h"

#include <unistd.h>

/* With no daemon the kernel's table is programmed by `posternd --bypass`, which needs root. */
static int without_daemon(
	const struct call *call, const struct verb *verb, const struct verb_words *given)
{
	const char *zone = verb_value(given, "zone");
	const char *span =
		*verb->name == 'o' && verb->name[1] == 'n' ? verb_value(given, "for") : NULL;
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
	if (geteuid() != 0)
		return call_fail(call, OUTCOME_NO_DAEMON, NULL,
			"with no daemon only root may switch the bypass");
	fputs("posternctl: no daemon; the bypass is set in the kernel's table itself\n", stderr);
	return noun_run_daemon(command) == 0
		       ? call_done(call, OUTCOME_DONE, "")
		       : call_fail(call, OUTCOME_REFUSED, NULL, "the bypass is as it was");
}

int bypass_run(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	if (call->connection->fd < 0 &&
		connection_open(call->connection, call->run_dir, verb->wait_s) < 0)
		return without_daemon(call, verb, given);
	return call_ask(call, verb, words, nwords, NULL, 0);
}
