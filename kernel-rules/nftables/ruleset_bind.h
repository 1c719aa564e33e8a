/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the rules for flows that have their client's address on the server's side, too
 * (`bind client`): what the server answers comes back to the relay, and conntrack sees none of it.
 */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_RULESET_BIND_H
#define POSTERN_KERNEL_RULES_NFTABLES_RULESET_BIND_H

#include "kernel-rules/nftables/rule.h"

#define RULESET_BIND_IN  "bind-in"
#define RULESET_BIND_OUT "bind-out"

/* All of their chains but the base chains, and all of their rules; those in `steer` are added at
 * its end as it is now. */
void ruleset_bind_put(struct rule_writer *w);

#endif
