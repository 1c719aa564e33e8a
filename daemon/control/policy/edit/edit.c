/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/edit/edit.h"

#include "daemon/control/control.h"
#include "daemon/control/policy/apply.h"
#include "daemon/control/policy/edit/edit_make.h"
#include "daemon/control/policy/edit/operator_text.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/level_notice.h"
#include "daemon/control/policy/parse.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- from words ---- */

static bool has_part(const struct verb *verb, const char *name)
{
	for (const struct verb_part *part = verb->parts; part && part->kind; part++)
		if (strcmp(part->name, name) == 0)
			return true;
	return false;
}

static enum edit_verb verb_of(const char *word)
{
	static const struct {
		const char *word;
		enum edit_verb verb;
	} verbs[] = {{"add", EDIT_ADD}, {"create", EDIT_ADD}, {"replace", EDIT_REPLACE},
		{"set", EDIT_SET}, {"unset", EDIT_UNSET}, {"delete", EDIT_DELETE},
		{"move", EDIT_MOVE}, {"enable", EDIT_ENABLE}, {"disable", EDIT_DISABLE}};
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(verbs[i].word, word) == 0)
			return verbs[i].verb;
	assert(!"every verb that edits is here");
	return EDIT_ADD;
}

static void take_position(const struct verb_words *given, struct edit *edit)
{
	const char *before = verb_value(given, "before"), *after = verb_value(given, "after");
	edit->other = before ? before : after;
	edit->placed = edit->other || verb_value(given, "first") || verb_value(given, "last");
	edit->position = verb_value(given, "first") ? LANGUAGE_FIRST
			 : before                   ? LANGUAGE_BEFORE
			 : after                    ? LANGUAGE_AFTER
						    : LANGUAGE_LAST;
}

void edit_from(const struct verb_noun *noun, const struct verb_words *given, struct edit *edit)
{
	*edit = (struct edit){.verb = verb_of(given->verb->name),
		.name = has_part(given->verb, "NAME") ? verb_value(given, "NAME") : NULL,
		.position = LANGUAGE_LAST};
	edit->top = !language_kind_of(noun->name, &edit->kind);
	if (has_part(given->verb, "STATEMENT"))
		edit->words = verb_values(given, "STATEMENT", &edit->nwords);
	if (edit->top)
		edit->name = *edit->words;
	if (has_part(given->verb, "before"))
		take_position(given, edit);
	edit->allow_open =
		has_part(given->verb, "--allow-open") && verb_value(given, "--allow-open");
	edit->allow_empty =
		has_part(given->verb, "--allow-empty") && verb_value(given, "--allow-empty");
}

/* ---- the texts of the running policy ---- */

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

/* ---- one after the other ---- */

struct editing {
	struct edit *edits;
	size_t n;
	struct policy *policy; /* as far as they were made */
	char *source;          /* the operator's own text of it; NULL: it could not follow */
	size_t source_len;
	struct policy_texts texts;
};

static void forget(struct command *command)
{
	struct editing *editing = command->state;
	policy_unref(editing->policy);
	policy_texts_fini(&editing->texts);
	free(editing->source);
	for (size_t i = 0; i < editing->n; i++)
		verb_words_fini(&editing->edits[i].own);
	free(editing->edits);
}

/* "FILE:7: " in front of what is wrong with a line of a batch. */
static const char *place_of(struct command *command, const struct edit *edit, char text[static 512])
{
	*text = '\0';
	if (edit->line)
		snprintf(text, 512, "%.480s:%u: ", command_value(command, "FILE|-"), edit->line);
	return text;
}

static void refuse(
	struct command *command, const struct edit *edit, enum outcome outcome, const char *text)
{
	char place[512];
	if (edit->line)
		command_place(command, command_value(command, "FILE|-"), edit->line, 0, NULL, NULL);
	command_done(command, outcome, "%s%s", place_of(command, edit, place), text);
}

static void refuse_made(
	struct command *command, const struct edit *edit, const struct edit_made *made)
{
	char *text = NULL;
	if (made->wrong) {
		refuse(command, edit, made->outcome, made->wrong);
	} else if (!edit->line) {
		command_syntax(command, &made->diagnosis);
	} else {
		text = policy_parse_messages(&made->diagnosis, LANGUAGE_ERROR);
		refuse(command, edit, OUTCOME_SYNTAX, text ? text : "out of memory");
		free(text);
	}
}

static bool same(const struct policy *one, const struct policy *other)
{
	size_t a_len, b_len;
	char *a = language_print(one, LANGUAGE_PRINT_CANONICAL, &a_len);
	char *b = language_print(other, LANGUAGE_PRINT_CANONICAL, &b_len);
	bool equal = a && b && a_len == b_len && memcmp(a, b, a_len) == 0;
	free(a);
	free(b);
	return equal;
}

