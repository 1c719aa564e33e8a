/* Owns the metrics process: it serves the page of all metrics by HTTP, as control made it. HTTP is
 * hostile input; nothing else is done here, and nothing secret is in its memory. */
#ifndef POSTERN_METRICS_H
#define POSTERN_METRICS_H

#include "daemon/process.h"

/* Returns the exit status: 0 when the keeper asked it to end. */
int metrics_main(const struct process_start *start);

#endif
