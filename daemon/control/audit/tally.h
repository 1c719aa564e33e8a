/* Owns what finished flows and refused admissions add up to by zone, listener and server, since
 * control started. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_TALLY_H
#define POSTERN_DAEMON_CONTROL_AUDIT_TALLY_H

#include "lib/ipc/flow.h"

struct tally;

enum tally_kind {
	TALLY_ZONE,
	TALLY_LISTENER,
	TALLY_SERVER, /* "original" too */
};
#define TALLY_KINDS 3

struct tally_line {
	uint64_t endings[ENDINGS];
	uint64_t secured; /* flows that were in TLS with their client, as far as seen */
	uint64_t logins_passed, logins_refused, logins_later; /* of a listener */
	uint64_t messages, from_client_bytes, from_server_bytes;
};

struct tally *tally_new(void);
void tally_free(struct tally *tally);
/* An audit record, or what would have been one. */
void tally_flow(struct tally *tally, const struct ipc_flow *flow);
/* Borrowed until the next call; NULL: nothing was counted. */
const struct tally_line *tally_find(
	const struct tally *tally, enum tally_kind kind, const char *name);
/* Forgets zones, listeners and servers that the policy does not have, so that their number stays
 * bounded. */
void tally_follow(struct tally *tally, const struct policy *policy);

#endif
