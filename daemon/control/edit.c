#include "daemon/control/edit.h"

#include "daemon/control/apply.h"
#include "daemon/control/control.h"
#include "daemon/control/policy_parse.h"
#include "daemon/control/policy_store.h"
#include "daemon/control/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_bare(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._:/*-";
	for (size_t i = 0; i < len; i++)
		if (!strchr(allowed, text[i]) || !text[i])
			return false;
	return len > 0;
}

/* The part as the language writes it. Returns the length. */
static size_t put_part(char *to, const char *text, size_t len)
{
	size_t at = 0;
	if (is_bare(text, len)) {
		memcpy(to, text, len);
		return len;
	}
	to[at++] = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			to[at++] = '\\';
		to[at++] = text[i];
	}
	to[at++] = '"';
	return at;
}

static size_t put_word(char *to, const char *word)
{
	size_t at = 0, len = strlen(word);
	/* written with quotes already, or a text with commas: one string. Else a list by commas */
	if (len >= 2 && word[0] == '"' && word[len - 1] == '"') {
		memcpy(to, word, len);
		return len;
	}
	if (len == 0 || strchr(word, ' '))
		return put_part(to, word, len);
	for (;;) {
		size_t part = strcspn(word, ",");
		if (part)
			at += put_part(to + at, word, part);
		word += part;
		if (*word != ',')
			return at;
		to[at++] = ',';
		to[at++] = ' ';
		word++;
	}
}

char *edit_statement(const char *kind, const char *name, const char *const *words, size_t n)
{
	size_t room = strlen(kind) + 2 * strlen(name) + 16;
	for (size_t i = 0; i < n; i++)
		room += 3 * strlen(words[i]) + 4;
	char *text = malloc(room), *at = text;
	if (!text)
		return NULL;
	at = stpcpy(at, kind);
	*at++ = ' ';
	at += put_part(at, name, strlen(name));
	at = stpcpy(at, " {");
	for (size_t i = 0; i < n; i++) {
		*at++ = ' ';
		/* a single word with blanks is the statement's inside, quoted for the shell */
		if (n == 1 && strchr(words[i], ' '))
			at = stpcpy(at, words[i]);
		else
			at += put_word(at, words[i]);
	}
	stpcpy(at, " }");
	return text;
}

bool edit_take_position(struct command *command, struct edit *edit)
{
	edit->position = LANGUAGE_LAST;
	if (command_take(command, "first")) {
		edit->position = LANGUAGE_FIRST;
	} else if (command_take(command, "before") || command_take(command, "after")) {
		bool before = strcmp(command->words[command->at - 1], "before") == 0;
		edit->position = before ? LANGUAGE_BEFORE : LANGUAGE_AFTER;
		edit->other = command_word(command);
		if (!edit->other) {
			command_usage(command, "which rule?");
			return false;
		}
	} else {
		command_take(command, "last");
	}
	return true;
}

/* A path as the language asks for it may be longer than it was written. */
static bool same_file(const char *path, const char *written)
{
	size_t len = strlen(path), tail = strlen(written);
	return len >= tail && strcmp(path + len - tail, written) == 0 &&
	       (len == tail || path[len - tail - 1] == '/' || *written == '/');
}

int edit_running_texts(struct control *control, const char *anew, struct policy_texts *texts)
{
	struct policy_record record;
	*texts = (struct policy_texts){0};
	int error = policy_store_load(control->history, control->policy_number, &record);
	for (size_t i = 0; !error && i < record.texts.n; i++) {
		const struct policy_text *one = &record.texts.v[i];
		if (!anew || !same_file(one->path, anew))
			error = policy_texts_add(texts, one->path, one->text, one->len);
	}
	if (!error)
		policy_record_fini(&record);
	texts->replay = true;
	return error;
}

static void on_applied(void *context, int status, const char *text)
{
	struct edit *edit = context;
	struct command *command = edit->command;
	free(edit->statement);
	free(edit);
	if (status)
		command_done(command, COMMAND_REFUSED, "%s", text);
	else
		command_ok(command);
}

static void refuse(struct edit *edit, const char *text)
{
	on_applied(edit, -EINVAL, text && *text ? text : "refused");
}

/* NULL: nothing is wrong. malloc'ed. */
static char *find_shadow(const struct edit *edit, const struct policy *policy)
{
	ptrdiff_t index = policy_find_rule(policy, edit->name);
	if (edit->may_shadow || index < 0 || policy->rules[index].disabled)
		return NULL;
	ptrdiff_t by = language_shadowed_by(policy, (size_t)index);
	char *text = NULL;
	if (by >= 0 && asprintf(&text,
			       "rule %s would never be reached: the earlier rule %s takes every "
			       "connection that it could take",
			       edit->name, policy->rules[by].name.text) < 0)
		return NULL;
	return text;
}

/* Enabled what is enabled, moved to where it is: no place of the history is used for that. */
static bool is_running(const struct control *control, const struct policy *policy)
{
	size_t a_len, b_len;
	char *a = language_print(policy, LANGUAGE_PRINT_CANONICAL, &a_len);
	char *b = language_print(control->policy, LANGUAGE_PRINT_CANONICAL, &b_len);
	bool same = a && b && a_len == b_len && memcmp(a, b, a_len) == 0;
	free(a);
	free(b);
	return same;
}

static void apply_edit(struct edit *edit, struct policy *policy, struct policy_texts *texts)
{
	struct command *command = edit->command;
	char origin[256];
	size_t len;
	char *source = source_after(command->control, policy, edit->kind, edit->name, texts, &len);
	if (!source) {
		policy_unref(policy);
		policy_texts_fini(texts);
		refuse(edit, "out of memory");
		return;
	}
	command_log(command);
	apply_begin(command->control->apply, &(struct apply_order){.policy = policy,
						     .source = source,
						     .source_len = len,
						     .texts = *texts,
						     .origin = command_line(command, origin),
						     .uid = command->uid,
						     .keeps_confirm = true,
						     .done = on_applied,
						     .context = edit});
}

static void run(void *context)
{
	struct edit *edit = context;
	struct control *control = edit->command->control;
	struct language_diagnosis diagnosis;
	struct policy_world world;
	struct policy_texts texts;
	int error = edit_running_texts(control, NULL, &texts);
	if (error) {
		policy_texts_fini(&texts);
		refuse(edit, strerror(-error));
		return;
	}
	policy_world_init(&world, control, &texts);
	struct policy *policy = edit->make(edit, control->policy, &world.language, &diagnosis);
	policy_world_fini(&world);
	char *text = policy ? find_shadow(edit, policy)
			    : policy_parse_messages(&diagnosis, LANGUAGE_ERROR);
	language_diagnosis_fini(&diagnosis);
	if (policy && !text && !is_running(control, policy)) {
		apply_edit(edit, policy, &texts);
		return;
	}
	if (policy && !text) {
		static const char unchanged[] = "nothing changes\n";
		command_text(edit->command, unchanged, sizeof(unchanged) - 1);
		on_applied(edit, 0, "");
	} else {
		refuse(edit, text);
	}
	policy_unref(policy);
	policy_texts_fini(&texts);
	free(text);
}

void edit_run(const struct edit *edit)
{
	struct edit *own = malloc(sizeof(*own));
	if (!own) {
		free(edit->statement);
		command_done(edit->command, COMMAND_REFUSED, "out of memory");
		return;
	}
	*own = *edit;
	apply_when_free(edit->command->control->apply, run, own);
}
