/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be said of where passwords are checked; how it is printed; and whom a rule's user is. */
#include "lib/base/hash.h"
#include "lib/language/language.h"

#include "lib/ldap/url.h"
#include "lib/policy/decide/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/language_same.h"

static const char site[] =
	"zone guest {\n"
	"    interface \"br-guest\"\n"
	"}\n"
	"\n"
	"listener submission {\n"
	"    address 203.0.113.1\n"
	"    port 587\n"
	"    auth local, staff, others\n"
	"    tls require { certificate mail }\n"
	"}\n"
	"listener printers {\n"
	"    address 203.0.113.2\n"
	"    auth local\n"
	"    tls none { insecure }\n"
	"}\n"
	"\n"
	"certificate mail { file \"/etc/mail.pem\" key \"/etc/mail.key\" }\n"
	"\n"
	"auth local { file \"/etc/postern/users\" }\n"
	"auth staff { ldap \"ldaps://ldap1.hotel.example\", \"ldap://[2001:db8::7]:3389\" { base "
	"\"ou=people,dc=hotel\" filter \"(uid=%u)\" bind \"cn=postern\" secret file \"/etc/s\" "
	"group \"memberOf\" prefix \"cn=\" mail \"mail\" ca \"/etc/ca.pem\" insecure } "
	"mechanism PLAIN domain \"hotel.example\" comment \"the staff\" }\n"
	"auth template { ldap \"ldaps://ad.hotel.example\" { bind \"%u@hotel.example\" } }\n"
	"auth others { dovecot \"/run/dovecot/auth\" mechanism PLAIN, SCRAM-SHA-256 }\n"
	"auth far { forward inside }\n"
	"\n"
	"server inside {\n"
	"    host 192.0.2.140\n"
	"    tls verify \"mx.hotel.example\"\n"
	"}\n"
	"\n"
	"rule mine { listener submission user any sender own, none server inside }\n"
	"rule anna { listener submission user \"auth:anna\", \"bert\" server inside }\n"
	"rule guests { zone guest user \"session:anna\", \"device:till\", \"carl\" server inside "
	"}\n";

static void what_is_written_is_printed(void **state)
{
	(void)state;
	same_printed(site);
}

/* As other processes and a start read it: `own` was a name once. */
static void a_text_of_before_means_what_it_did(void **state)
{
	static const struct language_world lenient = {.lenient = true};
	static const char text[] =
		"zone own { interface e0 }\nlist own { 192.0.2.1 }\n"
		"certificate c { file \"/c\" key \"/k\" }\nauth a { file \"/u\" }\n"
		"listener l { address 203.0.113.9 auth a tls require { certificate c } }\n"
		"server own { host 192.0.2.1 }\n"
		"rule own { zone own source not own server own }\n"
		"rule r { listener l user any sender own, none server own }\n"
		"rule n { listener l user any sender not own, none server own }\n";
	(void)state;
	struct policy *policy = policy_of_text(text, &lenient);
	assert_int_equal(policy->rules[0].source.list_names.n, 1);
	assert_true(policy->rules[1].sender.own && policy->rules[1].sender.none);
	assert_true(policy->rules[2].sender.own && policy->rules[2].sender.negated);
	policy_unref(policy);
}

#define LDAP(inside)     "auth a { ldap \"ldaps://l.example\" { " inside " } }"
#define SEARCH           "base \"dc=x\" filter \"(uid=%u)\" "
#define LISTENER(inside) "listener l { address 203.0.113.9 " inside " }"
#define SECURE           "tls require { certificate c } "
#define HEAD                                                                                 \
	"certificate c { file \"/c\" key \"/k\" }\n"                                         \
	"auth local { file \"/u\" }\nauth far { dovecot \"/d\" }\nzone z { interface e0 }\n" \
	"server plain { host 192.0.2.1 }\nserver sure { host a.example tls verify }\n"
#define LINE 7
#define TEN  "/run/dovec"

