/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the rules for flows that the kernel carries alone (`path kernel`): a client's entry or the
 * queue's verdict brings the number of a path, the connection's mark keeps it, and nat leads it to
 * where the number leads. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_RULESET_PATH_H
#define POSTERN_KERNEL_RULES_NFTABLES_RULESET_PATH_H

#include "kernel-rules/nftables/rule.h"
#include "kernel-rules/nftables/set.h"

/* Base chains. */
#define RULESET_PATH_NAT    "path-nat"
#define RULESET_PATH_GUARD  "path-guard"
#define RULESET_PATH_SOURCE "path-source"
/* Where a first packet with the mark KERNEL goes: in a zone that knows clients by MAC, and in one
 * that knows them by address. */
#define RULESET_PATH_MAC     "path-mac"
#define RULESET_PATH_ADDRESS "path-address"

/* All of their chains but the base chains. */
void ruleset_path_add_chains(struct rule_writer *w);
/* All rules of their own chains, base chains included. */
void ruleset_path_put(struct rule_writer *w);

/* Rules at the end of others' chains as they are now. Packets of flows, in both directions, that
 * neither begin nor end anything: nobody else has to look at them. */
void ruleset_path_put_between(struct rule_writer *w, const char *chain);
/* A client with an entry in the map: */
void ruleset_path_put_known(struct rule_writer *w, const char *chain, const struct set_client *map);
/* One that conntrack has led already is none to be decided. */
void ruleset_path_put_led(struct rule_writer *w, const char *chain);
/* A first packet that comes again goes where its connection goes. */
void ruleset_path_put_again(struct rule_writer *w, const char *chain);
/* A later packet of a flow that conntrack has led there, before any look for a socket: one of a
 * relay's in TIME-WAIT may have the client's port, who has come again since. */
void ruleset_path_put_own(struct rule_writer *w, const char *chain);
/* A later packet of a flow. */
void ruleset_path_put_later(struct rule_writer *w, const char *chain);

#endif
