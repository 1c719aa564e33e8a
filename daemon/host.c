#include "daemon/host.h"

#include "daemon/flow.h"
#include "lib/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int host_table_init(struct host_table *table)
{
	table->n = 0;
	table->v = calloc(HOSTS_MAX, sizeof(*table->v));
	return table->v ? 0 : -ENOMEM;
}

void host_table_fini(struct host_table *table)
{
	free(table->v);
	table->v = NULL;
	table->n = 0;
}

/* The host whose answer is oldest makes room. */
static struct host *oldest(struct host_table *table)
{
	struct host *found = NULL;
	for (size_t i = 0; i < table->n; i++) {
		struct host *host = &table->v[i];
		if (host->step == HOST_QUIET && (!found || host->asked_ms < found->asked_ms))
			found = host;
	}
	return found;
}

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

struct host *host_of(struct host_table *table, const struct endpoint *end)
{
	for (size_t i = 0; i < table->n; i++)
		if (same_end(&table->v[i].end, end))
			return &table->v[i];
	struct host *host = table->n < HOSTS_MAX ? &table->v[table->n++] : oldest(table);
	if (!host)
		return NULL;
	memset(host, 0, sizeof(*host));
	host->end = *end;
	host->watch.fd = -1;
	return host;
}

void host_forget(struct host_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		table->v[i].answer = HOST_UNKNOWN;
}

bool host_choose(struct flow *flow, struct endpoint *end)
{
	if (flow->to_original) {
		*end = flow->original;
		return flow->next_host++ == 0;
	}
	const struct policy_server *server = &flow->policy->servers[flow->server_index];
	while (flow->next_host < server->nhosts) {
		const struct policy_host *host = &server->hosts[flow->next_host++];
		if (host->addr.family == ADDR_NONE)
			continue;
		end->addr = host->addr;
		end->port = host->port;
		return true;
	}
	return false;
}

static uint64_t age(const struct host *host, uint64_t now_ms)
{
	return now_ms - host->asked_ms;
}

enum host_standing host_standing(const struct host *host, uint64_t now_ms)
{
	if (host->answer == HOST_GOOD && age(host, now_ms) < HOST_GOOD_MS)
		return HOST_USE;
	if (host->answer == HOST_REFUSED && age(host, now_ms) < HOST_REFUSED_MS)
		return HOST_NEVER;
	return HOST_ASK_FIRST;
}

bool host_due(const struct host *host, uint64_t now_ms)
{
	return host->answer == HOST_GOOD && host->step == HOST_QUIET &&
	       age(host, now_ms) > HOST_GOOD_MS / 2;
}
