/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns whether a flow's client or user may not send now, whatever the rules say. */
#ifndef POSTERN_DAEMON_SMTP_ENVELOPE_BLOCKED_H
#define POSTERN_DAEMON_SMTP_ENVELOPE_BLOCKED_H

#include <stdbool.h>

struct block;
struct smtp_flow;

/* Borrowed; NULL: he may. */
const struct block *blocked_by(const struct smtp_flow *flow);
/* Is its client blocked now? */
bool blocked_is(const struct smtp_flow *flow);
/* The block's text, good until the next change of blocks. NULL: none. */
const char *blocked_text(const struct smtp_flow *flow);

#endif
