/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns orders to end flows, whoever gives them. Each flow ends as its engine allows it: never
 * between the dot and its reply. */
#ifndef POSTERN_DAEMON_SMTP_ORDER_H
#define POSTERN_DAEMON_SMTP_ORDER_H

#include "lib/ipc/flow.h"

struct smtp;

/* How many were meant. */
uint32_t order_kill(struct smtp *smtp, const struct ipc_kill *order);
uint32_t order_end_blocked(struct smtp *smtp);
uint32_t order_end_all(struct smtp *smtp);
/* Whoever has said a message hears 421 when none is under way; who has not may still say one. */
void order_drain(struct smtp *smtp);

#endif
