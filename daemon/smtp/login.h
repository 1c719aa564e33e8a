/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns logins of clients at listeners as an smtp process has them: what a client says of one until
 * it is whole, the pair with the process that checks it, and what becomes of the flow then. What
 * was said is wiped as soon as it was passed on. */
#ifndef POSTERN_DAEMON_SMTP_LOGIN_H
#define POSTERN_DAEMON_SMTP_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

struct channel;
struct engine_out;
struct engine_setup;
struct smtp;
struct smtp_flow;
struct smtp_login;  /* of one flow */
struct login_offer; /* of one listener */

struct logins {
	struct channel *pair; /* with the process that checks; NULL: none runs */
	struct login_offer *offers;
	uint32_t noffers;
	uint32_t last; /* login of this process */
};

/* One end of a pair with that process; fd is taken over. */
void login_on_pair(struct smtp *smtp, int fd);
void login_fini(struct smtp *smtp);

/* Whether this flow's client may log in. */
void login_set_up(const struct smtp_flow *flow, struct engine_setup *setup);
/* The mechanisms that it is shown, with blanks between; NULL: none. Borrowed. */
const char *login_offers(const struct smtp_flow *flow);
/* The client said something of a login: out->said. */
void login_on_said(struct smtp_flow *flow, const struct engine_out *out);
/* ASK_LOGIN: what it said is whole. True: the engine was answered at once. */
bool login_ask(struct smtp_flow *flow);
/* The engine waits for no login any more: nobody needs to find out. */
void login_end(struct smtp_flow *flow);
/* Is one under way? */
bool login_is_under_way(const struct smtp_flow *flow);

#endif
