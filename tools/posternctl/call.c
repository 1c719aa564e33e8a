/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/call.h"
#include "tools/posternctl/show/logfmt.h"
#include "tools/posternctl/show/rows.h"

#include "lib/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON of our own ---- */

/* What was typed may be any bytes, JSON is UTF-8. */
static json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char *shown = string ? NULL : strdup(text);
	if (shown) {
		text_blank(shown);
		string = json_string(shown);
	}
	free(shown);
	return string ? string : json_string("");
}

static json_t *outcome_object(int status, const char *code, const char *message)
{
	return json_pack("{s:i, s:s, s:o, s:n, s:n, s:n, s:n, s:n, s:b, s:[], s:[], s:n}", "status",
		status, "code", code, "message", json_text(message), "file", "line", "column",
		"expected", "near", "changed", false, "removed", "warnings", "policy");
}

static void put_object(json_t *object)
{
	json_dumpf(object, stdout, 0);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}

static int fail(struct call *call, enum outcome outcome, const struct verb_error *error,
	const char *file, unsigned line, const char *text)
{
	if (call->forgives) {
		call->forgave = true;
		return outcome_status(outcome);
	}
	if (file)
		fprintf(stderr, "posternctl: %s:%u: %s\n", file, line, text);
	else
		fprintf(stderr, "posternctl: %s\n", text);
	if (!call->json)
		return outcome_status(outcome);
	json_t *object = outcome_object(outcome_status(outcome), outcome_word(outcome), text);
	if (error && *error->expected)
		json_object_set_new(object, "expected", json_string(error->expected));
	if (error && error->near)
		json_object_set_new(object, "near", json_string(error->near));
	if (file) {
		json_object_set_new(object, "file", json_text(file));
		json_object_set_new(object, "line", json_integer(line));
	}
	json_object_set_new(object, "error", json_text(text));
	put_object(object);
	return outcome_status(outcome);
}

int call_fail(struct call *call, enum outcome outcome, const struct verb_error *error,
	const char *format, ...)
{
	char text[4096];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(call, outcome, error, NULL, 0, text);
}

int call_fail_at(struct call *call, enum outcome outcome, const struct verb_error *error,
	const char *file, unsigned line, const char *format, ...)
{
	char text[4096];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(call, outcome, error, file, line, text);
}

int call_done(const struct call *call, enum outcome outcome, bool changed, const char *text)
{
	json_t *object = outcome_object(outcome_status(outcome), outcome_word(outcome), text);
	json_object_set_new(object, "changed", json_boolean(changed));
	if (call->json)
		put_object(json_incref(object));
	else if (*text)
		puts(text);
	json_decref(object);
	return outcome_status(outcome);
}

enum outcome call_outcome(
	const struct connection_answer *answer, int status, unsigned long long *policy)
{
	json_t *object = answer->outcome ? json_loads(answer->outcome, 0, NULL) : NULL;
	const char *code = json_string_value(json_object_get(object, "code"));
	enum outcome outcome = code                             ? outcome_find(code)
			       : status == CONNECTION_NO_DAEMON ? OUTCOME_NO_DAEMON
			       : status == CONNECTION_DONE      ? OUTCOME_DONE
								: OUTCOME_REFUSED;
	if (policy)
		*policy = (unsigned long long)json_integer_value(json_object_get(object, "policy"));
	json_decref(object);
	return outcome;
}

/* ---- an answer as it comes ---- */

struct shown {
	struct call *call;
	const struct verb *verb;
	struct connection_answer *answer;
	struct rows table;
	json_t *rows; /* of a change, with -j */
	char *text;   /* with -j */
	size_t text_len;
	bool any_event;
};

/* Nobody reads on, or there is no room: what still comes is not waited for. A change is done in any
 * case, and its end is told. */
static void look_at_output(struct shown *shown)
{
	if (ferror(stdout) && !(shown->verb->traits & VERB_CHANGES))
		shown->answer->enough = true;
}

static void show_row(void *context, const char *json, size_t len)
{
	struct shown *shown = context;
	if (shown->rows)
		json_array_append_new(shown->rows, json_loadb(json, len, 0, NULL));
	else
		rows_row(&shown->table, json, len);
	look_at_output(shown);
}

