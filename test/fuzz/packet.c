/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/packet.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet packet;
	int status = packet_parse(data, size, &packet);
	if (status != 0 && status != -EBADMSG && status != -EPROTO)
		abort();
	/* what was parsed has both addresses, what was not has none */
	if ((status == 0) != (packet.source.addr.family != ADDR_NONE) ||
		packet.source.addr.family != packet.destination.addr.family)
		abort();
	return 0;
}
