/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/session_delta.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/flow_peers.h"
#include "lib/base/hash.h"
#include "lib/ipc/replica.h"

#include <stdlib.h>
#include <string.h>

size_t session_delta_encode(
	const struct control *control, const struct session *session, uint8_t *bytes, size_t room)
{
	struct session told = *session;
	told.lease_end_ms = clock_to_monotonic(control, session->lease_end_ms);
	/* what is control's alone */
	told.nas = (struct policy_string){"", 0, hash_bytes("", 0)};
	told.hard_end_ms = 0;
	memset(told.ifname, 0, sizeof(told.ifname));
	memset(told.terms, 0, sizeof(told.terms));
	return session_encode(&told, bytes, room);
}

void session_delta_send(struct control *control, const struct session *session)
{
	struct ipc_sessions *ipc = malloc(sizeof(*ipc) + SESSION_ENCODED_MAX);
	if (!ipc)
		return;
	size_t len = session_delta_encode(control, session, ipc->data, SESSION_ENCODED_MAX);
	ipc_init(ipc, IPC_SESSIONS, sizeof(*ipc));
	ipc->header.bytes += (uint32_t)len;
	ipc->bytes = (uint32_t)len;
	ipc->n = 1;
	if (len)
		flow_peers_send(control->flow_peers, ipc);
	free(ipc);
}

void session_delta_send_gone(struct control *control, uint64_t id)
{
	struct ipc_session_gone ipc;
	ipc_init(&ipc, IPC_SESSION_GONE, sizeof(ipc));
	ipc.id = id;
	flow_peers_send(control->flow_peers, &ipc);
}
