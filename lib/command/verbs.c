/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of all that may be typed (verb.h), in the order of the manual. */
#include "lib/command/verb.h"

/* clang-format off */
#define PARTS(...) (const struct verb_part[]){__VA_ARGS__, {0}}
#define ARGUMENT(name, type, flags, group)      {VERB_ARGUMENT, name, name, type, flags, group, NULL}
#define KEYWORD(name, value, type, flags, group) {VERB_KEYWORD, name, value, type, flags, group, NULL}
#define WORD(name, flags, group)                {VERB_KEYWORD, name, NULL, VERB_TEXT, flags, group, NULL}
#define OPTION(name, value, type, flags, group) {VERB_OPTION, name, value, type, flags, group, NULL}
#define FLAG(name, flags, group)                {VERB_OPTION, name, NULL, VERB_TEXT, flags, group, NULL}
#define STATEMENT(usage, words)                 {VERB_REST, "STATEMENT", usage, VERB_TEXT, VERB_NEEDED | VERB_EMPTY, 0, words}
#define RULE_WORDS   "zone|listener|user|group|port|source|destination|schedule|sender|recipient|tls|server|verdict|scan|limit|audit|disabled|comment"
#define DEVICE_WORDS "zone|mac|address|user|group|comment"
#define CERTIFICATE_WORDS "file|key"
#define AUTH_WORDS   "ldap|forward|dovecot|file|mechanism|domain|comment"
#define SCAN_WORDS   "milter|clamav|mode|on-failure|deadline|quarantine|comment"
#define RADIUS_WORDS "listen|from|zone|user|ignore|group|timeout|skew|restart|comment"
#define PORTAL_WORDS "zone|name|address|port|http|certificate|auth|terms|logo|texts|comment"
#define TOP_WORDS    "audit|drain|hostname|limit|log|metrics|on-failure"
#define ZONE_WORDS   "interface|network|port|identity|unauthenticated|unmatched|on-failure|lease|idle|reauthenticate|on-logout|on-link-down|level|newline|tls|limit|comment"
#define SERVER_WORDS "host|mx|bind|announce|probe|deadline|limit|trace|path|tls|account|comment"
#define LISTENER_WORDS "address|port|accept|tls|auth|newline|unmatched|limit|comment"
#define DOMAIN_WORDS "name|server|recipient|comment"
/* replace, set and unset of a kind of statement. Of one whose clauses are all needed none can be
 * taken out. */
#define CHANGES_OF_NEEDED(type, usage, words) \
	{"replace", "another under the same name, in its place; says what goes", \
		VERB_CHANGES | VERB_EDITS, 0, PARTS(NAME(type), OPENS, EMPTIES, STATEMENT(usage, words))}, \
	{"set", "puts clauses in, or in place of those that are known by the same", \
		VERB_CHANGES | VERB_EDITS, 0, PARTS(NAME(type), OPENS, EMPTIES, STATEMENT("CLAUSE...", words))}
#define CHANGES(type, usage, words) \
	CHANGES_OF_NEEDED(type, usage, words), \
	{"unset", "takes clauses out: by the first word, and by what tells several apart", \
		VERB_CHANGES | VERB_EDITS, 0, PARTS(NAME(type), OPENS, EMPTIES, STATEMENT("CLAUSE...", words))}
#define NAME(type)                              ARGUMENT("NAME", type, VERB_NEEDED, 0)
#define SOME_NAME(type)                         ARGUMENT("NAME", type, VERB_FIRST, 0)
#define EMPTIES                                 FLAG("--allow-empty", 0, 0)
#define OPENS                                   FLAG("--allow-open", 0, 0)
#define COLUMNS                                 OPTION("--columns", "C,...", VERB_TEXT, 0, 0)
#define CONFIRM                                 OPTION("--confirm", "60s", VERB_DURATION, 0, 0)
#define POSITIONS(flags) \
	WORD("first", (flags) | VERB_ALONE, 1), WORD("last", (flags) | VERB_ALONE, 1), \
	KEYWORD("before", "X", VERB_RULE, (flags) | VERB_ALONE, 1), \
	KEYWORD("after", "X", VERB_RULE, (flags) | VERB_ALONE, 1)

