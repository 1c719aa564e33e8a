/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who is logged in: the table of sessions and devices, and the lookup by identity.
 *
 * Control holds the authority's copy and every relay a copy kept by deltas; both use this code. */
#ifndef POSTERN_LIB_POLICY_SESSION_H
#define POSTERN_LIB_POLICY_SESSION_H

#include "lib/base/addr.h"
#include "lib/policy/policy.h"

#define SESSION_ADDRESSES_MAX 16 /* the oldest learned one goes */
#define SESSION_GROUPS_MAX    32
#define SESSION_MAILS_MAX     32
#define SESSION_MAIL_SIZE     255 /* RFC 5321, 4.5.3.1.3 with errata: 254, and NUL */
#define SESSION_NAS_SIZE      128 /* of its access server's name: 127 bytes, and NUL */
#define SESSION_TERMS_SIZE    17  /* of the version of terms: 16 digits, and NUL */

enum session_kind {
	SESSION_PORTAL, /* logged in */
	SESSION_DEVICE, /* from the policy, permanent */
	SESSION_AUTH,   /* of one flow: who logged in there with a password; in no table */
};
_Static_assert(SESSION_PORTAL == (enum session_kind)POLICY_SOURCE_SESSION &&
		       SESSION_DEVICE == (enum session_kind)POLICY_SOURCE_DEVICE &&
		       SESSION_AUTH == (enum session_kind)POLICY_SOURCE_AUTH,
	"a kind of session is a source of names");

/* Who tells of a session in the portal's table. One is never replaced by a later one of this list
 * but that is the login page. */
enum session_source {
	SESSION_SOURCE_CLI,    /* `session login` by an operator */
	SESSION_SOURCE_HOOK,   /* the same, by a program at session.sock */
	SESSION_SOURCE_RADIUS, /* accounting packets */
	SESSION_SOURCE_PORTAL, /* a login page */
};
#define SESSION_SOURCES 4
extern const char *const session_source_names[SESSION_SOURCES];

struct session_address {
	struct prefix prefix;
	bool learned;     /* at admission; else given at login */
	uint64_t seen_ms; /* when it was last admitted */
};

/* One session. Strings are owned by the session. Times are milliseconds of
 * the caller's clock, 0 = none. */
struct session {
	uint64_t id; /* devices: SESSION_DEVICE_ID | index */
	enum session_kind kind;
	struct policy_string zone; /* by name: sessions outlive policies */
	struct policy_string user;
	struct policy_string *groups;
	size_t ngroups;
	const struct policy_string *mails; /* his own addresses; of AUTH alone */
	size_t nmails;
	struct mac mac;
	struct session_address *addresses;
	size_t naddresses;
	uint64_t started_ms;
	uint64_t lease_end_ms;
	uint64_t aside_until_ms; /* its zone is gone; until then it comes back with it */
	uint64_t hard_end_ms;    /* which no renewal moves: no lease ends later */
	uint32_t idle_s;
	uint64_t active_ms;
	enum session_source source;
	struct policy_string via;        /* the statement that it came by, "wlc"; len 0: none */
	char ifname[POLICY_IFNAME_SIZE]; /* where its client was seen last; empty: nowhere yet */
	struct policy_string nas;        /* the access server that told of it last; len 0: none */
	char terms[SESSION_TERMS_SIZE];  /* that its user accepted, by their version; empty: none */
};

/* "cli", "radius wlc", "device". */
#define SESSION_SOURCE_TEXT_SIZE (POLICY_NAME_SIZE + 16)
const char *session_format_source(
	const struct session *session, char text[static SESSION_SOURCE_TEXT_SIZE]);

#define SESSION_DEVICE_ID ((uint64_t)1 << 63)

struct session_table;

struct session_table *session_table_new(void);
void session_table_free(struct session_table *table); /* NULL is allowed */
/* Puts a copy of the session in, in place of the one with the same id. 0 or -ENOMEM. */
int session_table_put(struct session_table *table, const struct session *session);
/* 0 or -ENOENT. */
int session_table_del(struct session_table *table, uint64_t id);
/* Borrowed until the next change of the table. NULL: none. */
struct session *session_table_find(const struct session_table *table, uint64_t id);
size_t session_table_count(const struct session_table *table); /* portal sessions */
size_t session_table_count_zone(const struct session_table *table, const char *zone);
size_t session_table_count_user(
	const struct session_table *table, const char *zone, const char *user); /* zone NULL: all */

