/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/commands/nouns.h"
#include "daemon/control/request/command.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/policy/apply.h"
#include "daemon/control/policy/confirm.h"
#include "daemon/control/policy/diff.h"
#include "daemon/control/policy/edit/edit.h"
#include "daemon/control/policy/edit/operator_text.h"
#include "daemon/control/policy/file.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/level_notice.h"
#include "daemon/control/policy/parse.h"
#include "daemon/control/policy/unknown_names.h"
#include "daemon/control/request/json_row.h"
#include "daemon/control/store/disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 0: none was given. */
static uint64_t given_number(const struct command *command)
{
	const char *word = command_value(command, "N");
	return word ? strtoull(word, NULL, 10) : 0;
}

/* ---- show, history, diff ---- */

static bool load(struct command *command, uint64_t number, struct policy_record *record)
{
	int error = policy_store_load(command->control->history, number, record);
	if (error == -ENOENT)
		command_done(command, OUTCOME_ABSENT,
			"policy %" PRIu64 " is not in the history (posternctl policy history)",
			number);
	else if (error)
		command_done(command, OUTCOME_REFUSED, "policy %" PRIu64 " cannot be read: %s",
			number, error == -EBADMSG ? "it was cut off" : strerror(-error));
	return !error;
}

static void show_full(struct command *command, struct policy_record *record)
{
	struct language_diagnosis diagnosis;
	size_t len = 0;
	record->texts.replay = true;
	struct policy *policy = policy_parse_text(command->control, "history", record->canonical,
		record->canonical_len, &record->texts, &diagnosis);
	char *text = policy ? language_print(policy, LANGUAGE_PRINT_FULL, &len) : NULL;
	language_diagnosis_fini(&diagnosis);
	policy_unref(policy);
	if (text) {
		command_text(command, text, len);
		command_ok(command);
	} else {
		command_done(command, OUTCOME_REFUSED, "it does not parse any more");
	}
	free(text);
}

static void run_show(struct command *command)
{
	bool source = command_given(command, "--source");
	uint64_t number = given_number(command);
	struct policy_record record;
	if (!number)
		number = command->control->policy_number;
	if (!load(command, number, &record))
		return;
	if (command_given(command, "--full")) {
		show_full(command, &record);
	} else {
		command_text(command, source ? record.source : record.canonical,
			source ? record.source_len : record.canonical_len);
		command_ok(command);
	}
	policy_record_fini(&record);
}

static void run_history(struct command *command)
{
	const struct control *control = command->control;
	const struct policy_current *current = policy_store_current(control->history);
	size_t n;
	const struct policy_store_line *lines = policy_store_history(control->history, &n);
	for (size_t i = n; i-- > 0;) {
		const struct policy_store_line *line = &lines[i];
		const char *state = line->number != control->policy_number ? ""
				    : current->confirm_until_ms ? "running, to be confirmed"
								: "running";
		command_row(command,
			json_pack("{s:I, s:o, s:i, s:s, s:I, s:o}", "policy",
				(json_int_t)line->number, "applied_at", json_row_time(line->at_ms),
				"uid", (int)line->uid, "state", state, "size_bytes",
				(json_int_t)line->bytes, "origin", json_row_text(line->origin)));
	}
	command_ok(command);
}

/* From what is named to the running policy, or for a candidate from the running one to it. */
static void answer_diff(
	struct command *command, const char *name, const char *text, size_t len, bool candidate)
{
	struct control *control = command->control;
	char heading[4200], running_name[48];
	size_t running_len;
	char *running = language_print(control->policy, LANGUAGE_PRINT_CANONICAL, &running_len);
	char *diff = NULL;
	if (running)
		diff = candidate ? diff_lines(running, running_len, text, len)
				 : diff_lines(text, len, running, running_len);
	free(running);
	if (!diff) {
		command_done(command, OUTCOME_REFUSED, "out of memory");
		return;
	}
	snprintf(running_name, sizeof(running_name), "policy %" PRIu64 " (running)",
		control->policy_number);
	int n = snprintf(heading, sizeof(heading), "--- %s\n+++ %s\n",
		candidate ? running_name : name, candidate ? name : running_name);
	bool differs = *diff;
	if (differs && n > 0 && (size_t)n < sizeof(heading))
		command_text(command, heading, (size_t)n);
	command_text(command, diff, strlen(diff));
	free(diff);
	command_done(command, differs ? OUTCOME_DIFFERS : OUTCOME_DONE, "%s", "");
}

