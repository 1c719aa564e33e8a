/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/control/doctor/foreign/rule.h"

#include "daemon/control/control.h"
#include "daemon/control/doctor/foreign/packet.h"
#include "daemon/control/doctor/foreign/xtables.h"
#include "lib/policy/mark.h"

#include <netinet/in.h>
#include <stdio.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* Does a mark that is set from what is loaded keep our bits? The connection's are the same ones. */
static bool keeps_mark(const struct foreign_rule *reading)
{
	const uint32_t ours = reading->mark_mask;
	return (reading->loaded == LOADED_MARK || reading->loaded == LOADED_CT_MARK) &&
	       (reading->masked & ours) == ours && !(reading->xored & ours);
}

/* A register more is loaded; one that nothing compared yet is compared together with it. */
static void load(struct foreign_rule *reading)
{
	reading->joined |= reading->unread;
	reading->unread = true;
	reading->value = (struct foreign_mark){.known = 0};
}

/* What is left in the register is not known. */
static void forget(struct foreign_rule *reading)
{
	reading->loaded = LOADED_OTHER;
	reading->value = (struct foreign_mark){.known = 0};
}

static void read_meta(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t key = foreign_u32(expr, NFTA_META_KEY);

	if (!expr->v[NFTA_META_DREG]) {
		reading->overwrites |= key == NFT_META_MARK && !keeps_mark(reading);
		if (reading->marks && key == NFT_META_MARK)
			reading->marks->packet = reading->value;
		reading->loaded = LOADED_HARMLESS;
		return;
	}
	load(reading);
	reading->masked = UINT32_MAX;
	reading->xored = 0;
	switch (key) {
	case NFT_META_MARK:
		reading->loaded = LOADED_MARK;
		if (reading->marks)
			reading->value = reading->marks->packet;
		break;
	case NFT_META_IIF:
		reading->loaded = LOADED_INDEX;
		break;
	case NFT_META_OIF:
		reading->loaded = reading->packet ? LOADED_OUT_INDEX : LOADED_OTHER;
		break;
	case NFT_META_OIFNAME:
		reading->loaded = reading->packet ? LOADED_OUT : LOADED_OTHER;
		break;
	case NFT_META_NFPROTO:
		reading->loaded = reading->packet ? LOADED_FAMILY : LOADED_HARMLESS;
		break;
	case NFT_META_L4PROTO:
	case NFT_META_PROTOCOL:
		reading->loaded = LOADED_HARMLESS;
		break;
	case NFT_META_IIFNAME:
		reading->loaded = LOADED_INTERFACE;
		break;
	default:
		reading->loaded = LOADED_OTHER;
	}
}

/* A name, or with fewer bytes than names have the beginning of one, as nft writes `wlan*`. */
static void take_interface(
	struct foreign_rule *reading, uint32_t op, const char *data, uint32_t len)
{
	if (!data || !len || len > IFNAMSIZ || (op != NFT_CMP_EQ && op != NFT_CMP_NEQ)) {
		reading->narrowed = true;
		return;
	}
	snprintf(reading->interface, sizeof(reading->interface), "%s%.*s%s",
		op == NFT_CMP_NEQ ? "!" : "", (int)len, data, data[len - 1] ? "*" : "");
	if (reading->packet) {
		packet_compare_interface(reading, op, reading->interface + (op == NFT_CMP_NEQ));
		return;
	}
	if (strpbrk(reading->interface, " \n"))
		reading->narrowed = true;
}

static void take_index(struct foreign_rule *reading, uint32_t op, const void *data, uint32_t len)
{
	char name[IFNAMSIZ] = "";
	uint32_t index = 0;

	if (data && len == sizeof(index))
		memcpy(&index, data, sizeof(index));
	foreign_link_name(reading->dump, index, name);
	take_interface(reading, op, *name ? name : NULL, sizeof(name));
}

