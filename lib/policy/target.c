/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/target.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const target_state_names[TARGET_STATES] = {
	[TARGET_UNKNOWN] = "unknown",
	[TARGET_UP] = "up",
	[TARGET_DOWN] = "down",
	[TARGET_NEVER] = "never",
};
static_assert(sizeof(target_state_names) / sizeof(target_state_names[0]) == TARGET_STATES, "each");

static void say(struct target *target, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The first reason stays. */
static void say(struct target *target, const char *format, ...)
{
	va_list args;
	if (target->text[0])
		return;
	va_start(args, format);
	vsnprintf(target->text, sizeof(target->text), format, args);
	va_end(args);
}

static void say_known(struct target *target, enum target_known known, enum dns_status why)
{
	switch (known) {
	case TARGET_GOOD:
		break;
	case TARGET_PENDING:
		say(target, "is being looked up");
		break;
	case TARGET_NO_NAME:
		say(target, "does not exist in DNS (`search` is not used: write the whole name)");
		break;
	case TARGET_NO_DATA:
		say(target, "has no address in DNS");
		break;
	case TARGET_FAILED:
		say(target, "cannot be looked up: %s", dns_status_texts[why]);
		break;
	}
}

const char *target_unfit(const struct addr *addr)
{
	static const struct addr broadcast = {{255, 255, 255, 255}, ADDR_IP4};

	if (addr_is_unspecified(addr) || (addr->family == ADDR_IP4 && addr->bytes[0] == 0))
		return "an unspecified address";
	if (addr_is_loopback(addr))
		return "a loopback address";
	if (addr_is_multicast(addr) || addr_equal(addr, &broadcast))
		return "a multicast address";
	if (addr_is_link_local(addr))
		return "a link-local address";
	return NULL;
}

/* Why a server may not have this address that DNS gave; NULL: it may. An MX host must not be the
 * gateway at any port. */
static const char *refusal_of(
	const struct addr *addr, uint16_t port, bool is_mx, const struct target_world *world)
{
	const char *unfit = target_unfit(addr);

	if (unfit)
		return unfit;
	bool own = world->own_address(world->context, addr);
	if (world->policy && policy_is_listener(world->policy, addr, port, own))
		return "a listener of the gateway";
	if (!is_mx && port != world->relay_port)
		return NULL;
	if (own)
		return is_mx ? "the gateway itself" : "the gateway's own listener";
	return NULL;
}

/* The place of one more target: by preference, depth and line, behind its equals. With all
 * places taken the worst goes. */
static void insert(struct target_list *list, const struct target *target)
{
	size_t at = list->n;
	while (at > 0 && (list->v[at - 1].preference > target->preference ||
				 (list->v[at - 1].preference == target->preference &&
					 list->v[at - 1].depth > target->depth)))
		at--;
	if (list->n == TARGETS_MAX) {
		list->left_off++;
		if (at == TARGETS_MAX)
			return;
		list->n--;
	}
	memmove(&list->v[at + 1], &list->v[at], (list->n - at) * sizeof(list->v[0]));
	list->n++;
	list->v[at] = *target;
}

/* Twice the same host and port would be twice the same flows. */
static bool is_there(const struct target_list *list, const struct target *target)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].port == target->port && dns_same_name(list->v[i].name, target->name))
			return true;
	return false;
}

/* Flows from a bound address reach hosts of its family only. */
static bool can_reach(const struct policy_server *server, const struct addr *addr)
{
	return server->bind != POLICY_BIND_ADDRESS || server->bind_addr.family == addr->family;
}

/* All of them if they fit, else of each IP version its half, and what the other one leaves. */
static void put_fitting(const struct addr *v, size_t n, struct target *target)
{
	size_t has[2] = {0, 0}, room[2];

	for (size_t i = 0; i < n; i++)
		has[v[i].family == ADDR_IP6]++;
	for (unsigned i = 0; i < 2; i++) {
		size_t other =
			has[!i] < TARGET_ADDRESSES_MAX / 2 ? has[!i] : TARGET_ADDRESSES_MAX / 2;
		room[i] = TARGET_ADDRESSES_MAX - other;
	}
	for (size_t i = 0; i < n && target->n < TARGET_ADDRESSES_MAX; i++) {
		size_t *left = &room[v[i].family == ADDR_IP6];
		if (*left == 0)
			continue;
		--*left;
		target->addresses[target->n++] = v[i];
	}
}