static const struct verb status[] = {
	{"", "everything at a glance; exit status 1 when something is wrong", VERB_FIELDS | VERB_AT_DESK, 0, NULL},
	{0},
};

static const struct verb policy[] = {
	{"show", "the running policy, or number N, in its own language", VERB_PLAIN, 0,
		PARTS(ARGUMENT("N", VERB_POLICY, 0, 0), FLAG("--full", VERB_ALONE, 1),
			FLAG("--source", VERB_ALONE, 1))},
	{"check", "checks a file; needs no daemon", VERB_LOCAL | VERB_PLAIN, 0,
		PARTS(ARGUMENT("FILE|-", VERB_FILE, VERB_NEEDED, 0))},
	{"apply", "all or nothing; with --confirm the old one returns unless confirmed in time",
		VERB_CHANGES, 120,
		PARTS(ARGUMENT("FILE|-", VERB_FILE, 0, 0), CONFIRM,
			OPTION("--base", "N", VERB_POLICY, VERB_ALONE, 2),
			FLAG("--discard-edits", VERB_ALONE, 2), OPENS, EMPTIES)},
	{"set", "puts a setting in, in place of the one of the same first word", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(OPENS, STATEMENT("SETTING", TOP_WORDS))},
	{"unset", "takes a setting out, by its first word", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(OPENS, STATEMENT("SETTING", TOP_WORDS))},
	{"confirm", "keeps what was applied with --confirm, or only number N", VERB_CHANGES, 0,
		PARTS(ARGUMENT("N", VERB_POLICY, 0, 0))},
	{"edit", "the running policy in $EDITOR, checked and applied", VERB_LOCAL | VERB_CHANGES,
		120, PARTS(CONFIRM, OPENS, EMPTIES)},
	{"history", "the last policies as they were applied", 0, 0, PARTS(COLUMNS)},
	{"diff", "the running policy against number N, the file, or what is to be applied; exit "
		 "status 1 when they differ", VERB_PLAIN, 0,
		PARTS(WORD("file", VERB_ALONE, 1), ARGUMENT("N", VERB_POLICY, VERB_ALONE, 1),
			ARGUMENT("FILE|-", VERB_FILE, VERB_ALONE, 1))},
	{"rollback", "the policy before, or number N, again", VERB_CHANGES, 120,
		PARTS(ARGUMENT("N", VERB_POLICY, 0, 0), OPENS, EMPTIES)},
	{"save", "writes the running policy to the file; the former one becomes FILE~",
		VERB_CHANGES, 0, PARTS(ARGUMENT("FILE", VERB_PATH, 0, 0))},
	{"saved", "posternctl has written the file", VERB_CHANGES | VERB_HIDDEN, 0, NULL},
	{"batch", "some statements as one change", VERB_CHANGES | VERB_HIDDEN, 120,
		PARTS(ARGUMENT("FILE|-", VERB_FILE, VERB_NEEDED, 0))},
	{0},
};

static const struct verb rule[] = {
	{"show", "rules with position, conditions, hits, flows and last hit", 0, 0,
		PARTS(SOME_NAME(VERB_RULE), COLUMNS)},
	{"add", "a new rule; refused when an earlier one shadows it", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), POSITIONS(0), OPENS, STATEMENT("COND... ACTION", RULE_WORDS))},
	CHANGES(VERB_RULE, "COND... ACTION", RULE_WORDS),
	{"delete", "takes the rule out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_RULE), OPENS, EMPTIES)},
	{"move", "changes its position", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_RULE), POSITIONS(VERB_NEEDED), OPENS)},
	{"enable", "takes part again", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_RULE), OPENS)},
	{"disable", "stays where it is and is not looked at", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_RULE), OPENS)},
	{0},
};

