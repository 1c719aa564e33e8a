/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS answers as servers give them, and as they should never be. */
#include "lib/dns/dns.h"
#include "lib/dns/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char asked[] = "mail.example.org";

struct wire {
	uint8_t bytes[65536];
	size_t len;
};
static struct wire wire;
static struct dns_answer answer;

static void put(const void *bytes, size_t len)
{
	memcpy(wire.bytes + wire.len, bytes, len);
	wire.len += len;
}

static void put_u16(unsigned value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
	put(bytes, 2);
}

static void put_u32(uint32_t value)
{
	put_u16(value >> 16);
	put_u16(value & 0xffff);
}

static void put_name(const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");
		uint8_t byte = (uint8_t)len;
		put(&byte, 1);
		put(name, len);
		name += len + (name[len] == '.');
	}
	put("", 1);
}

static void count(unsigned at, int by)
{
	wire.bytes[at + 1] = (uint8_t)(wire.bytes[at + 1] + by);
	if (wire.bytes[at + 1] == 0)
		wire.bytes[at]++;
}

static void begin(unsigned flags, const char *name, enum dns_type type)
{
	wire.len = 0;
	put_u16(0x1234);
	put_u16(flags);
	put_u16(1);
	put_u16(0);
	put_u16(0);
	put_u16(0);
	put_name(name);
	put_u16(type);
	put_u16(1);
}

static void put_head(const char *owner, unsigned type, uint32_t ttl, unsigned len)
{
	put_name(owner);
	put_u16(type);
	put_u16(1);
	put_u32(ttl);
	put_u16(len);
	count(6, 1);
}

static void put_a(const char *owner, uint32_t ttl, uint8_t last)
{
	const uint8_t bytes[] = {203, 0, 113, last};
	put_head(owner, DNS_A, ttl, 4);
	put(bytes, 4);
}

static void put_alias(const char *owner, uint32_t ttl, const char *to)
{
	put_head(owner, 5, ttl, (unsigned)strlen(to) + 2);
	put_name(to);
}

static void put_mx(const char *owner, unsigned preference, const char *to)
{
	put_head(owner, DNS_MX, 300, (unsigned)strlen(to) + (*to ? 4 : 3));
	put_u16(preference);
	put_name(to);
}

static void put_ptr(const char *owner, uint32_t ttl, const char *to)
{
	put_head(owner, DNS_PTR, ttl, (unsigned)strlen(to) + (*to ? 2 : 1));
	put_name(to);
}

static enum dns_status read_of(const char *name, enum dns_type type)
{
	dns_read(wire.bytes, wire.len, name, type, &answer);
	/* cut anywhere, it is malformed, and no byte behind the cut is read (seen by sanitizers) */
	for (size_t len = 0; len < wire.len && wire.len < 500; len++) {
		static struct dns_answer cut;
		dns_read(wire.bytes, len, name, type, &cut);
		assert_true(cut.status == DNS_MALFORMED || answer.status != DNS_GOOD);
	}
	return answer.status;
}

static enum dns_status read_it(enum dns_type type)
{
	return read_of(asked, type);
}

static void addresses_and_the_least_ttl_are_read(void **state)
{
	(void)state;
	begin(0x8180, "MAIL.Example.Org", DNS_A);
	put_a(asked, 300, 10);
	put_a("mail.EXAMPLE.org", 60, 11);
	put_a(asked, 300, 10);
	put_a("other.example.org", 1, 12);
	assert_int_equal(read_it(DNS_A), DNS_GOOD);
	assert_int_equal(answer.n, 2);
	assert_int_equal(answer.ttl_s, 60);
	assert_int_equal(answer.addresses[1].bytes[3], 11);
}

static void a_mapped_address_is_an_ipv4_address(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
	(void)state;
	begin(0x8180, asked, DNS_AAAA);
	put_head(asked, DNS_AAAA, 60, 16);
	put(mapped, 16);
	assert_int_equal(read_it(DNS_AAAA), DNS_GOOD);
	assert_int_equal(answer.addresses[0].family, ADDR_IP4);
	assert_true(addr_is_loopback(&answer.addresses[0]));
}

static void sixteen_addresses_are_kept(void **state)
{
	(void)state;
	begin(0x8180, asked, DNS_A);
	for (unsigned i = 1; i <= 20; i++)
		put_a(asked, 60, (uint8_t)i);
	assert_int_equal(read_it(DNS_A), DNS_GOOD);
	assert_int_equal(answer.n, 16);
	assert_int_equal(answer.left_off, 4);
}

