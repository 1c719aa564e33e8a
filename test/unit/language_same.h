/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the equality of two policies, places aside, and of one with what is read of its print.
 * Include cmocka.h first. */
#ifndef POSTERN_TEST_LANGUAGE_SAME_H
#define POSTERN_TEST_LANGUAGE_SAME_H

#include "lib/language/language.h"
#include "lib/policy/element.h"
#include "lib/policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "test/lib/policy_text.h"

#define SAME(member)        assert_true(a->member == b->member)
#define SAME_MEMORY(member) assert_memory_equal(&a->member, &b->member, sizeof(a->member))

static void same_string(const struct policy_string *a, const struct policy_string *b)
{
	SAME(len);
	SAME(hash);
	assert_true(a->len == 0 || strcmp(a->text, b->text) == 0);
}

static void same_strings(const struct policy_strings *a, const struct policy_strings *b)
{
	SAME(n);
	for (size_t i = 0; i < a->n; i++)
		same_string(&a->v[i], &b->v[i]);
}

static void same_array(const void *a, const void *b, size_t n)
{
	if (n > 0)
		assert_memory_equal(a, b, n);
}

static void same_act(const struct policy_act *a, const struct policy_act *b)
{
	SAME(verdict);
	SAME(code);
	SAME(code_given);
	same_string(&a->text, &b->text);
}

static void same_elems(const struct policy_elems *a, const struct policy_elems *b)
{
	SAME(n);
	for (size_t i = 0; i < a->n; i++) {
		SAME(v[i].kind);
		assert_int_equal(element_compare(&a->v[i], &b->v[i]), 0);
		if (a->v[i].kind == POLICY_ELEM_MAC)
			SAME(v[i].spelling);
	}
}

static void same_limits(const struct policy_limits *a, const struct policy_limits *b)
{
	SAME(n);
	for (size_t i = 0; i < a->n; i++) {
		SAME(v[i].implied);
		SAME(v[i].kind);
		SAME(v[i].per);
		SAME(v[i].count);
		SAME(v[i].per_seconds);
		SAME(v[i].block_s);
		SAME(v[i].size_bytes);
		SAME(v[i].over_given);
		SAME(v[i].over_replaces);
	}
}

static void same_client_tls(const struct policy_client_tls *a, const struct policy_client_tls *b)
{
	SAME(given);
	SAME(mode);
	same_strings(&a->certificate_names, &b->certificate_names);
	same_array(a->certificates, b->certificates,
		a->certificate_names.n * sizeof(*a->certificates));
	SAME(client_given);
	SAME(client);
	same_string(&a->ca, &b->ca);
	SAME(legacy);
	SAME(insecure);
}

static void same_server_tls(const struct policy_server_tls *a, const struct policy_server_tls *b)
{
	SAME(given);
	SAME(mode);
	same_strings(&a->names, &b->names);
	SAME(npins);
	same_array(a->pins, b->pins, a->npins * sizeof(*a->pins));
	same_strings(&a->pin_texts, &b->pin_texts);
	SAME(immediate);
	same_string(&a->ca, &b->ca);
	same_string(&a->certificate_name, &b->certificate_name);
	SAME(certificate);
	SAME(legacy);
}

static void same_account(const struct policy_account *a, const struct policy_account *b)
{
	SAME(given);
	same_string(&a->user, &b->user);
	same_string(&a->secret_file, &b->secret_file);
	SAME(sender_given);
	same_string(&a->sender, &b->sender);
	SAME(insecure);
}

static void same_zone(const struct policy_zone *a, const struct policy_zone *b)
{
	same_string(&a->name, &b->name);
	same_strings(&a->interfaces, &b->interfaces);
	SAME(given);
	SAME(networks.n);
	same_array(a->networks.v, b->networks.v, a->networks.n * sizeof(*a->networks.v));
	SAME(ports.n);
	same_array(a->ports.v, b->ports.v, a->ports.n * sizeof(*a->ports.v));
	SAME(identity);
	same_act(&a->unauthenticated, &b->unauthenticated);
	same_act(&a->unmatched, &b->unmatched);
	SAME(on_failure);
	SAME(lease_s);
	SAME(idle_s);
	SAME(reauthenticate_s);
	SAME(logout_keeps);
	SAME(link_down_ends);
	SAME(level);
	SAME(newline);
	same_client_tls(&a->tls, &b->tls);
	same_limits(&a->limits, &b->limits);
	same_string(&a->comment, &b->comment);
}

