/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/log_level.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"

void log_level_set(struct control *control, enum policy_log_level level)
{
	struct ipc_log_level ipc;
	ipc_init(&ipc, IPC_LOG_LEVEL, sizeof(ipc));
	ipc.level = level;
	control->log_level = level;
	log_set_level(level);
	flow_peers_send_all(control->flow_peers, &ipc);
	channel_send(control->keeper, &ipc, -1);
}
