/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ipc/health.h"

#include "lib/ipc/kind.h"

#include <string.h>

static bool probe_now_ok(const void *ipc, size_t len)
{
	const struct ipc_probe_now *now = ipc;
	(void)len;
	return TEXT_OK(now->server);
}

static bool client_side_ok(const void *ipc, size_t len)
{
	const struct ipc_client_side *side = ipc;
	(void)len;
	return ipc_addr_ok(&side->ip4) && side->ip4.family != ADDR_IP6 && ipc_addr_ok(&side->ip6) &&
	       side->ip6.family != ADDR_IP4;
}

static bool test_ok(const void *ipc, size_t len)
{
	const struct ipc_test *test = ipc;
	return len == sizeof(*test) + test->secret_bytes &&
	       test->secret_bytes <= CREDENTIAL_SECRET_BYTES_MAX && ipc_addr_ok(&test->client) &&
	       test->nobody <= 1 && NAMED_OK(test->server) && TEXT_OK(test->user) &&
	       TEXT_OK(test->from) && TEXT_OK(test->to) && trial_is_path(test->from) &&
	       trial_is_path(test->to);
}

static bool tested_ok(const void *ipc, size_t len)
{
	const struct ipc_tested *tested = ipc;
	(void)len;
	return ipc_addr_ok(&tested->host.addr) && ipc_addr_ok(&tested->client) &&
	       tested->kind <= IPC_TESTED_VERDICT && tested->verdict < TRIAL_VERDICTS &&
	       NAMED_OK(tested->name) && TEXT_OK(tested->text);
}

static bool host_tls_ok(const void *ipc, size_t len)
{
	const struct ipc_host_tls *host = ipc;
	const struct tls_seen *tls = &host->tls;
	(void)len;
	return ipc_addr_given_ok(&host->host.addr) && NAMED_OK(host->server) &&
	       NAMED_OK(host->name) && host->mode < POLICY_SERVER_TLS_MODES &&
	       tls->version < TLS_VERSIONS && tls->reason < TLS_REASONS && TEXT_OK(tls->cipher) &&
	       TEXT_OK(tls->names) && TEXT_OK(tls->why);
}

static bool lookup_ok(const void *ipc, size_t len)
{
	const struct ipc_lookup *lookup = ipc;
	(void)len;
	return ipc_addr_given_ok(&lookup->addr);
}

static bool name_ok(const char name[static DNS_NAME_SIZE])
{
	return memchr(name, '\0', DNS_NAME_SIZE) && dns_is_host_name(name);
}

static bool looked_up_ok(const void *ipc, size_t len)
{
	const struct ipc_looked_up *looked = ipc;
	if (!ipc_count_ok(len, sizeof(*looked), looked->n, DNS_NAME_SIZE) ||
		looked->n > CLIENT_NAMES_MAX || !ipc_addr_given_ok(&looked->addr) ||
		looked->known == CLIENT_NAMES_PENDING || looked->known > CLIENT_NAMES_PARTIAL ||
		(looked->reverse[0] && !name_ok(looked->reverse)))
		return false;
	for (unsigned i = 0; i < looked->n; i++)
		if (!name_ok(looked->names[i]))
			return false;
	return true;
}

static bool resolve_ok(const void *ipc, size_t len)
{
	const struct ipc_resolve *resolve = ipc;
	(void)len;
	return name_ok(resolve->name);
}

static bool resolved_ok(const void *ipc, size_t len)
{
	const struct ipc_resolved *resolved = ipc;
	(void)len;
	if (!name_ok(resolved->name) || resolved->n > RESOLVED_MAX ||
		resolved->status >= DNS_STATUSES ||
		(resolved->status == DNS_GOOD) != (resolved->n > 0))
		return false;
	for (unsigned i = 0; i < RESOLVED_MAX; i++)
		if (!ipc_addr_ok(&resolved->addresses[i]) ||
			(resolved->addresses[i].family != ADDR_NONE) != (i < resolved->n))
			return false;
	return true;
}

/* From IPC_FILE_HEALTH on. */
static const struct ipc_kind kinds[] = {
	[IPC_PROBE_NOW - IPC_FILE_HEALTH] = IPC_FIXED("probe-now", probe_now, probe_now_ok),
	[IPC_CLIENT_SIDE - IPC_FILE_HEALTH] = IPC_FIXED("client-side", client_side, client_side_ok),
	[IPC_TEST - IPC_FILE_HEALTH] = IPC_SECRET_LONGER("test", test, 0, test_ok),
	[IPC_TESTED - IPC_FILE_HEALTH] = IPC_FIXED("tested", tested, tested_ok),
	[IPC_HOST_TLS - IPC_FILE_HEALTH] = IPC_FIXED("host-tls", host_tls, host_tls_ok),
	[IPC_LOOKUP - IPC_FILE_HEALTH] = IPC_FIXED("lookup", lookup, lookup_ok),
	[IPC_LOOKED_UP - IPC_FILE_HEALTH] =
		IPC_LONGER("looked-up", looked_up, DNS_NAME_SIZE, looked_up_ok),
	[IPC_RESOLVE - IPC_FILE_HEALTH] = IPC_FIXED("resolve", resolve, resolve_ok),
	[IPC_RESOLVED - IPC_FILE_HEALTH] = IPC_FIXED("resolved", resolved, resolved_ok),
	[IPC_LOOKUPS_LOST - IPC_FILE_HEALTH] = IPC_PLAIN("lookups-lost"),
};
_Static_assert(IPC_ROWS(kinds) == IPC_HEALTH_END - IPC_FILE_HEALTH, "every ipc has its row");
_Static_assert(IPC_ROWS(kinds) <= IPC_FILE_TYPES, "and its own number");

const struct ipc_kinds ipc_health_kinds = {.v = kinds, .n = IPC_ROWS(kinds)};
