/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/guard.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/decision_world.h"
#include "daemon/control/policy/emptying.h"
#include "daemon/control/policy/history/store.h"
#include "daemon/control/policy/opening.h"
#include "daemon/control/session/list_change.h"
#include "lib/language/edit/statements.h"
#include "lib/language/language.h"
#include "lib/policy/proof/relay_proof.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct policy_store_line *find_line(const struct control *control, uint64_t number)
{
	size_t n;
	const struct policy_store_line *lines = policy_store_history(control->history, &n);
	for (size_t i = n; i-- > 0;)
		if (lines[i].number == number)
			return &lines[i];
	return NULL;
}

char *guard_confirming(struct control *control)
{
	const struct policy_current *current = policy_store_current(control->history);
	const struct policy_store_line *line = find_line(control, current->number);
	char *text = NULL;
	if (!current->confirm_until_ms)
		return NULL;
	time_t until = (time_t)(clock_to_wall(control, current->confirm_until_ms) / 1000);
	char when[32] = "?";
	struct tm local;
	if (localtime_r(&until, &local))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
	if (asprintf(&text, "policy %" PRIu64 " waits to be confirmed until %s, by uid %u (%s)",
		    current->number, when, line ? (unsigned)line->uid : 0,
		    line ? line->origin : "?") < 0)
		text = NULL;
	return text;
}

/* The newest policy that was applied as a whole or saved, the running one included; 0: none is in
 * the history any more. */
static uint64_t find_applied(struct control *control)
{
	size_t n;
	const struct policy_store_line *lines = policy_store_history(control->history, &n);
	for (size_t i = n; i-- > 0;)
		if (lines[i].number <= control->policy_number &&
			(!policy_record_is_edit(lines[i].origin) ||
				policy_store_is_filed(control->history, lines[i].number)))
			return lines[i].number;
	return 0;
}

/* What commands changed since the last apply or save and is not in `coming`, one a line; malloc'ed,
 * "" for nothing. */
static char *lost_edits(struct control *control, const struct policy *coming)
{
	uint64_t number = find_applied(control);
	struct policy_record record;
	size_t running_len, coming_len;
	if (!number || number == control->policy_number ||
		policy_store_load(control->history, number, &record))
		return strdup("");
	char *running = language_print(control->policy, LANGUAGE_PRINT_CANONICAL, &running_len);
	char *text = language_print(coming, LANGUAGE_PRINT_CANONICAL, &coming_len);
	char *lost = running && text ? statements_lost(record.canonical, record.canonical_len,
					       running, running_len, text, coming_len)
				     : NULL;
	policy_record_fini(&record);
	free(running);
	free(text);
	return lost;
}

static enum outcome __attribute__((format(printf, 3, 4)))
say(char **text, enum outcome outcome, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (vasprintf(text, format, args) < 0)
		*text = NULL;
	va_end(args);
	return outcome;
}

static enum outcome look_at_base(
	struct control *control, const struct guard_pass *pass, char **text)
{
	const struct policy_store_line *line = find_line(control, control->policy_number);
	if (!pass->base || pass->base == control->policy_number)
		return OUTCOME_DONE;
	return say(text, OUTCOME_BASE,
		"policy %" PRIu64 " runs, and this began from %" PRIu64
		": uid %u changed it meanwhile (%s); posternctl policy diff %" PRIu64,
		control->policy_number, pass->base, line ? (unsigned)line->uid : 0,
		line ? line->origin : "?", pass->base);
}

static enum outcome look_at_edits(struct control *control, const struct policy *coming,
	const struct guard_pass *pass, char **text)
{
	if (pass->kind != GUARD_WHOLE || pass->base || pass->discard_edits)
		return OUTCOME_DONE;
	char *lost = lost_edits(control, coming);
	enum outcome outcome = OUTCOME_DONE;
	if (!lost || *lost)
		outcome = say(text, OUTCOME_EDITED,
			"commands changed what this would take away:\n%s"
			"keep it: posternctl policy save, or take it into the text; else say "
			"--discard-edits, or --base and the number of the running policy",
			lost ? lost : "(out of memory)\n");
	free(lost);
	return outcome;
}

