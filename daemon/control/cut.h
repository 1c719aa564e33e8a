/* Owns ending the passed flows of a session that is over, or of a blocked client: which sessions
 * have any, and asking the keeper for one address at a time, since each makes it walk the table of
 * connections. */
#ifndef POSTERN_CUT_H
#define POSTERN_CUT_H

#include "lib/session.h"

struct control;
struct cut;

struct cut *cut_new(struct control *control);
void cut_free(struct cut *cut);
/* Sessions up to this number were there before control started: what they passed is not known. */
void cut_set_unknown(struct cut *cut, uint64_t last_id);
/* A connection of the session was let pass. */
void cut_note_passed(struct cut *cut, uint64_t session);
/* Ends what the session's addresses pass, if it ever passed anything. Nobody waits for it: a passed
 * flow ends at its next packet anyway. */
void cut_session(struct cut *cut, const struct session *session);

/* The same for a network, and for the addresses that neighbours with this MAC have now. */
void cut_prefix(struct cut *cut, const struct prefix *prefix);
void cut_mac(struct cut *cut, const struct mac *mac);

#endif
