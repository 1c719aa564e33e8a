/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns an smtp process with the test in the place of keeper, control, relay, client and server; the
 * rest of its world is the relay's. */
#ifndef POSTERN_TEST_SMTP_WORLD_H
#define POSTERN_TEST_SMTP_WORLD_H

#include "test/lib/relay_world.h"

#include "lib/ipc/replica.h"
#include "lib/policy/block.h"

/* The process, with nothing told yet but that it runs: world->relay is its pid. */
void start_smtp(struct world *world, bool ip6);
/* The policy of most tests: anna's flows are read. more: in the zone, may be empty. */
const char *smtp_text(const struct world *world, const char *more);
/* It has the policy. */
void begin_smtp(struct world *world, bool ip6);
/* A client's connection as a relay accepts it: *client is the other end. */
int accept_client(const struct world *world, int *client);
/* Hands one over; fd is closed here. session 0: none. */
void hand_over(const struct world *world, int pair, uint64_t flow, uint64_t session, int fd);
/* A client that was handed over, taken and greeted. */
int open_client(struct world *world, int pair, uint64_t flow, uint64_t session);
void await_taken(int pair, uint64_t flow);
/* What it says, and what begins the reply. */
void ask_smtp(int client, const char *line, const char *reply);
/* Up to the 354: the server's side of the connection is returned. */
int open_message(struct world *world, int client);
/* The server's side of it, up to its reply to the recipient; and that of DATA. */
int take_recipient(const struct world *world);
void take_data(int server);
/* Closes the pair of the relay, too. */
void end_smtp(struct world *world, int pair);

#endif
