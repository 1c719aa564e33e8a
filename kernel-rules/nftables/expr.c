/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/expr.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* nf_tables' limits are per so many seconds. */
#define PER_SECOND 1

/* Kernel structures keep these bytes; only the numbers of their offsets are needed. */
#define ETHER_SOURCE      6
#define IP4_SOURCE        12
#define IP4_DESTINATION   16
#define IP6_SOURCE        8
#define IP6_DESTINATION   24
#define TCP_SOURCE        0
#define TCP_DESTINATION   2
#define TCP_FLAGS         13
#define TCP_FLAGS_OPENING (TH_FIN | TH_SYN | TH_RST | TH_ACK)

static struct nftnl_expr *add(struct expr_rule *rule, const char *name)
{
	struct nftnl_expr *expr = nftnl_expr_alloc(name);
	if (expr)
		nftnl_rule_add_expr(rule->nftnl, expr);
	else
		rule->failed = true;
	return expr;
}

static void load_meta(struct expr_rule *rule, enum nft_meta_keys key, uint32_t reg)
{
	struct nftnl_expr *expr = add(rule, "meta");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, reg);
}

static struct nftnl_expr *load_ct(struct expr_rule *rule, enum nft_ct_keys key)
{
	struct nftnl_expr *expr = add(rule, "ct");
	if (!expr)
		return NULL;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	return expr;
}

static void load_payload(struct expr_rule *rule, enum nft_payload_bases base, uint32_t offset,
	uint32_t len, uint32_t reg)
{
	struct nftnl_expr *expr = add(rule, "payload");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void compare(struct expr_rule *rule, enum nft_cmp_ops op, const void *data, uint32_t len)
{
	struct nftnl_expr *expr = add(rule, "cmp");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, len);
}

/* reg = reg & mask ^ xor */
static void mask_bits(struct expr_rule *rule, const void *mask, const void * xor, uint32_t len)
{
	struct nftnl_expr *expr = add(rule, "bitwise");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, xor, len);
}

static struct nftnl_expr *look_up(struct expr_rule *rule, const char *set, bool negated)
{
	struct nftnl_expr *expr = add(rule, "lookup");
	if (!expr)
		return NULL;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, set);
	if (negated)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	return expr;
}

/* What the map has for what is in the first register comes into it. */
static void look_up_in_map(struct expr_rule *rule, const char *map)
{
	struct nftnl_expr *expr = look_up(rule, map, false);
	if (expr)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
}

static void verdict(struct expr_rule *rule, uint32_t code, const char *chain)
{
	struct nftnl_expr *expr = add(rule, "immediate");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, code);
	if (chain)
		nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void l4proto(struct expr_rule *rule, enum nft_cmp_ops op, uint8_t protocol)
{
	load_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	compare(rule, op, &protocol, sizeof(protocol));
}

static void l4proto_tcp(struct expr_rule *rule)
{
	if (!rule->is_tcp)
		l4proto(rule, NFT_CMP_EQ, IPPROTO_TCP);
	rule->is_tcp = true;
}

void expr_not_tcp(struct expr_rule *rule)
{
	l4proto(rule, NFT_CMP_NEQ, IPPROTO_TCP);
}

