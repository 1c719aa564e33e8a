/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns charging a flow to the limits of the policy, its zone, its server and its host. */
#ifndef POSTERN_DAEMON_FLOW_CHARGE_H
#define POSTERN_DAEMON_FLOW_CHARGE_H

#include "daemon/flow/way.h"

/* The flow holds nothing. */
void charge_init(struct way *way);
/* Counts a flow that was matched to a server. ENDING_NONE, or over which limit it is; what it
 * holds by then goes with the flow. A table of limits that is full lets the flow go on. */
enum ending charge_flow(struct way *way);
/* Counts a flow of a listener, whose client has logged in, to the limits per user. ENDING_NONE, or
 * over which one it is. */
enum ending charge_user(struct way *way);
/* Counts a flow whose server was not known then. ENDING_NONE or ENDING_OVER_FLOWS_SERVER. */
enum ending charge_server(struct way *way);
/* Counts the attempt at way->host. ENDING_NONE or ENDING_OVER_FLOWS_SERVER. */
enum ending charge_host(struct way *way);
/* Over which limit a flow with this policy, zone, client, user and server would be now, counting
 * nothing; text is the limit. */
enum ending charge_foresee(const struct way *way, char text[IPC_TEXT_SIZE]);
/* The same for a host. */
bool charge_host_is_full(const struct way *way, const struct ipc_target *target);
/* The client was over this limit, which says { block D }: to be blocked so long. */
void charge_block(const struct way *way, const struct policy_limit *limit);
void charge_drop_host(struct way *way);
/* No host was to be had: the client that is told so may stay for a while, and takes no place of the
 * server. */
void charge_drop_server(struct way *way);
/* Gives all back. */
void charge_drop(struct way *way);

#endif
