/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/addr.h"

#include "lib/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_ip4(struct addr *addr, const uint8_t bytes[static 4])
{
	memset(addr, 0, sizeof(*addr));
	memcpy(addr->bytes, bytes, 4);
	addr->family = ADDR_IP4;
}

static void set_ip6(struct addr *addr, const uint8_t bytes[static 16])
{
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		set_ip4(addr, bytes + 12);
		return;
	}
	memcpy(addr->bytes, bytes, 16);
	addr->family = ADDR_IP6;
}

int addr_parse(const char *text, size_t len, struct addr *addr)
{
	char copy[ADDR_TEXT_SIZE];
	uint8_t bytes[16];

	if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		set_ip4(addr, bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		set_ip6(addr, bytes);
	else
		return -EINVAL;
	return 0;
}

const char *addr_format(const struct addr *addr, char buf[static ADDR_TEXT_SIZE])
{
	if (addr->family == ADDR_NONE)
		strcpy(buf, "-");
	else
		inet_ntop(addr->family == ADDR_IP4 ? AF_INET : AF_INET6, addr->bytes, buf,
			ADDR_TEXT_SIZE);
	return buf;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

unsigned addr_bits(const struct addr *addr)
{
	return addr->family == ADDR_IP4 ? 32 : 128;
}

bool addr_is_loopback(const struct addr *addr)
{
	static const uint8_t one[16] = {[15] = 1};

	if (addr->family == ADDR_IP4)
		return addr->bytes[0] == 127;
	return addr->family == ADDR_IP6 && memcmp(addr->bytes, one, 16) == 0;
}

bool addr_is_multicast(const struct addr *addr)
{
	if (addr->family == ADDR_IP4)
		return addr->bytes[0] >> 4 == 14;
	return addr->family == ADDR_IP6 && addr->bytes[0] == 0xff;
}

bool addr_is_link_local(const struct addr *addr)
{
	if (addr->family == ADDR_IP4)
		return addr->bytes[0] == 169 && addr->bytes[1] == 254;
	return addr->family == ADDR_IP6 && addr->bytes[0] == 0xfe &&
	       (addr->bytes[1] & 0xc0) == 0x80;
}

bool addr_is_unspecified(const struct addr *addr)
{
	static const uint8_t zero[16];

	return addr->family != ADDR_NONE && memcmp(addr->bytes, zero, 16) == 0;
}

/* Clears the bits behind len; true if one was set. */
static bool clear_behind(uint8_t bytes[static 16], unsigned len)
{
	bool was_set = false;

	for (unsigned i = len / 8; i < 16; i++) {
		uint8_t keep = i == len / 8 ? (uint8_t)(0xff00 >> len % 8) : 0;
		if (bytes[i] & ~keep)
			was_set = true;
		bytes[i] &= keep;
	}
	return was_set;
}

/* One to three digits without a needless zero in front. -1: something else. */
static int parse_length(const char *text, size_t len)
{
	int value = 0;

	if (len == 0 || len > 3 || (text[0] == '0' && len > 1))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

int prefix_parse(const char *text, size_t len, struct prefix *prefix)
{
	const char *slash = memchr(text, '/', len);
	size_t addr_len = slash ? (size_t)(slash - text) : len;

	if (addr_parse(text, addr_len, &prefix->addr) < 0)
		return -EINVAL;
	int bits = (int)addr_bits(&prefix->addr);
	if (!slash) {
		prefix->len = (uint8_t)bits;
		return 0;
	}
	int n = parse_length(slash + 1, len - addr_len - 1);
	/* ::ffff:192.0.2.0/120 was written with the length of an IPv6 address */
	if (prefix->addr.family == ADDR_IP4 && memchr(text, ':', addr_len))
		n = n > 128 ? -1 : n - 96;
	if (n < 0 || n > bits)
		return -EINVAL;
	prefix->len = (uint8_t)n;
	return clear_behind(prefix->addr.bytes, prefix->len) ? -EDOM : 0;
}

const char *prefix_readings(const char *text, size_t len, char buf[static PREFIX_READINGS_SIZE])
{
	char network[PREFIX_TEXT_SIZE], host[ADDR_TEXT_SIZE];
	struct prefix prefix;
	struct addr addr;

	if (prefix_parse(text, len, &prefix) != -EDOM ||
		addr_parse(text, (size_t)((const char *)memchr(text, '/', len) - text), &addr) < 0)
		return NULL;
	snprintf(buf, PREFIX_READINGS_SIZE, "%s, the network, or %s, the address alone",
		prefix_format(&prefix, network), addr_format(&addr, host));
	return buf;
}

const char *prefix_format(const struct prefix *prefix, char buf[static PREFIX_TEXT_SIZE])
{
	addr_format(&prefix->addr, buf);
	if (prefix->addr.family != ADDR_NONE && prefix->len != addr_bits(&prefix->addr)) {
		size_t used = strlen(buf);
		snprintf(buf + used, PREFIX_TEXT_SIZE - used, "/%u", prefix->len);
	}
	return buf;
}

bool prefix_is_good(const struct prefix *prefix)
{
	struct addr addr = prefix->addr;

	return (addr.family == ADDR_IP4 || addr.family == ADDR_IP6) &&
	       prefix->len <= addr_bits(&addr) && !clear_behind(addr.bytes, prefix->len);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned len)
{
	if (memcmp(a, b, len / 8) != 0)
		return false;
	return len % 8 == 0 || ((a[len / 8] ^ b[len / 8]) >> (8 - len % 8)) == 0;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	return prefix->addr.family == addr->family &&
	       same_bits(prefix->addr.bytes, addr->bytes, prefix->len);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->addr.family == b->addr.family &&
	       same_bits(a->addr.bytes, b->addr.bytes, a->len < b->len ? a->len : b->len);
}

struct prefix prefix_of(const struct addr *addr)
{
	return (struct prefix){.addr = *addr, .len = (uint8_t)addr_bits(addr)};
}

static const char separators[] = ":-.";
#define SEPARATOR_SHIFT 12

/* Digits between two separators. */
static unsigned group_of(unsigned separator)
{
	return separators[separator] == '.' ? 4 : 2;
}

static int find_separator(const char *text, size_t len)
{
	for (int i = 0; separators[i]; i++) {
		unsigned group = group_of((unsigned)i);
		if (len == 12 + 12 / group - 1 && text[group] == separators[i])
			return i;
	}
	return -1;
}

int mac_parse_spelled(const char *text, size_t len, struct mac *mac, uint16_t *spelling)
{
	struct mac out = {0};
	int separator = find_separator(text, len);

	if (separator < 0)
		return -EINVAL;
	unsigned group = group_of((unsigned)separator), spelled = 0;
	for (unsigned i = 0, at = 0; i < 12; i++, at++) {
		if (i > 0 && i % group == 0 && text[at++] != separators[separator])
			return -EINVAL;
		int value = text_hex_digit(text[at]);
		if (value < 0)
			return -EINVAL;
		out.bytes[i / 2] |= (uint8_t)(i % 2 ? value : value << 4);
		spelled |= (unsigned)(text[at] >= 'A' && text[at] <= 'F') << i;
	}
	*mac = out;
	*spelling = (uint16_t)(spelled | (unsigned)separator << SEPARATOR_SHIFT);
	return 0;
}

int mac_parse(const char *text, size_t len, struct mac *mac)
{
	uint16_t spelling;

	return mac_parse_spelled(text, len, mac, &spelling);
}

const char *mac_format_spelled(
	const struct mac *mac, uint16_t spelling, char buf[static MAC_TEXT_SIZE])
{
	unsigned separator = spelling >> SEPARATOR_SHIFT, group = group_of(separator);
	char *to = buf;

	for (unsigned i = 0; i < 12; i++) {
		unsigned digit = mac->bytes[i / 2] >> (i % 2 ? 0 : 4) & 15;
		if (i > 0 && i % group == 0)
			*to++ = separators[separator];
		*to++ = (spelling & 1 << i ? "0123456789ABCDEF" : "0123456789abcdef")[digit];
	}
	*to = '\0';
	return buf;
}

const char *mac_format(const struct mac *mac, char buf[static MAC_TEXT_SIZE])
{
	return mac_format_spelled(mac, 0, buf);
}

bool mac_is_set(const struct mac *mac)
{
	static const struct mac none;

	return !mac_equal(mac, &none);
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool mac_is_group(const struct mac *mac)
{
	return mac->bytes[0] & 1;
}

bool mac_is_local(const struct mac *mac)
{
	return mac->bytes[0] & 2;
}

int endpoint_decode(const struct sockaddr *sa, size_t len, struct endpoint *endpoint)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	if (len < sizeof(sa->sa_family))
		return -EAFNOSUPPORT;
	if (sa->sa_family == AF_INET && len >= sizeof(in4)) {
		memcpy(&in4, sa, sizeof(in4));
		set_ip4(&endpoint->addr, (const uint8_t *)&in4.sin_addr);
		endpoint->port = ntohs(in4.sin_port);
		return 0;
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, sa, sizeof(in6));
		set_ip6(&endpoint->addr, in6.sin6_addr.s6_addr);
		endpoint->port = ntohs(in6.sin6_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

size_t endpoint_encode(const struct endpoint *endpoint, struct sockaddr_storage *sa)
{
	memset(sa, 0, sizeof(*sa));
	if (endpoint->addr.family == ADDR_IP4) {
		struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
		memcpy(&in4.sin_addr, endpoint->addr.bytes, 4);
		memcpy(sa, &in4, sizeof(in4));
		return sizeof(in4);
	}
	if (endpoint->addr.family == ADDR_IP6) {
		struct sockaddr_in6 in6 = {
			.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)};
		memcpy(&in6.sin6_addr, endpoint->addr.bytes, 16);
		memcpy(sa, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return 0;
}

uint16_t endpoint_split(const char *text, size_t len, const char **host, size_t *host_len)
{
	const char *colon = memrchr(text, ':', len);
	size_t before = colon ? (size_t)(colon - text) : 0, digits = len - before - 1;
	bool brackets = before > 2 && text[0] == '[' && text[before - 1] == ']';
	unsigned port = 0;

	if (!before || digits < 1 || digits > 5 || (!brackets && memchr(text, ':', before)))
		return 0;
	for (size_t i = before + 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	*host = text + brackets;
	*host_len = before - 2 * (size_t)brackets;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

int endpoint_parse(const char *text, size_t len, struct endpoint *endpoint)
{
	const char *host;
	size_t host_len;

	endpoint->port = endpoint_split(text, len, &host, &host_len);
	return endpoint->port ? addr_parse(host, host_len, &endpoint->addr) : -EINVAL;
}

const char *endpoint_format(const struct endpoint *endpoint, char buf[static ENDPOINT_TEXT_SIZE])
{
	char addr[ADDR_TEXT_SIZE];

	addr_format(&endpoint->addr, addr);
	snprintf(buf, ENDPOINT_TEXT_SIZE, endpoint->addr.family == ADDR_IP6 ? "[%s]:%u" : "%s:%u",
		addr, endpoint->port);
	return buf;
}
