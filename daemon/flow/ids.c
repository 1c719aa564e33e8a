#include "daemon/flow/ids.h"

#include "daemon/relay/relay.h"

#include <sys/random.h>

#define RANDOM_ID_BITS 60

static void ask(struct relay *relay)
{
	struct ipc_plain ipc;
	ipc_init(&ipc, IPC_FLOW_IDS_GET, sizeof(ipc));
	relay->ids.asked = relay_send(relay, &ipc) == 0;
}

static uint64_t by_chance(struct relay *relay)
{
	uint64_t id = 0;
	while (id == 0) {
		if (getrandom(&id, sizeof(id), 0) < 0)
			id = loop_wall_ms(relay->loop) << 16 | (relay->child.counters[0] & 0xffff);
		id >>= 64 - RANDOM_ID_BITS;
	}
	return id;
}

uint64_t ids_take(struct relay *relay)
{
	struct ids *ids = &relay->ids;
	if (ids->next > ids->last || ids->next == 0) {
		ids->next = ids->spare_first;
		ids->last = ids->spare_last;
		ids->spare_first = ids->spare_last = 0;
	}
	if (ids->spare_first == 0 && !ids->asked && child_hears(&relay->child))
		ask(relay);
	return ids->next > 0 ? ids->next++ : by_chance(relay);
}

void ids_put(struct ids *ids, const struct ipc_flow_ids *ipc)
{
	ids->asked = false;
	if (ipc->first == 0 || ipc->last < ipc->first)
		return;
	ids->spare_first = ipc->first;
	ids->spare_last = ipc->last;
}

void ids_on_control_gone(struct ids *ids)
{
	ids->asked = false;
}
