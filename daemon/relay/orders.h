/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what keeper and control tell a relay, and what it replies. */
#ifndef POSTERN_DAEMON_RELAY_ORDERS_H
#define POSTERN_DAEMON_RELAY_ORDERS_H

struct relay;

/* Opens the loop, the channels that relay->start names, and the replica. 0 or -ENOMEM. */
int orders_open(struct relay *relay);
/* Ends the loop when the relay drains and nothing is left. */
void orders_stop_when_drained(struct relay *relay);

#endif
