/* Owns ending the passed flows of a session that is over, or of a blocked client: asking the keeper
 * for one address at a time, since each makes it walk the table of connections. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_CUT_H
#define POSTERN_DAEMON_CONTROL_SESSION_CUT_H

#include "lib/policy/session.h"

struct control;
struct cut;

struct cut *cut_new(struct control *control);
void cut_free(struct cut *cut);
/* A connection of the session was let pass from the address, and more may be until until_ms (steady
 * clock) without being seen. */
void cut_note_passed(
	struct cut *cut, const struct session *session, const struct addr *addr, uint64_t until_ms);
/* Ends what passes from the addresses that the session passed from, but for those that are another
 * session's now. Nobody waits for it: a passed flow ends at its next packet anyway. */
void cut_session(struct cut *cut, const struct session *session);

/* The same for a network, and for the addresses that neighbours with this MAC have now. */
void cut_prefix(struct cut *cut, const struct prefix *prefix);
void cut_mac(struct cut *cut, const struct mac *mac);

#endif
