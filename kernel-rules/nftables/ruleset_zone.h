/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns how rules know a zone: the names of what is its own, and the rules that lead its connections
 * to a chain. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_RULESET_ZONE_H
#define POSTERN_KERNEL_RULES_NFTABLES_RULESET_ZONE_H

#include "kernel-rules/nftables/rule.h"
#include "kernel-rules/nftables/set.h"

#define RULESET_ADMIT_OF   "admit-"
#define RULESET_STEER_OF   "steer-"
#define RULESET_ARRIVED_OF "arrived-" /* a zone's counter */

struct ruleset_zone {
	char admit[SET_NAME_SIZE], steer[SET_NAME_SIZE], arrived[SET_NAME_SIZE];
	char port[SET_NAME_SIZE], bypass[SET_NAME_SIZE], net4[SET_NAME_SIZE], net6[SET_NAME_SIZE];
};

void ruleset_name_zone(const struct plan_zone *zone, struct ruleset_zone *names);
/* Does the mode give the zone rules? */
bool ruleset_has_zone(const struct plan *plan, const struct plan_zone *zone);

enum ruleset_port {
	RULESET_PORT_PACKET,   /* the packet's */
	RULESET_PORT_ORIGINAL, /* its connection's, whatever nat made of it */
};
/* Rules at the end of chain for packets of the zone's clients: by interface, port, and network if
 * it has any. */
void ruleset_put_from(struct rule_writer *w, const char *chain, const char *target,
	const struct plan_zone *zone, enum ruleset_port port);
/* Rules at the end of chain for packets on their way to the zone's clients; of a zone that has no
 * rules of its own: to its interfaces. */
void ruleset_put_towards(
	struct rule_writer *w, const char *chain, const char *target, const struct plan_zone *zone);

#endif