static void mistakes_are_told_at_their_place(void **state)
{
	static const struct {
		const char *line, *at, *text;
	} cases[] = {
		{"auth a { }", "a {",
			"auth a asks nobody, expected ldap, forward, dovecot or file"},
		{"auth a { file \"/x\" dovecot \"/y\" }", "dovecot",
			"auth a is `file` already, expected one of"},
		{"auth a { file \"/x\" file \"/y\" }", "file \"/y",
			"\"file\" stands twice in auth a"},
		{"auth a { file \"\" }", "\"\"", "this is empty, expected the path of a file"},
		{"auth a { fil \"/x\" }", "fil", "did you mean \"file\"?"},
		{"auth local { file \"/x\" }", "local", "auth \"local\" stands twice"},
		{"auth a { file \"/x\" mechanism CRAM-MD5 }", "CRAM-MD5",
			"`file` sees passwords and checks no CRAM-MD5, expected PLAIN or "
			"LOGIN"},
		{"auth a { dovecot \"/x\" mechanism EXTERNAL }", "EXTERNAL",
			"is no mechanism that checks a password"},
		{"auth a { dovecot \"/x\" mechanism \"A B\" }", "\"A B\"",
			"is no mechanism that checks a password"},
		{"auth a { dovecot \"/x\" mechanism PLAIN, plain }", "plain",
			"mechanism plain stands twice, expected once"},
		{"auth a { file \"/x\" domain \"a b\" }", "\"a b\"",
			"\"a b\" is no domain, expected one such as hotel.example"},
		{"auth a { file \"/x\" domain \"@a.example\" }", "\"@a", "is no domain"},
		{"auth a { file \"/x\" domain \"a.example.\" }", "\"a.", "is no domain"},
		{"auth a { file \"/x\" domain \"\" }", "\"\"", "is no domain"},
		{"auth a { dovecot \"" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "12345678\" }",
			"\"/run", "this path has 108 bytes with its folder, expected 107 at most"},
		/* forward */
		{"auth a { forward shure }", "shure",
			"no such server \"shure\"; servers: plain, sure"},
		{"auth a { forward plain }", "plain",
			"would go to whoever answers as host 192.0.2.1 of server plain; expected "
			"`tls verify` or pin there"},
		/* ldap */
		{"auth a { ldap \"l.example\" { " SEARCH "} }", "\"l.example",
			"\"l.example\" is no directory, expected ldaps://HOST or ldap://HOST"},
		{"auth a { ldap \"ldaps://l.example:0\" { " SEARCH "} }", "\"ldaps",
			"expected a port from 1 to 65535"},
		{"auth a { ldap \"ldaps://a b\" { " SEARCH "} }", "\"ldaps",
			"expected a host's name"},
		{"auth a { ldap \"ldaps://x\", \"ldaps://x\" { " SEARCH "} }", "\"ldaps://x\" {",
			"stands twice, expected once"},
		{"auth a { ldap \"ldaps://a\", \"ldaps://b\", \"ldaps://c\", \"ldaps://d\", "
		 "\"ldaps://e\" { " SEARCH "} }",
			"\"ldaps://e", "an auth asks 4 directories at most"},
		{"auth a { ldap { " SEARCH "} }", "{ base", "unexpected \"{\", expected a string"},
		{LDAP(""), "ldap", "nothing says which entry a user has"},
		{LDAP("base \"dc=x\""), "\"dc=x",
			"a search needs both base and filter, expected `filter`"},
		{LDAP("filter \"(uid=%u)\""), "\"(uid", "expected `base` beside it"},
		{LDAP("base \"dc=x\" filter \"(uid=%u\""), "\"(uid",
			"is no filter, expected ) behind its first 7 bytes"},
		{LDAP("base \"dc=x\" filter \"(uid=anna)\""), "\"(uid",
			"finds the same entry for everybody"},
		{LDAP("base \"dc=x\" filter \"(uid=%s)\""), "\"(uid", "expected %u or %%"},
		{LDAP("bind \"uid=%d\""), "\"uid", "a % stands alone behind the first 4 bytes"},
		{LDAP(SEARCH "bind \"cn=x\""), "\"cn=x", "who searches has no password"},
		{LDAP(SEARCH "secret file \"/s\""), "\"/s", "this is nobody's password"},
		{LDAP("bind \"uid=%u\" secret file \"/s\""), "\"/s", "with his own password"},
		{LDAP("bind \"%u@x.example\" group \"memberOf\""), "\"memberOf",
			"which entry this is read from is not said: \"%u@x.example\" is no DN"},
		{LDAP("bind \"%u@x.example\" mail \"mail\""), "\"mail",
			"which entry this is read from is not said"},
		{LDAP(SEARCH "prefix \"cn=\""), "\"cn=", "this is the prefix of no group"},
		{LDAP(SEARCH "group \"member of\""), "\"member", "\"member of\" is no attribute"},
		{LDAP(SEARCH "mail \"\""), "\"\"", "this is empty, expected a text"},
		{LDAP(SEARCH "insecure"), "insecure", "ldaps:// has none; expected no `insecure`"},
		{LDAP(SEARCH "base \"dc=y\""), "base \"dc=y", "\"base\" stands twice in ldap"},
		{LDAP(SEARCH "port 9"), "port", "unexpected \"port\""},
		/* listeners */
		{LISTENER("auth nobody " SECURE), "nobody",
			"no such auth \"nobody\"; auths: local, far"},
		{LISTENER("auth local, local " SECURE), "local tls", "auth local stands twice"},
		{LISTENER("auth far, local " SECURE), "far",
			"auth far never says that it does not know a user"},
		{LISTENER("auth local"), "auth", "passwords would be asked for in clear"},
		{LISTENER("tls none { insecure }"), "insecure", "listener l asks for none"},
		{LISTENER("tls offer { certificate c insecure }"), "insecure",
			"listener l asks for none"},
		{"zone y { interface e1 tls none { insecure } }", "insecure",
			"in a zone none is asked for"},
		/* rules */
		{"rule r { zone z user \"auth:anna\" verdict drop }", "user",
			"in a zone nobody logs in with a password; expected \"anna\""},
		{"rule r { user \"session:\" verdict drop }", "\"session:", "names nobody"},
		{"rule r { zone z sender own server plain }", "sender",
			"`own` is of who logs in with a password, and in a zone nobody does"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[2048];
		struct language_diagnosis diagnosis;
		const struct language_message *found = NULL;
		snprintf(text, sizeof(text), "%s%s", HEAD, cases[i].line);
		assert_null(language_parse("t", text, strlen(text), NULL, &diagnosis));
		for (size_t j = 0; j < diagnosis.n && !found; j++)
			if (diagnosis.v[j].severity == LANGUAGE_ERROR &&
				strstr(diagnosis.v[j].text, cases[i].text))
				found = &diagnosis.v[j];
		if (!found)
			fail_msg("%s: %s", cases[i].line, diagnosis.v[0].text);
		unsigned column = (unsigned)(strstr(cases[i].line, cases[i].at) - cases[i].line);
		if (found->place.line != LINE || found->place.column != column + 1)
			fail_msg("%s: at %u:%u\n%s", cases[i].line, found->place.line,
				found->place.column, found->text);
		language_diagnosis_fini(&diagnosis);
	}
}

static void one_mistake_is_one_error(void **state)
{
	static const char *const lines[] = {
		"auth a { }",
		"auth a { mechanism CRAM-MD5 }",
		LDAP("base \"\" filter \"(uid=%u)\""),
		LDAP("base \"dc=x\" filter \"\""),
		LDAP(SEARCH "bind \"\" secret file \"/s\""),
		LDAP(SEARCH "bind \"cn=x\" secret file \"\""),
		"domain d { name \"example\" server plain }",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[2048];
		struct language_diagnosis diagnosis;
		size_t errors = 0;
		snprintf(text, sizeof(text), "%s%s", HEAD, lines[i]);
		assert_null(language_parse("t", text, strlen(text), NULL, &diagnosis));
		for (size_t j = 0; j < diagnosis.n; j++)
			errors += diagnosis.v[j].severity == LANGUAGE_ERROR;
		if (errors != 1)
			fail_msg("%s: %s\n%s", lines[i], diagnosis.v[0].text, diagnosis.v[1].text);
		language_diagnosis_fini(&diagnosis);
	}
}

static void what_is_odd_is_warned_of(void **state)
{
	static const struct {
		const char *lines, *text;
	} cases[] = {
		{LISTENER("auth local tls none { insecure }"), "passwords are taken in clear"},
		{"auth a { ldap \"ldap://x\" { " SEARCH "insecure } }",
			"passwords go to the directory in clear"},
		{"auth t { ldap \"ldaps://x\" { bind \"uid=%u,dc=x\" } }\n" LISTENER(
			 "auth t, local tls require { certificate c }"),
			"then auth local behind it is not asked"},
		{LISTENER("") " rule r { listener l user any server plain }",
			"at none of its listeners can anybody log in"},
		{LISTENER("") " rule r { listener l group \"staff\" server plain }",
			"at none of its listeners can anybody log in"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[2048];
		struct language_diagnosis diagnosis;
		bool said = false;
		snprintf(text, sizeof(text), "%s%s", HEAD, cases[i].lines);
		policy_unref(language_parse("t", text, strlen(text), NULL, &diagnosis));
		for (size_t j = 0; j < diagnosis.n; j++)
			said |= diagnosis.v[j].severity == LANGUAGE_WARNING &&
				strstr(diagnosis.v[j].text, cases[i].text);
		if (!said)
			fail_msg("%s: %s", cases[i].lines, diagnosis.n ? diagnosis.v[0].text : "");
		language_diagnosis_fini(&diagnosis);
	}
}

static void a_directory_is_found(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool immediate, address;
	} cases[] = {
		{"ldaps://a.example", "a.example", 636, true, false},
		{"LDAP://a.example:10389", "a.example", 10389, false, false},
		{"ldap://192.0.2.1", "192.0.2.1", 389, false, true},
		{"ldaps://[2001:db8::1]", "2001:db8::1", 636, true, true},
		{"ldaps://[2001:db8::1]:1636", "2001:db8::1", 1636, true, true},
	};
	static const char *const bad[] = {"", "ldaps:", "ldaps://", "ldaps:///dc=x", "http://x",
		"ldaps://x/", "ldaps://x/dc=x", "ldaps://x:", "ldaps://x:65536", "ldaps://x:1a",
		"ldaps://2001:db8::1", "ldaps://[192.0.2.1]", "ldaps://[2001:db8::1",
		"ldaps://[2001:db8::1]x", "ldaps://u@x", "ldapi://x"};
	struct ldap_url url;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(ldap_url_parse(cases[i].text, &url));
		assert_string_equal(url.host, cases[i].host);
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url.immediate, cases[i].immediate);
		assert_int_equal(url.addr.family != ADDR_NONE, cases[i].address);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!ldap_url_parse(bad[i], &url))
			fail_msg("%s is taken", bad[i]);
}

