/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/flow_policy.h"

#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "daemon/control/peers/flow_peers.h"
#include "lib/ipc/replica.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Sends what the gather, if there is one, waits for. */
static void send_to(struct peer *peer, void *ipc, int fd, struct gather *gather)
{
	if (gather)
		gather_try(gather, &peer->asks, ipc, fd);
	else
		channel_send(peer->channel, ipc, fd);
}

static void send_policy_ipc(struct peer *peer, unsigned type, uint64_t number, bool lenient, int fd,
	struct gather *gather)
{
	struct ipc_policy ipc;
	ipc_init(&ipc, type, sizeof(ipc));
	ipc.number = number;
	ipc.lenient = lenient;
	ipc.inquiry = peer->control->inquiry;
	send_to(peer, &ipc, fd, gather);
}

/* Prepares and commits the running policy. */
static void send_running_policy(struct flow_peer *flows, struct gather *gather)
{
	struct peer *peer = &flows->peer;
	struct control *control = peer->control;
	char name[16];
	size_t len;
	char *text = language_print(control->policy, LANGUAGE_PRINT_RESOLVED, &len);
	int fd = text ? channel_memfd("policy", text, len) : -ENOMEM;
	free(text);
	if (fd < 0) {
		log_error("no memory for the policy of %s",
			roles_title(peer->role, peer->number, name));
		return;
	}
	credentials_tell_running(control->credentials, peer);
	send_policy_ipc(peer, IPC_POLICY, control->policy_number, true, fd, gather);
	send_policy_ipc(peer, IPC_POLICY_COMMIT, control->policy_number, true, -1, gather);
	close(fd);
	flows->prepared = control->policy_number;
}

void flow_policy_send_running(struct flow_peer *flow)
{
	send_running_policy(flow, NULL);
}

void flow_policy_prepare(struct control *control, uint64_t number, bool lenient, const char *text,
	size_t len, struct gather *gather)
{
	int fd = channel_memfd("policy", text, len);
	if (fd < 0) {
		gather_add(gather);
		gather_end(gather, fd, NULL);
		return;
	}
	struct flow_peer *flows;

	for (unsigned at = 0; (flows = flow_peers_next_flow(control->flow_peers, &at)) != NULL;) {
		flows->prepared = number;
		credentials_tell(control->credentials, &flows->peer);
		send_policy_ipc(&flows->peer, IPC_POLICY, number, lenient, fd, gather);
	}
	close(fd);
}

void flow_policy_commit(
	struct control *control, unsigned roles_meant, uint64_t number, struct gather *gather)
{
	struct flow_peer *flows;

	for (unsigned at = 0; (flows = flow_peers_next_flow(control->flow_peers, &at)) != NULL;) {
		if (!(roles_meant & 1u << flows->peer.role) || flows->committed == number)
			continue;
		if (flows->prepared == number)
			send_policy_ipc(&flows->peer, IPC_POLICY_COMMIT, number, false, -1, gather);
		else if (number == control->policy_number)
			send_running_policy(flows, gather);
		else
			continue; /* started since then: told when it is the running one */
		flows->committed = number;
	}
}

void flow_policy_abort(struct control *control, uint64_t number)
{
	struct flow_peer *flows;

	for (unsigned at = 0; (flows = flow_peers_next_flow(control->flow_peers, &at)) != NULL;) {
		if (flows->prepared != number)
			continue;
		send_policy_ipc(&flows->peer, IPC_POLICY_ABORT, number, false, -1, NULL);
		flows->prepared = 0;
	}
}
