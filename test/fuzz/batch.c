/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds any text to what a batch comes through: its lines, their words, the table of commands, and
 * the edits of a policy that they ask for. */
#include "daemon/control/policy/edit/edit.h"
#include "daemon/control/policy/edit/edit_make.h"

#include "lib/command/batch.h"
#include "lib/command/request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char before[] =
	"zone guest { interface \"guest0\", \"guest1\" network 192.0.2.0/24 limit flows 5 per user "
	"limit rate 9/hour per client { block 1h } }\n"
	"list office { 192.0.2.128/28 }\nlist blocked dynamic\n"
	"server relay { host 203.0.113.10 host 203.0.113.10 port 26 { limit flows 3 } "
	"deadline first 5s idle 1h }\n"
	"device till { zone guest mac 02:00:5e:00:53:09 user till }\n"
	"rule guests { zone guest user not \"x\", \"y\" source not office server relay }\n"
	"rule rest { verdict answer 554 \"no { here\" }\n";

/* What was made is a policy that can be printed and read again. */
static void look_at(const struct edit *edit, const struct policy *from, struct policy *to)
{
	struct language_diagnosis diagnosis;
	size_t len;
	char *gone = edit_gone(edit, from, to);
	char *text = language_print(to, LANGUAGE_PRINT_CANONICAL, &len);
	struct policy *again = text ? language_parse("again", text, len, NULL, &diagnosis) : NULL;
	if (!gone || !again)
		abort();
	language_diagnosis_fini(&diagnosis);
	policy_unref(again);
	free(text);
	free(gone);
}

static void run(
	const struct verb_noun *noun, const struct verb_words *given, struct policy **policy)
{
	struct edit edit;
	struct edit_made made;
	edit_from(noun, given, &edit);
	bool is_there = language_find(*policy, edit.kind, edit.name) >= 0;
	if (edit.verb != EDIT_ADD && !is_there)
		return;
	edit_make(&edit, *policy, is_there, NULL, &made);
	if (!made.policy && !made.wrong && made.diagnosis.errors == 0)
		abort();
	if (made.policy) {
		look_at(&edit, *policy, made.policy);
		policy_unref(*policy);
		*policy = made.policy;
	}
	edit_made_fini(&made);
}

static void take_line(const char **words, size_t n, struct policy **policy)
{
	struct verb_error error;
	struct verb_words given;
	const struct verb_part *parts[VERB_PARTS_MAX];
	bool is_value;
	const struct verb_noun *noun = n ? verb_find_noun(words[0]) : NULL;
	size_t used = noun && verb_is_noun(noun) ? 1 : 2;
	const struct verb *verb = !noun       ? NULL
				  : used == 1 ? noun->verbs
				  : n > 1     ? verb_find(noun, words[1])
					      : NULL;
	if (!verb)
		return;
	if (verb_next(verb, words + used, n - used, parts, &is_value) > VERB_PARTS_MAX)
		abort();
	int result = verb_read(verb, words + used, n - used, &given, &error);
	if (result < 0 && !*error.text)
		abort();
	if (result == 0 && (verb->traits & VERB_EDITS))
		run(noun, &given, policy);
	if (result == 0)
		verb_words_fini(&given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *words[REQUEST_WORDS_MAX];
	struct language_diagnosis diagnosis;
	struct policy *policy = language_parse("p", before, strlen(before), NULL, &diagnosis);
	char *text = malloc(size + 1), *at = text, *line;
	if (!policy || !text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = batch_line(&at))) {
		int n = request_is_text(line) ? batch_words(line, words, REQUEST_WORDS_MAX) : -1;
		if (n > 0)
			take_line(words, (size_t)n, &policy);
	}
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
	free(text);
	return 0;
}
