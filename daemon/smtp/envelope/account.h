/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns who the gateway is at a server with an `account`: its login there, and the sender that such
 * a server is told. The secret is read where it is said, and kept nowhere. */
#ifndef POSTERN_DAEMON_SMTP_ENVELOPE_ACCOUNT_H
#define POSTERN_DAEMON_SMTP_ENVELOPE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

struct engine_reply;
struct engine_verdict;
struct smtp_flow;

/* What an account has the engine do at the verdict's server. */
void account_fill(const struct smtp_flow *flow, struct engine_verdict *verdict);
/* The engine is in LOGIN, and heard what comes when this returns. */
void account_on_login(struct smtp_flow *flow);
/* Likewise, in SENDER. */
void account_on_sender(struct smtp_flow *flow);
/* Did the host at hand refuse the login within the last minutes? Then it is not said again. */
bool account_is_held(const struct smtp_flow *flow);
/* Some servers repeat what was said to them: has this text, of the host at hand, a part of what the
 * login said to it? As engine_out's holds_back, with a struct smtp_flow. */
bool account_is_in(const void *flow, const char *text);
/* The host at hand did not take the login. words: its reply, as it may be told. */
void account_on_refused(
	struct smtp_flow *flow, const struct engine_reply *reply, const char *words);

#endif
