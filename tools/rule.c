#include "tools/noun.h"

static const struct verb verbs[] = {
	{"show", "[NAME]", "rules with position, conditions, hits, flows and last hit",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"add", "NAME [first|last|before X|after X] COND... ACTION",
		"a new rule; refused when an earlier one shadows it", TABLE_COLUMNS, VERB_NO_FILE,
		NULL},
	{"replace", "NAME COND... ACTION", "another rule under the same name, in its place",
		TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"delete", "NAME", "takes the rule out", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"move", "NAME first|last|before X|after X", "changes its position", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"enable", "NAME", "takes part again", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"disable", "NAME", "stays where it is and is not looked at", TABLE_COLUMNS, VERB_NO_FILE,
		NULL},
	{0},
};

const struct noun noun_rule = {"rule", "redirect rules, in order", verbs};
