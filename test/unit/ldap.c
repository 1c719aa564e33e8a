/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LDAP's messages as directories send them and as none should, and requests byte for byte. */
#include "lib/ldap/filter.h"
#include "lib/ldap/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

static uint8_t room[4096];

static struct ber_writer fresh(void)
{
	memset(room, 0xee, sizeof(room));
	return (struct ber_writer){.bytes = room, .size = sizeof(room)};
}

static void assert_wire(const struct ber_writer *writer, const uint8_t *bytes, size_t len)
{
	assert_false(writer->full);
	assert_int_equal(writer->len, len);
	assert_memory_equal(writer->bytes, bytes, len);
}

static void an_integer_has_its_shortest_form(void **state)
{
	static const struct {
		int32_t value;
		const char *wire;
		size_t len;
	} cases[] = {
		{0, "\x02\x01\x00", 3},
		{127, "\x02\x01\x7f", 3},
		{128, "\x02\x02\x00\x80", 4},
		{255, "\x02\x02\x00\xff", 4},
		{256, "\x02\x02\x01\x00", 4},
		{0x7fffff, "\x02\x03\x7f\xff\xff", 5},
		{0x800000, "\x02\x04\x00\x80\x00\x00", 6},
		{INT32_MAX, "\x02\x04\x7f\xff\xff\xff", 6},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ber_writer writer = fresh();
		ber_put_integer(&writer, BER_INTEGER, cases[i].value);
		assert_wire(&writer, (const uint8_t *)cases[i].wire, cases[i].len);
		struct ber_reader reader = {.bytes = room, .len = writer.len};
		assert_int_equal(ber_get_integer(&reader, BER_INTEGER), cases[i].value);
		assert_false(reader.bad);
	}
}

static void a_negative_integer_is_read(void **state)
{
	struct ber_reader reader = {.bytes = (const uint8_t *)"\x02\x01\xff", .len = 3};
	(void)state;
	assert_int_equal(ber_get_integer(&reader, BER_INTEGER), -1);
	reader = (struct ber_reader){.bytes = (const uint8_t *)"\x02\x05\0\0\0\0\1", .len = 7};
	ber_get_integer(&reader, BER_INTEGER);
	assert_true(reader.bad);
}

static void a_long_value_has_a_long_length(void **state)
{
	static const char long_text[] =
		"0123456789012345678901234567890123456789012345678901234567890123"
		"0123456789012345678901234567890123456789012345678901234567890123";
	struct ber_writer writer = fresh();
	(void)state;
	ber_put(&writer, BER_OCTETS, long_text, 127);
	assert_int_equal(writer.len, 129);
	assert_int_equal(room[1], 127);
	writer = fresh();
	ber_put(&writer, BER_OCTETS, long_text, 128);
	assert_int_equal(writer.len, 134);
	assert_memory_equal(room,
		"\x04\x84\0\0\0\x80"
		"0123",
		10);
}

static void a_length_is_known_or_waited_for_or_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		long length;
	} cases[] = {
		{"", 0, 0},
		{"\x30", 1, 0},
		{"\x30\x05", 2, 7},
		{"\x30\x81", 2, 0},
		{"\x30\x81\x80", 3, 131},
		{"\x30\x84\0\0\0\5", 6, 11},
		{"\x30\x84\0\0\0", 5, 0},
		{"\x30\x80", 2, -EBADMSG},           /* no length: "until it ends" */
		{"\x30\x85\0\0\0\0\5", 7, -EBADMSG}, /* five bytes of length */
		{"\x30\xff", 2, -EBADMSG},           /* reserved */
		{"\x1f", 1, -EBADMSG},               /* a tag of more bytes */
		{"\0", 1, -EBADMSG},                 /* the end of what has no length */
		{"\x30\x84\xff\xff\xff\xff", 6, -EMSGSIZE},
		{"\x30\x84\x7f\xff\xff\xff", 6, -EMSGSIZE},
		{"\x30\x82\x03\xe5", 4, -EMSGSIZE}, /* 997 and its head of 4 are over 1,000 */
		{"\x30\x82\x03\xe4", 4, 1000},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(ber_length((const uint8_t *)cases[i].bytes, cases[i].len, 1000),
			cases[i].length);
}

