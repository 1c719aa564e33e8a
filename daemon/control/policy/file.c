/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/file.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/renew.h"
#include "daemon/control/policy/apply.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/inquiry.h"
#include "daemon/control/policy/parse.h"
#include "daemon/control/policy/turns.h"
#include "daemon/control/store/disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void policy_file_fini(struct policy_file *file)
{
	policy_unref(file->policy);
	free(file->source);
	free(file->text);
	policy_texts_fini(&file->texts);
	*file = (struct policy_file){0};
}

/* The hash that the file would have, were it applied with what it took in the last time. */
static int hash_now(const struct control *control, uint64_t *hash)
{
	const struct policy_current *current = policy_store_current(control->history);
	struct policy_texts texts = {0};
	char *source, *text;
	size_t source_len, len;
	int error = disk_read(
		control->start.options.config, POLICY_TEXT_BYTES_MAX, &source, &source_len);
	if (error)
		return error;
	for (size_t i = 0; i < current->npaths; i++) {
		if (policy_texts_read(&texts, current->paths[i], &text, &len) < 0)
			continue; /* a file that went away is a change */
		free(text);
	}
	*hash = policy_texts_hash_all(&texts, source, source_len);
	policy_texts_fini(&texts);
	free(source);
	return 0;
}

static bool says_what_runs(const struct control *control, const struct policy *policy)
{
	size_t len, running_len;
	char *text = language_print(policy, LANGUAGE_PRINT_RESOLVED, &len);
	char *running = control->policy ? language_print(control->policy, LANGUAGE_PRINT_RESOLVED,
						  &running_len)
					: NULL;
	bool same = text && running && len == running_len && memcmp(text, running, len) == 0;
	free(text);
	free(running);
	return same;
}

void policy_file_look(struct control *control, bool always, struct policy_file *file)
{
	const char *path = control->start.options.config;
	struct language_diagnosis diagnosis;
	uint64_t hash;
	char text[512];

	*file = (struct policy_file){.state = POLICY_FILE_SAME};
	int error = disk_read(path, POLICY_TEXT_BYTES_MAX, &file->source, &file->source_len);
	if (error) {
		file->state = POLICY_FILE_MISSING;
		snprintf(text, sizeof(text), "%s: %s", path, language_read_error(error));
		file->text = strdup(text);
		return;
	}
	if (!always && control->policy && hash_now(control, &hash) == 0 &&
		hash == policy_store_current(control->history)->file_hash)
		return;
	file->policy = policy_parse_text(
		control, path, file->source, file->source_len, &file->texts, &diagnosis);
	file->text =
		policy_parse_messages(&diagnosis, file->policy ? LANGUAGE_WARNING : LANGUAGE_ERROR);
	language_diagnosis_fini(&diagnosis);
	if (!file->policy)
		file->state = POLICY_FILE_BAD;
	else if (always || !says_what_runs(control, file->policy))
		file->state = POLICY_FILE_CHANGED;
}

/* Whether the running policy is the one of the file, with no command's change since. */
static bool runs_as_filed(struct control *control)
{
	if (control->filed_number == control->policy_number && control->filed)
		return true;
	control->filed_number = control->policy_number;
	control->filed = policy_store_is_filed(control->history, control->policy_number);
	return control->filed;
}

/* Judging a file takes a parse; what it came to holds while neither file nor policy changes. */
bool policy_file_differs(struct control *control, const char **why)
{
	struct policy_file file;
	uint64_t hash;
	int error = hash_now(control, &hash);
	*why = "cannot be read";
	if (error)
		return true;
	if (hash == policy_store_current(control->history)->file_hash) {
		*why = runs_as_filed(control) ? "as applied"
					      : "as applied, commands changed the policy since";
		return false;
	}
	if (hash != control->judged_hash || control->policy_number != control->judged_number) {
		policy_file_look(control, false, &file);
		control->judged_hash = hash;
		control->judged_number = control->policy_number;
		control->judged_same = file.state == POLICY_FILE_SAME;
		control->file_bad = file.state == POLICY_FILE_BAD;
		policy_file_fini(&file);
	}
	*why = control->judged_same ? "says what runs"
	       : control->file_bad  ? "changed and bad"
				    : "changed, not applied";
	return !control->judged_same;
}

