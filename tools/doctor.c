#include "tools/noun.h"

static const struct verb verbs[] = {
	{"doctor", "", "checks the machine; exit status 1 when something is wrong", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_doctor = {
	"doctor", "what breaks transparent proxies, and what to do", verbs};
