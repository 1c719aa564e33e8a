/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/audit/column.h"

#include <string.h>

int audit_encode_addr(const struct addr *addr, uint8_t bytes[static AUDIT_ADDR_BYTES])
{
	int len = (int)addr_bits(addr) / 8;

	bytes[0] = addr->family;
	memcpy(bytes + 1, addr->bytes, (size_t)len);
	return len + 1;
}
