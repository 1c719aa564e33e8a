/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/policy/policy.h"

#include "lib/base/arena.h"
#include "lib/base/hash.h"
#include "lib/base/net/lpm.h"
#include "lib/base/siphash.h"
#include "lib/policy/mailset.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const policy_source_names[POLICY_SOURCES] = {
	[POLICY_SOURCE_SESSION] = "session",
	[POLICY_SOURCE_DEVICE] = "device",
	[POLICY_SOURCE_AUTH] = "auth",
};

struct policy_user policy_user_of(const struct policy_string *written)
{
	struct policy_user user = {.sources = (1u << POLICY_SOURCES) - 1, .name = *written};

	for (unsigned i = 0; i < POLICY_SOURCES; i++) {
		size_t len = strlen(policy_source_names[i]);
		if (written->len <= len || written->text[len] != ':' ||
			memcmp(written->text, policy_source_names[i], len) != 0)
			continue;
		user.sources = 1u << i;
		user.name.text += len + 1;
		user.name.len -= (uint32_t)len + 1;
		user.name.hash = hash_bytes(user.name.text, user.name.len);
	}
	return user;
}

unsigned policy_user_sources(const char **written)
{
	const struct policy_string string = {*written, (uint32_t)strlen(*written), 0};
	const struct policy_user user = policy_user_of(&string);

	*written = user.name.text;
	return user.sources;
}

bool policy_user_is(const char *written, enum policy_source source, const char *user)
{
	unsigned sources = policy_user_sources(&written);

	return sources & 1u << source && strcmp(written, user) == 0;
}

const char *const policy_auth_kind_names[POLICY_AUTH_KINDS] = {
	[POLICY_AUTH_LDAP] = "ldap",
	[POLICY_AUTH_FORWARD] = "forward",
	[POLICY_AUTH_DOVECOT] = "dovecot",
	[POLICY_AUTH_FILE] = "file",
};

const char *const policy_scan_kind_names[POLICY_SCAN_KINDS] = {
	[POLICY_SCAN_MILTER] = "milter",
	[POLICY_SCAN_CLAMAV] = "clamav",
};

const char *const policy_scan_mode_names[POLICY_SCAN_MODES] = {
	[POLICY_SCAN_STREAM] = "stream",
	[POLICY_SCAN_WHOLE] = "whole",
};

const char *const policy_scan_failure_names[POLICY_SCAN_FAILURES] = {
	[POLICY_SCAN_TEMPFAIL] = "tempfail",
	[POLICY_SCAN_ACCEPT] = "accept",
	[POLICY_SCAN_REJECT] = "reject",
};

const char *const policy_radius_user_names[POLICY_RADIUS_USERS] = {
	[POLICY_RADIUS_CUI] = "cui",
	[POLICY_RADIUS_USER_NAME] = "user-name",
	[POLICY_RADIUS_MAC] = "mac",
};

const char *const policy_radius_group_names[POLICY_RADIUS_GROUPS] = {
	[POLICY_RADIUS_CLASS] = "class",
	[POLICY_RADIUS_FILTER_ID] = "filter-id",
};

const char *const policy_taker_names[POLICY_TAKERS] = {
	[POLICY_TAKER_LISTENER] = "listener",
	[POLICY_TAKER_RADIUS] = "radius",
	[POLICY_TAKER_PORTAL] = "portal",
};

const char *const policy_login_names[] = {
	[POLICY_LOGIN_OFF] = "off",
	[POLICY_LOGIN_ON] = "on",
	[POLICY_LOGIN_TAGGED] = "tagged",
};
static_assert(sizeof(policy_login_names) / sizeof(*policy_login_names) == POLICY_LOGINS,
	"a name for each");

const char *const policy_path_names[] = {
	[POLICY_PATH_RELAY] = "relay",
	[POLICY_PATH_KERNEL] = "kernel",
};
static_assert(
	sizeof(policy_path_names) / sizeof(*policy_path_names) == POLICY_PATHS, "a name for each");

const char *const policy_verdict_names[POLICY_VERDICTS] = {
	[POLICY_VERDICT_REDIRECT] = "redirect",
	[POLICY_VERDICT_ANSWER] = "answer",
	[POLICY_VERDICT_PASS] = "pass",
	[POLICY_VERDICT_REJECT] = "reject",
	[POLICY_VERDICT_DROP] = "drop",
};
static_assert(POLICY_VERDICT_DROP + 1 == POLICY_VERDICTS, "a name for each verdict");

