/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what an IP address, a prefix, an endpoint and a MAC are, and their text. */
#ifndef POSTERN_LIB_BASE_ADDR_H
#define POSTERN_LIB_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum addr_family {
	ADDR_NONE = 0,
	ADDR_IP4 = 4,
	ADDR_IP6 = 6,
};

/* An IPv4 address stands in the first four bytes, network order; the rest is zero. An IPv4-mapped
 * IPv6 address is never stored: parse and decode turn it into IPv4. All bytes are always set, so
 * two addresses are equal exactly when memcmp says so. */
struct addr {
	uint8_t bytes[16];
	uint8_t family; /* enum addr_family */
};

/* Bits behind len are zero. */
struct prefix {
	struct addr addr;
	uint8_t len; /* 0..32 or 0..128 */
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
};

/* All zero = no MAC. */
struct mac {
	uint8_t bytes[6];
};

#define ADDR_TEXT_SIZE     46 /* with NUL */
#define PREFIX_TEXT_SIZE   50 /* with NUL */
#define ENDPOINT_TEXT_SIZE 54 /* with NUL; [2001:db8::1]:25 */
#define MAC_TEXT_SIZE      18 /* with NUL */

struct sockaddr;
struct sockaddr_storage;

/* Text of len bytes, whole, no zone index, no brackets. 0, or -EINVAL. */
int addr_parse(const char *text, size_t len, struct addr *addr);
/* RFC 5952 text. Returns buf. */
const char *addr_format(const struct addr *addr, char buf[static ADDR_TEXT_SIZE]);
bool addr_equal(const struct addr *a, const struct addr *b);
/* Total order: family, then bytes. */
int addr_compare(const struct addr *a, const struct addr *b);
unsigned addr_bits(const struct addr *addr); /* 32 or 128 */
bool addr_is_loopback(const struct addr *addr);
bool addr_is_multicast(const struct addr *addr);
bool addr_is_link_local(const struct addr *addr);
bool addr_is_unspecified(const struct addr *addr);

/* "192.0.2.0/24" or a bare address (full length). -EINVAL: no such text; -EDOM: bits are set
 * behind the length (prefix is then filled with them cleared). */
int prefix_parse(const char *text, size_t len, struct prefix *prefix);
/* Of a text that prefix_parse() has -EDOM for, what may be meant: "192.0.2.0/24, the network, or
 * 192.0.2.77, the address alone". Returns buf; NULL: of any other text. */
#define PREFIX_READINGS_SIZE 160
const char *prefix_readings(const char *text, size_t len, char buf[static PREFIX_READINGS_SIZE]);
/* A bare address when the length is full. Returns buf. */
const char *prefix_format(const struct prefix *prefix, char buf[static PREFIX_TEXT_SIZE]);
/* Of a family, no longer than its addresses, and no bit set behind the length? */
bool prefix_is_good(const struct prefix *prefix);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
struct prefix prefix_of(const struct addr *addr); /* the address alone */

/* "02:00:5e:00:53:07", "02-00-5E-00-53-07" or Cisco's "0200.5e00.5307"; any letter case. 0, or
 * -EINVAL. */
int mac_parse(const char *text, size_t len, struct mac *mac);
const char *mac_format(const struct mac *mac, char buf[static MAC_TEXT_SIZE]);
/* The same with how it is spelled, to be printed as it was written: a bit for each digit that is a
 * capital letter, and above them what stands between the digits. 0: as mac_format() has it. */
#define MAC_SPELLING_MAX 0x2fff
int mac_parse_spelled(const char *text, size_t len, struct mac *mac, uint16_t *spelling);
const char *mac_format_spelled(
	const struct mac *mac, uint16_t spelling, char buf[static MAC_TEXT_SIZE]);
bool mac_is_set(const struct mac *mac);
bool mac_equal(const struct mac *a, const struct mac *b);
/* Broadcast or multicast (IEEE 802, bit 1 of the first byte): no host sends from it. */
bool mac_is_group(const struct mac *mac);
/* Locally administered: what phones make up at random (IEEE 802, bit 2 of the first byte). */
bool mac_is_local(const struct mac *mac);

/* Socket addresses; a v4-mapped IPv6 one becomes IPv4. decode: 0, or -EAFNOSUPPORT. */
int endpoint_decode(const struct sockaddr *sa, size_t len, struct endpoint *endpoint);
/* Returns the length of the filled part. */
size_t endpoint_encode(const struct endpoint *endpoint, struct sockaddr_storage *sa);
/* Is it a host and its port in one word, "192.0.2.1:25", "[2001:db8::1]:25" or "mx.example:25",
 * which here are two? host: its length within text, behind a bracket that may begin it. 0: it is
 * none. */
uint16_t endpoint_split(const char *text, size_t len, const char **host, size_t *host_len);
/* What endpoint_format() writes. 0, or -EINVAL. */
int endpoint_parse(const char *text, size_t len, struct endpoint *endpoint);
const char *endpoint_format(const struct endpoint *endpoint, char buf[static ENDPOINT_TEXT_SIZE]);

#endif
