/* Owns telling a server who the client is: the PROXY header in front of everything, or XCLIENT
 * commands between the server's first greeting and the one that the client gets. */
#ifndef POSTERN_ANNOUNCE_H
#define POSTERN_ANNOUNCE_H

#include "daemon/flow.h"
#include "lib/proxy.h"

/* The header for a server with `announce proxy-v1` or -v2; 0: it takes none, or the client cannot
 * be said in one. */
size_t announce_header(const struct flow *flow, uint8_t header[static PROXY_V2_SIZE]);

/* The server is connected: says what is said first, and waits for its greeting. */
void announce_begin(struct flow *flow);
void announce_run(struct flow *flow);
void announce_on_deadline(struct flow *flow);

#endif
