#include "daemon/health/view.h"

#include <stdio.h>
#include <string.h>

void view_forget(struct view *view)
{
	memset(&view->standing, 0, sizeof(view->standing));
	view->clients = TARGET_CLIENTS_ALL;
	view->failing = false;
}

void view_begin_round(struct view *view)
{
	view->worked = view->missed = view->refused = false;
	view->why[0] = '\0';
}

static void note_failing(struct view *view, const char *text)
{
	view->failing = true;
	if (view->standing.state != TARGET_NEVER)
		snprintf(view->standing.text, sizeof(view->standing.text), "%s", text);
}

static void note_worked(struct view *view, bool probed, const char *text, uint64_t wall_ms)
{
	struct target_standing *standing = &view->standing;

	if (probed)
		target_note(standing, TARGET_WORKED, text, wall_ms);
	else if (standing->state == TARGET_NEVER)
		*standing = (struct target_standing){.since_ms = wall_ms};
	view->failing = false;
	if (!probed)
		snprintf(standing->text, sizeof(standing->text), "%s", text);
}

/* Each kind of client that one good address refuses is refused for the host: a flow may meet any
 * of its addresses. A kind that merely failed keeps what it was. */
static void take_clients(struct view *view, const struct probe_result *result)
{
	uint8_t taken = result->clients | (view->clients & result->missed);

	view->clients = view->worked ? view->clients & taken : taken;
}

void view_take(struct view *view, bool probed, enum target_outcome outcome,
	const struct probe_result *result, const char *text, uint64_t wall_ms)
{
	switch (outcome) {
	case TARGET_WORKED:
		take_clients(view, result);
		if (!view->worked)
			note_worked(view, probed, text, wall_ms);
		view->worked = true;
		return;
	case TARGET_MISSED:
		view->missed = true;
		break;
	case TARGET_REFUSED:
		view->refused = true;
		break;
	}
	if (!view->why[0])
		snprintf(view->why, sizeof(view->why), "%s", text);
}

/* Nothing was found of it where none of its flows come, and the probe went no further. */
void view_end_round(struct view *view, bool probed, uint64_t wall_ms)
{
	if (view->worked || (!view->missed && !view->refused))
		return;
	if (!view->missed)
		target_note(&view->standing, TARGET_REFUSED, view->why, wall_ms);
	else
		view_failed(view, probed, view->why, wall_ms);
}

bool view_worked(struct view *view, bool probed, uint64_t wall_ms)
{
	struct target_standing *standing = &view->standing;

	if (!probed && !view->failing)
		return false;
	if (probed && (standing->state == TARGET_NEVER ||
			      (standing->state == TARGET_UP && standing->failures == 0)))
		return false;
	note_worked(view, probed, "", wall_ms);
	return true;
}

void view_failed(struct view *view, bool probed, const char *text, uint64_t wall_ms)
{
	if (probed)
		target_note(&view->standing, TARGET_MISSED, text, wall_ms);
	else
		note_failing(view, text);
}

void view_seed(struct view *view, const struct ipc_target_read *told)
{
	view->standing.state = told->state;
	view->standing.since_ms = told->since_ms;
	memcpy(view->standing.text, told->text, sizeof(view->standing.text));
	view->shown_state = told->state;
	view->shown_since_ms = told->since_ms;
	view->clients = told->client_families;
}

bool view_show(struct view *view, enum target_state state, uint64_t wall_ms)
{
	if (state == view->shown_state)
		return false;
	view->shown_state = (uint8_t)state;
	view->shown_since_ms = wall_ms;
	return true;
}
