/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a packet of accounting tells of, by what the policy says. */
#include "lib/language/language.h"
#include "lib/radius/who.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char text[] =
	"zone whole { interface e0 }\n"
	"zone guest { interface e1 network 192.0.2.0/25, 2001:db8:1::/64 }\n"
	"zone staff { interface e2 network 192.0.2.128/25 identity address }\n"
	"zone labs { interface e3 network 198.51.100.0/24 identity mac+address }\n"
	"zone other { interface e4 network 203.0.113.0/24 }\n"
	"radius wlc { listen 192.0.2.1 port 1813\n"
	"  from 10.0.0.0/8 { secret file \"/wide\" } from 10.1.0.0/16 { secret file \"/near\" }\n"
	"  zone guest { ssid \"hotel\", \"hotel 5g\" }\n"
	"  zone staff { nas \"wlc1\", \"10.1.2.3\" }\n"
	"  zone labs { wlan 3, 4 }\n"
	"  zone labs { ssid \"labs\" nas \"wlc2\" }\n"
	"  ignore \"anonymous\" group class { prefix \"group=\" } timeout 1h skew 1m }\n"
	"radius open { listen 192.0.2.2 port 1813 from 10.0.0.0/8 { secret file \"/wide\" }\n"
	"  zone whole zone guest { ssid \"hotel\" } user mac, user-name }\n";

#define NOW_MS 1700000000000

static struct policy *policy;
static const struct addr sender = {{10, 9, 9, 9}, ADDR_IP4};

static int set_up(void **state)
{
	struct language_diagnosis diagnosis;
	(void)state;
	policy = language_parse("p", text, strlen(text), NULL, &diagnosis);
	if (!policy)
		print_error("%s\n", diagnosis.v[0].text);
	language_diagnosis_fini(&diagnosis);
	return policy ? 0 : -1;
}

static int take_down(void **state)
{
	(void)state;
	policy_unref(policy);
	return 0;
}

static struct radius_octets octets(const char *of)
{
	return (struct radius_octets){(const uint8_t *)of, of ? strlen(of) : 0};
}

static struct radius_account account_of(const char *user)
{
	return (struct radius_account){.status = RADIUS_STATUS_START,
		.user_name = octets(user),
		.mac = {{2, 0, 0x5e, 0, 0x53, 7}}};
}

static void add_address(struct radius_account *account, const char *address)
{
	struct prefix *to = &account->addresses[account->naddresses++];
	assert_int_equal(prefix_parse(address, strlen(address), to), 0);
}

static enum radius_unused read_who(
	size_t radius, const struct radius_account *account, struct radius_who *who)
{
	return radius_who_read(policy, &policy->radiuses[radius], account, &sender, NOW_MS, who);
}

static void the_zone_is_what_the_packet_says(void **state)
{
	static const struct {
		size_t radius;
		const char *ssid, *nas, *address;
		int wlan;
		const char *zone; /* NULL: none yet */
		enum radius_unused unused;
	} cases[] = {
		{0, "hotel", NULL, NULL, 0, "guest", RADIUS_UNUSED_NOTHING},
		{0, "hotel 5g", "wlc9", NULL, 0, "guest", RADIUS_UNUSED_NOTHING},
		{0, "hotel", "wlc1", NULL, 0, "guest", RADIUS_UNUSED_NOTHING}, /* ssid is surer */
		{0, "other", "wlc1", "192.0.2.130", 0, "staff", RADIUS_UNUSED_NOTHING},
		{0, NULL, "wlc1", "192.0.2.130", 3, "staff",
			RADIUS_UNUSED_NOTHING}, /* nas is surer */
		{0, NULL, NULL, "198.51.100.7", 4, "labs", RADIUS_UNUSED_NOTHING},
		{0, NULL, NULL, "198.51.100.7", 5, NULL, RADIUS_UNUSED_ZONE},
		{0, "labs", "wlc2", "198.51.100.7", 0, "labs", RADIUS_UNUSED_NOTHING},
		{0, "labs", "wlc3", "198.51.100.7", 0, "labs",
			RADIUS_UNUSED_NOTHING},                              /* by wlan's */
		{0, "cafe", NULL, "192.0.2.7", 0, NULL, RADIUS_UNUSED_ZONE}, /* it says otherwise */
		{0, NULL, NULL, "192.0.2.7", 0, "guest", RADIUS_UNUSED_NOTHING}, /* by network */
		{0, NULL, NULL, "2001:db8:1::7", 0, "guest", RADIUS_UNUSED_NOTHING},
		{0, NULL, NULL, "203.0.113.7", 0, NULL, RADIUS_UNUSED_ZONE}, /* not named */
		{0, NULL, NULL, NULL, 0, NULL, RADIUS_UNUSED_NOTHING},       /* may come */
		{0, NULL, "wlc1", "203.0.113.7", 0, "staff", RADIUS_UNUSED_NETWORK},
		{1, NULL, NULL, "203.0.113.7", 0, "whole", RADIUS_UNUSED_NOTHING},
		{1, NULL, NULL, NULL, 0, "whole", RADIUS_UNUSED_NOTHING},
		{1, NULL, NULL, "192.0.2.7", 0, "guest", RADIUS_UNUSED_NOTHING},
		{1, "cafe", NULL, "192.0.2.7", 0, "whole", RADIUS_UNUSED_NOTHING},
		{1, "hotel", NULL, NULL, 0, "guest", RADIUS_UNUSED_NOTHING},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account = account_of("anna");
		struct radius_who who;
		account.ssid = octets(cases[i].ssid);
		account.nas_identifier = octets(cases[i].nas);
		account.has_wlan = cases[i].wlan > 0;
		account.wlan = (uint32_t)cases[i].wlan;
		if (cases[i].address)
			add_address(&account, cases[i].address);
		enum radius_unused unused = read_who(cases[i].radius, &account, &who);
		const char *zone =
			who.zone == RADIUS_NO_ZONE ? NULL : policy->zones[who.zone].name.text;
		if (unused != cases[i].unused || !zone != !cases[i].zone ||
			(zone && strcmp(zone, cases[i].zone) != 0))
			fail_msg("case %zu: zone %s, unused \"%s\"", i, zone ? zone : "none",
				radius_unused_names[unused]);
	}
}

