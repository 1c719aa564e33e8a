/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/plan.h"

#include "lib/base/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t plan_mark_bits(uint32_t mask, enum mark mark)
{
	return mask ? (uint32_t)mark << __builtin_ctz(mask) : 0;
}

uint32_t plan_number_bits(uint32_t server_mask, uint16_t number)
{
	return server_mask ? (uint32_t)number << __builtin_ctz(server_mask) & server_mask : 0;
}

uint16_t plan_number_of(uint32_t server_mask, uint32_t mark)
{
	return server_mask ? (uint16_t)((mark & server_mask) >> __builtin_ctz(server_mask)) : 0;
}

uint16_t plan_numbers_max(uint32_t server_mask)
{
	uint32_t low = server_mask ? server_mask >> __builtin_ctz(server_mask) : 0;
	return low < UINT16_MAX ? (uint16_t)low : UINT16_MAX;
}

bool plan_has_paths(const struct plan *plan)
{
	return plan->kernel_path || plan->npaths > 0 || plan->npath_hosts > 0;
}

const struct plan_path *plan_find_path(const struct plan *plan, uint16_t number)
{
	for (size_t i = 0; i < plan->npaths; i++) {
		if (plan->paths[i].number == number)
			return &plan->paths[i];
	}
	return NULL;
}

void plan_options_init(struct plan_options *options)
{
	*options = (struct plan_options){.mark_mask = 0xf0000000,
		.server_mask = PLAN_SERVER_MASK,
		.relay_port = 4025,
		.queue = 25,
		.route_table = 4025,
		.route_protocol = 250,
		.client_max = 262144};
}

void plan_init(struct plan *plan, const struct plan_options *options, enum plan_mode mode)
{
	*plan = (struct plan){.mode = mode,
		.mark_mask = options->mark_mask,
		.server_mask = options->server_mask,
		.relay_port = options->relay_port,
		.queue = options->queue,
		.route_table = options->route_table,
		.rule_priority = options->rule_priority,
		.route_protocol = options->route_protocol,
		.client_max = options->client_max,
		.user = options->user};
}

static void fini_zone(struct plan_zone *zone)
{
	free(zone->interfaces);
	free(zone->networks);
	free(zone->ports);
}

void plan_fini(struct plan *plan)
{
	for (size_t i = 0; i < plan->nzones; i++)
		fini_zone(&plan->zones[i]);
	free(plan->zones);
	free(plan->hosts);
	free(plan->logins);
	free(plan->endpoints);
	free(plan->path_hosts);
	free(plan->paths);
	*plan = (struct plan){0};
}

static bool has_room(const struct plan *plan, size_t ninterfaces, size_t nnetworks, size_t nports)
{
	return ninterfaces <= PLAN_INTERFACES_MAX - plan->ninterfaces &&
	       nnetworks <= PLAN_NETWORKS_MAX - plan->nnetworks && nports <= PLAN_PORTS_MAX &&
	       nports <= PLAN_ALL_PORTS_MAX - plan->nports;
}

struct plan_zone *plan_add_zone(
	struct plan *plan, const char *name, size_t ninterfaces, size_t nnetworks, size_t nports)
{
	size_t len = strlen(name);
	if (plan->nzones == PLAN_ZONES_MAX || len >= POLICY_NAME_SIZE ||
		!has_room(plan, ninterfaces, nnetworks, nports))
		return NULL;
	struct plan_zone *zones = realloc(plan->zones, (plan->nzones + 1) * sizeof(*zones));
	if (!zones)
		return NULL;
	plan->zones = zones;

	struct plan_zone *zone = &zones[plan->nzones];
	*zone = (struct plan_zone){
		.ninterfaces = ninterfaces, .nnetworks = nnetworks, .nports = nports};
	memcpy(zone->name, name, len);
	zone->interfaces = calloc(ninterfaces + 1, sizeof(*zone->interfaces));
	zone->networks = calloc(nnetworks + 1, sizeof(*zone->networks));
	zone->ports = calloc(nports + 1, sizeof(*zone->ports));
	if (!zone->interfaces || !zone->networks || !zone->ports) {
		fini_zone(zone);
		return NULL;
	}
	plan->nzones++;
	plan->ninterfaces += ninterfaces;
	plan->nnetworks += nnetworks;
	plan->nports += nports;
	return zone;
}

