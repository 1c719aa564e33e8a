/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/radius/account.h"

#include "lib/base/text.h"
#include "lib/radius/attribute.h"

#include <string.h>

const char *const radius_status_names[RADIUS_STATUSES] = {
#define RADIUS_STATUS_NAME(id, number, word) [RADIUS_STATUS_##id] = word,
	RADIUS_STATUS_TABLE(RADIUS_STATUS_NAME)
#undef RADIUS_STATUS_NAME
};

static enum radius_status status_of(uint32_t number)
{
	switch (number) {
#define RADIUS_STATUS_CASE(id, n, word) \
	case n:                         \
		return RADIUS_STATUS_##id;
		RADIUS_STATUS_TABLE(RADIUS_STATUS_CASE)
#undef RADIUS_STATUS_CASE
	}
	return RADIUS_STATUS_OTHER;
}

/* ---- MACs ---- */

/* Six bytes in groups of so many digits, the same sign between all groups; no sign: '\0'. */
static size_t read_groups(
	const struct radius_octets *text, size_t digits, const char *signs, struct mac *mac)
{
	const size_t len = 12 + (*signs ? 12 / digits - 1 : 0);
	char sign = '\0';
	size_t n = 0;

	if (text->len < len)
		return 0;
	for (size_t i = 0; i < len; i++) {
		char c = (char)text->bytes[i];
		if (*signs && i % (digits + 1) == digits) {
			if (c == '\0' || !strchr(signs, c) || (sign && c != sign))
				return 0;
			sign = c;
			continue;
		}
		int digit = text_hex_digit(c);
		if (digit < 0)
			return 0;
		mac->bytes[n / 2] = (uint8_t)(n % 2 ? mac->bytes[n / 2] | digit : digit << 4);
		n++;
	}
	return len;
}

/* A MAC in any of its usual spellings, at the begin of a text: how long it is there; 0: none. */
static size_t read_mac(const struct radius_octets *text, struct mac *mac)
{
	size_t len = read_groups(text, 2, "-:", mac);

	if (!len)
		len = read_groups(text, 4, ".-", mac);
	if (!len)
		len = read_groups(text, 12, "", mac);
	if (!len)
		*mac = (struct mac){{0}};
	return len;
}

/* A phone's number or an IMSI is longer, or has other signs; what a NAS puts behind begins with a
 * semicolon or a blank. */
static void take_calling(struct radius_account *account, const struct radius_octets *value)
{
	struct mac mac;
	size_t len = read_mac(value, &mac);
	bool whole = len > 0 &&
		     (len == value->len || value->bytes[len] == ';' || value->bytes[len] == ' ');

	if (whole && !mac_is_group(&mac))
		account->mac = mac;
}

/* "02-00-5E-00-53-01:hotel": what is behind a whole MAC, which has colons itself at times. */
static void take_called(struct radius_account *account, const struct radius_octets *value)
{
	struct mac mac;
	size_t len = read_mac(value, &mac);

	if (account->ssid.len || !len || len + 1 >= value->len || value->bytes[len] != ':')
		return;
	account->ssid = (struct radius_octets){value->bytes + len + 1, value->len - len - 1};
}

/* ---- addresses ---- */

static void add_address(struct radius_account *account, const struct prefix *prefix)
{
	for (size_t i = 0; i < account->naddresses; i++)
		if (prefix_equal(&account->addresses[i], prefix))
			return;
	if (account->naddresses == RADIUS_ADDRESSES_MAX)
		account->bad++;
	else
		account->addresses[account->naddresses++] = *prefix;
}

/* An IPv4 address in the clothes of IPv6 is that of no client. */
static bool is_mapped(const struct addr *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return addr->family == ADDR_IP6 && memcmp(addr->bytes, mapped, sizeof(mapped)) == 0;
}

static bool take_addr(const struct radius_octets *value, enum addr_family family, struct addr *addr)
{
	const size_t len = family == ADDR_IP4 ? 4 : 16;

	if (value->len != len)
		return false;
	*addr = (struct addr){.family = (uint8_t)family};
	memcpy(addr->bytes, value->bytes, len);
	return !is_mapped(addr);
}

