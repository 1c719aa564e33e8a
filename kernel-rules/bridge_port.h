/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns behind which port of a bridge each MAC was seen last. The kernel forgets it when the port
 * goes down, and of who is quiet after some minutes. */
#ifndef POSTERN_KERNEL_RULES_BRIDGE_PORT_H
#define POSTERN_KERNEL_RULES_BRIDGE_PORT_H

#include "lib/base/addr.h"

/* As many are known; who was seen longest ago gives way, so that one client's made-up MACs cost no
 * more than this. */
#define BRIDGE_PORT_SETS 8192
#define BRIDGE_PORT_WAYS 8

struct bridge_ports;

/* Reads the bridges' tables and listens from then on. 0 or -errno. */
int bridge_ports_open(struct bridge_ports **ports);
void bridge_ports_close(struct bridge_ports *ports); /* NULL is allowed */
int bridge_ports_fd(const struct bridge_ports *ports);
/* Call when the descriptor is readable, and before it matters. 0 or -errno. */
int bridge_ports_read(struct bridge_ports *ports);
/* Forgets a port, by its ifindex, telling each MAC that was last behind it. */
typedef void bridge_ports_visit(void *context, const struct mac *mac);
void bridge_ports_take(
	struct bridge_ports *ports, uint32_t port, bridge_ports_visit *visit, void *context);

#endif