static void put_addresses(const struct policy_server *server, const struct target_world *world,
	const struct target_addresses *found, bool is_mx, struct target *target,
	struct target_list *list)
{
	char text[ADDR_TEXT_SIZE];
	struct addr fit[2 * DNS_ADDRESSES_MAX];
	size_t unsafe = 0, n = 0;

	for (size_t i = 0; i < found->n; i++) {
		const struct addr *addr = &found->v[i];
		const char *refusal = refusal_of(addr, target->port, is_mx, world);
		if (refusal) {
			unsafe++;
			say(target, "resolves to %s, %s", addr_format(addr, text), refusal);
		} else if (can_reach(server, addr)) {
			fit[n++] = *addr;
		}
	}
	put_fitting(fit, n, target);
	list->refused += unsafe;
	if (target->n > 0 || found->n == 0)
		return;
	target->never = unsafe == found->n;
	if (!unsafe)
		say(target, "has no address of the family of the address that is bound");
}

/* Looks the addresses of a target up. */
static void resolve(const struct policy_server *server, const struct target_world *world,
	bool is_mx, struct target *target, struct target_list *list)
{
	struct target_addresses found = {0};

	if (is_mx && dns_same_name(target->name, world->hostname)) {
		target->never = true;
		say(target, "is this gateway itself");
		return;
	}
	world->addresses(world->context, target->name, &found);
	target->stale |= found.stale;
	target->pending = found.known == TARGET_PENDING;
	put_addresses(server, world, &found, is_mx, target, list);
	say_known(target, found.known, found.why);
	list->pending |= target->pending;
}

static void init(struct target *target, const struct policy_server *server, size_t line)
{
	const struct policy_host *host = &server->hosts[line];
	memset(target, 0, sizeof(*target));
	target->line = (uint16_t)line;
	target->port = host->port;
	target->preference = host->preference;
	target->weight = host->weight;
	target->limit_flows = host->limit_flows;
	snprintf(target->name, sizeof(target->name), "%s", host->name.text);
}

static void put_host(const struct policy_server *server, size_t line,
	const struct target_world *world, struct target_list *list)
{
	const struct policy_host *host = &server->hosts[line];
	struct target target;

	init(&target, server, line);
	if (is_there(list, &target))
		return;
	if (host->addr.family == ADDR_NONE) {
		resolve(server, world, false, &target, list);
	} else if (can_reach(server, &host->addr)) {
		/* what is written as an address is meant: also a loopback one */
		target.addresses[target.n++] = host->addr;
		if (host->port == world->relay_port &&
			(addr_is_loopback(&host->addr) ||
				world->own_address(world->context, &host->addr))) {
			target.n = 0;
			target.never = true;
			say(&target, "is the gateway's own listener");
		}
	}
	insert(list, &target);
}

/* Without MX records the domain is its own mail host (RFC 5321, section 5.1). */
static void put_implicit(const struct policy_server *server, const struct target_world *world,
	struct target *target, struct target_list *list)
{
	resolve(server, world, true, target, list);
	if (!is_there(list, target))
		insert(list, target);
}

static void put_records(const struct policy_server *server, const struct target_world *world,
	const struct target_mx *mx, struct target *target, struct target_list *list)
{
	const struct dns_answer *answer = mx->answer;
	size_t used = 0;
	uint8_t depth = 0;
	/* a copy: what is borrowed goes with the next look-up */
	struct {
		uint16_t preference;
		char name[DNS_NAME_SIZE];
	} records[DNS_MX_MAX];

	for (size_t i = 0; i < answer->n; i++)
		if (answer->mx[i].name[0]) {
			records[used].preference = answer->mx[i].preference;
			memcpy(records[used++].name, answer->mx[i].name, DNS_NAME_SIZE);
		}
	list->left_off += answer->left_off;
	if (used == 0) {
		target->never = true;
		say(target, answer->unfit ? "has MX records with unfit names only"
					  : "takes no mail: its MX record says so");
		insert(list, target);
		return;
	}
	for (size_t i = 0; i < used; i++) {
		struct target host = *target;
		if (i > 0 && records[i].preference != records[i - 1].preference)
			depth++;
		host.depth = depth;
		snprintf(host.name, sizeof(host.name), "%s", records[i].name);
		if (is_there(list, &host))
			continue;
		resolve(server, world, true, &host, list);
		insert(list, &host);
	}
}