/* Adds an end that is not there yet. */
static int add_end(struct endpoint **ends, size_t *n, size_t max, const struct endpoint *end)
{
	for (size_t i = 0; i < *n; i++) {
		if ((*ends)[i].port == end->port && addr_equal(&(*ends)[i].addr, &end->addr))
			return 0;
	}
	if (*n == max)
		return -E2BIG;
	struct endpoint *more = realloc(*ends, (*n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*ends = more;
	more[(*n)++] = *end;
	return 0;
}

int plan_add_host(struct plan *plan, const struct endpoint *host)
{
	return add_end(&plan->hosts, &plan->nhosts, PLAN_HOSTS_MAX, host);
}

int plan_add_login(struct plan *plan, const struct endpoint *host)
{
	return add_end(&plan->logins, &plan->nlogins, PLAN_LOGINS_MAX, host);
}

int plan_add_path_host(struct plan *plan, const struct endpoint *host)
{
	return add_end(&plan->path_hosts, &plan->npath_hosts, PLAN_PATH_HOSTS_MAX, host);
}

int plan_add_endpoint(
	struct plan *plan, const char *listener, const struct endpoint *at, enum policy_taker taker)
{
	size_t len = strlen(listener);

	if (plan->nendpoints == PLAN_ENDPOINTS_MAX || len >= POLICY_NAME_SIZE)
		return -E2BIG;
	struct plan_endpoint *endpoints =
		realloc(plan->endpoints, (plan->nendpoints + 1) * sizeof(*endpoints));
	if (!endpoints)
		return -ENOMEM;
	plan->endpoints = endpoints;
	endpoints[plan->nendpoints] = (struct plan_endpoint){.at = *at, .taker = taker};
	memcpy(endpoints[plan->nendpoints++].listener, listener, len);
	return 0;
}

void plan_keep_hosts(struct plan *plan, const struct plan *old)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < old->nhosts; i++)
		status = plan_add_host(plan, &old->hosts[i]);
	status = 0;
	for (size_t i = 0; status == 0 && i < old->npath_hosts; i++)
		status = plan_add_path_host(plan, &old->path_hosts[i]);
}

bool plan_binds(const struct plan *plan)
{
	return plan->bind_client || plan->nhosts > 0;
}

bool plan_logs_in(const struct plan *plan)
{
	return plan->nlogins > 0;
}

static int compare_ports(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* Ascending, without twins. */
static void tidy_ports(struct plan_zone *zone)
{
	size_t kept = 0;
	qsort(zone->ports, zone->nports, sizeof(*zone->ports), compare_ports);
	for (size_t i = 0; i < zone->nports; i++) {
		if (kept == 0 || zone->ports[kept - 1] != zone->ports[i])
			zone->ports[kept++] = zone->ports[i];
	}
	zone->nports = kept;
}

static bool fits(const struct plan *plan, const struct policy_zone *zone)
{
	return has_room(plan, zone->interfaces.n, zone->networks.n, zone->ports.n) &&
	       zone->name.len < POLICY_NAME_SIZE;
}

/* Those that the policy holds as addresses. */
static int add_written(struct plan *plan, const struct policy_server *server,
	int (*add)(struct plan *plan, const struct endpoint *host))
{
	int status = 0;

	for (size_t n = 0; status == 0 && n < server->nhosts; n++) {
		struct endpoint host = {
			.addr = server->hosts[n].addr, .port = server->hosts[n].port};
		if (host.addr.family != ADDR_NONE)
			status = add(plan, &host);
	}
	return status;
}

/* What listens on one loopback address most often listens on the other, and believes who comes
 * there as much. */
static int add_login(struct plan *plan, const struct endpoint *host)
{
	static const struct addr loopbacks[] = {{.bytes = {127, 0, 0, 1}, .family = ADDR_IP4},
		{.bytes = {[15] = 1}, .family = ADDR_IP6}};
	int status = plan_add_login(plan, host);

	for (size_t i = 0; status == 0 && addr_is_loopback(&host->addr) && i < 2; i++)
		status = plan_add_login(
			plan, &(struct endpoint){.addr = loopbacks[i], .port = host->port});
	return status;
}

static int add_hosts(struct plan *plan, const struct policy *policy)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < policy->nservers; i++) {
		const struct policy_server *server = &policy->servers[i];
		if (server->bind == POLICY_BIND_CLIENT) {
			plan->bind_client = true;
			status = add_written(plan, server, plan_add_host);
		}
		if (status == 0 && server->path == POLICY_PATH_KERNEL) {
			plan->kernel_path = true;
			status = add_written(plan, server, plan_add_path_host);
		}
		if (status == 0 && policy_server_takes_login(server))
			status = add_written(plan, server, add_login);
	}
	return status;
}

