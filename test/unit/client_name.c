/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the names that are said of a client's address are the client's own. */
#include "lib/dns/client_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct client_names names;
static struct dns_answer answer;

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static void begin(const char *text)
{
	const struct addr addr = addr_of(text);

	client_names_begin(&names, &addr);
	assert_int_equal(client_names_known(&names), CLIENT_NAMES_PENDING);
	assert_int_equal(client_names_ttl_s(&names), 0);
}

static void say(enum dns_status status, uint32_t ttl_s)
{
	memset(&answer, 0, sizeof(answer));
	answer.status = status;
	answer.ttl_s = ttl_s;
	answer.has_ttl = ttl_s > 0;
}

static void add_address(const char *text)
{
	answer.addresses[answer.n++] = addr_of(text);
}

static void reverse(unsigned n, uint32_t ttl_s)
{
	say(DNS_GOOD, ttl_s);
	for (unsigned i = 0; i < n; i++)
		snprintf(answer.ptr[answer.n++], DNS_NAME_SIZE, "mx%u.partner.example", i);
	client_names_reversed(&names, &answer);
	assert_int_equal(names.n, n);
}

static void forward(size_t at, const char *address, uint32_t ttl_s)
{
	assert_int_equal(client_names_known(&names), CLIENT_NAMES_PENDING);
	say(address ? DNS_GOOD : DNS_NO_NAME, ttl_s);
	if (address)
		add_address(address);
	client_names_resolved(&names, at, &answer);
}

static void a_name_that_says_the_address_is_its_own(void **state)
{
	static const char *const clients[] = {"192.0.2.7", "2001:db8::7"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(clients[i]);
		assert_int_equal(client_names_type(&names), i == 0 ? DNS_A : DNS_AAAA);
		reverse(1, 300);
		assert_null(client_names_first(&names));
		say(DNS_GOOD, 200);
		add_address("192.0.2.99");
		add_address("2001:db8::99");
		add_address(clients[i]);
		client_names_resolved(&names, 0, &answer);
		assert_int_equal(client_names_known(&names), CLIENT_NAMES_KNOWN);
		assert_string_equal(client_names_first(&names), "mx0.partner.example");
		assert_int_equal(client_names_ttl_s(&names), 200);
	}
}

static void a_name_of_somebody_else_is_not(void **state)
{
	(void)state;
	begin("192.0.2.7");
	reverse(3, 300);
	forward(0, "192.0.2.8", 300);
	forward(1, "2001:db8::7", 300);
	forward(2, NULL, 300);
	assert_int_equal(client_names_known(&names), CLIENT_NAMES_KNOWN);
	assert_null(client_names_first(&names));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(names.v[i].state, CLIENT_NAME_FOREIGN);
}

static void each_of_several_is_judged_alone_in_any_order(void **state)
{
	(void)state;
	begin("192.0.2.7");
	reverse(CLIENT_NAMES_MAX, 300);
	for (size_t i = CLIENT_NAMES_MAX; i-- > 0;)
		forward(i, i % 2 ? "192.0.2.7" : "192.0.2.8", 300);
	assert_int_equal(client_names_known(&names), CLIENT_NAMES_KNOWN);
	assert_string_equal(client_names_first(&names), "mx1.partner.example");
	for (size_t i = 0; i < CLIENT_NAMES_MAX; i++)
		assert_int_equal(names.v[i].state, i % 2 ? CLIENT_NAME_OWN : CLIENT_NAME_FOREIGN);
}

static void an_address_without_a_name_has_none(void **state)
{
	static const enum dns_status negative[] = {DNS_NO_NAME, DNS_NO_DATA};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin("192.0.2.7");
		say(negative[i], 0);
		client_names_reversed(&names, &answer);
		assert_int_equal(client_names_known(&names), CLIENT_NAMES_KNOWN);
		assert_null(client_names_first(&names));
		assert_int_equal(names.n, 0);
	}
}

/* What DNS could not say is neither yes nor no: who asks is to come again. */
static void without_an_answer_it_stays_open(void **state)
{
	static const enum dns_status failures[] = {
		DNS_FAILED, DNS_REFUSED, DNS_TROUBLED, DNS_MALFORMED};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		begin("192.0.2.7");
		say(failures[i], 0);
		client_names_reversed(&names, &answer);
		assert_int_equal(client_names_known(&names), CLIENT_NAMES_PARTIAL);
		assert_null(client_names_first(&names));

		begin("192.0.2.7");
		reverse(2, 300);
		say(failures[i], 0);
		client_names_resolved(&names, 0, &answer);
		forward(1, "192.0.2.7", 300);
		assert_int_equal(client_names_known(&names), CLIENT_NAMES_PARTIAL);
		/* what is known is known */
		assert_string_equal(client_names_first(&names), "mx1.partner.example");
		assert_int_equal(names.v[0].state, CLIENT_NAME_UNKNOWN);
		assert_int_equal(client_names_ttl_s(&names), 10);
	}
}

static void how_long_it_holds_has_bounds(void **state)
{
	static const struct {
		uint32_t reverse_s, forward_s, none_s, own_s;
	} cases[] = {
		{1, 1, 30, 30}, /* a client cannot make us ask each time */
		{86400, 86400, 300, 3600},
		{86400, 600, 300, 600}, /* the shortest of all that was said */
		{600, 86400, 300, 600}, {0x7fffffff, 0, 30, 30}, /* without a time of its own */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin("192.0.2.7");
		reverse(1, cases[i].reverse_s);
		forward(0, "192.0.2.7", cases[i].forward_s);
		assert_int_equal(client_names_ttl_s(&names), cases[i].own_s);
		begin("192.0.2.7");
		reverse(1, cases[i].reverse_s);
		forward(0, NULL, cases[i].forward_s);
		assert_int_equal(client_names_ttl_s(&names), cases[i].none_s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_says_the_address_is_its_own),
		cmocka_unit_test(a_name_of_somebody_else_is_not),
		cmocka_unit_test(each_of_several_is_judged_alone_in_any_order),
		cmocka_unit_test(an_address_without_a_name_has_none),
		cmocka_unit_test(without_an_answer_it_stays_open),
		cmocka_unit_test(how_long_it_holds_has_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
