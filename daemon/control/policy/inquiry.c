/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/policy/inquiry.h"

#include "daemon/control/control.h"
#include "daemon/control/kernel/path.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/health/health_peer.h"

/* The monotonic clock goes on where a control before has ended. */
void inquiry_next(struct control *control)
{
	uint64_t now_ms = loop_now_ms(control->loop);

	control->inquiry = control->inquiry < now_ms ? now_ms : control->inquiry + 1;
}

void inquiry_begin(struct control *control, struct gather *gather)
{
	struct ipc_inquiry ipc;

	inquiry_next(control);
	ipc_init(&ipc, IPC_INQUIRY, sizeof(ipc));
	ipc.number = control->inquiry;
	health_peer_send(control->health, &ipc);
	flow_peers_gather(control->flow_peers, gather, &ipc);
	paths_follow(control->paths);
}
