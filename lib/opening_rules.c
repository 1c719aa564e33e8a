/* Theory of operation. A client that a rule r of the running policy redirects passes under the
 * coming one only if something changed: r itself (gone, disabled, narrower, moved), or a rule p
 * that passes (new, enabled, wider, moved). So only pairs of an r and a p of which one changed are
 * looked at, and for them the clients that both would take: made of the values that the two name,
 * and of others that nobody names. Each is walked through both policies, whose answer is what
 * counts. */
#include "lib/opening.h"

#include "lib/decide_rule.h"
#include "lib/element.h"
#include "lib/language.h"
#include "lib/opening_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMES       336       /* half hours of a week */
#define VISITS_MOST 30000000u /* rules looked at, in all: about a second */

struct client {
	struct policy_string user, groups[2];
	size_t ngroups;
	struct mac mac;
	struct addr source;
	struct endpoint wanted;
	uint64_t now_ms;
};

struct comparing {
	struct decide_world running, coming;
	bool *changed[2]; /* of the rules of each */
	uint64_t now_ms;
	uint64_t visits;
	bool gave_up;
	opening_say *say;
	void *context;
};

/* ---- one client, one policy ---- */

static struct session session_of(const struct client *client)
{
	return (struct session){.user = client->user,
		.groups = (struct policy_string *)(uintptr_t)client->groups,
		.ngroups = client->ngroups,
		.mac = client->mac};
}

static bool takes(struct comparing *comparing, const struct decide_world *world, size_t zone,
	const struct session *session, const struct client *client, const struct policy_rule *rule)
{
	const struct decide_origin origin = {
		.zone = zone, .mac = client->mac, .source = client->source};
	struct decide_question question;
	decide_question_init(&question, world, &origin, client->now_ms);
	question.session = session;
	question.destination = &client->wanted.addr;
	question.port = client->wanted.port;
	comparing->visits++;
	return decide_rule(&question, rule).answer == DECIDE_RULE_YES;
}

/* The verdict, and the rule; -1: none. */
static enum policy_verdict walk(struct comparing *comparing, const struct decide_world *world,
	size_t zone, const struct client *client, ptrdiff_t *rule)
{
	const struct policy *policy = world->policy;
	const struct session session = session_of(client);
	const struct decide_origin origin = {
		.zone = zone, .mac = client->mac, .source = client->source};
	struct decide_question question;
	decide_question_init(&question, world, &origin, client->now_ms);
	question.session = &session;
	question.destination = &client->wanted.addr;
	question.port = client->wanted.port;
	for (size_t i = 0; i < policy->nrules; i++) {
		comparing->visits++;
		if (decide_rule(&question, &policy->rules[i]).answer != DECIDE_RULE_YES)
			continue;
		*rule = (ptrdiff_t)i;
		return policy->rules[i].to_server ? POLICY_VERDICT_REDIRECT
						  : policy->rules[i].act.verdict;
	}
	*rule = -1;
	return policy->zones[zone].unmatched.verdict;
}

/* ---- a pair of rules ---- */

static bool would_pass(
	struct comparing *comparing, struct opening_pair *pair, const struct client *client)
{
	const struct session session = session_of(client);
	ptrdiff_t rule;
	if (!takes(comparing, &comparing->running, pair->zone, &session, client, pair->r.rule) ||
		(pair->p.rule && !takes(comparing, &comparing->coming, pair->zone_coming, &session,
					 client, pair->p.rule)))
		return false;
	if (walk(comparing, &comparing->running, pair->zone, client, &rule) !=
		POLICY_VERDICT_REDIRECT)
		return false;
	return walk(comparing, &comparing->coming, pair->zone_coming, client, &pair->found) ==
	       POLICY_VERDICT_PASS;
}

static bool try_times(struct comparing *comparing, struct opening_pair *pair, struct client *client)
{
	bool any = pair->r.rule->schedule.n || (pair->p.rule && pair->p.rule->schedule.n);
	for (unsigned i = 0; i < (any ? TIMES : 1) && comparing->visits < VISITS_MOST; i++) {
		client->now_ms = comparing->now_ms + i * 1800000ull;
		if (would_pass(comparing, pair, client))
			return true;
	}
	return false;
}

