/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/show/complete.h"

#include "lib/record/ending.h"
#include "lib/record/login_ending.h"
#include "lib/record/message_ending.h"

#include <jansson.h>
#include <string.h>

#define WAIT_S 2 /* somebody's key is pressed */

/* Where names of a kind stand: a field of what control shows. */
static const struct source {
	enum verb_value type;
	const char *noun, *verb, *field;
	const char *by; /* only of what this noun deletes */
} sources[] = {
	{VERB_USER, "block", "show", "who", "block"},
	{VERB_MAC, "block", "show", "who", "block"},
	{VERB_NETWORK, "block", "show", "who", "block"},
	{VERB_ZONE, "zone", "show", "zone", NULL},
	{VERB_SERVER, "server", "show", "server", NULL},
	{VERB_HOST, "server", "show", "host", NULL},
	{VERB_RULE, "rule", "show", "rule", NULL},
	{VERB_CERTIFICATE, "certificate", "show", "certificate", NULL},
	{VERB_AUTH, "auth", "show", "auth", NULL},
	{VERB_SCAN, "scan", "show", "scan", NULL},
	{VERB_RADIUS, "radius", "show", "radius", NULL},
	{VERB_PORTAL, "portal", "show", "portal", NULL},
	{VERB_DEVICE, "device", "show", "device", NULL},
	{VERB_LIST, "list", "show", "list", NULL},
	{VERB_LISTENER, "listener", "show", "listener", NULL},
	{VERB_DOMAIN, "domain", "show", "domain", NULL},
	{VERB_USER, "session", "show", "user", NULL},
	{VERB_SESSION, "session", "show", "session", NULL},
	{VERB_FLOW, "flow", "show", "flow", NULL},
	{VERB_MESSAGE, "message", "show", "message", NULL},
	{VERB_POLICY, "policy", "history", "policy", NULL},
	{VERB_MAC, "session", "show", "mac", NULL},
	{VERB_ADDRESS, "client", "show", "address", NULL},
	{VERB_NETWORK, "client", "show", "address", NULL},
	{VERB_NETWORKS, "client", "show", "address", NULL},
};

/* The command line that is being completed. */
struct asked {
	struct call *call;
	const struct verb_noun *noun;
	const struct verb *verb;
};

static void put_field(void *context, const char *json, size_t len)
{
	json_t *row = json_loadb(json, len, 0, NULL);
	const json_t *value = json_object_get(row, context);
	if (json_is_string(value))
		puts(json_string_value(value));
	else if (json_is_integer(value))
		printf("%lld\n", (long long)json_integer_value(value));
	json_decref(row);
}

static void put_names(struct call *call, const struct source *source)
{
	static struct connection_answer answer;
	const char *words[] = {source->noun, source->verb};
	struct connection connection;
	if (connection_open(&connection, call->run_dir, WAIT_S) < 0)
		return;
	answer = (struct connection_answer){
		.on_row = put_field, .context = (void *)(uintptr_t)source->field};
	connection_ask(&connection, words, 2, NULL, 0, &answer);
	connection_close(&connection);
}

static void put_words(const char *words)
{
	while (words && *words) {
		size_t len = strcspn(words, "|");
		printf("%.*s\n", (int)len, words);
		words += len + (words[len] == '|');
	}
}

static void put_values(const struct asked *asked, enum verb_value type, const char *choices)
{
	if (type == VERB_CHOICE)
		put_words(choices);
	if (type == VERB_FILE || type == VERB_PATH)
		puts("@file");
	for (size_t i = 0; type == VERB_ENDING && i < ENDINGS; i++)
		puts(ending_names[i]);
	for (size_t i = 0; type == VERB_ENDING && i < LOGIN_ENDINGS; i++)
		puts(login_ending_names[i]);
	for (unsigned i = 0; type == VERB_OUTCOME && i < MESSAGE_ENDINGS; i++)
		puts(message_ending_name(i));
	bool deletes = strcmp(asked->verb->name, "delete") == 0;
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		const struct source *source = &sources[i];
		bool own = source->by && deletes && strcmp(source->by, asked->noun->name) == 0;
		if (source->type != type || (source->by && !own))
			continue;
		put_names(asked->call, source);
		return;
	}
}

