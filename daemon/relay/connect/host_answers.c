/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/relay/connect/host_answers.h"

#include "lib/policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int host_answers_init(struct host_answers *table)
{
	table->n = 0;
	table->v = calloc(HOSTS_MAX, sizeof(*table->v));
	return table->v ? 0 : -ENOMEM;
}

void host_answers_fini(struct host_answers *table)
{
	free(table->v);
	table->v = NULL;
	table->n = 0;
}

/* The host whose answer is oldest makes room. */
static struct host *oldest(struct host_answers *table)
{
	struct host *found = NULL;
	for (size_t i = 0; i < table->n; i++) {
		struct host *host = &table->v[i];
		if (host->step == HOST_QUIET && (!found || host->asked_ms < found->asked_ms))
			found = host;
	}
	return found;
}

static bool is_it(
	const struct host *host, const struct policy_server *server, const struct endpoint *end)
{
	return host->end.port == end->port && addr_equal(&host->end.addr, &end->addr) &&
	       host->announce == server->announce && host->bind == server->bind &&
	       addr_equal(&host->bind_addr, &server->bind_addr);
}

struct host *host_answers_of(
	struct host_answers *table, const struct policy_server *server, const struct endpoint *end)
{
	for (size_t i = 0; i < table->n; i++)
		if (is_it(&table->v[i], server, end))
			return &table->v[i];
	struct host *host = table->n < HOSTS_MAX ? &table->v[table->n++] : oldest(table);
	if (!host)
		return NULL;
	memset(host, 0, sizeof(*host));
	host->end = *end;
	host->announce = (uint8_t)server->announce;
	host->bind = (uint8_t)server->bind;
	host->bind_addr = server->bind_addr;
	host->watch.fd = -1;
	return host;
}

static uint64_t age(const struct host *host, uint64_t now_ms)
{
	return now_ms - host->asked_ms;
}

enum host_answers_standing host_answers_standing(
	const struct host *host, uint64_t inquiry, uint64_t now_ms)
{
	if (host->inquiry != inquiry)
		return HOST_ASK_FIRST;
	if (host->answer == HOST_GOOD && age(host, now_ms) < HOST_GOOD_MS)
		return HOST_USE;
	if (host->answer == HOST_REFUSED && age(host, now_ms) < HOST_REFUSED_MS)
		return HOST_NEVER;
	return HOST_ASK_FIRST;
}

bool host_answers_due(const struct host *host, uint64_t now_ms)
{
	return host->answer == HOST_GOOD && host->step == HOST_QUIET &&
	       age(host, now_ms) > HOST_GOOD_MS / 2;
}