/* RFC 2865, 5.8: 255.255.255.254 and .255 are no address, but how one is to be chosen. */
static bool is_choice(const struct addr *addr)
{
	static const uint8_t ones[3] = {255, 255, 255};

	return memcmp(addr->bytes, ones, sizeof(ones)) == 0 && addr->bytes[3] >= 254;
}

/* That a client can be known by; else it is none, or what it has before it has one. */
static bool is_clients(struct radius_account *account, const struct prefix *prefix)
{
	const struct addr *addr = &prefix->addr;

	if (addr_is_unspecified(addr) || addr_is_link_local(addr) ||
		(addr->family == ADDR_IP4 && is_choice(addr)))
		return false;
	if (!addr_is_multicast(addr) && !addr_is_loopback(addr))
		return true;
	account->bad++;
	return false;
}

static void take_host(
	struct radius_account *account, const struct radius_octets *value, enum addr_family family)
{
	struct addr addr;

	if (!take_addr(value, family, &addr)) {
		account->bad++;
		return;
	}
	const struct prefix prefix = prefix_of(&addr);
	if (is_clients(account, &prefix))
		add_address(account, &prefix);
}

/* RFC 3162, 2.3: a byte that is none, a length, and as many bytes as it needs, or more. */
static bool read_prefix(const struct radius_octets *value, struct prefix *prefix)
{
	if (value->len < 2 || value->len > 18 || value->bytes[1] > 128)
		return false;
	*prefix = (struct prefix){.addr.family = ADDR_IP6, .len = value->bytes[1]};
	memcpy(prefix->addr.bytes, value->bytes + 2, value->len - 2);
	return value->len - 2 >= (prefix->len + 7u) / 8 && prefix_is_good(prefix) &&
	       !is_mapped(&prefix->addr);
}

/* 97 with 96 is one address. */
static void take_prefix(struct radius_account *account, const struct radius_octets *value,
	const struct radius_octets *interface)
{
	struct prefix prefix;

	if (!read_prefix(value, &prefix) || prefix.len == 0) {
		account->bad++;
		return;
	}
	if (interface->len == 8 && prefix.len <= 64) {
		memcpy(prefix.addr.bytes + 8, interface->bytes, 8);
		prefix.len = 128;
	}
	if (is_clients(account, &prefix))
		add_address(account, &prefix);
}

/* ---- the rest ---- */

static void take_text(struct radius_octets *to, const struct radius_octets *value)
{
	if (!to->len)
		*to = *value;
}

static void take_number(
	struct radius_account *account, const struct radius_octets *value, uint32_t *number)
{
	if (!radius_number(value, number))
		account->bad++;
}

static void add_group(struct radius_account *account, struct radius_octets *groups, size_t *n,
	const struct radius_octets *value)
{
	if (value->len == 0)
		return;
	if (*n == RADIUS_GROUPS_MAX)
		account->bad++;
	else
		groups[(*n)++] = *value;
}

static void take_cisco(struct radius_account *account, const struct radius_octets *value)
{
	static const char ssid[] = "ssid=";
	const size_t len = sizeof(ssid) - 1;

	if (value->len <= len || memcmp(value->bytes, ssid, len) != 0)
		return;
	account->ssid = (struct radius_octets){value->bytes + len, value->len - len};
}

/* Their names of a wireless network are surer than what stands in Called-Station-Id. */
static void take_vendor(struct radius_account *account, const struct radius_octets *value)
{
	struct radius_reader reader;
	struct radius_attribute own;
	uint32_t vendor;

	if (!radius_enter_vendor(value, &vendor, &reader)) {
		account->bad++;
		return;
	}
	if (vendor != RADIUS_VENDOR_CISCO && vendor != RADIUS_VENDOR_AIRESPACE &&
		vendor != RADIUS_VENDOR_ARUBA && vendor != RADIUS_VENDOR_RUCKUS)
		return;
	while (radius_next(&reader, &own)) {
		if (vendor == RADIUS_VENDOR_AIRESPACE && own.type == 1)
			account->has_wlan = radius_number(&own.value, &account->wlan);
		else if ((vendor == RADIUS_VENDOR_ARUBA && own.type == 5) ||
			 (vendor == RADIUS_VENDOR_RUCKUS && own.type == 3))
			account->ssid = own.value;
		else if (vendor == RADIUS_VENDOR_CISCO && own.type == 1)
			take_cisco(account, &own.value);
	}
	account->bad += reader.bad;
}

