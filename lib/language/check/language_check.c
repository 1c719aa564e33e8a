/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"

#include <string.h>

static void add_names(struct language *l, enum policy_kind kind, const char *word, size_t n,
	const struct policy_string *names, size_t stride, const struct language_span *spans,
	size_t span_stride)
{
	for (size_t i = 0; i < n && !l->stopped; i++) {
		const struct policy_string *name = (const void *)((const char *)names + i * stride);
		ptrdiff_t before = policy_add_name(l->policy, kind, name, i);
		if (before == -1)
			continue;
		if (before < 0) {
			language_out_of_memory(l);
			return;
		}
		const struct language_span *span =
			(const void *)((const char *)spans + i * span_stride);
		const struct language_span *first =
			(const void *)((const char *)spans + (size_t)before * span_stride);
		language_error(l, span,
			"%s \"%s\" stands twice, expected a new name; first at %s:%u:%u", word,
			name->text, language_source_at(l, first->place.file)->name,
			first->place.line, first->place.column);
	}
}

#define ADD_NAMES(kind, word, plural, singular)                                                    \
	do {                                                                                       \
		const struct language_##singular##_note *notes = l->singular##_notes.v;            \
		if (l->policy->n##plural > 0)                                                      \
			add_names(l, kind, word, l->policy->n##plural, &l->policy->plural[0].name, \
				sizeof(*l->policy->plural), &notes[0].name, sizeof(*notes));       \
	} while (0)

/* Lists of a kind, in conditions and of devices; hosts: also those of host names. */
static void resolve_lists_or_hosts(struct language *l, enum policy_list_holds wanted, bool hosts,
	const struct policy_strings *names, const struct language_spans *spans, size_t *indexes)
{
	static const char *const held[] = {[POLICY_HOLDS_ADDRESSES] = "addresses",
		[POLICY_HOLDS_MAIL] = "mail addresses",
		[POLICY_HOLDS_HOSTS] = "host names"};

	for (size_t i = 0; i < names->n && !l->stopped; i++) {
		if (!language_resolve(l, POLICY_KIND_LIST, &names->v[i], &spans->v[i], &indexes[i]))
			continue;
		enum policy_list_holds holds = l->policy->lists[indexes[i]].holds;
		if (holds != wanted && !(hosts && holds == POLICY_HOLDS_HOSTS))
			language_error(l, &spans->v[i],
				"list %s holds %s, which nothing here can be compared with; "
				"expected a list of %s",
				names->v[i].text, held[holds], held[wanted]);
	}
}

static void resolve_lists(struct language *l, enum policy_list_holds wanted,
	const struct policy_strings *names, const struct language_spans *spans, size_t *indexes)
{
	resolve_lists_or_hosts(l, wanted, false, names, spans, indexes);
}

static void check_device(
	struct language *l, struct policy_device *device, const struct language_device_note *note)
{
	const struct language_list_note *lists = l->list_notes.v;

	if (device->zone_name.len > 0 && language_resolve(l, POLICY_KIND_ZONE, &device->zone_name,
						 &note->zone, &device->zone)) {
		const struct policy_zone *zone = &l->policy->zones[device->zone];
		const struct language_spans *macs =
			device->nmacs > 0 ? &note->macs : &note->mac_lists;
		for (size_t i = 0; macs->n > 0 && i < zone->interfaces.n; i++) {
			const char *name = zone->interfaces.v[i].text;
			if (l->world->interface &&
				l->world->interface(l->world->context, name) == 0)
				language_fault(l, &macs->v[0],
					"interface %s of zone %s has no MACs, expected `address` "
					"here",
					name, zone->name.text);
		}
	}
	for (size_t i = 0; i < device->nmacs; i++) {
		if (mac_is_group(&device->macs[i]) || !mac_is_set(&device->macs[i]))
			language_fault(l, &note->macs.v[i],
				"no host has this MAC, expected the MAC of a device");
	}
	for (size_t i = 0; i < device->addresses.n; i++) {
		if (device->addresses.v[i].len == 0)
			language_fault(l, &note->addresses.v[i],
				"this is every address of a family, expected the addresses of a "
				"device");
	}
	resolve_lists(l, POLICY_HOLDS_ADDRESSES, &device->mac_list_names, &note->mac_lists,
		device->mac_lists);
	resolve_lists(l, POLICY_HOLDS_ADDRESSES, &device->list_names, &note->lists, device->lists);
	for (size_t i = 0; i < device->list_names.n && !l->stopped; i++) {
		ptrdiff_t list = policy_find(l->policy, POLICY_KIND_LIST, &device->list_names.v[i]);
		if (list < 0 || lists[list].whole_family.width == 0)
			continue;
		language_fault(l, &note->lists.v[i],
			"list %s holds every address of a family, expected the addresses of a "
			"device",
			device->list_names.v[i].text);
	}
}

static void check_devices(struct language *l)
{
	const struct language_device_note *notes = l->device_notes.v;

	for (size_t i = 0; i < l->policy->ndevices && !l->stopped; i++)
		check_device(l, &l->policy->devices[i], &notes[i]);
}

static void resolve_rules(struct language *l)
{
	const struct language_rule_note *notes = l->rule_notes.v;

	for (size_t i = 0; i < l->policy->nrules && !l->stopped; i++) {
		struct policy_rule *rule = &l->policy->rules[i];
		language_resolve_all(
			l, POLICY_KIND_ZONE, &rule->zone_names, &notes[i].zones, rule->zones);
		language_resolve_all(l, POLICY_KIND_LISTENER, &rule->listener_names,
			&notes[i].listeners, rule->listeners);
		resolve_lists_or_hosts(l, POLICY_HOLDS_ADDRESSES, rule->listens,
			&rule->source.list_names, &notes[i].lists[0], rule->source.lists);
		resolve_lists(l, POLICY_HOLDS_ADDRESSES, &rule->destination.list_names,
			&notes[i].lists[1], rule->destination.lists);
		resolve_lists(l, POLICY_HOLDS_MAIL, &rule->sender.list_names, &notes[i].lists[2],
			rule->sender.lists);
		resolve_lists(l, POLICY_HOLDS_MAIL, &rule->recipient.list_names, &notes[i].lists[3],
			rule->recipient.lists);
		language_resolve_all(
			l, POLICY_KIND_SCAN, &rule->scan_names, &notes[i].scans, rule->scans);
		if (rule->to_server && !rule->to_original && !rule->to_protected)
			language_resolve(l, POLICY_KIND_SERVER, &rule->server_name,
				&notes[i].server, &rule->server);
	}
}

static void resolve_listeners(struct language *l)
{
	const struct language_listener_note *notes = l->listener_notes.v;

	for (size_t i = 0; i < l->policy->nlisteners && !l->stopped; i++) {
		struct policy_where *accept = &l->policy->listeners[i].accept;
		resolve_lists_or_hosts(l, POLICY_HOLDS_ADDRESSES, true, &accept->list_names,
			&notes[i].lists, accept->lists);
	}
}

static void resolve_domains(struct language *l)
{
	const struct language_domain_note *notes = l->domain_notes.v;

	for (size_t i = 0; i < l->policy->ndomains && !l->stopped; i++) {
		struct policy_domain *domain = &l->policy->domains[i];
		resolve_lists(
			l, POLICY_HOLDS_HOSTS, &domain->list_names, &notes[i].lists, domain->lists);
		resolve_lists(l, POLICY_HOLDS_MAIL, &domain->recipients.list_names,
			&notes[i].recipients, domain->recipients.lists);
		if (domain->server_name.len > 0)
			language_resolve(l, POLICY_KIND_SERVER, &domain->server_name,
				&notes[i].server, &domain->server);
	}
}

static void set_implied_limits(struct policy *policy)
{
	uint32_t share = policy->limit_flows / POLICY_CLIENT_SHARE;

	for (size_t i = 0; i < policy->nzones; i++)
		for (size_t j = 0; j < policy->zones[i].limits.n; j++)
			if (policy->zones[i].limits.v[j].implied &&
				policy->zones[i].limits.v[j].kind == POLICY_LIMIT_FLOWS)
				policy->zones[i].limits.v[j].count = share ? share : 1;
}

void language_check(struct language *l)
{
	struct policy *policy = l->policy;

	for (size_t i = 0; i < policy->nzones; i++) {
		if (!(policy->zones[i].given & POLICY_ZONE_ON_FAILURE))
			policy->zones[i].on_failure = policy->on_failure;
	}
	set_implied_limits(policy);
	ADD_NAMES(POLICY_KIND_ZONE, "zone", zones, zone);
	ADD_NAMES(POLICY_KIND_LISTENER, "listener", listeners, listener);
	ADD_NAMES(POLICY_KIND_LIST, "list", lists, list);
	ADD_NAMES(POLICY_KIND_CERTIFICATE, "certificate", certificates, certificate);
	ADD_NAMES(POLICY_KIND_AUTH, "auth", auths, auth);
	ADD_NAMES(POLICY_KIND_DOMAIN, "domain", domains, domain);
	ADD_NAMES(POLICY_KIND_SERVER, "server", servers, server);
	ADD_NAMES(POLICY_KIND_SCAN, "scan", scans, scan);
	ADD_NAMES(POLICY_KIND_RADIUS, "radius", radiuses, radius);
	ADD_NAMES(POLICY_KIND_PORTAL, "portal", portals, portal);
	ADD_NAMES(POLICY_KIND_DEVICE, "device", devices, device);
	ADD_NAMES(POLICY_KIND_RULE, "rule", rules, rule);
	resolve_rules(l);
	language_check_tls(l);
	language_check_auth(l);
	language_check_scans(l);
	language_check_radiuses(l);
	language_check_portals(l);
	resolve_listeners(l);
	resolve_domains(l);
	check_devices(l);
	language_check_limits(l);
	language_check_zones(l);
	language_check_servers(l);
	if (l->diagnosis->errors > 0 || l->out_of_memory)
		return;
	/* from here on every name is resolved */
	language_index(l);
	if (l->out_of_memory)
		return;
	language_check_devices_apart(l);
	language_check_credentials(l);
	language_check_rules(l);
	language_check_path_numbers(l);
	language_check_levels(l);
	language_check_paths(l);
	language_check_relay(l);
	language_check_tls_rules(l);
	language_check_auth_rules(l);
	language_check_scan_rules(l);
	language_check_ways(l);
	language_check_shadow(l);
}
