/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What scans ask of a policy, and rules that have messages scanned. */
#include "lib/language/parse.h"

#include <stdio.h>
#include <string.h>

/* ---- scans */

/* Nobody would answer but ourselves, and he would ask for a scan again. */
static void check_listener(
	struct language *l, const struct policy_scan *scan, const struct language_scan_note *note)
{
	if (scan->addr.family != ADDR_NONE && language_is_listener(l, &scan->addr, scan->port))
		language_fault(l, &note->value,
			"host %s port %u is a listener of our own, expected another host or port",
			scan->host.text, scan->port);
}

static void check_uses(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_scan_note *notes = l->scan_notes.v;
	unsigned used = 0;

	for (size_t i = 0; i < policy->nrules; i++)
		used |= policy_rule_scans(&policy->rules[i]);
	for (size_t i = 0; i < policy->nscans && !l->stopped; i++)
		if (!(used & 1u << i))
			language_warn(l, &notes[i].name,
				"no rule has scan %s: no message is scanned by it, expected `scan "
				"%s` in a rule",
				policy->scans[i].name.text, policy->scans[i].name.text);
}

/* ---- rules */

static void check_list(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	for (size_t i = 0; i < rule->scan_names.n; i++)
		for (size_t j = 0; j < i; j++)
			if (policy_string_equal(&rule->scan_names.v[i], &rule->scan_names.v[j]))
				language_error(l, &note->scans.v[i],
					"scan %s stands twice, expected once",
					rule->scan_names.v[i].text);
	if (!rule->to_server && rule->scan_names.n > 0)
		language_error(l, &note->scan,
			"rule %s takes no message, so that none can be scanned; expected `server` "
			"in it, or no `scan`",
			rule->name.text);
}

/* Addresses that are of nobody's network but one's own (RFC 1918, 6598, 4193). */
static bool is_private(const struct addr *addr)
{
	static const struct prefix private[] = {{{{10}, ADDR_IP4}, 8}, {{{172, 16}, ADDR_IP4}, 12},
		{{{192, 168}, ADDR_IP4}, 16}, {{{100, 64}, ADDR_IP4}, 10}, {{{0xfc}, ADDR_IP6}, 7}};

	for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++)
		if (prefix_contains(&private[i], addr))
			return true;
	return addr_is_loopback(addr) || addr_is_link_local(addr);
}

/* Out on the Internet: it is reached as all that is not near. */
static bool is_outside(const struct language_world *world, const struct addr *addr)
{
	if (addr->family == ADDR_NONE || is_private(addr) || !world->way || !world->uplink)
		return false;
	const char *uplink = world->uplink(world->context, (enum addr_family)addr->family);
	char out[POLICY_IFNAME_SIZE];
	snprintf(out, sizeof(out), "%s", uplink ? uplink : "");
	const char *way = *out ? world->way(world->context, addr) : NULL;
	return way && strcmp(way, out) == 0;
}

/* Not ours: one where we have an account, one that DNS names for a domain, or that the client
 * chose, or one out on the Internet. */
static bool is_foreign(const struct language *l, const struct policy_rule *rule)
{
	if (rule->to_protected || rule->to_original)
		return rule->to_original;
	const struct policy_server *server = &l->policy->servers[rule->server];
	bool foreign = server->account.given;
	for (size_t i = 0; !foreign && i < server->nhosts; i++)
		foreign = server->hosts[i].is_mx || is_outside(l->world, &server->hosts[i].addr);
	return foreign;
}

/* It has all but the last dot while the scan takes its time. */
static void check_held(
	struct language *l, const struct policy_rule *rule, const struct language_rule_note *note)
{
	const struct policy *policy = l->policy;

	if (!rule->to_server || rule->disabled || !is_foreign(l, rule))
		return;
	for (size_t i = 0; i < rule->scan_names.n; i++)
		if (policy->scans[rule->scans[i]].mode == POLICY_SCAN_WHOLE)
			return;
	language_warn(l, &note->scan,
		"%s, which is not ours, is held up in the middle of each message while this "
		"scans, and may close before the verdict; expected `mode whole`",
		rule->to_original ? "the original server" : rule->server_name.text);
}

void language_check_scan_rules(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_rule_note *notes = l->rule_notes.v;

	for (size_t i = 0; i < policy->nrules && !l->stopped; i++)
		if (policy->rules[i].scan_names.n > 0) {
			check_list(l, &policy->rules[i], &notes[i]);
			check_held(l, &policy->rules[i], &notes[i]);
		}
	check_uses(l);
}

void language_check_scans(struct language *l)
{
	const struct policy *policy = l->policy;
	const struct language_scan_note *notes = l->scan_notes.v;

	if (policy->nscans > POLICY_SCANS_MAX)
		language_error(l, &notes[POLICY_SCANS_MAX].name, "%zu scans, expected at most %d",
			policy->nscans, POLICY_SCANS_MAX);
	for (size_t i = 0; i < policy->nscans && !l->stopped; i++)
		check_listener(l, &policy->scans[i], &notes[i]);
}