static const struct verb zone[] = {
	{"show", "zones, interfaces present and missing, sessions, packets", 0, 0,
		PARTS(SOME_NAME(VERB_ZONE), COLUMNS)},
	{"add", "a new zone, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", ZONE_WORDS))},
	CHANGES(VERB_ZONE, "CLAUSE...", ZONE_WORDS),
	{"delete", "takes the zone out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_ZONE), OPENS, EMPTIES)},
	{0},
};

static const struct verb server[] = {
	{"show", "servers and hosts: state, since when, why, flows", 0, 0,
		PARTS(SOME_NAME(VERB_SERVER), COLUMNS)},
	{"add", "a new server, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", SERVER_WORDS))},
	CHANGES(VERB_SERVER, "CLAUSE...", SERVER_WORDS),
	{"delete", "takes the server out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_SERVER), OPENS)},
	{"test", "talk to each host as for a flow, up to RCPT and never DATA", 0, 600,
		PARTS(NAME(VERB_SERVER), KEYWORD("user", "U", VERB_USER, 0, 0),
			KEYWORD("address", "A", VERB_ADDRESS, 0, 0),
			KEYWORD("from", "A", VERB_TEXT, 0, 0), KEYWORD("to", "A", VERB_TEXT, 0, 0))},
	{"drain", "no new flows to a host, until it is enabled", VERB_CHANGES, 0,
		PARTS(NAME(VERB_SERVER), KEYWORD("host", "H", VERB_HOST, VERB_NEEDED, 0),
			KEYWORD("port", "N", VERB_NUMBER, 0, 0))},
	{"enable", "new flows to a host again", VERB_CHANGES, 0,
		PARTS(NAME(VERB_SERVER), KEYWORD("host", "H", VERB_HOST, VERB_NEEDED, 0),
			KEYWORD("port", "N", VERB_NUMBER, 0, 0))},
	{0},
};

static const struct verb listener[] = {
	{"show", "where the gateway takes mail by itself, and from whom", 0, 0,
		PARTS(SOME_NAME(VERB_LISTENER), COLUMNS)},
	{"add", "a new listener, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", LISTENER_WORDS))},
	CHANGES(VERB_LISTENER, "CLAUSE...", LISTENER_WORDS),
	{"delete", "takes the listener out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_LISTENER), OPENS)},
	{0},
};

static const struct verb domain[] = {
	{"show", "protected domains: names, server, recipients", 0, 0,
		PARTS(SOME_NAME(VERB_DOMAIN), COLUMNS)},
	{"add", "a new domain, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", DOMAIN_WORDS))},
	CHANGES(VERB_DOMAIN, "CLAUSE...", DOMAIN_WORDS),
	{"delete", "takes the domain out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_DOMAIN), OPENS)},
	{0},
};

static const struct verb certificate[] = {
	{"show", "certificates: names, who signed, when they end, who uses them", 0, 0,
		PARTS(SOME_NAME(VERB_CERTIFICATE), COLUMNS)},
	{"reload", "reads the files again now; what is bad leaves what there was", VERB_CHANGES, 0,
		PARTS(SOME_NAME(VERB_CERTIFICATE))},
	{"add", "a new certificate, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("file F key F", CERTIFICATE_WORDS))},
	CHANGES_OF_NEEDED(VERB_CERTIFICATE, "CLAUSE...", CERTIFICATE_WORDS),
	{"delete", "takes the certificate out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_CERTIFICATE), OPENS)},
	{0},
};

static const struct verb auth[] = {
	{"show", "where passwords are checked: whether it answers, how often it was asked", 0, 0,
		PARTS(SOME_NAME(VERB_AUTH), COLUMNS)},
	{"add", "a new place, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", AUTH_WORDS))},
	CHANGES(VERB_AUTH, "CLAUSE...", AUTH_WORDS),
	{"delete", "takes the place out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_AUTH), OPENS)},
	{"password", "asks for a password and makes the user's line for `auth file`",
		VERB_LOCAL | VERB_PLAIN, 0,
		PARTS(ARGUMENT("USER", VERB_USER, VERB_NEEDED, 0),
			KEYWORD("group", "G,...", VERB_TEXT, 0, 0),
			KEYWORD("mail", "A,...", VERB_TEXT, 0, 0))},
	{"test", "asks for a user's password and lets it be checked as a flow's", VERB_SECRET, 60,
		PARTS(NAME(VERB_AUTH), KEYWORD("user", "U", VERB_USER, VERB_NEEDED, 0))},
	{0},
};

static const struct verb scan[] = {
	{"show", "what judges messages, and by which rules it is asked", 0, 0,
		PARTS(SOME_NAME(VERB_SCAN), COLUMNS)},
	{"add", "a new scan, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", SCAN_WORDS))},
	CHANGES(VERB_SCAN, "CLAUSE...", SCAN_WORDS),
	{"delete", "takes the scan out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_SCAN), OPENS)},
	{"test", "has a mail judged as one of a flow, and shows what the scan says", VERB_FIELDS, 700,
		PARTS(NAME(VERB_SCAN), ARGUMENT("FILE|-", VERB_FILE, VERB_NEEDED, 0),
			KEYWORD("user", "U", VERB_USER, 0, 0),
			KEYWORD("address", "A", VERB_ADDRESS, 0, 0),
			KEYWORD("from", "A", VERB_TEXT, 0, 0), KEYWORD("to", "A", VERB_TEXT, 0, 0))},
	{0},
};