const char *const policy_holds_names[POLICY_HOLDS] = {
	[POLICY_HOLDS_ADDRESSES] = "address",
	[POLICY_HOLDS_MAIL] = "mail",
	[POLICY_HOLDS_HOSTS] = "host",
};
static_assert(POLICY_HOLDS_HOSTS + 1 == POLICY_HOLDS, "a name for each");

const char *const policy_tls_names[POLICY_TLS_MODES] = {
	[POLICY_TLS_NONE] = "none",
	[POLICY_TLS_OFFER] = "offer",
	[POLICY_TLS_REQUIRE] = "require",
	[POLICY_TLS_IMMEDIATE] = "immediate",
};
static_assert(POLICY_TLS_IMMEDIATE + 1 == POLICY_TLS_MODES, "a name for each");

const char *const policy_tls_client_names[POLICY_TLS_CLIENTS] = {
	[POLICY_TLS_CLIENT_NONE] = "none",
	[POLICY_TLS_CLIENT_REQUEST] = "request",
	[POLICY_TLS_CLIENT_CHECK] = "check",
	[POLICY_TLS_CLIENT_REQUIRE] = "require",
};
static_assert(POLICY_TLS_CLIENT_REQUIRE + 1 == POLICY_TLS_CLIENTS, "a name for each");

const char *const policy_server_tls_names[POLICY_SERVER_TLS_MODES] = {
	[POLICY_SERVER_TLS_NONE] = "none",
	[POLICY_SERVER_TLS_OFFER] = "offer",
	[POLICY_SERVER_TLS_REQUIRE] = "require",
	[POLICY_SERVER_TLS_VERIFY] = "verify",
	[POLICY_SERVER_TLS_PIN] = "pin",
};
static_assert(POLICY_SERVER_TLS_PIN + 1 == POLICY_SERVER_TLS_MODES, "a name for each");

/* The names of all kinds in one table with open addressing; at most half full. */
struct entry {
	const char *text; /* NULL: free */
	uint32_t len;
	uint32_t hash; /* of kind and name */
	enum policy_kind kind;
	size_t index;
};

struct names {
	struct entry *v;
	size_t n, room; /* room is a power of two */
};

bool policy_string_equal(const struct policy_string *a, const struct policy_string *b)
{
	return a->hash == b->hash && a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

bool policy_strings_equal(const struct policy_strings *a, const struct policy_strings *b)
{
	bool equal = a->n == b->n;
	for (size_t i = 0; equal && i < a->n; i++)
		equal = policy_string_equal(&a->v[i], &b->v[i]);
	return equal;
}

struct policy *policy_new(void)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	struct names *names = calloc(1, sizeof(*names));
	struct arena *arena = arena_new();

	if (!policy || !names || !arena) {
		free(policy);
		free(names);
		arena_free(arena);
		return NULL;
	}
	policy->references = 1;
	policy->arena = arena;
	policy->names = names;
	policy->hostname.text = "";
	policy->hostname.hash = hash_bytes("", 0);
	policy->drain_s = 300;
	policy->limit_flows = 8000;
	policy->audit_keep_s = 90 * 86400;
	policy->audit_size_bytes = (uint64_t)2 << 30;
	policy->log_level = POLICY_LOG_INFO;
	return policy;
}

struct policy *policy_ref(struct policy *policy)
{
	policy->references++;
	return policy;
}

static void free_where(struct policy_where *where)
{
	lpm_free(where->index);
	mailset_free(where->hosts);
}

void policy_unref(struct policy *policy)
{
	if (!policy || --policy->references > 0)
		return;
	for (size_t i = 0; i < policy->nlists; i++) {
		lpm_free(policy->lists[i].index);
		mailset_free(policy->lists[i].mails);
		mailset_free(policy->lists[i].hosts);
	}
	for (size_t i = 0; i < policy->nlisteners; i++)
		free_where(&policy->listeners[i].accept);
	for (size_t i = 0; i < policy->ndomains; i++)
		mailset_free(policy->domains[i].recipients.index);
	mailset_free(policy->domain_names);
	for (size_t i = 0; i < policy->nrules; i++) {
		free_where(&policy->rules[i].source);
		free_where(&policy->rules[i].destination);
		mailset_free(policy->rules[i].sender.index);
		mailset_free(policy->rules[i].recipient.index);
	}
	struct names *names = policy->names;
	free(names->v);
	free(names);
	arena_free(policy->arena);
	free(policy);
}

static uint32_t hash_of(enum policy_kind kind, const struct policy_string *name)
{
	return (name->hash + (uint32_t)kind) * 0x9e3779b1u;
}

