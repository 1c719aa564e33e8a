#include "tools/noun.h"
#include "tools/connection.h"

#include "lib/language.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const struct noun *const nouns[] = {&noun_status, &noun_policy, &noun_rule, &noun_zone,
	&noun_server, &noun_device, &noun_list, &noun_session, &noun_block, &noun_client,
	&noun_flow, &noun_explain, &noun_audit, &noun_monitor, &noun_bypass, &noun_counters,
	&noun_log, &noun_doctor, NULL};

#define FILE_MAX ((size_t)REQUEST_BODY_MAX)

struct shown {
	struct call *call;
	struct table table;
	json_t *texts; /* with -j: text is a string in an object */
	bool rows, text;
};

static void show_row(void *context, const char *json, size_t len)
{
	struct shown *shown = context;
	shown->rows = true;
	table_row(&shown->table, json, len);
}

static void show_text(void *context, const char *text, size_t len)
{
	struct shown *shown = context;
	shown->text = true;
	if (shown->call->json)
		json_array_append_new(shown->texts, json_stringn_nocheck(text, len));
	else
		fwrite(text, 1, len, stdout);
}

static void show_event(void *context, const char *json, size_t len)
{
	struct shown *shown = context;
	json_error_t error;
	json_t *event = json_loadb(json, len, 0, &error);
	shown->rows = true;
	if (shown->call->json) {
		printf("%.*s\n", (int)len, json);
	} else if (event) {
		char text[2048];
		table_format("event", event, text, sizeof(text));
		puts(text);
	}
	json_decref(event);
	fflush(stdout);
}

/* JSON always answers: rows, else text, else the outcome. */
static void show_end(struct shown *shown, const struct verb *verb, int status, const char *error)
{
	bool json = shown->call->json;
	bool array = shown->table.shown || json_array_size(shown->table.rows) ||
		     (!shown->text && status == CONNECTION_DONE && !strncmp(verb->name, "show", 4));
	if (!json || array)
		table_end(&shown->table);
	else
		json_decref(shown->table.rows);
	if (json && !array && !shown->rows) {
		json_t *object = json_pack("{s:i}", "status", status);
		if (*error)
			json_object_set_new(object, "error", json_string_nocheck(error));
		if (json_array_size(shown->texts)) {
			size_t i, len = 0;
			json_t *text;
			json_array_foreach(shown->texts, i, text) len += json_string_length(text);
			char *whole = calloc(1, len + 1);
			len = 0;
			json_array_foreach(shown->texts, i, text)
			{
				memcpy(whole + len, json_string_value(text),
					json_string_length(text));
				len += json_string_length(text);
			}
			json_object_set_new(object, "text", json_stringn_nocheck(whole, len));
			free(whole);
		}
		json_dumpf(object, stdout, 0);
		putchar('\n');
		json_decref(object);
	}
	json_decref(shown->texts);
	fflush(stdout);
}

static void show_error(const char *error)
{
	size_t len = strlen(error);
	fprintf(stderr, "%s%s", error, len && error[len - 1] == '\n' ? "" : "\n");
}

int noun_no_connection(int error)
{
	return error == -EACCES ? CONNECTION_REFUSED : CONNECTION_NO_DAEMON;
}

int noun_open(struct call *call)
{
	if (call->connection->fd >= 0)
		return 0;
	int error = connection_open(call->connection, call->run_dir);
	char text[4352];
	if (!error)
		return 0;
	if (error == -EACCES)
		snprintf(text, sizeof(text),
			"%s/control.sock: permission denied (for root and group postern)",
			call->run_dir);
	else
		snprintf(text, sizeof(text), "no daemon answers at %s/control.sock: %s",
			call->run_dir, strerror(-error));
	if (call->json) {
		json_t *object = json_pack("{s:i, s:o}", "status", noun_no_connection(error),
			"error", json_string(text));
		json_dumpf(object, stdout, 0);
		putchar('\n');
		json_decref(object);
	}
	fprintf(stderr, "posternctl: %s\n%s", text,
		error == -EACCES ? ""
				 : "is posternd running? other run folder: posternctl --run DIR "
				   "...\n");
	return error;
}

