/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/shown_state.h"

#include <stdio.h>
#include <string.h>

void shown_state_forget(struct shown_state *shown_state)
{
	memset(&shown_state->standing, 0, sizeof(shown_state->standing));
	shown_state->clients = TARGET_CLIENTS_ALL;
	shown_state->failing = false;
}

void shown_state_begin_round(struct shown_state *shown_state)
{
	shown_state->worked = shown_state->missed = shown_state->refused = false;
	shown_state->why[0] = '\0';
}

static void note_failing(struct shown_state *shown_state, const char *text)
{
	shown_state->failing = true;
	if (shown_state->standing.state != TARGET_NEVER)
		snprintf(
			shown_state->standing.text, sizeof(shown_state->standing.text), "%s", text);
}

static void note_worked(
	struct shown_state *shown_state, bool probed, const char *text, uint64_t wall_ms)
{
	struct target_standing *standing = &shown_state->standing;

	if (probed)
		target_note(standing, TARGET_WORKED, text, wall_ms);
	else if (standing->state == TARGET_NEVER)
		*standing = (struct target_standing){.since_ms = wall_ms};
	shown_state->failing = false;
	if (!probed)
		snprintf(standing->text, sizeof(standing->text), "%s", text);
}

/* Each kind of client that one good address refuses is refused for the host: a flow may meet any
 * of its addresses. A kind that merely failed keeps what it was. */
static void take_clients(struct shown_state *shown_state, const struct probe_result *result)
{
	uint8_t taken = result->clients | (shown_state->clients & result->missed);

	shown_state->clients = shown_state->worked ? shown_state->clients & taken : taken;
}

void shown_state_take(struct shown_state *shown_state, bool probed, enum target_outcome outcome,
	const struct probe_result *result, const char *text, uint64_t wall_ms)
{
	switch (outcome) {
	case TARGET_WORKED:
		take_clients(shown_state, result);
		if (!shown_state->worked)
			note_worked(shown_state, probed, text, wall_ms);
		shown_state->worked = true;
		return;
	case TARGET_MISSED:
		shown_state->missed = true;
		break;
	case TARGET_REFUSED:
		shown_state->refused = true;
		break;
	}
	if (!shown_state->why[0])
		snprintf(shown_state->why, sizeof(shown_state->why), "%s", text);
}

/* Nothing was found of it where none of its flows come, and the probe went no further. */
void shown_state_end_round(struct shown_state *shown_state, bool probed, uint64_t wall_ms)
{
	if (shown_state->worked || (!shown_state->missed && !shown_state->refused))
		return;
	if (!shown_state->missed)
		target_note(&shown_state->standing, TARGET_REFUSED, shown_state->why, wall_ms);
	else
		shown_state_failed(shown_state, probed, shown_state->why, wall_ms);
}

bool shown_state_worked(struct shown_state *shown_state, bool probed, uint64_t wall_ms)
{
	struct target_standing *standing = &shown_state->standing;

	if (!probed && !shown_state->failing)
		return false;
	if (probed && (standing->state == TARGET_NEVER ||
			      (standing->state == TARGET_UP && standing->failures == 0)))
		return false;
	note_worked(shown_state, probed, "", wall_ms);
	return true;
}

void shown_state_failed(
	struct shown_state *shown_state, bool probed, const char *text, uint64_t wall_ms)
{
	if (probed)
		target_note(&shown_state->standing, TARGET_MISSED, text, wall_ms);
	else
		note_failing(shown_state, text);
}

void shown_state_seed(struct shown_state *shown_state, const struct ipc_target_read *told)
{
	shown_state->standing.state = told->state;
	shown_state->standing.since_ms = told->since_ms;
	memcpy(shown_state->standing.text, told->text, sizeof(shown_state->standing.text));
	shown_state->shown_state = told->state;
	shown_state->shown_since_ms = told->since_ms;
	shown_state->clients = told->client_families;
}

bool shown_state_show(struct shown_state *shown_state, enum target_state state, uint64_t wall_ms)
{
	if (state == shown_state->shown_state)
		return false;
	shown_state->shown_state = (uint8_t)state;
	shown_state->shown_since_ms = wall_ms;
	return true;
}
