/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the audit keeps of a login at a login page. */
#ifndef POSTERN_DAEMON_CONTROL_PORTAL_RECORD_H
#define POSTERN_DAEMON_CONTROL_PORTAL_RECORD_H

#include "daemon/control/session/login.h"
#include "lib/portal/client.h"
#include "lib/record/login_ending.h"

struct control;

/* One that control decided: the session that came of it, or 0, and what else there is to say. */
void record_login(struct control *control, const struct login_order *order,
	enum login_ending ending, uint64_t session, const char *detail);
/* One that was refused before control heard of it. user: as it was typed. */
void record_wrong(struct control *control, const char *portal, const struct portal_client *client,
	const char *user);

#endif
