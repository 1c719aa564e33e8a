/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns the words that rules are made of: each adds to a rule what nft's word of the same meaning
 * adds, in the same registers, so that dumps of both are equal. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_EXPR_H
#define POSTERN_KERNEL_RULES_NFTABLES_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"

struct nftnl_rule;

/* A rule being made. */
struct expr_rule {
	struct nftnl_rule *nftnl;
	bool failed; /* a word was lost for want of memory: the rule must not be used */
	bool is_tcp; /* a word has asked for it already */
};

enum expr_mark {
	EXPR_META_MARK, /* the packet's */
	EXPR_CT_MARK,   /* the connection's */
};

void expr_not_tcp(struct expr_rule *rule); /* meta l4proto != tcp */
/* meta l4proto icmp, or ipv6-icmp */
void expr_icmp(struct expr_rule *rule, enum addr_family family);
/* meta l4proto @set, or != @set */
void expr_protocol_in(struct expr_rule *rule, const char *set, bool negated);
/* iifname "eth0", or "eth*"; "*" adds nothing. */
void expr_iifname(struct expr_rule *rule, const char *pattern);
/* ip saddr @set */
void expr_saddr_in(struct expr_rule *rule, enum addr_family family, const char *set);
/* tcp dport @set, or tcp dport != @set */
void expr_dport_in(struct expr_rule *rule, const char *set, bool negated);
/* ct original proto-dst @set: the port that the connection was opened to, whatever nat made of it
 */
void expr_original_dport_in(struct expr_rule *rule, const char *set);
/* tcp sport @set */
void expr_sport_in(struct expr_rule *rule, const char *set);
void expr_dport_is(struct expr_rule *rule, uint16_t port);
/* tcp flags & (fin | syn | rst | ack) == syn, or != syn: ECN bits and data do not matter. */
void expr_first(struct expr_rule *rule, bool negated);
/* tcp flags & (fin | rst) != 0 */
void expr_last(struct expr_rule *rule);
/* tcp flags & (fin | syn | rst) == 0 */
void expr_between(struct expr_rule *rule);
/* tcp flags & rst == rst */
void expr_is_reset(struct expr_rule *rule);
/* ip saddr . tcp sport @set, or ip daddr . tcp dport @set */
void expr_source_end_in(struct expr_rule *rule, enum addr_family family, const char *set);
void expr_destination_end_in(struct expr_rule *rule, enum addr_family family, const char *set);
/* ip daddr @set */
void expr_daddr_in(struct expr_rule *rule, enum addr_family family, const char *set);
/* fib daddr type local */
void expr_to_gateway(struct expr_rule *rule);
/* fib saddr type != local */
void expr_not_from_gateway(struct expr_rule *rule);
/* fib daddr oifname "eth0", or "eth*"; "*" adds nothing. */
void expr_towards(struct expr_rule *rule, const char *pattern);
/* ct direction reply */
void expr_reply(struct expr_rule *rule);
/* ct state with one of these bits (NF_CT_STATE_BIT) */
void expr_state(struct expr_rule *rule, uint32_t bits);
/* ct status with all of these bits (IPS_*) */
void expr_status(struct expr_rule *rule, uint32_t bits);
/* ct packets 0: a rule that asks for it makes the kernel count what connections carry, and it is
 * not carried out. */
void expr_counted(struct expr_rule *rule);
/* oif "lo": to the machine itself */
void expr_out_loopback(struct expr_rule *rule);
/* meta skuid != user: a local process's, and neither its socket nor its packet is somebody else's
 */
void expr_not_user(struct expr_rule *rule, uint32_t user);
/* socket transparent 1 */
void expr_socket_transparent(struct expr_rule *rule);

/* mark & mask == bits, or != */
void expr_mark_is(
	struct expr_rule *rule, enum expr_mark which, uint32_t mask, uint32_t bits, bool negated);
/* mark set mark & ~mask | bits */
void expr_mark_set(struct expr_rule *rule, enum expr_mark which, uint32_t mask, uint32_t bits);

/* mark & mask @set */
void expr_mark_in(struct expr_rule *rule, enum expr_mark which, uint32_t mask, const char *set);
/* dnat ip to ct mark & mask map @map: address and port. Where the map has nothing, or for a packet
 * of another family, the next rule follows. */
void expr_dnat(struct expr_rule *rule, enum addr_family family, uint32_t mask, const char *map);
void expr_masquerade(struct expr_rule *rule);
/* add @set { iif . iif } */
void expr_remember_interface(struct expr_rule *rule, const char *set);
/* iif . oif @set */
void expr_interfaces_in(struct expr_rule *rule, const char *set);
/* log prefix "..." group NUMBER snaplen BYTES queue-threshold BATCH */
void expr_log(
	struct expr_rule *rule, const char *prefix, uint16_t group, uint32_t bytes, uint16_t batch);

/* Loads what a client is known by: iifname . [ether saddr .] saddr (family ADDR_NONE: without the
 * address). With the words that it depends on. */
void expr_client(struct expr_rule *rule, bool has_mac, enum addr_family family);
/* ... @set */
void expr_client_in(struct expr_rule *rule, const char *set);
/* update @set { ... limit rate over RATE/second burst BURST packets } */
void expr_client_rate(struct expr_rule *rule, const char *set, uint32_t rate, uint32_t burst);
/* add @set { ... ct count over MOST } */
void expr_client_count(struct expr_rule *rule, const char *set, uint32_t most);
/* ... @map, which is a map to marks: loads what the client's element has. nft has no words for it.
 */
void expr_client_mark(struct expr_rule *rule, const char *map);
/* What was loaded & bits == bits */
void expr_loaded(struct expr_rule *rule, uint32_t bits);
/* limit rate over RATE/second burst BURST packets */
void expr_rate(struct expr_rule *rule, uint32_t rate, uint32_t burst);
/* limit rate RATE/second burst BURST packets */
void expr_rate_within(struct expr_rule *rule, uint32_t rate, uint32_t burst);

void expr_count(struct expr_rule *rule, const char *counter); /* counter name "..." */
/* tproxy ip to :port */
void expr_tproxy(struct expr_rule *rule, enum addr_family family, uint16_t port);
void expr_reset(struct expr_rule *rule); /* reject with tcp reset */
/* queue flags bypass to number; or the xtables target that does the same */
void expr_queue(struct expr_rule *rule, uint16_t number);
void expr_queue_compat(struct expr_rule *rule, uint16_t number);
void expr_accept(struct expr_rule *rule);
void expr_drop(struct expr_rule *rule);
void expr_notrack(struct expr_rule *rule);
void expr_jump(struct expr_rule *rule, const char *chain);
void expr_goto(struct expr_rule *rule, const char *chain);

#endif
