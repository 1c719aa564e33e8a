/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns ending the passed flows of a session that is over, or of a blocked client: asking the keeper
 * for one address at a time, since each makes it walk the table of connections. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_END_PASSED_H
#define POSTERN_DAEMON_CONTROL_SESSION_END_PASSED_H

#include "lib/policy/session.h"

struct control;
struct end_passed;

struct end_passed *end_passed_new(struct control *control);
void end_passed_free(struct end_passed *end_passed);
/* A connection of the session was let pass from the address, and more may be until until_ms (steady
 * clock) without being seen. */
void end_passed_note(struct end_passed *end_passed, const struct session *session,
	const struct addr *addr, uint64_t until_ms);
/* Ends what passes from the addresses that the session passed from, but for those that are another
 * session's now. Nobody waits for it: a passed flow ends at its next packet anyway. */
void end_passed_of_session(struct end_passed *end_passed, const struct session *session);

/* The same for a network, and for the addresses that neighbours with this MAC have now. */
void end_passed_of_prefix(struct end_passed *end_passed, const struct prefix *prefix);
void end_passed_of_mac(struct end_passed *end_passed, const struct mac *mac);

#endif