static const struct endpoint original = {.port = 25};

static struct policy_string string(const char *text)
{
	struct policy_string made = {.text = text, .len = (uint32_t)strlen(text)};
	made.hash = hash_bytes(text, made.len);
	return made;
}

static const struct {
	const char *users;
	enum session_kind kind;
	const char *user;
	bool meant;
} persons[] = {
	{"\"anna\"", SESSION_PORTAL, "anna", true},
	{"\"anna\"", SESSION_DEVICE, "anna", true},
	{"\"session:anna\"", SESSION_PORTAL, "anna", true},
	{"\"session:anna\"", SESSION_DEVICE, "anna", false},
	{"\"device:anna\"", SESSION_PORTAL, "anna", false},
	{"\"device:anna\"", SESSION_DEVICE, "anna", true},
	{"\"session:anna\"", SESSION_PORTAL, "session:anna", false},
	{"\"session:session:anna\"", SESSION_PORTAL, "session:anna", true},
	{"\"other:anna\"", SESSION_PORTAL, "other:anna", true},
	{"not \"device:anna\"", SESSION_PORTAL, "anna", true},
	{"not \"device:anna\"", SESSION_DEVICE, "anna", false},
};

static void a_name_is_of_its_source(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(persons) / sizeof(*persons); i++) {
		char text[256];
		snprintf(text, sizeof(text),
			"zone z { interface e0 level message }\nserver s { host 192.0.2.1 }\n"
			"rule r { zone z user %s server s }",
			persons[i].users);
		struct policy *policy = policy_of_text(text, NULL);
		const struct session session = {.kind = persons[i].kind,
			.zone = string("z"),
			.user = string(persons[i].user)};
		const struct decide_world seen = {.policy = policy, .local = gmtime_r};
		const struct decide_origin origin = {0};
		struct smtp_path path = {0};
		const struct decide_envelope envelope = {.session = &session,
			.original = &original,
			.sender = &path,
			.recipient = &path};
		struct decide_reply reply;
		decide_recipient(&seen, &origin, &envelope, 1, &reply);
		if (reply.permitted != persons[i].meant)
			fail_msg("%s and %s", persons[i].users, persons[i].user);
		policy_unref(policy);
	}
}

