/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/apply.h"

#include "daemon/base/log.h"
#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/credential/renew.h"
#include "daemon/control/kernel/entries.h"
#include "daemon/control/kernel/plan.h"
#include "daemon/control/kernel/posture.h"
#include "daemon/control/log_level.h"
#include "daemon/control/peers/flow_policy.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/inquiry.h"
#include "daemon/control/policy/level_notice.h"
#include "daemon/control/policy/turns.h"
#include "daemon/control/policy/wanted.h"
#include "daemon/control/request/monitor.h"
#include "daemon/control/session/list_change.h"
#include "daemon/control/session/sessions.h"
#include "lib/language/language.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3
struct apply {
	struct gather gather; /* of the running step */
	struct control *control;
	const struct apply_face *face;
	bool lenient;   /* what it needs of certificates and secrets may be missing */
	unsigned tries; /* processes that it wants died over it so often */
	struct policy *policy;
	struct policy_record record;
	struct policy_current current;
	apply_done *done;
	void *context;
	struct apply_order same; /* of one that changes nothing, while the processes hear of it */
	char *moved;             /* what the switch did to sessions; NULL: nothing */
};

struct apply *apply_new(struct control *control, const struct apply_face *face)
{
	struct apply *apply = calloc(1, sizeof(*apply));
	if (!apply)
		return NULL;
	apply->control = control;
	apply->face = face;
	return apply;
}

void apply_free(struct apply *apply)
{
	if (!apply)
		return;
	policy_unref(apply->policy);
	policy_record_fini(&apply->record);
	policy_current_fini(&apply->current);
	free(apply->moved);
	free(apply);
}

const struct policy *apply_coming(const struct apply *apply)
{
	return apply->policy;
}

static void finish(struct apply *apply, enum outcome outcome, const char *text)
{
	const bool refused = outcome_status(outcome) != 0;
	apply_done *done = apply->done;
	void *context = apply->context;
	apply->control->counters[refused ? COUNTER_POLICIES_REFUSED : COUNTER_POLICIES_APPLIED]++;
	policy_unref(apply->policy);
	apply->policy = NULL;
	policy_record_fini(&apply->record);
	policy_current_fini(&apply->current);
	turns_leave(apply->control->turns);
	/* all relays go by the policy in force: nobody hands anything to who is wanted no more */
	wanted_policy(apply->control->wanted, NULL);
	apply->face->on_current(apply->control);
	if (done)
		done(context, outcome, text);
	turns_go_on(apply->control->turns);
}

static struct apply *apply_of(struct gather *gather)
{
	return (struct apply *)gather;
}

static void on_committed(struct gather *gather)
{
	struct apply *apply = apply_of(gather);
	/* The policy is in force whatever an answer said: a relay that died gets it at its start,
	 * and cached verdicts are flushed by a keeper that starts again. */
	if (gather->status)
		log_warning("after the apply of policy %" PRIu64 ": %s",
			apply->control->policy_number, gather->text);
	char *moved = apply->moved;
	apply->moved = NULL;
	finish(apply, 0, moved ? moved : "");
	free(moved);
}

/* A command's words may name a user. */
static void log_applied(uint64_t number, const struct policy_record *record)
{
	bool file = strcmp(record->origin, "file") == 0;
	char policy[24], uid[16];
	snprintf(policy, sizeof(policy), "%" PRIu64, number);
	snprintf(uid, sizeof(uid), "%u", (unsigned)record->uid);
	log_event(POLICY_LOG_INFO, LOG_ID_POLICY_APPLIED,
		LOG_FIELDS({LOG_FIELD_POLICY, policy}, {LOG_FIELD_UID, uid}),
		"policy %s is in force (%s, uid %s)", policy,
		file ? record->origin : log_person(record->origin), uid);
}

