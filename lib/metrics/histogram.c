/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/metrics/histogram.h"

#include <assert.h>

#define MS 1000u
#define S  1000000u

#define HISTOGRAM_ROW(id, name, help) [HISTOGRAM_##id] = {name, help},
static const struct {
	const char *name, *help;
} table[] = {HISTOGRAM_TABLE(HISTOGRAM_ROW)};
static_assert(sizeof(table) / sizeof(table[0]) == HISTOGRAMS, "a row for each");

/* Finest where a kind's target lies: admission below 1 ms; hosts in the same house and far away;
 * flows of one message, and those that idle. */
static const uint32_t bounds[][HISTOGRAM_BOUNDS] = {
	[HISTOGRAM_ADMISSION] = {50, 100, 250, 500, 1 * MS, 2500, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
		100 * MS, 250 * MS, 500 * MS},
	[HISTOGRAM_CONNECT] = {1 * MS, 2 * MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS,
		250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S},
	[HISTOGRAM_GREETING] = {1 * MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS,
		500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S, 30 * S},
	[HISTOGRAM_FLOW] = {10 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S,
		10 * S, 30 * S, 60 * S, 300 * S, 3600 * S},
	[HISTOGRAM_SCAN] = {1 * MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS,
		1 * S, 2500 * MS, 5 * S, 10 * S, 45 * S},
};
static_assert(sizeof(bounds) / sizeof(bounds[0]) == HISTOGRAMS, "bounds for each");

const char *histogram_name(enum histogram_kind kind)
{
	assert(kind < HISTOGRAMS);
	return table[kind].name;
}

const char *histogram_help(enum histogram_kind kind)
{
	assert(kind < HISTOGRAMS);
	return table[kind].help;
}

uint32_t histogram_bound(enum histogram_kind kind, unsigned bound)
{
	assert(kind < HISTOGRAMS && bound < HISTOGRAM_BOUNDS);
	return bounds[kind][bound];
}

void histogram_add(struct histogram *histogram, enum histogram_kind kind, uint64_t us)
{
	unsigned at = 0;

	while (at < HISTOGRAM_BOUNDS && us > bounds[kind][at])
		at++;
	histogram->counts[at]++;
	histogram->sum_us += us;
}

void histogram_sum(struct histogram *sum, const struct histogram *part)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		sum->counts[i] += part->counts[i];
	sum->sum_us += part->sum_us;
}

uint64_t histogram_count(const struct histogram *histogram)
{
	uint64_t n = 0;

	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		n += histogram->counts[i];
	return n;
}