/* What is to be added is there: in the same words, and where it is wanted? */
static bool is_as_wanted(const struct edit *edit, const struct policy *from,
	const struct policy *made, const struct language_world *world)
{
	struct language_diagnosis diagnosis;
	if (!same(from, made))
		return false;
	if (!edit->placed || (edit->other && strcmp(edit->other, edit->name) == 0))
		return true;
	struct policy *moved = language_edit_move(
		made, edit->name, edit->position, edit->other, world, &diagnosis);
	bool stands = moved && same(moved, made);
	language_diagnosis_fini(&diagnosis);
	policy_unref(moved);
	return stands;
}

/* Is what is named there, where it has to be? false: ended. */
static bool is_possible(
	struct command *command, const struct edit *edit, const struct policy *from, bool *is_there)
{
	char text[LANGUAGE_NO_SUCH_SIZE];
	*is_there = edit->top;
	if (edit->top)
		return true;
	*is_there = language_find(from, edit->kind, edit->name) >= 0;
	if (edit->verb != EDIT_ADD && !*is_there) {
		language_no_such_text(from, edit->kind, edit->name, strlen(edit->name), text);
		if (!edit->line)
			command_no_such(command, edit->kind, edit->name);
		else
			refuse(command, edit, OUTCOME_ABSENT, text);
		return false;
	}
	if (edit->verb == EDIT_MOVE && edit->other && strcmp(edit->other, edit->name) == 0) {
		snprintf(text, sizeof(text), "rule %s cannot stand before or after itself",
			edit->name);
		refuse(command, edit, OUTCOME_REFUSED, text);
		return false;
	}
	return true;
}

static void tell_gone(struct command *command, const struct edit *edit, const struct policy *from,
	const struct policy *to)
{
	char *gone = edit_gone(edit, from, to);
	char *rest = gone, *line;
	while (rest && (line = strsep(&rest, "\n"))) {
		char *text = NULL;
		if (*line && edit->line && edit->verb != EDIT_DELETE && !edit->top &&
			asprintf(&text, "%s %s: %s", language_kind_word(edit->kind), edit->name,
				line) < 0)
			text = NULL;
		if (*line)
			command_removed(command, text ? text : line);
		free(text);
	}
	free(gone);
}

/* Takes the policy over. */
static void go_on(struct command *command, const struct edit *edit, struct policy *to)
{
	struct editing *editing = command->state;
	size_t len;
	char *source = editing->source ? edit_follow(edit, editing->source, editing->source_len,
						 editing->policy, to, &len)
				       : NULL;
	tell_gone(command, edit, editing->policy, to);
	free(editing->source);
	editing->source = source;
	editing->source_len = source ? len : 0;
	policy_unref(editing->policy);
	editing->policy = to;
}

/* Of the words that were typed; what stands was warned of before. */
static void tell_warnings(struct command *command, const struct language_diagnosis *diagnosis)
{
	for (size_t i = 0; i < diagnosis->n; i++)
		if (diagnosis->v[i].severity == LANGUAGE_WARNING && diagnosis->v[i].file &&
			strcmp(diagnosis->v[i].file, "<argument>") == 0)
			command_warning(command, diagnosis->v[i].text);
}

static void tell_levels(struct command *command, const struct policy *coming)
{
	char *levels = level_notice(command->control->policy, coming);

	if (levels)
		command_warnings(command, levels);
	free(levels);
}

/* false: the command has been ended. */
static bool make_one(
	struct command *command, const struct edit *edit, const struct language_world *world)
{
	struct editing *editing = command->state;
	struct edit_made made;
	bool is_there, good;
	if (!is_possible(command, edit, editing->policy, &is_there))
		return false;
	edit_make(edit, editing->policy, is_there, world, &made);
	good = made.policy != NULL;
	if (!good) {
		refuse_made(command, edit, &made);
	} else if (edit->verb == EDIT_ADD && is_there) {
		good = is_as_wanted(edit, editing->policy, made.policy, world);
		policy_unref(made.policy);
		if (!good)
			refuse(command, edit, OUTCOME_EXISTS,
				"there is one of this name already, in other words or elsewhere");
	} else if (same(editing->policy, made.policy)) {
		policy_unref(made.policy);
	} else {
		tell_warnings(command, &made.diagnosis);
		go_on(command, edit, made.policy);
	}
	edit_made_fini(&made);
	return good;
}

static bool may_shadow(const struct edit *edit)
{
	return !edit->top && edit->kind == POLICY_KIND_RULE && edit->verb != EDIT_DELETE &&
	       edit->verb != EDIT_DISABLE;
}