static void what_a_zone_needs_is_waited_for(void **state)
{
	struct radius_account account = account_of("anna");
	struct radius_who who;
	(void)state;
	account.ssid = octets("hotel");
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NOTHING);
	assert_true(who.whole); /* its MAC is enough */
	account.mac = (struct mac){{0}};
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_MAC);
	account.ssid = octets(NULL);
	account.nas_identifier = octets("wlc1");
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NOTHING);
	assert_false(who.whole);
	add_address(&account, "192.0.2.7"); /* of another zone */
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NETWORK);
	add_address(&account, "192.0.2.200");
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NOTHING);
	assert_true(who.whole);
	assert_int_equal(who.naddresses, 1);
	account = account_of("anna");
	account.ssid = octets("labs");
	account.nas_identifier = octets("wlc2");
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NOTHING);
	assert_false(who.whole);
	account.mac = (struct mac){{0}};
	add_address(&account, "198.51.100.7");
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_MAC);
}

static void the_user_is_the_first_that_may_be_one(void **state)
{
	static const struct {
		size_t radius;
		const char *cui, *name, *user; /* NULL: none */
	} cases[] = {
		{0, "anna", "anonymous", "anna"}, {0, NULL, "bob", "bob"},
		{0, "anonymous", "bob", "bob"}, {0, NULL, "anonymous", NULL}, {0, NULL, NULL, NULL},
		{0, "\1", "bob", "bob"}, /* RFC 4372: it asks for one */
		{0, "a\x1b[2J", "b\nc", NULL}, {0, "\xff\xfe", "m\xc3\xbcller", "m\xc3\xbcller"},
		{1, "anna", "bob", "02:00:5e:00:53:07"},
		/* however it is typed, but for what only looks alike */
		{0, NULL, "Bob", "bob"}, {0, NULL, "  BOB ", "bob"},
		{0, NULL, "bOB@Hotel.EXAMPLE", "bob@hotel.example"}, {0, NULL, "Anonymous ", NULL},
		{0, NULL, "   ", NULL}, {0, NULL, "M\xc3\x9cLLER", "m\xc3\x9cller"},
		{0, NULL, "b b", "b b"}, {0, "Anna", NULL, "Anna"}, /* the AAA's own word for him */
	};
	char long_name[POLICY_USER_SIZE + 1];
	struct radius_who who;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account = account_of(cases[i].name);
		account.cui = octets(cases[i].cui);
		account.ssid = octets("hotel");
		enum radius_unused unused = read_who(cases[i].radius, &account, &who);
		assert_int_equal(
			unused, cases[i].user ? RADIUS_UNUSED_NOTHING : RADIUS_UNUSED_USER);
		if (cases[i].user)
			assert_string_equal(who.user, cases[i].user);
		account.status = RADIUS_STATUS_STOP; /* it is known by another name */
		assert_int_equal(read_who(cases[i].radius, &account, &who), RADIUS_UNUSED_NOTHING);
	}
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[POLICY_USER_SIZE] = '\0';
	struct radius_account account = account_of(long_name);
	account.ssid = octets("hotel");
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_USER);
	account.user_name.len--;
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NOTHING);
}

