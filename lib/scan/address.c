/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/scan/address.h"

#include "lib/dns/dns.h"

#include <string.h>
#include <sys/un.h>

#define UNIX "unix:"
#define INET "inet:"

static const char milter_form[] = "\"unix:/PATH\" or \"inet:HOST:PORT\"";
static const char clamav_form[] = "\"/PATH\" of clamd's socket, or \"HOST:PORT\"";
static const char host_form[] =
	"a host's name, an IPv4 address, or an IPv6 address in brackets, and :PORT behind it";

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static const char *parse_path(const char *text, struct scan_address *address)
{
	if (text[0] != '/' || !text[1])
		return "the whole path of a socket, which begins with /";
	/* the kernel's own limit, unix(7): no longer one is ever reached */
	if (strlen(text) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "a path of 107 bytes at most, as of any socket";
	address->path = text;
	return NULL;
}

static const char *parse_host(const char *text, struct scan_address *address)
{
	address->port = endpoint_split(text, strlen(text), &address->host, &address->host_len);
	/* as libmilter and Sendmail write it */
	if (!address->port && strchr(text, '@'))
		return "HOST:PORT, not PORT@HOST";
	if (!address->port)
		return host_form;
	bool is_addr = addr_parse(address->host, address->host_len, &address->addr) == 0;
	if (!is_addr)
		address->addr = (struct addr){0};
	else if (addr_is_unspecified(&address->addr) || addr_is_multicast(&address->addr))
		return "the address of one host";
	if (text[0] == '[')
		return address->addr.family == ADDR_IP6 ? NULL : host_form;
	char name[DNS_NAME_SIZE];
	if (!is_addr && address->host_len >= sizeof(name))
		return host_form;
	if (is_addr)
		return NULL;
	memcpy(name, address->host, address->host_len);
	name[address->host_len] = '\0';
	return dns_is_host_name(name) ? NULL : host_form;
}

const char *scan_address_parse(
	enum policy_scan_kind kind, const char *text, struct scan_address *address)
{
	*address = (struct scan_address){0};
	if (kind == POLICY_SCAN_CLAMAV && text[0] == '/')
		return parse_path(text, address);
	if (kind == POLICY_SCAN_CLAMAV)
		return !strchr(text, ':') || begins(text, UNIX) || begins(text, INET)
			       ? clamav_form
			       : parse_host(text, address);
	if (begins(text, UNIX))
		return parse_path(text + strlen(UNIX), address);
	return begins(text, INET) ? parse_host(text + strlen(INET), address) : milter_form;
}
