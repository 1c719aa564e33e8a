/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one connection to one directory of an `auth` from its host's name on: which addresses it
 * has, which of them answers, and, where it is to search, who is bound. */
#ifndef POSTERN_DAEMON_AUTH_LDAP_LINK_H
#define POSTERN_DAEMON_AUTH_LDAP_LINK_H

#include "daemon/auth/directory.h"
#include "daemon/process/host_addresses.h"
#include "lib/ipc/health.h"

struct auth;
struct backend;
struct ldap_link;
struct ldap_question;

/* state     holds                        moved on by
 * --------  ---------------------------  -------------------------------------------
 * RESOLVES  a host's name                its addresses; its time
 * OPENS     a connection that begins     it; with each address the next
 * BINDS     who searches, being bound    the answer; its time
 * READY     a connection to ask by       its end; without a question its time */
enum ldap_link_state { LDAP_LINK_RESOLVES, LDAP_LINK_OPENS, LDAP_LINK_BINDS, LDAP_LINK_READY };

struct ldap_link_face {
	void (*on_ready)(struct ldap_link *link);
	void (*on_message)(
		struct ldap_link *link, const struct ldap_message *message, struct ber_slice bytes);
	/* It is still to be closed. quiet: nobody is to blame. */
	void (*on_broken)(struct ldap_link *link, const char *why, bool quiet);
};

struct ldap_link {
	struct ldap_link *next; /* its owner's */
	const struct ldap_link_face *face;
	struct backend *backend;
	size_t site; /* which of the URLs */
	struct ldap_url url;
	struct tls_context *context; /* held */
	enum ldap_link_state state;
	bool searches;              /* else users are bound by it, one after the other */
	bool old;                   /* secrets or trust are others now: nothing more begins here */
	bool served;                /* it has answered before */
	struct ldap_question *user; /* who has it for himself; of those that do not search */
	struct directory *directory;
	struct host_wait host;
	struct loop_timer timer;
	struct addr addresses[RESOLVED_MAX];
	size_t n, at; /* of them, and which is next */
	int32_t bind_id;
	unsigned unasked; /* messages that nobody waits for any more */
	char why[128];
};

/* NULL: no memory. Nothing of the face is called before this returns. */
struct ldap_link *ldap_link_open(struct backend *backend, size_t site, struct tls_context *context,
	const struct ldap_link_face *face, bool searches);
void ldap_link_close(struct ldap_link *link);
/* Without a question it goes after a while, from now on; or does not. */
void ldap_link_rest(struct ldap_link *link, bool rests);
/* Sends what is in the writer and wipes it. False: it cannot be sent. */
bool ldap_link_send(struct ldap_link *link, struct ber_writer *writer);

#endif
