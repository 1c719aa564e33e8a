#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[user U|address A|mac M|zone Z|ID]", "sessions", TABLE_COLUMNS, VERB_NO_FILE,
		NULL},
	{"login", "USER zone Z address A [address P] [mac M] [group G,...] [lease 8h] [idle 30m]",
		"logs a user in, or renews", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"renew", "ID|user U|address A|mac M [lease 8h]", "a new lease for running sessions",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"logout", "ID|user U|address A|mac M|zone Z [--keep-flows|--kill-flows]", "ends sessions",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_session = {"session", "who is logged in", verbs};