void expr_icmp(struct expr_rule *rule, enum addr_family family)
{
	l4proto(rule, NFT_CMP_EQ, family == ADDR_IP4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

void expr_protocol_in(struct expr_rule *rule, const char *set, bool negated)
{
	load_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	look_up(rule, set, negated);
}

static void nfproto(struct expr_rule *rule, enum addr_family family)
{
	uint8_t nfproto = family == ADDR_IP4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	load_meta(rule, NFT_META_NFPROTO, NFT_REG_1);
	compare(rule, NFT_CMP_EQ, &nfproto, sizeof(nfproto));
}

static void iiftype_ether(struct expr_rule *rule)
{
	uint16_t type = ARPHRD_ETHER;
	load_meta(rule, NFT_META_IIFTYPE, NFT_REG_1);
	compare(rule, NFT_CMP_EQ, &type, sizeof(type));
}

static bool is_every_name(const char *pattern)
{
	return strcmp(pattern, "*") == 0;
}

/* Of a name with a wildcard only what stands before it. */
static void compare_name(struct expr_rule *rule, const char *pattern)
{
	char name[IFNAMSIZ] = {0};
	size_t len = strnlen(pattern, sizeof(name) - 1);
	memcpy(name, pattern, len);
	bool wild = len && name[len - 1] == '*';
	compare(rule, NFT_CMP_EQ, name, wild ? (uint32_t)len - 1 : sizeof(name));
}

void expr_iifname(struct expr_rule *rule, const char *pattern)
{
	if (is_every_name(pattern))
		return;
	load_meta(rule, NFT_META_IIFNAME, NFT_REG_1);
	compare_name(rule, pattern);
}

void expr_out_loopback(struct expr_rule *rule)
{
	const uint32_t loopback = 1; /* its number in every namespace (net/core/dev.c) */
	load_meta(rule, NFT_META_OIF, NFT_REG_1);
	compare(rule, NFT_CMP_EQ, &loopback, sizeof(loopback));
}

void expr_not_user(struct expr_rule *rule, uint32_t user)
{
	load_meta(rule, NFT_META_SKUID, NFT_REG_1);
	compare(rule, NFT_CMP_NEQ, &user, sizeof(user));
}

static void load_saddr(struct expr_rule *rule, enum addr_family family, uint32_t reg)
{
	bool ip4 = family == ADDR_IP4;
	load_payload(
		rule, NFT_PAYLOAD_NETWORK_HEADER, ip4 ? IP4_SOURCE : IP6_SOURCE, ip4 ? 4 : 16, reg);
}

void expr_saddr_in(struct expr_rule *rule, enum addr_family family, const char *set)
{
	nfproto(rule, family);
	load_saddr(rule, family, NFT_REG_1);
	look_up(rule, set, false);
}

static void load_daddr(struct expr_rule *rule, enum addr_family family, uint32_t reg)
{
	bool ip4 = family == ADDR_IP4;
	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, ip4 ? IP4_DESTINATION : IP6_DESTINATION,
		ip4 ? 4 : 16, reg);
}

void expr_daddr_in(struct expr_rule *rule, enum addr_family family, const char *set)
{
	nfproto(rule, family);
	load_daddr(rule, family, NFT_REG_1);
	look_up(rule, set, false);
}

/* Address and port lie behind one another. */
static uint32_t register_behind(enum addr_family family)
{
	return family == ADDR_IP4 ? NFT_REG32_01 : NFT_REG_2;
}

void expr_source_end_in(struct expr_rule *rule, enum addr_family family, const char *set)
{
	nfproto(rule, family);
	l4proto_tcp(rule);
	load_saddr(rule, family, NFT_REG_1);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_SOURCE, 2, register_behind(family));
	look_up(rule, set, false);
}

void expr_destination_end_in(struct expr_rule *rule, enum addr_family family, const char *set)
{
	nfproto(rule, family);
	l4proto_tcp(rule);
	load_daddr(rule, family, NFT_REG_1);
	load_payload(
		rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_DESTINATION, 2, register_behind(family));
	look_up(rule, set, false);
}

static void load_dport(struct expr_rule *rule)
{
	l4proto_tcp(rule);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_DESTINATION, 2, NFT_REG_1);
}

void expr_dport_in(struct expr_rule *rule, const char *set, bool negated)
{
	load_dport(rule);
	look_up(rule, set, negated);
}

void expr_original_dport_in(struct expr_rule *rule, const char *set)
{
	l4proto_tcp(rule);
	struct nftnl_expr *expr = load_ct(rule, NFT_CT_PROTO_DST);
	if (expr)
		nftnl_expr_set_u8(expr, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
	look_up(rule, set, false);
}

void expr_sport_in(struct expr_rule *rule, const char *set)
{
	l4proto_tcp(rule);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_SOURCE, 2, NFT_REG_1);
	look_up(rule, set, false);
}

void expr_dport_is(struct expr_rule *rule, uint16_t port)
{
	uint16_t wire = htons(port);
	load_dport(rule);
	compare(rule, NFT_CMP_EQ, &wire, sizeof(wire));
}

