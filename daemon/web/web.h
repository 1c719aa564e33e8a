/* Owns the web process: it serves the page of all metrics by HTTP, as control made it. HTTP is
 * hostile input; nothing else is done here, and nothing secret is in its memory. */
#ifndef POSTERN_WEB_H
#define POSTERN_WEB_H

#include "daemon/process/process.h"

/* Returns the exit status: 0 when the keeper asked it to end. */
int web_main(const struct process_start *start);

#endif
