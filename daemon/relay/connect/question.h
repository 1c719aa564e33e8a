/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns asking a host whether it offers XCLIENT or XFORWARD to the gateway: greeting, EHLO, QUIT
 * over a connection of its own, from the address that flows come from. */
#ifndef POSTERN_DAEMON_RELAY_CONNECT_QUESTION_H
#define POSTERN_DAEMON_RELAY_CONNECT_QUESTION_H

#include "daemon/relay/connect/host_answers.h"
#include "lib/record/ending.h"

struct flow;

/* Begins to ask on behalf of a flow, if the host is not being asked in this inquiry; with `announce
 * proxy-v1` or -v2 as its client, and then whether the host takes the header. The answer goes to
 * connect_on_host(), never from within this call; words of a failure too. */
void question_begin(
	struct flow *flow, struct host *host, uint32_t connect_ms, uint32_t greeting_ms);
/* Stops whatever is being asked. */
void question_stop(struct host *host);

#endif
