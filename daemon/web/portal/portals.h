/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns which login pages there are, and what each shows, as the policy has it. */
#ifndef POSTERN_DAEMON_WEB_PORTAL_PORTALS_H
#define POSTERN_DAEMON_WEB_PORTAL_PORTALS_H

#include "daemon/web/portal/portal.h"

/* 0 or -errno. */
int portals_init(struct web *web);
void portals_fini(struct web *web);
/* Another policy is in force, or under the same one other certificates or texts. */
void portals_follow(struct web *web);
/* Control is told what changed, or all. */
void portals_tell(struct web *web, bool all);

#endif