static bool try_ports(struct comparing *comparing, struct opening_pair *pair, struct client *client)
{
	uint16_t ports[OPENING_PORTS_MOST];
	size_t n = opening_ports(&comparing->running.policy->zones[pair->zone], pair, ports);
	for (size_t i = 0; i < n; i++) {
		client->wanted.port = ports[i];
		if (try_times(comparing, pair, client))
			return true;
	}
	return false;
}

static bool try_destinations(
	struct comparing *comparing, struct opening_pair *pair, struct client *client)
{
	struct opening_places places;
	opening_destinations(&comparing->running, pair, &places);
	for (size_t i = 0; i < places.n; i++) {
		if (places.v[i].kind == POLICY_ELEM_MAC)
			continue;
		struct range ends = opening_ends(&places.v[i]);
		if (ends.first.family != client->source.family)
			continue;
		for (unsigned last = 0; last < 2; last++) {
			client->wanted.addr = last ? ends.last : ends.first;
			if (try_ports(comparing, pair, client))
				return true;
			if (addr_equal(&ends.first, &ends.last))
				break;
		}
	}
	return false;
}

static bool is_client(const struct policy_zone *zone, const struct addr *source)
{
	for (size_t i = 0; i < zone->networks.n; i++)
		if (prefix_contains(&zone->networks.v[i], source))
			return true;
	return zone->networks.n == 0;
}

/* A MAC that a rule names comes from each family. */
static bool try_source(struct comparing *comparing, struct opening_pair *pair,
	struct client *client, const struct policy_elem *elem, const struct opening_places *all)
{
	client->mac = (struct mac){{0x02, 0, 0x5e, 0, 0x53, 0xfb}};
	struct range ends = {{{0}, 0}, {{0}, 0}};
	if (elem->kind != POLICY_ELEM_MAC)
		ends = opening_ends(elem);
	for (unsigned last = 0; elem->kind != POLICY_ELEM_MAC && last < 2; last++) {
		client->source = last ? ends.last : ends.first;
		if (is_client(&comparing->running.policy->zones[pair->zone], &client->source) &&
			try_destinations(comparing, pair, client))
			return true;
		if (addr_equal(&ends.first, &ends.last))
			break;
	}
	if (elem->kind != POLICY_ELEM_MAC)
		return false;
	client->mac = elem->mac;
	for (size_t i = all->n > 2 ? all->n - 2 : 0; i < all->n; i++) {
		if (all->v[i].kind != POLICY_ELEM_PREFIX)
			continue;
		client->source = all->v[i].prefix.addr;
		if (try_destinations(comparing, pair, client))
			return true;
	}
	return false;
}

static bool try_sources(
	struct comparing *comparing, struct opening_pair *pair, struct client *client)
{
	struct opening_places places;
	opening_sources(&comparing->running, pair, &places);
	for (size_t i = 0; i < places.n; i++)
		if (try_source(comparing, pair, client, &places.v[i], &places))
			return true;
	return false;
}

static bool try_pair(struct comparing *comparing, struct opening_pair *pair)
{
	struct opening_values users, groups, more;
	struct client client = {0};
	opening_users(pair, &users);
	opening_groups(&pair->r, &groups);
	opening_groups(&pair->p, &more);
	for (size_t u = 0; u < users.n; u++)
		for (size_t g = 0; g < groups.n; g++)
			for (size_t m = 0; m < more.n; m++) {
				client.user = users.v[u];
				client.ngroups = 0;
				if (groups.v[g].len)
					client.groups[client.ngroups++] = groups.v[g];
				if (more.v[m].len)
					client.groups[client.ngroups++] = more.v[m];
				if (try_sources(comparing, pair, &client))
					return true;
			}
	return false;
}

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

static bool is_of_zone(const struct policy_rule *rule, size_t zone)
{
	for (size_t i = 0; i < rule->zone_names.n; i++)
		if (rule->zones[i] == zone)
			return true;
	return rule->zone_names.n == 0;
}

/* What lets pass in this zone, from *at on; NULL: nothing more. */
static const struct policy_rule *next_pass(const struct policy *policy, size_t zone, size_t *at)
{
	while (*at < policy->nrules) {
		const struct policy_rule *rule = &policy->rules[(*at)++];
		if (!rule->disabled && !rule->to_server &&
			rule->act.verdict == POLICY_VERDICT_PASS && is_of_zone(rule, zone))
			return rule;
	}
	return NULL;
}

