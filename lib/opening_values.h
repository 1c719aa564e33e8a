/* Owns the values of clients that two rules would both take: users, groups, addresses, ports that
 * the rules name, and some that nobody names. Private to lib/opening_*.c. */
#ifndef POSTERN_OPENING_VALUES_H
#define POSTERN_OPENING_VALUES_H

#include "lib/decide.h"

#define OPENING_VALUES_MOST 8 /* of one condition of a rule */
#define OPENING_PORTS_MOST  3

/* A rule, and the one of this name in the other policy, or NULL: what only one of them names is
 * tried first. rule NULL: none. */
struct opening_side {
	const struct policy_rule *rule, *other;
	const struct policy *policy, *other_policy;
};

struct opening_pair {
	size_t zone, zone_coming;
	struct opening_side r, p; /* p without a rule: `unmatched pass` */
	ptrdiff_t found;          /* the rule that would let pass */
};

struct opening_values {
	struct policy_string v[2 * OPENING_VALUES_MOST];
	size_t n;
};

struct opening_places {
	struct policy_elem v[4 * OPENING_VALUES_MOST + 4];
	size_t n;
};

/* Users that both rules take. */
void opening_users(const struct opening_pair *pair, struct opening_values *out);
/* Groups that the rule wants; one empty string where it wants none. */
void opening_groups(const struct opening_side *side, struct opening_values *out);
/* Addresses that the rules name, and of the zone; destinations that they name, and others. */
void opening_sources(const struct decide_world *running, const struct opening_pair *pair,
	struct opening_places *out);
void opening_destinations(const struct decide_world *running, const struct opening_pair *pair,
	struct opening_places *out);
/* The first and the last address of an element. */
struct range opening_ends(const struct policy_elem *elem);
/* How many. */
size_t opening_ports(const struct policy_zone *zone, const struct opening_pair *pair,
	uint16_t ports[static OPENING_PORTS_MOST]);

#endif