static void read_ct(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t key = foreign_u32(expr, NFTA_CT_KEY);

	if (!expr->v[NFTA_CT_DREG]) {
		reading->overwrites_ct |= key == NFT_CT_MARK && !keeps_mark(reading);
		if (reading->marks && key == NFT_CT_MARK)
			reading->marks->ct = reading->value;
		reading->loaded = LOADED_HARMLESS;
		return;
	}
	load(reading);
	reading->loaded = key == NFT_CT_STATE                       ? LOADED_STATE
			  : key == NFT_CT_MARK                      ? LOADED_CT_MARK
			  : key == NFT_CT_STATUS && reading->packet ? LOADED_STATUS
								    : LOADED_OTHER;
	reading->masked = UINT32_MAX;
	reading->xored = 0;
	if (reading->marks && key == NFT_CT_MARK)
		reading->value = reading->marks->ct;
}

static void read_payload(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t base = foreign_u32(expr, NFTA_PAYLOAD_BASE);
	uint32_t offset = foreign_u32(expr, NFTA_PAYLOAD_OFFSET);
	uint32_t len = foreign_u32(expr, NFTA_PAYLOAD_LEN);
	bool port = base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 2 && len == 2;
	/* `ip protocol`, `ip6 nexthdr` */
	bool protocol =
		base == NFT_PAYLOAD_NETWORK_HEADER && len == 1 && (offset == 9 || offset == 6);
	load(reading);
	reading->loaded = port ? LOADED_PORT : protocol ? LOADED_PROTOCOL : LOADED_OTHER;
	if (reading->packet && base == NFT_PAYLOAD_NETWORK_HEADER &&
		packet_load_address(reading, offset, len))
		reading->loaded = LOADED_ADDRESS;
}

static void read_bitwise(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t len = 0, mask = 0, xor = 0;
	const void *data = foreign_value(expr, NFTA_BITWISE_MASK, &len);
	/* shifted, or joined with another register */
	if (foreign_u32(expr, NFTA_BITWISE_OP) != NFT_BITWISE_BOOL) {
		forget(reading);
		return;
	}
	if (data && len == sizeof(mask))
		memcpy(&mask, data, sizeof(mask));
	data = foreign_value(expr, NFTA_BITWISE_XOR, &len);
	if (data && len == sizeof(xor))
		memcpy(&xor, data, sizeof(xor));
	reading->xored = (reading->xored & mask) ^ xor;
	reading->masked &= mask;
	reading->value = foreign_mark_change(reading->value, mask, xor);
	if (reading->loaded == LOADED_ADDRESS && !packet_mask_address(reading, expr))
		reading->loaded = LOADED_OTHER;
}

static bool compare_port(const struct foreign_rule *reading, uint32_t op, const uint8_t port[2])
{
	int other = port[0] << 8 | port[1];
	switch (op) {
	case NFT_CMP_EQ:
		return other == reading->to;
	case NFT_CMP_NEQ:
		return other != reading->to;
	case NFT_CMP_LT:
		return reading->to < other;
	case NFT_CMP_LTE:
		return reading->to <= other;
	case NFT_CMP_GT:
		return reading->to > other;
	case NFT_CMP_GTE:
		return reading->to >= other;
	default:
		return false;
	}
}

static void take_protocol(struct foreign_rule *reading, uint8_t protocol)
{
	if (protocol != (reading->udp ? IPPROTO_UDP : IPPROTO_TCP))
		reading->port_missed = true;
}

/* Is this a mark of the connection that none of those has which are forwarded by our leave? */
static bool spares(const struct foreign_rule *reading, const void *data, uint32_t len)
{
	const uint32_t ours = reading->mark_mask, one = ours & -ours;
	uint32_t mark;

	if (!data || len != sizeof(mark) || (reading->masked & ours) != ours)
		return false;
	memcpy(&mark, data, sizeof(mark));
	return (mark & ours) != MARK_PASS * one && (mark & ours) != MARK_KERNEL * one;
}

/* false: it is not a mark that is compared. */
static bool take_mark(struct foreign_rule *reading, uint32_t op, const void *data, uint32_t len)
{
	uint32_t value;

	if ((reading->loaded != LOADED_MARK && reading->loaded != LOADED_CT_MARK) || !data ||
		len != sizeof(value) || (op != NFT_CMP_EQ && op != NFT_CMP_NEQ))
		return false;
	memcpy(&value, data, sizeof(value));
	reading_take_mark(reading, reading->value, value, op == NFT_CMP_EQ);
	return true;
}