static void say_pair(struct comparing *comparing, const struct opening_pair *pair)
{
	const struct policy *coming = comparing->coming.policy;
	char text[256];
	if (pair->found >= 0)
		snprintf(text, sizeof(text), "rule %s would pass what rule %s redirects",
			coming->rules[pair->found].name.text, pair->r.rule->name.text);
	else
		snprintf(text, sizeof(text), "`unmatched pass` would meet what rule %s redirects",
			pair->r.rule->name.text);
	comparing->say(
		comparing->context, comparing->running.policy->zones[pair->zone].name.text, text);
}

/* true: found, and one of a rule that lets pass is enough. */
static bool look_at_pair(struct comparing *comparing, size_t zone, size_t zone_coming,
	const struct policy_rule *r, const struct policy_rule *p)
{
	const struct policy *a = comparing->running.policy, *b = comparing->coming.policy;
	ptrdiff_t r_other = policy_find_rule(b, r->name.text);
	ptrdiff_t p_other = p ? policy_find_rule(a, p->name.text) : -1;
	struct opening_pair pair = {.zone = zone,
		.zone_coming = zone_coming,
		.r = {r, r_other < 0 ? NULL : &b->rules[r_other], a, b},
		.p = {p, p_other < 0 ? NULL : &a->rules[p_other], b, a}};
	if (comparing->visits >= VISITS_MOST) {
		comparing->gave_up = true;
		return true;
	}
	bool found = try_pair(comparing, &pair);
	if (found)
		say_pair(comparing, &pair);
	return found;
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
			if (r->disabled || !r->to_server || !is_of_zone(r, zone) ||
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
	bool redirects = false;
	for (size_t i = 0; i < a->nrules && !redirects; i++)
		redirects = !a->rules[i].disabled && a->rules[i].to_server &&
			    is_of_zone(&a->rules[i], zone);
	for (size_t i = 0; redirects && i < b->nzones; i++) {
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

static void look_at_device(struct comparing *comparing, size_t index)
{
	const struct policy *a = comparing->running.policy, *b = comparing->coming.policy;
	const struct policy_device *device = &a->devices[index];
	ptrdiff_t zone = policy_find_zone(b, device->zone_name.text);
	ptrdiff_t again = policy_find_device(b, device->name.text);
	char text[256];
	struct client client = {.user = device->user,
		.mac = mac_of(a, device),
		.wanted.port = a->zones[device->zone].ports.v[0],
		.now_ms = comparing->now_ms};
	ptrdiff_t rule;
	if (zone < 0 || again >= 0 || b->zones[zone].unauthenticated.verdict != POLICY_VERDICT_PASS)
		return;
	client.ngroups = device->groups.n < 2 ? device->groups.n : 2;
	for (size_t i = 0; i < client.ngroups; i++)
		client.groups[i] = device->groups.v[i];
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		const char *ends[2][2] = {
			{"192.0.2.251", "198.51.100.251"}, {"2001:db8::251", "2001:db8:ffff::251"}};
		addr_parse(ends[ip6][0], strlen(ends[ip6][0]), &client.source);
		addr_parse(ends[ip6][1], strlen(ends[ip6][1]), &client.wanted.addr);
		if (device->addresses.n)
			client.source = device->addresses.v[0].addr;
		if (walk(comparing, &comparing->running, device->zone, &client, &rule) !=
			POLICY_VERDICT_REDIRECT)
			continue;
		snprintf(text, sizeof(text),
			"device %s would be unknown, and who is not logged in passes",
			device->name.text);
		comparing->say(comparing->context, device->zone_name.text, text);
		return;
	}
}

static void open_comparing(struct comparing *comparing, const struct decide_world *world,
	const struct policy *coming, uint64_t now_ms)
{
	*comparing = (struct comparing){.running = *world, .coming = *world, .now_ms = now_ms};
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
	comparing.gave_up = !mark_changed(&comparing);
	for (size_t i = 0; !comparing.gave_up && i < running->nzones; i++) {
		ptrdiff_t at = policy_find_zone(coming, running->zones[i].name.text);
		if (at >= 0)
			look_at_zone(&comparing, i, (size_t)at);
		else
			look_at_renamed(&comparing, i);
	}
	for (size_t i = 0; i < running->ndevices; i++)
		look_at_device(&comparing, i);
	if (comparing.gave_up && running->nzones)
		say(context, running->zones[0].name.text,
			"so many rules changed beside rules that pass that not all could be "
			"compared");
	free(comparing.changed[0]);
	free(comparing.changed[1]);
}
