/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/smtp/proxy.h"

#include <stdio.h>
#include <string.h>

enum {
	V2_VERSION_PROXY = 0x21,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_TLV_UNIQUE_ID = 0x05,
	V2_TLV_USER = 0xE0, /* of the range for private use */
	V2_UNIQUE_ID_MAX = 128,
};

static const uint8_t v2_signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 'Q', 'U', 'I', 'T', 0x0a};

static bool one_family(const struct endpoint *a, const struct endpoint *b)
{
	return a->addr.family == b->addr.family &&
	       (a->addr.family == ADDR_IP4 || a->addr.family == ADDR_IP6);
}

size_t proxy_encode_v1(const struct endpoint *client, const struct endpoint *original,
	char header[static PROXY_V1_SIZE])
{
	char from[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
	if (!one_family(client, original))
		return 0;
	int n = snprintf(header, PROXY_V1_SIZE, "PROXY TCP%u %s %s %u %u\r\n", client->addr.family,
		addr_format(&client->addr, from), addr_format(&original->addr, to), client->port,
		original->port);
	return n > 0 && n < PROXY_V1_SIZE ? (size_t)n : 0;
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t len)
{
	memcpy(to, bytes, len);
	return to + len;
}

static uint8_t *put_u16(uint8_t *to, size_t value)
{
	*to++ = (uint8_t)(value >> 8);
	*to++ = (uint8_t)value;
	return to;
}

static uint8_t *put_tlv(uint8_t *to, uint8_t type, const char *text, size_t len)
{
	*to++ = type;
	return put_bytes(put_u16(to, len), text, len);
}

size_t proxy_encode_v2(const struct endpoint *client, const struct endpoint *original,
	const char *id, const char *user, uint8_t header[static PROXY_V2_SIZE])
{
	size_t id_len = strlen(id), user_len = user ? strlen(user) : 0;
	/* 16 fixed, 36 addresses, 2 * 3 for the TLVs */
	if (!one_family(client, original) || id_len > V2_UNIQUE_ID_MAX ||
		user_len > PROXY_V2_SIZE - 58 - V2_UNIQUE_ID_MAX)
		return 0;
	size_t bytes = client->addr.family == ADDR_IP4 ? 4 : 16;
	uint8_t *at = put_bytes(header, v2_signature, sizeof(v2_signature));
	*at++ = V2_VERSION_PROXY;
	*at++ = client->addr.family == ADDR_IP4 ? V2_TCP4 : V2_TCP6;
	uint8_t *length = at;
	at = put_bytes(at + 2, client->addr.bytes, bytes);
	at = put_bytes(at, original->addr.bytes, bytes);
	at = put_u16(put_u16(at, client->port), original->port);
	at = put_tlv(at, V2_TLV_UNIQUE_ID, id, id_len);
	if (user_len)
		at = put_tlv(at, V2_TLV_USER, user, user_len);
	put_u16(length, (size_t)(at - length - 2));
	return (size_t)(at - header);
}
