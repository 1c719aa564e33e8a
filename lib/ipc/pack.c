/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/pack.h"

#include "lib/base/addr.h"

#include <endian.h>
#include <string.h>

/* A number below this is its own byte. One of n bytes follows the byte FOLLOW + n, the lowest
 * first: that needs no loop over its digits, and most of a flow's numbers are times. */
#define LARGE  0xf8u
#define FOLLOW (LARGE - 1)

/* How numbers are spelled, for who must know that another program reads them so. */
#define SPELLING 2

static uint8_t *put_number(uint8_t *to, uint64_t number)
{
	uint64_t lowest_first = htole64(number);

	if (number < LARGE) {
		*to = (uint8_t)number;
		return to + 1;
	}
	unsigned n = (71 - (unsigned)__builtin_clzll(number)) / 8;
	*to = (uint8_t)(FOLLOW + n);
	memcpy(to + 1, &lowest_first, sizeof(lowest_first));
	return to + 1 + n;
}

static uint8_t *put_text(uint8_t *to, const char *text, size_t size)
{
	if (!*text) { /* as most are */
		*to = 0;
		return to + 1;
	}
	size_t len = strnlen(text, size - 1);
	to = put_number(to, len);
	memcpy(to, text, len);
	return to + len;
}

/* The port of no address is of no meaning, but kept. */
static uint8_t *put_endpoint(uint8_t *to, const struct endpoint *endpoint)
{
	const struct addr *addr = &endpoint->addr;

	*to++ = addr->family;
	if (addr->family != ADDR_NONE) {
		size_t len = addr_bits(addr) / 8;
		memcpy(to, addr->bytes, sizeof(addr->bytes));
		to += len;
	}
	return put_number(to, endpoint->port);
}

static uint64_t number_at(const void *from, size_t size)
{
	uint16_t small;
	uint32_t middle;
	uint64_t large;

	switch (size) {
	case sizeof(small):
		memcpy(&small, from, sizeof(small));
		return small;
	case sizeof(middle):
		memcpy(&middle, from, sizeof(middle));
		return middle;
	default:
		memcpy(&large, from, sizeof(large));
		return large;
	}
}

static uint8_t *put_field(uint8_t *to, const struct ipc_field *field, const void *at)
{
	switch (field->pack) {
	case IPC_PACK_U16:
	case IPC_PACK_U32:
	case IPC_PACK_U64:
		return put_number(to, number_at(at, field->size));
	case IPC_PACK_TEXT:
		return put_text(to, at, field->size);
	case IPC_PACK_MAC:
		memcpy(to, at, sizeof(struct mac));
		return to + sizeof(struct mac);
	case IPC_PACK_ENDPOINT:
		return put_endpoint(to, at);
	}
	return to;
}

void ipc_pack_number(struct ipc_packer *packer, uint64_t number)
{
	uint8_t *to = packer->bytes + packer->len;

	packer->full |= packer->room - packer->len < IPC_FIELD_OVERHEAD;
	if (!packer->full)
		packer->len += (size_t)(put_number(to, number) - to);
}

void ipc_pack_struct(
	struct ipc_packer *packer, const struct ipc_field *fields, size_t n, const void *from)
{
	const uint8_t *end = packer->bytes + packer->room;
	uint8_t *to = packer->bytes + packer->len;

	for (const struct ipc_field *field = fields; field < fields + n && !packer->full; field++) {
		if ((size_t)(end - to) < (size_t)field->size + IPC_FIELD_OVERHEAD)
			packer->full = true;
		else
			to = put_field(to, field, (const uint8_t *)from + field->at);
	}
	packer->len = (size_t)(to - packer->bytes);
}

/* NULL and bad when there are not as many. */
static const uint8_t *take(struct ipc_unpacker *unpacker, size_t len)
{
	if (unpacker->bad || unpacker->len - unpacker->at < len) {
		unpacker->bad = true;
		return NULL;
	}
	unpacker->at += len;
	return unpacker->bytes + unpacker->at - len;
}

