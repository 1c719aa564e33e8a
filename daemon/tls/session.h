/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns one session of TLS over a socket that does not block: as recv() and send() are to bytes in
 * the clear, so are tls_read() and tls_write() to those inside. The socket stays the caller's.
 *
 * Nothing here waits. Who watches the socket by edges reads until -EAGAIN: bytes may be inside the
 * session that no event tells of. */
#ifndef POSTERN_DAEMON_TLS_SESSION_H
#define POSTERN_DAEMON_TLS_SESSION_H

#include "daemon/tls/context.h"
#include "lib/base/addr.h"
#include "lib/tls/facts.h"

#include <sys/types.h>

struct tls_session;

/* Holds the context. NULL: no memory. server_name: said as SNI, and looked for in the certificate
 * unless the context has names; NULL: neither (an address is no name). */
struct tls_session *tls_accept(struct tls_context *context, int fd);
struct tls_session *tls_connect(struct tls_context *context, int fd, const char *server_name);
/* Of a server that is known by its address alone, which its certificate has to be for: as an
 * address, whatever its names are. Nothing is said as SNI (RFC 6066, 3). */
struct tls_session *tls_connect_address(
	struct tls_context *context, int fd, const struct addr *address);
/* NULL is none. Says nothing. */
void tls_free(struct tls_session *session);

enum tls_step {
	TLS_DONE,
	TLS_WANTS_READ,
	TLS_WANTS_WRITE,
	TLS_FAILED,
};
/* A step of a handshake: to be called until it is DONE or FAILED, and whenever the socket is as it
 * wants it. FAILED: an alert, if one was due, is on its way. */
enum tls_step tls_handshake(struct tls_session *session);

/* How many bytes; 0: the end; -EAGAIN: nothing now, tls_wants() says what it waits for; -errno:
 * the session is no more. */
ssize_t tls_read(struct tls_session *session, void *bytes, size_t len);
/* How many bytes; what is left has to be given again first, from the same on and not less of it. */
ssize_t tls_write(struct tls_session *session, const void *bytes, size_t len);
/* What the last -EAGAIN or short write waits for: either may wait for either. */
enum tls_step tls_wants(const struct tls_session *session);
/* Bytes are inside that a read would return, though no event will tell. */
bool tls_holds(const struct tls_session *session);
/* The last tls_read() took all that the socket had, and nothing is inside: of more, or of an end
 * that no event has told of yet, one will. */
bool tls_drained(const struct tls_session *session);
/* What is written from here on goes in one packet with the socket's end, which is to follow at
 * once; alone when it did not for a fifth of a second. */
void tls_write_last(const struct tls_session *session);
/* Says that no byte follows, if it can be said at once. */
void tls_close(struct tls_session *session);

/* What kind of failure a handshake ended with. X(identifier, name, what it means) */
#define TLS_FAILURE_TABLE(X)                                                  \
	X(NONE, "none", "none")                                               \
	X(CLOSED, "closed", "the peer closed inside the handshake")           \
	X(VERSION, "version", "no version of TLS that both sides take")       \
	X(CIPHER, "cipher", "no cipher, group or key that both sides take")   \
	X(DISTRUST, "distrust", "the peer does not trust our certificate")    \
	X(CERTIFICATE, "certificate", "we do not trust the peer's")           \
	X(PROTOCOL, "protocol", "the peer does not keep to the rules of TLS") \
	X(INTERNAL, "internal", "memory, or a call that failed")

enum tls_failure {
#define TLS_FAILURE_ENUM(id, name, meaning) TLS_FAILURE_##id,
	TLS_FAILURE_TABLE(TLS_FAILURE_ENUM)
#undef TLS_FAILURE_ENUM
};
#define TLS_FAILURES (TLS_FAILURE_INTERNAL + 1)
extern const char *const tls_failure_names[TLS_FAILURES];

enum tls_failure tls_failure(const struct tls_session *session);
/* Words for the last failure, of no fixed set; they live as long as the process. "" : none. */
const char *tls_why(const struct tls_session *session);

/* Of a session whose handshake is done, or failed with CERTIFICATE. */
void tls_facts(const struct tls_session *session, struct tls_facts *facts);
/* Calls visit for each name in the peer's certificate: those of hosts, of mail addresses, and the
 * common name where there are none of these; printable, at most TLS_NAME_SIZE - 1 bytes, others
 * are left out. Stops when it returns false. */
typedef bool tls_visit(const char *name, void *argument);
void tls_names(const struct tls_session *session, tls_visit *visit, void *argument);
/* Of a handshake that is over, whatever it came to; why is not set. */
void tls_see(const struct tls_session *session, struct tls_seen *seen);
/* Of a handshake that is done: the peer's key is not asked for any more. Most of what a certificate
 * takes is the key, as the library works with it: 2 KiB as long as the session lives. */
void tls_forget_key(const struct tls_session *session);

#endif
