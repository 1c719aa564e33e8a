/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that change the policy by single statements: alone, or some as one change. */
#include "daemon/control/policy/edit/edit.h"

#include "lib/base/vector.h"
#include "lib/command/batch.h"
#include "lib/command/request.h"

#include <stdlib.h>
#include <string.h>

void command_edit(struct command *command)
{
	struct edit *edit = malloc(sizeof(*edit));
	if (!edit) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	edit_from(command->noun, &command->given, edit);
	edit_run(command, edit, 1);
}

struct batch {
	struct command *command;
	struct edit *edits;
	size_t n, room;
	const char *words[REQUEST_WORDS_MAX];
};

static void free_edits(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		verb_words_fini(&batch->edits[i].own);
	free(batch->edits);
	free(batch);
}

static void refuse(struct batch *batch, unsigned line, enum outcome outcome, const char *text,
	const struct verb_error *error)
{
	struct command *command = batch->command;
	const char *file = command_value(command, "FILE|-");
	command_place(command, file, line, 0, error && *error->expected ? error->expected : NULL,
		error ? error->near : NULL);
	command_done(command, outcome, "%s:%u: %s; nothing has changed", file, line, text);
}

static struct edit *new_edit(struct batch *batch)
{
	struct edit *edits = vector_grow(batch->edits, batch->n, &batch->room, sizeof(*edits));
	if (!edits)
		return NULL;
	batch->edits = edits;
	return &batch->edits[batch->n];
}

/* false: ended. */
static bool take_words(struct batch *batch, unsigned line, size_t n)
{
	struct verb_error error = {.near = NULL};
	const struct verb_noun *noun = verb_find_noun(batch->words[0]);
	const struct verb *verb = noun && n > 1 ? verb_find(noun, batch->words[1]) : NULL;
	if (!verb || !(verb->traits & VERB_EDITS)) {
		if (!noun)
			verb_no_such_noun(batch->words[0], &error);
		else if (!verb && n > 1)
			verb_no_such(noun, batch->words[1], &error);
		refuse(batch, line, OUTCOME_USAGE,
			*error.text ? error.text : "this does not change the policy", &error);
		return false;
	}
	struct edit *edit = new_edit(batch);
	struct verb_words given;
	if (!edit) {
		refuse(batch, line, OUTCOME_REFUSED, "out of memory", NULL);
		return false;
	}
	if (verb_read(verb, batch->words + 2, n - 2, &given, &error) < 0) {
		refuse(batch, line, OUTCOME_USAGE, *error.text ? error.text : "out of memory",
			&error);
		return false;
	}
	edit_from(noun, &given, edit);
	edit->own = given;
	edit->line = line;
	batch->n++;
	return true;
}

/* false: ended. */
static bool take_lines(struct batch *batch)
{
	unsigned number = 0;
	char *text = batch->command->intake.body, *line;
	while ((line = batch_line(&text))) {
		number++;
		bool good = request_is_text(line);
		int n = good ? batch_words(line, batch->words, REQUEST_WORDS_MAX) : -1;
		if (n < 0) {
			refuse(batch, number, OUTCOME_USAGE,
				good ? "an open quote, or too many words"
				     : "this is not UTF-8 text, or holds control characters",
				NULL);
			return false;
		}
		if (n > 0 && !take_words(batch, number, (size_t)n))
			return false;
	}
	if (batch->n)
		return true;
	command_done(batch->command, OUTCOME_EMPTY, "there is no command in it");
	return false;
}

void command_batch(struct command *command)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	if (!batch) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	batch->command = command;
	if (strlen(command->intake.body) != command->intake.body_len) {
		command_done(command, OUTCOME_USAGE, "this is no text");
		free_edits(batch);
		return;
	}
	if (!take_lines(batch)) {
		free_edits(batch);
		return;
	}
	struct edit *edits = batch->edits;
	size_t n = batch->n;
	free(batch);
	edit_run(command, edits, n);
}