uint64_t ipc_unpack_number(struct ipc_unpacker *unpacker, uint64_t bound)
{
	const uint8_t *byte = take(unpacker, 1), *bytes;
	uint64_t number = 0;

	if (!byte)
		return 0;
	if (*byte < LARGE) {
		number = *byte;
	} else {
		size_t n = *byte - FOLLOW;
		if (!(bytes = take(unpacker, n)))
			return 0;
		memcpy(&number, bytes, n);
		number = le64toh(number);
		if (bytes[n - 1] == 0 || number < LARGE)
			unpacker->bad = true; /* a longer spelling than it needs */
	}
	if (bound && number >= bound)
		unpacker->bad = true;
	return unpacker->bad ? 0 : number;
}

static void unpack_text(struct ipc_unpacker *unpacker, char *text, size_t size)
{
	size_t len = (size_t)ipc_unpack_number(unpacker, size);
	const uint8_t *bytes = take(unpacker, len);

	if (!bytes)
		return;
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			unpacker->bad = true;
	memcpy(text, bytes, len);
	text[len] = '\0';
}

static void unpack_endpoint(struct ipc_unpacker *unpacker, struct endpoint *endpoint)
{
	const uint8_t *family = take(unpacker, 1), *bytes;

	if (!family)
		return;
	if (*family != ADDR_NONE && *family != ADDR_IP4 && *family != ADDR_IP6) {
		unpacker->bad = true;
		return;
	}
	endpoint->addr.family = *family;
	if (*family != ADDR_NONE) {
		size_t len = addr_bits(&endpoint->addr) / 8;
		if ((bytes = take(unpacker, len)))
			memcpy(endpoint->addr.bytes, bytes, len);
	}
	endpoint->port = (uint16_t)ipc_unpack_number(unpacker, UINT16_MAX + 1);
}

static void unpack_mac(struct ipc_unpacker *unpacker, struct mac *mac)
{
	const uint8_t *bytes = take(unpacker, sizeof(*mac));

	if (bytes)
		memcpy(mac->bytes, bytes, sizeof(*mac));
}

void ipc_unpack_struct(
	struct ipc_unpacker *unpacker, const struct ipc_field *fields, size_t n, void *to)
{
	for (const struct ipc_field *field = fields; field < fields + n; field++) {
		void *at = (uint8_t *)to + field->at;
		uint64_t bound = field->bound;
		uint16_t small;
		uint32_t middle;
		uint64_t large;

		switch (field->pack) {
		case IPC_PACK_U16:
			small = (uint16_t)ipc_unpack_number(
				unpacker, bound ? bound : UINT16_MAX + 1ull);
			memcpy(at, &small, sizeof(small));
			break;
		case IPC_PACK_U32:
			middle = (uint32_t)ipc_unpack_number(
				unpacker, bound ? bound : UINT32_MAX + 1ull);
			memcpy(at, &middle, sizeof(middle));
			break;
		case IPC_PACK_U64:
			large = ipc_unpack_number(unpacker, bound);
			memcpy(at, &large, sizeof(large));
			break;
		case IPC_PACK_TEXT:
			unpack_text(unpacker, at, field->size);
			break;
		case IPC_PACK_MAC:
			unpack_mac(unpacker, at);
			break;
		case IPC_PACK_ENDPOINT:
			unpack_endpoint(unpacker, at);
			break;
		}
	}
}

bool ipc_unpack_is_whole(const struct ipc_unpacker *unpacker)
{
	return !unpacker->bad && unpacker->at == unpacker->len;
}

/* FNV-1a. */
uint64_t ipc_pack_hash(uint64_t hash, const struct ipc_field *fields, size_t n)
{
	hash = (hash ^ SPELLING) * 0x100000001b3ULL;
	for (const struct ipc_field *field = fields; field < fields + n; field++) {
		const uint32_t parts[] = {field->pack, field->size, field->bound};
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			hash = (hash ^ parts[i]) * 0x100000001b3ULL;
	}
	return hash;
}
