#include "tools/noun.h"

static const struct verb verbs[] = {
	{"status", "", "everything at a glance; exit status 1 when something is wrong",
		TABLE_FIELDS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_status = {
	"status", "one screen: zones, servers, flows, refusals, trouble", verbs};
