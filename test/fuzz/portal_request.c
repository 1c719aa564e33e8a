/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of a request to the login page, a line each: what is taken for ours is, by a second
 * and simpler reading. */
#include "lib/portal/request.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 7

static char name[] = "login.hotel.example", address[] = "2001:db8::1";
static struct policy_string own[] = {
	{.text = name, .len = sizeof(name) - 1}, {.text = address, .len = sizeof(address) - 1}};
static const struct policy_strings names = {own, 2};

/* However it is spelled, it begins with our name or is an address in brackets, and no other name
 * can stand in it. */
static void is_ours(const char *host)
{
	assert(!strpbrk(host, "@/\\ \t,?#"));
	assert(host[0] == '[' || strncasecmp(host, name, strlen(name)) == 0);
	assert(host[0] == '[' || strlen(host) <= strlen(name) + 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *fields[FIELDS] = {NULL};
	char *text = malloc(size + 1), *at = text;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < FIELDS && at; i++) { /* "-": not there */
		char *line = strsep(&at, "\n");
		fields[i] = strcmp(line, "-") == 0 ? NULL : line;
	}
	const struct portal_request request = {fields[0] ? fields[0] : "",
		fields[1] ? fields[1] : "", fields[2], fields[3], fields[4], fields[5], fields[6],
		false};
	enum portal_route route = portal_route(&request, &names, 443);
	assert((portal_route_status(route) == 0) == (route < PORTAL_BAD_FIELDS));
	if (route != PORTAL_BAD_HOST)
		is_ours(request.host);
	bool post = route == PORTAL_LOGIN || route == PORTAL_RENEW || route == PORTAL_LOGOUT;
	assert(!post || strcmp(request.method, "POST") == 0);
	if (post && request.origin) {
		assert(strncasecmp(request.origin, "https://", 8) == 0);
		is_ours(request.origin + 8);
	}
	assert(!post || !request.fetch_site || strcmp(request.fetch_site, "same-origin") == 0);
	free(text);
	return 0;
}
