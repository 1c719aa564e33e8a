/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor makes of other programs' rules for connections that are forwarded: by the kernel's
 * own messages, put together here, since not every kernel has flowtables to ask. */
#include "daemon/control/doctor/foreign/foreign.h"
#include "daemon/control/doctor/foreign/marked.h"
#include "daemon/control/kernel/link.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MASK   0xf0000000u
#define KERNEL 0x70000000u

struct ruleset {
	uint8_t bytes[16384];
	size_t len;
	struct nlmsghdr *message; /* being written */
	struct nlattr *rule;
	uint64_t handle;
};

static void begin(struct ruleset *set, uint16_t type)
{
	set->message = mnl_nlmsg_put_header(set->bytes + set->len);
	set->message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(set->message, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
}

static void end(struct ruleset *set)
{
	set->len += MNL_ALIGN(set->message->nlmsg_len);
	assert_true(set->len < sizeof(set->bytes));
}

static void add_base(struct ruleset *set, const char *type, uint32_t hook, uint32_t policy)
{
	begin(set, NFT_MSG_NEWCHAIN);
	mnl_attr_put_strz(set->message, NFTA_CHAIN_TABLE, "fw");
	mnl_attr_put_strz(set->message, NFTA_CHAIN_NAME, "base");
	struct nlattr *nest = mnl_attr_nest_start(set->message, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(set->message, NFTA_HOOK_HOOKNUM, htonl(hook));
	mnl_attr_put_u32(set->message, NFTA_HOOK_PRIORITY, htonl(0));
	mnl_attr_nest_end(set->message, nest);
	mnl_attr_put_u32(set->message, NFTA_CHAIN_POLICY, htonl(policy));
	mnl_attr_put_strz(set->message, NFTA_CHAIN_TYPE, type);
	end(set);
}

static void begin_rule(struct ruleset *set, const char *chain)
{
	begin(set, NFT_MSG_NEWRULE);
	mnl_attr_put_strz(set->message, NFTA_RULE_TABLE, "fw");
	mnl_attr_put_strz(set->message, NFTA_RULE_CHAIN, chain);
	mnl_attr_put_u64(set->message, NFTA_RULE_HANDLE, htobe64(++set->handle));
	set->rule = mnl_attr_nest_start(set->message, NFTA_RULE_EXPRESSIONS);
}

static void end_rule(struct ruleset *set)
{
	mnl_attr_nest_end(set->message, set->rule);
	end(set);
}

struct nests {
	struct nlattr *element, *data;
};

static struct nests begin_expr(struct ruleset *set, const char *name)
{
	struct nests nests = {.element = mnl_attr_nest_start(set->message, NFTA_LIST_ELEM)};
	mnl_attr_put_strz(set->message, NFTA_EXPR_NAME, name);
	nests.data = mnl_attr_nest_start(set->message, NFTA_EXPR_DATA);
	return nests;
}

static void end_expr(struct ruleset *set, struct nests nests)
{
	mnl_attr_nest_end(set->message, nests.data);
	mnl_attr_nest_end(set->message, nests.element);
}

static void put_value(struct ruleset *set, uint16_t type, const void *value, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(set->message, type);
	mnl_attr_put(set->message, NFTA_DATA_VALUE, len, value);
	mnl_attr_nest_end(set->message, nest);
}

static void compare(struct ruleset *set, uint32_t op, const void *value, size_t len)
{
	struct nests nests = begin_expr(set, "cmp");
	mnl_attr_put_u32(set->message, NFTA_CMP_OP, htonl(op));
	put_value(set, NFTA_CMP_DATA, value, len);
	end_expr(set, nests);
}

static void mask(struct ruleset *set, const void *bits, size_t len)
{
	static const uint8_t none[16];
	struct nests nests = begin_expr(set, "bitwise");
	put_value(set, NFTA_BITWISE_MASK, bits, len);
	put_value(set, NFTA_BITWISE_XOR, none, len);
	end_expr(set, nests);
}

static void load_meta(struct ruleset *set, uint32_t key)
{
	struct nests nests = begin_expr(set, "meta");
	mnl_attr_put_u32(set->message, NFTA_META_KEY, htonl(key));
	mnl_attr_put_u32(set->message, NFTA_META_DREG, htonl(NFT_REG_1));
	end_expr(set, nests);
}

static void load_ct(struct ruleset *set, uint32_t key)
{
	struct nests nests = begin_expr(set, "ct");
	mnl_attr_put_u32(set->message, NFTA_CT_KEY, htonl(key));
	mnl_attr_put_u32(set->message, NFTA_CT_DREG, htonl(NFT_REG_1));
	end_expr(set, nests);
}

static void load_payload(struct ruleset *set, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nests nests = begin_expr(set, "payload");
	mnl_attr_put_u32(set->message, NFTA_PAYLOAD_BASE, htonl(base));
	mnl_attr_put_u32(set->message, NFTA_PAYLOAD_OFFSET, htonl(offset));
	mnl_attr_put_u32(set->message, NFTA_PAYLOAD_LEN, htonl(len));
	end_expr(set, nests);
}

static void name(struct ruleset *set, uint32_t key, uint32_t op, const char *interface)
{
	char text[16] = "";
	snprintf(text, sizeof(text), "%s", interface);
	load_meta(set, key);
	compare(set, op, text, sizeof(text));
}

static void port(struct ruleset *set, uint16_t number)
{
	const uint16_t order = htons(number);
	load_payload(set, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(order));
	compare(set, NFT_CMP_EQ, &order, sizeof(order));
}

static void family(struct ruleset *set, uint8_t protocol)
{
	load_meta(set, NFT_META_NFPROTO);
	compare(set, NFT_CMP_EQ, &protocol, 1);
}

static void state(struct ruleset *set, uint32_t states)
{
	static const uint32_t none;
	load_ct(set, NFT_CT_STATE);
	mask(set, &states, sizeof(states));
	compare(set, NFT_CMP_NEQ, &none, sizeof(none));
}

static void status(struct ruleset *set, uint32_t bits)
{
	static const uint32_t none;
	load_ct(set, NFT_CT_STATUS);
	mask(set, &bits, sizeof(bits));
	compare(set, NFT_CMP_NEQ, &none, sizeof(none));
}

static void ct_mark(struct ruleset *set, uint32_t value)
{
	static const uint32_t bits = MASK;
	load_ct(set, NFT_CT_MARK);
	mask(set, &bits, sizeof(bits));
	compare(set, NFT_CMP_EQ, &value, sizeof(value));
}

static void verdict(struct ruleset *set, int32_t code, const char *chain)
{
	struct nests nests = begin_expr(set, "immediate");
	mnl_attr_put_u32(set->message, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	struct nlattr *data = mnl_attr_nest_start(set->message, NFTA_IMMEDIATE_DATA);
	struct nlattr *parts = mnl_attr_nest_start(set->message, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(set->message, NFTA_VERDICT_CODE, htonl((uint32_t)code));
	if (chain)
		mnl_attr_put_strz(set->message, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(set->message, parts);
	mnl_attr_nest_end(set->message, data);
	end_expr(set, nests);
}

static void bare(struct ruleset *set, const char *expression)
{
	end_expr(set, begin_expr(set, expression));
}

/* `flow add @f` */
static void flow_add(struct ruleset *set)
{
	struct nests nests = begin_expr(set, "flow_offload");
	mnl_attr_put_strz(set->message, NFTA_FLOW_TABLE_NAME, "f");
	end_expr(set, nests);
}

/* ---- what is told ---- */

struct told {
	char text[2048];
};

static void hear(void *context, const char *text)
{
	struct told *told = context;
	size_t len = strlen(told->text);

	if (strncmp(text, "chain ", 6) != 0)
		snprintf(told->text + len, sizeof(told->text) - len, "%s\n", text);
}

static struct foreign_dump dump_of(const struct ruleset *set)
{
	static const struct control_link links[] = {
		{.ifindex = 2, .name = "guest0"}, {.ifindex = 3, .name = "dmz0"}};
	return (struct foreign_dump){set->bytes, set->len, links, 2};
}

static struct told tell(const struct ruleset *set)
{
	const struct foreign_dump dump = dump_of(set);
	struct told told = {""};

	foreign_tell(&dump, MASK, 25, false, hear, &told);
	return told;
}

static struct addr address(const char *text)
{
	struct addr addr;
	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static struct told forwarded(const struct ruleset *set, const char *client, const char *host)
{
	const struct foreign_dump dump = dump_of(set);
	const struct foreign_forwarded flows = {
		"guest0", "dmz0", address(client), {address(host), 25}, false};
	struct foreign_chains *chains = foreign_chains_new(&dump);
	struct told told = {""};

	assert_non_null(chains);
	foreign_forwarded_tell(chains, MASK, KERNEL, &flows, hear, &told);
	foreign_chains_free(chains);
	return told;
}

#define CLIENT  "192.0.2.10"
#define HOST    "203.0.113.10"
#define THERE   "refused inet fw base 203.0.113.10 25 guest0 dmz0 there\n"
#define BACK    "refused inet fw base 203.0.113.10 25 dmz0 guest0 back\n"
#define NEITHER THERE BACK

static void expect(const struct ruleset *set, const char *want)
{
	assert_string_equal(forwarded(set, CLIENT, HOST).text, want);
}

/* ---- flowtables ---- */

static void a_flowtable_that_may_take_ours_is_told(void **unused)
{
	struct ruleset set = {.len = 0};
	const uint8_t tcp = 6;

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_ACCEPT);
	begin_rule(&set, "base"); /* meta l4proto tcp flow add @f */
	load_meta(&set, NFT_META_L4PROTO);
	compare(&set, NFT_CMP_EQ, &tcp, sizeof(tcp));
	flow_add(&set);
	end_rule(&set);
	begin_rule(&set, "base"); /* ct state established flow add @f */
	state(&set, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	flow_add(&set);
	end_rule(&set);
	assert_string_equal(tell(&set).text, "offloads inet fw base 1 flowtable all *\n"
					     "offloads inet fw base 2 flowtable all *\n");
}

static void a_flowtable_for_others_is_not(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_ACCEPT);
	begin_rule(&set, "base"); /* tcp dport 443 flow add @f */
	port(&set, 443);
	flow_add(&set);
	end_rule(&set);
	begin_rule(&set, "base"); /* ct mark & 0xf0000000 == 0x70000000 accept */
	ct_mark(&set, KERNEL);
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	assert_string_equal(tell(&set).text, "");
	begin_rule(&set, "base"); /* ct mark & 0xf0000000 == 0 flow add @f */
	ct_mark(&set, 0);
	flow_add(&set);
	end_rule(&set);
	assert_string_equal(tell(&set).text, "");
}

/* ---- forward ---- */

static void a_closed_chain_refuses_both_ways(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_DROP);
	expect(&set, NEITHER);
	begin_rule(&set, "base"); /* ct state established accept */
	state(&set, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	expect(&set, THERE);
	begin_rule(&set, "base"); /* iifname "guest0" oifname "wan0" accept */
	name(&set, NFT_META_IIFNAME, NFT_CMP_EQ, "guest0");
	name(&set, NFT_META_OIFNAME, NFT_CMP_EQ, "wan0");
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	expect(&set, THERE);
	begin_rule(&set, "base"); /* iifname != "wan0" oifname "dmz0" accept */
	name(&set, NFT_META_IIFNAME, NFT_CMP_NEQ, "wan0");
	name(&set, NFT_META_OIFNAME, NFT_CMP_EQ, "dmz0");
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	expect(&set, "");
}

static void the_line_that_doctor_gives_is_enough(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_DROP);
	begin_rule(&set, "base"); /* ct mark & 0xf0000000 == 0x70000000 accept */
	ct_mark(&set, KERNEL);
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	expect(&set, "");
}

static void what_was_led_elsewhere_is_known(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_DROP);
	begin_rule(&set, "base"); /* ct status snat accept: not known */
	status(&set, IPS_SRC_NAT);
	verdict(&set, NF_DROP, NULL);
	end_rule(&set);
	expect(&set, NEITHER);
	begin_rule(&set, "base"); /* ct status dnat accept */
	status(&set, IPS_DST_NAT);
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	expect(&set, "");
}

static void addresses_are_compared(void **unused)
{
	static const uint8_t slash25[4] = {255, 255, 255, 128}, network[4] = {203, 0, 113, 0},
			     other[4] = {203, 0, 113, 11}, ten[1] = {10};
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_ACCEPT);
	begin_rule(&set, "base"); /* ip saddr 10.0.0.0/8 drop */
	family(&set, NFPROTO_IPV4);
	load_payload(&set, NFT_PAYLOAD_NETWORK_HEADER, 12, sizeof(ten));
	compare(&set, NFT_CMP_EQ, ten, sizeof(ten));
	verdict(&set, NF_DROP, NULL);
	end_rule(&set);
	begin_rule(&set, "base"); /* ip daddr 203.0.113.11 drop */
	family(&set, NFPROTO_IPV4);
	load_payload(&set, NFT_PAYLOAD_NETWORK_HEADER, 16, sizeof(other));
	compare(&set, NFT_CMP_EQ, other, sizeof(other));
	verdict(&set, NF_DROP, NULL);
	end_rule(&set);
	expect(&set, "");
	begin_rule(&set, "base"); /* ip daddr 203.0.113.0/25 drop */
	family(&set, NFPROTO_IPV4);
	load_payload(&set, NFT_PAYLOAD_NETWORK_HEADER, 16, sizeof(network));
	mask(&set, slash25, sizeof(slash25));
	compare(&set, NFT_CMP_EQ, network, sizeof(network));
	verdict(&set, NF_DROP, NULL);
	end_rule(&set);
	expect(&set, THERE);
	assert_string_equal(forwarded(&set, "2001:db8:1::10", "2001:db8:2::10").text, "");
}

static void a_condition_that_is_not_understood_says_less(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_DROP);
	begin_rule(&set, "base"); /* limit rate 5/second accept */
	bare(&set, "limit");
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	expect(&set, "");
}

static void chains_are_followed_and_left(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "filter", NF_INET_FORWARD, NF_ACCEPT);
	begin_rule(&set, "base");
	verdict(&set, NFT_JUMP, "leaves");
	end_rule(&set);
	begin_rule(&set, "leaves");
	verdict(&set, NFT_RETURN, NULL);
	end_rule(&set);
	begin_rule(&set, "leaves");
	verdict(&set, NF_DROP, NULL);
	end_rule(&set);
	expect(&set, "");
	begin_rule(&set, "base");
	verdict(&set, NFT_GOTO, "stays");
	end_rule(&set);
	begin_rule(&set, "base");
	verdict(&set, NF_DROP, NULL);
	end_rule(&set);
	expect(&set, "");
	begin_rule(&set, "stays");
	verdict(&set, NFT_JUMP, "refuses");
	end_rule(&set);
	begin_rule(&set, "refuses");
	name(&set, NFT_META_OIFNAME, NFT_CMP_EQ, "dmz0");
	bare(&set, "reject");
	end_rule(&set);
	expect(&set, THERE);
}

