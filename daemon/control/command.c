#include "daemon/control/command.h"

#include "daemon/control/control.h"
#include "daemon/log.h"
#include "lib/language.h"
#include "lib/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

const struct command_noun *const command_nouns[] = {&command_status, &command_policy, &command_rule,
	&command_zone, &command_server, &command_device, &command_list, &command_session,
	&command_client, &command_flow, &command_explain, &command_audit, &command_monitor,
	&command_bypass, &command_counters, &command_log_noun, &command_doctor, NULL};

static void free_command(struct command *command)
{
	if (command->forget)
		command->forget(command);
	free(command->words);
	free(command->bytes);
	free(command->body);
	free(command->state);
	free(command);
}

static void end(struct command *command, enum command_status status, char *text)
{
	if (status != COMMAND_DONE)
		command->control->counters[COUNTER_REQUESTS_REFUSED]++;
	if (command->client) {
		size_t len = strlen(text + 1);
		text[0] = (char)status;
		server_send(command->client, REQUEST_DONE, text, len + 1);
		server_end(command->client);
	}
	free_command(command);
}

void command_done(struct command *command, enum command_status status, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text + 1, sizeof(text) - 1, format, args);
	va_end(args);
	end(command, status, text);
}

void command_usage(struct command *command, const char *format, ...)
{
	char text[4096];
	va_list args;
	va_start(args, format);
	int n = 1 + vsnprintf(text + 1, sizeof(text) / 2, format, args);
	va_end(args);
	if (n > (int)sizeof(text) / 2)
		n = sizeof(text) / 2;
	snprintf(text + n, sizeof(text) - (size_t)n, "\nusage: posternctl %s%s%s%s%s",
		command->noun->noun, *command->verb->verb ? " " : "", command->verb->verb,
		*command->verb->usage ? " " : "", command->verb->usage);
	end(command, COMMAND_USAGE, text);
}

void command_row(struct command *command, json_t *row)
{
	if (command->client && row) {
		char *text = json_dumps(row, JSON_COMPACT);
		if (text)
			server_send(command->client, REQUEST_ROW, text, strlen(text));
		free(text);
	}
	json_decref(row);
}

void command_text(struct command *command, const char *text, size_t len)
{
	while (len && command->client) {
		size_t n = len < REQUEST_FRAME_MAX / 2 ? len : REQUEST_FRAME_MAX / 2;
		server_send(command->client, REQUEST_TEXT, text, n);
		text += n;
		len -= n;
	}
}

void command_stream(struct command *command, void (*more)(struct command *command))
{
	command->more = more;
	if (command->client)
		server_continue(command->client);
	else
		command_ok(command);
}

void command_abandon(struct command *command)
{
	command->client = NULL;
	if (command->more) /* nothing but its client calls it */
		free_command(command);
}

const char *command_peek(const struct command *command)
{
	return command->at < command->nwords ? command->words[command->at] : NULL;
}

const char *command_word(struct command *command)
{
	return command->at < command->nwords ? command->words[command->at++] : NULL;
}

bool command_at_end(struct command *command)
{
	const char *word = command_peek(command);
	if (word)
		command_usage(command, "\"%s\" is not expected here", word);
	return !word;
}

void command_no_such(struct command *command, enum policy_kind kind, const char *name)
{
	char text[LANGUAGE_NO_SUCH_SIZE];
	language_no_such_text(command->control->policy, kind, name, strlen(name), text);
	command_done(command, COMMAND_REFUSED, "%s", text);
}

bool command_take(struct command *command, const char *word)
{
	if (command->at == command->nwords || strcmp(command->words[command->at], word) != 0)
		return false;
	command->at++;
	return true;
}

const char *command_line(const struct command *command, char line[static 256])
{
	size_t used = 0;
	line[0] = '\0';
	for (size_t i = 0; i < command->nwords && used < 255; i++) {
		int n = snprintf(line + used, 256 - used, "%s%s", i ? " " : "", command->words[i]);
		if (n < 0)
			break;
		used += (size_t)n;
	}
	/* a cut must not leave half a character behind */
	for (size_t end = strlen(line); used > 255 && end > 0 && line[end - 1] < 0; end--)
		line[end - 1] = '\0';
	return line;
}

