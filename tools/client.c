#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[zone Z]", "MAC, address, session, verdict, rule, time left, hits", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"forget", "ADDRESS", "the next connection asks the daemon again", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_client = {"client", "the kernel's view of clients", verbs};
