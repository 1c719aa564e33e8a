#include "tools/noun.h"

#include <string.h>

/* One record is shown in full, many as a table. */
static int run_show(struct call *call, const struct verb *verb, const char **words, size_t nwords)
{
	struct verb shown = *verb;
	if (nwords == 3 && strncmp(words[2], "f-", 2) == 0)
		shown.style = TABLE_FIELDS;
	return noun_ask(call, &shown, words, nwords, NULL, 0);
}

static const struct verb verbs[] = {
	{"show",
		"[ID] [user U] [zone Z] [rule R] [server S] [verdict V] [end E] [address A] [mac "
		"M] [since 1h] [until T] [limit N]",
		"newest first; one in full with every attempt", TABLE_COLUMNS, VERB_NO_FILE,
		run_show},
	{0},
};

const struct noun noun_audit = {"audit", "finished flows", verbs};
