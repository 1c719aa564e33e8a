/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/flow_kill.h"

#include "daemon/control/control.h"
#include "daemon/control/peers/flow_carrier.h"
#include "daemon/control/peers/flow_peers.h"

#include <stdlib.h>

/* An order may reach an smtp process before a flow that its relay has handed over, and the relay
 * only when that was taken. So when all relays have heard it, and none hands such a flow over any
 * more, it is said there once more. */
struct killing {
	struct gather gather;
	struct control *control;
	struct ipc_kill order;
};

static void on_relays(struct gather *gather)
{
	struct killing *killing = (struct killing *)gather;

	flow_peers_send_to(killing->control->flow_peers, PROCESS_SMTP, &killing->order);
	free(killing);
}

void flow_kill(struct control *control, struct ipc_kill *order)
{
	struct flow_peers *peers = control->flow_peers;
	struct killing *killing =
		flow_peers_count(peers, PROCESS_SMTP) > 0 ? calloc(1, sizeof(*killing)) : NULL;

	control->flow_carrier->face->kill(control->flow_carrier, order);
	if (!killing) {
		flow_peers_send(peers, order);
		return;
	}
	killing->control = control;
	killing->order = *order;
	flow_peers_send_to(peers, PROCESS_SMTP, order);
	gather_init(&killing->gather, on_relays);
	flow_peers_gather_from(peers, PROCESS_RELAY, &killing->gather, order);
	gather_end(&killing->gather, 0, NULL);
}
