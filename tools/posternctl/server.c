/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/noun.h"
#include "tools/posternctl/show/cell.h"

#include <stdlib.h>
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
	cell_format("text", json_object_get(row, "text"), text, sizeof(text));
	if (strcmp(host, dialogue->last) != 0)
		printf("%s%s\n", *dialogue->last ? "\n" : "", host);
	memcpy(dialogue->last, host, sizeof(host));
	if (strcmp(kind, "said") == 0)
		printf("  > %s\n", text);
	else if (strcmp(kind, "heard") == 0)
		printf("  < %s\n", text);
	else if (strcmp(kind, "tls") == 0)
		printf("  = %s\n", text);
	else
		printf("  %s\n", text);
	fflush(stdout);
	json_decref(row);
}

/* A dialogue reads as one, not as a table. */
int server_test(struct call *call, const struct verb *verb, const struct verb_words *given,
	const char *const *words, size_t nwords)
{
	static struct connection_answer answer;
	struct dialogue dialogue = {.last = ""};
	(void)given;
	if (call->json)
		return call_ask(call, verb, words, nwords, NULL, 0);
	int status = call_open(call, verb);
	if (status)
		return status;
	answer = (struct connection_answer){.on_row = show_line, .context = &dialogue};
	status = connection_ask(call->connection, words, nwords, NULL, 0, &answer);
	call_show_error(&answer);
	free(answer.outcome);
	if (status == CONNECTION_NO_DAEMON)
		connection_close(call->connection);
	return status;
}