static void aliases_are_followed_in_any_order(void **state)
{
	(void)state;
	begin(0x8180, asked, DNS_A);
	put_a("c.example.org", 300, 10);
	put_alias("b.example.org", 20, "c.example.org");
	put_alias(asked, 300, "b.example.org");
	assert_int_equal(read_it(DNS_A), DNS_GOOD);
	assert_int_equal(answer.ttl_s, 20);
	/* a record beside the chain is nobody's */
	begin(0x8180, asked, DNS_A);
	put_alias(asked, 300, "b.example.org");
	put_a(asked, 300, 10);
	dns_read(wire.bytes, wire.len, asked, DNS_A, &answer);
	assert_int_equal(answer.status, DNS_NO_DATA);
}

static void a_circle_of_aliases_ends(void **state)
{
	char from[32], to[32];
	(void)state;
	begin(0x8180, asked, DNS_A);
	put_alias(asked, 300, "b.example.org");
	put_alias("b.example.org", 300, asked);
	assert_int_equal(read_it(DNS_A), DNS_MALFORMED);
	begin(0x8180, asked, DNS_A);
	put_alias(asked, 300, asked);
	assert_int_equal(read_it(DNS_A), DNS_MALFORMED);
	/* or is too long */
	begin(0x8180, asked, DNS_A);
	put_alias(asked, 300, "x0.org");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(from, sizeof(from), "x%u.org", i);
		snprintf(to, sizeof(to), "x%u.org", i + 1);
		put_alias(from, 300, to);
	}
	put_a("x40.org", 300, 1);
	assert_int_equal(read_it(DNS_A), DNS_MALFORMED);
}

static void mx_records_come_by_preference(void **state)
{
	(void)state;
	begin(0x8180, asked, DNS_MX);
	put_mx(asked, 30, "c.example.org");
	put_mx(asked, 10, "a.example.org");
	put_mx(asked, 20, "b.example.org");
	put_mx(asked, 10, "a2.example.org");
	assert_int_equal(read_it(DNS_MX), DNS_GOOD);
	assert_int_equal(answer.n, 4);
	assert_string_equal(answer.mx[0].name, "a.example.org");
	assert_string_equal(answer.mx[1].name, "a2.example.org");
	assert_string_equal(answer.mx[3].name, "c.example.org");
}

static void the_best_of_a_thousand_mx_records_are_kept(void **state)
{
	char name[64];
	(void)state;
	begin(0x8180, asked, DNS_MX);
	for (unsigned i = 0; i < 1000; i++) {
		unsigned preference = i * 7 % 1000;
		snprintf(name, sizeof(name), "h%u.org", preference);
		put_mx(asked, preference, name);
	}
	assert_int_equal(read_it(DNS_MX), DNS_GOOD);
	assert_int_equal(answer.n, DNS_MX_MAX);
	assert_int_equal(answer.left_off, 1000 - DNS_MX_MAX);
	for (unsigned i = 0; i < DNS_MX_MAX; i++)
		assert_int_equal(answer.mx[i].preference, i);
}

static void names_that_no_host_has_are_left_out(void **state)
{
	(void)state;
	begin(0x8180, asked, DNS_MX);
	put_mx(asked, 10, "evil\r\nname.org");
	put_mx(asked, 20, "-dash.org");
	assert_int_equal(read_it(DNS_MX), DNS_NO_DATA);
	assert_int_equal(answer.unfit, 2);
	put_mx(asked, 30, "good.org");
	assert_int_equal(read_it(DNS_MX), DNS_GOOD);
	assert_int_equal(answer.n, 1);
	/* the root: no mail (RFC 7505) */
	begin(0x8180, asked, DNS_MX);
	put_mx(asked, 0, "");
	assert_int_equal(read_it(DNS_MX), DNS_GOOD);
	assert_string_equal(answer.mx[0].name, "");
}

static void negative_answers_have_their_own_time(void **state)
{
	(void)state;
	begin(0x8183, asked, DNS_A);
	assert_int_equal(read_it(DNS_A), DNS_NO_NAME);
	assert_false(answer.has_ttl);
	begin(0x8180, asked, DNS_A);
	put_head("example.org", 6, 900, 22);
	put("\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x4d", 22);
	/* the SOA record stands among the authorities */
	wire.bytes[7]--;
	wire.bytes[9]++;
	assert_int_equal(read_it(DNS_A), DNS_NO_DATA);
	assert_true(answer.has_ttl);
	assert_int_equal(answer.ttl_s, 77);
}

