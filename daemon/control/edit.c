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

void edit_take_position(struct command *command, struct edit *edit)
{
	const char *before = command_value(command, "before");
	const char *after = command_value(command, "after");
	edit->other = before ? before : after;
	edit->position = command_given(command, "first") ? LANGUAGE_FIRST
			 : before                        ? LANGUAGE_BEFORE
			 : after                         ? LANGUAGE_AFTER
							 : LANGUAGE_LAST;
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

static void forget(struct command *command)
{
	struct edit *edit = command->state;
	free(edit->statement);
}

static void on_applied(void *context, enum outcome outcome, const char *text)
{
	struct command *command = context;
	if (outcome != OUTCOME_DONE) {
		command_done(command, outcome, "%s", text);
		return;
	}
	if (*text)
		command_text(command, text, strlen(text));
	command_ok(command);
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
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	command_log(command);
	apply_begin(command->control->apply, &(struct apply_order){.policy = policy,
						     .source = source,
						     .source_len = len,
						     .texts = *texts,
						     .origin = command_line(command, origin),
						     .uid = command->uid,
						     .pass = command_pass(command, GUARD_EDIT),
						     .done = on_applied,
						     .context = command});
}

/* The new policy, or NULL when the command has been ended. */
static struct policy *make(struct edit *edit, struct policy_texts *texts)
{
	struct command *command = edit->command;
	struct control *control = command->control;
	struct language_diagnosis diagnosis;
	struct policy_world world;
	policy_world_init(&world, control, texts);
	struct policy *policy = edit->make(edit, control->policy, &world.language, &diagnosis);
	policy_world_fini(&world);
	char *shadow = policy ? find_shadow(edit, policy) : NULL;
	if (policy && !shadow) {
		language_diagnosis_fini(&diagnosis);
		return policy;
	}
	policy_unref(policy);
	if (shadow)
		command_done(command, OUTCOME_SHADOWED, "%s", shadow);
	else
		command_syntax(command, &diagnosis);
	language_diagnosis_fini(&diagnosis);
	free(shadow);
	return NULL;
}

/* Is what is named there, or is it not, as the edit needs it? false: ended. */
static bool is_possible(struct edit *edit)
{
	struct command *command = edit->command;
	enum policy_kind kind =
		strcmp(edit->kind, "rule") == 0 ? POLICY_KIND_RULE : POLICY_KIND_DEVICE;
	bool is_there = kind == POLICY_KIND_RULE
				? policy_find_rule(command->control->policy, edit->name) >= 0
				: policy_find_device(command->control->policy, edit->name) >= 0;
	if (edit->adds || is_there) {
		edit->is_there = is_there;
		return true;
	}
	command_no_such(command, kind, edit->name);
	return false;
}

static void run(struct command *command)
{
	struct edit *edit = command->state;
	struct control *control = command->control;
	struct policy_texts texts;
	if (!command_may_change(command) || !is_possible(edit))
		return;
	int error = edit_running_texts(control, NULL, &texts);
	if (error) {
		policy_texts_fini(&texts);
		command_done(command, OUTCOME_REFUSED, "%s", strerror(-error));
		return;
	}
	struct policy *policy = make(edit, &texts);
	if (policy && !is_running(control, policy) && !(edit->adds && edit->is_there)) {
		apply_edit(edit, policy, &texts);
		return;
	}
	policy_texts_fini(&texts);
	if (!policy)
		return;
	if (is_running(control, policy))
		command_done(command, OUTCOME_UNCHANGED, "nothing changes");
	else
		command_done(command, OUTCOME_EXISTS,
			"there is a %s %s already, in other words (posternctl %s show %s)",
			edit->kind, edit->name, edit->kind, edit->name);
	policy_unref(policy);
}

void edit_run(const struct edit *edit)
{
	struct command *command = edit->command;
	struct edit *own = malloc(sizeof(*own));
	if (!own) {
		free(edit->statement);
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	*own = *edit;
	command->state = own;
	command->forget = forget;
	command_when_free(command, run);
}