static const struct verb radius[] = {
	{"show", "who sends accounting packets, and what comes of them", 0, 0,
		PARTS(SOME_NAME(VERB_RADIUS), COLUMNS)},
	{"add", "a new source of accounting, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", RADIUS_WORDS))},
	CHANGES(VERB_RADIUS, "CLAUSE...", RADIUS_WORDS),
	{"delete", "takes it out; its sessions last as long as they were told to",
		VERB_CHANGES | VERB_EDITS, 0, PARTS(NAME(VERB_RADIUS), OPENS)},
	{0},
};

static const struct verb portal[] = {
	{"show", "login pages: where they are, logins, failures, who is shut out", 0, 0,
		PARTS(SOME_NAME(VERB_PORTAL), COLUMNS)},
	{"add", "a new login page, in the file's own words", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("CLAUSE...", PORTAL_WORDS))},
	CHANGES(VERB_PORTAL, "CLAUSE...", PORTAL_WORDS),
	{"delete", "takes it away; who is logged in stays so", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_PORTAL), OPENS)},
	{0},
};

static const struct verb device[] = {
	{"show", "devices", 0, 0, PARTS(SOME_NAME(VERB_DEVICE), COLUMNS)},
	{"add", "a new device", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS,
			STATEMENT("zone Z [mac M,...|LIST] [address A,...|LIST] user U [group G,...] "
			     "[comment TEXT]", DEVICE_WORDS))},
	CHANGES(VERB_DEVICE, "CLAUSE...", DEVICE_WORDS),
	{"delete", "takes the device out and ends its flows", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_DEVICE), OPENS)},
	{0},
};

