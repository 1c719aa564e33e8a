/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the last words of a flow: that its client hears them before its socket is closed. */
#ifndef POSTERN_DAEMON_SMTP_WIRE_LAST_WORDS_H
#define POSTERN_DAEMON_SMTP_WIRE_LAST_WORDS_H

struct smtp_flow;

/* The engine has ended; the flow does, or waits in SMTP_FLOW_LAST. */
void last_begin(struct smtp_flow *flow);
/* Something of the client's socket was noted. */
void last_run(struct smtp_flow *flow);

#endif
