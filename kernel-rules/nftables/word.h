/* Owns the words that rules are made of: each adds to a rule what nft's word of the same meaning
 * adds, in the same registers, so that dumps of both are equal. */
#ifndef POSTERN_KERNEL_RULES_NFTABLES_WORD_H
#define POSTERN_KERNEL_RULES_NFTABLES_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"

struct nftnl_rule;

/* A rule being made. */
struct words {
	struct nftnl_rule *nftnl;
	bool failed; /* a word was lost for want of memory: the rule must not be used */
};

enum word_mark {
	WORD_META_MARK, /* the packet's */
	WORD_CT_MARK,   /* the connection's */
};

void word_tcp(struct words *rule);     /* meta l4proto tcp */
void word_not_tcp(struct words *rule); /* meta l4proto != tcp */
/* meta l4proto icmp, or ipv6-icmp */
void word_icmp(struct words *rule, enum addr_family family);
void word_protocol_in(struct words *rule, const char *set);    /* meta l4proto @set */
void word_family(struct words *rule, enum addr_family family); /* meta nfproto ipv4 */
void word_ether(struct words *rule);                           /* meta iiftype ether */
/* iifname "eth0", or "eth*"; "*" adds nothing. */
void word_iifname(struct words *rule, const char *pattern);
/* ip saddr @set */
void word_saddr_in(struct words *rule, enum addr_family family, const char *set);
/* tcp dport @set, or tcp dport != @set */
void word_dport_in(struct words *rule, const char *set, bool negated);
/* tcp sport @set */
void word_sport_in(struct words *rule, const char *set);
void word_dport_is(struct words *rule, uint16_t port);
/* tcp flags & (fin | syn | rst | ack) == syn, or != syn: ECN bits and data do not matter. */
void word_first(struct words *rule, bool negated);
/* ip saddr . tcp sport @set, or ip daddr . tcp dport @set */
void word_source_end_in(struct words *rule, enum addr_family family, const char *set);
void word_destination_end_in(struct words *rule, enum addr_family family, const char *set);
/* ip daddr @set */
void word_daddr_in(struct words *rule, enum addr_family family, const char *set);
/* fib daddr type local */
void word_to_gateway(struct words *rule);
/* fib saddr type != local */
void word_not_from_gateway(struct words *rule);
/* fib daddr oifname "eth0", or "eth*"; "*" adds nothing. */
void word_towards(struct words *rule, const char *pattern);
/* ct direction reply */
void word_reply(struct words *rule);
/* ct state with one of these bits (NF_CT_STATE_BIT) */
void word_state(struct words *rule, uint32_t bits);
/* oif "lo": to the machine itself */
void word_out_loopback(struct words *rule);
/* meta skuid != user: a local process's, and neither its socket nor its packet is somebody else's
 */
void word_not_user(struct words *rule, uint32_t user);
/* socket transparent 1 */
void word_socket_transparent(struct words *rule);

/* mark & mask == bits, or != */
void word_mark_is(
	struct words *rule, enum word_mark which, uint32_t mask, uint32_t bits, bool negated);
/* mark set mark & ~mask | bits */
void word_mark_set(struct words *rule, enum word_mark which, uint32_t mask, uint32_t bits);

/* Loads what a client is known by: iifname . [ether saddr .] saddr (family ADDR_NONE: without the
 * address). With the words that it depends on. */
void word_client(struct words *rule, bool has_mac, enum addr_family family);
/* ... @set */
void word_client_in(struct words *rule, const char *set);
/* update @set { ... limit rate over RATE/second burst BURST packets } */
void word_client_rate(struct words *rule, const char *set, uint32_t rate, uint32_t burst);
/* limit rate over RATE/second burst BURST packets */
void word_rate(struct words *rule, uint32_t rate, uint32_t burst);

void word_count(struct words *rule, const char *counter); /* counter name "..." */
/* tproxy ip to :port */
void word_tproxy(struct words *rule, enum addr_family family, uint16_t port);
void word_reset(struct words *rule); /* reject with tcp reset */
/* queue flags bypass to number; or the xtables target that does the same */
void word_queue(struct words *rule, uint16_t number);
void word_queue_compat(struct words *rule, uint16_t number);
void word_accept(struct words *rule);
void word_drop(struct words *rule);
void word_notrack(struct words *rule);
void word_jump(struct words *rule, const char *chain);
void word_goto(struct words *rule, const char *chain);

#endif