static const struct verb list[] = {
	{"show", "lists, or a list's entries, or whether one matches", VERB_AT_DESK, 0,
		PARTS(SOME_NAME(VERB_LIST), KEYWORD("match", "ADDRESS|MAC", VERB_TEXT, 0, 0), COLUMNS)},
	{"create", "a new list", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_TEXT), OPENS, STATEMENT("[address|mail|host] dynamic|file F|{ ELEMENT, ... }", "address|mail|host|dynamic|file"))},
	{"set", "the list is of this from now on; says what goes", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_LIST), OPENS, EMPTIES, STATEMENT("[address|mail|host] dynamic|file F|{ ELEMENT, ... }", "address|mail|host|dynamic|file"))},
	{"delete", "takes the list out", VERB_CHANGES | VERB_EDITS, 0,
		PARTS(NAME(VERB_LIST), OPENS)},
	{"add", "adds entries to a dynamic list", VERB_CHANGES | VERB_AT_DESK, 0,
		PARTS(NAME(VERB_LIST), ARGUMENT("ELEMENT", VERB_ELEMENT, VERB_NEEDED | VERB_MANY, 0),
			KEYWORD("timeout", "2h", VERB_DURATION, 0, 0))},
	{"remove", "removes entries", VERB_CHANGES | VERB_AT_DESK, 0,
		PARTS(NAME(VERB_LIST),
			ARGUMENT("ELEMENT", VERB_ELEMENT, VERB_NEEDED | VERB_MANY, 0))},
	{"clear", "removes every entry", VERB_CHANGES, 0, PARTS(NAME(VERB_LIST))},
	{"replace", "these entries in place of all", VERB_CHANGES, 0,
		PARTS(NAME(VERB_LIST),
			ARGUMENT("ELEMENT", VERB_ELEMENT, VERB_NEEDED | VERB_MANY, 0))},
	{"import", "a file's entries in place of all, or beside them, or what would change", VERB_CHANGES, 120,
		PARTS(NAME(VERB_LIST), ARGUMENT("FILE|-", VERB_FILE, VERB_NEEDED, 0),
			FLAG("--dry-run", 0, 0), FLAG("--merge", 0, 0), EMPTIES)},
	{"export", "the entries, importable", VERB_PLAIN, 0, PARTS(NAME(VERB_LIST))},
	{"reload", "reads a list's file anew", VERB_CHANGES, 120,
		PARTS(NAME(VERB_LIST), OPENS, EMPTIES)},
	{0},
};

static const struct verb session[] = {
	{"show", "sessions", VERB_AT_SESSION | VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ID", VERB_SESSION, VERB_ALONE, 1),
			KEYWORD("user", "U", VERB_USER, 0, 1),
			KEYWORD("address", "A", VERB_NETWORK, VERB_ALONE, 1),
			KEYWORD("mac", "M", VERB_MAC, VERB_ALONE, 1),
			KEYWORD("zone", "Z", VERB_ZONE, 0, 1), COLUMNS)},
	{"login", "logs a user in, or renews", VERB_CHANGES | VERB_AT_SESSION | VERB_AT_DESK, 0,
		PARTS(ARGUMENT("USER", VERB_USER, VERB_NEEDED, 0),
			KEYWORD("zone", "Z", VERB_ZONE, VERB_NEEDED, 0),
			KEYWORD("address", "A", VERB_NETWORKS, VERB_MANY, 0),
			KEYWORD("mac", "M", VERB_MAC, 0, 0),
			KEYWORD("group", "G,...", VERB_TEXT, VERB_EMPTY, 0),
			KEYWORD("lease", "8h", VERB_SPAN, 0, 0),
			KEYWORD("idle", "30m", VERB_SPAN, 0, 0))},
	{"renew", "a new lease for running sessions", VERB_CHANGES | VERB_AT_SESSION | VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ID", VERB_SESSION, VERB_NEEDED | VERB_ALONE, 1),
			KEYWORD("user", "U", VERB_USER, VERB_NEEDED, 1),
			KEYWORD("address", "A", VERB_NETWORK, VERB_NEEDED | VERB_ALONE, 1),
			KEYWORD("mac", "M", VERB_MAC, VERB_NEEDED | VERB_ALONE, 1),
			KEYWORD("zone", "Z", VERB_ZONE, VERB_NEEDED, 1),
			KEYWORD("lease", "8h", VERB_SPAN, 0, 0))},
	{"logout", "ends sessions", VERB_CHANGES | VERB_AT_SESSION | VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ID", VERB_SESSION, VERB_NEEDED | VERB_ALONE, 1),
			KEYWORD("user", "U", VERB_USER, VERB_NEEDED, 1),
			KEYWORD("address", "A", VERB_NETWORK, VERB_NEEDED | VERB_ALONE, 1),
			KEYWORD("mac", "M", VERB_MAC, VERB_NEEDED | VERB_ALONE, 1),
			KEYWORD("zone", "Z", VERB_ZONE, VERB_NEEDED, 1),
			FLAG("--keep-flows", VERB_ALONE, 2), FLAG("--kill-flows", VERB_ALONE, 2))},
	{0},
};