/* The running policy of control itself, and all that rests on it. */
static void switch_policy(struct apply *apply)
{
	struct control *control = apply->control;
	struct policy *old = control->policy;
	control->policy = policy_ref(apply->policy);
	control->policy_number = apply->current.number;
	control->policy_fault[0] = control->plan_trouble[0] = '\0';
	level_notice_log(old, control->policy);
	gather_init(&apply->gather, on_committed);
	inquiry_next(control);
	flow_policy_commit(control, FLOW_POLICY_ALL, control->policy_number, &apply->gather);
	list_change_settle(control);
	if (session_table_set_devices(control->table, control->policy, control->lists) < 0)
		log_error("no memory for the devices of policy %" PRIu64, control->policy_number);
	apply->moved = sessions_follow_policy(control->sessions, &apply->gather);
	entries_drop_all(control->entries);
	entries_send(control->entries, &apply->gather);
	if (!old || old->log_level != control->policy->log_level)
		log_level_set(control, control->policy->log_level);
	apply->face->on_switch(control);
	posture_keep(control, &apply->gather);
	kernel_plan_settled(control);
	policy_unref(old);
	log_applied(control->policy_number, &apply->record);
	if (monitor_wanted(control, MONITOR_POLICY))
		monitor_publish(control, MONITOR_POLICY,
			json_pack("{s:s, s:I, s:s, s:i}", "event", "applied", "policy",
				(json_int_t)control->policy_number, "origin", apply->record.origin,
				"uid", (int)apply->record.uid));
	gather_end(&apply->gather, 0, NULL);
}

static void on_served(struct gather *gather)
{
	switch_policy(apply_of(gather));
}

/* Relays hand to the smtp processes what the new policy says, who know it by then. Where it needs
 * none, relays are first. */
static void commit_served(struct apply *apply)
{
	struct control *control = apply->control;
	unsigned first = roles_wanted(apply->policy) & roles_with_flows();
	gather_init(&apply->gather, on_served);
	flow_policy_commit(control, first, apply->current.number, &apply->gather);
	gather_end(&apply->gather, 0, NULL);
}

static void on_stored(void *context, int status)
{
	struct apply *apply = context;
	struct control *control = apply->control;
	if (status == 0) {
		commit_served(apply);
		return;
	}
	/* the kernel has the new plan already: put the old one back */
	char text[IPC_TEXT_SIZE];
	snprintf(text, sizeof(text), "the policy cannot be stored in %s: %s; nothing has changed",
		control->start.options.state_dir, strerror(-status));
	flow_policy_abort(control, apply->record.number);
	int error = kernel_plan_send(control, control->policy, PLAN_RUNNING, true, NULL);
	if (error)
		log_error("the old plan cannot be put back: %s", strerror(-error));
	else
		kernel_plan_settled(control);
	finish(apply, OUTCOME_REFUSED, text);
}

static void on_planned(struct gather *gather)
{
	struct apply *apply = apply_of(gather);
	struct control *control = apply->control;
	if (gather->status) {
		char text[IPC_TEXT_SIZE + 64];
		snprintf(text, sizeof(text), "the kernel does not take it: %s; nothing has changed",
			gather->text);
		flow_policy_abort(control, apply->record.number);
		finish(apply, OUTCOME_REFUSED, text);
		return;
	}
	int error = policy_store_begin_save(
		control->history, &apply->record, &apply->current, on_stored, apply);
	if (error)
		on_stored(apply, error);
}

static void await_processes(struct apply *apply);

static void on_prepared(struct gather *gather)
{
	struct apply *apply = apply_of(gather);
	struct control *control = apply->control;
	if (gather->status) {
		char text[IPC_TEXT_SIZE + 64];
		snprintf(text, sizeof(text), "a process does not take it: %s; nothing has changed",
			gather->text);
		flow_policy_abort(control, apply->record.number);
		finish(apply, OUTCOME_REFUSED, text);
		return;
	}
	/* one died over it: then all are told again */
	if (!wanted_all_run(control->wanted) && apply->tries++ < TRIES_MAX) {
		await_processes(apply);
		return;
	}
	gather_init(&apply->gather, on_planned);
	int error = kernel_plan_send(
		control, apply->policy, PLAN_RUNNING, apply->lenient, &apply->gather);
	gather_end(
		&apply->gather, error, error == -E2BIG ? "more than the kernel plan holds" : NULL);
}

