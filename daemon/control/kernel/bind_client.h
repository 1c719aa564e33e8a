/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the addresses that hosts of servers with `bind client` have by name: the kernel must know
 * them before a flow goes there, or the server's answers would not find the relay. */
#ifndef POSTERN_DAEMON_CONTROL_KERNEL_BIND_CLIENT_H
#define POSTERN_DAEMON_CONTROL_KERNEL_BIND_CLIENT_H

#include "kernel-rules/plan.h"
#include "lib/ipc/replica.h"

struct bind_client;
struct control;

/* known() is called when addresses that bind_client_pass() held back are in the kernel. */
struct bind_client *bind_client_new(
	struct control *control, void (*known)(void *context), void *context);
void bind_client_free(struct bind_client *bind_client);
/* May the relays hear of these targets now? False: a plan with their addresses goes first. */
bool bind_client_pass(struct bind_client *bind_client, const struct ipc_targets *targets);

#endif
