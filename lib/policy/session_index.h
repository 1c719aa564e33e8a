/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the lookup of sessions by MAC, by address and by user. One index for the portal's sessions,
 * one for the devices. */
#ifndef POSTERN_LIB_POLICY_SESSION_INDEX_H
#define POSTERN_LIB_POLICY_SESSION_INDEX_H

#include "lib/base/hash.h"
#include "lib/base/heap.h"
#include "lib/policy/session.h"

/* One way to a session: a MAC or a prefix. */
struct session_link {
	struct session_entry *entry;
	union {
		struct hash_link hashed;   /* by_mac: among the MACs */
		struct session_link *next; /* else: with the same prefix */
	};
	uint64_t end_ms; /* counts no more from then on; 0: for ever */
	bool by_mac;
	bool learned; /* an address that tells who has it, and is no identity */
	union {
		struct mac mac;
		struct prefix prefix;
	};
};

/* A session in a table, with all that finds it. */
struct session_entry {
	struct session session;
	struct heap_item end;   /* of lease or idle time */
	struct hash_link by_id; /* in the table */
	struct session_user *user;
	struct session_entry *user_next, **user_link;
	struct session_entry *alone_next, **alone_link; /* those with a MAC and no address */
	struct session_zone *zone;
	struct session_link *links; /* those by MAC first */
	size_t nlinks, nmacs;
	/* What binds it, even if a list that names its addresses is empty now. */
	bool has_mac, has_address;
};

struct session_index;

struct session_index *session_index_new(void);
void session_index_free(struct session_index *index); /* NULL is allowed; frees no entry */
/* The entry's links are filled, but for next and entry. 0, or -ENOMEM with nothing changed. */
int session_index_add(struct session_index *index, struct session_entry *entry);
void session_index_del(struct session_index *index, struct session_entry *entry);

size_t session_index_count_zone(const struct session_index *index, const char *zone);
size_t session_index_count_user(
	const struct session_index *index, const char *zone, const char *user);

/* Which sessions a lookup takes. */
enum session_want {
	SESSION_WANT_ANY,
	SESSION_WANT_NO_MAC,     /* only those without a MAC */
	SESSION_WANT_NO_ADDRESS, /* only those without an address */
	SESSION_WANT_THIS_MAC,   /* only those with this MAC */
};

struct session_found {
	struct session_entry *entry; /* NULL: none */
	int len;                     /* of the prefix; -1: found by MAC alone */
	uint64_t end_ms;             /* when it is found no more by this way; 0: for ever */
};

/* now_ms: links that are over by then are passed over. */
struct session_found session_index_find_mac(const struct session_index *index, const char *zone,
	const struct mac *mac, enum session_want want, uint64_t now_ms);
/* The longest prefix first. mac only with SESSION_WANT_THIS_MAC. */
struct session_found session_index_find_address(const struct session_index *index, const char *zone,
	const struct addr *addr, enum session_want want, const struct mac *mac, uint64_t now_ms);

size_t session_index_by_mac_alone(const struct session_index *index, const char *zone,
	const struct session *v[], size_t room);

int session_index_each_user(
	const struct session_index *index, const char *user, session_visit *visit, void *context);
int session_index_each_mac(const struct session_index *index, const struct mac *mac,
	session_visit *visit, void *context);
int session_index_each_address(const struct session_index *index, const struct addr *addr,
	session_visit *visit, void *context);

#endif
