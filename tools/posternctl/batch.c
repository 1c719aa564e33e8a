/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/posternctl/batch.h"
#include "tools/posternctl/file.h"

#include "tools/posternctl/noun.h"

#include "lib/command/batch.h"

#include <stdlib.h>
#include <string.h>

struct batch {
	struct call *call;
	const char *path; /* as messages call it */
	unsigned edits, others;
	unsigned first_edit, first_other; /* their lines */
};

static const char *words[REQUEST_WORDS_MAX];

static int refuse(
	const struct batch *batch, unsigned line, const struct verb_error *error, const char *text)
{
	return call_fail_at(batch->call, OUTCOME_USAGE, error, batch->path, line,
		"%s; nothing has changed", text);
}

/* 0, or the exit status after a message. */
static int look_at(struct batch *batch, unsigned line, size_t n)
{
	struct verb_error error = {.near = NULL};
	struct verb_words given;
	const struct verb_noun *noun = verb_find_noun(words[0]);
	if (!noun) {
		verb_no_such_noun(words[0], &error);
		return refuse(batch, line, &error, error.text);
	}
	size_t used = verb_is_noun(noun) || n == 1 || verb_is_id(noun, words[1]) ? 1 : 2;
	const struct verb *verb = used == 1 ? noun->verbs : verb_find(noun, words[1]);
	if (!verb) {
		verb_no_such(noun, words[1], &error);
		return refuse(batch, line, &error, error.text);
	}
	if (verb_read(verb, words + used, n - used, &given, &error) < 0)
		return refuse(batch, line, &error, error.text);
	verb_words_fini(&given);
	unsigned *first = verb->traits & VERB_EDITS ? &batch->first_edit : &batch->first_other;
	*first = *first ? *first : line;
	batch->edits += (verb->traits & VERB_EDITS) != 0;
	batch->others += (verb->traits & VERB_EDITS) == 0;
	return 0;
}

/* Calls each line's function until one does not return 0. */
static int each_line(struct batch *batch, const char *text,
	int (*visit)(struct batch *batch, unsigned line, size_t n))
{
	char *copy = strdup(text), *at = copy, *line;
	unsigned number = 0;
	int status = copy ? 0 : CONNECTION_REFUSED;
	while (status == 0 && (line = batch_line(&at))) {
		number++;
		int n = batch_words(line, words, REQUEST_WORDS_MAX);
		if (n < 0)
			status = refuse(batch, number, NULL, "an open quote, or too many words");
		else if (n > 0)
			status = visit(batch, number, (size_t)n);
	}
	free(copy);
	return status;
}

static int run_one(struct batch *batch, unsigned line, size_t n)
{
	int status = noun_run(batch->call, words, n);
	if (status)
		fprintf(stderr, "posternctl: %s:%u: stopped here; the lines before it are done\n",
			batch->path, line);
	return status;
}

static int run_as_one(struct batch *batch, const char *text, size_t len)
{
	const char *const ask[] = {"policy", "batch", batch->path};
	const struct verb *verb = verb_find(verb_find_noun("policy"), "batch");
	return call_ask(batch->call, verb, ask, 3, text, len);
}

int batch_run(struct call *call, const char *path)
{
	char wrong[FILE_WRONG_SIZE];
	size_t len;
	struct batch batch = {.call = call, .path = strcmp(path, "-") ? path : "<standard input>"};
	char *text = file_read(path, &len, wrong);
	if (!text)
		return call_fail(call, OUTCOME_REFUSED, NULL, "%s", wrong);
	int status = 0;
	if (memchr(text, '\0', len))
		status = call_fail(call, OUTCOME_USAGE, NULL, "%s: this is no text", batch.path);
	char *ended = realloc(text, len + 1);
	text = ended ? ended : text;
	text[len] = '\0';
	if (status == 0)
		status = each_line(&batch, text, look_at);
	if (status == 0 && batch.edits && batch.others)
		status = call_fail_at(call, OUTCOME_USAGE, NULL, batch.path,
			batch.first_edit > batch.first_other ? batch.first_edit : batch.first_other,
			"statements of the policy are one change, and other commands none of it: "
			"give them in a batch of their own; nothing has changed");
	else if (status == 0 && !batch.edits && !batch.others)
		status = call_fail(
			call, OUTCOME_EMPTY, NULL, "%s: there is no command in it", batch.path);
	else if (status == 0 && batch.edits)
		status = run_as_one(&batch, text, len);
	else if (status == 0)
		status = each_line(&batch, text, run_one);
	free(text);
	return status;
}
