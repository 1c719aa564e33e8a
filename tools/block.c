#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[user U|mac M|address A]",
		"who is blocked: why, by which limit, over which flow, until when", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"add", "user U|mac M|address A|NETWORK [zone Z] [421|554] [for 2h] [\"TEXT\"]",
		"ends what the client has running and refuses what comes: 421 with a time, else "
		"554",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"delete", "user U|mac M|address A|NETWORK [zone Z]", "lets the client send again",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_block = {"block", "who may not send, whatever the rules say", verbs};
