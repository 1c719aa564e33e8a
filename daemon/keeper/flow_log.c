/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flows that the kernel carries alone, for control: the socket that the kernel logs them to,
 * which is made here and read there, and what the kernel's table of connections says of them,
 * copied as it is told. */
#include "daemon/keeper/keeper.h"

#include "daemon/base/log.h"
#include "kernel-rules/conntrack.h"
#include "kernel-rules/flow_log.h"
#include "lib/ipc/kernel.h"

#include <errno.h>
#include <string.h>

/* Of an answer: 200,000 connections have as much. What is behind it is not looked at this time. */
#define COPY_BYTES_MAX (96u << 20)

void keeper_flow_log_tell(struct keeper *keeper)
{
	struct ipc_plain ipc;

	ipc_init(&ipc, IPC_FLOW_LOG, sizeof(ipc));
	if (keeper->flow_log >= 0)
		keeper_child_send(&keeper->control, &ipc, keeper->flow_log);
}

static void try_open(struct keeper *keeper)
{
	int fd = flow_log_open(keeper->options.queue);

	if (fd >= 0) {
		keeper->flow_log = fd;
		keeper->flow_log_error = 0;
		return;
	}
	if (fd != keeper->flow_log_error)
		log_warning("the kernel's log of flows of path kernel cannot be had: %s",
			strerror(-fd));
	keeper->flow_log_error = fd;
}

void keeper_flow_log_open(struct keeper *keeper, int fd)
{
	keeper->flow_log = fd;
	if (fd < 0)
		try_open(keeper);
}

/* An earlier control may have had the last end of it. */
void keeper_flow_log_tick(struct keeper *keeper)
{
	if (keeper->flow_log >= 0)
		return;
	try_open(keeper);
	keeper_flow_log_tell(keeper);
}

/* ---- connections, as many as have room in one ipc at a time ---- */

struct copying {
	struct keeper *keeper;
	struct ipc_connections *ipc;
	uint32_t seq;
	size_t bytes;
};

static void begin(struct copying *copying)
{
	ipc_init(copying->ipc, IPC_CONNECTIONS, sizeof(*copying->ipc));
	copying->ipc->header.seq = copying->seq;
}

static void send_copied(struct copying *copying)
{
	if (copying->ipc->header.bytes > sizeof(*copying->ipc))
		keeper_child_send(&copying->keeper->control, copying->ipc, -1);
	begin(copying);
}

static void copy(void *context, size_t index, const void *bytes, size_t len)
{
	struct copying *copying = context;

	if (copying->bytes + len > COPY_BYTES_MAX)
		return;
	copying->bytes += len;
	if (ipc_connections_put(copying->ipc, (uint32_t)index, bytes, len))
		return;
	send_copied(copying);
	ipc_connections_put(copying->ipc, (uint32_t)index, bytes, len);
}

static struct copying copying_of(struct keeper *keeper, const struct ipc_header *ipc)
{
	static _Alignas(16) uint8_t room[IPC_BYTES_MAX];
	struct copying copying = {
		.keeper = keeper, .ipc = (struct ipc_connections *)room, .seq = ipc->seq};

	begin(&copying);
	return copying;
}

static size_t take_tuples(
	const struct ipc_tuples *ipc, struct conntrack_tuple tuples[static IPC_TUPLES_MAX])
{
	for (uint32_t i = 0; i < ipc->n; i++)
		tuples[i] = (struct conntrack_tuple){
			.source = ipc->v[i].client, .destination = ipc->v[i].original};
	return ipc->n;
}

/* Of some of them, which are then cut or not: what they carried is told as it was before. */
static int tell_some(struct copying *copying, const struct ipc_tuples *ipc, bool cut)
{
	struct conntrack_tuple tuples[IPC_TUPLES_MAX];
	size_t n = take_tuples(ipc, tuples);
	int error = conntrack_get(tuples, n, copy, copying);

	if (!cut)
		return error;
	int marked = conntrack_kill_flows(copying->keeper->options.mark_mask, tuples, n);
	return marked < 0 ? marked : error;
}

int keeper_flow_log_answer(struct keeper *keeper, const struct ipc_header *ipc)
{
	const struct ipc_tuples *tuples = (const struct ipc_tuples *)ipc;
	const bool all = ipc->type == IPC_FLOWS_ALL, cut = ipc->type == IPC_FLOWS_CUT;
	struct copying copying = copying_of(keeper, ipc);

	int error = all ? conntrack_dump(keeper->options.mark_mask, MARK_KERNEL, copy, &copying)
			: tell_some(&copying, tuples, cut);
	send_copied(&copying);
	return error;
}
