/* Owns how many of a relay's flows are at each host of the servers, counted when control asks:
 * `server show` wants a number for each host, not each flow. */
#ifndef POSTERN_LOAD_H
#define POSTERN_LOAD_H

#include "lib/ipc/core.h"

struct relay;

/* Answers IPC_LOADS_GET with its rows; the reply is the caller's. How many rows. A host may be
 * in several of them, which are to be added up. */
uint32_t load_tell(struct relay *relay, const struct ipc_header *request);

#endif
