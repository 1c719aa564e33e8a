/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/portal/asker.h"

#include "daemon/base/channel.h"
#include "daemon/control/peers/peer.h"

#include <stdio.h>

struct portal_asker portal_asker_of(struct peer *web, const struct ipc_header *ipc)
{
	return (struct portal_asker){.web = web, .generation = web->generation, .seq = ipc->seq};
}

void portal_answer(const struct portal_asker *asker, void *ipc)
{
	((struct ipc_header *)ipc)->seq = asker->seq;
	if (asker->web->generation == asker->generation)
		peer_send(asker->web, ipc);
}

void portal_reply(const struct portal_asker *asker, int status, const char *text)
{
	struct ipc_reply ipc;

	ipc_init(&ipc, IPC_REPLY, sizeof(ipc));
	ipc.status = status;
	snprintf(ipc.text, sizeof(ipc.text), "%s", text);
	portal_answer(asker, &ipc);
}