/* Behind noun and verb anything may name a user or an address, but for a few. */
static bool may_name_persons(const struct command *command)
{
	static const char *const nouns[] = {"policy", "log", "bypass"};
	for (size_t i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++)
		if (strcmp(command->words[0], nouns[i]) == 0)
			return false;
	return true;
}

static void log_as(const struct command *command, enum policy_log_level level, enum log_id id)
{
	char line[256], uid[16];
	command_line(command, line);
	if (log_is_private() && command->nwords > 2 && may_name_persons(command))
		snprintf(line, sizeof(line), "%.60s %.60s %s", command->words[0], command->words[1],
			log_person(""));
	snprintf(uid, sizeof(uid), "%u", (unsigned)command->uid);
	log_event(level, id, LOG_FIELDS({LOG_FIELD_UID, uid}, {LOG_FIELD_COMMAND, line}),
		"uid %s: %s", uid, line);
}

void command_log(const struct command *command)
{
	log_as(command, POLICY_LOG_INFO, LOG_ID_COMMAND);
}

void command_warn(const struct command *command, enum log_id id)
{
	log_as(command, POLICY_LOG_WARNING, id);
}

static const struct command_option *find_option(
	const struct command_option *options, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

bool command_options(struct command *command, const struct command_option *options, size_t noptions)
{
	const char *name;
	while ((name = command_word(command))) {
		const struct command_option *option = find_option(options, noptions, name);
		if (!option) {
			command_usage(command, "\"%s\" is not expected here", name);
			return false;
		}
		if (*option->value) {
			command_usage(command, "%s is given twice", name);
			return false;
		}
		*option->value = command_word(command);
		if (!*option->value) {
			command_usage(command, "a value is expected behind %s", name);
			return false;
		}
	}
	return true;
}

void command_watch(struct command *command, unsigned topics)
{
	struct server_client *client = command->client;
	if (client) {
		server_watch(client, topics);
		server_end(client);
	}
	free_command(command);
}

void command_json(struct command *command, const char *json)
{
	if (command->client && json)
		server_send(command->client, REQUEST_ROW, json, strlen(json));
}

static const struct command_noun *find_noun(const char *word)
{
	for (size_t i = 0; command_nouns[i]; i++)
		if (strcmp(command_nouns[i]->noun, word) == 0)
			return command_nouns[i];
	return NULL;
}

static void refuse_noun(struct command *command, const char *word)
{
	const char *names[32];
	size_t n = 0;
	for (; command_nouns[n] && n < 32; n++)
		names[n] = command_nouns[n]->noun;
	const char *near = language_near(word, names, n);
	command_done(command, COMMAND_USAGE, "no such noun \"%s\"%s%s%s", word,
		near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static void refuse_verb(struct command *command, const struct command_noun *noun, const char *word)
{
	char verbs[512] = "";
	size_t used = 0;
	for (const struct command_verb *verb = noun->verbs; verb->verb; verb++)
		used += (size_t)snprintf(
			verbs + used, sizeof(verbs) - used, "%s%s", used ? ", " : "", verb->verb);
	command_done(command, COMMAND_USAGE, "no such verb \"%s\"; %s knows: %s", word, noun->noun,
		verbs);
}

/* `list` is the same word as `show`, except where it is the noun. */
static const struct command_verb *find_verb(const struct command_noun *noun, const char *word)
{
	if (!word)
		return noun->verbs;
	if (strcmp(word, "list") == 0)
		word = "show";
	for (const struct command_verb *verb = noun->verbs; verb->verb; verb++)
		if (strcmp(verb->verb, word) == 0)
			return verb;
	return NULL;
}

void command_run(struct command *command)
{
	command->control->counters[COUNTER_REQUESTS]++;
	const char *word = command_word(command);
	const struct command_noun *noun = word ? find_noun(word) : &command_status;
	if (!noun) {
		refuse_noun(command, word);
		return;
	}
	const struct command_verb *verb = noun->verbs;
	if (*verb->verb) {
		word = command_word(command);
		verb = find_verb(noun, word);
	}
	if (!verb) {
		refuse_verb(command, noun, word);
		return;
	}
	command->noun = noun;
	command->verb = verb;
	if (command->portal && !verb->portal) {
		command_done(command, COMMAND_REFUSED,
			"session.sock takes only session login, renew, logout and show; "
			"control.sock takes the rest");
		return;
	}
	verb->run(command);
}
