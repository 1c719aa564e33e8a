#include "daemon/flow/header.h"

#include "daemon/relay/relay.h"
#include "lib/flowid.h"

static const struct policy_server *server_of(const struct flow *flow)
{
	return flow->server_index < 0 ? NULL : &flow->policy->servers[flow->server_index];
}

const char *header_login(const struct flow *flow)
{
	const struct policy_server *server = server_of(flow);
	return server && server->announce_login && flow->user[0] ? flow->user : NULL;
}

size_t header_encode(const struct flow *flow, uint8_t header[static PROXY_V2_SIZE])
{
	const struct policy_server *server = server_of(flow);
	char id[FLOWID_TEXT_SIZE];

	switch (server ? server->announce : POLICY_ANNOUNCE_NONE) {
	case POLICY_ANNOUNCE_NONE:
	case POLICY_ANNOUNCE_XCLIENT:
		break;
	case POLICY_ANNOUNCE_PROXY_V1:
		return proxy_encode_v1(&flow->client_end, &flow->original, (char *)header);
	case POLICY_ANNOUNCE_PROXY_V2:
		return proxy_encode_v2(&flow->client_end, &flow->original,
			flowid_format(flow->id, id), header_login(flow), header);
	}
	return 0;
}
