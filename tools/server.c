#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[NAME]", "servers and hosts: state, since when, why, flows", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_server = {"server", "designated SMTP servers", verbs};
