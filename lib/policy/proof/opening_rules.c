/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation. A client that a rule r of the running policy redirects passes under the
 * coming one only if something changed: r itself (gone, disabled, narrower, moved), or a rule p
 * that passes (new, enabled, wider, moved). So only pairs of an r and a p of which one changed are
 * looked at, and for them a client is searched that both would take. */
#include "lib/policy/proof/opening.h"

#include "lib/base/net/lpm.h"
#include "lib/language/language.h"
#include "lib/policy/decide/rule.h"
#include "lib/policy/element.h"
#include "lib/policy/proof/opening_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKS_MOST 30000000u /* at rules, in all: about a second */

struct comparing {
	struct decide_world running, coming;
	bool *changed[2]; /* of the rules of each */
	uint64_t now_ms;
	uint64_t left; /* looks */
	opening_say *say;
	void *context;
};

/* ---- what changed ---- */

static bool same_elems(const struct policy_list *a, const struct policy_list *b)
{
	bool same = a->kind == b->kind && a->elems.n == b->elems.n;
	for (size_t i = 0; same && i < a->elems.n; i++)
		same = element_compare(&a->elems.v[i], &b->elems.v[i]) == 0;
	return same;
}

static bool same_lists(
	const struct policy *running, const struct policy *coming, const struct policy_where *where)
{
	for (size_t i = 0; i < where->list_names.n; i++) {
		ptrdiff_t a = policy_find_list(running, where->list_names.v[i].text);
		ptrdiff_t b = policy_find_list(coming, where->list_names.v[i].text);
		if (a < 0 || b < 0 || !same_elems(&running->lists[a], &coming->lists[b]))
			return false;
	}
	return true;
}

static bool same_rule(const struct policy *running, size_t a, const struct policy *coming, size_t b)
{
	const struct policy_rule *rule = &running->rules[a];
	char *one = language_print_rule(running, a, LANGUAGE_PRINT_CANONICAL);
	char *other = language_print_rule(coming, b, LANGUAGE_PRINT_CANONICAL);
	bool same = one && other && strcmp(one, other) == 0 &&
		    same_lists(running, coming, &rule->source) &&
		    same_lists(running, coming, &rule->destination);
	free(one);
	free(other);
	return same;
}

/* Of the rules that are in both, those between the first and the last that stand elsewhere have
 * moved. changed[]: whether a rule is not in the other policy in the same words. */
static bool mark_moved(struct comparing *comparing)
{
	const struct policy *a = comparing->running.policy, *b = comparing->coming.policy;
	size_t *kept[2] = {
		calloc(a->nrules + 1, sizeof(size_t)), calloc(b->nrules + 1, sizeof(size_t))};
	size_t n[2] = {0, 0};
	bool good = kept[0] && kept[1];
	for (size_t i = 0; good && i < a->nrules; i++)
		if (!comparing->changed[0][i])
			kept[0][n[0]++] = i;
	for (size_t i = 0; good && i < b->nrules; i++)
		if (!comparing->changed[1][i])
			kept[1][n[1]++] = i;
	size_t from = 0, to = n[0];
#define SAME(i) policy_string_equal(&a->rules[kept[0][i]].name, &b->rules[kept[1][i]].name)
	while (good && from < to && SAME(from))
		from++;
	while (good && to > from && SAME(to - 1))
		to--;
#undef SAME
	for (size_t i = from; good && i < to; i++)
		comparing->changed[0][kept[0][i]] = comparing->changed[1][kept[1][i]] = true;
	free(kept[0]);
	free(kept[1]);
	return good;
}

static bool mark_changed(struct comparing *comparing)
{
	const struct policy *a = comparing->running.policy, *b = comparing->coming.policy;
	comparing->changed[0] = calloc(a->nrules + 1, sizeof(bool));
	comparing->changed[1] = calloc(b->nrules + 1, sizeof(bool));
	if (!comparing->changed[0] || !comparing->changed[1])
		return false;
	memset(comparing->changed[1], true, b->nrules);
	for (size_t i = 0; i < a->nrules; i++) {
		ptrdiff_t at = policy_find_rule(b, a->rules[i].name.text);
		bool same = at >= 0 && same_rule(a, i, b, (size_t)at);
		comparing->changed[0][i] = !same;
		if (same)
			comparing->changed[1][at] = false;
	}
	return mark_moved(comparing);
}

/* ---- all pairs ---- */

/* Its flows come to the gateway, and go on from there: to a server, or to be read first. */
static bool redirects(const struct policy_rule *rule)
{
	return !rule->disabled && (rule->to_server || level_of_rule(rule) != LEVEL_NO_WORD);
}

/* What lets pass in this zone, from *at on; NULL: nothing more. */
static const struct policy_rule *next_pass(const struct policy *policy, size_t zone, size_t *at)
{
	while (*at < policy->nrules) {
		const struct policy_rule *rule = &policy->rules[(*at)++];
		if (!rule->disabled && !rule->to_server &&
			rule->act.verdict == POLICY_VERDICT_PASS && policy_rule_in_zone(rule, zone))
			return rule;
	}
	return NULL;
}

