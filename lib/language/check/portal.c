/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a login page asks of a policy, and the zones whose clients log in there. */
#include "lib/language/parse.h"

#include "lib/dns/dns.h"

#include <stdio.h>
#include <string.h>

/* ---- where it listens ---- */

static bool shares(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return false;
	return addr_is_unspecified(a) || addr_is_unspecified(b) || addr_equal(a, b);
}

/* "listener in", "portal b", "the metrics"; NULL: it is free. */
#define WHO_SIZE (POLICY_NAME_SIZE + 16)
static const char *holder_of(const struct policy *policy, size_t index, const struct addr *addr,
	uint16_t port, char who[static WHO_SIZE])
{
	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];
		snprintf(who, WHO_SIZE, "listener %s", listener->name.text);
		for (size_t j = 0; j < listener->naddresses; j++)
			for (size_t k = 0; k < listener->ports.n; k++)
				if (listener->ports.v[k] == port &&
					shares(&listener->addresses[j], addr))
					return who;
	}
	for (size_t i = 0; i < index; i++) {
		const struct policy_portal *before = &policy->portals[i];
		snprintf(who, WHO_SIZE, "portal %s", before->name.text);
		for (size_t j = 0; j < before->naddresses; j++)
			if ((before->port == port || before->http_port == port) &&
				shares(&before->addresses[j], addr))
				return who;
	}
	if (policy->metrics_addr.family != ADDR_NONE && policy->metrics_port == port &&
		shares(&policy->metrics_addr, addr))
		return "the metrics";
	return NULL;
}

static void check_address(struct language *l, size_t index, size_t i)
{
	const struct policy_portal *portal = &l->policy->portals[index];
	const struct language_portal_note *notes = l->portal_notes.v;
	const struct language_span *span = &notes[index].addresses.v[i];
	const struct addr *addr = &portal->addresses[i];
	const uint16_t ports[] = {portal->port, portal->http_port};
	char who[WHO_SIZE];

	if (addr_is_multicast(addr))
		language_error(
			l, span, "nobody connects to a group, expected an address of the gateway");
	for (size_t j = 0; j < i; j++)
		if (shares(&portal->addresses[j], addr))
			language_error(l, span, "portal %s has this address twice, expected once",
				portal->name.text);
	for (size_t j = 0; j < 2; j++) {
		const char *holder =
			ports[j] ? holder_of(l->policy, index, addr, ports[j], who) : NULL;
		if (holder)
			language_error(l, span,
				"%s %s this address with port %u already, expected another "
				"address or port",
				holder, strcmp(holder, "the metrics") == 0 ? "have" : "has",
				ports[j]);
	}
}

static void check_port(struct language *l, const struct policy_portal *portal,
	const struct language_portal_note *note)
{
	if (portal->port != portal->http_port)
		return;
	language_error(l, note->http.width ? &note->http : &note->port,
		"port %u is that of HTTPS and of HTTP, expected two", portal->port);
}

/* ---- what it is called ---- */

static bool is_own_address(const struct policy_portal *portal, const struct addr *addr)
{
	for (size_t i = 0; i < portal->naddresses; i++)
		if (addr_equal(&portal->addresses[i], addr) ||
			(addr_is_unspecified(&portal->addresses[i]) &&
				portal->addresses[i].family == addr->family))
			return true;
	return false;
}

static void check_name(struct language *l, const struct policy_portal *portal,
	const struct policy_string *name, const struct language_span *span)
{
	char quoted[LANGUAGE_QUOTE_SIZE];
	struct addr addr;

	if (addr_parse(name->text, name->len, &addr) == 0) {
		if (!is_own_address(portal, &addr))
			language_error(l, span,
				"portal %s is not at this address, expected one of its own or a "
				"host's name",
				portal->name.text);
		return;
	}
	if (name->len == 0 || name->text[name->len - 1] == '.' || language_refuse_host(name))
		language_error(l, span,
			"\"%s\" is no host's name, expected what is typed into a browser, such as "
			"\"login.example\"",
			language_quote(name->text, name->len, quoted));
}

static void check_names(struct language *l, const struct policy_portal *portal,
	const struct language_portal_note *note)
{
	const struct policy_strings *names = &portal->names;

	for (size_t i = 0; i < names->n; i++) {
		check_name(l, portal, &names->v[i], &note->names.v[i]);
		for (size_t j = 0; j < i; j++)
			if (dns_same_name(names->v[i].text, names->v[j].text)) {
				language_error(l, &note->names.v[i],
					"name %s stands twice, expected once", names->v[i].text);
				break;
			}
	}
}