static void requests_are_those_of_the_rfc(void **state)
{
	static const char *const attributes[] = {"memberOf", "mail"};
	struct ber_writer writer = fresh();
	(void)state;

	ldap_write_start_tls(&writer, 1);
	assert_wire(&writer, BYTES("\x30\x84\0\0\0\x21\x02\x01\x01\x77\x84\0\0\0\x18\x80\x16"
				   "1.3.6.1.4.1.1466.20037"));
	writer = fresh();
	ldap_write_bind(&writer, 300, "cn=anna", "secret");
	assert_wire(&writer, BYTES("\x30\x84\0\0\0\x1e\x02\x02\x01\x2c\x60\x84\0\0\0\x14"
				   "\x02\x01\x03\x04\x07"
				   "cn=anna\x80\x06"
				   "secret"));
	writer = fresh();
	ldap_write_search(&writer, 2, "dc=x", "(uid=%u)", "anna", 5, attributes, 2);
	assert_wire(
		&writer, BYTES("\x30\x84\0\0\0\x45\x02\x01\x02\x63\x84\0\0\0\x3c\x04\x04"
			       "dc=x\x0a\x01\x02\x0a\x01\x00\x02\x01\x02\x02\x01\x05\x01\x01\x00"
			       "\xa3\x84\0\0\0\x0b\x04\x03uid\x04\x04"
			       "anna\x30\x84\0\0\0\x10\x04\x08memberOf\x04\x04mail"));
	writer = fresh();
	ldap_write_read(&writer, 2, "dc=x", 5, attributes + 1, 1);
	assert_wire(
		&writer, BYTES("\x30\x84\0\0\0\x37\x02\x01\x02\x63\x84\0\0\0\x2e\x04\x04"
			       "dc=x\x0a\x01\x00\x0a\x01\x00\x02\x01\x02\x02\x01\x05\x01\x01\x00"
			       "\x87\x0bobjectClass\x30\x84\0\0\0\x06\x04\x04mail"));
	writer = fresh();
	ldap_write_unbind(&writer, 3);
	assert_wire(&writer, BYTES("\x30\x84\0\0\0\x05\x02\x01\x03\x42\x00"));
}

static void an_empty_password_is_never_sent(void **state)
{
	struct ber_writer writer = fresh();
	(void)state;
	ldap_write_bind(&writer, 1, "cn=anna", "");
	assert_true(writer.full);
}

static void search(struct ber_writer *writer)
{
	ldap_write_search(writer, 2, "dc=x", "(&(uid=%u)(mail=*))", "anna", 5, NULL, 0);
}

static void a_request_that_does_not_fit_is_none(void **state)
{
	struct ber_writer whole = fresh();
	(void)state;
	search(&whole);
	assert_false(whole.full);
	for (size_t size = 0; size < whole.len; size++) {
		struct ber_writer writer = {.bytes = room, .size = size};
		memset(room, 0xee, sizeof(room));
		search(&writer);
		assert_true(writer.full);
		for (size_t i = size; i < sizeof(room); i++)
			assert_int_equal(room[i], 0xee);
	}
	struct ber_writer exact = {.bytes = room, .size = whole.len};
	search(&exact);
	assert_false(exact.full);
}

/* Of a filter as it is sent: tags, and values as they are. */
static void format(struct ber_reader *reader, char *out, size_t size)
{
	while (ber_peek(reader)) {
		uint8_t tag = ber_peek(reader);
		size_t len = strlen(out);
		struct ber_slice slice = ber_get(reader, tag);
		if (tag & 0x20) {
			struct ber_reader inner = {.bytes = slice.bytes, .len = slice.len};
			snprintf(out + len, size - len, "%02x<", tag);
			format(&inner, out, size);
			reader->bad |= inner.bad;
			len = strlen(out);
			snprintf(out + len, size - len, ">");
		} else {
			snprintf(out + len, size - len, "%02x:%.*s,", tag, (int)slice.len,
				(const char *)slice.bytes);
		}
	}
}

