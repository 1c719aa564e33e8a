#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "", "counters of all processes, summed", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_counters = {"counters", "every counter with its help", verbs};