static enum outcome look_at_empty(struct control *control, const struct policy *coming,
	const struct guard_pass *pass, char **text)
{
	if (pass->allow_empty)
		return OUTCOME_DONE;
	char *empty = emptying_find(control->policy, coming);
	enum outcome outcome = OUTCOME_DONE;
	if (!empty || *empty)
		outcome = say(text, OUTCOME_EMPTY, "%sif that is wanted, say --allow-empty",
			empty ? empty : "(out of memory)\n");
	free(empty);
	return outcome;
}

/* Elements are state: a list that becomes one of another kind keeps none of them. */
static enum outcome look_at_lists(struct control *control, const struct policy *coming, char **text)
{
	for (size_t i = 0; i < coming->nlists; i++) {
		const struct policy_list *list = &coming->lists[i];
		ptrdiff_t before = policy_find_list(control->policy, list->name.text);
		if (list->kind != POLICY_LIST_DYNAMIC || before < 0 ||
			control->policy->lists[before].kind != POLICY_LIST_DYNAMIC ||
			!list_change_others(control, list))
			continue;
		return say(text, OUTCOME_REFUSED,
			"list %s would be one of kind %s, and has elements of another; "
			"posternctl list clear %s, then again",
			list->name.text, policy_holds_names[list->holds], list->name.text);
	}
	return OUTCOME_DONE;
}

enum outcome guard_look_at_confirm(struct control *control, char **text)
{
	char *confirming = guard_confirming(control);
	*text = NULL;
	if (!confirming)
		return OUTCOME_DONE;
	say(text, OUTCOME_CONFIRMING,
		"%s; until then nothing else changes the policy: posternctl policy confirm, or "
		"posternctl policy rollback",
		confirming);
	free(confirming);
	return OUTCOME_CONFIRMING;
}

static enum outcome look_at_opening(struct control *control, const struct policy *coming,
	const struct guard_pass *pass, char **text)
{
	if (pass->allow_open)
		return OUTCOME_DONE;
	char *opens = opening_find(control, coming);
	enum outcome outcome = OUTCOME_DONE;
	if (!opens || *opens)
		outcome = say(text, OUTCOME_OPEN,
			"clients would pass that are redirected now:\n%s"
			"if that is wanted, say --allow-open",
			opens ? opens : "(out of memory)\n");
	free(opens);
	return outcome;
}

/* What its dynamic lists hold counts: a check of the text alone does not know it. */
static enum outcome look_at_relay(struct control *control, const struct policy *coming, char **text)
{
	const struct decide_world world = decision_world(control);
	char open[RELAY_TEXT_SIZE];

	if (!relay_is_open(coming, control->lists, NULL, open) &&
		!relay_proof_fails(coming, control->lists, world.local, clock_now_ms(control),
			world.calendar_ahead_ms, open))
		return OUTCOME_DONE;
	return say(text, OUTCOME_REFUSED, "an open relay: %s", open);
}

enum outcome guard_look(struct control *control, const struct policy *coming,
	const struct guard_pass *pass, char **text)
{
	enum outcome outcome = OUTCOME_DONE;
	*text = NULL;
	if (pass->kind == GUARD_RETURN)
		return look_at_relay(control, coming, text);
	if (pass->kind != GUARD_BACK)
		outcome = guard_look_at_confirm(control, text);
	if (outcome == OUTCOME_DONE)
		outcome = look_at_relay(control, coming, text);
	if (outcome == OUTCOME_DONE)
		outcome = look_at_base(control, pass, text);
	if (outcome == OUTCOME_DONE)
		outcome = look_at_edits(control, coming, pass, text);
	if (outcome == OUTCOME_DONE)
		outcome = look_at_empty(control, coming, pass, text);
	if (outcome == OUTCOME_DONE)
		outcome = look_at_opening(control, coming, pass, text);
	if (outcome == OUTCOME_DONE)
		outcome = look_at_lists(control, coming, text);
	return outcome;
}
