/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/conntrack_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conntrack_one one;

	if (conntrack_message_parse(data, size, &one))
		return 0;
	if (one.source.addr.family == ADDR_NONE ||
		one.source.addr.family != one.destination.addr.family)
		abort();
	return 0;
}
