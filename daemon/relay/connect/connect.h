/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns stage 6, first half: a flow waits for one of its server's hosts to take the connection;
 * which, and from where, is dial.h. */
#ifndef POSTERN_DAEMON_RELAY_CONNECT_CONNECT_H
#define POSTERN_DAEMON_RELAY_CONNECT_CONNECT_H

#include "daemon/relay/connect/host_answers.h"
#include "daemon/relay/flow.h"

/* The flow was matched and charged: tries the first host. */
void connect_begin(struct flow *flow);
/* The attempt at hand failed: notes it and tries the next host; with none left the client is told
 * so. words: the server's own, or the system's; may be empty. */
void connect_failed(struct flow *flow, enum ending ending, const char *words);
void connect_on_server(struct flow *flow, uint32_t events);
void connect_on_deadline(struct flow *flow);
/* A host was asked: ENDING_NONE, or why it is not to be used. client: it was about this one alone;
 * NULL: about all. */
void connect_on_host(struct relay *relay, const struct host *host, enum ending ending,
	const char *words, const struct endpoint *client);

/* Sockets came that flows wait for (stock.h). */
void connect_on_socket(struct relay *relay);

#endif