static void a_filter_is_written(void **state)
{
	static const struct {
		const char *filter, *user, *wire;
	} cases[] = {
		{"(uid=%u)", "anna", "a3<04:uid,04:anna,>"},
		{"(uid=%u)", "*)(uid=*", "a3<04:uid,04:*)(uid=*,>"},
		{"(uid=%u)", "\\2a", "a3<04:uid,04:\\2a,>"},
		{"(uid=%u@x)", "a%u", "a3<04:uid,04:a%u@x,>"},
		{"(cn=100%%)", "anna", "a3<04:cn,04:100%,>"},
		{"(cn=\\28\\2A\\29)", "anna", "a3<04:cn,04:(*),>"},
		{"(cn=)", "anna", "a3<04:cn,04:,>"},
		{"(mail=*)", "anna", "87:mail,"},
		{"(mail=%u@*)", "anna", "a4<04:mail,30<80:anna@,>>"},
		{"(mail=*%u)", "anna", "a4<04:mail,30<82:anna,>>"},
		{"(mail=a*b*%u*c)", "x", "a4<04:mail,30<80:a,81:b,81:x,82:c,>>"},
		{"(mail=a**b)", "x", "a4<04:mail,30<80:a,82:b,>>"},
		{"(age>=7)", "x", "a5<04:age,04:7,>"},
		{"(age<=7)", "x", "a6<04:age,04:7,>"},
		{"(cn~=%u)", "x", "a8<04:cn,04:x,>"},
		{"(!(uid=%u))", "x", "a2<a3<04:uid,04:x,>>"},
		{"(&(a=1)(|(b=2)(c=3)))", "x",
			"a0<a3<04:a,04:1,>a1<a3<04:b,04:2,>a3<04:c,04:3,>>>"},
		{"(memberOf:1.2.840.113556.1.4.1941:=cn=a)", "x",
			"a9<81:1.2.840.113556.1.4.1941,82:memberOf,83:cn=a,>"},
		{"(ou:dn:=x)", "x", "a9<82:ou,83:x,84:\xff,>"},
		{"(ou:=x)", "x", "a9<82:ou,83:x,>"},
		{"(:1.2.3:=x)", "x", "a9<81:1.2.3,83:x,>"},
		{"(ou:dn:2.4:=x)", "x", "a9<81:2.4,82:ou,83:x,84:\xff,>"},
		{"(cn;lang-de=x)", "x", "a3<04:cn;lang-de,04:x,>"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ldap_filter_error error;
		struct ber_writer writer = fresh();
		char text[512] = "";
		assert_true(ldap_filter_check(cases[i].filter, &error));
		ldap_filter_write(&writer, cases[i].filter, cases[i].user);
		assert_false(writer.full);
		struct ber_reader reader = {.bytes = room, .len = writer.len};
		format(&reader, text, sizeof(text));
		assert_false(reader.bad);
		assert_string_equal(text, cases[i].wire);
	}
}

static void a_bad_filter_is_refused_where_it_is_bad(void **state)
{
	static const struct {
		const char *filter;
		size_t at;
		const char *expected;
	} cases[] = {
		{"", 0, "("},
		{"uid=%u", 0, "("},
		{"(uid=%u", 7, ")"},
		{"(uid=%u))", 8, "nothing behind the last parenthesis"},
		{"(uid=%u)(a=b)", 8, "nothing behind the last parenthesis"},
		{"(=x)", 1, "an attribute, &, | or !"},
		{"()", 1, "an attribute, &, | or !"},
		{"(&)", 2, "("},
		{"(uid)", 4, "=, >=, <=, ~= or :="},
		{"(uid>x)", 4, "=, >=, <=, ~= or :="},
		{"(uid=%n)", 5, "%u or %%"},
		{"(uid=%)", 5, "%u or %%"},
		{"(uid=\\2)", 5, "two hexadecimal digits behind \\"},
		{"(uid=\\", 5, "two hexadecimal digits behind \\"},
		{"(uid=a(b)", 6, "\\28 for a parenthesis inside a value"},
		{"(uid=**)", 7, "* alone, or text beside it"},
		{"(:=x)", 3, "an attribute or a matching rule"},
		{"(a:1.2=x)", 6, ":= behind the matching rule"},
		{"(!(a=1)(b=2))", 7, ")"},
		{"((((((((((((((((((a=1)", 1, "an attribute, &, | or !"},
		{"(!(!(!(!(!(!(!(!(!(!(!(!(!(!(!(!(!(a=1)))))))))))))))))", 32,
			"fewer parentheses inside each other"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ldap_filter_error error;
		assert_false(ldap_filter_check(cases[i].filter, &error));
		assert_string_equal(error.expected, cases[i].expected);
		assert_int_equal(error.at, cases[i].at);
	}
}

static void the_attribute_that_is_compared_with_the_name_is_found(void **state)
{
	static const struct {
		const char *filter, *name; /* NULL: none */
	} cases[] = {
		{"(uid=%u)", "uid"}, {"(&(objectClass=person)(|(mail=%u)(uid=%u)))", "mail"},
		{"(&(cn=100%%u)(uid;lang-de=%u))", "uid"}, {"(uid:caseExactMatch:=%u)", "uid"},
		{"(userPrincipalName=%u@hotel.example)", "userPrincipalName"},
		{"(1.2.840.113556.1.4.221~=%u)", "1.2.840.113556.1.4.221"}, {"(:2.4.6:=%u)", NULL},
		{"(cn=100%%u)", NULL},
		{"(0123456789abcdef0123456789abcdef0=%u)", NULL}, /* does not fit */
	};
	char name[34];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ldap_filter_error error;
		assert_true(ldap_filter_check(cases[i].filter, &error));
		bool found = ldap_filter_attribute(cases[i].filter, name, 33);
		assert_int_equal(found, cases[i].name != NULL);
		if (found)
			assert_string_equal(name, cases[i].name);
	}
}

static void a_value_has_an_end(void **state)
{
	struct ber_writer writer = fresh();
	char user[400];
	(void)state;
	memset(user, 'x', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	ldap_filter_write(&writer, "(cn=%u%u)", user);
	assert_false(writer.full);
	writer = fresh();
	ldap_filter_write(&writer, "(cn=%u%u%u)", user);
	assert_true(writer.full);
}

#define RESULT                         \
	"\x0a\x01\x31\x04\x00\x04\x03" \
	"bad"

static void an_answer_to_a_bind_is_read(void **state)
{
	static const char plain[] = "\x30\x0f\x02\x01\x02\x61\x0a" RESULT;
	struct ldap_message message;
	(void)state;
	assert_int_equal(ldap_read(BYTES(plain), &message), 0);
	assert_int_equal(message.id, 2);
	assert_int_equal(message.kind, LDAP_BOUND);
	assert_int_equal(message.result, LDAP_INVALID_CREDENTIALS);
	assert_int_equal(message.text.len, 3);
	assert_memory_equal(message.text.bytes, "bad", 3);
}

static void a_referral_and_controls_are_passed_over(void **state)
{
	static const char referred[] = "\x30\x1f\x02\x01\x02\x65\x16\x0a\x01\x0a\x04\x00\x04\x00"
				       "\xa3\x0d\x04\x0bldap://x/dc\xa0\x02\x30\x00";
	struct ldap_message message;
	(void)state;
	assert_int_equal(ldap_read(BYTES(referred), &message), 0);
	assert_int_equal(message.kind, LDAP_SEARCHED);
	assert_int_equal(message.result, LDAP_REFERRAL);
}

static const char entry[] = "\x30\x36\x02\x01\x03\x64\x31\x04\x06"
			    "cn=ann"
			    "\x30\x27"
			    "\x30\x0c\x04\x04mail\x31\x04\x04\x02"
			    "a@"
			    "\x30\x17\x04\x0cmemberOf;x=1\x31\x07\x04\x01g\x04\x02hh";

static void an_entry_is_read(void **state)
{
	struct ldap_message message;
	struct ber_slice name, value;
	struct ber_reader values;
	(void)state;

	assert_int_equal(ldap_read(BYTES(entry), &message), 0);
	assert_int_equal(message.kind, LDAP_ENTRY);
	assert_int_equal(message.dn.len, 6);
	assert_true(ldap_next_attribute(&message, &name, &values));
	assert_true(ldap_is_attribute(name, "MAIL"));
	assert_false(ldap_is_attribute(name, "mailbox"));
	assert_false(ldap_is_attribute(name, "mai"));
	assert_true(ldap_next_value(&values, &value));
	assert_memory_equal(value.bytes, "a@", 2);
	assert_false(ldap_next_value(&values, &value));
	assert_true(ldap_next_attribute(&message, &name, &values));
	assert_true(ldap_is_attribute(name, "memberof"));
	assert_true(ldap_next_value(&values, &value));
	assert_true(ldap_next_value(&values, &value));
	assert_int_equal(value.len, 2);
	assert_false(ldap_next_attribute(&message, &name, &values));
}

/* Whatever one byte of it is, and wherever it is cut, reading ends and finds no byte outside. */
static void no_byte_leads_out_of_a_message(void **state)
{
	uint8_t bytes[sizeof(entry) - 1];
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		for (unsigned c = 0; c < 256; c++) {
			struct ldap_message message;
			struct ber_slice name, value;
			struct ber_reader values;
			memcpy(bytes, entry, sizeof(bytes));
			bytes[i] = (uint8_t)c;
			if (ldap_read(bytes, sizeof(bytes), &message) != 0)
				continue;
			while (ldap_next_attribute(&message, &name, &values)) {
				assert_true(name.bytes + name.len <= bytes + sizeof(bytes));
				while (ldap_next_value(&values, &value))
					assert_true(
						value.bytes + value.len <= bytes + sizeof(bytes));
			}
		}
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct ldap_message message;
		assert_int_equal(ldap_read((const uint8_t *)entry, len, &message), -EBADMSG);
	}
}

static void what_is_no_answer_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"\x31\x0f\x02\x01\x02\x61\x0a" RESULT, 17},     /* a set */
		{"\x30\x0f\x04\x01\x02\x61\x0a" RESULT, 17},     /* an id that is text */
		{"\x30\x0f\x02\x01\x82\x61\x0a" RESULT, 17},     /* an id below 0 */
		{"\x30\x0f\x02\x01\x02\x60\x0a" RESULT, 17},     /* a request */
		{"\x30\x0f\x02\x01\x02\x61\x0b" RESULT, 17},     /* longer than what holds it */
		{"\x30\x0f\x02\x01\x02\x61\x09" RESULT, 17},     /* shorter than its parts */
		{"\x30\x0f\x02\x01\x02\x61\x0a" RESULT "x", 18}, /* something behind it */
		{"\x30\x05\x02\x01\x02\x61\x00", 7},             /* no result */
		{"\x30\x03\x02\x01\x02", 5},                     /* nothing */
	};
	struct ldap_message message;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(ldap_read((const uint8_t *)cases[i].bytes, cases[i].len, &message),
			-EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_integer_has_its_shortest_form),
		cmocka_unit_test(a_negative_integer_is_read),
		cmocka_unit_test(a_long_value_has_a_long_length),
		cmocka_unit_test(a_length_is_known_or_waited_for_or_refused),
		cmocka_unit_test(requests_are_those_of_the_rfc),
		cmocka_unit_test(an_empty_password_is_never_sent),
		cmocka_unit_test(a_request_that_does_not_fit_is_none),
		cmocka_unit_test(a_filter_is_written),
		cmocka_unit_test(a_bad_filter_is_refused_where_it_is_bad),
		cmocka_unit_test(the_attribute_that_is_compared_with_the_name_is_found),
		cmocka_unit_test(a_value_has_an_end),
		cmocka_unit_test(an_answer_to_a_bind_is_read),
		cmocka_unit_test(a_referral_and_controls_are_passed_over),
		cmocka_unit_test(an_entry_is_read),
		cmocka_unit_test(no_byte_leads_out_of_a_message),
		cmocka_unit_test(what_is_no_answer_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
