/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns TLS on the gateway's own connections to hosts, those of probes and of tests: the handshake,
 * the bytes, in clear or inside, and what was seen of the host. */
#ifndef POSTERN_DAEMON_TLS_SECURE_H
#define POSTERN_DAEMON_TLS_SECURE_H

#include "daemon/tls/session.h"
#include "lib/smtp/engine/engine.h"

struct secure_order {
	enum engine_tls tls;         /* NONE: in clear, and no more below */
	struct tls_context *context; /* NULL: there is none, though there should be */
	const char *name;            /* tls_terms_name() */
};

/* One connection. Begins as {0}. */
struct secure {
	struct tls_session *session; /* NULL: in clear */
	struct tls_seen seen;        /* when secure_shake() is at its end */
};

/* A step of the handshake, as tls_handshake() makes it; the first one begins it. The socket stays
 * the caller's. FAILED: seen.why says why. */
enum tls_step secure_shake(struct secure *secure, const struct secure_order *order, int fd);
/* As recv() and send() that do not wait, in clear or inside; -errno. */
ssize_t secure_hear(struct secure *secure, int fd, void *bytes, size_t len);
ssize_t secure_say(struct secure *secure, int fd, const void *bytes, size_t len);
/* Bytes were read that no event will tell of. */
bool secure_holds(const struct secure *secure);
/* Before its socket is closed; begins anew. */
void secure_end(struct secure *secure);

#endif
