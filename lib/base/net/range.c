/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/net/range.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int range_parse(const char *text, size_t len, struct range *range)
{
	const char *hyphen = memchr(text, '-', len);
	size_t first_len = hyphen ? (size_t)(hyphen - text) : len;

	if (!hyphen || addr_parse(text, first_len, &range->first) < 0 ||
		addr_parse(hyphen + 1, len - first_len - 1, &range->last) < 0)
		return -EINVAL;
	return range_is_good(range) ? 0 : -ERANGE;
}

const char *range_format(const struct range *range, char buf[static RANGE_TEXT_SIZE])
{
	char first[ADDR_TEXT_SIZE], last[ADDR_TEXT_SIZE];

	snprintf(buf, RANGE_TEXT_SIZE, "%s-%s", addr_format(&range->first, first),
		addr_format(&range->last, last));
	return buf;
}

static bool is_addr(const struct addr *addr)
{
	return addr->family == ADDR_IP4 || addr->family == ADDR_IP6;
}

bool range_is_good(const struct range *range)
{
	return is_addr(&range->first) && range->first.family == range->last.family &&
	       addr_compare(&range->first, &range->last) <= 0;
}

bool range_contains(const struct range *range, const struct addr *addr)
{
	return addr->family == range->first.family && addr_compare(&range->first, addr) <= 0 &&
	       addr_compare(addr, &range->last) <= 0;
}

static bool bit_of(const struct addr *addr, unsigned bit)
{
	return addr->bytes[bit / 8] & 0x80 >> bit % 8;
}

/* The last address of the network of this length that begins here. */
static struct addr last_of(const struct addr *first, unsigned len)
{
	struct addr last = *first;

	for (unsigned bit = len; bit < addr_bits(first); bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return last;
}

struct range range_of(const struct prefix *prefix)
{
	return (struct range){prefix->addr, last_of(&prefix->addr, prefix->len)};
}

/* The one behind; false: there is none. */
static bool step(struct addr *addr)
{
	for (unsigned i = addr_bits(addr) / 8; i-- > 0;)
		if (++addr->bytes[i])
			return true;
	return false;
}

unsigned range_split(const struct range *range, struct prefix parts[static RANGE_PARTS_MAX])
{
	struct addr at = range->first;
	unsigned n = 0;

	assert(range_is_good(range));
	for (;;) {
		unsigned len = addr_bits(&at);
		struct addr end = at;
		/* as wide as it may begin here without going beyond the end */
		while (len > 0 && !bit_of(&at, len - 1)) {
			struct addr wider = last_of(&at, len - 1);
			if (addr_compare(&wider, &range->last) > 0)
				break;
			end = wider;
			len--;
		}
		parts[n++] = (struct prefix){.addr = at, .len = (uint8_t)len};
		at = end;
		if (addr_compare(&at, &range->last) == 0 || !step(&at))
			return n;
	}
}
