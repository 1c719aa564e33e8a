/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/language.h"

#include <assert.h>
#include <string.h>

static const char *const words[] = {[POLICY_KIND_ZONE] = "zone",
	[POLICY_KIND_LISTENER] = "listener",
	[POLICY_KIND_LIST] = "list",
	[POLICY_KIND_CERTIFICATE] = "certificate",
	[POLICY_KIND_AUTH] = "auth",
	[POLICY_KIND_DOMAIN] = "domain",
	[POLICY_KIND_SERVER] = "server",
	[POLICY_KIND_SCAN] = "scan",
	[POLICY_KIND_RADIUS] = "radius",
	[POLICY_KIND_PORTAL] = "portal",
	[POLICY_KIND_DEVICE] = "device",
	[POLICY_KIND_RULE] = "rule"};
static_assert(sizeof(words) / sizeof(*words) == LANGUAGE_KINDS, "a word for each kind");

const char *language_kind_word(enum policy_kind kind)
{
	return words[kind];
}

bool language_kind_of(const char *word, enum policy_kind *kind)
{
	for (unsigned i = 0; i < LANGUAGE_KINDS; i++) {
		if (strcmp(words[i], word) != 0)
			continue;
		*kind = (enum policy_kind)i;
		return true;
	}
	return false;
}

size_t language_count(const struct policy *policy, enum policy_kind kind)
{
	switch (kind) {
	case POLICY_KIND_ZONE:
		return policy->nzones;
	case POLICY_KIND_LISTENER:
		return policy->nlisteners;
	case POLICY_KIND_LIST:
		return policy->nlists;
	case POLICY_KIND_CERTIFICATE:
		return policy->ncertificates;
	case POLICY_KIND_AUTH:
		return policy->nauths;
	case POLICY_KIND_DOMAIN:
		return policy->ndomains;
	case POLICY_KIND_SERVER:
		return policy->nservers;
	case POLICY_KIND_SCAN:
		return policy->nscans;
	case POLICY_KIND_RADIUS:
		return policy->nradiuses;
	case POLICY_KIND_PORTAL:
		return policy->nportals;
	case POLICY_KIND_DEVICE:
		return policy->ndevices;
	case POLICY_KIND_RULE:
		return policy->nrules;
	}
	return 0;
}

const char *language_name_at(const struct policy *policy, enum policy_kind kind, size_t i)
{
	switch (kind) {
	case POLICY_KIND_ZONE:
		return policy->zones[i].name.text;
	case POLICY_KIND_LISTENER:
		return policy->listeners[i].name.text;
	case POLICY_KIND_LIST:
		return policy->lists[i].name.text;
	case POLICY_KIND_CERTIFICATE:
		return policy->certificates[i].name.text;
	case POLICY_KIND_AUTH:
		return policy->auths[i].name.text;
	case POLICY_KIND_DOMAIN:
		return policy->domains[i].name.text;
	case POLICY_KIND_SERVER:
		return policy->servers[i].name.text;
	case POLICY_KIND_SCAN:
		return policy->scans[i].name.text;
	case POLICY_KIND_RADIUS:
		return policy->radiuses[i].name.text;
	case POLICY_KIND_PORTAL:
		return policy->portals[i].name.text;
	case POLICY_KIND_DEVICE:
		return policy->devices[i].name.text;
	case POLICY_KIND_RULE:
		return policy->rules[i].name.text;
	}
	return "";
}

ptrdiff_t language_find(const struct policy *policy, enum policy_kind kind, const char *name)
{
	switch (kind) {
	case POLICY_KIND_ZONE:
		return policy_find_zone(policy, name);
	case POLICY_KIND_LISTENER:
		return policy_find_listener(policy, name);
	case POLICY_KIND_LIST:
		return policy_find_list(policy, name);
	case POLICY_KIND_CERTIFICATE:
		return policy_find_certificate(policy, name);
	case POLICY_KIND_AUTH:
		return policy_find_auth(policy, name);
	case POLICY_KIND_DOMAIN:
		return policy_find_domain(policy, name);
	case POLICY_KIND_SERVER:
		return policy_find_server(policy, name);
	case POLICY_KIND_SCAN:
		return policy_find_scan(policy, name);
	case POLICY_KIND_RADIUS:
		return policy_find_radius(policy, name);
	case POLICY_KIND_PORTAL:
		return policy_find_portal(policy, name);
	case POLICY_KIND_DEVICE:
		return policy_find_device(policy, name);
	case POLICY_KIND_RULE:
		return policy_find_rule(policy, name);
	}
	return -1;
}
