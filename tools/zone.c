#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[NAME]", "zones, interfaces present and missing, sessions, packets",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_zone = {"zone", "zones with their interfaces and sessions", verbs};
