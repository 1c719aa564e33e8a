/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what is known of the servers that a flow's recipients may be sent to, before one is named.
 */
#ifndef POSTERN_DAEMON_SMTP_ENVELOPE_REACH_H
#define POSTERN_DAEMON_SMTP_ENVELOPE_REACH_H

#include <stdbool.h>
#include <stdint.h>

struct decide_envelope;
struct decide_origin;
struct decide_world;
struct smtp_flow;

struct reach {
	bool any;       /* there is such a server */
	uint8_t offers; /* enum smtp_offer: what all hosts of them that are not down showed last */
	bool named;     /* one of them is told the client's name */
	bool is_up;     /* one of them has a host that is not down, or of which nothing is known */
};

void reach_look(const struct smtp_flow *flow, const struct decide_world *world,
	const struct decide_origin *origin, const struct decide_envelope *envelope,
	struct reach *reach);

#endif
