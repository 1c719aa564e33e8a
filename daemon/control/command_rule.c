#include "daemon/control/command.h"

#include "daemon/control/control.h"
#include "daemon/control/edit.h"
#include "daemon/control/live.h"
#include "daemon/control/row.h"

#include <stdlib.h>
#include <string.h>

/* The statement on one line. */
static json_t *one_line(char *text)
{
	char *to = text;
	bool blank = true;
	if (!text)
		return json_null();
	for (const char *from = text; *from; from++) {
		bool is_blank = *from == ' ' || *from == '\t' || *from == '\n';
		if (!is_blank || !blank)
			*to++ = is_blank ? ' ' : *from;
		blank = is_blank;
	}
	while (to > text && to[-1] == ' ')
		to--;
	*to = '\0';
	json_t *string = row_text(text);
	free(text);
	return string;
}

static void show_rule(struct command *command, size_t index)
{
	const struct control *control = command->control;
	const struct policy_rule *rule = &control->policy->rules[index];
	struct live_rule live = live_rule_of(control->live, rule->name.text);
	command_row(command,
		json_pack("{s:i, s:o, s:s, s:I, s:I, s:o, s:o}", "position", (int)index + 1, "rule",
			row_string(&rule->name), "state", rule->disabled ? "disabled" : "enabled",
			"hits", (json_int_t)live.hits, "flows", (json_int_t)live.flows,
			"last_hit_at", row_time(live.last_ms), "statement",
			one_line(language_print_rule(
				control->policy, index, LANGUAGE_PRINT_CANONICAL))));
}

struct showing {
	size_t at;
	struct policy *policy; /* that the answer began with */
};

static void forget_showing(struct command *command)
{
	struct showing *showing = command->state;
	policy_unref(showing->policy);
}

static void show_more(struct command *command)
{
	struct showing *showing = command->state;
	for (unsigned i = 0; i < COMMAND_ROWS_A_TURN; i++) {
		/* an apply in between ends the answer: positions would be of two policies */
		if (showing->policy != command->control->policy ||
			showing->at == showing->policy->nrules) {
			command_ok(command);
			return;
		}
		show_rule(command, showing->at++);
	}
	server_continue(command->client);
}

static void run_show(struct command *command)
{
	const char *name = command_value(command, "NAME");
	struct control *control = command->control;
	if (name) {
		ptrdiff_t index = policy_find_rule(control->policy, name);
		if (index < 0) {
			command_no_such(command, POLICY_KIND_RULE, name);
			return;
		}
		show_rule(command, (size_t)index);
		command_ok(command);
		return;
	}
	struct showing *showing = calloc(1, sizeof(*showing));
	if (!showing) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	showing->policy = policy_ref(control->policy);
	command->state = showing;
	command->forget = forget_showing;
	command_stream(command, show_more);
}

/* What is there is put in its own place: who adds the same again changes nothing. */
static struct policy *make_add(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	if (edit->is_there)
		return language_edit_replace(
			running, edit->kind, edit->name, edit->statement, world, diagnosis);
	return language_edit_add(running, edit->kind, edit->statement, edit->position, edit->other,
		world, diagnosis);
}

static struct policy *make_replace(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	return language_edit_replace(
		running, edit->kind, edit->name, edit->statement, world, diagnosis);
}

static struct policy *make_delete(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	return language_edit_delete(running, edit->kind, edit->name, world, diagnosis);
}

static struct policy *make_move(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	return language_edit_move(
		running, edit->name, edit->position, edit->other, world, diagnosis);
}

static struct policy *make_enable(struct edit *edit, const struct policy *running,
	const struct language_world *world, struct language_diagnosis *diagnosis)
{
	return language_edit_enable(running, edit->name, edit->enable, world, diagnosis);
}

static void take_name(struct command *command, struct edit *edit)
{
	edit->command = command;
	edit->kind = "rule";
	edit->name = command_value(command, "NAME");
}

static void run_statement(struct command *command, struct edit *edit)
{
	size_t n;
	const char *const *words = command_values(command, "STATEMENT", &n);
	edit->statement = edit_statement(edit->kind, edit->name, words, n);
	if (edit->statement)
		edit_run(edit);
	else
		command_done(command, OUTCOME_REFUSED, "out of memory");
}

static void run_add(struct command *command)
{
	struct edit edit = {.make = make_add, .adds = true};
	take_name(command, &edit);
	edit_take_position(command, &edit);
	run_statement(command, &edit);
}

static void run_replace(struct command *command)
{
	struct edit edit = {.make = make_replace};
	take_name(command, &edit);
	run_statement(command, &edit);
}

static void run_delete(struct command *command)
{
	struct edit edit = {.make = make_delete, .may_shadow = true};
	take_name(command, &edit);
	edit_run(&edit);
}

static void run_move(struct command *command)
{
	struct edit edit = {.make = make_move};
	take_name(command, &edit);
	edit_take_position(command, &edit);
	if (edit.other && strcmp(edit.other, edit.name) == 0)
		command_done(command, OUTCOME_REFUSED,
			"rule %s cannot stand before or after itself", edit.name);
	else
		edit_run(&edit);
}

static void run_enable(struct command *command)
{
	struct edit edit = {.make = make_enable, .enable = true};
	take_name(command, &edit);
	edit_run(&edit);
}

static void run_disable(struct command *command)
{
	struct edit edit = {.make = make_enable, .enable = false, .may_shadow = true};
	take_name(command, &edit);
	edit_run(&edit);
}

static const struct command_verb verbs[] = {
	{"show", run_show},
	{"add", run_add},
	{"replace", run_replace},
	{"delete", run_delete},
	{"move", run_move},
	{"enable", run_enable},
	{"disable", run_disable},
	{NULL, NULL},
};

const struct command_noun command_rule = {"rule", verbs};
