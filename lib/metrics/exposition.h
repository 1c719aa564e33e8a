/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the text that metrics are served as: the Prometheus text format, version 0.0.4. */
#ifndef POSTERN_LIB_METRICS_EXPOSITION_H
#define POSTERN_LIB_METRICS_EXPOSITION_H

#include "lib/metrics/counter.h"
#include "lib/metrics/histogram.h"

#include <stdbool.h>
#include <stddef.h>

#define EXPOSITION_NAME_SIZE 64

/* A text that grows. Zeroed it is empty; once memory was short it stays failed. */
struct exposition {
	char *text;
	size_t len, room;
	bool failed;
	char name[EXPOSITION_NAME_SIZE]; /* of the metric at hand */
};

void exposition_fini(struct exposition *exposition);

/* Begins a metric: its HELP and TYPE. The words of name are parted by '-', as counters' are:
 * "flows-live" becomes postern_flows_live, or with a kind that only grows postern_..._total. */
void exposition_begin(
	struct exposition *exposition, const char *name, enum counter_kind kind, const char *help);
/* One value of it. Labels follow as pairs of name and value, NULL ends them. */
void exposition_add(struct exposition *exposition, uint64_t value, ...) __attribute__((sentinel));
/* The same, a time or span given in microseconds and shown in seconds. */
void exposition_add_us(struct exposition *exposition, uint64_t us, ...) __attribute__((sentinel));

/* Whole metrics. */
void exposition_put_histogram(
	struct exposition *exposition, enum histogram_kind kind, const struct histogram *histogram);
/* All counters; verdicts are one metric and endings another, told apart by labels. */
void exposition_put_counters(struct exposition *exposition, const uint64_t values[static COUNTERS]);

#endif
