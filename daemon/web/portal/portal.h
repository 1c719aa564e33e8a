/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the login pages of the policy: their sockets, who may come in by them, what each shows, and
 * what is told of them.
 *
 * A connection is known by the interface that it came in by and the MAC of its own SYN, as a flow
 * is. Who is of no zone is cut before a byte of TLS. A guest has so many connections at a time, and
 * begins and asks so fast and no faster; when all places are taken, one of whoever has most of them
 * gives way: who holds them open keeps nobody out. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_PORTAL_H
#define POSTERN_DAEMON_WEB_PORTAL_PORTAL_H

#include "daemon/base/channel.h"
#include "daemon/base/loop.h"
#include "daemon/web/drive.h"
#include "daemon/web/portal/guest.h"
#include "lib/ipc/web.h"
#include "lib/portal/texts.h"
#include "lib/portal/token.h"
#include "lib/portal/tries.h"

struct web;
struct visit;
struct shown;
struct MHD_Response;

/* What its connections are served by (service.h). */
struct service {
	struct service *next;
	struct portal *portal;
	struct drive drive;  /* of HTTPS */
	struct shown *shown; /* the certificates; NULL: HTTP */
	unsigned nvisits;
	bool old;
};

/* Of one statement of the policy; it lives as long as the policy has that name. */
struct portal {
	struct web *web;
	struct portal *next;
	char name[POLICY_NAME_SIZE];
	const struct policy_portal *policy; /* of the policy in force */
	struct service *services;           /* for HTTPS the first that is not old, and for HTTP */
	struct portal_texts texts;
	const char *terms; /* borrowed from the replica; NULL: none */
	size_t terms_len;
	bool lacks_terms; /* there are to be some: nobody can log in */
	char terms_version[PORTAL_VERSION_SIZE];
	struct MHD_Response *style, *logo; /* logo NULL: none */
	struct ipc_portal_state state;
	bool changed; /* since it was told */
};

struct portal_socket {
	struct web *web;
	struct portal_socket *next;
	struct loop_watch watch;
	struct endpoint at;
	bool watched;
};

struct portals {
	struct portal *first;
	struct portal_socket *sockets;
	struct visit *visits;
	struct guests guests;
	unsigned nvisits;
	struct portal_tries *tries;
	uint8_t key[PORTAL_KEY_SIZE];
	struct channel *auth; /* NULL: it does not run */
	uint64_t last_id;
};

#endif
