/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/dns/client_name.h"

#include <string.h>

/* The floor keeps a client that comes again and again from asking DNS each time; the ceilings let a
 * name that was taken away, or was missing, be seen. */
#define TTL_FLOOR_S    30
#define TTL_CEILING_S  3600
#define NONE_CEILING_S 300
#define NO_SOA_S       30
#define PARTIAL_S      10 /* DNS may be back */

void client_names_begin(struct client_names *names, const struct addr *addr)
{
	memset(names, 0, sizeof(*names));
	names->addr = *addr;
}

static bool is_failure(enum dns_status status)
{
	return status != DNS_GOOD && status != DNS_NO_NAME && status != DNS_NO_DATA;
}

/* All that was said holds no longer than the shortest of it. */
static void note_ttl(struct client_names *names, const struct dns_answer *answer)
{
	uint32_t ttl_s = answer->has_ttl ? answer->ttl_s : NO_SOA_S;

	if (!names->has_ttl || ttl_s < names->ttl_s)
		names->ttl_s = ttl_s;
	names->has_ttl = true;
}

void client_names_reversed(struct client_names *names, const struct dns_answer *answer)
{
	names->reversed = true;
	names->failed = is_failure(answer->status);
	if (names->failed)
		return;
	note_ttl(names, answer);
	if (answer->status != DNS_GOOD)
		return;
	for (names->n = 0; names->n < answer->n; names->n++) {
		struct client_name *name = &names->v[names->n];
		memcpy(name->text, answer->ptr[names->n], sizeof(name->text));
		name->state = CLIENT_NAME_ASKED;
	}
}

enum dns_type client_names_type(const struct client_names *names)
{
	return names->addr.family == ADDR_IP6 ? DNS_AAAA : DNS_A;
}

static bool has_address(const struct dns_answer *answer, const struct addr *addr)
{
	for (size_t i = 0; i < answer->n; i++)
		if (addr_equal(&answer->addresses[i], addr))
			return true;
	return false;
}

void client_names_resolved(struct client_names *names, size_t at, const struct dns_answer *answer)
{
	struct client_name *name = &names->v[at];

	if (is_failure(answer->status)) {
		name->state = CLIENT_NAME_UNKNOWN;
		return;
	}
	note_ttl(names, answer);
	name->state = answer->status == DNS_GOOD && has_address(answer, &names->addr)
			      ? CLIENT_NAME_OWN
			      : CLIENT_NAME_FOREIGN;
}

static bool has_state(const struct client_names *names, enum client_name_state state)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i].state == state)
			return true;
	return false;
}

enum client_names_known client_names_known(const struct client_names *names)
{
	if (!names->reversed || has_state(names, CLIENT_NAME_ASKED))
		return CLIENT_NAMES_PENDING;
	return names->failed || has_state(names, CLIENT_NAME_UNKNOWN) ? CLIENT_NAMES_PARTIAL
								      : CLIENT_NAMES_KNOWN;
}

uint32_t client_names_ttl_s(const struct client_names *names)
{
	uint32_t ceiling_s = client_names_first(names) ? TTL_CEILING_S : NONE_CEILING_S;

	switch (client_names_known(names)) {
	case CLIENT_NAMES_PENDING:
		return 0;
	case CLIENT_NAMES_PARTIAL:
		return PARTIAL_S;
	case CLIENT_NAMES_KNOWN:
		break;
	}
	if (names->ttl_s < TTL_FLOOR_S)
		return TTL_FLOOR_S;
	return names->ttl_s > ceiling_s ? ceiling_s : names->ttl_s;
}

const char *client_names_first(const struct client_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->v[i].state == CLIENT_NAME_OWN)
			return names->v[i].text;
	return NULL;
}
