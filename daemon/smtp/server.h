/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 9, connect: a host of the server that the engine wants, and who the client is for it.
 */
#ifndef POSTERN_DAEMON_SMTP_SERVER_H
#define POSTERN_DAEMON_SMTP_SERVER_H

#include "lib/record/ending.h"

#include <stdbool.h>
#include <stdint.h>

struct smtp;
struct smtp_flow;

/* The engine is in OPEN. True: it heard what came of it. */
bool smtp_server_open(struct smtp_flow *flow);
/* Is there a host that is not connected yet, or a socket that is waited for? */
bool smtp_server_connects(const struct smtp_flow *flow);
void smtp_server_on_event(struct smtp_flow *flow, uint32_t events);
/* When it is no longer waited for; UINT64_MAX: nothing is. */
uint64_t smtp_server_deadline(const struct smtp_flow *flow);
void smtp_server_on_deadline(struct smtp_flow *flow);
/* Sockets for clients' addresses came. */
void smtp_server_on_stock(struct smtp *smtp);
/* The engine is in IDENTITY: the next XCLIENT command. */
void smtp_server_identify(struct smtp_flow *flow);
/* Notes that the host at hand failed: words may be empty. */
void smtp_server_failed(struct smtp_flow *flow, enum ending ending, const char *words);
/* It said yes inside a text: it is marked. */
void smtp_server_broken(struct smtp_flow *flow);
/* A recipient was answered: this is the server of the transaction, and no other is tried. */
void smtp_server_taken(struct smtp_flow *flow);
/* Closes the connection, if there is one, and gives back what it holds of the limits. */
void smtp_server_drop(struct smtp_flow *flow);

#endif
