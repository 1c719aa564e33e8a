/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/kind.h"

#include <string.h>

bool ipc_text_ok(const char *text, size_t size)
{
	size_t len = strnlen(text, size);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return len < size;
}

bool ipc_addr_ok(const struct addr *addr)
{
	static const uint8_t zero[16];
	switch (addr->family) {
	case ADDR_NONE:
		return memcmp(addr->bytes, zero, 16) == 0;
	case ADDR_IP4:
		return memcmp(addr->bytes + 4, zero, 12) == 0;
	case ADDR_IP6:
		return true;
	default:
		return false;
	}
}

bool ipc_addr_given_ok(const struct addr *addr)
{
	return addr->family != ADDR_NONE && ipc_addr_ok(addr);
}

bool ipc_prefix_ok(const struct prefix *prefix)
{
	return ipc_addr_given_ok(&prefix->addr) && prefix_is_good(prefix);
}

bool ipc_count_ok(size_t len, size_t base, uint32_t n, size_t size)
{
	return n <= IPC_BYTES_MAX && len == base + n * size;
}

bool ipc_plain_ok(const void *ipc, size_t len)
{
	(void)ipc;
	(void)len;
	return true;
}
