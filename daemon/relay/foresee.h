/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what a flow that is matched to a server would meet now, before anything is tried: limits,
 * and hosts that may not be used. For `explain`; counts and changes nothing. */
#ifndef POSTERN_DAEMON_RELAY_FORESEE_H
#define POSTERN_DAEMON_RELAY_FORESEE_H

#include "lib/ipc/flow.h"

struct way_host;

/* ENDING_NONE: it would go to a host. Else what it would be answered with, and text says why. */
enum ending foresee(
	struct way_host *process, const struct ipc_foresee *ipc, char text[IPC_TEXT_SIZE]);

#endif