#define CLIENT(flags) \
	KEYWORD("user", "U", VERB_USER, (flags) | VERB_ALONE, 1), \
	KEYWORD("mac", "M", VERB_MAC, (flags) | VERB_ALONE, 1), \
	KEYWORD("address", "A", VERB_NETWORK, (flags) | VERB_ALONE, 1)

static const struct verb block[] = {
	{"show", "who is blocked: why, by which limit, over which flow, until when", VERB_AT_DESK, 0,
		PARTS(CLIENT(0), COLUMNS)},
	{"add", "ends what the client has running and refuses what comes: 421 with a time, else 554",
		VERB_CHANGES | VERB_AT_DESK, 0,
		PARTS(CLIENT(VERB_NEEDED), KEYWORD("zone", "Z", VERB_ZONE, 0, 0),
			WORD("421", VERB_ALONE, 2), WORD("554", VERB_ALONE, 2),
			KEYWORD("for", "2h", VERB_DURATION, 0, 0),
			ARGUMENT("TEXT", VERB_TEXT, 0, 0))},
	{"delete", "lets the client send again", VERB_CHANGES | VERB_AT_DESK, 0,
		PARTS(CLIENT(VERB_NEEDED), KEYWORD("zone", "Z", VERB_ZONE, 0, 0))},
	{0},
};

static const struct verb client[] = {
	{"show", "MAC, address, session, verdict, rule, time left, hits", VERB_AT_DESK, 0,
		PARTS(KEYWORD("zone", "Z", VERB_ZONE, 0, 0), COLUMNS)},
	{"forget", "the next connection asks the daemon again", VERB_CHANGES | VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ADDRESS", VERB_NETWORK, VERB_NEEDED, 0))},
	{0},
};

static const struct verb flow[] = {
	{"show", "flows with client, user, rule, original, server, state, bytes, age", VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ID", VERB_FLOW, 0, 1), KEYWORD("user", "U", VERB_USER, 0, 1),
			KEYWORD("server", "S", VERB_SERVER, 0, 1),
			KEYWORD("zone", "Z", VERB_ZONE, 0, 1),
			KEYWORD("listener", "L", VERB_LISTENER, 0, 1), FLAG("--whole", 0, 0), COLUMNS)},
	{"kill", "resets both sides", VERB_CHANGES | VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ID", VERB_FLOW, VERB_NEEDED, 1),
			KEYWORD("user", "U", VERB_USER, VERB_NEEDED, 1),
			KEYWORD("server", "S", VERB_SERVER, VERB_NEEDED, 1),
			KEYWORD("zone", "Z", VERB_ZONE, VERB_NEEDED, 1),
			KEYWORD("listener", "L", VERB_LISTENER, VERB_NEEDED, 1))},
	{0},
};

static const struct verb explain[] = {
	{"", "every step to the verdict, from live state; changes nothing", VERB_FIELDS | VERB_AT_DESK, 0,
		PARTS(KEYWORD("user", "U", VERB_USER, VERB_NEEDED, 1),
			KEYWORD("mac", "M", VERB_MAC, VERB_NEEDED, 1),
			KEYWORD("address", "A", VERB_ADDRESS, VERB_NEEDED, 1),
			KEYWORD("flow", "ID", VERB_FLOW, VERB_NEEDED, 1),
			KEYWORD("zone", "Z", VERB_ZONE, VERB_ALONE, 2),
			KEYWORD("listener", "L", VERB_LISTENER, VERB_ALONE, 2),
			KEYWORD("group", "G,...", VERB_TEXT, 0, 0),
			KEYWORD("destination", "D", VERB_ENDPOINT, 0, 0),
			KEYWORD("sender", "S", VERB_SENDER, 0, 0),
			KEYWORD("recipient", "R", VERB_RECIPIENT, 0, 0),
			KEYWORD("tls", "none|any|verified", VERB_CHOICE, 0, 0),
			KEYWORD("certificate", "NAME", VERB_TEXT, 0, 0),
			KEYWORD("time", "T", VERB_TIME, 0, 0))},
	{0},
};

