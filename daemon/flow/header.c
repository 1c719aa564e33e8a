/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/flow/header.h"

#include "daemon/flow/record.h"
#include "lib/record/flowid.h"
#include "lib/record/message_record.h"

const char *header_login(const struct way *way, char text[static LOGIN_NAME_SIZE])
{
	const struct policy_server *server = way_server(way);
	const char *source = message_source_name(record_source(way));

	return login_name_format(server ? server->announce_login : POLICY_LOGIN_OFF, source,
		way->user, way->from_permitted ? &way->client.addr : NULL, text);
}

size_t header_encode(const struct way *way, uint8_t header[static PROXY_V2_SIZE])
{
	const struct policy_server *server = way_server(way);
	char id[FLOWID_TEXT_SIZE], login[LOGIN_NAME_SIZE];

	switch (server ? server->announce : POLICY_ANNOUNCE_NONE) {
	case POLICY_ANNOUNCE_NONE:
	case POLICY_ANNOUNCE_XCLIENT:
		break;
	case POLICY_ANNOUNCE_PROXY_V1:
		return proxy_encode_v1(&way->client, &way->original, (char *)header);
	case POLICY_ANNOUNCE_PROXY_V2:
		return proxy_encode_v2(&way->client, &way->original, flowid_format(way->id, id),
			header_login(way, login), header);
	}
	return 0;
}
