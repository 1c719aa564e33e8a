/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which limits hold for what a rule takes, in which order, and whom each counts. */
#include "lib/limit/limit_of.h"

#include "lib/language/language.h"
#include "lib/policy/session.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const text =
	"limit flows 800\n"
	"zone guest { interface g0 limit flows 50 limit messages 9/hour per sender\n"
	"  limit messages 20/day limit recipients 100/day per user { block 2h }\n"
	"  limit rate 5/minute per client limit size 5m }\n"
	"zone plain { interface p0 identity address }\n"
	"server s { host 203.0.113.1 }\n"
	"rule mail { zone guest limit size 9m limit messages 3 per flow\n"
	"  limit recipients 7/hour per user limit recipients 5 per message server s }\n"
	"rule free { zone guest limit none server s }\n"
	"rule other { zone guest server s }\n"
	"rule few { zone plain limit flows 2 per client server s }\n"
	"domain d { name \"d.example\" server s }\n"
	"listener guest { address 192.0.2.1 limit messages 9/hour }\n"
	"rule in { listener guest recipient protected limit size 1m server s }\n";

static struct policy *parse(void)
{

	return policy_of_text(text, NULL);
}

static struct limit_place place_of(const struct policy *policy, const char *zone)
{
	return (struct limit_place){.at = (size_t)policy_find_zone(policy, zone)};
}

static void test_a_rules_limit_stands_in_the_place_of_the_zones(void **state)
{
	static const struct {
		const char *zone, *rule, *limits; /* each with its scope; zone NULL: the listener */
	} cases[] = {
		{NULL, NULL,
			"limit recipients 1000 per message (listener guest)\n"
			"limit flows 50 per client (listener guest)\n"
			"limit flows 2000 (listener guest)\n"
			"limit messages 9/hour (listener guest)\n"
			"limit size 50m (listener guest)\n"},
		{NULL, "in",
			"limit recipients 1000 per message (listener guest)\n"
			"limit flows 50 per client (listener guest)\n"
			"limit flows 2000 (listener guest)\n"
			"limit messages 9/hour (listener guest)\n"
			"limit size 1m (listener guest/in)\n"},
		{"guest", "mail",
			"limit messages 3 per flow (guest/mail)\n"
			"limit recipients 5 per message (guest/mail)\n"
			"limit flows 100 per client (guest)\n"
			"limit rate 5/minute per client (guest)\n"
			"limit recipients 7/hour per user (guest/mail)\n"
			"limit messages 9/hour per sender (guest)\n"
			"limit flows 50 (guest)\n"
			"limit messages 20/day (guest)\n"
			"limit size 9m (guest/mail)\n"},
		{"guest", "free", ""},
		{"guest", "other",
			"limit recipients 1000 per message (guest)\n"
			"limit flows 100 per client (guest)\n"
			"limit rate 5/minute per client (guest)\n"
			"limit recipients 100/day per user { block 2h } (guest)\n"
			"limit messages 9/hour per sender (guest)\n"
			"limit flows 50 (guest)\n"
			"limit messages 20/day (guest)\n"
			"limit size 5m (guest)\n"},
		{"plain", "few",
			"limit recipients 1000 per message (plain)\n"
			"limit flows 2 per client (plain/few)\n"
			"limit size 50m (plain)\n"},
		{"plain", NULL,
			"limit recipients 1000 per message (plain)\n"
			"limit flows 100 per client (plain)\n"
			"limit size 50m (plain)\n"},
	};
	struct policy *policy = parse();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct limit_of limits[LIMIT_OF_MAX];
		char got[1024] = "", one[LANGUAGE_LIMIT_SIZE], scope[LIMIT_OF_SCOPE_SIZE];
		struct limit_place place = {.of_listener = true};
		ptrdiff_t rule = cases[i].rule ? policy_find_rule(policy, cases[i].rule) : -1;
		if (cases[i].zone)
			place = place_of(policy, cases[i].zone);
		size_t n = limit_of(policy, place, rule, limits);
		for (size_t j = 0; j < n; j++) {
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s (%s)\n",
				language_format_limit(limits[j].limit, one),
				limit_of_scope(policy, place, rule, &limits[j], scope));
			assert_ptr_equal(limits[j].limit,
				limit_of_kind(policy, place, rule, limits[j].limit->kind,
					limits[j].limit->per));
		}
		if (strcmp(got, cases[i].limits) != 0)
			fail_msg("%s %s: %s", cases[i].zone, cases[i].rule, got);
	}
	policy_unref(policy);
}