static void diff_text(struct command *command, const char *name, const char *source,
	size_t source_len, bool candidate)
{
	struct policy_texts texts = {0};
	struct language_diagnosis diagnosis;
	size_t len;
	struct policy *policy =
		policy_parse_text(command->control, name, source, source_len, &texts, &diagnosis);
	char *text = policy ? language_print(policy, LANGUAGE_PRINT_CANONICAL, &len) : NULL;
	if (text)
		answer_diff(command, name, text, len, candidate);
	else
		command_syntax(command, &diagnosis);
	language_diagnosis_fini(&diagnosis);
	policy_texts_fini(&texts);
	policy_unref(policy);
	free(text);
}

static void diff_file(struct command *command)
{
	const char *path = command->control->start.options.config;
	char *source;
	size_t len;
	int error = disk_read(path, POLICY_TEXT_BYTES_MAX, &source, &len);
	if (error) {
		command_done(command, OUTCOME_REFUSED, "%s: %s", path, language_read_error(error));
		return;
	}
	diff_text(command, path, source, len, false);
	free(source);
}

static void run_diff(struct command *command)
{
	uint64_t number = given_number(command);
	const char *file = command_value(command, "FILE|-");
	struct policy_record record;
	char name[32];
	if (file) {
		diff_text(command, strcmp(file, "-") ? file : "<standard input>",
			command->intake.body ? command->intake.body : "", command->intake.body_len,
			true);
		return;
	}
	if (!number) {
		diff_file(command);
		return;
	}
	if (!load(command, number, &record))
		return;
	snprintf(name, sizeof(name), "policy %" PRIu64, number);
	answer_diff(command, name, record.canonical, record.canonical_len, false);
	policy_record_fini(&record);
}

/* ---- apply, confirm, rollback ---- */

struct applying {
	struct unknown_names names; /* first */
	struct command *command;
	const char *file; /* word for messages */
	uint64_t confirm_ms;
	uint64_t number; /* rollback */
	char *warnings;
	char *levels; /* that change */
};

static void forget_applying(struct command *command)
{
	struct applying *applying = command->state;
	free(applying->warnings);
	free(applying->levels);
}

/* The policy is in force, whatever is said of its names. */
static void on_names(struct unknown_names *names, const char *warnings)
{
	struct command *command = ((struct applying *)names)->command;
	const struct control *control = command->control;

	if (warnings)
		command_warnings(command, warnings);
	command_row(command,
		json_pack("{s:I, s:o}", "policy", (json_int_t)control->policy_number,
			"confirm_until_at",
			json_row_time(clock_to_wall(control,
				policy_store_current(control->history)->confirm_until_ms))));
	command_ok(command);
}

static void on_applied(void *context, enum outcome outcome, const char *text)
{
	struct command *command = context;
	struct applying *applying = command->state;
	if (outcome != OUTCOME_DONE) {
		command_done(command, outcome, "%s", text);
		return;
	}
	if (applying->warnings)
		command_warnings(command, applying->warnings);
	if (applying->levels)
		command_warnings(command, applying->levels);
	command_warnings(command, text);
	applying->command = command;
	unknown_names_ask(&applying->names, command->control, on_names);
}

/* Text that says what the file says counts as the file. */
static bool is_file(const struct control *control, const char *text, size_t len)
{
	char *source;
	size_t source_len;
	if (disk_read(control->start.options.config, POLICY_TEXT_BYTES_MAX, &source, &source_len))
		return false;
	bool same = len == source_len && memcmp(text, source, len) == 0;
	free(source);
	return same;
}

