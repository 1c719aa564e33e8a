/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/confirm.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/parse.h"
#include "daemon/control/policy/turns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct confirm {
	struct loop_timer timer; /* first */
	struct control *control;
};

void confirm_resume(struct confirm *confirm)
{
	struct control *control = confirm->control;
	const struct policy_current *current = policy_store_current(control->history);
	if (!current->confirm_until_ms) {
		loop_timer_clear(control->loop, &confirm->timer);
		return;
	}
	uint64_t now_ms = clock_now_ms(control);
	uint64_t left_ms =
		current->confirm_until_ms > now_ms ? current->confirm_until_ms - now_ms : 0;
	loop_timer_set(control->loop, &confirm->timer, loop_now_ms(control->loop) + left_ms);
}

static void on_returned(void *context, enum outcome outcome, const char *text)
{
	struct confirm *confirm = context;
	if (outcome == OUTCOME_DONE)
		return;
	log_error("the unconfirmed policy cannot be taken back: %s; trying again in 10 s", text);
	loop_timer_set(confirm->control->loop, &confirm->timer,
		loop_now_ms(confirm->control->loop) + 10000);
}

/* Nobody confirmed: the policy before is applied as a new one, so that the history tells it. */
static void return_policy(void *context)
{
	struct confirm *confirm = context;
	struct control *control = confirm->control;
	const struct policy_current *current = policy_store_current(control->history);
	struct policy_record record;
	char origin[64];
	if (!current->confirm_until_ms || current->confirm_until_ms > clock_now_ms(control)) {
		confirm_resume(confirm);
		return;
	}
	int error = policy_store_load(control->history, current->confirm_back, &record);
	if (error) {
		on_returned(confirm, OUTCOME_REFUSED, "it is no longer in the history");
		return;
	}
	struct language_diagnosis diagnosis;
	struct policy *policy = policy_parse_record(control, &record, &diagnosis);
	language_diagnosis_fini(&diagnosis);
	if (!policy) {
		policy_record_fini(&record);
		on_returned(confirm, OUTCOME_REFUSED, "it does not parse any more");
		return;
	}
	log_warning("policy %" PRIu64 " was not confirmed in time; policy %" PRIu64 " returns",
		current->number, record.number);
	snprintf(origin, sizeof(origin), "policy %" PRIu64 ", as %" PRIu64 " was not confirmed",
		record.number, current->number);
	apply_begin(control->apply, &(struct apply_order){.policy = policy,
					    .source = record.source,
					    .source_len = record.source_len,
					    .texts = record.texts,
					    .origin = origin,
					    .pass.kind = GUARD_RETURN,
					    .done = on_returned,
					    .context = confirm});
	record.source = NULL;
	record.texts = (struct policy_texts){0};
	policy_record_fini(&record);
}

void confirm_expire(struct confirm *confirm)
{
	turns_when_free(confirm->control->turns, return_policy, confirm);
}

struct policy *confirm_load_back(struct confirm *confirm, uint64_t *number)
{
	const struct policy_current *current = policy_store_current(confirm->control->history);
	struct language_diagnosis diagnosis;
	struct policy_record record;

	*number = current->confirm_back;
	if (!current->confirm_until_ms ||
		policy_store_load(confirm->control->history, *number, &record))
		return NULL;
	struct policy *policy = policy_parse_record(confirm->control, &record, &diagnosis);
	language_diagnosis_fini(&diagnosis);
	policy_record_fini(&record);
	return policy;
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	confirm_expire((struct confirm *)timer);
}

struct confirm *confirm_new(struct control *control)
{
	struct confirm *confirm = calloc(1, sizeof(*confirm));
	if (!confirm)
		return NULL;
	confirm->control = control;
	confirm->timer.on_time = on_time;
	return confirm;
}

void confirm_free(struct confirm *confirm)
{
	if (confirm)
		loop_timer_clear(confirm->control->loop, &confirm->timer);
	free(confirm);
}

int confirm_give(struct confirm *confirm, apply_done *done, void *context)
{
	struct control *control = confirm->control;
	struct policy_current current;
	if (!policy_store_current(control->history)->confirm_until_ms)
		return -ENOENT;
	int error = policy_current_copy(&current, policy_store_current(control->history));
	if (error)
		return error;
	current.confirm_until_ms = current.confirm_back = 0;
	error = apply_note(control->apply, &current,
		"the confirm cannot be stored; the policy still waits for it", done, context);
	policy_current_fini(&current);
	return error;
}
