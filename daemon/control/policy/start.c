/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/start.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/kernel/plan.h"
#include "daemon/control/kernel/posture.h"
#include "daemon/control/policy/apply.h"
#include "daemon/control/policy/confirm.h"
#include "daemon/control/policy/file.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/parse.h"
#include "daemon/control/policy/turns.h"
#include "lib/base/container.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct policy_start {
	struct gather gather; /* of the running step */
	struct gather posture;
	struct control *control;
	struct policy_file file; /* where no policy ever ran: the first */
	struct policy_record record;
	char fault[512], trouble[384]; /* for control, when a policy runs */
	uint64_t tried;                /* the newest number that was not refused yet is below it */
	bool in_force; /* a plan or a table is in the kernel, whatever control does */
	void (*done)(struct control *control, bool runs);
};

struct policy_start *policy_start_new(struct control *control)
{
	struct policy_start *start = calloc(1, sizeof(*start));
	if (start)
		start->control = control;
	return start;
}

void policy_start_free(struct policy_start *start)
{
	if (!start)
		return;
	policy_file_fini(&start->file);
	policy_record_fini(&start->record);
	free(start);
}

/* ---- choose ---- */

/* The first line of what is wrong now with a policy that was good when it was applied. */
static void note_faults(struct policy_start *start, const struct language_diagnosis *diagnosis)
{
	char *text = policy_parse_messages(diagnosis, LANGUAGE_FAULT);
	start->fault[0] = '\0';
	if (text && *text) {
		policy_file_log(POLICY_LOG_WARNING, text);
		snprintf(
			start->fault, sizeof(start->fault), "%.*s", (int)strcspn(text, "\n"), text);
	}
	free(text);
}

/* A policy of the history as it was applied. NULL, said. */
static struct policy *load(
	struct policy_start *start, uint64_t number, struct policy_record *record)
{
	struct language_diagnosis diagnosis;
	int error = policy_store_load(start->control->history, number, record);
	if (error) {
		log_error("policy %" PRIu64 " cannot be read: %s", number, strerror(-error));
		return NULL;
	}
	struct policy *policy = policy_parse_record(start->control, record, &diagnosis);
	if (policy) {
		note_faults(start, &diagnosis);
	} else {
		char *text = policy_parse_messages(&diagnosis, LANGUAGE_ERROR);
		policy_file_log(POLICY_LOG_ERROR, text);
		log_error("policy %" PRIu64 " does not parse any more", number);
		free(text);
		policy_record_fini(record);
	}
	language_diagnosis_fini(&diagnosis);
	return policy;
}

/* The newest of the history below start->tried that parses; start->tried becomes its number. */
static struct policy *load_older(struct policy_start *start, struct policy_record *record)
{
	size_t n;
	const struct policy_store_line *lines = policy_store_history(start->control->history, &n);
	for (size_t i = n; i-- > 0;) {
		if (lines[i].number >= start->tried)
			continue;
		start->tried = lines[i].number;
		struct policy *policy = load(start, start->tried, record);
		if (policy)
			return policy;
	}
	return NULL;
}

static int choose_file(struct policy_start *start)
{
	struct control *control = start->control;
	if (start->file.state != POLICY_FILE_CHANGED) {
		policy_file_log(POLICY_LOG_ERROR, start->file.text);
		return -EINVAL;
	}
	policy_file_log(POLICY_LOG_WARNING, start->file.text);
	control->policy = policy_ref(start->file.policy);
	control->policy_number = policy_store_next_number(control->history);
	return 0;
}

int policy_start_choose(struct policy_start *start)
{
	struct control *control = start->control;
	const struct policy_current *current = policy_store_current(control->history);
	bool back = current->confirm_until_ms && current->confirm_until_ms <= clock_now_ms(control);
	int error = 0;
	if (*policy_store_trouble(control->history))
		log_error("%s", policy_store_trouble(control->history));
	start->tried = back ? current->confirm_back : current->number;
	if (start->tried)
		control->policy = load(start, start->tried, &start->record);
	if (start->tried && !control->policy)
		control->policy = load_older(start, &start->record);
	control->policy_number = control->policy ? start->tried : 0;
	policy_file_look(control, false, &start->file);
	/* of the running policy or of the one that follows it: what is said of both is said by the
	 * stricter of them */
	log_set_privacy((control->policy && control->policy->audit_names_none) ||
			(start->file.policy && start->file.policy->audit_names_none));
	if (!control->policy)
		error = choose_file(start);
	else
		policy_file_fini(&start->file);
	return error;
}

/* ---- posture ---- */

static void on_posture(struct gather *gather)
{
	struct policy_start *start = container_of(gather, struct policy_start, posture);
	start->in_force = gather->status == -EEXIST;
	if (gather->status && !start->in_force)
		log_error("the posture cannot be put into the kernel: %s",
			*gather->text ? gather->text : strerror(-gather->status));
}

void policy_start_posture(struct policy_start *start)
{
	gather_init(&start->posture, on_posture);
	posture_send(start->control, &start->posture);
	gather_end(&start->posture, 0, NULL);
}

/* ---- run ---- */

static void end(struct policy_start *start, bool runs)
{
	policy_record_fini(&start->record);
	policy_file_fini(&start->file);
	start->done(start->control, runs);
}

static void on_file(void *context, enum outcome outcome, const char *text)
{
	struct policy_start *start = context;
	(void)outcome; /* said */
	(void)text;
	end(start, true);
}