static void flags(struct expr_rule *rule, uint8_t mask, enum nft_cmp_ops op, uint8_t wanted)
{
	uint8_t none = 0;
	l4proto_tcp(rule);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1, NFT_REG_1);
	mask_bits(rule, &mask, &none, sizeof(mask));
	compare(rule, op, &wanted, sizeof(wanted));
}

void expr_first(struct expr_rule *rule, bool negated)
{
	flags(rule, TCP_FLAGS_OPENING, negated ? NFT_CMP_NEQ : NFT_CMP_EQ, TH_SYN);
}

void expr_last(struct expr_rule *rule)
{
	flags(rule, TH_FIN | TH_RST, NFT_CMP_NEQ, 0);
}

void expr_between(struct expr_rule *rule)
{
	flags(rule, TH_SYN | TH_FIN | TH_RST, NFT_CMP_EQ, 0);
}

void expr_is_reset(struct expr_rule *rule)
{
	flags(rule, TH_RST, NFT_CMP_EQ, TH_RST);
}

static void load_fib(struct expr_rule *rule, enum nft_fib_result result, uint32_t flags)
{
	struct nftnl_expr *expr = add(rule, "fib");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, result);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, flags);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
}

void expr_to_gateway(struct expr_rule *rule)
{
	uint32_t local = RTN_LOCAL;
	load_fib(rule, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR);
	compare(rule, NFT_CMP_EQ, &local, sizeof(local));
}

void expr_not_from_gateway(struct expr_rule *rule)
{
	uint32_t local = RTN_LOCAL;
	load_fib(rule, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_SADDR);
	compare(rule, NFT_CMP_NEQ, &local, sizeof(local));
}

void expr_towards(struct expr_rule *rule, const char *pattern)
{
	if (is_every_name(pattern))
		return;
	load_fib(rule, NFT_FIB_RESULT_OIFNAME, NFTA_FIB_F_DADDR);
	compare_name(rule, pattern);
}

void expr_reply(struct expr_rule *rule)
{
	uint8_t reply = IP_CT_DIR_REPLY;
	load_ct(rule, NFT_CT_DIRECTION);
	compare(rule, NFT_CMP_EQ, &reply, sizeof(reply));
}

void expr_state(struct expr_rule *rule, uint32_t bits)
{
	uint32_t none = 0;
	load_ct(rule, NFT_CT_STATE);
	mask_bits(rule, &bits, &none, sizeof(bits));
	compare(rule, NFT_CMP_NEQ, &none, sizeof(none));
}

void expr_status(struct expr_rule *rule, uint32_t bits)
{
	uint32_t none = 0;
	load_ct(rule, NFT_CT_STATUS);
	mask_bits(rule, &bits, &none, sizeof(bits));
	compare(rule, NFT_CMP_EQ, &bits, sizeof(bits));
}

void expr_counted(struct expr_rule *rule)
{
	uint64_t none = 0;
	load_ct(rule, NFT_CT_PKTS);
	compare(rule, NFT_CMP_EQ, &none, sizeof(none));
}

void expr_socket_transparent(struct expr_rule *rule)
{
	uint8_t one = 1;
	struct nftnl_expr *expr = add(rule, "socket");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_SOCKET_KEY, NFT_SOCKET_TRANSPARENT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_SOCKET_DREG, NFT_REG_1);
	compare(rule, NFT_CMP_EQ, &one, sizeof(one));
}

static void load_mark(struct expr_rule *rule, enum expr_mark which)
{
	if (which == EXPR_CT_MARK)
		load_ct(rule, NFT_CT_MARK);
	else
		load_meta(rule, NFT_META_MARK, NFT_REG_1);
}

void expr_mark_is(
	struct expr_rule *rule, enum expr_mark which, uint32_t mask, uint32_t bits, bool negated)
{
	uint32_t none = 0;
	load_mark(rule, which);
	mask_bits(rule, &mask, &none, sizeof(mask));
	compare(rule, negated ? NFT_CMP_NEQ : NFT_CMP_EQ, &bits, sizeof(bits));
}

