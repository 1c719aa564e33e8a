/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"

#include <stdlib.h>
#include <string.h>

/* Is the port redirected in one of the rule's zones, or that of one of its listeners? */
static bool port_redirected(
	const struct policy *policy, const struct policy_rule *rule, uint16_t port)
{
	size_t n = rule->zone_names.n;

	for (size_t i = 0; i < policy->nlisteners && rule->listens; i++)
		for (size_t j = 0; j < policy->listeners[i].ports.n; j++)
			if (policy_rule_in_listener(rule, i) &&
				policy->listeners[i].ports.v[j] == port)
				return true;
	for (size_t i = 0; i < (n ? n : policy->nzones) && !rule->listens; i++) {
		if (policy_zone_has_port(&policy->zones[n ? rule->zones[i] : i], port))
			return true;
	}
	return false;
}

static void check_ports(struct language *l, const struct policy_rule *rule,
	const struct language_rule_note *note, unsigned *budget)
{
	size_t zones = rule->zone_names.n ? rule->zone_names.n : l->policy->nzones;

	for (size_t i = 0; i < rule->ports.n; i++) {
		if (zones >= *budget)
			return;
		*budget -= (unsigned)zones + 1;
		if (port_redirected(l->policy, rule, rule->ports.v[i]))
			continue;
		language_warn(l, &note->ports.v[i],
			"no %s of rule %s %s port %u, so it cannot match there",
			rule->listens ? "listener" : "zone", rule->name.text,
			rule->listens ? "has" : "redirects", rule->ports.v[i]);
	}
}

/* For every zone the first enabled rule that redirects in it; SIZE_MAX: none. */
static void find_redirects(const struct policy *policy, size_t *first)
{
	size_t everywhere = SIZE_MAX;

	for (size_t i = 0; i < policy->nzones; i++)
		first[i] = SIZE_MAX;
	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (rule->disabled || !rule->to_server || rule->listens)
			continue;
		if (rule->zone_names.n == 0 && everywhere == SIZE_MAX)
			everywhere = i;
		for (size_t j = 0; j < rule->zone_names.n; j++) {
			if (first[rule->zones[j]] == SIZE_MAX)
				first[rule->zones[j]] = i;
		}
	}
	for (size_t i = 0; i < policy->nzones; i++) {
		if (everywhere < first[i])
			first[i] = everywhere;
	}
}

/* What the operator's firewall forbids to the clients does not hold for the gateway itself. Said
 * once: it is the same for every such rule. */
static void check_original(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_rule_note *notes = l->rule_notes.v;

	for (size_t i = 0; i < policy->nrules; i++) {
		const struct policy_rule *rule = &policy->rules[i];
		if (rule->disabled || !rule->to_original || rule->destination.given)
			continue;
		language_warn(l, &notes[i].server,
			"the gateway itself connects to the original, past the forward chain of "
			"its firewall: say with `destination not LIST` what is not to be reached, "
			"or `destination any`");
		return;
	}
}

void language_check_rules(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_rule_note *notes = l->rule_notes.v;
	const struct language_zone_note *zone_notes = l->zone_notes.v;
	size_t *first = calloc(policy->nzones + 1, sizeof(*first));
	unsigned budget = 10000000; /* comparisons, in all */

	if (!first) {
		language_out_of_memory(l);
		return;
	}
	find_redirects(policy, first);
	check_original(l);
	for (size_t i = 0; i < policy->nzones; i++) {
		const struct policy_zone *zone = &policy->zones[i];
		if (zone->unauthenticated.verdict != POLICY_VERDICT_PASS || first[i] == SIZE_MAX)
			continue;
		language_warn(l, &zone_notes[i].name,
			"zone %s has `unauthenticated pass`: who does not log in bypasses rule %s",
			zone->name.text, policy->rules[first[i]].name.text);
	}
	for (size_t i = 0; i < policy->nrules; i++) {
		if (!policy->rules[i].disabled)
			check_ports(l, &policy->rules[i], &notes[i], &budget);
	}
	free(first);
}