static void test_a_client_is_its_mac_where_the_zone_says_so(void **state)
{
	struct policy *policy = parse();
	const struct mac mac = {{2, 0, 0x5e, 0, 0x53, 1}}, none = {{0}};
	struct addr addr;
	struct limit_who who = {.mac = &mac, .addr = &addr, .user = "anna", .sender = ""};

	(void)state;
	assert_int_equal(addr_parse("2001:db8::7", 11, &addr), 0);
	const struct limit_place guest = place_of(policy, "guest"),
				 plain = place_of(policy, "plain");
	struct limit_subject subject = limit_of_subject(policy, guest, POLICY_PER_CLIENT, &who);
	assert_int_equal(subject.len, 6);
	assert_memory_equal(subject.bytes, mac.bytes, 6);
	subject = limit_of_subject(policy, plain, POLICY_PER_CLIENT, &who);
	assert_ptr_equal(subject.bytes, &addr);
	who.mac = &none;
	subject = limit_of_subject(policy, guest, POLICY_PER_CLIENT, &who);
	assert_ptr_equal(subject.bytes, &addr);
	subject = limit_of_subject(policy, guest, POLICY_PER_USER, &who);
	assert_int_equal(subject.len, 4);
	/* <> is a sender like others, of no length */
	subject = limit_of_subject(policy, guest, POLICY_PER_SENDER, &who);
	assert_non_null(subject.bytes);
	assert_int_equal(subject.len, 0);
	subject = limit_of_subject(policy, guest, POLICY_PER_FLOW, &who);
	assert_null(subject.bytes);
	policy_unref(policy);
}

/* A host has a whole /64 to choose its address from. */
static void test_a_listeners_client_is_an_address_or_a_network(void **state)
{
	struct policy *policy = parse();
	const struct limit_place place = {.of_listener = true};
	const struct mac mac = {{2, 0, 0x5e, 0, 0x53, 1}};
	struct addr addr, other;
	const struct limit_who who = {.mac = &mac, .addr = &addr, .user = ""};
	const struct limit_who beside = {.mac = &mac, .addr = &other, .user = ""};

	(void)state;
	assert_int_equal(addr_parse("2001:db8::7", 11, &addr), 0);
	assert_int_equal(addr_parse("2001:db8::7:7:7", 15, &other), 0);
	struct limit_subject one = limit_of_subject(policy, place, POLICY_PER_CLIENT, &who);
	struct limit_subject two = limit_of_subject(policy, place, POLICY_PER_CLIENT, &beside);
	assert_int_equal(one.len, 8);
	assert_int_equal(two.len, 8);
	assert_memory_equal(one.bytes, two.bytes, 8);
	assert_int_equal(addr_parse("192.0.2.7", 9, &addr), 0);
	one = limit_of_subject(policy, place, POLICY_PER_CLIENT, &who);
	assert_ptr_equal(one.bytes, &addr);
	policy_unref(policy);
}

static void test_of_a_listener_it_is_who_logged_in(void **state)
{
	const struct mac none = {{0}};
	struct addr addr;
	const struct limit_who who = {.mac = &none, .addr = &addr, .user = "anna"};
	const struct policy_limit limit = {.per = POLICY_PER_USER};
	struct block block = {0};
	char subject[BLOCK_SUBJECT_SIZE];
	struct policy *policy = parse();

	(void)state;
	assert_int_equal(addr_parse("2001:db8::7", 11, &addr), 0);
	limit_of_block(policy, (struct limit_place){.of_listener = true}, &limit, &who, 0, &block);
	assert_string_equal(block_format_subject(&block, subject), "user auth:anna");
	policy_unref(policy);
}

static void test_who_is_blocked_is_a_person_else_a_host(void **state)
{
	static const struct {
		const char *zone;
		enum policy_per per;
		const char *user;
		uint64_t session;
		bool mac;
		const char *blocked;
	} cases[] = {
		{"guest", POLICY_PER_CLIENT, "anna", 7, true, "user anna in zone guest"},
		{"guest", POLICY_PER_CLIENT, "till", SESSION_DEVICE_ID | 1, true,
			"mac 02:00:5e:00:53:01 in zone guest"},
		{"guest", POLICY_PER_USER, "till", SESSION_DEVICE_ID | 1, true,
			"user till in zone guest"},
		{"guest", POLICY_PER_CLIENT, "", 0, false, "address 2001:db8::7 in zone guest"},
		{"plain", POLICY_PER_CLIENT, "", 0, true, "address 2001:db8::7 in zone plain"},
	};
	struct policy *policy = parse();
	const struct mac mac = {{2, 0, 0x5e, 0, 0x53, 1}}, none = {{0}};
	struct addr addr;
	char subject[BLOCK_SUBJECT_SIZE];

	(void)state;
	assert_int_equal(addr_parse("2001:db8::7", 11, &addr), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct limit_who who = {
			.mac = cases[i].mac ? &mac : &none, .addr = &addr, .user = cases[i].user};
		struct policy_limit limit = {.per = cases[i].per};
		struct block block = {0};
		limit_of_block(policy, place_of(policy, cases[i].zone), &limit, &who,
			cases[i].session, &block);
		assert_string_equal(block_format_subject(&block, subject), cases[i].blocked);
	}
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rules_limit_stands_in_the_place_of_the_zones),
		cmocka_unit_test(test_a_client_is_its_mac_where_the_zone_says_so),
		cmocka_unit_test(test_a_listeners_client_is_an_address_or_a_network),
		cmocka_unit_test(test_of_a_listener_it_is_who_logged_in),
		cmocka_unit_test(test_who_is_blocked_is_a_person_else_a_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
