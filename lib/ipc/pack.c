#include "lib/ipc/pack.h"

#include "lib/addr.h"

#include <string.h>

#define SEVEN 0x7fu
#define MORE  0x80u

static void put(struct ipc_packer *packer, const void *bytes, size_t len)
{
	if (packer->full || packer->room - packer->len < len) {
		packer->full = true;
		return;
	}
	if (len)
		memcpy(packer->bytes + packer->len, bytes, len);
	packer->len += len;
}

void ipc_pack_number(struct ipc_packer *packer, uint64_t number)
{
	uint8_t bytes[10];
	size_t len = 0;

	while (number > SEVEN) {
		bytes[len++] = (uint8_t)(number | MORE);
		number >>= 7;
	}
	bytes[len++] = (uint8_t)number;
	put(packer, bytes, len);
}

static void pack_text(struct ipc_packer *packer, const char *text, size_t size)
{
	size_t len = strnlen(text, size - 1);

	ipc_pack_number(packer, len);
	put(packer, text, len);
}

/* The port of no address is of no meaning, but kept. */
static void pack_endpoint(struct ipc_packer *packer, const struct endpoint *endpoint)
{
	const struct addr *addr = &endpoint->addr;

	put(packer, &addr->family, 1);
	if (addr->family != ADDR_NONE)
		put(packer, addr->bytes, addr_bits(addr) / 8);
	ipc_pack_number(packer, endpoint->port);
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

void ipc_pack_struct(
	struct ipc_packer *packer, const struct ipc_field *fields, size_t n, const void *from)
{
	for (const struct ipc_field *field = fields; field < fields + n; field++) {
		const void *at = (const uint8_t *)from + field->at;
		switch (field->pack) {
		case IPC_PACK_U16:
		case IPC_PACK_U32:
		case IPC_PACK_U64:
			ipc_pack_number(packer, number_at(at, field->size));
			break;
		case IPC_PACK_TEXT:
			pack_text(packer, at, field->size);
			break;
		case IPC_PACK_MAC:
			put(packer, at, sizeof(struct mac));
			break;
		case IPC_PACK_ENDPOINT:
			pack_endpoint(packer, at);
			break;
		}
	}
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
	uint64_t number = 0;
	const uint8_t *byte;

	for (unsigned shift = 0; (byte = take(unpacker, 1)); shift += 7) {
		if (shift == 63 && *byte > 1)
			break; /* more than 64 bits */
		number |= (uint64_t)(*byte & SEVEN) << shift;
		if (*byte & MORE)
			continue;
		if ((shift > 0 && *byte == 0) || (bound && number >= bound))
			break; /* a longer spelling than it needs, or out of range */
		return number;
	}
	unpacker->bad = true;
	return 0;
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
	for (const struct ipc_field *field = fields; field < fields + n; field++) {
		const uint32_t parts[] = {field->pack, field->size, field->bound};
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			hash = (hash ^ parts[i]) * 0x100000001b3ULL;
	}
	return hash;
}