/* The processes that it needs run: they and the others read it. */
static void on_processes(struct gather *gather)
{
	struct apply *apply = apply_of(gather);
	struct control *control = apply->control;
	size_t len;
	char reason[sizeof(((struct credential_verdict *)0)->text)];
	if (gather->status) {
		char text[IPC_TEXT_SIZE + 64];
		snprintf(text, sizeof(text), "%s; nothing has changed", gather->text);
		flow_policy_abort(control, apply->record.number);
		finish(apply, OUTCOME_REFUSED, text);
		return;
	}
	int open = credentials_open(
		control->credentials, apply->policy, apply->lenient, reason, sizeof(reason));
	if (open < 0) {
		char text[sizeof(reason) + 32];
		snprintf(text, sizeof(text), "%s; nothing has changed", reason);
		flow_policy_abort(control, apply->record.number);
		finish(apply, OUTCOME_REFUSED, text);
		return;
	}
	char *resolved = language_print(apply->policy, LANGUAGE_PRINT_RESOLVED, &len);
	gather_init(&apply->gather, on_prepared);
	if (resolved)
		flow_policy_prepare(control, apply->record.number, apply->lenient || open > 0,
			resolved, len, &apply->gather);
	free(resolved);
	credentials_close(control->credentials);
	gather_end(&apply->gather, resolved ? 0 : -ENOMEM, NULL);
}

static void await_processes(struct apply *apply)
{
	wanted_policy(apply->control->wanted, apply->policy);
	gather_init(&apply->gather, on_processes);
	wanted_await(apply->control->wanted, &apply->gather);
	gather_end(&apply->gather, 0, NULL);
}

/* The members of `current` that are about the file. */
static int note_file(struct policy_current *current, const struct policy_texts *texts,
	const char *source, size_t source_len)
{
	int error = 0;
	current->file_hash = policy_texts_hash_all(texts, source, source_len);
	for (size_t i = 0; i < texts->n && !error; i++)
		error = policy_current_add_path(current, texts->v[i].path);
	return error;
}

/* What the state folder will say: the file's hash and a waiting confirm included. */
static int fill_current(struct apply *apply, const struct apply_order *order)
{
	const struct control *control = apply->control;
	const struct policy_current *now = policy_store_current(control->history);
	int error = 0;
	if (!order->is_file) {
		error = policy_current_copy(&apply->current, now);
	} else {
		apply->current.confirm_until_ms = now->confirm_until_ms;
		apply->current.confirm_back = now->confirm_back;
		error = note_file(&apply->current, &order->texts, order->source, order->source_len);
	}
	apply->current.number = apply->record.number;
	if (order->confirm_ms) {
		apply->current.confirm_until_ms = clock_now_ms(control) + order->confirm_ms;
		if (!apply->current.confirm_back)
			apply->current.confirm_back = control->policy_number;
	} else {
		apply->current.confirm_until_ms = apply->current.confirm_back = 0;
	}
	return error;
}

/* Nobody changes what runs by the same text; but the file may now say it. */
static bool is_unchanged(struct control *control, const struct apply_order *order)
{
	struct policy_record record;
	size_t len, running_len;
	if (order->pass.kind == GUARD_EDIT || order->pass.kind == GUARD_RETURN ||
		policy_store_current(control->history)->confirm_until_ms ||
		policy_store_load(control->history, control->policy_number, &record))
		return false;
	bool same = record.source_len == order->source_len &&
		    memcmp(record.source, order->source, record.source_len) == 0;
	policy_record_fini(&record);
	if (!same)
		return false;
	char *text = language_print(order->policy, LANGUAGE_PRINT_RESOLVED, &len);
	char *running = language_print(control->policy, LANGUAGE_PRINT_RESOLVED, &running_len);
	same = text && running && len == running_len && memcmp(text, running, len) == 0;
	free(text);
	free(running);
	return same;
}

struct filing {
	apply_done *done;
	void *context;
};

static void on_filed(void *context, enum outcome outcome, const char *text)
{
	struct filing filing = *(struct filing *)context;
	free(context);
	bool good = outcome == OUTCOME_DONE;
	filing.done(filing.context, good ? OUTCOME_UNCHANGED : outcome,
		good ? "this policy runs already" : text);
}

/* Ends an order that changes nothing, unless it is to be remembered that the file says this. */
static void end_order(struct apply *apply, const struct apply_order *order, enum outcome outcome,
	const char *text)
{
	struct policy_texts texts = order->texts;
	uint64_t hash = policy_texts_hash_all(&texts, order->source, order->source_len);
	bool is_new = outcome == OUTCOME_UNCHANGED && order->is_file &&
		      hash != policy_store_current(apply->control->history)->file_hash;
	struct filing *filing = is_new ? malloc(sizeof(*filing)) : NULL;
	apply->control->counters[COUNTER_POLICIES_REFUSED] += outcome_status(outcome) != 0;
	if (filing)
		*filing = (struct filing){order->done, order->context};
	if (!filing || apply_remember_file(apply, &texts, order->source, order->source_len,
			       on_filed, filing) < 0) {
		free(filing);
		order->done(order->context, outcome, text);
	}
	policy_unref(order->policy);
	free(order->source);
	policy_texts_fini(&texts);
}

