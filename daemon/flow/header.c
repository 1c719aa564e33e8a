#include "daemon/flow/header.h"

#include "lib/flowid.h"

const char *header_login(const struct way *way)
{
	const struct policy_server *server = way_server(way);
	return server && server->announce_login && way->user[0] ? way->user : NULL;
}

size_t header_encode(const struct way *way, uint8_t header[static PROXY_V2_SIZE])
{
	const struct policy_server *server = way_server(way);
	char id[FLOWID_TEXT_SIZE];

	switch (server ? server->announce : POLICY_ANNOUNCE_NONE) {
	case POLICY_ANNOUNCE_NONE:
	case POLICY_ANNOUNCE_XCLIENT:
		break;
	case POLICY_ANNOUNCE_PROXY_V1:
		return proxy_encode_v1(&way->client, &way->original, (char *)header);
	case POLICY_ANNOUNCE_PROXY_V2:
		return proxy_encode_v2(&way->client, &way->original, flowid_format(way->id, id),
			header_login(way), header);
	}
	return 0;
}
