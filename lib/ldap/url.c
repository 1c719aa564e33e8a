/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ldap/url.h"

#include "lib/dns/dns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	PORT_LDAP = 389,
	PORT_LDAPS = 636,
};

static const char form[] = "ldaps://HOST or ldap://HOST, and :PORT behind it where it is another";

static bool parse_port(const char *text, uint16_t *port)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value = strtoul(text, NULL, 10);

	*port = (uint16_t)value;
	return digits > 0 && digits <= 5 && !text[digits] && value > 0 && value <= UINT16_MAX;
}

/* An IPv6 address stands in brackets (RFC 3986, 3.2.2). */
static const char *take_host(const char *text, struct ldap_url *url)
{
	bool brackets = text[0] == '[';
	size_t len = brackets ? strcspn(++text, "]") : strcspn(text, ":/");

	if (len == 0 || len >= sizeof(url->host))
		return NULL;
	memcpy(url->host, text, len);
	url->host[len] = '\0';
	bool is_addr = addr_parse(url->host, len, &url->addr) == 0;
	if (!is_addr)
		url->addr = (struct addr){0};
	if (brackets)
		return text[len] == ']' && url->addr.family == ADDR_IP6 ? text + len + 1 : NULL;
	return is_addr || dns_is_host_name(url->host) ? text + len : NULL;
}

const char *ldap_url_parse(const char *text, struct ldap_url *url)
{
	static const char secure[] = "ldaps://", clear[] = "ldap://";

	*url = (struct ldap_url){.immediate = strncasecmp(text, secure, sizeof(secure) - 1) == 0};
	if (!url->immediate && strncasecmp(text, clear, sizeof(clear) - 1) != 0)
		return form;
	url->port = url->immediate ? PORT_LDAPS : PORT_LDAP;
	text = take_host(text + (url->immediate ? sizeof(secure) : sizeof(clear)) - 1, url);
	if (!text)
		return "a host's name, an IPv4 address, or an IPv6 address in brackets, behind ://";
	if (*text == ':' && !parse_port(text + 1, &url->port))
		return "a port from 1 to 65535 behind the last :";
	return *text == ':' || !*text ? NULL : form;
}