/* Of the name and of both sources: neither rule says that the other can take nobody. */
static void a_source_is_part_of_a_name(void **state)
{
	static const struct {
		const char *early, *late;
		bool shadowed;
	} cases[] = {
		{"\"anna\"", "\"anna\"", true},
		{"not \"anna\"", "\"session:anna\"", false},
		{"not \"session:anna\"", "\"anna\"", false},
		{"not \"session:anna\"", "\"device:anna\"", true},
		{"not \"session:anna\"", "\"bert\"", true},
		{"\"session:anna\"", "\"anna\"", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		struct language_diagnosis diagnosis;
		bool said = false;
		snprintf(text, sizeof(text),
			"zone z { interface e0 }\nrule a { user %s verdict drop }\n"
			"rule b { user %s verdict reject }",
			cases[i].early, cases[i].late);
		policy_unref(language_parse("t", text, strlen(text), NULL, &diagnosis));
		for (size_t j = 0; j < diagnosis.n; j++)
			said |= strstr(diagnosis.v[j].text, "rule b") != NULL;
		if (said != cases[i].shadowed)
			fail_msg("%s, %s: %s", cases[i].early, cases[i].late,
				diagnosis.n ? diagnosis.v[0].text : "");
		language_diagnosis_fini(&diagnosis);
	}
}

static void own_addresses_are_the_login_s(void **state)
{
	static const struct {
		const char *sender;
		bool permitted;
	} cases[] = {
		{"anna@hotel.example", true},
		{"ANNA@Hotel.Example", true},
		{"desk@hotel.example", true},
		{"bert@hotel.example", false},
		{"anna@other.example", false},
		{"", false},
	};
	struct policy *policy =
		policy_of_text("certificate c { file \"/c\" key \"/k\" }\n"
			       "auth a { file \"/u\" }\nserver s { host 192.0.2.1 }\n"
			       "listener l { address 203.0.113.9 auth a " SECURE "}\n"
			       "rule r { listener l user any sender own server s }",
			NULL);
	const struct policy_string mails[] = {
		string("desk@hotel.example"), string("Anna@hotel.example")};
	const struct session session = {
		.kind = SESSION_AUTH, .user = string("anna"), .mails = mails, .nmails = 2};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct decide_world seen = {.policy = policy, .local = gmtime_r};
		const struct decide_origin origin = {.of_listener = true};
		struct smtp_path path = {0}, to = {0};
		struct decide_reply reply;
		size_t used;
		char text[64];
		snprintf(text, sizeof(text), "<%s>", cases[i].sender);
		assert_int_equal(
			smtp_path_parse(&path, 0, text, strlen(text), &used), SMTP_PATH_GOOD);
		const struct decide_envelope envelope = {.session = &session,
			.original = &original,
			.sender = &path,
			.recipient = &to};
		decide_recipient(&seen, &origin, &envelope, 1, &reply);
		if (reply.permitted != cases[i].permitted)
			fail_msg("%s", cases[i].sender);
	}
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_printed),
		cmocka_unit_test(a_text_of_before_means_what_it_did),
		cmocka_unit_test(mistakes_are_told_at_their_place),
		cmocka_unit_test(one_mistake_is_one_error),
		cmocka_unit_test(what_is_odd_is_warned_of),
		cmocka_unit_test(a_directory_is_found),
		cmocka_unit_test(a_name_is_of_its_source),
		cmocka_unit_test(a_source_is_part_of_a_name),
		cmocka_unit_test(own_addresses_are_the_login_s),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
