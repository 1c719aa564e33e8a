#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[ID|user U|server S|zone Z]",
		"flows with client, user, rule, original, server, state, bytes, age", TABLE_COLUMNS,
		VERB_NO_FILE, noun_show_flows},
	{"kill", "ID|user U|server S", "resets both sides", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_flow = {"flow", "live redirected connections", verbs};
