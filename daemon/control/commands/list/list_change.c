/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that change the elements of a dynamic list. */
#include "daemon/control/request/command.h"

#include "daemon/control/clock.h"
#include "daemon/control/commands/parts.h"
#include "daemon/control/control.h"
#include "daemon/control/policy/apply.h"
#include "daemon/control/policy/confirm.h"
#include "daemon/control/session/list_change.h"
#include "lib/language/language.h"
#include "lib/policy/element.h"
#include "lib/policy/proof/relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct changing {
	struct gather gather; /* first */
	struct command *command;
	struct policy_elem *elems; /* their texts are the request's */
	size_t n;
	struct list_difference difference;
	bool counts; /* says how many came, went and stayed */
	uint64_t end_ms;
};

static void forget_changing(struct command *command)
{
	struct changing *changing = command->state;
	free(changing->elems);
	list_difference_fini(&changing->difference);
}

static void say_counts(struct changing *changing)
{
	const struct list_difference *difference = &changing->difference;
	if (changing->counts)
		command_row(changing->command,
			json_pack("{s:I, s:I, s:I}", "came", (json_int_t)difference->ncame, "went",
				(json_int_t)difference->nwent, "stayed",
				(json_int_t)difference->nstayed));
}

static void on_changed(struct gather *gather)
{
	struct changing *changing = (struct changing *)gather;
	if (gather->status) {
		command_done(changing->command, OUTCOME_REFUSED, COMMAND_HALF "%s", gather->text);
		return;
	}
	say_counts(changing);
	command_ok(changing->command);
}

static struct changing *new_changing(struct command *command)
{
	struct changing *changing = command_new_state(command, sizeof(*changing));
	if (!changing)
		return NULL;
	changing->command = command;
	command->forget = forget_changing;
	return changing;
}

/* ---- what is wrong, all of it at once ---- */

struct complaint {
	char *text;
	size_t len;
	FILE *out;
	size_t n;
};

static void begin(struct complaint *complaint)
{
	*complaint = (struct complaint){0};
	complaint->out = open_memstream(&complaint->text, &complaint->len);
}

/* Of many the first; the others are counted. */
static void complain(struct complaint *complaint, const char *line)
{
	if (complaint->n++ < LANGUAGE_BAD_MAX && complaint->out)
		fprintf(complaint->out, "%s\n", line);
}

static void end(struct complaint *complaint, struct command *command, enum outcome outcome)
{
	if (complaint->out && complaint->n > LANGUAGE_BAD_MAX)
		fprintf(complaint->out, "and %zu more\n", complaint->n - LANGUAGE_BAD_MAX);
	if (complaint->out)
		fclose(complaint->out);
	command_done(command, outcome, "%snothing has changed",
		complaint->text ? complaint->text : "out of memory; ");
	free(complaint->text);
}

static void discard(struct complaint *complaint)
{
	if (complaint->out)
		fclose(complaint->out);
	free(complaint->text);
}

/* The typed ones. false: ended. */
static bool take_elements(
	struct command *command, const struct policy_list *list, struct changing *changing)
{
	const char *const *words = command_values(command, "ELEMENT", &changing->n);
	struct complaint complaint;
	changing->elems = calloc(changing->n, sizeof(*changing->elems));
	if (!changing->elems) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return false;
	}
	begin(&complaint);
	for (size_t i = 0; i < changing->n; i++) {
		char line[LANGUAGE_BAD_SIZE];
		const char *expected =
			element_parse(list->holds, words[i], strlen(words[i]), &changing->elems[i]);
		snprintf(line, sizeof(line), "\"%.330s\" is no entry of list %s, expected %s",
			words[i], list->name.text, expected ? expected : "");
		if (!expected)
			continue;
		if (!complaint.n)
			command_place(command, NULL, 0, 0, expected, NULL);
		complain(&complaint, line);
	}
	if (complaint.n)
		end(&complaint, command, OUTCOME_USAGE);
	else
		discard(&complaint);
	return !complaint.n;
}

static void refuse_file(
	struct command *command, const char *file, const struct language_listing *listing)
{
	const struct language_bad *first = &listing->bad[0];
	struct complaint complaint;
	char line[LANGUAGE_BAD_SIZE];
	command_place(command, file, first->line, first->column, first->expected, NULL);
	begin(&complaint);
	for (size_t i = 0; i < listing->nbad && i < LANGUAGE_BAD_MAX; i++)
		complain(&complaint, language_format_bad(file, &listing->bad[i], line));
	complaint.n = listing->nbad;
	end(&complaint, command, OUTCOME_SYNTAX);
}

