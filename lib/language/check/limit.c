/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's plan holds. A policy within these limits has a plan; there is no other place
 * that refuses one for its size. */
#include "lib/language/parse.h"
#include "lib/policy/path/path_number.h"

#include <stdlib.h>

/* At the first that is too much; before: how many there were. Said once: the sum is past it. */
static void check_sum(struct language *l, size_t before, size_t n, size_t most,
	const struct language_spans *spans, const char *what)
{
	if (before <= most && n > most - before && spans->n > most - before)
		language_fault(l, &spans->v[most - before],
			"more than %zu %s in all zones together, expected no more", most, what);
}

static void check_zones(struct language *l)
{
	const struct language_zone_note *notes = l->zone_notes.v;
	size_t interfaces = 0, networks = 0, ports = 0, pairs = 0;

	if (l->policy->nzones > POLICY_ZONES_MAX)
		language_fault(l, &notes[POLICY_ZONES_MAX].name, "%zu zones, expected at most %d",
			l->policy->nzones, POLICY_ZONES_MAX);
	for (size_t i = 0; i < l->policy->nzones && !l->stopped; i++) {
		const struct policy_zone *zone = &l->policy->zones[i];
		const struct language_zone_note *note = &notes[i];
		if (zone->ports.n > POLICY_PORTS_MAX && note->ports.n > POLICY_PORTS_MAX)
			language_fault(l, &note->ports.v[POLICY_PORTS_MAX],
				"zone %s has %zu ports, expected at most %d", zone->name.text,
				zone->ports.n, POLICY_PORTS_MAX);
		check_sum(l, interfaces, zone->interfaces.n, POLICY_INTERFACES_MAX,
			&note->interfaces, "interfaces");
		check_sum(l, networks, zone->networks.n, POLICY_NETWORKS_MAX, &note->networks,
			"networks");
		check_sum(l, ports, zone->ports.n, POLICY_ALL_PORTS_MAX, &note->ports, "ports");
		if (pairs <= POLICY_PAIRS_MAX &&
			zone->interfaces.n * zone->networks.n > POLICY_PAIRS_MAX - pairs)
			language_fault(l, &note->name,
				"zone %s has %zu interfaces with %zu networks each: more than %d "
				"pairs in all zones together, expected no more",
				zone->name.text, zone->interfaces.n, zone->networks.n,
				POLICY_PAIRS_MAX);
		pairs += zone->interfaces.n * zone->networks.n;
		interfaces += zone->interfaces.n;
		networks += zone->networks.n;
		ports += zone->ports.n;
	}
}

static bool is_bound(const struct policy_server *server)
{
	return server->bind == POLICY_BIND_CLIENT;
}

/* The kernel has a set of the hosts of such servers. */
static void check_hosts(struct language *l, bool (*counts)(const struct policy_server *server),
	size_t max, const char *what)
{
	const struct language_server_note *notes = l->server_notes.v;
	size_t hosts = 0;

	for (size_t i = 0; i < l->policy->nservers; i++) {
		const struct policy_server *server = &l->policy->servers[i];
		if (!counts(server))
			continue;
		if (server->nhosts > max - hosts) {
			language_fault(l, &notes[i].hosts.v[max - hosts],
				"more than %zu hosts of servers with `%s`, expected no more", max,
				what);
			return;
		}
		hosts += server->nhosts;
	}
}

void language_check_limits(struct language *l)
{
	check_zones(l);
	check_hosts(l, is_bound, POLICY_BOUND_MAX, "bind client");
	check_hosts(l, policy_server_takes_login, POLICY_LOGIN_HOSTS_MAX,
		"announce xclient { login on }");
}

static unsigned bits_for(size_t numbers)
{
	unsigned bits = 0;

	while (numbers >> bits)
		bits++;
	return bits;
}

/* At the server with which they are too many. */
void language_check_path_numbers(struct language *l)
{
	struct path_leg *legs;
	size_t n, needed = 0, over = SIZE_MAX;

	if (!l->world->path_numbers)
		return;
	if (path_number_legs(l->policy, &legs, &n) < 0) {
		l->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		needed += path_number_places(&l->policy->servers[legs[i].server]);
		if (over == SIZE_MAX && needed > l->world->path_numbers)
			over = legs[i].server;
	}
	free(legs);
	if (over == SIZE_MAX)
		return;
	const struct language_server_note *notes = l->server_notes.v;
	language_fault(l, &notes[over].name,
		"the hosts of servers with `path kernel` need %zu numbers, and there are %u: "
		"expected a --server-mask of %u bits (each host counts once for each `limit flows` "
		"of the rules that lead there, an mx %d times), or fewer",
		needed, (unsigned)l->world->path_numbers, bits_for(needed), PATH_NUMBER_PER_MX);
}
