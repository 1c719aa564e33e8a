/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-rules/nftables/batch.h"
#include "kernel-rules/nftables/clients.h"
#include "kernel-rules/nftables/set.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <cmocka.h>

/* Elements of the batch as text: "c0000200 ]c0000240" (a bracket ends a range). */
static void read_elements(const struct batch *batch, char *text, size_t size)
{
	int left = (int)batch->used;
	const struct nlattr *attr, *item, *part, *value;
	text[0] = 0;
	for (const struct nlmsghdr *nlh = (const void *)batch->bytes; mnl_nlmsg_ok(nlh, left);
		nlh = mnl_nlmsg_next(nlh, &left)) {
		if ((nlh->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM)
			continue;
		mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		{
			if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
				continue;
			mnl_attr_for_each_nested(item, attr)
			{
				bool end = false;
				char key[64] = "";
				mnl_attr_for_each_nested(part, item)
				{
					if (mnl_attr_get_type(part) == NFTA_SET_ELEM_FLAGS)
						end = true;
					if (mnl_attr_get_type(part) != NFTA_SET_ELEM_KEY)
						continue;
					value = mnl_attr_get_payload(part);
					const uint8_t *bytes = mnl_attr_get_payload(value);
					for (size_t i = 0;
						i < mnl_attr_get_payload_len(value) && i < 8; i++)
						sprintf(key + 2 * i, "%02x", bytes[i]);
				}
				size_t len = strlen(text);
				snprintf(text + len, size - len, "%s%s%s", len ? " " : "",
					end ? "]" : "", key);
			}
		}
	}
}

static void test_networks_become_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *networks[4];
		enum addr_family family;
		const char *elements;
	} cases[] = {
		{{"192.0.2.0/26"}, ADDR_IP4, "]00000000 c0000200 ]c0000240"},
		{{"192.0.2.64/26", "192.0.2.0/26"}, ADDR_IP4, "]00000000 c0000200 ]c0000280"},
		{{"192.0.2.0/24", "192.0.2.64/26", "192.0.2.255"}, ADDR_IP4,
			"]00000000 c0000200 ]c0000300"},
		{{"192.0.2.1", "192.0.2.3"}, ADDR_IP4,
			"]00000000 c0000201 ]c0000202 c0000203 ]c0000204"},
		{{"0.0.0.0/0"}, ADDR_IP4, "00000000"},
		{{"0.0.0.0/1", "128.0.0.0/1", "192.0.2.1"}, ADDR_IP4, "00000000"},
		{{"255.255.255.255", "192.0.2.1"}, ADDR_IP4,
			"]00000000 c0000201 ]c0000202 ffffffff"},
		{{"2001:db8::/32", "192.0.2.1"}, ADDR_IP6,
			"]0000000000000000 20010db800000000 ]20010db900000000"},
		{{"192.0.2.1"}, ADDR_IP6, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct prefix networks[4];
		struct batch batch;
		char text[512];
		size_t n = 0;
		for (; n < 4 && cases[i].networks[n]; n++)
			assert_int_equal(prefix_parse(cases[i].networks[n],
						 strlen(cases[i].networks[n]), &networks[n]),
				0);
		batch_init(&batch);
		set_fill_networks(&batch, "net", cases[i].family, networks, n);
		assert_int_equal(batch.error, 0);
		read_elements(&batch, text, sizeof(text));
		assert_string_equal(text, cases[i].elements);
		batch_fini(&batch);
	}
}

static void test_many_elements_take_several_messages(void **state)
{
	(void)state;
	struct batch batch;
	struct prefix *networks = calloc(4096, sizeof(*networks));
	unsigned messages = 0;

	for (unsigned i = 0; i < 4096; i++) {
		networks[i].addr.family = ADDR_IP6;
		networks[i].addr.bytes[1] = (uint8_t)(i >> 7);
		networks[i].addr.bytes[2] = (uint8_t)(i << 1);
		networks[i].len = 24;
	}
	batch_init(&batch);
	set_fill_networks(&batch, "net", ADDR_IP6, networks, 4096);
	assert_int_equal(batch.error, 0);
	int left = (int)batch.used;
	for (const struct nlmsghdr *nlh = (const void *)batch.bytes; mnl_nlmsg_ok(nlh, left);
		nlh = mnl_nlmsg_next(nlh, &left)) {
		assert_true(nlh->nlmsg_len <= BATCH_MESSAGE_MAX);
		messages++;
	}
	assert_int_equal(left, 0);
	assert_true(messages > 4);
	batch_fini(&batch);
	free(networks);
}

static void test_too_much_is_refused_before_it_is_sent(void **state)
{
	(void)state;
	struct netlink closed = {.fd = -1};
	struct batch batch;
	uint16_t ports[512] = {0};

	batch_init(&batch);
	for (unsigned i = 0; i < 20000 && !batch.error; i++)
		set_fill_ports(&batch, "port", ports, 512);
	assert_int_equal(batch.error, -EMSGSIZE);
	assert_int_equal(batch_send(&batch, &closed), -EMSGSIZE);
	batch_fini(&batch);
}

static void test_a_client_survives_its_key(void **state)
{
	(void)state;
	static const struct {
		const char *addr;
		bool has_mac;
		size_t len;
	} cases[] = {{"192.0.2.7", true, 28}, {"192.0.2.7", false, 20}, {"2001:db8::7", true, 40},
		{"2001:db8::7", false, 32}};
	for (size_t i = 0; i < 4; i++) {
		struct client client = {.ifname = "br-guest", .mark = MARK_PASS}, back;
		uint8_t key[48];
		if (cases[i].has_mac)
			client.mac = (struct mac){{2, 0, 0x5e, 0, 0x53, 7}};
		assert_int_equal(addr_parse(cases[i].addr, strlen(cases[i].addr), &client.addr), 0);
		assert_int_equal(clients_encode_key(&client, key), cases[i].len);
		int set = set_client_of(client.mark, client.addr.family, cases[i].has_mac);
		assert_true(set >= 0);
		assert_true(clients_decode_key(&set_clients[set], key, cases[i].len, &back));
		assert_string_equal(back.ifname, client.ifname);
		assert_memory_equal(&back.mac, &client.mac, sizeof(client.mac));
		assert_true(addr_equal(&back.addr, &client.addr));
		assert_int_equal(back.mark, MARK_PASS);
		assert_false(clients_decode_key(&set_clients[set], key, cases[i].len - 1, &back));
	}
	assert_int_equal(set_client_of(MARK_KILL, ADDR_IP4, true), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks_become_ranges),
		cmocka_unit_test(test_many_elements_take_several_messages),
		cmocka_unit_test(test_too_much_is_refused_before_it_is_sent),
		cmocka_unit_test(test_a_client_survives_its_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