/* As for one that is typed: nobody blocks a network by a host's address. */
static void refuse_wide(
	struct command *command, const char *file, const struct language_listing *listing)
{
	const struct language_bad *wide = &listing->wide;
	char readings[PREFIX_READINGS_SIZE], more[64] = "";
	const char *expected = prefix_readings(wide->word, wide->len, readings);
	if (listing->nwide > 1)
		snprintf(more, sizeof(more), "\nand %zu more", listing->nwide - 1);
	command_place(command, file, wide->line, wide->column, expected, NULL);
	command_done(command, OUTCOME_SYNTAX,
		"%s:%u:%u: error: \"%.*s\" can mean two things, expected %s%s\nnothing has changed",
		file, wide->line, wide->column, (int)wide->len, wide->word,
		expected ? expected : "one of them", more);
}

/* Those of the file. false: ended. */
static bool take_file(
	struct command *command, const struct policy_list *list, struct changing *changing)
{
	const char *file = command_value(command, "FILE|-");
	const struct intake *intake = &command->intake;
	struct language_listing listing;
	char text[80];
	file = strcmp(file, "-") ? file : "<standard input>";
	int error = language_parse_list(
		list->holds, intake->body ? intake->body : "", intake->body_len, &listing);
	changing->elems = listing.elems;
	changing->n = listing.n;
	if (error == -EINVAL)
		refuse_file(command, file, &listing);
	else if (!error && listing.nwide)
		refuse_wide(command, file, &listing);
	else if (error)
		command_done(command, OUTCOME_REFUSED, "out of memory");
	if (error || listing.nwide)
		return false;
	if (!listing.heading)
		return true;
	snprintf(text, sizeof(text), "line %u is taken for a heading", listing.heading);
	command_warning(command, text);
	return true;
}

/* ---- add, remove ---- */

/* For ever, every one of them? */
static bool all_there(
	const struct control *control, const struct policy_list *list, struct changing *changing)
{
	for (size_t i = 0; i < changing->n; i++) {
		uint64_t end_ms;
		if (!lists_find(control->lists, list->name.text, &changing->elems[i], &end_ms) ||
			end_ms)
			return false;
	}
	return true;
}

/* where: " in policy 7", or nothing for the running one. false: ended. */
static bool is_closed_in(struct command *command, const struct policy *policy,
	const struct relay_change *change, const char *where)
{
	char text[RELAY_TEXT_SIZE];

	if (!policy || !relay_is_open(policy, command->control->lists, change, text))
		return true;
	command_done(
		command, OUTCOME_REFUSED, "an open relay%s: %s; nothing has changed", where, text);
	return false;
}

/* Nobody is asked again when it returns. false: ended. */
static bool is_closed_back(struct command *command, const struct relay_change *change)
{
	uint64_t number;
	char where[80];
	struct policy *back = confirm_load_back(command->control->confirm, &number);

	snprintf(where, sizeof(where), " in policy %" PRIu64 ", which returns if nobody confirms",
		number);
	bool closed = is_closed_in(command, back, change, where);
	policy_unref(back);
	return closed;
}

/* Sources of a listener's rules, whom it accepts, names of domains: a list that would make an open
 * relay of them is none, now or when the policy comes into force that is on its way. false: ended.
 */
static bool is_closed(struct command *command, const struct policy_list *list,
	const struct changing *changing, bool replaces)
{
	const struct control *control = command->control;
	const struct relay_change change = {.list = list->name.text,
		.replaces = replaces,
		.elems = changing->elems,
		.n = changing->n};

	if (list->holds == POLICY_HOLDS_MAIL)
		return true;
	return is_closed_in(command, control->policy, &change, "") &&
	       is_closed_in(command, apply_coming(control->apply), &change,
		       " in the policy that is under way") &&
	       is_closed_back(command, &change);
}

void list_add(struct command *command)
{
	const char *timeout = command_value(command, "timeout"); /* a refusal frees the command */
	const struct policy_list *list = list_find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	uint64_t ms;
	if (!changing || !take_elements(command, list, changing) ||
		!is_closed(command, list, changing, false))
		return;
	if (timeout && language_parse_duration(timeout, &ms) == 0)
		changing->end_ms = clock_now_ms(command->control) + ms;
	if (!changing->end_ms && all_there(command->control, list, changing)) {
		command_done(command, OUTCOME_UNCHANGED, "nothing changes");
		return;
	}
	command_log(command);
	gather_init(&changing->gather, on_changed);
	list_change_add(command->control, list->name.text, changing->elems, changing->n,
		changing->end_ms, &changing->gather);
	gather_end(&changing->gather, 0, NULL);
}

