#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "", "the level in force", TABLE_FIELDS, VERB_NO_FILE, NULL},
	{"level", "error|warning|info|debug", "changes the level until the next start",
		TABLE_FIELDS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_log = {"log", "how much is logged", verbs};