static void same_server(const struct policy_server *a, const struct policy_server *b)
{
	same_string(&a->name, &b->name);
	SAME(given);
	SAME(nhosts);
	for (size_t i = 0; i < a->nhosts; i++) {
		SAME(hosts[i].given);
		SAME(hosts[i].is_mx);
		SAME_MEMORY(hosts[i].addr);
		same_string(&a->hosts[i].name, &b->hosts[i].name);
		SAME(hosts[i].port);
		SAME(hosts[i].preference);
		SAME(hosts[i].weight);
		SAME(hosts[i].limit_flows);
		same_server_tls(&a->hosts[i].tls, &b->hosts[i].tls);
	}
	SAME(bind);
	SAME_MEMORY(bind_addr);
	SAME(announce);
	SAME(announce_login);
	SAME(probe);
	SAME(probe_every_s);
	SAME(first_ms);
	SAME(connect_ms);
	SAME(greeting_ms);
	SAME(idle_ms);
	SAME(command_ms);
	SAME(trace);
	SAME(path);
	same_server_tls(&a->tls, &b->tls);
	same_account(&a->account, &b->account);
	SAME(limit_flows);
	same_string(&a->comment, &b->comment);
}

static void same_device(const struct policy_device *a, const struct policy_device *b)
{
	same_string(&a->name, &b->name);
	same_string(&a->zone_name, &b->zone_name);
	SAME(zone);
	SAME(nmacs);
	same_array(a->macs, b->macs, a->nmacs * sizeof(*a->macs));
	same_array(a->spellings, b->spellings, a->nmacs * sizeof(*a->spellings));
	same_strings(&a->mac_list_names, &b->mac_list_names);
	SAME(addresses.n);
	same_array(a->addresses.v, b->addresses.v, a->addresses.n * sizeof(*a->addresses.v));
	same_strings(&a->list_names, &b->list_names);
	same_array(a->lists, b->lists, a->list_names.n * sizeof(*a->lists));
	same_string(&a->user, &b->user);
	same_strings(&a->groups, &b->groups);
	same_string(&a->comment, &b->comment);
}

static void same_where(const struct policy_where *a, const struct policy_where *b)
{
	SAME(given);
	SAME(any);
	SAME(negated);
	same_elems(&a->elems, &b->elems);
	same_strings(&a->list_names, &b->list_names);
	same_array(a->lists, b->lists, a->list_names.n * sizeof(*a->lists));
	SAME(protected);
	assert_true(!a->index == !b->index);
	assert_true(!a->hosts == !b->hosts);
}

static void same_mails(const struct policy_mails *a, const struct policy_mails *b)
{
	SAME(given);
	SAME(none);
	SAME(own);
	SAME(protected);
	SAME(negated);
	same_elems(&a->elems, &b->elems);
	same_strings(&a->list_names, &b->list_names);
	same_array(a->lists, b->lists, a->list_names.n * sizeof(*a->lists));
	assert_true(!a->index == !b->index);
}

static void same_listener(const struct policy_listener *a, const struct policy_listener *b)
{
	same_string(&a->name, &b->name);
	SAME(given);
	SAME(naddresses);
	same_array(a->addresses, b->addresses, a->naddresses * sizeof(*a->addresses));
	SAME(ports.n);
	same_array(a->ports.v, b->ports.v, a->ports.n * sizeof(*a->ports.v));
	same_client_tls(&a->tls, &b->tls);
	same_strings(&a->auth_names, &b->auth_names);
	same_array(a->auths, b->auths, a->auth_names.n * sizeof(*a->auths));
	same_where(&a->accept, &b->accept);
	SAME(newline);
	same_act(&a->unmatched, &b->unmatched);
	same_limits(&a->limits, &b->limits);
	same_string(&a->comment, &b->comment);
}

static void same_ldap(const struct policy_ldap *a, const struct policy_ldap *b)
{
	same_strings(&a->urls, &b->urls);
	same_string(&a->base, &b->base);
	same_string(&a->filter, &b->filter);
	same_string(&a->bind, &b->bind);
	same_string(&a->secret_file, &b->secret_file);
	same_string(&a->group, &b->group);
	same_string(&a->prefix, &b->prefix);
	same_string(&a->mail, &b->mail);
	same_string(&a->ca, &b->ca);
	SAME(insecure);
}

static void same_auth(const struct policy_auth *a, const struct policy_auth *b)
{
	same_string(&a->name, &b->name);
	SAME(kind);
	same_ldap(&a->ldap, &b->ldap);
	same_string(&a->server_name, &b->server_name);
	SAME(server);
	same_string(&a->path, &b->path);
	same_strings(&a->mechanisms, &b->mechanisms);
	same_string(&a->domain, &b->domain);
	same_string(&a->comment, &b->comment);
}