static void apply_text(struct command *command, const char *name, const char *text, size_t len,
	struct policy_texts *texts, bool file, enum guard_kind kind)
{
	struct control *control = command->control;
	struct applying *applying = command->state;
	struct language_diagnosis diagnosis;
	char origin[256];
	struct policy *policy = policy_parse_text(control, name, text, len, texts, &diagnosis);
	char *messages = policy_parse_messages(&diagnosis, LANGUAGE_WARNING);
	char *source = policy ? malloc(len + 1) : NULL;
	if (!source) {
		control->counters[COUNTER_POLICIES_REFUSED]++;
		policy_texts_fini(texts);
		if (policy)
			command_done(command, OUTCOME_REFUSED, "out of memory");
		else
			command_syntax(command, &diagnosis);
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
		free(messages);
		return;
	}
	language_diagnosis_fini(&diagnosis);
	memcpy(source, text, len);
	source[len] = '\0';
	applying->warnings = messages;
	applying->levels = level_notice(control->policy, policy);
	command_log(command);
	apply_begin(control->apply, &(struct apply_order){.policy = policy,
					    .source = source,
					    .source_len = len,
					    .texts = *texts,
					    .origin = file ? "file" : command_line(command, origin),
					    .uid = command->uid,
					    .is_file = file,
					    .confirm_ms = applying->confirm_ms,
					    .pass = command_pass(command, kind),
					    .done = on_applied,
					    .context = command});
}

static void run_apply_body(struct command *command)
{
	const struct applying *applying = command->state;
	struct policy_texts texts = {0};
	if (!command_may_change(command))
		return;
	const char *text = command->intake.body ? command->intake.body : "";
	size_t len = command->intake.body_len;
	apply_text(command, applying->file, text, len, &texts, is_file(command->control, text, len),
		GUARD_WHOLE);
}

static bool take_confirm(struct command *command, uint64_t *confirm_ms)
{
	const char *value = command_value(command, "--confirm");
	if (!value)
		return true;
	if (language_parse_duration(value, confirm_ms) == 0 && *confirm_ms >= 1000 &&
		*confirm_ms <= 7 * 86400000ull)
		return true;
	command_usage(command, "--confirm takes a time of 1s to 7d");
	return false;
}

static void run_apply(struct command *command)
{
	struct applying *applying = command_new_state(command, sizeof(*applying));
	const char *file = command_value(command, "FILE|-");
	if (!applying)
		return;
	command->forget = forget_applying;
	if (!take_confirm(command, &applying->confirm_ms))
		return;
	applying->file = file && strcmp(file, "-") == 0 ? "<standard input>" : file;
	if (file)
		command_when_free(command, run_apply_body);
	else
		policy_file_apply(
			command->control, &(struct policy_file_order){.uid = command->uid,
						  .confirm_ms = applying->confirm_ms,
						  .always = true,
						  .pass = command_pass(command, GUARD_WHOLE),
						  .done = on_applied,
						  .context = command});
}

static void run_confirm_now(struct command *command)
{
	const struct policy_current *current = policy_store_current(command->control->history);
	uint64_t number = given_number(command);
	if (number && current->confirm_until_ms && number != current->number) {
		command_done(command, OUTCOME_BASE,
			"policy %" PRIu64 " waits to be confirmed, not %" PRIu64, current->number,
			number);
		return;
	}
	int error = confirm_give(command->control->confirm, command_on_outcome, command);
	if (error == -ENOENT)
		command_done(command, OUTCOME_ABSENT, "no policy waits to be confirmed");
	else if (error)
		command_done(command, OUTCOME_REFUSED, "%s", strerror(-error));
}

static void run_confirm(struct command *command)
{
	command_log(command);
	command_when_free(command, run_confirm_now);
}

/* The newest before the running one, when no number is given. */
static uint64_t number_before(const struct control *control)
{
	size_t n;
	const struct policy_store_line *lines = policy_store_history(control->history, &n);
	for (size_t i = n; i-- > 0;)
		if (lines[i].number < control->policy_number)
			return lines[i].number;
	return 0;
}

