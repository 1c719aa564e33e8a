/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the life of sessions in control: put in, learned, in use, over. */
#ifndef POSTERN_DAEMON_CONTROL_SESSION_SESSIONS_H
#define POSTERN_DAEMON_CONTROL_SESSION_SESSIONS_H

#include "daemon/control/peers/question.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/session.h"

struct control;
struct sessions;

struct sessions *sessions_new(struct control *control);
void sessions_free(struct sessions *sessions);
/* The table was filled from the store, where last_id is the highest number ever used. */
void sessions_loaded(struct sessions *sessions, uint64_t last_id);
uint64_t sessions_new_id(struct sessions *sessions);

/* Puts a session in force, or its new state: table, relays, disk, and out of the kernel's cache
 * goes what was decided without it. Parts of the gather. 0 or -ENOMEM. */
int sessions_put(struct sessions *sessions, const struct session *session, struct gather *gather);
/* Takes a session out of force; its flows go on. Parts of the gather; may be NULL. */
void sessions_del(struct sessions *sessions, const struct session *session, enum ending why,
	struct gather *gather);
/* The same, and its flows end as its zone says. */
void sessions_end(struct sessions *sessions, const struct session *session, enum ending why,
	struct gather *gather);
/* A session whose change or end did not come about: as it was, in table, relays and on the disk,
 * which is a part of the gather. */
void sessions_put_back(
	struct sessions *sessions, const struct session *session, struct gather *gather);
/* Ends the flows of a session that was in force: relayed ones by its id, passed ones by its
 * addresses. */
void sessions_kill_flows(
	struct sessions *sessions, const struct session *session, enum ending ending);
/* Takes out of the kernel's cache whatever it holds of the session's clients; entries_send() then
 * tells it so. */
void sessions_drop_entries(struct sessions *sessions, const struct session *session);
/* Do this session's flows go on when it ends? */
bool sessions_keep_flows(const struct sessions *sessions, const struct session *session);
/* Ends those whose time is over, some at a time. */
void sessions_end_due(struct sessions *sessions);
/* Times of sessions changed. */
void sessions_arm(struct sessions *sessions);

/* In mac zones further addresses of a session's MAC are learned. */
void sessions_learn(struct sessions *sessions, const struct decide_origin *origin);
/* Its client was seen on an interface. */
void sessions_seen(struct sessions *sessions, uint64_t id, const char *ifname);
/* A flow of the session began or ended. */
void sessions_active(struct sessions *sessions, uint64_t id);
/* Sessions of zones that the running policy does not have are set aside for a day: their flows end,
 * and who is aside comes back when the policy has the zone again. Returns what to tell of it, a
 * line a zone, malloc'ed; NULL: nothing. */
char *sessions_follow_policy(struct sessions *sessions, struct gather *gather);
/* Its idle time is over, and the kernel has seen nothing of it either. */
void sessions_end_idle(struct sessions *sessions, struct session *session);
/* When its user has to show anew who he is, whatever renews it; 0: never. old: the session that
 * goes on, NULL for one that begins. A zone that has got its `reauthenticate` since counts from
 * now. */
uint64_t sessions_hard_end(
	const struct policy_zone *zone, const struct session *old, uint64_t now_ms);
/* The lease's end, 0: none; no later than what no renewal moves. */
uint64_t sessions_lease_end(uint64_t now_ms, uint64_t lease_ms, uint64_t hard_end_ms);
/* Given addresses in place of those that old was given; learned ones stay while there is room.
 * Returns how many. */
size_t sessions_merge_addresses(const struct session *wanted, const struct session *old,
	uint64_t now_ms, struct session_address addresses[static SESSION_ADDRESSES_MAX]);
/* Those that are not aside. */
size_t sessions_in_force(const struct control *control);

/* A copy that lives by itself; one free() releases it. NULL: out of memory. */
struct session *sessions_copy(const struct session *session);

#endif