static int add_endpoints(struct plan *plan, const struct policy *policy)
{
	int status = 0;

	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];
		for (size_t p = 0; p < listener->ports.n; p++)
			for (size_t a = 0; status == 0 && a < listener->naddresses; a++)
				status = plan_add_endpoint(plan, listener->name.text,
					&(struct endpoint){
						listener->addresses[a], listener->ports.v[p]},
					POLICY_TAKER_LISTENER);
	}
	for (size_t i = 0; i < policy->nradiuses; i++) {
		const struct policy_radius *radius = &policy->radiuses[i];
		for (size_t a = 0; status == 0 && a < radius->naddresses; a++)
			status = plan_add_endpoint(plan, radius->name.text,
				&(struct endpoint){radius->addresses[a], radius->port},
				POLICY_TAKER_RADIUS);
	}
	return status;
}

static int add_portals(struct plan *plan, const struct policy *policy)
{
	int status = 0;

	for (size_t i = 0; i < policy->nportals; i++) {
		const struct policy_portal *portal = &policy->portals[i];
		const uint16_t ports[] = {portal->port, portal->http_port};
		for (size_t p = 0; p < 2; p++)
			for (size_t a = 0; ports[p] && status == 0 && a < portal->naddresses; a++)
				status = plan_add_endpoint(plan, portal->name.text,
					&(struct endpoint){portal->addresses[a], ports[p]},
					POLICY_TAKER_PORTAL);
	}
	return status;
}

int plan_from_policy(const struct policy *policy, const struct plan_options *options,
	enum plan_mode mode, struct plan *plan)
{
	plan_init(plan, options, mode);
	if (policy->nzones > PLAN_ZONES_MAX)
		return -E2BIG;
	int status = add_hosts(plan, policy);
	if (status == 0)
		status = add_endpoints(plan, policy);
	if (status == 0)
		status = add_portals(plan, policy);
	if (status) {
		plan_fini(plan);
		return status;
	}
	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *from = &policy->zones[i];
		if (!fits(plan, from)) {
			plan_fini(plan);
			return -E2BIG;
		}
		struct plan_zone *zone = plan_add_zone(
			plan, from->name.text, from->interfaces.n, from->networks.n, from->ports.n);
		if (!zone) {
			plan_fini(plan);
			return -ENOMEM;
		}
		zone->open = from->on_failure == POLICY_POSTURE_OPEN;
		zone->has_mac = from->identity != POLICY_IDENTITY_ADDRESS;
		for (size_t n = 0; n < from->interfaces.n; n++)
			copy_text(zone->interfaces[n], POLICY_IFNAME_SIZE,
				from->interfaces.v[n].text);
		if (from->networks.n)
			memcpy(zone->networks, from->networks.v,
				from->networks.n * sizeof(*zone->networks));
		memcpy(zone->ports, from->ports.v, from->ports.n * sizeof(*zone->ports));
		tidy_ports(zone);
	}
	status = plan_check(plan);
	if (status)
		plan_fini(plan);
	return status;
}

/* ---- checking ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* As the language has it: a zone's becomes part of a chain's. */
static bool is_name(const char *name)
{
	if (!is_letter(name[0]) || !memchr(name, 0, POLICY_NAME_SIZE))
		return false;
	for (const char *c = name; *c; c++) {
		if (!is_letter(*c) && !(*c >= '0' && *c <= '9') && !strchr("._-", *c))
			return false;
	}
	return true;
}

static bool is_interface(const char *name)
{
	const char *end = memchr(name, 0, POLICY_IFNAME_SIZE);
	if (!end || end == name)
		return false;
	for (const char *c = name; c < end; c++) {
		if (*c <= ' ' || *c > '~' || *c == '/' || (*c == '*' && c + 1 != end))
			return false;
	}
	return true;
}

