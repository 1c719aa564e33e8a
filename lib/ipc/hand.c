/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/hand.h"

#include "lib/ipc/kind.h"
#include "lib/policy/session.h"

#include <errno.h>
#include <string.h>

_Static_assert(HAND_BYTES_MAX - sizeof(struct ipc_hand) == SESSION_ENCODED_MAX, "room for any");
_Static_assert(HAND_BYTES_MAX <= IPC_BYTES_MAX, "one ipc");

bool hand_put_session(struct ipc_hand *ipc, const struct session *session)
{
	ipc->session_bytes = 0;
	if (session) {
		ipc->session_bytes =
			(uint32_t)session_encode(session, ipc->session, SESSION_ENCODED_MAX);
		if (!ipc->session_bytes)
			return false;
	}
	ipc->header.bytes = (uint32_t)sizeof(*ipc) + ipc->session_bytes;
	return true;
}

int hand_get_session(
	const struct ipc_hand *ipc, struct session *session, struct session_storage *storage)
{
	if (!ipc->session_bytes)
		return -ENOENT;
	size_t used = session_decode(ipc->session, ipc->session_bytes, session, storage);
	return used && used == ipc->session_bytes ? 0 : -EBADMSG;
}

static bool endpoint_ok(const struct endpoint *end)
{
	return ipc_addr_given_ok(&end->addr) && end->port;
}

/* The session is read by hand_get_session(), which is bounded. */
static bool hand_ok(const void *ipc, size_t len)
{
	const struct ipc_hand *hand = ipc;

	return hand->flow && hand->policy && endpoint_ok(&hand->client) &&
	       endpoint_ok(&hand->original) &&
	       hand->client.addr.family == hand->original.addr.family && NAMED_OK(hand->ifname) &&
	       NAMED_OK(hand->zone) && !hand->reserved &&
	       hand->session_bytes <= SESSION_ENCODED_MAX &&
	       len == sizeof(*hand) + hand->session_bytes;
}

static bool taken_ok(const void *ipc, size_t len)
{
	(void)len;
	return ((const struct ipc_taken *)ipc)->flow != 0;
}

/* From IPC_FILE_HAND on. */
static const struct ipc_kind kinds[] = {
	[IPC_HAND - IPC_FILE_HAND] = IPC_LONGER("hand", hand, 0, hand_ok),
	[IPC_TAKEN - IPC_FILE_HAND] = IPC_FIXED("taken", taken, taken_ok),
};
_Static_assert(IPC_ROWS(kinds) == IPC_HAND_END - IPC_FILE_HAND, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_hand_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