static struct opening_search search_of(
	const struct comparing *comparing, size_t zone, size_t zone_coming)
{
	return (struct opening_search){.world = {comparing->running, comparing->coming},
		.zone = {zone, zone_coming},
		.now_ms = comparing->now_ms,
		.left = comparing->left};
}

static void say_pair(struct comparing *comparing, const struct opening_search *search,
	const struct policy_rule *r)
{
	const struct policy *coming = comparing->coming.policy;
	char text[256];
	if (search->found >= 0)
		snprintf(text, sizeof(text), "rule %s would pass what rule %s redirects",
			coming->rules[search->found].name.text, r->name.text);
	else
		snprintf(text, sizeof(text), "`unmatched pass` would meet what rule %s redirects",
			r->name.text);
	comparing->say(comparing->context,
		comparing->running.policy->zones[search->zone[0]].name.text, text);
}

/* true: found, and one of a rule that lets pass is enough; or it takes too long. */
static bool look_at_pair(struct comparing *comparing, size_t zone, size_t zone_coming,
	const struct policy_rule *r, const struct policy_rule *p)
{
	struct opening_search search = search_of(comparing, zone, zone_coming);
	bool found = opening_search(&search, r, p);
	comparing->left = search.left;
	if (found)
		say_pair(comparing, &search, r);
	return found || !comparing->left;
}

static void look_at_zone(struct comparing *comparing, size_t zone, size_t zone_coming)
{
	const struct policy *a = comparing->running.policy, *b = comparing->coming.policy;
	size_t at = 0;
	bool last = b->zones[zone_coming].unmatched.verdict == POLICY_VERDICT_PASS;
	for (const struct policy_rule *p; (p = next_pass(b, zone_coming, &at)) || last;) {
		bool p_changed = p && comparing->changed[1][p - b->rules];
		for (size_t i = 0; i < a->nrules; i++) {
			const struct policy_rule *r = &a->rules[i];
			if (!redirects(r) || !policy_rule_in_zone(r, zone) ||
				!(p_changed || comparing->changed[0][i]))
				continue;
			if (look_at_pair(comparing, zone, zone_coming, r, p))
				break;
		}
		if (!p)
			last = false;
	}
}

/* A zone whose name is gone, and whose clients are another's: nobody knows them there. */
static void look_at_renamed(struct comparing *comparing, size_t zone)
{
	const struct policy *a = comparing->running.policy, *b = comparing->coming.policy;
	char text[256];
	bool found = false;
	for (size_t i = 0; i < a->nrules && !found; i++)
		found = redirects(&a->rules[i]) && policy_rule_in_zone(&a->rules[i], zone);
	for (size_t i = 0; found && i < b->nzones; i++) {
		if (b->zones[i].unauthenticated.verdict != POLICY_VERDICT_PASS)
			continue;
		for (size_t j = 0; j < b->zones[i].interfaces.n; j++) {
			const char *name = b->zones[i].interfaces.v[j].text;
			bool shared = false;
			for (size_t k = 0; k < a->zones[zone].interfaces.n && !shared; k++)
				shared = policy_interface_match(
					name, a->zones[zone].interfaces.v[k].text);
			if (!shared)
				continue;
			snprintf(text, sizeof(text),
				"its clients come to zone %s, where who is not logged in passes",
				b->zones[i].name.text);
			comparing->say(comparing->context, a->zones[zone].name.text, text);
			return;
		}
	}
}

/* One that it is known by; of a dynamic list, none. */
static struct mac mac_of(const struct policy *policy, const struct policy_device *device)
{
	if (device->nmacs)
		return device->macs[0];
	for (size_t i = 0; i < device->mac_list_names.n; i++) {
		const struct policy_elems *elems = &policy->lists[device->mac_lists[i]].elems;
		for (size_t j = 0; j < elems->n; j++)
			if (elems->v[j].kind == POLICY_ELEM_MAC)
				return elems->v[j].mac;
	}
	return (struct mac){{0}};
}

static bool has_mac(
	const struct policy *policy, const struct policy_device *device, const struct mac *mac)
{
	for (size_t i = 0; i < device->nmacs; i++)
		if (mac_equal(&device->macs[i], mac))
			return true;
	for (size_t i = 0; i < device->mac_list_names.n; i++) {
		const struct lpm *index = policy->lists[device->mac_lists[i]].index;
		if (index && lpm_find_mac(index, mac))
			return true;
	}
	return false;
}

static bool has_address(const struct policy_device *device, const struct prefix *prefix)
{
	for (size_t i = 0; i < device->addresses.n; i++)
		if (device->addresses.v[i].len <= prefix->len &&
			prefix_contains(&device->addresses.v[i], &prefix->addr))
			return true;
	return false;
}

