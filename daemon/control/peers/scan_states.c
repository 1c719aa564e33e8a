/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/scan_states.h"

#include "lib/base/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of all processes and names: far more than there can be at once. */
#define ROWS_MAX 4096
#define ENDED    UINT32_MAX /* in the place of a number: those that are gone */

struct row {
	uint32_t number;
	struct ipc_scan_state state;
};

struct scan_states {
	struct row *v; /* in the order in which they were told of first */
	size_t n, room;
};

struct scan_states *scan_states_new(void)
{
	return calloc(1, sizeof(struct scan_states));
}

void scan_states_free(struct scan_states *states)
{
	if (states)
		free(states->v);
	free(states);
}

static struct row *find(const struct scan_states *states, uint32_t number, const char *name)
{
	for (size_t i = 0; i < states->n; i++)
		if (states->v[i].number == number && strcmp(states->v[i].state.scan, name) == 0)
			return &states->v[i];
	return NULL;
}

static void drop(struct scan_states *states, size_t at)
{
	states->n--;
	memmove(states->v + at, states->v + at + 1, (states->n - at) * sizeof(*states->v));
}

/* NULL: no memory. */
static struct row *make(struct scan_states *states, uint32_t number)
{
	if (states->n == ROWS_MAX)
		drop(states, 0);
	struct row *v = vector_grow(states->v, states->n, &states->room, sizeof(*v));
	if (!v)
		return NULL;
	states->v = v;
	struct row *row = &states->v[states->n++];
	memset(row, 0, sizeof(*row));
	row->number = number;
	return row;
}

void scan_states_take(
	struct scan_states *states, uint32_t number, const struct ipc_scan_state *state)
{
	struct row *row = find(states, number, state->scan);

	if (!row)
		row = make(states, number);
	if (row)
		row->state = *state;
}

static void add_totals(struct ipc_scan_state *sum, const struct ipc_scan_state *part)
{
	sum->asked += part->asked;
	sum->passed += part->passed;
	sum->refused += part->refused;
	sum->failed += part->failed;
	sum->unscanned += part->unscanned;
	sum->shed += part->shed;
	sum->crowded += part->crowded;
	sum->slow += part->slow;
	sum->changes += part->changes;
	sum->dropped += part->dropped;
	histogram_sum(&sum->took, &part->took);
	if (part->unscanned_ms > sum->unscanned_ms)
		sum->unscanned_ms = part->unscanned_ms;
}

/* The last one of a filter is known, whatever else there was. */
static void add_fault(struct ipc_scan_state *sum, const struct ipc_scan_state *part)
{
	if (part->fault_ms <= sum->fault_ms)
		return;
	sum->filter = part->filter;
	sum->fault_ms = part->fault_ms;
	memcpy(sum->text, part->text, sizeof(sum->text));
}

/* What of one is now, beside the totals. */
static void add_now(struct ipc_scan_state *sum, const struct ipc_scan_state *part)
{
	sum->under_way += part->under_way;
	sum->places += part->places;
	sum->waiting += part->waiting;
}

/* How the filter fares. */
static void add_fare(struct ipc_scan_state *sum, const struct ipc_scan_state *part)
{
	const bool first = sum->since_ms == 0;

	sum->open += part->open;
	if (part->since_ms == 0)
		return;
	if (first || part->up < sum->up ||
		(part->up == sum->up && part->since_ms < sum->since_ms)) {
		sum->up = part->up;
		sum->since_ms = part->since_ms;
	}
}

void scan_states_gone(struct scan_states *states, uint32_t number)
{
	for (size_t i = states->n; i-- > 0;) {
		if (states->v[i].number != number)
			continue;
		const struct ipc_scan_state last = states->v[i].state;
		drop(states, i);
		struct row *ended = find(states, ENDED, last.scan);
		if (!ended && (ended = make(states, ENDED)))
			memcpy(ended->state.scan, last.scan, sizeof(last.scan));
		if (!ended)
			continue;
		add_totals(&ended->state, &last);
		add_fault(&ended->state, &last);
	}
}

bool scan_states_sum(const struct scan_states *states, const struct policy_scan *scan,
	struct ipc_scan_state *sum)
{
	const uint64_t filter = policy_scan_filter(scan);

	memset(sum, 0, sizeof(*sum));
	snprintf(sum->scan, sizeof(sum->scan), "%s", scan->name.text);
	for (size_t i = 0; i < states->n; i++) {
		const struct row *row = &states->v[i];
		if (strcmp(row->state.scan, scan->name.text) != 0)
			continue;
		add_totals(sum, &row->state);
		if (row->number != ENDED)
			add_now(sum, &row->state);
		if (row->state.filter != filter)
			continue;
		add_fault(sum, &row->state);
		if (row->number != ENDED)
			add_fare(sum, &row->state);
	}
	return sum->asked > 0;
}

unsigned scan_states_used(const struct policy *policy)
{
	unsigned used = 0;

	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled)
			used |= policy_rule_scans(&policy->rules[i]);
	return used;
}

const char *scan_states_word(const struct ipc_scan_state *sum, bool used)
{
	if (!used)
		return "unused";
	if (!sum->since_ms)
		return "unasked";
	return sum->up ? "up" : "down";
}
