#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show",
		"[ID] [user U] [zone Z] [rule R] [server S] [verdict V] [end E] [address A] "
		"[mac M] [session N] [since 1h] [until T] [limit N]",
		"newest first; one in full with every attempt", TABLE_COLUMNS, VERB_NO_FILE,
		noun_show_flows},
	{0},
};

const struct noun noun_audit = {"audit", "finished flows", verbs};
