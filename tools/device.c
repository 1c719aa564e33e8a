#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[NAME]", "devices", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"add", "NAME zone Z [mac M,...] [address A,...] user U [group G,...] [comment TEXT]",
		"a new device", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"delete", "NAME", "takes the device out and ends its flows", TABLE_COLUMNS, VERB_NO_FILE,
		NULL},
	{0},
};

const struct noun noun_device = {
	"device", "permanent sessions for hosts that cannot log in", verbs};
