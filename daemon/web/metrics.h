/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns where metrics are served, as control says, and asking control for their page. */
#ifndef POSTERN_DAEMON_WEB_METRICS_H
#define POSTERN_DAEMON_WEB_METRICS_H

#include "daemon/process/child.h"
#include "daemon/web/http.h"
#include "lib/ipc/web.h"

struct metrics {
	struct child *child;
	struct http *http;
	struct endpoint at;      /* family ADDR_NONE: control has not said where, or nowhere */
	int status;              /* of listening, as said last; 1: nothing was said */
	struct loop_timer retry; /* to listen */
	struct loop_timer late;  /* control has not answered */
	uint32_t seq;            /* of the question under way; 0: none */
};

void metrics_init(struct metrics *metrics, struct child *child);
void metrics_fini(struct metrics *metrics);
/* An ipc of control; false: it is not about metrics. *fd is -1 afterwards if it was taken. */
bool metrics_take(struct metrics *metrics, const struct ipc_header *ipc, int *fd);
/* Control is gone: nobody waits for it any more. */
void metrics_give_up(struct metrics *metrics);

#endif