static const struct verb audit[] = {
	{"show", "newest first; one in full with every attempt", VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ID", VERB_FLOW, 0, 0), KEYWORD("user", "U", VERB_USER, 0, 0),
			KEYWORD("zone", "Z", VERB_ZONE, 0, 0),
			KEYWORD("listener", "L", VERB_LISTENER, 0, 0),
			KEYWORD("rule", "R", VERB_RULE, 0, 0), KEYWORD("server", "S", VERB_SERVER, 0, 0),
			KEYWORD("verdict", "redirect|answer|pass|reject|drop", VERB_CHOICE, 0, 0),
			KEYWORD("end", "E", VERB_ENDING, 0, 0),
			KEYWORD("address", "A", VERB_NETWORK, 0, 0),
			KEYWORD("original", "A", VERB_NETWORK, 0, 0),
			KEYWORD("mac", "M", VERB_MAC, 0, 0),
			KEYWORD("session", "N", VERB_NUMBER, 0, 0),
			KEYWORD("gateway-port", "N", VERB_NUMBER, 0, 0),
			KEYWORD("reply", "WORD", VERB_TEXT, 0, 0),
			KEYWORD("since", "1h", VERB_TIME, 0, 0),
			KEYWORD("until", "T", VERB_TIME, 0, 0),
			KEYWORD("limit", "N|all", VERB_ROWS, 0, 0), FLAG("--whole", 0, 0), COLUMNS)},
	{0},
};

static const struct verb message[] = {
	{"show", "newest first; one in full with every recipient", VERB_AT_DESK, 0,
		PARTS(ARGUMENT("ID", VERB_MESSAGE, 0, 0), KEYWORD("sender", "S", VERB_TEXT, 0, 0),
			KEYWORD("recipient", "R", VERB_TEXT, 0, 0),
			KEYWORD("user", "U", VERB_USER, 0, 0),
			KEYWORD("queue", "Q", VERB_TEXT, 0, 0),
			KEYWORD("message-id", "M", VERB_TEXT, 0, 0),
			KEYWORD("flow", "F", VERB_FLOW, 0, 0),
			KEYWORD("end", "E", VERB_OUTCOME, 0, 0),
			KEYWORD("since", "1h", VERB_TIME, 0, 0),
			KEYWORD("until", "T", VERB_TIME, 0, 0),
			KEYWORD("limit", "N|all", VERB_ROWS, 0, 0), FLAG("--whole", 0, 0), COLUMNS)},
	{0},
};

static const struct verb queue[] = {
	{"show", "what waits in the queue beside the gateway, with user and flow; one in full", VERB_LOCAL, 0,
		PARTS(ARGUMENT("ID", VERB_QUEUED, 0, 0), COLUMNS)},
	{"hold", "keeps messages where they are until they are released", VERB_LOCAL | VERB_CHANGES, 0,
		PARTS(ARGUMENT("ID|all", VERB_ALL_QUEUED, VERB_NEEDED | VERB_MANY, 0))},
	{"release", "lets held messages go on", VERB_LOCAL | VERB_CHANGES, 0,
		PARTS(ARGUMENT("ID|all", VERB_ALL_QUEUED, VERB_NEEDED | VERB_MANY, 0))},
	{"delete", "throws messages away; their senders hear nothing", VERB_LOCAL | VERB_CHANGES, 0,
		PARTS(ARGUMENT("ID|all", VERB_ALL_QUEUED, VERB_NEEDED | VERB_MANY, 0))},
	{"flush", "tries now what waits for its next time: all, or one", VERB_LOCAL | VERB_CHANGES, 0,
		PARTS(ARGUMENT("ID|all", VERB_ALL_QUEUED, 0, 0))},
	{0},
};

static const struct verb monitor[] = {
	{"", "events as they happen, until interrupted", 0, VERB_WAIT_EVER,
		PARTS(WORD("flow", 0, 1), WORD("session", 0, 1), WORD("server", 0, 1),
			WORD("policy", 0, 1), WORD("refusal", 0, 1), WORD("message", 0, 1))},
	{0},
};

