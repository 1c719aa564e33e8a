/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"
#include "lib/policy/target.h"

#include <string.h>

/* The zone whose networks hold the address, or NULL. Zones without networks are not known to. */
static const struct policy_zone *zone_around(const struct lpm *networks, const struct addr *addr)
{
	return addr->family == ADDR_NONE ? NULL : lpm_find(networks, addr, NULL);
}

static struct lpm *index_networks(struct language *l)
{
	struct lpm *networks = lpm_new();

	for (size_t i = 0; networks && i < l->policy->nzones; i++) {
		struct policy_zone *zone = &l->policy->zones[i];
		for (size_t j = 0; j < zone->networks.n; j++) {
			if (lpm_add(networks, &zone->networks.v[j], zone) < 0) {
				lpm_free(networks);
				networks = NULL;
				break;
			}
		}
	}
	if (!networks)
		language_out_of_memory(l);
	return networks;
}

static bool is_own(const struct language *l, const struct addr *addr)
{
	const struct language_world *world = l->world;
	return addr_is_loopback(addr) ||
	       (world->own_address && world->own_address(world->context, addr));
}

/* The relays' port at every address, or that of the metrics. */
static bool is_own_port(const struct language *l, const struct addr *addr, uint16_t port)
{
	const struct policy *policy = l->policy;
	const struct addr *metrics = &policy->metrics_addr;
	return port == l->world->relay_port ||
	       (metrics->family != ADDR_NONE && port == policy->metrics_port &&
		       (addr_is_unspecified(metrics) || addr_equal(metrics, addr)));
}

bool language_is_listener(const struct language *l, const struct addr *addr, uint16_t port)
{
	bool own = is_own(l, addr);

	return (own && is_own_port(l, addr, port)) ||
	       policy_is_listener(l->policy, addr, port, own);
}

/* With `bind client` both sides of a flow are of one IP version. */
static void check_versions(struct language *l, const struct policy_server *server,
	const struct language_server_note *note)
{
	bool has[2] = {false, false};

	for (size_t i = 0; i < server->nhosts; i++) {
		if (server->hosts[i].addr.family == ADDR_NONE)
			return; /* a name may have both */
		has[server->hosts[i].addr.family == ADDR_IP6] = true;
	}
	if (server->bind == POLICY_BIND_CLIENT && has[0] != has[1])
		language_warn(l, server->given & POLICY_SERVER_BIND ? &note->bind : &note->path,
			"server %s has only %s hosts: with `bind client` clients of the other IP "
			"version cannot use it",
			server->name.text, has[1] ? "IPv6" : "IPv4");
}

/* RFC 6761, section 6.3: a loopback address, whatever a name server says. */
static bool is_localhost(const struct policy_host *host)
{
	return !host->is_mx && host->addr.family == ADDR_NONE &&
	       dns_same_name(host->name.text, "localhost");
}

/* The kernel leads nothing to the gateway itself, and forwards nothing to an address that counts on
 * one link alone. */
static void check_kernel_host(struct language *l, const struct policy_server *server, size_t i,
	const struct language_server_note *note, const struct policy_zone *zone)
{
	const struct policy_host *host = &server->hosts[i];
	const struct language_span *span = &note->hosts.v[i];

	if (addr_is_link_local(&host->addr))
		language_fault(l, span,
			"host %s counts on one link alone, and server %s has `path kernel`; "
			"expected an address that is routed",
			host->name.text, server->name.text);
	else if ((is_own(l, &host->addr) || is_localhost(host)) &&
		 !language_is_listener(l, &host->addr, host->port))
		language_fault(l, span,
			"host %s is the gateway itself, and server %s has `path kernel`; expected "
			"`path relay`, or a host elsewhere",
			host->name.text, server->name.text);
	else if (zone)
		language_warn(l, span,
			"host %s of server %s stands in the network of zone %s: that its answers "
			"come back by the gateway, it sees the gateway's address in place of those "
			"of clients there",
			host->name.text, server->name.text, zone->name.text);
}

