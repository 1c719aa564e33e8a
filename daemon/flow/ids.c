/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/ids.h"

#include "daemon/flow/way.h"

#include <sys/random.h>

#define RANDOM_ID_BITS 60

static void ask(struct way_host *process)
{
	struct ipc_plain ipc;
	ipc_init(&ipc, IPC_FLOW_IDS_GET, sizeof(ipc));
	process->ids.asked = child_send(process->child, &ipc) == 0;
}

static uint64_t by_chance(struct way_host *process)
{
	uint64_t id = 0;
	while (id == 0) {
		if (getrandom(&id, sizeof(id), 0) < 0)
			id = loop_wall_ms(process->loop) << 16 |
			     (process->child->counters[0] & 0xffff);
		id >>= 64 - RANDOM_ID_BITS;
	}
	return id;
}

uint64_t ids_take(struct way_host *process)
{
	struct ids *ids = &process->ids;
	if (ids->next > ids->last || ids->next == 0) {
		ids->next = ids->spare_first;
		ids->last = ids->spare_last;
		ids->spare_first = ids->spare_last = 0;
	}
	if (ids->spare_first == 0 && !ids->asked && child_hears(process->child))
		ask(process);
	return ids->next > 0 ? ids->next++ : by_chance(process);
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
