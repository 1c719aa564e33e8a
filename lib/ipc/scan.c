/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/scan.h"

#include "lib/ipc/kind.h"

static bool state_ok(const void *ipc, size_t len)
{
	const struct ipc_scan_state *state = ipc;
	(void)len;
	return NAMED_OK(state->scan) && state->up <= 1 && state->open <= 1 && !state->reserved &&
	       TEXT_OK(state->text);
}

/* From IPC_FILE_SCAN on. */
static const struct ipc_kind kinds[] = {
	[IPC_SCAN_STATE - IPC_FILE_SCAN] = IPC_FIXED("scan-state", scan_state, state_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_SCAN_END - IPC_FILE_SCAN, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_scan_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
