/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/dns/hosts.h"

#include "lib/dns/dns.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of [*at, end), its length; 0: none. */
static size_t next_word(const char *text, size_t *at, size_t end)
{
	while (*at < end && is_blank(text[*at]))
		(*at)++;
	size_t stop = *at;
	while (stop < end && !is_blank(text[stop]))
		stop++;
	return stop - *at;
}

static void read_line(const char *text, size_t at, size_t end,
	void (*on_name)(void *context, const char *name, const struct addr *addr), void *context)
{
	struct addr addr;
	size_t len = next_word(text, &at, end);

	if (len == 0 || addr_parse(text + at, len, &addr) < 0)
		return;
	for (at += len; (len = next_word(text, &at, end)) > 0; at += len) {
		char name[DNS_NAME_SIZE];
		if (len >= sizeof(name))
			continue;
		memcpy(name, text + at, len);
		name[len] = '\0';
		if (strlen(name) == len && dns_is_host_name(name))
			on_name(context, name, &addr);
	}
}

void hosts_read(const char *text, size_t len,
	void (*on_name)(void *context, const char *name, const struct addr *addr), void *context)
{
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t end = newline ? (size_t)(newline - text) : len;
		const char *comment = memchr(text + at, '#', end - at);
		read_line(text, at, comment ? (size_t)(comment - text) : end, on_name, context);
		at = end + 1;
	}
}
