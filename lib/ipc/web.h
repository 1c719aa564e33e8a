/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what control and web say to each other. */
#ifndef POSTERN_LIB_IPC_WEB_H
#define POSTERN_LIB_IPC_WEB_H

#include "lib/base/addr.h"
#include "lib/ipc/core.h"

enum ipc_web_type {
	/* control -> web */
	IPC_METRICS_LISTEN = IPC_FILE_WEB,
	IPC_METRICS_PAGE, /* + descriptor: a sealed memfd with the text of all metrics */

	/* web -> control */
	IPC_METRICS_STATE, /* whether it could listen */
	IPC_METRICS_GET,   /* answered by IPC_METRICS_PAGE, or by the reply why not */
	IPC_WEB_END,
};

struct ipc_metrics_listen {
	struct ipc_header header;
	struct endpoint at;
};

struct ipc_metrics_state {
	struct ipc_header header;
	struct endpoint at;
	int32_t status; /* 0: it listens; -errno: it does not, and tries again */
	uint32_t reserved;
};

#endif
