/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the bytes between a flow and its client's socket, in clear or in TLS, and the handshake
 * between the two. Which context it has stands in the policy that the flow began with. */
#ifndef POSTERN_DAEMON_SMTP_WIRE_CLIENT_H
#define POSTERN_DAEMON_SMTP_WIRE_CLIENT_H

#include "lib/tls/facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct decide_reply;
struct decide_tls;
struct engine_setup;
struct smtp_flow;

/* So many steps of handshakes, each of which may sign, come in one round of the loop: beside them
 * all other flows go on. */
#define CLIENT_HANDSHAKES_MAX 8

/* How the engine is to talk of TLS with this client. */
void client_set_up(struct smtp_flow *flow, struct engine_setup *setup);
/* The engine waits for the handshake: a step. True: it was told how it ended. */
bool client_handshake(struct smtp_flow *flow);
/* How many bytes went, maybe 0; -errno: the client is gone. */
ssize_t client_send(struct smtp_flow *flow, const void *bytes, size_t len);
/* How many bytes came; 0: its end; -EAGAIN: none now; -errno: it is gone. */
ssize_t client_recv(struct smtp_flow *flow, void *bytes, size_t len);
/* No word of ours follows. */
void client_shut(struct smtp_flow *flow);
void client_end(struct smtp_flow *flow);
/* The handshake took too long. */
void client_late(struct smtp_flow *flow);

/* Of the certificate that the zone asks for. False: there is no mail with it, and the reply says
 * why. */
bool client_certificate_fits(const struct smtp_flow *flow, struct decide_reply *reply);
/* Why no mail is ever taken from it as it is; NULL: for nothing of TLS. Until the next call. */
const char *client_tls_lacks(const struct smtp_flow *flow);
/* The same as rules ask for it; borrows the flow's session of TLS. */
void client_tls_side(const struct smtp_flow *flow, struct decide_tls *side);
/* Why its handshake failed; "": it did not, or nobody knows. */
const char *client_tls_why(const struct smtp_flow *flow);
/* What is known of its TLS. False: it is in clear. */
bool client_tls_facts(const struct smtp_flow *flow, struct tls_facts *facts);
/* The names in its certificate, by blanks, as many as have room; none of one that is not valid.
 * False: some had none. */
bool client_tls_names(const struct smtp_flow *flow, char *names, size_t size);

#endif