/* Takes the policy's devices in, in place of all devices before; 0, or -ENOMEM with nothing
 * changed. A device's addresses by list name are those of the policy's list, or of the dynamic
 * list in `lists` (MACs count as the device's MACs): call again when such a list changes.
 * session->addresses holds what the device names itself, session->mac its first MAC. */
struct lists;
int session_table_set_devices(
	struct session_table *table, const struct policy *policy, const struct lists *lists);

/* The session of a client, after the zone's identity. mac may be unset (no MAC seen).
 *   mac: the session of (zone, MAC); else a session or device without MAC by its address.
 *   address: the longest matching address; a session or device that has only a MAC, by its MAC
 *            first. A session's MAC is otherwise not looked at.
 *   mac+address: the session of (zone, MAC) that also holds the address; else a device that names
 *            only MACs or only addresses, by these.
 * Learned addresses are none here: whoever takes one later is not who had it.
 * Most specific wins: MAC, address, longest prefix. A portal session beats a device, but one
 * by accounting packets never does.
 * Borrowed; NULL: none. An expired lease is still found: the caller compares lease_end_ms. */
struct session *session_table_identify(const struct session_table *table, const char *zone,
	enum policy_identity identity, const struct mac *mac, const struct addr *addr);
/* The same at a time: a device is not found by an entry of a dynamic list that is over by now_ms,
 * and *until_ms is lowered to when it is found no more (0: no end). */
struct session *session_table_identify_at(const struct session_table *table, const char *zone,
	enum policy_identity identity, const struct mac *mac, const struct addr *addr,
	uint64_t now_ms, uint64_t *until_ms);

/* The zone's sessions and devices that have a MAC and no address. How many there are; the first
 * `room` of them are put into v. */
size_t session_table_by_mac_alone(const struct session_table *table, const char *zone,
	const struct session *v[], size_t room);

/* Iteration for logout and show, over portal sessions first and then devices (look at kind); stops
 * when visit returns non-zero and returns that. The visitor must not add to the table or delete
 * from it. By address: the most specific first, each once a prefix that holds the address. */
typedef int session_visit(void *context, struct session *session);
int session_table_each(const struct session_table *table, session_visit *visit, void *context);
int session_table_each_user(
	const struct session_table *table, const char *user, session_visit *visit, void *context);
int session_table_each_mac(const struct session_table *table, const struct mac *mac,
	session_visit *visit, void *context);
int session_table_each_address(const struct session_table *table, const struct addr *addr,
	session_visit *visit, void *context);
/* The same for the desk's question whose address it is: those that were given it at login; where
 * there is none, those that learned it. Who takes another's address is not taken for its owner. */
int session_table_each_owner(const struct session_table *table, const struct addr *addr,
	session_visit *visit, void *context);
/* The session whose lease, idle time or time aside ends first; NULL: none ends. Idle ends at
 * active_ms + idle_s, but not while the session is aside. Never a scan. */
struct session *session_table_next_end(const struct session_table *table, uint64_t *at_ms);
/* Moves the end of a session after one of its times was changed in place. */
void session_table_touch(struct session_table *table, struct session *session);

/* One session as bytes, for messages and the store: bounded, checked. encode returns the length,
 * or 0 when room is too small. decode fills a session whose strings point into strings (size
 * SESSION_STRINGS_SIZE); returns the bytes used, or 0 when they are no session. */
#define SESSION_ENCODED_MAX 16384
/* Of one that was decoded once. */
#define SESSION_ENCODED_LENGTH(bytes) ((size_t)((bytes)[0] | (bytes)[1] << 8))
size_t session_encode(const struct session *session, uint8_t *bytes, size_t room);
struct session_storage; /* holds what a decoded session points to; see session_storage_size() */
size_t session_storage_size(void);
size_t session_decode(
	const uint8_t *bytes, size_t len, struct session *session, struct session_storage *storage);

#endif