static void what_is_no_answer_to_the_question_is_refused(void **state)
{
	static const struct {
		unsigned flags;
		const char *name;
		enum dns_type type;
		enum dns_status status;
	} cases[] = {
		{0x0100, asked, DNS_A, DNS_MALFORMED}, /* a question */
		{0x8380, asked, DNS_A, DNS_MALFORMED}, /* truncated */
		{0x8180, "mail.example.net", DNS_A, DNS_MALFORMED},
		{0x8180, asked, DNS_AAAA, DNS_MALFORMED},
		{0x8182, asked, DNS_A, DNS_TROUBLED}, /* SERVFAIL */
		{0x8185, asked, DNS_A, DNS_REFUSED},  /* REFUSED */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(cases[i].flags, cases[i].name, cases[i].type);
		put_a(cases[i].name, 60, 10);
		assert_int_equal(read_it(DNS_A), cases[i].status);
		assert_int_equal(answer.n, 0);
	}
}

static void pointers_lead_back_only(void **state)
{
	static const uint8_t forward[] = {0xc0, 200}, self[] = {0xc0, 12 + 18 + 4};
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(0x8180, asked, DNS_A);
		put(i ? self : forward, 2);
		put_u16(DNS_A);
		put_u16(1);
		put_u32(60);
		put_u16(4);
		put("\1\2\3\4", 4);
		count(6, 1);
		assert_int_equal(read_it(DNS_A), DNS_MALFORMED);
	}
	/* to the question's name */
	begin(0x8180, asked, DNS_A);
	put("\xc0\x0c", 2);
	put_u16(DNS_A);
	put_u16(1);
	put_u32(60);
	put_u16(4);
	put("\1\2\3\4", 4);
	count(6, 1);
	assert_int_equal(read_it(DNS_A), DNS_GOOD);
}

static void host_names_are_told_from_others(void **state)
{
	(void)state;
	assert_true(dns_is_host_name("mx1.example.org"));
	assert_true(dns_is_host_name("_25._tcp.example.org."));
	assert_false(dns_is_host_name(""));
	assert_false(dns_is_host_name("."));
	assert_false(dns_is_host_name("a..b"));
	assert_false(dns_is_host_name("a b"));
	assert_false(dns_is_host_name("a\nb"));
	assert_true(dns_same_name("A.b.", "a.B"));
	assert_false(dns_same_name("a.b", "a.bc"));
}

static const char *reverse_of(const char *text)
{
	static char name[DNS_REVERSE_SIZE];
	struct addr addr;

	assert_int_equal(addr_parse(text, strlen(text), &addr), 0);
	return dns_reverse_name(&addr, name);
}