static void take_nas(
	struct radius_account *account, const struct radius_octets *value, enum addr_family family)
{
	struct addr addr;

	if (!take_addr(value, family, &addr))
		account->bad++;
	else if (!addr_is_unspecified(&addr))
		*(family == ADDR_IP4 ? &account->nas_ip4 : &account->nas_ip6) = addr;
}

/* What others depend on is read before. */
struct early {
	struct radius_octets interface, called;
};

static void take(struct radius_account *account, const struct radius_attribute *attribute,
	struct early *early)
{
	const struct radius_octets *value = &attribute->value;
	uint32_t number;

	switch (attribute->type) {
	case RADIUS_USER_NAME:
		take_text(&account->user_name, value);
		break;
	case RADIUS_CHARGEABLE_USER_IDENTITY:
		take_text(&account->cui, value);
		break;
	case RADIUS_CLASS:
		add_group(account, account->classes, &account->nclasses, value);
		break;
	case RADIUS_FILTER_ID:
		add_group(account, account->filters, &account->nfilters, value);
		break;
	case RADIUS_ACCT_SESSION_ID:
		take_text(&account->session, value);
		break;
	case RADIUS_NAS_IDENTIFIER:
		take_text(&account->nas_identifier, value);
		break;
	case RADIUS_NAS_IP_ADDRESS:
		take_nas(account, value, ADDR_IP4);
		break;
	case RADIUS_NAS_IPV6_ADDRESS:
		take_nas(account, value, ADDR_IP6);
		break;
	case RADIUS_CALLING_STATION_ID:
		take_calling(account, value);
		break;
	case RADIUS_CALLED_STATION_ID:
		take_text(&early->called, value);
		break;
	case RADIUS_FRAMED_INTERFACE_ID:
		take_text(&early->interface, value);
		break;
	case RADIUS_VENDOR_SPECIFIC:
		take_vendor(account, value);
		break;
	case RADIUS_ACCT_STATUS_TYPE:
		if (radius_number(value, &number))
			account->status = status_of(number);
		else
			account->bad++;
		break;
	case RADIUS_ACCT_DELAY_TIME:
		take_number(account, value, &account->delay_s);
		break;
	case RADIUS_SESSION_TIMEOUT:
		take_number(account, value, &account->timeout_s);
		break;
	case RADIUS_ACCT_INTERIM_INTERVAL:
		take_number(account, value, &account->interval_s);
		break;
	case RADIUS_EVENT_TIMESTAMP:
		account->has_time = radius_number(value, &account->time_s);
		account->bad += !account->has_time;
		break;
	case RADIUS_ACCT_SESSION_TIME:
		account->has_session_time = radius_number(value, &account->session_s);
		account->bad += !account->has_session_time;
		break;
	}
}

static void take_address(struct radius_account *account, const struct radius_attribute *attribute,
	const struct early *early)
{
	switch (attribute->type) {
	case RADIUS_FRAMED_IP_ADDRESS:
		take_host(account, &attribute->value, ADDR_IP4);
		break;
	case RADIUS_FRAMED_IPV6_ADDRESS:
		take_host(account, &attribute->value, ADDR_IP6);
		break;
	case RADIUS_FRAMED_IPV6_PREFIX:
		take_prefix(account, &attribute->value, &early->interface);
		break;
	case RADIUS_DELEGATED_IPV6_PREFIX:
		take_prefix(account, &attribute->value, &(struct radius_octets){NULL, 0});
		break;
	}
}

void radius_account_read(const struct radius_packet *packet, struct radius_account *account)
{
	struct radius_reader reader;
	struct radius_attribute attribute;
	struct early early = {{NULL, 0}, {NULL, 0}};

	*account = (struct radius_account){.status = RADIUS_STATUS_OTHER};
	radius_reader_init(&reader, &packet->attributes);
	while (radius_next(&reader, &attribute))
		take(account, &attribute, &early);
	radius_reader_init(&reader, &packet->attributes);
	while (radius_next(&reader, &attribute))
		take_address(account, &attribute, &early);
	take_called(account, &early.called);
}
