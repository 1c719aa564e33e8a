/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/load.h"

#include "daemon/flow/way.h"
#include "lib/base/hash.h"

#include <stdio.h>
#include <string.h>

/* Fuller, looking takes long: what was counted goes out, and counting begins anew. */
#define FULL (LOAD_SLOTS / 4 * 3)

static uint32_t hash_of(const struct policy_string *server, const struct endpoint *host)
{
	return server->hash * 31 +
	       hash_bytes((const char *)host->addr.bytes, sizeof(host->addr.bytes)) + host->port;
}

static bool is_it(const struct load_slot *slot, const struct policy_string *server,
	const struct endpoint *host)
{
	return slot->host.port == host->port && addr_equal(&slot->host.addr, &host->addr) &&
	       slot->server->len == server->len &&
	       memcmp(slot->server->text, server->text, server->len) == 0;
}

static void send_rows(struct load *load)
{
	struct ipc_load ipc;
	for (unsigned i = 0; i < LOAD_SLOTS; i++) {
		struct load_slot *slot = &load->v[i];
		if (!slot->server)
			continue;
		ipc_init(&ipc, IPC_LOAD, sizeof(ipc));
		ipc.header.seq = load->seq;
		ipc.host = slot->host;
		ipc.flows = slot->flows;
		snprintf(ipc.server, sizeof(ipc.server), "%s", slot->server->text);
		child_send(load->process->child, &ipc);
		load->rows++;
		slot->server = NULL;
	}
	load->used = 0;
}

void load_begin(struct load *load, struct way_host *process, const struct ipc_header *request)
{
	memset(load, 0, sizeof(*load));
	load->process = process;
	load->seq = request->seq;
}

/* Hosts of `server original` are the clients' own affair. */
bool load_add(struct load *load, const struct way *way)
{
	if (way->to_original || way->server < 0 || way->host.addr.family == ADDR_NONE)
		return false;
	const struct policy_string *server = &way_server(way)->name;
	uint32_t at = hash_of(server, &way->host) % LOAD_SLOTS;
	while (load->v[at].server && !is_it(&load->v[at], server, &way->host))
		at = (at + 1) % LOAD_SLOTS;
	struct load_slot *slot = &load->v[at];
	if (!slot->server) {
		*slot = (struct load_slot){.server = server, .host = way->host};
		load->used++;
	}
	slot->flows++;
	if (load->used == FULL)
		send_rows(load);
	return true;
}

uint32_t load_end(struct load *load)
{
	send_rows(load);
	return load->rows;
}
