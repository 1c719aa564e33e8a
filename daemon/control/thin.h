/* Owns how many records of refusals are kept of one client that is not logged in: whoever he is, he
 * does not fill the audit, and what he did is seen all the same. */
#ifndef POSTERN_THIN_H
#define POSTERN_THIN_H

#include "lib/ipc/flow.h"

struct thin;

#define THIN_AT_ONCE 30    /* of one client, kind of ending and rule */
#define THIN_EACH_MS 10000 /* and then one */

struct thin *thin_new(void);
void thin_free(struct thin *thin); /* NULL is allowed */
/* Is it about a client that is not logged in? */
bool thin_concerns(const struct ipc_flow *record);
/* true: it is kept; *left_out is how many like it were not, since the last one that was. */
bool thin_keeps(
	struct thin *thin, const struct ipc_flow *record, uint64_t now_ms, uint64_t *left_out);

#endif
