/* Owns the health process: it resolves the names of the servers' hosts, probes the hosts and tells
 * control what it found. DNS and mail hosts are foreign; nothing else is done here. */
#ifndef POSTERN_HEALTH_H
#define POSTERN_HEALTH_H

#include "daemon/process/process.h"

/* Returns the exit status: 0 when the keeper asked it to end, or when the machine's DNS settings
 * have changed, which only a new process can read. */
int health_main(const struct process_start *start);

#endif