static void the_names_of_an_address_have_their_place(void **state)
{
	(void)state;
	assert_string_equal(reverse_of("192.0.2.7"), "7.2.0.192.in-addr.arpa");
	assert_string_equal(reverse_of("255.255.255.255"), "255.255.255.255.in-addr.arpa");
	assert_string_equal(reverse_of("2001:db8::567:89ab"),
		"b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

static void names_come_in_small_letters_each_once(void **state)
{
	const char *reverse = reverse_of("192.0.2.7");
	(void)state;
	begin(0x8180, reverse, DNS_PTR);
	put_ptr(reverse, 300, "MX2.Partner.Example");
	put_ptr("7.2.0.192.IN-ADDR.arpa", 40, "mx1.partner.example");
	put_ptr(reverse, 300, "mx2.partner.example");
	put_ptr("8.2.0.192.in-addr.arpa", 1, "other.example");
	assert_int_equal(read_of(reverse, DNS_PTR), DNS_GOOD);
	assert_int_equal(answer.n, 2);
	assert_string_equal(answer.ptr[0], "mx1.partner.example");
	assert_string_equal(answer.ptr[1], "mx2.partner.example");
	assert_int_equal(answer.ttl_s, 40);
	assert_int_equal(answer.unfit + answer.left_off, 0);
}

/* RFC 2317: of a network smaller than /24 the name is an alias, with a slash in it. */
static void names_are_found_behind_the_alias_of_a_small_network(void **state)
{
	const char *reverse = reverse_of("192.0.2.7");
	(void)state;
	begin(0x8180, reverse, DNS_PTR);
	put_alias(reverse, 300, "7.0/27.2.0.192.in-addr.arpa");
	put_ptr("7.0/27.2.0.192.in-addr.arpa", 60, "mx1.partner.example");
	assert_int_equal(read_of(reverse, DNS_PTR), DNS_GOOD);
	assert_int_equal(answer.n, 1);
	assert_string_equal(answer.ptr[0], "mx1.partner.example");
}

static void what_is_no_name_is_no_name_of_an_address(void **state)
{
	static const char label[] = "\2a.\7example";
	const char *reverse = reverse_of("192.0.2.7");
	(void)state;
	begin(0x8180, reverse, DNS_PTR);
	put_ptr(reverse, 300, "evil\r\n250 ok.example");
	put_ptr(reverse, 300, "\x1b[2J.example");
	put_ptr(reverse, 300, "[192.0.2.7]");
	put_ptr(reverse, 300, "192.0.2.7");
	put_ptr(reverse, 300, "mx.7");
	put_ptr(reverse, 300, "m\xc3\xbcller.example");
	put_ptr(reverse, 300, "-dash.example");
	put_ptr(reverse, 300, "");
	/* a dot, and the end of a string, within a label */
	put_head(reverse, DNS_PTR, 300, sizeof(label));
	put(label, sizeof(label));
	put_head(reverse, DNS_PTR, 300, 14);
	put("\4mx\0x\7example", 14);
	assert_int_equal(read_of(reverse, DNS_PTR), DNS_NO_DATA);
	assert_int_equal(answer.unfit, 10);
	put_ptr(reverse, 300, "mx.7even");
	assert_int_equal(read_of(reverse, DNS_PTR), DNS_GOOD);
	assert_int_equal(answer.n, 1);
	/* more in the record than the name */
	put_head(reverse, DNS_PTR, 300, 5);
	put("\2mx\0", 4);
	put("!", 1);
	assert_int_equal(read_of(reverse, DNS_PTR), DNS_MALFORMED);
}

static void which_of_a_thousand_names_are_kept_is_no_chance(void **state)
{
	const char *reverse = reverse_of("2001:db8::7");
	char name[32];
	(void)state;
	for (unsigned first = 0; first < 1000; first += 333) {
		begin(0x8180, reverse, DNS_PTR);
		for (unsigned i = 0; i < 1000; i++) {
			snprintf(name, sizeof(name), "h%03u.example", (first + 7 * i) % 1000);
			/* by a pointer to the question: it fits */
			put("\xc0\x0c", 2);
			put_u16(DNS_PTR);
			put_u16(1);
			put_u32(300);
			put_u16((unsigned)strlen(name) + 2);
			put_name(name);
			count(6, 1);
		}
		assert_int_equal(read_of(reverse, DNS_PTR), DNS_GOOD);
		assert_int_equal(answer.n, DNS_PTR_MAX);
		assert_int_equal(answer.left_off, 1000 - DNS_PTR_MAX);
		for (unsigned i = 0; i < DNS_PTR_MAX; i++) {
			snprintf(name, sizeof(name), "h%03u.example", i);
			assert_string_equal(answer.ptr[i], name);
		}
	}
}

static char seen[256];

static void note(void *context, const char *name, const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];
	(void)context;
	size_t len = strlen(seen);
	snprintf(seen + len, sizeof(seen) - len, "%s=%s ", name, addr_format(addr, text));
}

static void a_hosts_file_is_read(void **state)
{
	static const char text[] = "# comment\n127.0.0.1 localhost\n\n"
				   "203.0.113.10\tmail mail.example.org # it\r\n"
				   "nonsense here\n2001:db8::10 mail \x01 a..b\n203.0.113.11 last";
	(void)state;
	hosts_read(text, sizeof(text) - 1, note, NULL);
	assert_string_equal(seen, "localhost=127.0.0.1 mail=203.0.113.10 "
				  "mail.example.org=203.0.113.10 mail=2001:db8::10 "
				  "last=203.0.113.11 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_the_least_ttl_are_read),
		cmocka_unit_test(a_mapped_address_is_an_ipv4_address),
		cmocka_unit_test(sixteen_addresses_are_kept),
		cmocka_unit_test(aliases_are_followed_in_any_order),
		cmocka_unit_test(a_circle_of_aliases_ends),
		cmocka_unit_test(mx_records_come_by_preference),
		cmocka_unit_test(the_best_of_a_thousand_mx_records_are_kept),
		cmocka_unit_test(names_that_no_host_has_are_left_out),
		cmocka_unit_test(negative_answers_have_their_own_time),
		cmocka_unit_test(what_is_no_answer_to_the_question_is_refused),
		cmocka_unit_test(pointers_lead_back_only),
		cmocka_unit_test(host_names_are_told_from_others),
		cmocka_unit_test(the_names_of_an_address_have_their_place),
		cmocka_unit_test(names_come_in_small_letters_each_once),
		cmocka_unit_test(names_are_found_behind_the_alias_of_a_small_network),
		cmocka_unit_test(what_is_no_name_is_no_name_of_an_address),
		cmocka_unit_test(which_of_a_thousand_names_are_kept_is_no_chance),
		cmocka_unit_test(a_hosts_file_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