static void say_troubles(struct policy_start *start)
{
	struct control *control = start->control;
	memcpy(control->policy_fault, start->fault, sizeof(control->policy_fault));
	memcpy(control->plan_trouble, start->trouble, sizeof(control->plan_trouble));
}

/* The policy runs: now what came between this start and the end before it. */
static void take_file(void *context)
{
	struct policy_start *start = context;
	policy_file_apply(
		start->control, &(struct policy_file_order){.done = on_file, .context = start});
}

static void on_posture_kept(struct gather *gather)
{
	struct policy_start *start = container_of(gather, struct policy_start, gather);
	confirm_expire(start->control->confirm);
	turns_when_free(start->control->turns, take_file, start);
}

static void go_on(struct policy_start *start)
{
	say_troubles(start);
	gather_init(&start->gather, on_posture_kept);
	posture_keep(start->control, &start->gather);
	gather_end(&start->gather, 0, NULL);
}

static void on_first_stored(void *context, int status)
{
	struct policy_start *start = context;
	struct control *control = start->control;
	if (status) {
		log_error("the policy cannot be stored in %s: %s", control->start.options.state_dir,
			strerror(-status));
		end(start, false);
		return;
	}
	log_info("%s is in force as policy %" PRIu64, control->start.options.config,
		control->policy_number);
	go_on(start);
}

/* The first policy of all, of which the kernel has the plan. */
static void store_first(struct policy_start *start)
{
	struct control *control = start->control;
	struct policy_file *file = &start->file;
	struct policy_current current = {.number = control->policy_number};
	struct policy_record record = {.number = control->policy_number,
		.at_ms = loop_wall_ms(control->loop),
		.source = file->source,
		.source_len = file->source_len,
		.texts = file->texts,
		.origin = "file"};
	record.canonical =
		language_print(control->policy, LANGUAGE_PRINT_CANONICAL, &record.canonical_len);
	current.file_hash = policy_texts_hash_all(&file->texts, file->source, file->source_len);
	int error = record.canonical ? 0 : -ENOMEM;
	for (size_t i = 0; i < file->texts.n && !error; i++)
		error = policy_current_add_path(&current, file->texts.v[i].path);
	if (!error)
		error = policy_store_begin_save(
			control->history, &record, &current, on_first_stored, start);
	policy_current_fini(&current);
	free(record.canonical);
	if (error)
		on_first_stored(start, error);
}

static void try_older(struct policy_start *start);

static void on_older(void *context, enum outcome outcome, const char *text)
{
	struct policy_start *start = context;
	if (outcome != OUTCOME_DONE) {
		log_error("policy %" PRIu64 ": %s", start->tried, text);
		try_older(start);
		return;
	}
	go_on(start);
}

/* A policy of the history in the place of the one that the kernel refuses, or that does not parse
 * any more: as a new one, so that the history tells it. */
static void run_again(struct policy_start *start, struct policy *policy,
	struct policy_record *record, const char *because)
{
	char origin[96];
	snprintf(origin, sizeof(origin), "policy %" PRIu64 ", as %s", record->number, because);
	apply_begin(start->control->apply, &(struct apply_order){.policy = policy,
						   .source = record->source,
						   .source_len = record->source_len,
						   .texts = record->texts,
						   .origin = origin,
						   .pass.kind = GUARD_RETURN,
						   .done = on_older,
						   .context = start});
	record->source = NULL;
	record->texts = (struct policy_texts){0};
	policy_record_fini(record);
}

static void try_older(struct policy_start *start)
{
	struct control *control = start->control;
	struct policy_record record;
	char because[48];
	struct policy *policy = load_older(start, &record);
	if (policy) {
		snprintf(because, sizeof(because), "the kernel refused %" PRIu64,
			control->policy_number);
		log_warning("policy %" PRIu64 " is tried in its place", record.number);
		run_again(start, policy, &record, because);
		return;
	}
	if (!start->in_force)
		log_error("the kernel refuses the plan of every policy in the history");
	else
		log_error(
			"the kernel refuses the plan of every policy in the history: what it holds "
			"stays");
	say_troubles(start);
	end(start, start->in_force);
}

static void on_planned(struct gather *gather)
{
	struct policy_start *start = container_of(gather, struct policy_start, gather);
	struct control *control = start->control;
	const struct policy_current *current = policy_store_current(control->history);
	if (question_is_unanswered(gather->status)) {
		/* no refusal: whoever starts next asks again */
		log_error("policy %" PRIu64 " cannot be put in force: %s", control->policy_number,
			gather->text);
		end(start, false);
	} else if (gather->status) {
		const char *text = *gather->text ? gather->text : strerror(-gather->status);
		log_error("the kernel does not take the plan of policy %" PRIu64 ": %s",
			control->policy_number, text);
		snprintf(start->trouble, sizeof(start->trouble),
			"the kernel did not take policy %" PRIu64 ": %s", control->policy_number,
			text);
		try_older(start);
	} else if (!current->number) {
		store_first(start);
	} else if (start->record.number < current->number && !current->confirm_until_ms) {
		char because[48];
		snprintf(because, sizeof(because), "%" PRIu64 " cannot be read", current->number);
		run_again(start, policy_ref(control->policy), &start->record, because);
	} else {
		go_on(start);
	}
}

void policy_start_run(struct policy_start *start, void (*done)(struct control *control, bool runs))
{
	start->done = done;
	gather_init(&start->gather, on_planned);
	int error = kernel_plan_send(
		start->control, start->control->policy, PLAN_RUNNING, true, &start->gather);
	gather_end(&start->gather, error, NULL);
}