void expr_mark_set(struct expr_rule *rule, enum expr_mark which, uint32_t mask, uint32_t bits)
{
	uint32_t others = ~mask;
	load_mark(rule, which);
	mask_bits(rule, &others, &bits, sizeof(bits));
	struct nftnl_expr *expr = add(rule, which == EXPR_CT_MARK ? "ct" : "meta");
	if (!expr)
		return;
	if (which == EXPR_CT_MARK) {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_SREG, NFT_REG_1);
	} else {
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, NFT_META_MARK);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_META_SREG, NFT_REG_1);
	}
}

void expr_mark_in(struct expr_rule *rule, enum expr_mark which, uint32_t mask, const char *set)
{
	uint32_t none = 0;
	load_mark(rule, which);
	mask_bits(rule, &mask, &none, sizeof(mask));
	look_up(rule, set, false);
}

void expr_dnat(struct expr_rule *rule, enum addr_family family, uint32_t mask, const char *map)
{
	uint32_t none = 0;
	l4proto_tcp(rule);
	load_ct(rule, NFT_CT_MARK);
	mask_bits(rule, &mask, &none, sizeof(mask));
	look_up_in_map(rule, map);
	struct nftnl_expr *expr = add(rule, "nat");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(
		expr, NFTNL_EXPR_NAT_FAMILY, family == ADDR_IP4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_PROTO_MIN, register_behind(family));
}

void expr_masquerade(struct expr_rule *rule)
{
	add(rule, "masq");
}

void expr_remember_interface(struct expr_rule *rule, const char *set)
{
	load_meta(rule, NFT_META_IIF, NFT_REG_1);
	load_meta(rule, NFT_META_IIF, NFT_REG32_01);
	struct nftnl_expr *expr = add(rule, "dynset");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_ADD);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, set);
}

void expr_interfaces_in(struct expr_rule *rule, const char *set)
{
	load_meta(rule, NFT_META_IIF, NFT_REG_1);
	load_meta(rule, NFT_META_OIF, NFT_REG32_01);
	look_up(rule, set, false);
}

void expr_log(
	struct expr_rule *rule, const char *prefix, uint16_t group, uint32_t bytes, uint16_t batch)
{
	struct nftnl_expr *expr = add(rule, "log");
	if (!expr)
		return;
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOG_PREFIX, prefix);
	nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_GROUP, group);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOG_SNAPLEN, bytes);
	nftnl_expr_set_u16(expr, NFTNL_EXPR_LOG_QTHRESHOLD, batch);
}

void expr_client(struct expr_rule *rule, bool has_mac, enum addr_family family)
{
	if (family != ADDR_NONE)
		nfproto(rule, family);
	if (has_mac)
		iiftype_ether(rule);
	/* The parts lie behind one another: 16 bytes of name, 8 of MAC, the address. */
	load_meta(rule, NFT_META_IIFNAME, NFT_REG_1);
	if (has_mac)
		load_payload(rule, NFT_PAYLOAD_LL_HEADER, ETHER_SOURCE, 6, NFT_REG_2);
	if (family != ADDR_NONE)
		load_saddr(rule, family, has_mac ? NFT_REG32_06 : NFT_REG_2);
}

void expr_client_in(struct expr_rule *rule, const char *set)
{
	look_up(rule, set, false);
}

void expr_client_mark(struct expr_rule *rule, const char *map)
{
	look_up_in_map(rule, map);
}

void expr_loaded(struct expr_rule *rule, uint32_t bits)
{
	uint32_t none = 0;
	mask_bits(rule, &bits, &none, sizeof(bits));
	compare(rule, NFT_CMP_EQ, &bits, sizeof(bits));
}

static void fill_limit(struct nftnl_expr *expr, uint32_t rate, uint32_t burst, bool over)
{
	nftnl_expr_set_u64(expr, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(expr, NFTNL_EXPR_LIMIT_UNIT, PER_SECOND);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LIMIT_FLAGS, over ? NFT_LIMIT_F_INV : 0);
}

/* Takes the expression over; NULL: there was no memory for it. */
static void put_dynamic(
	struct expr_rule *rule, const char *set, enum nft_dynset_ops op, struct nftnl_expr *each)
{
	struct nftnl_expr *expr = each ? add(rule, "dynset") : NULL;
	if (!expr) {
		rule->failed = true;
		if (each)
			nftnl_expr_free(each);
		return;
	}
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, op);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, set);
	nftnl_expr_add_expr(expr, NFTNL_EXPR_DYNSET_EXPR, each);
}