static void begin(struct apply *apply, const struct apply_order *order)
{
	struct control *control = apply->control;
	turns_take(apply->control->turns);
	apply->tries = 0;
	/* the way back is not barred by a file that went bad meanwhile */
	apply->lenient = order->pass.kind == GUARD_RETURN;
	apply->done = order->done;
	apply->context = order->context;
	apply->policy = order->policy;
	apply->record = (struct policy_record){.number = policy_store_next_number(control->history),
		.at_ms = loop_wall_ms(control->loop),
		.uid = order->uid,
		.source = order->source,
		.source_len = order->source_len,
		.texts = order->texts};
	snprintf(apply->record.origin, sizeof(apply->record.origin), "%s", order->origin);
	apply->record.canonical = language_print(
		order->policy, LANGUAGE_PRINT_CANONICAL, &apply->record.canonical_len);
	if (!apply->record.canonical || fill_current(apply, order) < 0)
		finish(apply, OUTCOME_REFUSED, "out of memory; nothing has changed");
	else
		await_processes(apply);
}

static void on_inquired(struct gather *gather)
{
	struct apply *apply = apply_of(gather);
	if (gather->status)
		log_warning("hosts may not be asked anew: %s", gather->text);
	/* its done() may begin another */
	const struct apply_order order = apply->same;
	turns_leave(apply->control->turns);
	end_order(apply, &order, OUTCOME_UNCHANGED, "this policy runs already");
	turns_go_on(apply->control->turns);
}

/* The servers may be others all the same. */
static void begin_unchanged(struct apply *apply, const struct apply_order *order)
{
	turns_take(apply->control->turns);
	apply->same = *order;
	renew_soon(apply->control->renew);
	gather_init(&apply->gather, on_inquired);
	inquiry_begin(apply->control, &apply->gather);
	gather_end(&apply->gather, 0, NULL);
}

void apply_begin(struct apply *apply, const struct apply_order *order)
{
	char *text = NULL;
	enum outcome outcome = guard_look(apply->control, order->policy, &order->pass, &text);
	if (outcome != OUTCOME_DONE)
		end_order(apply, order, outcome, text ? text : "out of memory");
	else if (is_unchanged(apply->control, order))
		begin_unchanged(apply, order);
	else
		begin(apply, order);
	free(text);
}

/* Another `current` for the same policy, on its way to the disk. */
struct noting {
	struct apply *apply;
	const char *failure;
	apply_done *done;
	void *context;
};

static void on_noted(void *context, int status)
{
	struct noting noting = *(struct noting *)context;
	free(context);
	turns_leave(noting.apply->control->turns);
	noting.apply->face->on_current(noting.apply->control);
	noting.done(noting.context, status ? OUTCOME_REFUSED : OUTCOME_DONE,
		status ? noting.failure : "");
	turns_go_on(noting.apply->control->turns);
}

int apply_note(struct apply *apply, const struct policy_current *current, const char *failure,
	apply_done *done, void *context)
{
	struct noting *own = malloc(sizeof(*own));
	if (!own)
		return -ENOMEM;
	*own = (struct noting){apply, failure, done, context};
	turns_take(apply->control->turns);
	int error = policy_store_begin_save(apply->control->history, NULL, current, on_noted, own);
	if (error) {
		turns_leave(apply->control->turns);
		free(own);
	}
	return error;
}

int apply_remember_file(struct apply *apply, const struct policy_texts *texts, const char *source,
	size_t source_len, apply_done *done, void *context)
{
	const struct policy_current *now = policy_store_current(apply->control->history);
	struct policy_current current = {.number = now->number,
		.confirm_until_ms = now->confirm_until_ms,
		.confirm_back = now->confirm_back};
	int error = note_file(&current, texts, source, source_len);
	if (!error)
		error = apply_note(
			apply, &current, "the state folder takes no writes", done, context);
	policy_current_fini(&current);
	return error;
}
