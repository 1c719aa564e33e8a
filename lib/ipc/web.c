/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/web.h"

#include "lib/ipc/kind.h"

static bool metrics_listen_ok(const void *ipc, size_t len)
{
	const struct ipc_metrics_listen *listen = ipc;
	(void)len;
	return ipc_addr_given_ok(&listen->at.addr) && listen->at.port;
}

static bool metrics_state_ok(const void *ipc, size_t len)
{
	const struct ipc_metrics_state *state = ipc;
	(void)len;
	return ipc_addr_given_ok(&state->at.addr) && state->status <= 0;
}

/* From IPC_FILE_WEB on. */
static const struct ipc_kind kinds[] = {
	[IPC_METRICS_LISTEN - IPC_FILE_WEB] =
		IPC_FIXED("metrics-listen", metrics_listen, metrics_listen_ok),
	[IPC_METRICS_PAGE - IPC_FILE_WEB] = IPC_PLAIN("metrics-page"),
	[IPC_METRICS_STATE - IPC_FILE_WEB] =
		IPC_FIXED("metrics-state", metrics_state, metrics_state_ok),
	[IPC_METRICS_GET - IPC_FILE_WEB] = IPC_PLAIN("metrics-get"),
};
_Static_assert(IPC_ROWS(kinds) == IPC_WEB_END - IPC_FILE_WEB, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_web_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