/* A rule that was touched is one that can be reached. false: ended. */
static bool look_for_shadow(struct command *command, const struct edit *edit)
{
	const struct policy *policy = ((struct editing *)command->state)->policy;
	ptrdiff_t index = may_shadow(edit) ? policy_find_rule(policy, edit->name) : -1;
	ptrdiff_t by = index >= 0 && !policy->rules[index].disabled
			       ? language_shadowed_by(policy, (size_t)index)
			       : -1;
	char text[256];
	if (by < 0)
		return true;
	snprintf(text, sizeof(text),
		"rule %s would never be reached: the earlier rule %s takes every connection that "
		"it could take",
		edit->name, policy->rules[by].name.text);
	refuse(command, edit, OUTCOME_SHADOWED, text);
	return false;
}

static bool make_all(struct command *command)
{
	struct editing *editing = command->state;
	struct policy_world world;
	bool good = true;
	policy_world_init(&world, command->control, &editing->texts);
	policy_world_judge_new(&world);
	for (size_t i = 0; good && i < editing->n; i++)
		good = make_one(command, &editing->edits[i], &world.language);
	policy_world_fini(&world);
	if (!good) /* it has been ended, and the state with it */
		return false;
	if (same(command->control->policy, editing->policy))
		return true;
	for (size_t i = 0; i < editing->n; i++)
		if (!look_for_shadow(command, &editing->edits[i]))
			return false;
	return true;
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

/* For the history: what a batch did, as far as there is room. */
static void name_batch(const struct editing *editing, char origin[static 256])
{
	static const char *const verbs[] = {[EDIT_ADD] = "add",
		[EDIT_REPLACE] = "replace",
		[EDIT_SET] = "set",
		[EDIT_UNSET] = "unset",
		[EDIT_DELETE] = "delete",
		[EDIT_MOVE] = "move",
		[EDIT_ENABLE] = "enable",
		[EDIT_DISABLE] = "disable"};
	size_t used = (size_t)snprintf(origin, 256, "batch of %zu:", editing->n);
	for (size_t i = 0; i < editing->n && used < 200; i++)
		used += (size_t)snprintf(origin + used, 256 - used, "%s %s %s %.60s", i ? "," : "",
			editing->edits[i].top ? "policy"
					      : language_kind_word(editing->edits[i].kind),
			verbs[editing->edits[i].verb], editing->edits[i].name);
}

/* What any of the lines takes upon itself holds for the whole. */
static struct guard_pass pass_of(const struct command *command)
{
	const struct editing *editing = command->state;
	struct guard_pass pass = {.kind = GUARD_EDIT};
	for (size_t i = 0; i < editing->n; i++) {
		pass.allow_open |= editing->edits[i].allow_open;
		pass.allow_empty |= editing->edits[i].allow_empty;
	}
	return pass;
}

static void apply_all(struct command *command)
{
	struct editing *editing = command->state;
	char origin[256];
	size_t len;
	char *source = operator_text_settle(command->control, editing->source, editing->source_len,
		editing->policy, &editing->texts, &len);
	if (!source) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	struct policy_texts texts = editing->texts;
	editing->texts = (struct policy_texts){0};
	if (editing->edits->line)
		name_batch(editing, origin);
	else
		command_line(command, origin);
	command_log(command);
	tell_levels(command, editing->policy);
	apply_begin(command->control->apply,
		&(struct apply_order){.policy = policy_ref(editing->policy),
			.source = source,
			.source_len = len,
			.texts = texts,
			.origin = origin,
			.uid = command->uid,
			.pass = pass_of(command),
			.done = on_applied,
			.context = command});
}

static void run(struct command *command)
{
	struct editing *editing = command->state;
	struct control *control = command->control;
	if (!command_may_change(command))
		return;
	int error = edit_running_texts(control, NULL, &editing->texts);
	if (error) {
		command_done(command, OUTCOME_REFUSED, "%s", strerror(-error));
		return;
	}
	editing->policy = policy_ref(control->policy);
	editing->source = operator_text_running(control, &editing->source_len);
	if (!make_all(command))
		return;
	if (same(control->policy, editing->policy))
		command_done(command, OUTCOME_UNCHANGED, "nothing changes");
	else
		apply_all(command);
}

void edit_run(struct command *command, struct edit *edits, size_t n)
{
	struct editing *editing = calloc(1, sizeof(*editing));
	if (!editing) {
		free(edits);
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	editing->edits = edits;
	editing->n = n;
	command->state = editing;
	command->forget = forget;
	command_when_free(command, run);
}
