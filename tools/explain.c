#include "tools/noun.h"

static const struct verb verbs[] = {
	{"explain", "user U|mac M|address A|flow ID [zone Z] [destination D] [time T]",
		"every step to the verdict, from live state; changes nothing", TABLE_FIELDS,
		VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_explain = {"explain", "why a client gets the verdict it gets", verbs};
