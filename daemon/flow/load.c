#include "daemon/flow/load.h"

#include "daemon/relay/relay.h"

#include <stdio.h>
#include <string.h>

#define SLOTS 1024
/* Fuller, looking takes long: what was counted goes out, and counting begins anew. */
#define FULL (SLOTS / 4 * 3)

struct slot {
	const struct policy_string *server; /* NULL: free; the flow's policy holds it */
	struct endpoint host;
	uint32_t flows;
};

struct loads {
	struct relay *relay;
	uint32_t seq;
	uint32_t rows;
	uint32_t used;
	struct slot v[SLOTS];
};

static uint32_t hash_of(const struct policy_string *server, const struct endpoint *host)
{
	return server->hash * 31 +
	       policy_hash((const char *)host->addr.bytes, sizeof(host->addr.bytes)) + host->port;
}

static bool is_it(
	const struct slot *slot, const struct policy_string *server, const struct endpoint *host)
{
	return slot->host.port == host->port && addr_equal(&slot->host.addr, &host->addr) &&
	       slot->server->len == server->len &&
	       memcmp(slot->server->text, server->text, server->len) == 0;
}

static void send_rows(struct loads *loads)
{
	struct ipc_load ipc;
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &loads->v[i];
		if (!slot->server)
			continue;
		ipc_init(&ipc, IPC_LOAD, sizeof(ipc));
		ipc.header.seq = loads->seq;
		ipc.host = slot->host;
		ipc.flows = slot->flows;
		snprintf(ipc.server, sizeof(ipc.server), "%s", slot->server->text);
		relay_send(loads->relay, &ipc);
		loads->rows++;
		slot->server = NULL;
	}
	loads->used = 0;
}

/* Hosts of `server original` are the clients' own affair. */
static bool count(struct flow *flow, void *context)
{
	struct loads *loads = context;
	if (flow->to_original || flow->server_index < 0 || flow->host.addr.family == ADDR_NONE)
		return false;
	const struct policy_string *server = &flow->policy->servers[flow->server_index].name;
	uint32_t at = hash_of(server, &flow->host) % SLOTS;
	while (loads->v[at].server && !is_it(&loads->v[at], server, &flow->host))
		at = (at + 1) % SLOTS;
	struct slot *slot = &loads->v[at];
	if (!slot->server) {
		*slot = (struct slot){.server = server, .host = flow->host};
		loads->used++;
	}
	slot->flows++;
	if (loads->used == FULL)
		send_rows(loads);
	return true;
}

uint32_t load_tell(struct relay *relay, const struct ipc_header *request)
{
	struct loads loads = {.relay = relay, .seq = request->seq};
	flow_each(&relay->table, count, &loads);
	send_rows(&loads);
	return loads.rows;
}