static void read_cmp(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t len = 0, op = foreign_u32(expr, NFTA_CMP_OP);
	const uint8_t *data = foreign_value(expr, NFTA_CMP_DATA, &len);
	const uint32_t relay = reading->relay;
	bool ours = data && op == NFT_CMP_EQ && len == sizeof(relay) &&
		    memcmp(data, &relay, sizeof(relay)) == 0;

	reading->unread = reading->joined = false;
	if (reading->marks && take_mark(reading, op, data, len))
		return;
	switch (reading->loaded) {
	case LOADED_PORT:
		reading_take_port(reading, data && len == 2 && compare_port(reading, op, data));
		break;
	case LOADED_MARK:
		*(ours ? &reading->mark : &reading->narrowed) = true;
		break;
	case LOADED_CT_MARK:
		reading->spares |= op == NFT_CMP_EQ && spares(reading, data, len);
		*(ours ? &reading->ct_mark : &reading->narrowed) = true;
		break;
	case LOADED_STATE:
		if (op == NFT_CMP_NEQ)
			reading_take_states(reading, reading->masked);
		else
			reading->narrowed = true;
		break;
	case LOADED_HARMLESS:
		/* another protocol than theirs, or their family alone */
		if (data && len == 1 && data[0] != NFPROTO_IPV4 && data[0] != NFPROTO_IPV6)
			take_protocol(reading, data[0]);
		break;
	case LOADED_PROTOCOL:
		if (data && op == NFT_CMP_EQ)
			take_protocol(reading, data[0]);
		else
			reading->narrowed = true;
		break;
	case LOADED_INTERFACE:
	case LOADED_OUT:
		take_interface(reading, op, (const char *)data, len);
		break;
	case LOADED_INDEX:
	case LOADED_OUT_INDEX:
		take_index(reading, op, data, len);
		break;
	case LOADED_FAMILY:
	case LOADED_ADDRESS:
	case LOADED_STATUS:
		packet_compare(reading, op, data, len);
		break;
	case LOADED_CONSTANT:
	case LOADED_OTHER:
		reading->narrowed = true;
		break;
	}
}

static void read_range(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t len = 0, to_len = 0;
	const uint8_t *from = foreign_value(expr, NFTA_RANGE_FROM_DATA, &len);
	const uint8_t *to = foreign_value(expr, NFTA_RANGE_TO_DATA, &to_len);
	bool outside = foreign_u32(expr, NFTA_RANGE_OP) == NFT_RANGE_NEQ;
	reading->unread = reading->joined = false;
	if (reading->loaded == LOADED_ADDRESS && from && to && len == reading->field_len &&
		to_len == len)
		reading->missed |= (memcmp(from, reading->field, len) <= 0 &&
					   memcmp(reading->field, to, len) <= 0) == outside;
	else if (reading->loaded != LOADED_PORT || !from || !to || len != 2 || to_len != 2)
		reading->narrowed = true;
	else
		reading_take_port(
			reading, (compare_port(reading, NFT_CMP_GTE, from) &&
					 compare_port(reading, NFT_CMP_LTE, to)) != outside);
}

static void miss_out(struct foreign_rule *reading, const char *map)
{
	reading->narrowed = true;
	reading->unfound = map;
}

