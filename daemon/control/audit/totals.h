/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what finished flows and refused admissions add up to by zone, listener and server, since
 * control started. */
#ifndef POSTERN_DAEMON_CONTROL_AUDIT_TOTALS_H
#define POSTERN_DAEMON_CONTROL_AUDIT_TOTALS_H

#include "lib/ipc/flow.h"

struct totals;

enum totals_kind {
	TOTALS_ZONE,
	TOTALS_LISTENER,
	TOTALS_SERVER, /* "original" too */
};
#define TOTALS_KINDS 3

struct totals_line {
	uint64_t endings[ENDINGS];
	uint64_t secured; /* flows that were in TLS with their client, as far as seen */
	uint64_t logins_passed, logins_refused, logins_later; /* of a listener */
	uint64_t messages, from_client_bytes, from_server_bytes;
};

struct totals *totals_new(void);
void totals_free(struct totals *totals);
/* An audit record, or what would have been one. */
void totals_flow(struct totals *totals, const struct ipc_flow *flow);
/* Borrowed until the next call; NULL: nothing was counted. */
const struct totals_line *totals_find(
	const struct totals *totals, enum totals_kind kind, const char *name);
/* Forgets zones, listeners and servers that the policy does not have, so that their number stays
 * bounded. */
void totals_follow(struct totals *totals, const struct policy *policy);

#endif