static void groups_are_text_behind_the_prefix(void **state)
{
	struct radius_account account = account_of("anna");
	struct radius_who who;
	(void)state;
	account.ssid = octets("hotel");
	account.classes[account.nclasses++] = octets("group=staff");
	account.classes[account.nclasses++] = octets("staff");
	account.classes[account.nclasses++] = octets("group=");
	account.classes[account.nclasses++] = octets("group=\xff");
	account.classes[account.nclasses++] = octets("group=a\nb");
	account.classes[account.nclasses++] = octets("group=guests");
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NOTHING);
	assert_int_equal(who.ngroups, 2);
	assert_string_equal(who.groups[0], "staff");
	assert_string_equal(who.groups[1], "guests");
	assert_int_equal(who.bad_groups, 3);
	assert_int_equal(read_who(1, &account, &who), RADIUS_UNUSED_NOTHING);
	assert_int_equal(who.ngroups, 0); /* nobody asked for them */
}

static void an_event_is_near_now(void **state)
{
	static const struct {
		bool has_time;
		int time_s, delay_s; /* time: behind now */
		bool good;
		int skew_s;
	} cases[] = {
		{true, 0, 0, true, 0},
		{true, 60, 0, true, 60},
		{true, 61, 0, false, 61},
		{true, -60, 0, true, -60},
		{true, -61, 0, false, -61},
		{true, 360, 300, true, 60},
		{true, 100, 300, true, 0},
		{true, 3660, 99999, true, 60}, /* an hour is believed */
		{true, 3661, 99999, false, 61},
		{true, -30, 300, true, -30},
		{false, 0, 0, true, 0},
		{false, 0, 3660, true, 60},
		{false, 0, 3661, false, 61},
	};
	struct radius_who who;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct radius_account account = account_of("anna");
		account.ssid = octets("hotel");
		account.has_time = cases[i].has_time;
		account.time_s = (uint32_t)(NOW_MS / 1000 - cases[i].time_s);
		account.delay_s = (uint32_t)cases[i].delay_s;
		account.has_session_time = true;
		account.session_s = 10;
		enum radius_unused unused = read_who(0, &account, &who);
		if ((unused == RADIUS_UNUSED_NOTHING) != cases[i].good ||
			who.skew_ms != cases[i].skew_s * 1000)
			fail_msg("case %zu: \"%s\", %lld ms", i, radius_unused_names[unused],
				(long long)who.skew_ms);
		assert_int_equal(who.begin_ms, who.event_ms - 10000);
	}
}

static void the_nas_is_the_first_that_it_says(void **state)
{
	struct radius_account account = account_of("anna");
	struct radius_who who;
	(void)state;
	account.ssid = octets("hotel");
	read_who(0, &account, &who);
	assert_string_equal(who.nas, "10.9.9.9");
	account.nas_ip6 = (struct addr){{0x20, 1, 0xd, 0xb8}, ADDR_IP6};
	read_who(0, &account, &who);
	assert_string_equal(who.nas, "2001:db8::");
	account.nas_ip4 = (struct addr){{10, 1, 2, 4}, ADDR_IP4};
	read_who(0, &account, &who);
	assert_string_equal(who.nas, "10.1.2.4");
	account.nas_identifier = octets("wlc\n1"); /* is no name */
	read_who(0, &account, &who);
	assert_string_equal(who.nas, "10.1.2.4");
	account.nas_identifier = octets("wlc1");
	read_who(0, &account, &who);
	assert_string_equal(who.nas, "wlc1");
	account.status = RADIUS_STATUS_ON;
	account.user_name = octets(NULL);
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_NOTHING);
	account.status = RADIUS_STATUS_OTHER;
	assert_int_equal(read_who(0, &account, &who), RADIUS_UNUSED_STATUS);
}

static void the_longest_network_has_the_secret(void **state)
{
	const struct policy_radius *radius = &policy->radiuses[0];
	const struct addr near = {{10, 1, 2, 3}, ADDR_IP4}, far = {{11, 1, 2, 3}, ADDR_IP4};
	(void)state;
	assert_string_equal(radius_source_of(radius, &sender)->secret_file.text, "/wide");
	assert_string_equal(radius_source_of(radius, &near)->secret_file.text, "/near");
	assert_null(radius_source_of(radius, &far));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_zone_is_what_the_packet_says),
		cmocka_unit_test(what_a_zone_needs_is_waited_for),
		cmocka_unit_test(the_user_is_the_first_that_may_be_one),
		cmocka_unit_test(groups_are_text_behind_the_prefix),
		cmocka_unit_test(an_event_is_near_now),
		cmocka_unit_test(the_nas_is_the_first_that_it_says),
		cmocka_unit_test(the_longest_network_has_the_secret),
	};
	return cmocka_run_group_tests(tests, set_up, take_down);
}
