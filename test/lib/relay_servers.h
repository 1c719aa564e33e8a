/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns a server of three hosts beside a relay (relay_world.h): their listeners, the policy that has
 * them, and what health would tell of them. */
#ifndef POSTERN_TEST_RELAY_SERVERS_H
#define POSTERN_TEST_RELAY_SERVERS_H

#include "lib/ipc/replica.h"
#include "test/lib/relay_world.h"

#define HOSTS 3

/* Ports of the hosts, all at the server's address; the first is world->server. */
struct hosts {
	int listener[HOSTS];
	uint16_t port[HOSTS];
};

void open_hosts(const struct world *world, struct hosts *hosts);
void close_hosts(struct hosts *hosts);
const char *hosts_policy(
	const struct world *world, const struct hosts *hosts, const char *more, const char *second);
void begin_hosts(
	struct world *world, struct hosts *hosts, bool ip6, const char *more, const char *second);
/* What health would tell: each host with its own state, everything asked. */
struct ipc_targets *targets_of(const struct world *world, const struct hosts *hosts);
int take_at(const struct hosts *hosts, int i);
void nobody_at(const struct hosts *hosts, int i);
void be_asked_at(const struct hosts *hosts, int i);
/* A flow that this host takes, and then leaves. */
void serve(struct world *world, const struct hosts *hosts, int i);
/* Waits until so many flows are in this state. Records that come meanwhile are lost. */
void await_state(struct world *world, uint32_t n, const char *name);

#endif
