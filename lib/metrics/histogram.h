/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how long things took: a few counts with fixed bounds for each kind, nothing to allocate. */
#ifndef POSTERN_LIB_METRICS_HISTOGRAM_H
#define POSTERN_LIB_METRICS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BOUNDS 13

/* X(identifier, name, help). The name is that of the metric, without what stands around it. */
#define HISTOGRAM_TABLE(X)                                                                        \
	X(ADMISSION, "admission", "how long a first packet waited in the queue for its decision") \
	X(CONNECT, "connect", "how long it took from the attempt to a connection with a host")    \
	X(GREETING, "greeting",                                                                   \
		"how long it took from the attempt to the end of the server's greeting")          \
	X(FLOW, "flow-duration", "how long redirected flows lasted")                              \
	X(SCAN, "scan", "how long it took from the end of a text to a scan's verdict on it")

enum histogram_kind {
#define HISTOGRAM_ENUM(id, name, help) HISTOGRAM_##id,
	HISTOGRAM_TABLE(HISTOGRAM_ENUM)
#undef HISTOGRAM_ENUM
};
#define HISTOGRAMS (HISTOGRAM_SCAN + 1) /* the last of the table */

/* One kind as a process has seen it. counts[i] is of what took at most bound i and more than the
 * bound before; the last count is of what took longer than all. */
struct histogram {
	uint64_t counts[HISTOGRAM_BOUNDS + 1];
	uint64_t sum_us;
};

const char *histogram_name(enum histogram_kind kind);
const char *histogram_help(enum histogram_kind kind);
/* Microseconds, ascending. */
uint32_t histogram_bound(enum histogram_kind kind, unsigned bound);

void histogram_add(struct histogram *histogram, enum histogram_kind kind, uint64_t us);
/* Adds all of part to sum; kinds are alike. */
void histogram_sum(struct histogram *sum, const struct histogram *part);
/* How many there were. */
uint64_t histogram_count(const struct histogram *histogram);

#endif