void expr_client_rate(struct expr_rule *rule, const char *set, uint32_t rate, uint32_t burst)
{
	struct nftnl_expr *limit = nftnl_expr_alloc("limit");
	if (limit)
		fill_limit(limit, rate, burst, true);
	put_dynamic(rule, set, NFT_DYNSET_OP_UPDATE, limit);
}

void expr_client_count(struct expr_rule *rule, const char *set, uint32_t most)
{
	struct nftnl_expr *count = nftnl_expr_alloc("connlimit");
	if (count) {
		nftnl_expr_set_u32(count, NFTNL_EXPR_CONNLIMIT_COUNT, most);
		nftnl_expr_set_u32(count, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	}
	put_dynamic(rule, set, NFT_DYNSET_OP_ADD, count);
}

void expr_rate(struct expr_rule *rule, uint32_t rate, uint32_t burst)
{
	struct nftnl_expr *expr = add(rule, "limit");
	if (expr)
		fill_limit(expr, rate, burst, true);
}

void expr_rate_within(struct expr_rule *rule, uint32_t rate, uint32_t burst)
{
	struct nftnl_expr *expr = add(rule, "limit");
	if (expr)
		fill_limit(expr, rate, burst, false);
}

void expr_count(struct expr_rule *rule, const char *counter)
{
	struct nftnl_expr *expr = add(rule, "objref");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(expr, NFTNL_EXPR_OBJREF_IMM_NAME, counter);
}

void expr_tproxy(struct expr_rule *rule, enum addr_family family, uint16_t port)
{
	uint16_t wire = htons(port);
	nfproto(rule, family);
	l4proto_tcp(rule);
	struct nftnl_expr *expr = add(rule, "immediate");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, &wire, sizeof(wire));
	expr = add(rule, "tproxy");
	if (!expr)
		return;
	nftnl_expr_set_u32(
		expr, NFTNL_EXPR_TPROXY_FAMILY, family == ADDR_IP4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_TPROXY_REG_PORT, NFT_REG_1);
}

void expr_reset(struct expr_rule *rule)
{
	l4proto_tcp(rule);
	struct nftnl_expr *expr = add(rule, "reject");
	if (!expr)
		return;
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, 0);
}

void expr_queue(struct expr_rule *rule, uint16_t number)
{
	struct nftnl_expr *expr = add(rule, "queue");
	if (!expr)
		return;
	nftnl_expr_set_u16(expr, NFTNL_EXPR_QUEUE_NUM, number);
	nftnl_expr_set_u16(expr, NFTNL_EXPR_QUEUE_TOTAL, 1);
	nftnl_expr_set_u16(expr, NFTNL_EXPR_QUEUE_FLAGS, NFT_QUEUE_FLAG_BYPASS);
}

void expr_queue_compat(struct expr_rule *rule, uint16_t number)
{
	struct nftnl_expr *expr = add(rule, "target");
	if (!expr)
		return;
	/* nft_compat takes the information padded to 8 bytes; libnftnl takes the memory over. */
	struct xt_NFQ_info_v3 *info = calloc(1, XT_ALIGN(sizeof(*info)));
	if (!info) {
		rule->failed = true;
		return;
	}
	info->queuenum = number;
	info->queues_total = 1;
	info->flags = NFQ_FLAG_BYPASS;
	nftnl_expr_set_str(expr, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_TG_REV, 3);
	nftnl_expr_set(expr, NFTNL_EXPR_TG_INFO, info, XT_ALIGN(sizeof(*info)));
}

void expr_accept(struct expr_rule *rule)
{
	verdict(rule, NF_ACCEPT, NULL);
}

void expr_drop(struct expr_rule *rule)
{
	verdict(rule, NF_DROP, NULL);
}

void expr_notrack(struct expr_rule *rule)
{
	add(rule, "notrack");
}

void expr_jump(struct expr_rule *rule, const char *chain)
{
	verdict(rule, (uint32_t)NFT_JUMP, chain);
}

void expr_goto(struct expr_rule *rule, const char *chain)
{
	verdict(rule, (uint32_t)NFT_GOTO, chain);
}