/* In the language's words the one in front says what comes. */
static void put_rest(const struct asked *asked, const struct verb_part *part, const char *before)
{
	static const struct {
		const char *word;
		enum verb_value type;
		const char *more;
		const char *noun; /* NULL: of any */
	} known[] = {{"zone", VERB_ZONE, "", NULL},
		{"user", VERB_CHOICE, "cui|user-name|mac", "radius"},
		{"user", VERB_USER, "any|not", NULL}, {"server", VERB_SERVER, "original", NULL},
		{"source", VERB_LIST, "not|any", NULL}, {"destination", VERB_LIST, "not|any", NULL},
		{"mac", VERB_MAC, "", NULL}, {"address", VERB_ADDRESS, "", NULL},
		{"host", VERB_HOST, "", NULL},
		{"verdict", VERB_CHOICE, "answer|pass|reject|drop", NULL},
		{"certificate", VERB_CERTIFICATE, "none", "portal"},
		{"certificate", VERB_CERTIFICATE, "", NULL},
		{"client", VERB_CHOICE, "none|request|check|require", NULL},
		{"tls", VERB_CHOICE, "none|offer|require|immediate", "zone"},
		{"tls", VERB_CHOICE, "none|offer|require|verify|pin", "server"},
		{"tls", VERB_CHOICE, "any|not|verified", "rule"},
		{"file", VERB_PATH, "", "certificate"}, {"key", VERB_PATH, "", "certificate"},
		{"auth", VERB_AUTH, "", "listener"}, {"auth", VERB_AUTH, "none", "portal"},
		{"file", VERB_PATH, "", "auth"}, {"scan", VERB_SCAN, "none", "rule"},
		{"mode", VERB_CHOICE, "stream|whole", "scan"},
		{"on-failure", VERB_CHOICE, "tempfail|accept|reject", "scan"},
		{"quarantine", VERB_CHOICE, "tempfail|reject", "scan"},
		{"restart", VERB_CHOICE, "end|keep", "radius"},
		{"group", VERB_CHOICE, "class|filter-id", "radius"},
		{"file", VERB_PATH, "", "portal"}, {"texts", VERB_PATH, "", "portal"},
		{"clamav", VERB_PATH, "", "scan"}, {"dovecot", VERB_PATH, "", "auth"},
		{"forward", VERB_SERVER, "", "auth"}, {"file", VERB_PATH, "", "server"},
		{"ca", VERB_PATH, "", NULL}, {"secret", VERB_CHOICE, "file", NULL}};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].word, before) != 0 ||
			(known[i].noun && strcmp(known[i].noun, asked->noun->name) != 0))
			continue;
		put_words(known[i].more);
		put_values(asked, known[i].type, "");
		return;
	}
	put_words(part->words);
}

static void put_part(const struct asked *asked, const struct verb_part *part, const char *before)
{
	switch (part->kind) {
	case VERB_ARGUMENT:
		put_values(asked, part->type, part->value);
		break;
	case VERB_KEYWORD:
	case VERB_OPTION:
		puts(part->name);
		break;
	case VERB_REST:
		put_rest(asked, part, before);
		break;
	}
}

static void put_nouns(void)
{
	for (size_t i = 0; verb_nouns[i]; i++)
		puts(verb_nouns[i]->name);
	puts("help");
}

static void put_verbs(const struct verb_noun *noun)
{
	for (const struct verb *verb = noun->verbs; verb->name; verb++)
		if (!(verb->traits & VERB_HIDDEN))
			puts(verb->name);
}

void complete_run(struct call *call, const char *const *words, size_t nwords)
{
	const struct verb_part *parts[VERB_PARTS_MAX];
	bool is_value;
	if (nwords == 0 || (nwords == 1 && strcmp(words[0], "help") == 0)) {
		put_nouns();
		return;
	}
	const struct verb_noun *noun = verb_find_noun(words[0]);
	if (noun && nwords == 1 && !verb_is_noun(noun)) {
		put_verbs(noun);
		return;
	}
	size_t used = noun && verb_is_noun(noun) ? 1 : 2;
	const struct verb *verb = !noun       ? NULL
				  : used == 1 ? noun->verbs
					      : verb_find(noun, words[1]);
	struct asked asked = {.call = call, .noun = noun, .verb = verb};
	size_t n = verb ? verb_next(verb, words + used, nwords - used, parts, &is_value) : 0;
	for (size_t i = 0; i < n; i++) {
		if (is_value)
			put_values(&asked, parts[i]->type, parts[i]->value);
		else
			put_part(&asked, parts[i], words[nwords - 1]);
	}
}
