/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how many records of what came to nothing are kept of one client: whoever he is, he does not
 * fill the audit, and what he did is seen all the same. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_THIN_H
#define POSTERN_DAEMON_CONTROL_AUDIT_THIN_H

#include "lib/ipc/flow.h"

#include <stddef.h>

struct thin;

/* Of each key so many are kept at once, and then one in that time. NULL: out of memory. */
struct thin *thin_new(unsigned at_once, unsigned each_ms);
void thin_free(struct thin *thin); /* NULL is allowed */
/* The key of who is meant: bytes of which those that mean nothing are zero, the last one too. */
uint64_t thin_key(unsigned char *who, size_t len);
/* true: it is kept; *left_out is how many of that key were not, since the last one that was. */
bool thin_keeps(struct thin *thin, uint64_t key, uint64_t now_ms, uint64_t *left_out);

/* Is the flow that of a client that is not logged in? */
bool thin_concerns(const struct ipc_flow *record);
/* The key of all flows of one client, kind of ending and rule. */
uint64_t thin_key_of_flow(const struct ipc_flow *record);

#endif
