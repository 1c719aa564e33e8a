/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one connection to a directory: TCP, TLS before anything else is said, then LDAP's messages,
 * whole, both ways. What they say is not its concern.
 *
 * Nothing here waits. Each step up to READY has its time. */
#ifndef POSTERN_DAEMON_AUTH_DIRECTORY_H
#define POSTERN_DAEMON_AUTH_DIRECTORY_H

#include "daemon/base/loop.h"
#include "daemon/tls/session.h"
#include "lib/ldap/message.h"
#include "lib/ldap/url.h"

#define DIRECTORY_STEP_MS 5000
/* A user's entry with his groups is far below; what is longer breaks the connection. */
#define DIRECTORY_MESSAGE_MAX (256 * 1024)

struct directory;

/* What its owner hears; he may close it from within. */
struct directory_face {
	void (*on_ready)(void *owner);
	/* The message points into the bytes; both are gone afterwards. */
	void (*on_message)(void *owner, const struct ldap_message *message, struct ber_slice bytes);
	/* Nothing follows; it is still to be closed. why: of no server's words. */
	void (*on_broken)(void *owner, const char *why);
};

struct directory_setup {
	struct loop *loop;
	const struct directory_face *face;
	void *owner;
	const struct ldap_url *url;
	struct endpoint server;
	struct tls_context *context; /* held */
	bool insecure;               /* without StartTLS it is spoken to in clear */
};

/* Begins to connect; what comes of it is heard later. NULL: no memory, or no socket. */
struct directory *directory_open(const struct directory_setup *setup);
/* NULL is none. */
void directory_close(struct directory *directory);
/* The id of the next request, which no other has on this connection. */
int32_t directory_next_id(struct directory *directory);
/* The last that was given out. */
int32_t directory_last_id(const struct directory *directory);
/* Copies a whole request, which goes when the socket takes it and is wiped then. READY. False: too
 * much waits already. */
bool directory_send(struct directory *directory, const struct ber_writer *request);

#endif