static struct entry *slot_of(
	const struct names *names, enum policy_kind kind, const struct policy_string *name)
{
	uint32_t hash = hash_of(kind, name);

	for (size_t i = hash;; i++) {
		struct entry *entry = &names->v[i & (names->room - 1)];
		if (!entry->text)
			return entry;
		if (entry->hash == hash && entry->kind == kind && entry->len == name->len &&
			memcmp(entry->text, name->text, name->len) == 0)
			return entry;
	}
}

static int grow(struct names *names)
{
	size_t room = names->room ? names->room * 2 : 64;
	struct entry *v = calloc(room, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < names->room; i++) {
		if (!names->v[i].text)
			continue;
		size_t at = names->v[i].hash;
		while (v[at & (room - 1)].text)
			at++;
		v[at & (room - 1)] = names->v[i];
	}
	free(names->v);
	names->v = v;
	names->room = room;
	return 0;
}

ptrdiff_t policy_add_name(struct policy *policy, enum policy_kind kind,
	const struct policy_string *name, size_t index)
{
	struct names *names = policy->names;

	if (names->n >= names->room / 2 && grow(names) < 0)
		return -ENOMEM;
	struct entry *entry = slot_of(names, kind, name);
	if (entry->text)
		return (ptrdiff_t)entry->index;
	entry->text = name->text;
	entry->len = name->len;
	entry->hash = hash_of(kind, name);
	entry->kind = kind;
	entry->index = index;
	names->n++;
	return -1;
}

ptrdiff_t policy_find(
	const struct policy *policy, enum policy_kind kind, const struct policy_string *name)
{
	const struct names *names = policy->names;

	if (names->room == 0)
		return -1;
	const struct entry *entry = slot_of(names, kind, name);
	return entry->text ? (ptrdiff_t)entry->index : -1;
}

static ptrdiff_t find_text(const struct policy *policy, enum policy_kind kind, const char *name)
{
	struct policy_string string = {.text = name, .len = (uint32_t)strlen(name)};

	string.hash = hash_bytes(name, string.len);
	return policy_find(policy, kind, &string);
}

ptrdiff_t policy_find_zone(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_ZONE, name);
}

ptrdiff_t policy_find_listener(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_LISTENER, name);
}

ptrdiff_t policy_find_domain(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_DOMAIN, name);
}

ptrdiff_t policy_find_list(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_LIST, name);
}

ptrdiff_t policy_find_certificate(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_CERTIFICATE, name);
}

ptrdiff_t policy_find_auth(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_AUTH, name);
}

ptrdiff_t policy_find_server(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_SERVER, name);
}

ptrdiff_t policy_find_scan(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_SCAN, name);
}

ptrdiff_t policy_find_radius(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_RADIUS, name);
}

ptrdiff_t policy_find_portal(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_PORTAL, name);
}

const struct policy_portal *policy_portal_of_zone(const struct policy *policy, size_t zone)
{
	for (size_t i = 0; i < policy->nportals; i++)
		for (size_t j = 0; j < policy->portals[i].zone_names.n; j++)
			if (policy->portals[i].zones[j] == zone)
				return &policy->portals[i];
	return NULL;
}

const char *policy_portal_url(
	const struct policy_portal *portal, char buf[static POLICY_PORTAL_URL_SIZE])
{
	bool secure = portal->http_port == 0;
	unsigned port = secure ? portal->port : portal->http_port;
	const char *name = portal->names.v[0].text, *scheme = secure ? "https" : "http";
	const char *open = strchr(name, ':') ? "[" : "", *close = *open ? "]" : "";

	if (port == (secure ? POLICY_PORTAL_PORT : POLICY_PORTAL_HTTP_PORT))
		snprintf(buf, POLICY_PORTAL_URL_SIZE, "%s://%s%s%s/", scheme, open, name, close);
	else
		snprintf(buf, POLICY_PORTAL_URL_SIZE, "%s://%s%s%s:%u/", scheme, open, name, close,
			port);
	return buf;
}

bool policy_server_takes_login(const struct policy_server *server)
{
	return server->announce == POLICY_ANNOUNCE_XCLIENT &&
	       server->announce_login != POLICY_LOGIN_OFF;
}

ptrdiff_t policy_find_device(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_DEVICE, name);
}

ptrdiff_t policy_find_rule(const struct policy *policy, const char *name)
{
	return find_text(policy, POLICY_KIND_RULE, name);
}

bool policy_interface_match(const char *pattern, const char *ifname)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, ifname, len - 1) == 0;
	return strcmp(pattern, ifname) == 0;
}

static bool zone_on_interface(const struct policy_zone *zone, const char *ifname)
{
	for (size_t i = 0; i < zone->interfaces.n; i++) {
		if (policy_interface_match(zone->interfaces.v[i].text, ifname))
			return true;
	}
	return false;
}