void policy_file_log(enum policy_log_level level, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");
		if (len && level == POLICY_LOG_ERROR)
			log_error("%.*s", (int)len, text);
		else if (len)
			log_warning("%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void log_going_on(const struct control *control)
{
	char policy[24];
	snprintf(policy, sizeof(policy), "%" PRIu64, control->policy_number);
	log_event(POLICY_LOG_ERROR, LOG_ID_POLICY_REFUSED, LOG_FIELDS({LOG_FIELD_POLICY, policy}),
		"the running policy %s goes on", policy);
}

struct filing {
	struct gather gather; /* first */
	struct control *control;
	struct policy_file_order order;
	char *warnings;
};

static void end(struct filing *filing, enum outcome outcome, const char *text)
{
	struct policy_file_order order = filing->order;
	free(filing);
	order.done(order.context, outcome, text);
}

static void on_applied(void *context, enum outcome outcome, const char *text)
{
	struct filing *filing = context;
	struct control *control = filing->control;
	char *warnings = filing->warnings, *both = NULL;
	bool refused = outcome_status(outcome) != 0;
	control->file_refused[0] = '\0';
	if (refused) {
		snprintf(control->file_refused, sizeof(control->file_refused), "%s", text);
		policy_file_log(POLICY_LOG_ERROR, text);
		log_going_on(control);
	} else if (warnings && asprintf(&both, "%s%s", warnings, text) < 0) {
		both = NULL;
	}
	end(filing, outcome, both ? both : text);
	free(both);
	free(warnings);
}

static void on_inquired(struct gather *gather)
{
	end((struct filing *)gather, OUTCOME_UNCHANGED,
		"the file has not changed; the running policy goes on");
}

static void run(void *context)
{
	struct filing *filing = context;
	struct control *control = filing->control;
	struct policy_file_order *order = &filing->order;
	struct policy_file file;
	policy_file_look(control, order->always, &file);
	control->file_bad = file.state == POLICY_FILE_BAD || file.state == POLICY_FILE_MISSING;
	switch (file.state) {
	case POLICY_FILE_SAME:
		renew_soon(control->renew);
		gather_init(&filing->gather, on_inquired);
		inquiry_begin(control, &filing->gather);
		gather_end(&filing->gather, 0, NULL);
		break;
	case POLICY_FILE_BAD:
	case POLICY_FILE_MISSING:
		policy_file_log(POLICY_LOG_ERROR, file.text);
		log_going_on(control);
		end(filing, file.state == POLICY_FILE_BAD ? OUTCOME_SYNTAX : OUTCOME_REFUSED,
			file.text ? file.text : "out of memory");
		break;
	case POLICY_FILE_CHANGED:
		filing->warnings = file.text;
		file.text = NULL;
		apply_begin(control->apply, &(struct apply_order){.policy = policy_ref(file.policy),
						    .source = file.source,
						    .source_len = file.source_len,
						    .texts = file.texts,
						    .origin = "file",
						    .uid = order->uid,
						    .is_file = true,
						    .confirm_ms = order->confirm_ms,
						    .pass = order->pass,
						    .done = on_applied,
						    .context = filing});
		file.source = NULL;
		file.texts = (struct policy_texts){0};
		break;
	}
	policy_file_fini(&file);
}

void policy_file_apply(struct control *control, const struct policy_file_order *order)
{
	struct filing *filing = calloc(1, sizeof(*filing));
	if (!filing) {
		order->done(order->context, OUTCOME_REFUSED, "out of memory");
		return;
	}
	*filing = (struct filing){.control = control, .order = *order};
	filing->order.pass.kind = GUARD_WHOLE;
	turns_when_free(control->turns, run, filing);
}