static void run_rollback_now(struct command *command)
{
	struct applying *applying = command->state;
	struct policy_record record;
	const struct policy_current *current = policy_store_current(command->control->history);
	uint64_t number = applying->number            ? applying->number
			  : current->confirm_until_ms ? current->confirm_back
						      : number_before(command->control);
	if (!number) {
		command_done(command, OUTCOME_REFUSED, "there is no policy before this one");
		return;
	}
	/* back to what waits would be a confirm */
	if (current->confirm_until_ms && number == current->number) {
		command_may_change(command);
		return;
	}
	if (!load(command, number, &record))
		return;
	/* what the confirm goes back to by itself is not to be argued with */
	enum guard_kind kind = current->confirm_until_ms && number == current->confirm_back
				       ? GUARD_RETURN
				       : GUARD_BACK;
	bool whole = operator_text_holds(command->control, &record);
	struct policy_texts texts = record.texts;
	record.texts = (struct policy_texts){0};
	texts.replay = true;
	if (whole)
		apply_text(command, command->control->start.options.config, record.source,
			record.source_len, &texts, false, kind);
	else
		apply_text(command, "history", record.canonical, record.canonical_len, &texts,
			false, kind);
	policy_record_fini(&record);
}

static void run_rollback(struct command *command)
{
	struct applying *applying = command_new_state(command, sizeof(*applying));
	if (!applying)
		return;
	command->forget = forget_applying;
	applying->number = given_number(command);
	command_when_free(command, run_rollback_now);
}

/* ---- save: posternctl writes the file, with the rights of its caller ---- */

/* What nobody confirmed is not written. false: ended. */
static bool is_confirmed(struct command *command)
{
	char *waits = guard_confirming(command->control);
	if (waits)
		command_done(command, OUTCOME_CONFIRMING,
			"%s; until then it is not saved: posternctl policy confirm, or posternctl "
			"policy rollback",
			waits);
	free(waits);
	return !waits;
}

static void run_save(struct command *command)
{
	struct control *control = command->control;
	const char *path = control->start.options.config;
	struct policy_record record;
	if (!is_confirmed(command) || !load(command, control->policy_number, &record))
		return;
	char *real = realpath(path, NULL);
	command_row(command, json_pack("{s:I, s:o}", "policy", (json_int_t)record.number, "file",
				     json_row_text(real ? real : path)));
	command_text(command, record.source, record.source_len);
	command_ok(command);
	free(real);
	policy_record_fini(&record);
}

static void on_remembered(void *context, enum outcome outcome, const char *text)
{
	struct command *command = context;
	if (outcome != OUTCOME_DONE)
		command_done(command, OUTCOME_REFUSED, "saved, but %s", text);
	else
		command_ok(command);
}

/* The newest policy whose text this is. */
static bool find_record(
	struct control *control, const char *text, size_t len, struct policy_record *record)
{
	size_t n;
	const struct policy_store_line *lines = policy_store_history(control->history, &n);
	for (size_t i = n; i-- > 0;) {
		if (policy_store_load(control->history, lines[i].number, record))
			continue;
		if (record->source_len == len && memcmp(record->source, text, len) == 0)
			return true;
		policy_record_fini(record);
	}
	return false;
}

/* The file is read again: what counts is what stands there, not what somebody says is there. */
static void run_saved_now(struct command *command)
{
	struct control *control = command->control;
	const char *path = control->start.options.config;
	struct policy_record record;
	char *text;
	size_t len;
	if (!is_confirmed(command))
		return;
	int error = disk_read(path, POLICY_TEXT_BYTES_MAX, &text, &len);
	if (error) {
		command_done(command, OUTCOME_REFUSED, "posternd cannot read %s: %s", path,
			language_read_error(error));
		return;
	}
	bool found = find_record(control, text, len, &record);
	free(text);
	if (!found) {
		command_done(command, OUTCOME_REFUSED,
			"%s does not hold a policy of the history (posternctl policy diff file)",
			path);
		return;
	}
	command_log(command);
	control->filed = false; /* judged anew */
	if (apply_remember_file(control->apply, &record.texts, record.source, record.source_len,
		    on_remembered, command) < 0)
		on_remembered(command, OUTCOME_REFUSED, "out of memory");
	policy_record_fini(&record);
}

static void run_saved(struct command *command)
{
	command_when_free(command, run_saved_now);
}

static const struct command_verb verbs[] = {
	{"set", command_edit},
	{"unset", command_edit},
	{"show", run_show},
	{"apply", run_apply},
	{"confirm", run_confirm},
	{"history", run_history},
	{"diff", run_diff},
	{"rollback", run_rollback},
	{"save", run_save},
	{"saved", run_saved},
	{"batch", command_batch},
	{NULL, NULL},
};

const struct command_noun command_policy = {"policy", verbs};