ptrdiff_t policy_find_zone_of(
	const struct policy *policy, const char *ifname, const struct addr *source)
{
	ptrdiff_t best = -1;
	int longest = -1;

	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *zone = &policy->zones[i];
		if (!zone_on_interface(zone, ifname))
			continue;
		if (zone->networks.n == 0 && longest < 0) {
			best = (ptrdiff_t)i;
			longest = 0;
		}
		for (size_t j = 0; j < zone->networks.n; j++) {
			const struct prefix *network = &zone->networks.v[j];
			if (network->len >= longest && prefix_contains(network, source)) {
				best = (ptrdiff_t)i;
				longest = network->len;
			}
		}
	}
	return best;
}

const struct policy_server_tls *policy_host_tls(
	const struct policy_server *server, const struct policy_host *host)
{
	return host->tls.given ? &host->tls : &server->tls;
}

bool policy_zone_has_port(const struct policy_zone *zone, uint16_t port)
{
	for (size_t i = 0; i < zone->ports.n; i++) {
		if (zone->ports.v[i] == port)
			return true;
	}
	return false;
}

static bool is_among(const struct policy_strings *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i].text, name) == 0)
			return true;
	return false;
}

bool policy_device_follows(const struct policy_device *device, const char *list)
{
	return is_among(&device->list_names, list) || is_among(&device->mac_list_names, list);
}

static bool has_index(const size_t *indexes, size_t n, size_t index)
{
	for (size_t i = 0; i < n; i++)
		if (indexes[i] == index)
			return true;
	return false;
}

uint64_t policy_scan_filter(const struct policy_scan *scan)
{
	static const uint8_t none[SIPHASH_SECRET_SIZE]; /* it is no secret */
	struct siphash hash;

	siphash_begin(&hash, none);
	siphash_number(&hash, (uint32_t)scan->kind);
	siphash_bytes(&hash, scan->address.text, scan->address.len);
	return siphash_end(&hash);
}

unsigned policy_rule_scans(const struct policy_rule *rule)
{
	unsigned scans = 0;

	for (size_t i = 0; i < rule->scan_names.n; i++)
		scans |= 1u << rule->scans[i];
	return scans;
}

bool policy_rule_by_kernel(const struct policy *policy, const struct policy_rule *rule)
{
	return rule->to_server && !rule->to_original && !rule->to_protected &&
	       policy->servers[rule->server].path == POLICY_PATH_KERNEL;
}

uint32_t policy_rule_flows(const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->limits.n; i++)
		if (rule->limits.v[i].kind == POLICY_LIMIT_FLOWS &&
			rule->limits.v[i].per == POLICY_PER_CLIENT)
			return rule->limits.v[i].count;
	return 0;
}

bool policy_zone_by_kernel(const struct policy *policy, size_t zone)
{
	for (size_t i = 0; i < policy->nrules; i++)
		if (!policy->rules[i].disabled &&
			policy_rule_by_kernel(policy, &policy->rules[i]) &&
			policy_rule_in_zone(&policy->rules[i], zone))
			return true;
	return false;
}

bool policy_rule_in_zone(const struct policy_rule *rule, size_t zone)
{
	return !rule->listens &&
	       (rule->zone_names.n == 0 || has_index(rule->zones, rule->zone_names.n, zone));
}

bool policy_rule_in_listener(const struct policy_rule *rule, size_t listener)
{
	return rule->listens && has_index(rule->listeners, rule->listener_names.n, listener) !=
					rule->listener_negated;
}

static bool has_address(const struct policy_listener *listener, const struct addr *addr, bool own)
{
	for (size_t i = 0; i < listener->naddresses; i++) {
		const struct addr *of = &listener->addresses[i];
		if (addr_equal(of, addr) ||
			(own && of->family == addr->family && addr_is_unspecified(of)))
			return true;
	}
	return false;
}

static bool listens_at(const struct policy_listener *listener, const struct endpoint *at, bool own)
{
	for (size_t i = 0; i < listener->ports.n; i++)
		if (listener->ports.v[i] == at->port)
			return has_address(listener, &at->addr, own);
	return false;
}

ptrdiff_t policy_find_listener_at(const struct policy *policy, const struct endpoint *at)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (listens_at(&policy->listeners[i], at, true))
			return (ptrdiff_t)i;
	return -1;
}

bool policy_is_listener(
	const struct policy *policy, const struct addr *addr, uint16_t port, bool own)
{
	const struct endpoint at = {*addr, port};

	for (size_t i = 0; i < policy->nlisteners; i++)
		if (listens_at(&policy->listeners[i], &at, own))
			return true;
	return false;
}