static void show_text(void *context, const char *text, size_t len)
{
	struct shown *shown = context;
	if (!shown->call->json) {
		fwrite(text, 1, len, stdout);
		look_at_output(shown);
		return;
	}
	char *more = realloc(shown->text, shown->text_len + len + 1);
	if (!more)
		return;
	memcpy(more + shown->text_len, text, len);
	shown->text = more;
	shown->text_len += len;
}

static void show_event(void *context, const char *json, size_t len)
{
	struct shown *shown = context;
	json_t *event = json_loadb(json, len, 0, NULL);
	shown->any_event = true;
	if (shown->call->json) {
		printf("%.*s\n", (int)len, json);
	} else if (event) {
		logfmt_show(event, stdout);
	}
	json_decref(event);
	fflush(stdout);
	look_at_output(shown);
}

/* Something is shown as rows: what only shows and came to its end, with rows or without. */
static bool is_array(const struct shown *shown, int status)
{
	bool any = shown->table.shown || json_array_size(shown->table.rows);
	bool shows = !shown->rows && !shown->any_event && !(shown->verb->traits & VERB_PLAIN);
	return any || (shows && status == CONNECTION_DONE);
}

/* All there is to say of the end, with the rows and the text of a change. */
static void put_outcome(struct shown *shown, int status, const struct connection_answer *answer)
{
	json_t *object = answer->outcome ? json_loads(answer->outcome, 0, NULL) : NULL;
	if (!object)
		object = outcome_object(status,
			outcome_word(answer->timed_out                ? OUTCOME_NO_ANSWER
				     : status == CONNECTION_NO_DAEMON ? OUTCOME_NO_DAEMON
								      : OUTCOME_REFUSED),
			answer->error);
	if (*answer->error)
		json_object_set_new(object, "error", json_string_nocheck(answer->error));
	if (shown->text || ((shown->verb->traits & VERB_PLAIN) && status == CONNECTION_DONE))
		json_object_set_new(object, "text",
			json_stringn_nocheck(shown->text ? shown->text : "", shown->text_len));
	if (json_array_size(shown->rows))
		json_object_set(object, "rows", shown->rows);
	put_object(object);
}

/* A checker's line says already that it is a warning. */
static bool says(const char *line, const char *before)
{
	return strcmp(before, "warning: ") == 0 && strstr(line, before);
}

static void say_lines(
	const struct connection_answer *answer, const char *member, FILE *out, const char *before)
{
	json_t *object = answer->outcome ? json_loads(answer->outcome, 0, NULL) : NULL;
	size_t i;
	json_t *line;
	json_array_foreach(json_object_get(object, member), i, line)
	{
		const char *text = json_string_value(line);
		fprintf(out, "%s%s\n", says(text, before) ? "" : before, text);
	}
	json_decref(object);
}

/* One that has a place in a file says by itself that it is a warning. */
static void say_warnings(const struct connection_answer *answer)
{
	json_t *object = answer->outcome ? json_loads(answer->outcome, 0, NULL) : NULL;
	size_t i;
	json_t *line;
	json_array_foreach(json_object_get(object, "warnings"), i, line)
	{
		const char *text = json_string_value(line);
		bool placed = strstr(text, ": warning: ") != NULL;
		fprintf(stderr, "%s%s%s\n", placed && *text != '<' ? "" : "posternctl: ",
			placed ? "" : "warning: ", text);
	}
	json_decref(object);
}

/* A place in a file begins its line, as every checker has it. */
static bool begins_with_file(const struct connection_answer *answer)
{
	json_t *object = answer->outcome ? json_loads(answer->outcome, 0, NULL) : NULL;
	const char *file = json_string_value(json_object_get(object, "file"));
	bool begins = file && *file != '<' && strncmp(answer->error, file, strlen(file)) == 0;
	json_decref(object);
	return begins;
}

void call_show_error(const struct connection_answer *answer)
{
	size_t len = strlen(answer->error);
	if (len)
		fprintf(stderr, "%s%s%s",
			begins_with_file(answer) ? "" : "posternctl: ", answer->error,
			answer->error[len - 1] == '\n' ? "" : "\n");
}

