/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/peer_policy.h"

#include "daemon/base/channel.h"
#include "daemon/base/log.h"
#include "daemon/control/control.h"
#include "daemon/control/credential/credentials.h"
#include "lib/ipc/replica.h"
#include "lib/language/language.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void send_ipc(struct peer *peer, unsigned type, int fd)
{
	struct ipc_policy ipc;

	ipc_init(&ipc, type, sizeof(ipc));
	ipc.header.seq = channel_next_seq(peer->channel);
	ipc.number = peer->control->policy_number;
	ipc.lenient = true;
	ipc.inquiry = peer->control->inquiry;
	channel_send(peer->channel, &ipc, fd);
}

void peer_policy_send(struct peer *peer)
{
	size_t len;

	if (!peer->control->policy || !peer->channel)
		return;
	char *text = language_print(peer->control->policy, LANGUAGE_PRINT_RESOLVED, &len);
	int fd = text ? channel_memfd("policy", text, len) : -ENOMEM;
	free(text);
	if (fd < 0) {
		log_error("no memory for the policy of %s", roles[peer->role].name);
		return;
	}
	credentials_tell_running(peer->control->credentials, peer);
	send_ipc(peer, IPC_POLICY, fd);
	send_ipc(peer, IPC_POLICY_COMMIT, -1);
	close(fd);
}
