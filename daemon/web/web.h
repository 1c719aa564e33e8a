/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what all of process web share. */
#ifndef POSTERN_DAEMON_WEB_WEB_H
#define POSTERN_DAEMON_WEB_WEB_H

#include "daemon/flow/link.h"
#include "daemon/process/replica.h"
#include "daemon/web/metrics.h"
#include "daemon/web/portal/portal.h"

struct web {
	struct child child; /* first */
	struct loop *loop;
	struct metrics metrics;
	struct replica replica;
	struct link_table links;
	struct portals portals;
};

/* In force; NULL: none came yet. */
static inline const struct policy *web_policy(const struct web *web)
{
	return web->replica.now ? web->replica.now->policy : NULL;
}

#endif
