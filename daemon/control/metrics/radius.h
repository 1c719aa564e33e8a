/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the figures of accounting. */
#ifndef POSTERN_DAEMON_CONTROL_METRICS_RADIUS_H
#define POSTERN_DAEMON_CONTROL_METRICS_RADIUS_H

#include "lib/metrics/exposition.h"

struct control;

void metrics_put_radiuses(struct exposition *page, const struct control *control);

#endif
