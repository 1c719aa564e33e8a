/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the directories of one `auth` and the connections to them: which of them may be asked now,
 * whom they are trusted by, and which connection is free to search or to bind by. What is asked
 * there is not its concern. */
#ifndef POSTERN_DAEMON_AUTH_LDAP_SITES_H
#define POSTERN_DAEMON_AUTH_LDAP_SITES_H

#include "daemon/auth/ldap_link.h"
#include "lib/policy/policy.h"

#define LDAP_SITES_TEXT_SIZE 256

struct ldap_site {
	uint64_t alone_until_ms;
	bool down;
};

struct ldap_sites {
	struct backend *backend;
	const struct ldap_link_face *face;
	struct tls_context *context; /* NULL: why says it */
	char why[LDAP_SITES_TEXT_SIZE];
	char failed[LDAP_SITES_TEXT_SIZE]; /* which failed last, and why */
	struct ldap_site v[POLICY_AUTH_URLS_MAX];
	struct ldap_link *links;
};

void ldap_sites_init(
	struct ldap_sites *sites, struct backend *backend, const struct ldap_link_face *link_face);
/* Secrets or trust are others: each may be asked again, by connections of now. Those from before
 * are old. */
void ldap_sites_renew(struct ldap_sites *sites);
void ldap_sites_fini(struct ldap_sites *sites);

const char *ldap_sites_url(const struct ldap_sites *sites, size_t at);
/* It failed: others are asked for a while. */
void ldap_sites_leave_alone(struct ldap_sites *sites, size_t at, const char *why);
void ldap_sites_note_answer(struct ldap_sites *sites, size_t at);
bool ldap_sites_is_alone(const struct ldap_sites *sites, size_t at);
/* The first that may be asked. False: none; `failed` says why. */
bool ldap_sites_find(const struct ldap_sites *sites, size_t *at);

/* A new one, if need be. NULL: no memory. */
struct ldap_link *ldap_sites_find_searcher(struct ldap_sites *sites, size_t at);
/* The same that nobody is bound by. NULL: no memory, or, where binders are all taken, none. */
struct ldap_link *ldap_sites_find_binder(struct ldap_sites *sites, size_t at);
bool ldap_sites_binders_are_taken(const struct ldap_sites *sites);
/* It is still to be closed, and not found any more. */
void ldap_sites_take_out(struct ldap_sites *sites, struct ldap_link *link);
void ldap_sites_close_link(struct ldap_sites *sites, struct ldap_link *link);

#endif
