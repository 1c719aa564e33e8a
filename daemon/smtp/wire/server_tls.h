/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns TLS with a flow's server: whom it has to be with, the handshake, and the bytes inside. */
#ifndef POSTERN_DAEMON_SMTP_WIRE_SERVER_TLS_H
#define POSTERN_DAEMON_SMTP_WIRE_SERVER_TLS_H

#include "lib/smtp/engine/engine.h"
#include "lib/tls/facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct smtp_flow;

/* What the host at hand is to be spoken to in, by the flow's policy. */
enum engine_tls server_tls_wanted(const struct smtp_flow *flow);
/* The engine is in SERVER_TLS. True: it heard what came of it. */
bool server_tls_run(struct smtp_flow *flow);
/* Is it known by name or key who is on the other end? */
bool server_tls_is_sure(const struct smtp_flow *flow);
/* What is recorded of it, a line each without the last line's end: version, cipher, what came of
 * looking at its certificate, and whom that names. Empty: in clear. It stays when the connection is
 * over, until there is another. */
#define SERVER_TLS_WORDS_MAX (2 * 64 + TLS_CIPHER_SIZE + TLS_NAME_SIZE)
const char *server_tls_words(const struct smtp_flow *flow);
void server_tls_forget(struct smtp_flow *flow);
/* A socket that can be read again, or written, may be what the other one waits for. */
void server_tls_on_event(struct smtp_flow *flow);
/* Of a session whose handshake is done; as recv(), but -errno. */
ssize_t server_tls_read(struct smtp_flow *flow, void *bytes, size_t len);
/* How many went; -errno: it is gone. last: the connection's end follows at once. */
ssize_t server_tls_write(struct smtp_flow *flow, const void *bytes, size_t len, bool last);
/* The connection is to be closed. One without TLS is allowed. */
void server_tls_end(struct smtp_flow *flow);

#endif
