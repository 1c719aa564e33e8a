/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/parse.h"

#include <stdlib.h>
#include <string.h>

/* --- one zone */

static void check_interfaces(
	struct language *l, const struct policy_zone *zone, const struct language_zone_note *note)
{
	if (!l->world->interface)
		return;
	for (size_t i = 0; i < zone->interfaces.n && !l->stopped; i++) {
		const char *name = zone->interfaces.v[i].text;
		int present = l->world->interface(l->world->context, name);
		if (present < 0)
			language_warn(l, &note->interfaces.v[i],
				"interface %s is not present (it may come)", name);
		if (present != 0 || zone->identity == POLICY_IDENTITY_ADDRESS)
			continue;
		language_fault(l, &note->identity,
			"interface %s has no MACs, expected `identity address` in zone %s", name,
			zone->name.text);
	}
}

static void check_ports(
	struct language *l, const struct policy_zone *zone, const struct language_zone_note *note)
{
	unsigned char seen[65536 / 8] = {0};

	for (size_t i = 0; i < zone->ports.n && note->ports.n > 0 && !l->stopped; i++) {
		uint16_t port = zone->ports.v[i];
		if (port == 0) /* one that was refused */
			continue;
		if (seen[port / 8] & 1 << port % 8)
			language_fault(
				l, &note->ports.v[i], "port %u stands twice, expected once", port);
		seen[port / 8] |= (unsigned char)(1 << port % 8);
		if (port == l->world->relay_port)
			language_fault(l, &note->ports.v[i],
				"port %u is where the relay itself listens, expected another",
				port);
	}
}

/* --- two zones: a client may be in one only
 *
 * Each zone is a set of (interface pattern, network) pairs. Patterns are sorted; a pattern can only
 * overlap with itself and with the wildcards that begin it, of which there are at most 16. The
 * networks of such a group are sorted too, so that a network comes right behind those around it. */
struct pair {
	const struct policy_string *pattern;
	struct prefix network;
	size_t zone;
	const struct language_span *span; /* of the network, else of the interface */
	bool whole;                       /* the zone names no network */
};

static int compare_networks(const struct pair *a, const struct pair *b)
{
	int order = addr_compare(&a->network.addr, &b->network.addr);

	if (order != 0)
		return order;
	if (a->network.len != b->network.len)
		return a->network.len < b->network.len ? -1 : 1;
	return a->zone < b->zone ? -1 : a->zone > b->zone;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->pattern->text, y->pattern->text);

	return order != 0 ? order : compare_networks(x, y);
}

static int compare_in_group(const void *a, const void *b)
{
	const struct pair *const *x = a, *const *y = b;

	return compare_networks(*x, *y);
}

static bool add_pairs(struct language *l, struct language_vector *pairs, size_t zone_index)
{
	const struct policy_zone *zone = &l->policy->zones[zone_index];
	const struct language_zone_note *note =
		(struct language_zone_note *)l->zone_notes.v + zone_index;
	static const struct prefix all[2] = {{.addr.family = ADDR_IP4}, {.addr.family = ADDR_IP6}};
	bool whole = zone->networks.n == 0;

	for (size_t i = 0; i < zone->interfaces.n; i++) {
		for (size_t j = 0; j < (whole ? 2 : zone->networks.n); j++) {
			struct pair *pair = language_push(l, pairs, sizeof(*pair));
			if (!pair)
				return false;
			pair->pattern = &zone->interfaces.v[i];
			pair->network = whole ? all[j] : zone->networks.v[j];
			pair->zone = zone_index;
			pair->span = whole ? &note->interfaces.v[i] : &note->networks.v[j];
			pair->whole = whole;
		}
	}
	return true;
}