static void show_end(struct shown *shown, int status, const struct connection_answer *answer)
{
	bool json = shown->call->json;
	if (!json)
		say_lines(answer, "removed", stdout, "- ");
	bool any = shown->table.shown || json_array_size(shown->table.rows);
	if (!json || is_array(shown, status))
		rows_end(&shown->table);
	else if (!shown->any_event)
		put_outcome(shown, status, answer);
	if (!json && !any && status == CONNECTION_DONE && shown->call->none)
		puts(shown->call->none);
	fflush(stdout);
	say_warnings(answer);
	if (status || json)
		call_show_error(answer);
	else if (*answer->error) /* what is said where nothing is wrong is no error */
		puts(answer->error);
	fflush(stdout);
}

/* Was it control that failed, and not who asked? */
static bool could_not(int status, const struct connection_answer *answer)
{
	json_t *object = answer->outcome ? json_loads(answer->outcome, 0, NULL) : NULL;
	const char *code = json_string_value(json_object_get(object, "code"));
	bool absent = code && strcmp(code, outcome_word(OUTCOME_ABSENT)) == 0;
	json_decref(object);
	return (status == CONNECTION_NO_DAEMON || status == CONNECTION_REFUSED) && !absent;
}

static void forget(struct shown *shown)
{
	rows_drop(&shown->table);
	json_decref(shown->rows);
	free(shown->text);
}

int call_open(struct call *call, const struct verb *verb)
{
	unsigned wait_s = verb && verb->wait_s ? verb->wait_s : VERB_WAIT_S;
	if (call->wait_s && wait_s != VERB_WAIT_EVER)
		wait_s = call->wait_s;
	if (call->connection->fd >= 0) {
		connection_wait(call->connection, wait_s);
		return 0;
	}
	int error = connection_open(call->connection, call->run_dir, wait_s);
	if (error == 0)
		return 0;
	if (error == -EACCES)
		return call_fail(call, OUTCOME_DENIED, NULL,
			"%.400s/control.sock: permission denied (for root and group postern)",
			call->run_dir);
	if (error == -EAGAIN)
		return call_fail(call, OUTCOME_NO_ANSWER, NULL,
			"posternd does not answer at %.400s/control.sock", call->run_dir);
	return call_fail(call, OUTCOME_NO_DAEMON, NULL,
		"no daemon answers at %.400s/control.sock: %s\n"
		"is posternd running? other run folder: posternctl --run DIR ...",
		call->run_dir, strerror(-error));
}

static enum rows_style style_of(const struct call *call, const struct verb *verb)
{
	if (call->json)
		return ROWS_JSON;
	return verb->traits & VERB_FIELDS ? ROWS_FIELDS : ROWS_COLUMNS;
}

/* What not every session has. */
static const char *const of_session[] = {
	"reauthenticate_left_s", "nas", "terms", "aside_left_s", NULL};

int call_ask(struct call *call, const struct verb *verb, const char *const *words, size_t nwords,
	const char *body, size_t body_len)
{
	int status = call_open(call, verb);
	if (status)
		return status;
	static struct connection_answer answer;
	struct shown shown = {.call = call, .verb = verb, .answer = &answer};
	if (call->json && (verb->traits & VERB_CHANGES))
		shown.rows = json_array();
	rows_begin(&shown.table, style_of(call, verb), call->columns, stdout);
	if (nwords && strcmp(words[0], "session") == 0)
		shown.table.optional = of_session;
	answer = (struct connection_answer){.on_row = show_row,
		.on_text = show_text,
		.on_event = show_event,
		.context = &shown};
	status = connection_ask(call->connection, words, nwords, body, body_len, &answer);
	call->forgave = call->forgives && could_not(status, &answer);
	if (!rows_check(&shown.table))
		status = call_fail(call, OUTCOME_USAGE, NULL, "%s", shown.table.wrong);
	else if (!call->forgave && !answer.enough)
		show_end(&shown, status, &answer);
	forget(&shown);
	free(answer.outcome);
	if (answer.enough || status == CONNECTION_NO_DAEMON)
		connection_close(call->connection);
	return answer.enough ? CONNECTION_REFUSED : status;
}
