/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the figures of login pages. */
#ifndef POSTERN_DAEMON_CONTROL_METRICS_PORTAL_H
#define POSTERN_DAEMON_CONTROL_METRICS_PORTAL_H

#include "lib/metrics/exposition.h"

struct control;

void metrics_put_portals(struct exposition *page, const struct control *control);

#endif
