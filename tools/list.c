#include "tools/noun.h"

/* `list` is a noun here, so its verb `list` cannot be told from one: show has no other word. */
static const struct verb verbs[] = {
	{"show", "[NAME [match ADDRESS|MAC]]",
		"lists, or a list's entries, or the entry that matches", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"add", "NAME ELEMENT... [timeout 2h]", "adds entries to a dynamic list", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"remove", "NAME ELEMENT...", "removes entries", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"clear", "NAME", "removes every entry", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"replace", "NAME ELEMENT...", "these entries in place of all", TABLE_COLUMNS, VERB_NO_FILE,
		NULL},
	{"import", "NAME FILE|- [--dry-run]",
		"a file's entries in place of all, or what would change", TABLE_COLUMNS,
		VERB_NAME_FILE, NULL},
	{"export", "NAME", "the entries, importable", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{"reload", "NAME", "reads a list's file anew", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_list = {"list", "named lists of addresses, networks and MACs", verbs};
