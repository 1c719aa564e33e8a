/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/peers/peer_clients.h"

#include "daemon/control/clock.h"
#include "daemon/control/control.h"
#include "daemon/control/peers/peer.h"
#include "daemon/control/peers/session_delta.h"
#include "daemon/control/session/block_change.h"
#include "lib/base/copy.h"
#include "lib/ipc/replica.h"
#include "lib/policy/element.h"

#include <stdlib.h>
#include <string.h>

/* Many sessions are packed into few ipcs. */
struct packing {
	struct peer *peer;
	struct ipc_sessions *ipc;
};

static void send_packed(struct packing *packing)
{
	if (!packing->ipc->n)
		return;
	packing->ipc->header.bytes = (uint32_t)(sizeof(*packing->ipc) + packing->ipc->bytes);
	channel_send(packing->peer->channel, packing->ipc, -1);
	packing->ipc->n = packing->ipc->bytes = 0;
}

static int pack_session(void *context, struct session *session)
{
	struct packing *packing = context;
	struct ipc_sessions *ipc = packing->ipc;
	if (session->kind != SESSION_PORTAL)
		return 0; /* devices stand in the policy */
	size_t room = IPC_BYTES_MAX - sizeof(*ipc);
	if (room - ipc->bytes < SESSION_ENCODED_MAX)
		send_packed(packing);
	size_t len = session_delta_encode(
		packing->peer->control, session, ipc->data + ipc->bytes, room - ipc->bytes);
	ipc->bytes += (uint32_t)len;
	ipc->n += len != 0;
	return 0;
}

static void send_sessions(struct peer *peer)
{
	struct packing packing = {.peer = peer, .ipc = malloc(IPC_BYTES_MAX)};
	if (!packing.ipc)
		return;
	ipc_init(packing.ipc, IPC_SESSIONS, sizeof(*packing.ipc));
	session_table_each(peer->control->table, pack_session, &packing);
	send_packed(&packing);
	free(packing.ipc);
}

struct listing {
	struct peer *peer;
	struct ipc_list_entries *ipc;
	enum policy_list_holds holds; /* the list that is sent */
};

static void send_listed(struct listing *listing)
{
	struct ipc_list_entries *ipc = listing->ipc;
	if (!ipc->n)
		return;
	channel_send(listing->peer->channel, ipc, -1);
	ipc->n = ipc->bytes = 0;
}

static int list_entry(void *context, const struct policy_elem *elem, uint64_t end_ms)
{
	struct listing *listing = context;
	struct ipc_list_entry entry = {.add = true,
		.end_ms = clock_to_monotonic(listing->peer->control, end_ms),
		.elem = *elem};
	if (element_holds(elem) != listing->holds) /* from before the list's kind changed */
		return 0;
	if (ipc_list_put(listing->ipc, IPC_BYTES_MAX, &entry))
		return 0;
	send_listed(listing);
	ipc_list_put(listing->ipc, IPC_BYTES_MAX, &entry);
	return 0;
}

static void send_lists(struct peer *peer)
{
	const struct control *control = peer->control;
	struct listing listing = {.peer = peer};
	listing.ipc = malloc(IPC_BYTES_MAX);
	if (!listing.ipc)
		return;
	for (size_t i = 0; i < control->policy->nlists; i++) {
		const struct policy_list *list = &control->policy->lists[i];
		if (list->kind != POLICY_LIST_DYNAMIC)
			continue;
		listing.holds = list->holds;
		ipc_init(listing.ipc, IPC_LIST_CLEAR, sizeof(*listing.ipc));
		copy_text(listing.ipc->name, sizeof(listing.ipc->name), list->name.text);
		channel_send(peer->channel, listing.ipc, -1);
		listing.ipc->header.type = IPC_LIST_ENTRIES;
		lists_each(control->lists, list->name.text, list_entry, &listing);
		send_listed(&listing);
	}
	free(listing.ipc);
}

static int send_block(void *context, const struct block *block)
{
	struct peer *peer = context;
	struct ipc_block ipc;

	ipc_init(&ipc, IPC_BLOCK, sizeof(ipc));
	ipc.add = 1;
	ipc.block = *block;
	block_change_for_relays(peer->control, &ipc.block);
	channel_send(peer->channel, &ipc, -1);
	return 0;
}

void peer_clients_tell(struct peer *peer)
{
	const unsigned told = roles[peer->role].told;

	if (told & TOLD_LISTS)
		send_lists(peer);
	if (told & TOLD_SESSIONS)
		send_sessions(peer);
	if (told & TOLD_LISTS)
		blocks_each(peer->control->blocks, send_block, peer);
}
