#include "tools/connection.h"
#include "tools/noun.h"

#include <stdio.h>
#include <string.h>

struct dialogue {
	char last[512]; /* the address under which lines stand */
};

static const char *member(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	return text ? text : "";
}

/* As it comes: a host may be slow. */
static void show_line(void *context, const char *json, size_t len)
{
	struct dialogue *dialogue = context;
	json_error_t error;
	json_t *row = json_loadb(json, len, 0, &error);
	const char *kind = member(row, "kind");
	char host[512], text[4096];

	snprintf(host, sizeof(host), "%s %s port %d%s%s", member(row, "host"),
		member(row, "address"), (int)json_integer_value(json_object_get(row, "port")),
		*member(row, "client") ? " for client " : "", member(row, "client"));
	table_format("text", json_object_get(row, "text"), text, sizeof(text));
	if (strcmp(host, dialogue->last) != 0)
		printf("%s%s\n", *dialogue->last ? "\n" : "", host);
	memcpy(dialogue->last, host, sizeof(host));
	if (strcmp(kind, "said") == 0)
		printf("  > %s\n", text);
	else if (strcmp(kind, "heard") == 0)
		printf("  < %s\n", text);
	else
		printf("  %s\n", text);
	fflush(stdout);
	json_decref(row);
}

/* A dialogue reads as one, not as a table. */
static int run_test(struct call *call, const struct verb *verb, const char **words, size_t nwords)
{
	static struct connection_answer answer;
	struct dialogue dialogue = {.last = ""};

	/* which also says why there is no connection */
	if (call->json ||
		(call->connection->fd < 0 && connection_open(call->connection, call->run_dir) < 0))
		return noun_ask(call, verb, words, nwords, NULL, 0);
	memset(&answer, 0, sizeof(answer));
	answer.on_row = show_line;
	answer.context = &dialogue;
	int status = connection_ask(call->connection, words, nwords, NULL, 0, &answer);
	if (*answer.error)
		fprintf(stderr, "%s\n", answer.error);
	if (status == CONNECTION_NO_DAEMON)
		connection_close(call->connection);
	return status;
}

static const struct verb verbs[] = {
	{"show", "[NAME]", "servers and hosts: state, since when, why, flows", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"test", "NAME [user U] [address A] [from A] [to A]",
		"talk to each host as for a flow, up to RCPT and never DATA", TABLE_COLUMNS,
		VERB_NO_FILE, run_test},
	{"drain", "NAME host H", "no new flows to a host, until it is enabled", TABLE_COLUMNS,
		VERB_NO_FILE, NULL},
	{"enable", "NAME host H", "new flows to a host again", TABLE_COLUMNS, VERB_NO_FILE, NULL},
	{0},
};

const struct noun noun_server = {"server", "designated SMTP servers", verbs};