/* false: ended. */
static bool are_there(
	struct command *command, const struct policy_list *list, const struct changing *changing)
{
	struct complaint complaint;
	begin(&complaint);
	for (size_t i = 0; i < changing->n; i++) {
		char text[ELEMENT_TEXT_SIZE], line[ELEMENT_TEXT_SIZE + 100];
		uint64_t end_ms;
		const struct policy_elem *elem = &changing->elems[i];
		if (lists_find(command->control->lists, list->name.text, elem, &end_ms))
			continue;
		snprintf(line, sizeof(line), "%s is not in list %s", element_format(elem, text),
			list->name.text);
		complain(&complaint, line);
	}
	if (complaint.n)
		end(&complaint, command, OUTCOME_ABSENT);
	else
		discard(&complaint);
	return !complaint.n;
}

void list_remove(struct command *command)
{
	const struct policy_list *list = list_find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	if (!changing || !take_elements(command, list, changing) ||
		!are_there(command, list, changing))
		return;
	command_log(command);
	gather_init(&changing->gather, on_changed);
	list_change_remove(
		command->control, list->name.text, changing->elems, changing->n, &changing->gather);
	gather_end(&changing->gather, 0, NULL);
}

/* ---- the whole list ---- */

/* false: ended. */
static bool compare(struct command *command, const struct policy_list *list,
	struct changing *changing, bool merge)
{
	changing->counts = true;
	if (list_difference_make(command->control->lists, list->name.text, changing->elems,
		    changing->n, merge, &changing->difference) == 0)
		return true;
	command_done(command, OUTCOME_REFUSED, "out of memory");
	return false;
}

static void set_list(
	struct command *command, const struct policy_list *list, struct changing *changing)
{
	if (list_difference_is_none(&changing->difference)) {
		say_counts(changing);
		command_done(command, OUTCOME_UNCHANGED, "nothing changes");
		return;
	}
	command_log(command);
	gather_init(&changing->gather, on_changed);
	list_change_set(
		command->control, list->name.text, &changing->difference, &changing->gather);
	gather_end(&changing->gather, 0, NULL);
}

void list_clear(struct command *command)
{
	const struct policy_list *list = list_find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	if (changing && compare(command, list, changing, false))
		set_list(command, list, changing);
}

void list_replace(struct command *command)
{
	const struct policy_list *list = list_find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	if (changing && take_elements(command, list, changing) &&
		is_closed(command, list, changing, true) && compare(command, list, changing, false))
		set_list(command, list, changing);
}

/* Nobody empties a list by a file that is empty. false: ended. */
static bool may_set(
	struct command *command, const struct policy_list *list, const struct changing *changing)
{
	size_t before = lists_count(command->control->lists, list->name.text);
	if (changing->difference.n || !before || command_given(command, "--allow-empty"))
		return true;
	command_done(command, OUTCOME_EMPTY,
		"list %s would be empty, of %zu elements; if that is wanted, say --allow-empty, "
		"or list clear",
		list->name.text, before);
	return false;
}

static void show_change(struct command *command, const char *change, const struct policy_elem *elem)
{
	char text[ELEMENT_TEXT_SIZE];
	command_row(command,
		json_pack("{s:s, s:s}", "change", change, "element", element_format(elem, text)));
}

/* What an import would change, in order. */
static void show_difference(struct command *command, const struct list_difference *difference)
{
	for (size_t i = 0, j = 0; i < difference->nwent || j < difference->ncame;) {
		bool goes = i < difference->nwent &&
			    (j == difference->ncame || element_compare(&difference->went[i],
							       &difference->came[j]) < 0);
		if (goes)
			show_change(command, "remove", &difference->went[i++]);
		else
			show_change(command, "add", &difference->came[j++]);
	}
	command_unchanged(command);
	command_done(command, OUTCOME_DONE, "%zu would come, %zu would go, %zu would stay",
		difference->ncame, difference->nwent, difference->nstayed);
}

void list_import(struct command *command)
{
	bool merge = command_given(command, "--merge"); /* a refusal frees the command */
	bool dry = command_given(command, "--dry-run");
	const struct policy_list *list = list_find_dynamic(command);
	struct changing *changing = list ? new_changing(command) : NULL;
	if (!changing || !take_file(command, list, changing) ||
		!is_closed(command, list, changing, !merge) ||
		!compare(command, list, changing, merge))
		return;
	if (dry)
		show_difference(command, &changing->difference);
	else if (may_set(command, list, changing))
		set_list(command, list, changing);
}
