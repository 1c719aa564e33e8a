#include "tools/connection.h"
#include "tools/noun.h"

#include "lib/language.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* With no daemon the kernel's table is programmed by `posternd --bypass`, which needs root. */
static int bypass_without_daemon(const char **words, size_t nwords)
{
	const char *command[8] = {"", "--bypass", words[1]};
	char seconds[32];
	size_t n = 3;
	for (size_t i = 2; i + 1 < nwords; i += 2) {
		uint64_t ms;
		if (strcmp(words[i], "zone") == 0 && n < 6) {
			command[n++] = "--zone";
			command[n++] = words[i + 1];
		} else if (strcmp(words[i], "for") == 0 && n < 6 &&
			   language_parse_duration(words[i + 1], &ms) == 0) {
			snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)(ms / 1000));
			command[n++] = "--for";
			command[n++] = seconds;
		} else {
			return CONNECTION_USAGE;
		}
	}
	if (nwords % 2)
		return CONNECTION_USAGE;
	if (geteuid() != 0) {
		fputs("posternctl: with no daemon only root may switch the bypass\n", stderr);
		return CONNECTION_NO_DAEMON;
	}
	fputs("posternctl: no daemon; the bypass is set in the kernel's table itself\n", stderr);
	command[n] = NULL;
	int status = noun_run_daemon(command); /* 2 is wrong usage there, too */
	return status == CONNECTION_DONE || status == CONNECTION_USAGE ? status
								       : CONNECTION_REFUSED;
}

static int run_bypass(struct call *call, const struct verb *verb, const char **words, size_t nwords)
{
	struct connection probe;
	if (call->connection->fd < 0) {
		if (connection_open(&probe, call->run_dir) == 0)
			*call->connection = probe;
		else if (strcmp(words[1], "show") != 0)
			return bypass_without_daemon(words, nwords);
	}
	return noun_ask(call, verb, words, nwords, NULL, 0);
}

static const struct verb verbs[] = {
	{"show", "", "which zones are bypassed, and until when", TABLE_COLUMNS, VERB_NO_FILE,
		run_bypass},
	{"on", "[zone Z] [for 1h]",
		"everything passes, redirected by nobody; ends by itself, after 1h if not said",
		TABLE_COLUMNS, VERB_NO_FILE, run_bypass},
	{"off", "[zone Z]", "back to the rules", TABLE_COLUMNS, VERB_NO_FILE, run_bypass},
	{0},
};

const struct noun noun_bypass = {"bypass", "everything passes, for emergencies", verbs};