static void same_scan(const struct policy_scan *a, const struct policy_scan *b)
{
	same_string(&a->name, &b->name);
	SAME(given);
	SAME(kind);
	same_string(&a->address, &b->address);
	same_string(&a->path, &b->path);
	same_string(&a->host, &b->host);
	SAME_MEMORY(addr);
	SAME(port);
	SAME(mode);
	SAME(on_failure);
	SAME(deadline_ms);
	SAME(quarantine);
	same_string(&a->comment, &b->comment);
}

static void same_portal(const struct policy_portal *a, const struct policy_portal *b)
{
	same_string(&a->name, &b->name);
	SAME(given);
	same_strings(&a->zone_names, &b->zone_names);
	same_array(a->zones, b->zones, a->zone_names.n * sizeof(*a->zones));
	same_strings(&a->names, &b->names);
	SAME(naddresses);
	same_array(a->addresses, b->addresses, a->naddresses * sizeof(*a->addresses));
	SAME(port);
	SAME(http_port);
	same_strings(&a->certificate_names, &b->certificate_names);
	same_array(a->certificates, b->certificates,
		a->certificate_names.n * sizeof(*a->certificates));
	same_strings(&a->auth_names, &b->auth_names);
	same_array(a->auths, b->auths, a->auth_names.n * sizeof(*a->auths));
	same_string(&a->terms_file, &b->terms_file);
	same_string(&a->logo_file, &b->logo_file);
	same_string(&a->texts_file, &b->texts_file);
	same_string(&a->comment, &b->comment);
}

static void same_radius_source(
	const struct policy_radius_source *a, const struct policy_radius_source *b)
{
	SAME(prefixes.n);
	same_array(a->prefixes.v, b->prefixes.v, a->prefixes.n * sizeof(*a->prefixes.v));
	same_string(&a->secret_file, &b->secret_file);
}

static void same_radius_zone(const struct policy_radius_zone *a, const struct policy_radius_zone *b)
{
	same_string(&a->zone_name, &b->zone_name);
	SAME(zone);
	same_strings(&a->ssids, &b->ssids);
	same_strings(&a->nases, &b->nases);
	SAME(nwlans);
	same_array(a->wlans, b->wlans, a->nwlans * sizeof(*a->wlans));
}

static void same_radius(const struct policy_radius *a, const struct policy_radius *b)
{
	same_string(&a->name, &b->name);
	SAME(given);
	SAME(naddresses);
	same_array(a->addresses, b->addresses, a->naddresses * sizeof(*a->addresses));
	SAME(port);
	SAME(nsources);
	for (size_t i = 0; i < a->nsources; i++)
		same_radius_source(&a->sources[i], &b->sources[i]);
	SAME(nzones);
	for (size_t i = 0; i < a->nzones; i++)
		same_radius_zone(&a->zones[i], &b->zones[i]);
	SAME(nusers);
	SAME_MEMORY(users);
	same_strings(&a->ignored, &b->ignored);
	SAME(group);
	same_string(&a->prefix, &b->prefix);
	SAME(timeout_s);
	SAME(skew_s);
	SAME(restart_keeps);
	same_string(&a->comment, &b->comment);
}

static void same_domain(const struct policy_domain *a, const struct policy_domain *b)
{
	same_string(&a->name, &b->name);
	same_strings(&a->names, &b->names);
	same_strings(&a->list_names, &b->list_names);
	same_array(a->lists, b->lists, a->list_names.n * sizeof(*a->lists));
	same_string(&a->server_name, &b->server_name);
	SAME(server);
	SAME(recipient_any);
	same_mails(&a->recipients, &b->recipients);
	same_string(&a->comment, &b->comment);
}

