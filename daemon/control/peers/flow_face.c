/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/flow_face.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "daemon/control/peers/flow_policy.h"
#include "daemon/control/peers/flow_reports.h"
#include "daemon/control/peers/health/health_peer.h"
#include "daemon/control/peers/peer_clients.h"
#include "daemon/control/peers/scan_states.h"
#include "daemon/control/policy/wanted.h"
#include "daemon/control/session/block_change.h"
#include "daemon/control/store/flow_ids.h"
#include "daemon/control/store/spool_files.h"
#include "lib/ipc/health.h"

/* A relay tells of every flow's start and end; none of it is waited for. */
#define PACE_MS 5

static void send_flow_ids(struct peer *peer)
{
	struct ipc_flow_ids ipc;
	ipc_init(&ipc, IPC_FLOW_IDS, sizeof(ipc));
	if (flow_ids_take(peer->control->flow_ids, &ipc.first, &ipc.last))
		channel_send(peer->channel, &ipc, -1);
}

/* Without a health process it is not answered: a new one's start brings it again. */
static void ask_health(struct peer *peer, const struct ipc_lookup *ipc)
{
	struct ipc_lookup question = *ipc;

	question.header.seq = 0;
	question.smtp = peer->number;
	health_peer_send(peer->control->health, &question);
}

static bool on_ipc(struct peer *peer, const struct ipc_header *ipc)
{
	struct control *control = peer->control;

	switch (ipc->type) {
	case IPC_STARTED:
		flow_reports_started(peer, (const struct ipc_started *)ipc);
		break;
	case IPC_RECORDS:
		flow_reports_records(peer, &((struct flow_peer *)peer)->assembly,
			(const struct ipc_records *)ipc);
		break;
	case IPC_FLOW_IDS_GET:
		send_flow_ids(peer);
		break;
	case IPC_BLOCK:
		block_change_by_limit(control, (const struct ipc_block *)ipc);
		break;
	case IPC_HOST:
		health_peer_send(control->health, ipc);
		break;
	case IPC_LOOKUP:
		ask_health(peer, (const struct ipc_lookup *)ipc);
		break;
	case IPC_SPOOL_FILES_GET:
		spool_files_send(peer, (const struct ipc_spool_files_get *)ipc);
		break;
	case IPC_RESOLVE: /* without a health process it is not answered, and asked again */
		health_peer_send(control->health, ipc);
		break;
	case IPC_SCAN_STATE:
		scan_states_take(control->scans, peer->number, (const struct ipc_scan_state *)ipc);
		break;
	case IPC_REPLY: /* to a question that was given up */
	case IPC_SCAN_TESTING:
	case IPC_SCAN_CHANGE:
	case IPC_SCAN_TESTED:
	case IPC_FLOW:
	case IPC_LOAD:
		break;
	default:
		return false;
	}
	return true;
}

static void on_gone(struct peer *peer)
{
	struct control *control = peer->control;
	char name[16];

	if (!control->stopping && !peer->draining && wanted_is(control->wanted, peer->role))
		log_warning("%s is gone", roles_title(peer->role, peer->number, name));
	/* one that waits for the next control goes on with its flows */
	if (!control->handing_over)
		flow_reports_lost(peer);
	scan_states_gone(control->scans, peer->number);
	peer_hang_up(peer);
	flow_peers_left(control->flow_peers);
}

/* The whole picture. */
static void on_open(struct peer *peer)
{
	struct control *control = peer->control;
	struct ipc_plain done;
	char name[16];

	channel_set_pace(peer->channel, PACE_MS);
	log_debug("%s, start %u: sending the picture", roles_title(peer->role, peer->number, name),
		(unsigned)peer->generation);
	((struct flow_peer *)peer)->committed = 0;
	flow_policy_send_running((struct flow_peer *)peer);
	peer_clients_tell(peer);
	send_flow_ids(peer);
	if (roles[peer->role].told & TOLD_TARGETS)
		health_peer_tell(control->health, peer->channel);
	ipc_init(&done, IPC_PICTURE_DONE, sizeof(done));
	peer_send(peer, &done);
	flow_reports_ask_old(peer);
}

/* It says no more. */
static void on_hang_up(struct peer *peer)
{
	flow_reports_end(peer, &((struct flow_peer *)peer)->assembly);
}

const struct peer_face flow_face = {
	.on_open = on_open, .on_ipc = on_ipc, .on_gone = on_gone, .on_hang_up = on_hang_up};