/* ---- its zones ---- */

static bool has_zone(const struct policy_radius *radius, const struct policy_string *name)
{
	for (size_t i = 0; i < radius->nzones; i++)
		if (policy_string_equal(&radius->zones[i].zone_name, name))
			return true;
	return false;
}

static void check_sources(
	struct language *l, size_t index, size_t i, const struct language_span *span)
{
	const struct policy *policy = l->policy;
	const struct policy_string *name = &policy->portals[index].zone_names.v[i];

	for (size_t other = 0; other <= index; other++) {
		const struct policy_portal *before = &policy->portals[other];
		for (size_t j = 0; j < (other == index ? i : before->zone_names.n); j++)
			if (policy_string_equal(&before->zone_names.v[j], name))
				language_error(l, span,
					"clients of zone %s log in at portal %s already, expected "
					"one portal of a zone",
					name->text, before->name.text);
	}
	for (size_t j = 0; j < policy->nradiuses; j++)
		if (has_zone(&policy->radiuses[j], name))
			language_error(l, span,
				"radius %s says who is in zone %s; expected one source of its "
				"sessions, that or a portal",
				policy->radiuses[j].name.text, name->text);
}

/* Where to log in, unless the policy says something else. */
static void tell_where(
	struct language *l, struct policy_zone *zone, const struct policy_portal *portal)
{
	char url[POLICY_PORTAL_URL_SIZE], text[POLICY_PORTAL_URL_SIZE + 64];

	if (zone->given & POLICY_ZONE_UNAUTHENTICATED || portal->names.n == 0)
		return;
	snprintf(text, sizeof(text), "Not logged in, please log in at %s",
		policy_portal_url(portal, url));
	zone->unauthenticated.text = language_copy(l, text, strlen(text));
}

static void check_zones(struct language *l, size_t index, const struct language_portal_note *note)
{
	struct policy_portal *portal = &l->policy->portals[index];

	for (size_t i = 0; i < portal->zone_names.n && !l->stopped; i++) {
		const struct language_span *span = &note->zones.v[i];
		if (!language_resolve(
			    l, POLICY_KIND_ZONE, &portal->zone_names.v[i], span, &portal->zones[i]))
			continue;
		struct policy_zone *zone = &l->policy->zones[portal->zones[i]];
		check_sources(l, index, i, span);
		if (note->no_auth && zone->identity == POLICY_IDENTITY_ADDRESS)
			language_error(l, span,
				"with `auth none` a user is called by his MAC, and zone %s knows "
				"its clients by address; expected `auth NAME`, or `identity mac` "
				"in the zone",
				zone->name.text);
		tell_where(l, zone, portal);
	}
}

/* ---- what it shows, and who knows the passwords ---- */

static void check_certificates(
	struct language *l, struct policy_portal *portal, const struct language_portal_note *note)
{
	const struct policy_strings *names = &portal->certificate_names;

	language_resolve_all(
		l, POLICY_KIND_CERTIFICATE, names, &note->certificates, portal->certificates);
	for (size_t i = 1; i < names->n; i++)
		for (size_t j = 0; j < i; j++)
			if (policy_string_equal(&names->v[i], &names->v[j])) {
				language_error(l, &note->certificates.v[i],
					"certificate %s stands twice, expected once",
					names->v[i].text);
				break;
			}
	if (note->no_certificate)
		language_warn(l, &note->certificate,
			"portal %s shows a certificate of its own, which no browser trusts: "
			"people learn to click through; expected `certificate NAME`",
			portal->name.text);
}

static void check_auths(
	struct language *l, struct policy_portal *portal, const struct language_portal_note *note)
{
	size_t errors = l->diagnosis->errors;

	language_resolve_all(l, POLICY_KIND_AUTH, &portal->auth_names, &note->auths, portal->auths);
	if (l->diagnosis->errors == errors)
		language_check_auth_order(l, &portal->auth_names, portal->auths, &note->auths);
}

void language_check_portals(struct language *l)
{
	const struct language_portal_note *notes = l->portal_notes.v;

	for (size_t i = 0; i < l->policy->nportals && !l->stopped; i++) {
		struct policy_portal *portal = &l->policy->portals[i];
		check_port(l, portal, &notes[i]);
		for (size_t j = 0; j < portal->naddresses && !l->stopped; j++)
			check_address(l, i, j);
		check_names(l, portal, &notes[i]);
		check_zones(l, i, &notes[i]);
		check_certificates(l, portal, &notes[i]);
		check_auths(l, portal, &notes[i]);
	}
}