static void same_rule(const struct policy_rule *a, const struct policy_rule *b)
{
	same_string(&a->name, &b->name);
	same_strings(&a->zone_names, &b->zone_names);
	same_array(a->zones, b->zones, a->zone_names.n * sizeof(*a->zones));
	SAME(listens);
	SAME(listener_negated);
	same_strings(&a->listener_names, &b->listener_names);
	same_array(a->listeners, b->listeners, a->listener_names.n * sizeof(*a->listeners));
	SAME(user_given);
	SAME(user_none);
	SAME(user_any);
	SAME(user_negated);
	same_strings(&a->users, &b->users);
	SAME(group_given);
	SAME(group_negated);
	same_strings(&a->groups, &b->groups);
	SAME(ports.n);
	same_array(a->ports.v, b->ports.v, a->ports.n * sizeof(*a->ports.v));
	same_where(&a->source, &b->source);
	same_where(&a->destination, &b->destination);
	same_mails(&a->sender, &b->sender);
	same_mails(&a->recipient, &b->recipient);
	SAME(tls.given);
	SAME(tls.negated);
	SAME(tls.verified);
	same_strings(&a->tls.names, &b->tls.names);
	SAME(schedule.n);
	same_array(a->schedule.v, b->schedule.v, a->schedule.n * sizeof(*a->schedule.v));
	SAME(to_server);
	SAME(to_original);
	SAME(to_protected);
	same_string(&a->server_name, &b->server_name);
	SAME(server);
	same_act(&a->act, &b->act);
	SAME(scan_none);
	same_strings(&a->scan_names, &b->scan_names);
	same_array(a->scans, b->scans, a->scan_names.n * sizeof(*a->scans));
	same_limits(&a->limits, &b->limits);
	SAME(limit_none);
	SAME(audit_given);
	SAME(audit);
	SAME(disabled);
	same_string(&a->comment, &b->comment);
}

static void same_policy(const struct policy *a, const struct policy *b)
{
	SAME(given);
	same_string(&a->hostname, &b->hostname);
	SAME(on_failure);
	SAME(drain_s);
	SAME(limit_flows);
	SAME(audit_keep_s);
	SAME(audit_size_bytes);
	SAME(audit_names_none);
	SAME(log_level);
	SAME_MEMORY(metrics_addr);
	SAME(metrics_port);
	SAME(nzones);
	SAME(nlisteners);
	SAME(nlists);
	SAME(ncertificates);
	SAME(nauths);
	SAME(ndomains);
	SAME(nservers);
	SAME(nscans);
	SAME(nradiuses);
	SAME(nportals);
	SAME(ndevices);
	SAME(nrules);
	for (size_t i = 0; i < a->nzones; i++)
		same_zone(&a->zones[i], &b->zones[i]);
	for (size_t i = 0; i < a->nlisteners; i++)
		same_listener(&a->listeners[i], &b->listeners[i]);
	for (size_t i = 0; i < a->nauths; i++)
		same_auth(&a->auths[i], &b->auths[i]);
	for (size_t i = 0; i < a->ndomains; i++)
		same_domain(&a->domains[i], &b->domains[i]);
	for (size_t i = 0; i < a->nlists; i++) {
		same_string(&a->lists[i].name, &b->lists[i].name);
		SAME(lists[i].kind);
		SAME(lists[i].holds);
		SAME(lists[i].holds_given);
		same_string(&a->lists[i].path, &b->lists[i].path);
		same_elems(&a->lists[i].elems, &b->lists[i].elems);
	}
	for (size_t i = 0; i < a->ncertificates; i++) {
		same_string(&a->certificates[i].name, &b->certificates[i].name);
		same_string(&a->certificates[i].file, &b->certificates[i].file);
		same_string(&a->certificates[i].key, &b->certificates[i].key);
	}
	for (size_t i = 0; i < a->nservers; i++)
		same_server(&a->servers[i], &b->servers[i]);
	for (size_t i = 0; i < a->nscans; i++)
		same_scan(&a->scans[i], &b->scans[i]);
	for (size_t i = 0; i < a->nportals; i++)
		same_portal(&a->portals[i], &b->portals[i]);
	for (size_t i = 0; i < a->nradiuses; i++)
		same_radius(&a->radiuses[i], &b->radiuses[i]);
	for (size_t i = 0; i < a->ndevices; i++)
		same_device(&a->devices[i], &b->devices[i]);
	for (size_t i = 0; i < a->nrules; i++)
		same_rule(&a->rules[i], &b->rules[i]);
}

/* Is a text in canonical form printed as it is, read as the same, and told in full the same way
 * again? */
static inline void same_printed(const char *text)
{
	struct policy *policy = policy_of_text(text, NULL);
	char *canonical = language_print(policy, LANGUAGE_PRINT_CANONICAL, NULL);
	char *full = language_print(policy, LANGUAGE_PRINT_FULL, NULL);
	struct policy *again = policy_of_text(canonical, NULL);
	struct policy *of_full = policy_of_text(full, NULL);
	char *twice = language_print(of_full, LANGUAGE_PRINT_FULL, NULL);

	assert_string_equal(canonical, text);
	same_policy(policy, again);
	assert_string_equal(full, twice);
	policy_unref(policy);
	policy_unref(again);
	policy_unref(of_full);
	free(canonical);
	free(full);
	free(twice);
}

#endif
