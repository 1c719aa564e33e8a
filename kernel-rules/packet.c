/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/packet.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

/* RFC 8200 allows any number of extension headers; nobody sends more than a few before TCP. */
#define EXTENSIONS_MAX 16

#define TCP_FLAGS 13 /* where the flags stand */

struct reader {
	const uint8_t *bytes;
	size_t len;
};

/* A view of `want` bytes at `at`, or NULL. */
static const uint8_t *look(const struct reader *r, size_t at, size_t want)
{
	if (at > r->len || r->len - at < want)
		return NULL;
	return r->bytes + at;
}

static void set_addr(struct addr *addr, enum addr_family family, const uint8_t *bytes)
{
	*addr = (struct addr){.family = (uint8_t)family};
	memcpy(addr->bytes, bytes, family == ADDR_IP4 ? 4 : 16);
}

static int parse_tcp(const struct reader *r, size_t at, struct packet *packet)
{
	const uint8_t *tcp = look(r, at, TCP_FLAGS + 1);
	if (!tcp)
		return -EBADMSG;
	packet->source.port = (uint16_t)(tcp[0] << 8 | tcp[1]);
	packet->destination.port = (uint16_t)(tcp[2] << 8 | tcp[3]);
	packet->sequence =
		(uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
	packet->is_first = (tcp[TCP_FLAGS] & (TH_FIN | TH_SYN | TH_RST | TH_ACK)) == TH_SYN;
	packet->is_reset = (tcp[TCP_FLAGS] & TH_RST) != 0;
	return 0;
}

static int parse_ip4(const struct reader *r, struct packet *packet)
{
	const uint8_t *ip = look(r, 0, 20);
	if (!ip)
		return -EBADMSG;
	size_t header = (size_t)(ip[0] & 0xf) * 4;
	if (header < 20 || !look(r, 0, header))
		return -EBADMSG;
	if (ip[9] != IPPROTO_TCP)
		return -EPROTO;
	if ((ip[6] & 0x1f) || ip[7])
		return -EBADMSG; /* a later fragment: no ports in it */
	set_addr(&packet->source.addr, ADDR_IP4, ip + 12);
	set_addr(&packet->destination.addr, ADDR_IP4, ip + 16);
	return parse_tcp(r, header, packet);
}

/* Length of an extension header at `at`; 0: it is none; -errno. */
static ssize_t extension(const struct reader *r, size_t at, uint8_t type)
{
	const uint8_t *header;
	switch (type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case 135: /* mobility */
	case 139: /* HIP */
	case 140: /* shim6 */
		header = look(r, at, 8);
		return header ? (ssize_t)(header[1] + 1) * 8 : -EBADMSG;
	case IPPROTO_AH:
		header = look(r, at, 8);
		return header ? (ssize_t)(header[1] + 2) * 4 : -EBADMSG;
	case IPPROTO_FRAGMENT:
		header = look(r, at, 8);
		if (!header || header[2] || (header[3] & 0xf8))
			return -EBADMSG;
		return 8;
	default:
		return 0;
	}
}

static int parse_ip6(const struct reader *r, struct packet *packet)
{
	const uint8_t *ip = look(r, 0, 40);
	if (!ip)
		return -EBADMSG;
	uint8_t type = ip[6];
	size_t at = 40;
	for (unsigned n = 0; n < EXTENSIONS_MAX; n++) {
		ssize_t len = extension(r, at, type);
		if (len < 0)
			return (int)len;
		if (len == 0)
			break;
		type = r->bytes[at];
		at += (size_t)len;
	}
	if (type != IPPROTO_TCP)
		return -EPROTO;
	set_addr(&packet->source.addr, ADDR_IP6, ip + 8);
	set_addr(&packet->destination.addr, ADDR_IP6, ip + 24);
	return parse_tcp(r, at, packet);
}

int packet_parse(const uint8_t *bytes, size_t len, struct packet *packet)
{
	struct reader r = {.bytes = bytes, .len = len};
	*packet = (struct packet){0};
	if (len == 0)
		return -EBADMSG;
	int status = bytes[0] >> 4 == 4   ? parse_ip4(&r, packet)
		     : bytes[0] >> 4 == 6 ? parse_ip6(&r, packet)
					  : -EBADMSG;
	if (status)
		*packet = (struct packet){0};
	return status;
}
