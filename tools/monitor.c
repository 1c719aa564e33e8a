#include "tools/noun.h"

static const struct verb verbs[] = {
	{"monitor", "[flow|session|server|policy|refusal]",
		"events as they happen, until interrupted", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_monitor = {"monitor", "live events", verbs};
