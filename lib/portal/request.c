/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/portal/request.h"

#include "lib/base/addr.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_HTTPS 443
#define SCHEME     "https://"

static const struct {
	const char *path;
	enum portal_route route;
	bool post;
} paths[] = {
	{"/", PORTAL_HOME, false},
	{"/login", PORTAL_LOGIN, true},
	{"/renew", PORTAL_RENEW, true},
	{"/logout", PORTAL_LOGOUT, true},
	{"/style.css", PORTAL_STYLE, false},
	{"/logo", PORTAL_LOGO, false},
};
#define PATHS (sizeof(paths) / sizeof(*paths))

/* A port in digits alone, without zeros before it. 0: it is none. */
static uint16_t port_of(const char *text, size_t len)
{
	uint32_t port = 0;

	if (len == 0 || len > 5 || *text == '0')
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = port * 10 + (uint32_t)(text[i] - '0');
	}
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* What stands before the port; brackets are of it. */
static size_t host_len(const char *text, size_t len)
{
	const char *end;

	if (len > 0 && *text == '[') {
		end = memchr(text, ']', len);
		return end ? (size_t)(end - text) + 1 : len;
	}
	end = memchr(text, ':', len);
	return end ? (size_t)(end - text) : len;
}

/* One address has many spellings, a name has two letter cases. */
static bool is_name(const char *host, size_t len, const struct policy_string *name)
{
	struct addr said, own;

	if (len > 2 && *host == '[' && host[len - 1] == ']')
		return addr_parse(host + 1, len - 2, &said) == 0 && said.family == ADDR_IP6 &&
		       addr_parse(name->text, name->len, &own) == 0 && addr_equal(&said, &own);
	if (addr_parse(name->text, name->len, &own) == 0)
		return addr_parse(host, len, &said) == 0 && said.family == ADDR_IP4 &&
		       addr_equal(&said, &own);
	size_t own_len = name->len;
	if (len > 1 && host[len - 1] == '.')
		len--;
	if (own_len > 1 && name->text[own_len - 1] == '.')
		own_len--;
	return len == own_len && strncasecmp(host, name->text, len) == 0;
}

/* HOST or HOST:PORT, and nothing behind. */
static bool is_ours(const char *text, size_t len, const struct policy_strings *names, uint16_t port)
{
	size_t n = host_len(text, len);
	uint16_t said = PORT_HTTPS;

	if (n < len)
		said = text[n] == ':' ? port_of(text + n + 1, len - n - 1) : 0;
	if (n == 0 || said != port)
		return false;
	for (size_t i = 0; i < names->n; i++)
		if (is_name(text, n, &names->v[i]))
			return true;
	return false;
}

static bool is_our_origin(
	const char *text, size_t len, const struct policy_strings *names, uint16_t port)
{
	const size_t scheme = sizeof(SCHEME) - 1;

	return len > scheme && strncasecmp(text, SCHEME, scheme) == 0 &&
	       is_ours(text + scheme, len - scheme, names, port);
}

static bool is_our_page(const char *url, const struct policy_strings *names, uint16_t port)
{
	const size_t scheme = sizeof(SCHEME) - 1;
	size_t len = strlen(url);

	return len > scheme &&
	       is_our_origin(url, scheme + strcspn(url + scheme, "/?#"), names, port);
}

/* Whoever says nothing of where he comes from has his token all the same. */
static bool comes_from_us(
	const struct portal_request *request, const struct policy_strings *names, uint16_t port)
{
	const char *origin = request->origin;

	if (origin && !is_our_origin(origin, strlen(origin), names, port))
		return false;
	if (request->fetch_site && strcmp(request->fetch_site, "same-origin") != 0)
		return false;
	return origin || request->fetch_site || !request->referer ||
	       is_our_page(request->referer, names, port);
}

static bool is_form(const char *type)
{
	static const char form[] = "application/x-www-form-urlencoded";

	if (!type || strncasecmp(type, form, sizeof(form) - 1) != 0)
		return false;
	type += sizeof(form) - 1;
	type += strspn(type, " \t");
	return *type == '\0' || *type == ';';
}

static bool is_method(const char *method, bool post)
{
	return post ? strcmp(method, "POST") == 0
		    : strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

enum portal_route portal_route(
	const struct portal_request *request, const struct policy_strings *names, uint16_t port)
{
	size_t i = 0;

	if (request->twice)
		return PORTAL_BAD_FIELDS;
	if (!request->host || !is_ours(request->host, strlen(request->host), names, port))
		return PORTAL_BAD_HOST;
	while (i < PATHS && strcmp(paths[i].path, request->path) != 0)
		i++;
	if (i == PATHS)
		return PORTAL_NOT_FOUND;
	if (!is_method(request->method, paths[i].post))
		return PORTAL_BAD_METHOD;
	if (!paths[i].post)
		return paths[i].route;
	if (!comes_from_us(request, names, port))
		return PORTAL_FOREIGN;
	return is_form(request->content_type) ? paths[i].route : PORTAL_BAD_TYPE;
}

unsigned portal_route_status(enum portal_route route)
{
	switch (route) {
	case PORTAL_HOME:
	case PORTAL_LOGIN:
	case PORTAL_RENEW:
	case PORTAL_LOGOUT:
	case PORTAL_STYLE:
	case PORTAL_LOGO:
		return 0;
	case PORTAL_BAD_FIELDS:
		return 400;
	case PORTAL_NOT_FOUND:
		return 404;
	case PORTAL_BAD_METHOD:
		return 405;
	case PORTAL_BAD_HOST:
		return 421;
	case PORTAL_FOREIGN:
		return 403;
	case PORTAL_BAD_TYPE:
		return 415;
	}
	abort();
}

const char *portal_route_allow(const char *path)
{
	for (size_t i = 0; i < PATHS; i++)
		if (strcmp(paths[i].path, path) == 0)
			return paths[i].post ? "POST" : "GET, HEAD";
	return "GET, HEAD";
}