int noun_ask(struct call *call, const struct verb *verb, const char **words, size_t nwords,
	const char *body, size_t body_len)
{
	int error = noun_open(call);
	if (error)
		return noun_no_connection(error);
	struct shown shown = {.call = call, .texts = json_array()};
	table_begin(&shown.table, call->json ? TABLE_JSON : verb->style, stdout);
	struct connection_answer answer = {.on_row = show_row,
		.on_text = show_text,
		.on_event = show_event,
		.context = &shown};
	int status = connection_ask(call->connection, words, nwords, body, body_len, &answer);
	show_end(&shown, verb, status, answer.error);
	if (*answer.error)
		show_error(answer.error);
	call->usage_shown = strstr(answer.error, "\nusage: ") != NULL;
	if (status == CONNECTION_NO_DAEMON)
		connection_close(call->connection);
	return status;
}

int noun_show_flows(struct call *call, const struct verb *verb, const char **words, size_t nwords)
{
	struct verb shown = *verb;
	if (nwords == 3 && strncmp(words[2], "f-", 2) == 0)
		shown.style = TABLE_FIELDS;
	return noun_ask(call, &shown, words, nwords, NULL, 0);
}

char *noun_read_file(const char *path, size_t *len)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (!file) {
		fprintf(stderr, "posternctl: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	size_t room = 65536, used = 0;
	char *text = malloc(room);
	while (text) {
		size_t n = fread(text + used, 1, room - used, file);
		used += n;
		if (n == 0)
			break;
		if (used == room) {
			char *more = room < FILE_MAX ? realloc(text, room *= 2) : NULL;
			if (!more) {
				fprintf(stderr, "posternctl: %s: larger than %zu bytes\n", path,
					FILE_MAX);
				free(text);
				text = NULL;
				break;
			}
			text = more;
		}
	}
	if (text && ferror(file)) {
		fprintf(stderr, "posternctl: %s: %s\n", path, strerror(errno));
		free(text);
		text = NULL;
	}
	if (file != stdin)
		fclose(file);
	*len = used;
	return text;
}

int noun_run_daemon(const char **words)
{
	char path[4096];
	static const char *const beside[] = {"posternd", "../daemon/posternd", "../sbin/posternd"};
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	char *slash = n > 0 ? (path[n] = '\0', strrchr(path, '/')) : NULL;
	bool found = false;
	for (size_t i = 0; slash && !found && i < sizeof(beside) / sizeof(*beside); i++) {
		strcpy(slash + 1, beside[i]);
		found = access(path, X_OK) == 0;
	}
	words[0] = found ? path : "posternd";
	pid_t pid = fork();
	if (pid == 0) {
		execvp(words[0], (char *const *)words);
		fprintf(stderr, "posternctl: posternd: %s\n", strerror(errno));
		_exit(127);
	}
	int status = 0;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

static void near_noun(const char *word)
{
	const char *names[sizeof(nouns) / sizeof(*nouns)];
	size_t n = 0;
	for (; nouns[n]; n++)
		names[n] = nouns[n]->name;
	const char *near = language_near(word, names, n);
	fprintf(stderr, "posternctl: no such noun \"%s\"", word);
	if (near)
		fprintf(stderr, ", did you mean \"%s\"?", near);
	fputs("\nnouns:", stderr);
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, " %s", names[i]);
	fputc('\n', stderr);
}

static const struct noun *find_noun(const char *word)
{
	for (size_t i = 0; nouns[i]; i++)
		if (strcmp(nouns[i]->name, word) == 0)
			return nouns[i];
	return NULL;
}

static const struct verb *find_verb(const struct noun *noun, const char *word)
{
	if (!word || strcmp(word, "list") == 0)
		word = noun->verbs[0].name;
	for (const struct verb *verb = noun->verbs; verb->name; verb++)
		if (strcmp(verb->name, word) == 0)
			return verb;
	return NULL;
}

static void show_usage(const struct noun *noun, const struct verb *verb, FILE *out)
{
	/* a noun whose only verb is the noun itself takes its arguments directly */
	const char *word = strcmp(verb->name, noun->name) == 0 ? "" : verb->name;
	fprintf(out, "  posternctl %s%s%s%s%s\n      %s\n", noun->name, *word ? " " : "", word,
		*verb->usage ? " " : "", verb->usage, verb->help);
}

void noun_help(const struct noun *noun, FILE *out)
{
	if (noun) {
		fprintf(out, "%s: %s\n", noun->name, noun->help);
		for (const struct verb *verb = noun->verbs; verb->name; verb++)
			show_usage(noun, verb, out);
		return;
	}
	fputs("usage: posternctl [-j] [--run DIR] [-b FILE|-] NOUN VERB ...\n\n", out);
	for (size_t i = 0; nouns[i]; i++)
		fprintf(out, "  %-10s %s\n", nouns[i]->name, nouns[i]->help);
	fputs("\nposternctl NOUN help shows a noun's verbs; NOUN alone is its first verb\n", out);
}

/* Words behind noun and verb, for a noun that takes them directly ("explain user x"). */
static bool takes_arguments(const struct noun *noun)
{
	return strcmp(noun->verbs[0].name, noun->name) == 0 && !noun->verbs[1].name;
}

static int run_with_file(
	struct call *call, const struct verb *verb, const char **words, size_t nwords)
{
	size_t at = verb->file == VERB_NAME_FILE ? 3 : 2;
	/* options may stand before it; only --confirm has a value */
	while (at < nwords && strncmp(words[at], "--", 2) == 0)
		at += strcmp(words[at], "--confirm") == 0 ? 2 : 1;
	if (verb->file == VERB_NO_FILE || nwords <= at)
		return noun_ask(call, verb, words, nwords, NULL, 0);
	size_t len;
	char *body = noun_read_file(words[at], &len);
	if (!body)
		return CONNECTION_REFUSED;
	int status = noun_ask(call, verb, words, nwords, body, len);
	free(body);
	return status;
}

int noun_run(struct call *call, const char **words, size_t nwords)
{
	if (strcmp(words[0], "help") == 0) {
		const struct noun *about = nwords > 1 ? find_noun(words[1]) : NULL;
		noun_help(about, stdout);
		return CONNECTION_DONE;
	}
	const struct noun *noun = find_noun(words[0]);
	if (!noun) {
		near_noun(words[0]);
		return CONNECTION_USAGE;
	}
	if (nwords == 2 && (strcmp(words[1], "help") == 0 || strcmp(words[1], "--help") == 0)) {
		noun_help(noun, stdout);
		return CONNECTION_DONE;
	}
	const struct verb *verb =
		takes_arguments(noun) ? noun->verbs : find_verb(noun, nwords > 1 ? words[1] : NULL);
	if (!verb) {
		fprintf(stderr, "posternctl: no such verb \"%s\"\n", words[1]);
		noun_help(noun, stderr);
		return CONNECTION_USAGE;
	}
	call->usage_shown = false;
	const char *copy[REQUEST_WORDS_MAX + 1];
	if (nwords >= REQUEST_WORDS_MAX) {
		fprintf(stderr, "posternctl: more than %d words\n", REQUEST_WORDS_MAX);
		return CONNECTION_USAGE;
	}
	memcpy(copy, words, nwords * sizeof(*words));
	if (!takes_arguments(noun)) { /* the daemon always sees a verb, never `list` */
		copy[1] = verb->name;
		nwords = nwords < 2 ? 2 : nwords;
	}
	int status = verb->run ? verb->run(call, verb, copy, nwords)
			       : run_with_file(call, verb, copy, nwords);
	if (status == CONNECTION_USAGE && !call->usage_shown) {
		fputs("usage:\n", stderr);
		show_usage(noun, verb, stderr);
	}
	return status;
}