static void read_lookup(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	const bool reads = expr->v[NFTA_LOOKUP_DREG] != NULL;
	const bool map = reads && foreign_u32(expr, NFTA_LOOKUP_DREG) == NFT_REG_VERDICT;
	bool inverted = (foreign_u32(expr, NFTA_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0;
	const struct foreign_set set = {reading->dump, reading->to, reading->family, reading->table,
		foreign_text(expr, NFTA_LOOKUP_SET)};
	struct foreign_act act;
	bool joined = reading->packet && reading->joined;

	reading->unread = reading->joined = false;
	if (joined || !set.name) {
		miss_out(reading, map ? set.name : NULL);
	} else if (reading->packet && packet_look_up(reading, &set, map, inverted)) {
		;
	} else if (reading->loaded == LOADED_PORT) {
		bool found = foreign_set_find_port(&set, &act);
		reading_take_port(reading, found != inverted);
		if (map && found)
			reading->act = act;
	} else if (reading->loaded == LOADED_STATE && !inverted) {
		reading_take_states(reading, foreign_set_states(&set, map));
		if (map) /* of the others too little is known */
			foreign_act_set(&reading->act, NF_ACCEPT, NULL);
	} else if ((reading->loaded == LOADED_INTERFACE || reading->loaded == LOADED_INDEX) &&
		   !inverted) {
		reading->listed = true;
		foreign_set_interfaces(&set, reading->loaded == LOADED_INDEX, &reading->interfaces);
		reading->narrowed |= reading->interfaces.incomplete;
	} else {
		miss_out(reading, map ? set.name : NULL);
	}
	if (reads && !map)
		forget(reading);
}

static void read_immediate(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	uint32_t verdict;
	const char *chain;

	uint32_t len, value;
	const void *data = foreign_value(expr, NFTA_IMMEDIATE_DATA, &len);

	forget(reading);
	reading->loaded = LOADED_CONSTANT;
	if (data && len == sizeof(value)) {
		memcpy(&value, data, sizeof(value));
		reading->value = foreign_mark_of(value);
	}
	if (foreign_verdict(expr, NFTA_IMMEDIATE_DATA, &verdict, &chain))
		foreign_act_set(&reading->act, verdict, chain);
}

static void read_nat(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	if (foreign_u32(expr, NFTA_NAT_TYPE) == NFT_NAT_DNAT)
		reading->act.name = "nat";
	else if (reading->packet)
		reading->act.name = "snat";
}

static void read_masquerade(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)expr;
	if (reading->packet)
		reading->act.name = "masquerade";
}

static void read_flow_offload(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)expr;
	reading->offloads = true;
}

static void read_reject(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)expr;
	reading->act.name = "reject";
}

static void read_redirect(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)expr;
	reading->act.name = "nat";
}

static void read_tproxy(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)expr;
	reading->act.name = "tproxy";
}

static void read_notrack(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)expr;
	reading->act.name = "notrack";
}

static void read_queue(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)expr;
	reading->act.name = "queue";
}

static void read_nothing(struct foreign_rule *reading, const struct foreign_attrs *expr)
{
	(void)reading, (void)expr;
}

static void read_expr(struct foreign_rule *reading, const struct nlattr *attr)
{
	static const struct {
		const char *name;
		void (*read)(struct foreign_rule *reading, const struct foreign_attrs *expr);
	} readers[] = {{"meta", read_meta}, {"ct", read_ct}, {"payload", read_payload},
		{"bitwise", read_bitwise}, {"cmp", read_cmp}, {"range", read_range},
		{"lookup", read_lookup}, {"immediate", read_immediate}, {"nat", read_nat},
		{"match", xtables_read_match}, {"target", xtables_read_target},
		{"reject", read_reject}, {"redir", read_redirect}, {"masq", read_masquerade},
		{"flow_offload", read_flow_offload}, {"tproxy", read_tproxy}, {"queue", read_queue},
		{"notrack", read_notrack}, {"counter", read_nothing}, {"log", read_nothing},
		{"objref", read_nothing}};
	struct foreign_attrs parts, expr;

	foreign_nested(attr, &parts);
	foreign_nested(parts.v[NFTA_EXPR_DATA], &expr);
	const char *name = foreign_text(&parts, NFTA_EXPR_NAME);
	for (size_t i = 0; name && i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(name, readers[i].name) == 0) {
			readers[i].read(reading, &expr);
			return;
		}
	reading->narrowed = true; /* limit, fib, socket and what is yet to come */
	forget(reading);
}

void foreign_rule_read(struct foreign_rule *reading, const struct nlattr *expressions)
{
	const struct nlattr *attr;

	if (expressions)
		mnl_attr_for_each_nested(attr, expressions) read_expr(reading, attr);
}