static const struct verb bypass[] = {
	{"show", "which zones are bypassed, and until when", 0, 0, PARTS(COLUMNS)},
	{"on", "everything passes, redirected by nobody; ends by itself, after 1h if not said",
		VERB_CHANGES, 3,
		PARTS(KEYWORD("zone", "Z", VERB_ZONE, 0, 0),
			KEYWORD("for", "1h", VERB_DURATION, 0, 0))},
	{"off", "back to the rules", VERB_CHANGES, 3, PARTS(KEYWORD("zone", "Z", VERB_ZONE, 0, 0))},
	{0},
};

static const struct verb counters[] = {
	{"show", "counters of all processes, summed", 0, 0, PARTS(COLUMNS)},
	{0},
};

static const struct verb logging[] = {
	{"show", "the level in force", VERB_FIELDS, 0, NULL},
	{"level", "changes the level until the next start", VERB_CHANGES | VERB_FIELDS, 0,
		PARTS(ARGUMENT("error|warning|info|debug", VERB_CHOICE, VERB_NEEDED, 0))},
	{0},
};

static const struct verb doctor[] = {
	{"", "checks the machine; exit status 1 when something is wrong", 0, 60, PARTS(COLUMNS)},
	{0},
};
/* clang-format on */

#define NOUN(name, help, verbs, none, none_such)   \
	&(const struct verb_noun)                  \
	{                                          \
		name, help, verbs, none, none_such \
	}

/* clang-format off */
const struct verb_noun *const verb_nouns[] = {
	NOUN("status", "one screen: zones, servers, flows, refusals, trouble", status, NULL, NULL),
	NOUN("policy", "the configuration: check, apply, history", policy, NULL, NULL),
	NOUN("rule", "redirect rules, in order", rule, "no rules", "no rules"),
	NOUN("zone", "zones with their interfaces and sessions", zone, "no zones", "no zones"),
	NOUN("server", "designated SMTP servers", server, "no servers", "no hosts"),
	NOUN("certificate", "certificates with their keys", certificate, "no certificates", "no certificates"),
	NOUN("auth", "where users' passwords are checked", auth, "no auth", "no auth"),
	NOUN("scan", "what judges messages before they are taken", scan, "no scans", "no scans"),
	NOUN("radius", "accounting packets as a source of sessions", radius, "no radius", "no radius"),
	NOUN("portal", "pages where guests log in", portal, "no portals", "no portals"),
	NOUN("listener", "where the gateway takes mail in its own name", listener, "no listeners", "no listeners"),
	NOUN("domain", "protected domains, whose mail is incoming", domain, "no domains", "no domains"),
	NOUN("device", "permanent sessions for hosts that cannot log in", device, "no devices", "no devices"),
	NOUN("list", "named lists of addresses, of mail addresses or of hosts", list, "no lists", "the list is empty"),
	NOUN("session", "who is logged in", session, "no sessions", "no such sessions"),
	NOUN("block", "who may not send, whatever the rules say", block, "nobody is blocked", "not blocked"),
	NOUN("client", "the kernel's view of clients", client, "the kernel knows no clients", "the kernel knows no clients of this zone"),
	NOUN("flow", "live redirected connections", flow, "no flows", "no such flows"),
	NOUN("explain", "why a client gets the verdict it gets", explain, NULL, NULL),
	NOUN("audit", "finished flows", audit, "no records", "no such records"),
	NOUN("message", "finished messages of flows that are read", message, "no messages", "no such messages"),
	NOUN("queue", "what waits in the queue beside the gateway", queue, "the queue is empty", "the queue is empty"),
	NOUN("monitor", "live events", monitor, NULL, NULL),
	NOUN("bypass", "everything passes, for emergencies", bypass, "no bypass is on", NULL),
	NOUN("counters", "every counter with its help", counters, NULL, NULL),
	NOUN("log", "how much is logged", logging, NULL, NULL),
	NOUN("doctor", "what breaks transparent proxies, and what to do", doctor, NULL, NULL),
	NULL,
};
/* clang-format on */