static void put_mx(const struct policy_server *server, size_t line,
	const struct target_world *world, struct target_list *list)
{
	struct target_mx mx = {0};
	struct target target;

	init(&target, server, line);
	world->mx(world->context, target.name, &mx);
	target.stale = mx.stale;
	switch (mx.known) {
	case TARGET_GOOD:
		put_records(server, world, &mx, &target, list);
		break;
	case TARGET_NO_DATA:
		put_implicit(server, world, &target, list);
		break;
	case TARGET_PENDING:
		target.pending = list->pending = true;
		/* fall through */
	case TARGET_NO_NAME:
	case TARGET_FAILED:
		say_known(&target, mx.known, mx.why);
		insert(list, &target);
		break;
	}
}

void target_expand(const struct policy_server *server, const struct target_world *world,
	struct target_list *list)
{
	list->n = list->left_off = list->refused = 0;
	list->pending = false;
	for (size_t i = 0; i < server->nhosts; i++) {
		if (server->hosts[i].is_mx)
			put_mx(server, i, world, list);
		else
			put_host(server, i, world, list);
	}
	if (list->left_off > 0 && list->n > 0)
		say(&list->v[list->n - 1], "%zu more hosts are not used: %d is the most",
			list->left_off, TARGETS_MAX);
}

static bool set_state(struct target_standing *standing, enum target_state state, uint64_t wall_ms)
{
	if (standing->state == state)
		return false;
	standing->state = (uint8_t)state;
	standing->since_ms = wall_ms;
	return true;
}

bool target_note(struct target_standing *standing, enum target_outcome outcome, const char *text,
	uint64_t wall_ms)
{
	char reason[TARGET_TEXT_SIZE];
	enum target_state state = (enum target_state)standing->state;

	/* text may be the standing's own; why it must not be used holds until it may */
	snprintf(reason, sizeof(reason), "%s", text);
	if (state != TARGET_NEVER || outcome == TARGET_REFUSED)
		memcpy(standing->text, reason, sizeof(reason));
	if (outcome == TARGET_WORKED) {
		standing->failures = 0;
		if (standing->successes < UINT8_MAX)
			standing->successes++;
		if (state == TARGET_UNKNOWN || standing->successes >= TARGET_SUCCESSES_UP) {
			state = TARGET_UP;
			memcpy(standing->text, reason, sizeof(reason));
		}
		return set_state(standing, state, wall_ms);
	}
	standing->successes = 0;
	if (standing->failures < UINT8_MAX)
		standing->failures++;
	if (outcome == TARGET_REFUSED)
		state = TARGET_NEVER;
	else if (state != TARGET_NEVER && standing->failures >= TARGET_FAILURES_DOWN)
		state = TARGET_DOWN;
	return set_state(standing, state, wall_ms);
}

bool target_wavers(const struct target_standing *standing)
{
	switch ((enum target_state)standing->state) {
	case TARGET_UNKNOWN:
		return true;
	case TARGET_UP:
		return standing->failures > 0;
	case TARGET_DOWN:
	case TARGET_NEVER:
		return standing->successes > 0;
	}
	return false;
}

struct endpoint target_zone_client(const struct policy *policy, enum addr_family family)
{
	struct endpoint client = {.port = 40025};

	for (size_t i = 0; i < policy->nzones; i++)
		for (size_t j = 0; j < policy->zones[i].networks.n; j++) {
			const struct prefix *network = &policy->zones[i].networks.v[j];
			if (network->addr.family != family)
				continue;
			client.addr = network->addr;
			/* the first host of it, not the network's own number */
			if (network->len < addr_bits(&network->addr) - 1)
				client.addr.bytes[family == ADDR_IP4 ? 3 : 15] |= 1;
			return client;
		}
	return client;
}

struct endpoint target_probe_client(const struct policy *policy, enum addr_family family)
{
	/* documentation addresses: nobody's */
	static const struct addr nobody4 = {{192, 0, 2, 1}, ADDR_IP4};
	static const struct addr nobody6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, ADDR_IP6};
	struct endpoint client = target_zone_client(policy, family);

	if (client.addr.family == ADDR_NONE)
		client.addr = family == ADDR_IP4 ? nobody4 : nobody6;
	return client;
}

uint8_t target_zone_families(const struct policy *policy)
{
	uint8_t families = 0;
	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *zone = &policy->zones[i];
		/* without networks a zone holds whatever comes by its interfaces */
		if (zone->networks.n == 0)
			return TARGET_CLIENTS_ALL;
		for (size_t j = 0; j < zone->networks.n; j++)
			families |= zone->networks.v[j].addr.family == ADDR_IP4
					    ? TARGET_CLIENTS_IP4
					    : TARGET_CLIENTS_IP6;
	}
	return families ? families : TARGET_CLIENTS_ALL;
}
