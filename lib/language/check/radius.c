/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a source of accounting asks of a policy. */
#include "lib/language/parse.h"

#include <string.h>

/* ---- where it listens ---- */

static bool shares(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return false;
	return addr_is_unspecified(a) || addr_is_unspecified(b) || addr_equal(a, b);
}

static void check_address(struct language *l, size_t index, size_t i)
{
	const struct policy_radius *radius = &l->policy->radiuses[index];
	const struct language_radius_note *notes = l->radius_notes.v;
	const struct language_span *span = &notes[index].addresses.v[i];
	const struct addr *addr = &radius->addresses[i];

	if (addr_is_multicast(addr))
		language_error(l, span,
			"nothing is sent to a group here, expected an address of the gateway");
	for (size_t j = 0; j < i; j++)
		if (shares(&radius->addresses[j], addr))
			language_error(l, span, "radius %s has this address twice, expected once",
				radius->name.text);
	for (size_t other = 0; other < index; other++) {
		const struct policy_radius *before = &l->policy->radiuses[other];
		for (size_t j = 0; before->port == radius->port && j < before->naddresses; j++)
			if (shares(&before->addresses[j], addr))
				language_error(l, span,
					"radius %s has this address with port %u already, "
					"expected another address or port",
					before->name.text, radius->port);
	}
}

/* ---- whom it hears ---- */

static void check_source(struct language *l, const struct policy_radius *radius,
	const struct language_radius_note *note, size_t index)
{
	const struct policy_radius_source *source = &radius->sources[index];
	const struct language_spans *spans = &note->sources[index].values;

	for (size_t i = 0; i < source->prefixes.n; i++) {
		const struct prefix *prefix = &source->prefixes.v[i];
		if (prefix->len == 0)
			language_warn(l, &spans->v[i],
				"whoever has the secret is heard, wherever he is, expected the "
				"addresses of controllers, proxies or switches");
		for (size_t other = 0; other <= index; other++) {
			const struct policy_prefixes *before = &radius->sources[other].prefixes;
			for (size_t j = 0; j < (other == index ? i : before->n); j++)
				if (prefix_equal(&before->v[j], prefix))
					language_error(l, &spans->v[i],
						"radius %s hears this already, expected it once",
						radius->name.text);
		}
	}
}

/* ---- the zones ---- */

static bool asks(const struct policy_radius_zone *zone)
{
	return zone->ssids.n > 0 || zone->nases.n > 0 || zone->nwlans > 0;
}

static bool share_strings(const struct policy_strings *a, const struct policy_strings *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			if (policy_string_equal(&a->v[i], &b->v[j]))
				return true;
	return a->n == 0 && b->n == 0;
}

static bool share_wlans(const struct policy_radius_zone *a, const struct policy_radius_zone *b)
{
	for (size_t i = 0; i < a->nwlans; i++)
		for (size_t j = 0; j < b->nwlans; j++)
			if (a->wlans[i] == b->wlans[j])
				return true;
	return a->nwlans == 0 && b->nwlans == 0;
}

/* Could one packet be of both, and by the same? */
static bool are_one(const struct policy_radius_zone *a, const struct policy_radius_zone *b)
{
	return share_strings(&a->ssids, &b->ssids) && share_strings(&a->nases, &b->nases) &&
	       share_wlans(a, b);
}

static void check_zone(struct language *l, const struct policy_radius *radius,
	const struct language_radius_note *note, size_t index)
{
	const struct policy_radius_zone *zone = &radius->zones[index];
	const struct language_span *span = &note->zones[index].word;

	for (size_t i = 0; i < index; i++) {
		const struct policy_radius_zone *before = &radius->zones[i];
		const struct policy_zone *a = &l->policy->zones[before->zone];
		const struct policy_zone *b = &l->policy->zones[zone->zone];
		if (!are_one(before, zone))
			continue;
		if (before->zone == zone->zone)
			language_error(l, span, "zone %s stands twice with the same, expected once",
				b->name.text);
		else if (asks(zone))
			language_error(l, span,
				"what is asked for zone %s leads to zone %s already, expected "
				"another ssid, nas or wlan",
				b->name.text, a->name.text);
		else if (a->networks.n == 0 || b->networks.n == 0)
			language_error(l, span,
				"nothing tells zone %s from zone %s: expected ssid, nas or wlan "
				"here, or `network` in both zones",
				b->name.text, a->name.text);
	}
}

static void resolve_zones(
	struct language *l, struct policy_radius *radius, const struct language_radius_note *note)
{
	bool found = true;

	for (size_t i = 0; i < radius->nzones && !l->stopped; i++)
		found = language_resolve(l, POLICY_KIND_ZONE, &radius->zones[i].zone_name,
				&note->zones[i].word, &radius->zones[i].zone) &&
			found;
	for (size_t i = 0; found && i < radius->nzones && !l->stopped; i++)
		check_zone(l, radius, note, i);
}

static void check_sizes(struct language *l, const struct policy_radius *radius,
	const struct language_radius_note *note)
{
	if (radius->nsources > POLICY_RADIUS_SOURCES_MAX)
		language_error(l, &note->sources[POLICY_RADIUS_SOURCES_MAX].word,
			"radius %s has %zu `from`, expected at most %d", radius->name.text,
			radius->nsources, POLICY_RADIUS_SOURCES_MAX);
	if (radius->nzones > POLICY_RADIUS_ZONES_MAX)
		language_error(l, &note->zones[POLICY_RADIUS_ZONES_MAX].word,
			"radius %s has %zu `zone`, expected at most %d", radius->name.text,
			radius->nzones, POLICY_RADIUS_ZONES_MAX);
}

/* The keeper holds so many sockets. */
static void check_all_addresses(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_radius_note *notes = l->radius_notes.v;
	size_t n = 0;

	for (size_t i = 0; i < policy->nlisteners; i++)
		n += policy->listeners[i].naddresses * policy->listeners[i].ports.n;
	for (size_t i = 0; i < policy->nradiuses; i++) {
		n += policy->radiuses[i].naddresses;
		if (n <= POLICY_ENDPOINTS_MAX)
			continue;
		language_error(l, &notes[i].name,
			"more than %d addresses of listeners and radiuses, expected fewer",
			POLICY_ENDPOINTS_MAX);
		return;
	}
}

void language_check_radiuses(struct language *l)
{
	const struct language_radius_note *notes = l->radius_notes.v;

	for (size_t i = 0; i < l->policy->nradiuses && !l->stopped; i++) {
		struct policy_radius *radius = &l->policy->radiuses[i];
		check_sizes(l, radius, &notes[i]);
		for (size_t j = 0; j < radius->naddresses && !l->stopped; j++)
			check_address(l, i, j);
		for (size_t j = 0; j < radius->nsources && !l->stopped; j++)
			check_source(l, radius, &notes[i], j);
		resolve_zones(l, radius, &notes[i]);
	}
	check_all_addresses(l);
}