/* ---- source NAT ---- */

static void who_hides_the_clients_is_told(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_base(&set, "nat", NF_INET_POST_ROUTING, NF_ACCEPT);
	begin_rule(&set, "base"); /* oifname "wan0" masquerade */
	name(&set, NFT_META_OIFNAME, NFT_CMP_EQ, "wan0");
	bare(&set, "masq");
	end_rule(&set);
	expect(&set, "");
	begin_rule(&set, "base"); /* oifname != "guest0" masquerade */
	name(&set, NFT_META_OIFNAME, NFT_CMP_NEQ, "guest0");
	bare(&set, "masq");
	end_rule(&set);
	expect(&set, "hides inet fw base 2 203.0.113.10 25 guest0 dmz0 masquerade\n");
	set.len = 0;
	add_base(&set, "nat", NF_INET_POST_ROUTING, NF_ACCEPT);
	begin_rule(&set, "base"); /* ct mark & 0xf0000000 == 0x70000000 accept */
	ct_mark(&set, KERNEL);
	verdict(&set, NF_ACCEPT, NULL);
	end_rule(&set);
	begin_rule(&set, "base");
	bare(&set, "masq");
	end_rule(&set);
	expect(&set, "");
}

/* ---- marks ---- */

/* Between steer and our nat. */
static void add_between(struct ruleset *set)
{
	begin(set, NFT_MSG_NEWCHAIN);
	mnl_attr_put_strz(set->message, NFTA_CHAIN_TABLE, "fw");
	mnl_attr_put_strz(set->message, NFTA_CHAIN_NAME, "base");
	struct nlattr *nest = mnl_attr_nest_start(set->message, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(set->message, NFTA_HOOK_HOOKNUM, htonl(NF_INET_PRE_ROUTING));
	mnl_attr_put_u32(set->message, NFTA_HOOK_PRIORITY, htonl((uint32_t)-120));
	mnl_attr_nest_end(set->message, nest);
	mnl_attr_put_strz(set->message, NFTA_CHAIN_TYPE, "filter");
	end(set);
}

static void store(
	struct ruleset *set, const char *expression, uint16_t key, uint16_t reg, uint32_t mark)
{
	struct nests nests = begin_expr(set, expression);
	mnl_attr_put_u32(set->message, key, htonl(mark));
	mnl_attr_put_u32(set->message, reg, htonl(NFT_REG_1));
	end_expr(set, nests);
}

static void set_mark(struct ruleset *set)
{
	store(set, "meta", NFTA_META_KEY, NFTA_META_SREG, NFT_META_MARK);
}

static void set_ct_mark(struct ruleset *set)
{
	store(set, "ct", NFTA_CT_KEY, NFTA_CT_SREG, NFT_CT_MARK);
}

static void load_value(struct ruleset *set, uint32_t value)
{
	struct nests nests = begin_expr(set, "immediate");
	mnl_attr_put_u32(set->message, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_1));
	put_value(set, NFTA_IMMEDIATE_DATA, &value, sizeof(value));
	end_expr(set, nests);
}