static void check_host(struct language *l, const struct policy_server *server, size_t i,
	const struct language_server_note *note, const struct lpm *networks)
{
	const struct policy_host *host = &server->hosts[i];
	const struct language_span *span = &note->hosts.v[i];
	const struct policy_zone *zone = zone_around(networks, &host->addr);

	if (server->path == POLICY_PATH_KERNEL)
		check_kernel_host(l, server, i, note, zone);
	if (host->addr.family == ADDR_NONE)
		return;
	bool own = is_own(l, &host->addr);
	/* the kernel's answers come back */
	bool client = server->bind == POLICY_BIND_CLIENT && server->path != POLICY_PATH_KERNEL;
	if (language_is_listener(l, &host->addr, host->port))
		language_fault(l, span,
			"host %s port %u is a listener of our own, expected another host or port",
			host->name.text, host->port);
	if (server->bind == POLICY_BIND_ADDRESS && server->bind_addr.family != host->addr.family)
		language_fault(l, &note->bind,
			"host %s cannot be reached from this address, expected one of its family",
			host->name.text);
	if (own && client)
		language_fault(l, &note->bind,
			"host %s is the gateway itself and would answer the clients directly; "
			"expected `bind gateway` or a host elsewhere",
			host->name.text);
	if (zone && client)
		language_fault(l, &note->bind,
			"host %s shares the clients' network in zone %s and would answer them "
			"directly; expected `bind gateway` or a host elsewhere",
			host->name.text, zone->name.text);
	else if (zone &&
		 !language_is_device(l->policy, (size_t)(zone - l->policy->zones), &host->addr))
		language_warn(l, span,
			"host %s of server %s stands inside zone %s, which is redirected",
			host->name.text, server->name.text, zone->name.text);
}

static bool same_host(const struct policy_host *a, const struct policy_host *b)
{
	if (a->is_mx != b->is_mx || a->port != b->port || a->addr.family != b->addr.family)
		return false;
	return a->addr.family != ADDR_NONE ? addr_equal(&a->addr, &b->addr)
					   : dns_same_name(a->name.text, b->name.text);
}

/* Flows, limits and probes know a host by name and port: of two equal lines the second would have
 * no effect, whatever preference, weight or limit it says. */
static void check_twice(struct language *l, const struct policy_server *server, size_t i,
	const struct language_server_note *note)
{
	const struct policy_host *host = &server->hosts[i];

	for (size_t j = 0; j < i; j++) {
		if (!same_host(&server->hosts[j], host))
			continue;
		language_fault(l, &note->hosts.v[i],
			"%s %s port %u stands twice in server %s, expected it once (`weight` gives "
			"it more flows)",
			host->is_mx ? "mx" : "host", host->name.text, host->port,
			server->name.text);
		return;
	}
}

static void check_server(struct language *l, const struct policy_server *server,
	const struct language_server_note *note, const struct lpm *networks)
{
	const struct language_world *world = l->world;
	bool proxy = server->announce == POLICY_ANNOUNCE_PROXY_V1 ||
		     server->announce == POLICY_ANNOUNCE_PROXY_V2;

	for (size_t i = 0; i < server->nhosts && !l->stopped; i++)
		check_host(l, server, i, note, networks);
	if (server->nhosts > TARGETS_MAX)
		language_fault(l, &note->hosts.v[TARGETS_MAX],
			"server %s has %zu hosts and mx, expected at most %d", server->name.text,
			server->nhosts, TARGETS_MAX);
	for (size_t i = 1; i < server->nhosts && i < TARGETS_MAX && !l->stopped; i++)
		check_twice(l, server, i, note);
	check_versions(l, server, note);
	if (proxy && !server->probe)
		language_fault(l, &note->probe,
			"a server with a PROXY header must be probed, expected `probe smtp`");
	if (server->announce == POLICY_ANNOUNCE_NONE && server->given & POLICY_SERVER_LOGIN)
		language_fault(l, &note->login,
			"no login is announced with `announce none`, expected proxy-v1, proxy-v2 "
			"or xclient");
	if (server->bind == POLICY_BIND_ADDRESS && world->own_address &&
		!world->own_address(world->context, &server->bind_addr))
		language_warn(l, &note->bind, "this is no address of the gateway (it may come)");
}

void language_check_servers(struct language *l)
{
	const struct language_server_note *notes = l->server_notes.v;
	struct lpm *networks = index_networks(l);

	for (size_t i = 0; networks && i < l->policy->nservers && !l->stopped; i++)
		check_server(l, &l->policy->servers[i], &notes[i], networks);
	lpm_free(networks);
}