static void say_overlap(struct language *l, const struct pair *a, const struct pair *b)
{
	const struct policy_zone *zones = l->policy->zones;
	/* at the later one of the two */
	const struct pair *late = a->zone > b->zone ? a : b, *early = a->zone > b->zone ? b : a;
	char text[2][PREFIX_TEXT_SIZE];

	if (a->whole && b->whole && a->network.addr.family == ADDR_IP6)
		return; /* said for IPv4 */
	if (a->zone == b->zone) {
		if (a->network.len != b->network.len)
			language_warn(l, late->span, "network %s lies within %s of the same zone",
				prefix_format(&b->network, text[0]),
				prefix_format(&a->network, text[1]));
		else
			language_fault(l, late->span,
				"interface %s stands twice with the same network in zone %s, "
				"expected once",
				late->pattern->text, zones[late->zone].name.text);
		return;
	}
	language_fault(l, late->span,
		"zone %s overlaps with zone %s: interface %s with %s, network %s with %s; "
		"expected a client to be in one zone only",
		zones[late->zone].name.text, zones[early->zone].name.text, late->pattern->text,
		early->pattern->text, late->whole ? "all" : prefix_format(&late->network, text[0]),
		early->whole ? "all" : prefix_format(&early->network, text[1]));
}

/* Walks the sorted networks of a group with a stack of those around the present one. own is the
 * group's pattern: what lies between two others is said when their own group is looked at. */
static void sweep(struct language *l, struct pair *const *group, size_t n, const char *own)
{
	const struct pair *stack[130];
	unsigned depth = 0;

	for (size_t i = 0; i < n && !l->stopped; i++) {
		const struct pair *pair = group[i];
		while (depth > 0 &&
			!prefix_contains(&stack[depth - 1]->network, &pair->network.addr))
			depth--;
		for (unsigned j = depth; j-- > 0;) {
			bool same_pattern =
				stack[j]->pattern->text == pair->pattern->text ||
				strcmp(stack[j]->pattern->text, pair->pattern->text) == 0;
			bool concerns = strcmp(stack[j]->pattern->text, own) == 0 ||
					strcmp(pair->pattern->text, own) == 0;
			if (!concerns || (stack[j]->zone == pair->zone && !same_pattern))
				continue;
			say_overlap(l, stack[j], pair);
			break;
		}
		if (depth < 130)
			stack[depth++] = pair;
	}
}

/* The pairs of exactly this pattern: [*from, *to). */
static void find_pattern(
	const struct pair *pairs, size_t n, const char *pattern, size_t *from, size_t *to)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(pairs[middle].pattern->text, pattern) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*from = low;
	while (low < n && strcmp(pairs[low].pattern->text, pattern) == 0)
		low++;
	*to = low;
}

static void check_group(
	struct language *l, struct pair *pairs, size_t n, const char *pattern, struct pair **group)
{
	char wildcard[POLICY_IFNAME_SIZE + 2];
	size_t len = strlen(pattern), members = 0, from, to;

	find_pattern(pairs, n, pattern, &from, &to);
	for (size_t i = from; i < to; i++)
		group[members++] = &pairs[i];
	for (size_t i = 0; i <= len && i <= POLICY_IFNAME_SIZE; i++) { /* "x*" takes "x", too */
		memcpy(wildcard, pattern, i);
		wildcard[i] = '*';
		wildcard[i + 1] = '\0';
		if (strcmp(wildcard, pattern) == 0)
			continue;
		find_pattern(pairs, n, wildcard, &from, &to);
		for (size_t j = from; j < to; j++)
			group[members++] = &pairs[j];
	}
	qsort(group, members, sizeof(*group), compare_in_group);
	sweep(l, group, members, pattern);
}

static void check_overlap(struct language *l)
{
	struct language_vector pairs = {0};
	struct pair **group = NULL;

	for (size_t i = 0; i < l->policy->nzones; i++) {
		if (!add_pairs(l, &pairs, i))
			goto out;
	}
	if (pairs.n == 0)
		goto out;
	struct pair *v = pairs.v;
	group = calloc(pairs.n, sizeof(struct pair *));
	if (!group) {
		language_out_of_memory(l);
		goto out;
	}
	qsort(v, pairs.n, sizeof(*v), compare_pairs);
	for (size_t i = 0; i < pairs.n && !l->stopped; i++) {
		if (i == 0 || strcmp(v[i].pattern->text, v[i - 1].pattern->text) != 0)
			check_group(l, v, pairs.n, v[i].pattern->text, group);
	}
out:
	free(group);
	language_vector_fini(&pairs);
}

void language_check_zones(struct language *l)
{
	const struct language_zone_note *notes = l->zone_notes.v;

	for (size_t i = 0; i < l->policy->nzones && !l->stopped; i++) {
		check_interfaces(l, &l->policy->zones[i], &notes[i]);
		check_ports(l, &l->policy->zones[i], &notes[i]);
	}
	check_overlap(l);
}