static struct told marked_by(const struct ruleset *set, uint32_t mark_mask, uint32_t server_mask)
{
	const struct foreign_dump dump = dump_of(set);
	const struct foreign_forwarded flows = {
		"guest0", "dmz0", address(CLIENT), {address(HOST), 25}, false};
	struct foreign_chains *chains = foreign_chains_new(&dump);
	struct foreign_marked *marked = foreign_marked_new(chains, mark_mask, server_mask);
	struct told told = {""};

	assert_non_null(marked);
	foreign_marked_follow(marked, &flows, 25);
	foreign_marked_tell(marked, hear, &told);
	foreign_marked_free(marked);
	foreign_chains_free(chains);
	return told;
}

static void what_is_ours_is_as_the_masks_say(void **unused)
{
	static const uint32_t low = 0xffff0000;
	struct ruleset set = {.len = 0};

	(void)unused;
	add_between(&set);
	begin_rule(&set, "base"); /* meta mark set 0x20000001 */
	load_value(&set, 0x20000001);
	set_mark(&set);
	end_rule(&set);
	begin_rule(&set, "base"); /* ct mark set ct mark & 0xffff0000 */
	load_ct(&set, NFT_CT_MARK);
	mask(&set, &low, sizeof(low));
	set_ct_mark(&set);
	end_rule(&set);
	assert_string_equal(marked_by(&set, 0xf0000000, 0x0fff0000).text,
		"marks inet fw base 1 base out all 0x00000001 -\n");
	assert_string_equal(marked_by(&set, 0x0f000000, 0x00ff0000).text,
		"marks inet fw base 1 base reset all 0x20000001 -\n");
	assert_string_equal(marked_by(&set, 0xf0000000, 0x0000fff0).text,
		"marks inet fw base 1 base out all 0x00000001 -\n"
		"marks inet fw base 2 base misled all - *\n");
	assert_string_equal(marked_by(&set, 0x0000000f, 0x0000fff0).text,
		"marks inet fw base 1 base reset all 0x20000000 -\n"
		"marks inet fw base 2 base reset all - *\n");
}

