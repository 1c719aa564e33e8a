/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts for `doctor` that only the privileged side can see. Each is one line of words; the first
 * word says what it is about:
 *
 *   queue native|compat|none
 *   table owned|shared
 *   plan none|running ZONES|bare ZONES
 *   routes ok|failing
 *   rules ip4|ip6 off                     the machine does not have the family
 *   rules ip4|ip6 PRIORITY front          without a zone there are none, and no line
 *   rules ip4|ip6 PRIORITY behind PRIORITY free|contested   another's rule takes what we steer
 *   bridge IFNAME 0|1 0|1                 a bridge; does it call iptables, ip6tables by itself?
 *   port IFNAME BRIDGE                    a zone's interface that is only a port of a bridge
 *   bound ADDRESS PORT INTERFACE|-        a host of a server with `bind client`, and the way to it
 *   bypass ZONE SECONDS|no-end            ZONE is "*" for all; only where it is on
 *   arrived ZONE PACKETS                  first packets of connections from a zone
 *   listener RELAY ip4|ip6 open|closed
 *   relay RELAY pid PID generation N
 *   lacking CAPABILITY                    since an upgrade in place; a restart brings it
 *   nfqueue NUMBER PORT WAITING DROPPED USER-DROPPED STRANGE   STRANGE: nobody's of those that wait
 */
#include "daemon/keeper/keeper.h"

#include "daemon/base/privilege.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct telling {
	void (*tell)(void *context, const char *text);
	void *context;
};

static void say(const struct telling *telling, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct telling *telling, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	telling->tell(telling->context, text);
}

static void tell_queue(struct keeper *keeper, const struct telling *telling)
{
	struct keeper_queue queue;

	if (keeper_admit_look(keeper, &queue))
		say(telling, "nfqueue %u %u %u %u %u %u", queue.number, queue.port, queue.waiting,
			queue.dropped, queue.user_dropped, queue.strange);
}

static void tell_bypass(
	const struct keeper *keeper, const struct telling *telling, const char *zone)
{
	int64_t left = table_bypass_left(keeper->table, zone);

	if (left == UINT32_MAX)
		say(telling, "bypass %s no-end", zone ? zone : "*");
	else if (left > 0)
		say(telling, "bypass %s %" PRId64, zone ? zone : "*", left);
}

static void tell_bound(const struct keeper *keeper, const struct telling *telling)
{
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; keeper->has_plan && i < keeper->hosts_now; i++) {
		const struct endpoint *host = &keeper->plan.hosts[i];
		const struct link *link =
			links_find(keeper->links, routes_find_way(keeper->routes, &host->addr));
		say(telling, "bound %s %u %s", addr_format(&host->addr, text), host->port,
			link ? link->name : "-");
	}
}

static void tell_arrived(void *context, const char *zone, uint64_t packets)
{
	say(context, "arrived %s %" PRIu64, zone, packets);
}

static bool are_open(const struct keeper_child *relay, bool ip6)
{
	for (unsigned i = 0; i < process_listeners(relay->keeper->options.relays); i++)
		if (relay->listeners[ip6][i] < 0)
			return false;
	return true;
}

static void tell_rules(
	const struct keeper *keeper, const struct telling *telling, enum addr_family family)
{
	const struct routes_standing *standing = routes_standing(keeper->routes, family);

	if (standing->off)
		say(telling, "rules ip%d off", (int)family);
	else if (standing->is_behind)
		say(telling, "rules ip%d %" PRIu32 " behind %" PRIu32 " %s", (int)family,
			standing->priority, standing->behind,
			standing->contested ? "contested" : "free");
	else if (standing->priority)
		say(telling, "rules ip%d %" PRIu32 " front", (int)family, standing->priority);
}

static bool is_zones(const struct keeper *keeper, const char *ifname)
{
	for (size_t z = 0; keeper->has_plan && z < keeper->plan.nzones; z++)
		for (size_t i = 0; i < keeper->plan.zones[z].ninterfaces; i++)
			if (policy_interface_match(keeper->plan.zones[z].interfaces[i], ifname))
				return true;
	return false;
}

static void tell_bridging(
	const struct keeper *keeper, const struct telling *telling, const struct link *link)
{
	const struct link *master = link->master ? links_find(keeper->links, link->master) : NULL;

	if (link->is_bridge)
		say(telling, "bridge %s %d %d", link->name, link->calls_ip4, link->calls_ip6);
	if (master && master->is_bridge && is_zones(keeper, link->name) &&
		!is_zones(keeper, master->name))
		say(telling, "port %s %s", link->name, master->name);
}

/* How many packets of local users to servers that take a login at our word were refused. */
static void tell_logins(const struct keeper *keeper, const struct telling *telling)
{
	struct table_counters counters;

	if (keeper->has_plan && plan_logs_in(&keeper->plan) &&
		table_counters(keeper->table, &counters) == 0)
		say(telling, "logins %zu refused %" PRIu64, keeper->plan.nlogins,
			counters.login_refused);
}

static void tell_own(const struct keeper *keeper, const struct telling *telling)
{
	static const char *const queues[] = {[TABLE_QUEUE_NONE] = "none",
		[TABLE_QUEUE_NATIVE] = "native",
		[TABLE_QUEUE_COMPAT] = "compat"};

	say(telling, "queue %s", queues[table_queue(keeper->table)]);
	say(telling, "table %s", table_is_owned(keeper->table) ? "owned" : "shared");
	if (keeper->has_plan)
		say(telling, "plan %s %zu", keeper->plan.mode == PLAN_BARE ? "bare" : "running",
			keeper->plan.nzones);
	else
		say(telling, "plan none");
	if (privilege_lacking())
		say(telling, "lacking %s", privilege_lacking());
	say(telling, "routes %s", keeper->heal_routes ? "failing" : "ok");
	tell_rules(keeper, telling, ADDR_IP4);
	tell_rules(keeper, telling, ADDR_IP6);
	for (size_t i = 0; i < links_count(keeper->links); i++)
		tell_bridging(keeper, telling, links_at(keeper->links, i));
	tell_bound(keeper, telling);
	tell_logins(keeper, telling);
	tell_bypass(keeper, telling, NULL);
	for (size_t i = 0; keeper->has_plan && i < keeper->plan.nzones; i++)
		tell_bypass(keeper, telling, keeper->plan.zones[i].name);
	table_each_arrived(keeper->table, tell_arrived, (void *)(uintptr_t)telling);
	for (size_t i = 0; i < keeper->nchildren; i++) {
		const struct keeper_child *relay = &keeper->children[i];
		if (!(roles[relay->role].given & GIVEN_LISTENERS))
			continue;
		say(telling, "listener %u ip4 %s", relay->number,
			are_open(relay, false) ? "open" : "closed");
		bool ip6 = are_open(relay, true);
		if (ip6 || !routes_standing(keeper->routes, ADDR_IP6)->off)
			say(telling, "listener %u ip6 %s", relay->number, ip6 ? "open" : "closed");
		say(telling, "relay %u pid %d generation %" PRIu32, relay->number, (int)relay->pid,
			relay->generation);
	}
}

void keeper_facts_tell(
	struct keeper *keeper, void (*tell)(void *context, const char *text), void *context)
{
	const struct telling telling = {tell, context};

	tell_own(keeper, &telling);
	tell_queue(keeper, &telling);
}

void keeper_facts_tell_arrived(
	struct keeper *keeper, void (*tell)(void *context, const char *text), void *context)
{
	struct telling telling = {tell, context};

	table_each_arrived(keeper->table, tell_arrived, &telling);
}