/* Whom the coming policy takes the device for; NULL: for nobody it knows. */
static const struct policy_device *find_again(const struct policy *coming, size_t zone,
	const struct policy_device *device, const struct mac *mac)
{
	for (size_t i = 0; i < coming->ndevices; i++) {
		const struct policy_device *other = &coming->devices[i];
		bool same = mac_is_set(mac) ? has_mac(coming, other, mac)
			    : device->addresses.n
				    ? has_address(other, &device->addresses.v[0])
				    : policy_string_equal(&other->name, &device->name);
		if (other->zone == zone && same)
			return other;
	}
	return NULL;
}

static struct session session_of(const struct policy_device *device)
{
	return (struct session){.kind = SESSION_DEVICE,
		.user = device->user,
		.groups = device->groups.v,
		.ngroups = device->groups.n};
}

static void say_device(struct comparing *comparing, const struct opening_search *search,
	const struct policy_rule *r)
{
	const struct policy_device *device = search->device;
	char text[384];
	if (search->unknown)
		snprintf(text, sizeof(text),
			"device %s would be unknown, and who is not logged in passes",
			device->name.text);
	else if (search->found >= 0)
		snprintf(text, sizeof(text), "device %s: rule %s would pass what rule %s redirects",
			device->name.text, comparing->coming.policy->rules[search->found].name.text,
			r->name.text);
	else
		snprintf(text, sizeof(text),
			"device %s: `unmatched pass` would meet what rule %s redirects",
			device->name.text, r->name.text);
	comparing->say(comparing->context, device->zone_name.text, text);
}

/* Would p let the device pass, p NULL: what no rule takes? */
static bool look_at_device_pass(
	struct comparing *comparing, struct opening_search *search, const struct policy_rule *p)
{
	const struct policy *running = comparing->running.policy;
	bool found = false;
	for (size_t i = 0; i < running->nrules && !found && search->left; i++) {
		const struct policy_rule *r = &running->rules[i];
		if (!redirects(r) || !policy_rule_in_zone(r, search->zone[0]))
			continue;
		found = opening_search(search, r, p);
		if (found)
			say_device(comparing, search, r);
	}
	comparing->left = search->left;
	return found;
}

/* A device that somebody else is in the coming policy, or nobody. */
static void look_at_device(struct comparing *comparing, const struct policy_device *device)
{
	const struct policy *b = comparing->coming.policy;
	ptrdiff_t zone = policy_find_zone(b, device->zone_name.text);
	if (zone < 0)
		return;
	const struct mac mac = mac_of(comparing->running.policy, device);
	const struct policy_device *again = find_again(b, (size_t)zone, device, &mac);
	struct session before = session_of(device), after = again ? session_of(again) : before;
	struct opening_search search = search_of(comparing, device->zone, (size_t)zone);
	size_t at = 0;
	search.device = device;
	search.mac = mac;
	search.known[0] = &before;
	search.known[1] = &after;
	search.unknown = !again;
	if (!again) {
		if (b->zones[zone].unauthenticated.verdict == POLICY_VERDICT_PASS)
			look_at_device_pass(comparing, &search, NULL);
		return;
	}
	if (policy_string_equal(&device->user, &again->user) &&
		policy_strings_equal(&device->groups, &again->groups))
		return;
	for (const struct policy_rule *p; (p = next_pass(b, (size_t)zone, &at));)
		if (look_at_device_pass(comparing, &search, p))
			return;
	if (b->zones[zone].unmatched.verdict == POLICY_VERDICT_PASS)
		look_at_device_pass(comparing, &search, NULL);
}

static void open_comparing(struct comparing *comparing, const struct decide_world *world,
	const struct policy *coming, uint64_t now_ms)
{
	*comparing = (struct comparing){
		.running = *world, .coming = *world, .now_ms = now_ms, .left = LOOKS_MOST};
	comparing->coming.policy = coming;
}

void opening_rules(const struct decide_world *world, const struct policy *coming, uint64_t now_ms,
	opening_say *say, void *context)
{
	const struct policy *running = world->policy;
	struct comparing comparing;
	open_comparing(&comparing, world, coming, now_ms);
	comparing.say = say;
	comparing.context = context;
	if (!mark_changed(&comparing))
		comparing.left = 0;
	for (size_t i = 0; comparing.left && i < running->nzones; i++) {
		ptrdiff_t at = policy_find_zone(coming, running->zones[i].name.text);
		if (at >= 0)
			look_at_zone(&comparing, i, (size_t)at);
		else
			look_at_renamed(&comparing, i);
	}
	for (size_t i = 0; comparing.left && i < running->ndevices; i++)
		look_at_device(&comparing, &running->devices[i]);
	if (!comparing.left && running->nzones)
		say(context, running->zones[0].name.text,
			"so many rules changed beside rules that pass that not all could be "
			"compared");
	free(comparing.changed[0]);
	free(comparing.changed[1]);
}