/* `meta mark set meta mark | ct mark`, of kernels from 6.13 on. */
static void a_mark_that_is_joined_with_another_may_be_any(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_between(&set);
	begin_rule(&set, "base");
	load_meta(&set, NFT_META_MARK);
	struct nests nests = begin_expr(&set, "bitwise");
	mnl_attr_put_u32(set.message, NFTA_BITWISE_OP, htonl(4));
	end_expr(&set, nests);
	set_mark(&set);
	end_rule(&set);
	assert_string_equal(marked_by(&set, 0xf0000000, 0x0fff0000).text,
		"marks inet fw base 1 base out some * -\n");
}

/* As many ways as the kernel would never load. */
static void chains_without_end_are_left(void **unused)
{
	struct ruleset set = {.len = 0};

	(void)unused;
	add_between(&set);
	for (size_t i = 0; i < 8; i++) {
		begin_rule(&set, "base");
		verdict(&set, NFT_JUMP, "base");
		end_rule(&set);
	}
	begin_rule(&set, "base");
	load_value(&set, 0);
	set_mark(&set);
	end_rule(&set);
	assert_non_null(
		strstr(marked_by(&set, 0xf0000000, 0x0fff0000).text, "marks-unread rules\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flowtable_that_may_take_ours_is_told),
		cmocka_unit_test(a_flowtable_for_others_is_not),
		cmocka_unit_test(a_closed_chain_refuses_both_ways),
		cmocka_unit_test(the_line_that_doctor_gives_is_enough),
		cmocka_unit_test(what_was_led_elsewhere_is_known),
		cmocka_unit_test(addresses_are_compared),
		cmocka_unit_test(a_condition_that_is_not_understood_says_less),
		cmocka_unit_test(chains_are_followed_and_left),
		cmocka_unit_test(who_hides_the_clients_is_told),
		cmocka_unit_test(what_is_ours_is_as_the_masks_say),
		cmocka_unit_test(a_mark_that_is_joined_with_another_may_be_any),
		cmocka_unit_test(chains_without_end_are_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