static bool is_network(const struct prefix *prefix)
{
	if (prefix->addr.family != ADDR_IP4 && prefix->addr.family != ADDR_IP6)
		return false;
	unsigned bits = prefix->addr.family == ADDR_IP4 ? 32 : 128;
	if (prefix->len > bits)
		return false;
	for (unsigned bit = prefix->len; bit < 128; bit++) {
		if (prefix->addr.bytes[bit / 8] & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

static bool is_good_zone(const struct plan *plan, const struct plan_zone *zone)
{
	if (!is_name(zone->name) || zone->ninterfaces == 0 || zone->nports == 0 ||
		zone->nports > PLAN_PORTS_MAX)
		return false;
	for (size_t i = 0; i < zone->ninterfaces; i++) {
		if (!is_interface(zone->interfaces[i]))
			return false;
	}
	for (size_t i = 0; i < zone->nnetworks; i++) {
		if (!is_network(&zone->networks[i]))
			return false;
	}
	for (size_t i = 0; i < zone->nports; i++) {
		/* a zone's port is steered to the relay's, so it cannot be the relay's */
		if (zone->ports[i] == 0 || zone->ports[i] == plan->relay_port ||
			(i && zone->ports[i] <= zone->ports[i - 1]))
			return false;
	}
	return true;
}

/* A listener's name is as a zone's. */
static bool is_endpoint(const struct plan *plan, size_t index)
{
	const struct plan_endpoint *endpoint = &plan->endpoints[index];
	struct prefix whole = prefix_of(&endpoint->at.addr);

	for (size_t i = 0; i < index; i++)
		if (plan->endpoints[i].taker == endpoint->taker &&
			plan->endpoints[i].at.port == endpoint->at.port &&
			addr_equal(&plan->endpoints[i].at.addr, &endpoint->at.addr))
			return false;
	return is_name(endpoint->listener) && is_network(&whole) && endpoint->at.port != 0 &&
	       (endpoint->taker == POLICY_TAKER_RADIUS || endpoint->at.port != plan->relay_port);
}

static bool is_host(const struct endpoint *host)
{
	struct prefix whole = prefix_of(&host->addr);
	return host->port != 0 && is_network(&whole) && !addr_is_unspecified(&host->addr);
}

static bool are_hosts(const struct endpoint *hosts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_host(&hosts[i]))
			return false;
	}
	return true;
}

static bool is_path_end(const struct endpoint *at, enum addr_family family)
{
	return at->addr.family == ADDR_NONE || (at->addr.family == family && is_host(at));
}

/* Bits side by side, which no decision needs. */
static bool is_server_mask(const struct plan *plan)
{
	uint32_t low =
		plan->server_mask ? plan->server_mask >> __builtin_ctz(plan->server_mask) : 0;
	return low && (low & (low + 1)) == 0 && !(plan->server_mask & plan->mark_mask);
}

static bool are_paths(const struct plan *plan)
{
	if (!plan_has_paths(plan))
		return true;
	if (!is_server_mask(plan) || plan->npaths > PLAN_PATHS_MAX ||
		plan->npath_hosts > PLAN_PATH_HOSTS_MAX ||
		!are_hosts(plan->path_hosts, plan->npath_hosts))
		return false;
	for (size_t i = 0; i < plan->npaths; i++) {
		const struct plan_path *path = &plan->paths[i];
		if (!path->number || path->number > plan_numbers_max(plan->server_mask) ||
			!is_name(path->server) || !is_path_end(&path->at4, ADDR_IP4) ||
			!is_path_end(&path->at6, ADDR_IP6) ||
			plan_find_path(plan, path->number) != path)
			return false;
	}
	return true;
}

/* At least three bits side by side. */
static bool is_mask(uint32_t mask)
{
	if (!mask)
		return false;
	uint32_t low = mask >> __builtin_ctz(mask);
	return low >= 7 && (low & (low + 1)) == 0;
}

int plan_check(const struct plan *plan)
{
	if ((plan->mode != PLAN_RUNNING && plan->mode != PLAN_BARE) || !is_mask(plan->mark_mask) ||
		plan->relay_port == 0 || plan->route_table == 0 ||
		plan->rule_priority > PLAN_RULE_PRIORITY_MAX || plan->route_protocol < 1 ||
		plan->route_protocol > 255 || plan->client_max == 0 ||
		plan->client_max > (1u << 24) || plan->nzones > PLAN_ZONES_MAX ||
		plan->ninterfaces > PLAN_INTERFACES_MAX || plan->nnetworks > PLAN_NETWORKS_MAX ||
		plan->nports > PLAN_ALL_PORTS_MAX || plan->nhosts > PLAN_HOSTS_MAX ||
		plan->nlogins > PLAN_LOGINS_MAX || plan->nendpoints > PLAN_ENDPOINTS_MAX)
		return -EINVAL;
	/* the tables of the machine itself: unspec, compat, default, main, local */
	if (plan->route_table >= 252 && plan->route_table <= 255)
		return -EINVAL;
	if (!are_hosts(plan->hosts, plan->nhosts) || !are_hosts(plan->logins, plan->nlogins) ||
		!are_paths(plan))
		return -EINVAL;
	for (size_t i = 0; i < plan->nendpoints; i++) {
		if (!is_endpoint(plan, i))
			return -EINVAL;
	}
	for (size_t i = 0; i < plan->nzones; i++) {
		if (!is_good_zone(plan, &plan->zones[i]))
			return -EINVAL;
		for (size_t other = 0; other < i; other++) {
			if (strcmp(plan->zones[i].name, plan->zones[other].name) == 0)
				return -EINVAL;
		}
	}
	return 0;
}
