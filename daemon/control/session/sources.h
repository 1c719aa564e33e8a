/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns sessions that another program opens, renews and ends: accounting packets, later the login
 * page. It knows by which keys and in which order of events; here a session is its number.
 *
 * What is called here is in force at once, in table, relays and kernel; that it is on the disk is a
 * part of the gather. Many calls with one gather are one transaction or two, so a burst waits once.
 * Nothing is acknowledged before the gather is done with 0. What was in force when it is done with
 * an error is so still, and is written again when its source tells it again. */
#ifndef POSTERN_SOURCES_H
#define POSTERN_SOURCES_H

#include "daemon/control/peers/question.h"
#include "lib/policy/session.h"

struct control;

/* Names are borrowed for the call. */
struct source_order {
	enum session_source source;
	const char *via; /* the statement: "wlc" */
	const char *nas; /* the access server; empty: none. Less than SESSION_NAS_SIZE bytes */
	const char *user, *zone;
	struct mac mac;
	struct prefix addresses[SESSION_ADDRESSES_MAX]; /* in place of those given before; */
	size_t naddresses;                              /* none: these stay */
	const char *groups[SESSION_GROUPS_MAX];
	size_t ngroups;
	uint64_t lease_ms; /* from now on; never 0 */
	bool goes_on;      /* nobody has shown who he is: no hard end moves by it */
};

enum source_outcome {
	SOURCE_OPENED,
	SOURCE_RENEWED,
	SOURCE_TAKEN,      /* a `session login` has its MAC or address */
	SOURCE_NO_ZONE,    /* the policy has no such zone */
	SOURCE_OUTSIDE,    /* the address is in no network of the zone, or no client's at all */
	SOURCE_NO_ADDRESS, /* the zone knows its clients by address */
	SOURCE_NO_MAC,     /* the zone knows its clients by MAC */
	SOURCE_OVER_LIMIT, /* the zone's `limit sessions`, which refuses */
	SOURCE_FAILED,     /* out of memory; the gather has it, too */
};
#define SOURCE_OUTCOMES 9
extern const char *const source_outcome_names[SOURCE_OUTCOMES];

/* May the zone have such a session: OPENED, or what speaks against it. Limits and logins are not
 * looked at. */
enum source_outcome source_check(const struct control *control, const struct source_order *order);

/* Session 0: opens one, whose user has shown who he is unless it goes on; one of the same user and
 * client by the same kind of source goes on, as he roams. Else renews it, wherever the order says
 * that it is now; if it is over, or was another user's or of another zone, as with 0. Sessions of
 * other users by accounting that have its MAC or an address end: who is newer is the caller's to
 * know. *id: its number (OPENED, RENEWED). */
enum source_outcome source_put(struct control *control, uint64_t session,
	const struct source_order *order, struct gather *gather, uint64_t *id);
/* Its source says that it is over. Nothing if it is already, or is a login's by now. */
void source_end(struct control *control, uint64_t session, struct gather *gather);

#endif
