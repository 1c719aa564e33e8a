/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be said of certificates, TLS on both sides and accounts; what it comes to; and how it is
 * printed. */
#include "lib/language/language.h"

#include "lib/language/edit/clause.h"
#include "lib/tls/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/language_same.h"

#define PIN  "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define PIN2 "0123456789ABCDEF0123456789abcdef0123456789ABCDEF0123456789abcdef" /* the same */

static struct policy *parse(const char *text, struct language_diagnosis *diagnosis)
{
	return language_parse("t", text, strlen(text), NULL, diagnosis);
}

#define OTHER_PIN "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define HEAD                                                         \
	"certificate mail { file \"/m.pem\" key \"/m.key\" }\n"      \
	"certificate old { file \"/o.pem\" key \"/o.key\" }\n"       \
	"zone guest { interface g0 limit messages 9/hour }\n"        \
	"zone asks { interface a0 tls require { certificate mail"    \
	" client check ca \"/ca.pem\" } }\n"                         \
	"zone tells { interface t0 tls offer { certificate old }}\n" \
	"server plain { host 203.0.113.1 }\n"

static const struct language_message *find(const struct language_diagnosis *diagnosis,
	enum language_severity severity, const char *text)
{
	for (size_t i = 0; i < diagnosis->n; i++)
		if (diagnosis->v[i].severity == severity && strstr(diagnosis->v[i].text, text))
			return &diagnosis->v[i];
	return NULL;
}

/* The word that the caret stands under, on the line behind HEAD. */
static void expect_place(const struct language_message *message, const char *line, const char *word,
	const char *what)
{
	const char *at = strstr(line, word);

	assert_non_null(at);
	if (message->place.line != 7 || message->place.column != (unsigned)(at - line) + 1)
		fail_msg("%s: at %u:%u, not at %s\n%s", what, message->place.line,
			message->place.column, word, message->text);
}

#define ZONE(tls)      "zone z { interface z0 " tls " }"
#define SERVER(inside) "server s { " inside " }"

static void test_mistakes_are_told_at_their_place(void **state)
{
	static const struct {
		const char *line, *at, *text;
	} cases[] = {
		/* certificate */
		{"certificate c { file \"/c\" }", "c {",
			"certificate c has no key, expected both file and key"},
		{"certificate c { }", "c {",
			"certificate c has no file and no key, expected both file and key"},
		{"certificate c { key \"/c\" }", "c {", "certificate c has no file"},
		{"certificate c { file \"\" key \"/k\" }", "\"\"",
			"this is empty, expected the path of a file"},
		{"certificate c { file \"/c\" file \"/d\" key \"/k\" }", "file \"/d",
			"\"file\" stands twice in certificate c, expected once"},
		{"certificate mail { file \"/c\" key \"/k\" }", "mail",
			"certificate \"mail\" stands twice, expected a new name"},
		{"certificate c { file \"/c\" kez \"/k\" }", "kez", "did you mean \"key\"?"},
		/* the clients' side */
		{ZONE("tls offer"), "tls",
			"`tls offer` has nothing to show, expected `tls offer { certificate NAME "
			"}`"},
		{ZONE("tls immediate { client request }"), "tls",
			"`tls immediate` has nothing to show"},
		{ZONE("tls offer { certificate male }"), "male",
			"no such certificate \"male\"; certificates: mail, old"},
		{ZONE("tls offer { certificate mail, old, mail }"), "mail }",
			"certificate mail stands twice, expected once"},
		{ZONE("tls none { certificate mail }"), "mail", "`tls none` has no options"},
		{ZONE("tls none { client request }"), "client", "`tls none` has no options"},
		{ZONE("tls none { legacy }"), "legacy", "`tls none` has no options"},
		{ZONE("tls offer { certificate mail ca \"/x\" }"), "ca \"",
			"`ca` says who signs the clients' certificates, and none is asked for"},
		{ZONE("tls offer { certificate mail client none ca \"/x\" }"), "ca \"",
			"`ca` says who signs the clients' certificates, and none is asked for"},
		{ZONE("tls offer { certificate mail insecure }"), "insecure",
			"`insecure` allows passwords in clear, and in a zone none is asked for"},
		{ZONE("tls offer { certificate mail legacy legacy }"), "legacy }",
			"\"legacy\" stands twice in tls, expected once"},
		{ZONE("tls offer { certificate mail immediate }"), "immediate",
			"unexpected \"immediate\""},
		{ZONE("tls verify"), "verify",
			"unexpected \"verify\", expected immediate, none, offer or require"},
		{ZONE("tls offer { certificate mail } tls none"), "tls none",
			"\"tls\" stands twice in zone z, expected once"},
		{ZONE("port 25, 465"), "465",
			"on port 465 clients begin TLS at once, and zone z has none"},
		{ZONE("level connection tls offer { certificate mail }"), "tls",
			"zone z has `level connection`, whose flows are not read, and `tls`"},
		{ZONE("port 25, 587 tls offer { certificate mail }"), "587",
			"port 587 of zone z is read, by zone z: tls: who submits there logs in "
			"first"},
		/* the servers' side */
		{SERVER("host 192.0.2.1 tls verify"), "192.0.2.1",
			"host 192.0.2.1 is an address; expected the name in its certificate"},
		{SERVER("host \"2001:db8::1\" { tls verify }"), "\"2001:db8::1\"",
			"host 2001:db8::1 is an address"},
		{SERVER("mx \"a.example\" tls verify"), "\"a.example\"",
			"the names of mx a.example come from DNS, which proves nothing"},
		{SERVER("host a.example tls verify \"b c\""), "\"b c\"",
			"\"b c\" is no host's name, expected the one in the server's certificate"},
		{SERVER("host a.example tls verify \"192.0.2.1\""), "\"192.0.2.1\"",
			"\"192.0.2.1\" is no host's name, expected the one in the server's "
			"certificate"},
		{SERVER("host a.example tls verify \"a.example\", \"b\", \"A.example.\""),
			"\"A.example", "name A.example. stands twice, expected once"},
		{SERVER("host a.example tls pin \"sha256:" PIN "\", \"sha256:" PIN2 "\""),
			"\"sha256:" PIN2, "this key stands twice, expected once"},
		{SERVER("host a.example tls verify \"*.example\""), "\"*.example\"",
			"is no host's name, expected the one in the server's certificate"},
		{SERVER("host a.example tls verify mx"), "}", "unexpected \"}\""},
		{SERVER("host a.example tls verify b"), "b }", "expected this in quotes: \"b\""},
		{SERVER("host a.example tls pin"), "}", "unexpected \"}\", expected a string"},
		{SERVER("host a.example tls pin \"sha256:" PIN "0\""), "\"sha256",
			"is no pin, expected \"sha256:\" and the 64 hex digits of the public "
			"key's SHA-256"},
		{SERVER("host a.example tls pin \"sha1:" PIN "\""), "\"sha1", "is no pin"},
		{SERVER("host a.example tls pin \"sha256:g123456789abcdef0123456789ABCDEF"
			"0123456789abcdef0123456789abcdef\""),
			"\"sha256", "is no pin"},
		{SERVER("host a.example tls require { ca \"/x\" }"), "ca \"",
			"`ca` says who signs the server's certificate, and with `tls require` "
			"that is not asked; expected `tls verify`"},
		{SERVER("host a.example tls pin \"sha256:" PIN "\" { ca \"/x\" }"), "ca \"",
			"with `tls pin` that is not asked"},
		{SERVER("host a.example tls require { certificate male }"), "male",
			"no such certificate \"male\"; certificates: mail, old"},
		{SERVER("host a.example { tls require { certificate male } }"), "male",
			"no such certificate \"male\"; certificates: mail, old"},
		{SERVER("host a.example tls none { immediate }"), "immediate",
			"`tls none` has no options"},
		{SERVER("host a.example port 465"), "a.example",
			"on port 465 TLS begins at once, and host a.example has none"},
		{SERVER("host a.example port 465 { tls none } tls verify"), "a.example",
			"on port 465 TLS begins at once, and host a.example has none"},
		{SERVER("host a.example tls require { imediate }"), "imediate",
			"did you mean \"immediate\"?"},
		{SERVER("host a.example { tls verify { lagacy } }"), "lagacy",
			"did you mean \"legacy\"?"},
		/* account */
		{SERVER("host a.example account \"u\" { secret file \"/s\" }"), "account",
			"the password would go to whoever answers as host a.example; expected "
			"`tls verify` or pin for it, or `insecure` in the account"},
		{SERVER("host a.example tls require account \"u\" { secret file \"/s\" }"),
			"account", "the password would go to whoever answers as host a.example"},
		{SERVER("host a.example { tls verify } mx b.example account \"u\" { secret file "
			"\"/s\" }"),
			"account", "the password would go to whoever answers as mx b.example"},
		{SERVER("host a.example tls verify account \"u\" { }"), "account",
			"this account has no secret, expected `secret file \"PATH\"`"},
		{SERVER("host a.example tls verify account \"\" { secret file \"/s\" }"), "\"\"",
			"this name has 0 bytes"},
		{SERVER("host a.example tls verify account \"u\" { secret \"s3cret\" }"),
			"\"s3cret\"", "expected file"},
		{SERVER("host a.example tls verify account any { secret file \"/s\" }"), "any {",
			"\"any\" is a reserved word; write it in quotes"},
		{SERVER("host a.example tls verify account \"u\" { secret file \"/s\" sender "
			"\"guests\" }"),
			"\"guests\"", "is no sender, expected keep or one mail address"},
		{SERVER("host a.example tls verify account \"u\" { secret file \"/s\" sender "
			"\"@a.example\" }"),
			"\"@a.example\"", "is no sender, expected keep or one mail address"},
		{SERVER("host a.example tls verify account \"u\" { secret file \"/s\" sender keep "
			"sender keep }"),
			"sender keep }", "\"sender\" stands twice in account, expected once"},
		/* rules */
		{"rule r { zone guest tls verified server plain }", "tls",
			"zone guest asks clients for no certificate, and rule r is for it; "
			"expected `client request`, check or require in its `tls`"},
		{"rule r { tls not verified \"a.example\" server plain }", "tls",
			"zone guest asks clients for no certificate"},
		{"rule r { zone tells tls verified server plain }", "tls",
			"zone tells asks clients for no certificate"},
		{"rule r { zone asks tls none server plain }", "none",
			"unexpected \"none\", expected any, not or verified"},
		{"rule r { zone asks tls verified a server plain }", "a server",
			"expected this in quotes: \"a\""},
		{"rule r { zone asks tls verified \"\" server plain }", "\"\"",
			"this is empty, expected a text"},
		{"rule r { zone asks tls verified \"a\", \"b c\" server plain }", "tls",
			"no certificate is known by the name \"b c\"; expected that of a host, or "
			"a mail address"},
		{"rule r { zone asks tls not verified \"b\xc3\xbc.example\" server plain }", "tls",
			"no certificate is known by the name"},
		{"rule r { zone asks tls any verdict pass }", "verdict",
			"rule r has `tls`, for which the gateway talks to the client: then it is "
			"too late to pass"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		char text[2048];
		snprintf(text, sizeof(text), HEAD "%s\n", cases[i].line);
		struct policy *policy = parse(text, &diagnosis);
		const struct language_message *message =
			find(&diagnosis, LANGUAGE_ERROR, cases[i].text);
		if (policy || !message)
			fail_msg("%s: %zu errors, %s", cases[i].line, diagnosis.errors,
				diagnosis.n ? diagnosis.v[0].text : "");
		expect_place(message, cases[i].line, cases[i].at, cases[i].line);
		language_diagnosis_fini(&diagnosis);
	}
}

static const char *const empty[] = {
	"certificate c { file \"\" key \"/k\" }",
	"certificate c { file \"/f\" key \"\" }",
	ZONE("tls offer { certificate mail client check ca \"\" }"),
	ZONE("tls offer { certificate mail ca \"\" }"),
	SERVER("host a.example tls verify \"\""),
	SERVER("host a.example tls verify \"\", \"a.example\""),
	SERVER("host a.example tls pin \"\""),
	SERVER("host a.example tls verify { ca \"\" }"),
	SERVER("host a.example tls verify account \"\" { secret file \"/s\" }"),
	SERVER("host a.example tls verify account \"u\" { secret file \"\" }"),
	SERVER("host a.example tls verify account \"u\" { secret file \"/s\" sender \"\" }"),
	"rule r { zone asks tls verified \"\" server plain }",
};

static void test_what_is_empty_is_one_mistake(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++) {
		struct language_diagnosis diagnosis;
		char text[2048];
		snprintf(text, sizeof(text), HEAD "%s\n", empty[i]);
		assert_null(parse(text, &diagnosis));
		if (diagnosis.errors != 1)
			fail_msg("%s: %zu errors", empty[i], diagnosis.errors);
		for (size_t j = 0; j < diagnosis.n; j++)
			if (diagnosis.v[j].severity == LANGUAGE_ERROR)
				expect_place(&diagnosis.v[j], empty[i], "\"\"", empty[i]);
		language_diagnosis_fini(&diagnosis);
	}
}

/* Says that each of them is bad, and is asked which. */
static void find_bad(
	void *context, const struct credential *credential, struct credential_verdict *verdict)
{
	const char *bad = context;

	verdict->bad = strcmp(credential->file, bad) == 0 || strcmp(credential->key, bad) == 0;
	verdict->bad_key = verdict->warned_of_key = strcmp(credential->key, bad) == 0;
	snprintf(verdict->text, sizeof(verdict->text), "it is bad");
	snprintf(
		verdict->warning, sizeof(verdict->warning), "%s", verdict->bad ? "it is open" : "");
}

static void test_a_bad_file_is_told_at_its_path(void **state)
{
	static const struct {
		const char *line, *at, *bad;
	} cases[] = {
		{"certificate c { file \"/f\" key \"/k\" }", "\"/f\"", "/f"},
		{"certificate c { file \"/f\" key \"/k\" }", "\"/k\"", "/k"},
		{ZONE("tls offer { certificate mail client check ca \"/x\" }"), "\"/x\"", "/x"},
		{ZONE("tls offer { certificate mail client check }"), "tls", CREDENTIAL_TRUST_FILE},
		{SERVER("host a.example { tls verify { ca \"/x\" } }"), "\"/x\"", "/x"},
		{SERVER("host a.example tls verify"), "tls", CREDENTIAL_TRUST_FILE},
		{SERVER("host a.example tls verify account \"u\" { secret file \"/s\" }"), "\"/s\"",
			"/s"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		const struct language_world world = {
			.credential = find_bad, .context = (void *)(uintptr_t)cases[i].bad};
		char text[2048];
		snprintf(text, sizeof(text), HEAD "%s\n", cases[i].line);
		assert_null(language_parse("t", text, strlen(text), &world, &diagnosis));
		const struct language_message *message =
			find(&diagnosis, LANGUAGE_ERROR, "it is bad");
		assert_non_null(message);
		expect_place(message, cases[i].line, cases[i].at, cases[i].line);
		message = find(&diagnosis, LANGUAGE_WARNING, "it is open");
		assert_non_null(message);
		expect_place(message, cases[i].line, cases[i].at, cases[i].line);
		language_diagnosis_fini(&diagnosis);
	}
}

#define ISP                                                      \
	"server isp { host smtp.isp.example port 465 tls verify" \
	" account \"h\" { secret file \"/s\" } } "

static void test_what_works_but_surprises_is_warned_of(void **state)
{
	static const struct {
		const char *line, *at, *text; /* text NULL: nothing is warned of there */
	} cases[] = {
		{ZONE("tls offer { certificate mail }"), "tls",
			"clients of zone z that compare the certificate with the server that they "
			"wanted will refuse this one"},
		{ZONE("tls require { certificate mail }"), "tls",
			"clients of zone z that cannot do TLS, and those that compare the "
			"certificate with the server that they wanted, will send no mail"},
		{ZONE("tls immediate { certificate mail }"), "tls",
			"clients of zone z begin in clear on every port but 465"},
		{ZONE("port 25, 465 tls immediate { certificate mail }"), "tls",
			"clients of zone z begin in clear on every port but 465"},
		{ZONE("tls require { certificate mail client require }"), "client",
			"a certificate of any authority in /etc/ssl/certs/ca-certificates.crt will "
			"do, which everybody can get: say with `ca` whose are meant"},
		{ZONE("tls require { certificate mail client check }"), "client",
			"who shows a certificate of an authority that is not in "
			"/etc/ssl/certs/ca-certificates.crt is refused, as mail servers with one "
			"of their own are: say with `ca` whose are meant, or `client request`"},
		{ZONE("tls offer { certificate mail client require ca \"/x\" }"), "client",
			"`client require` refuses who shows no certificate, as nobody in clear "
			"does: `tls offer` is here as `tls require`"},
		{ZONE("tls none"), NULL, NULL},
		{"rule r { zone guest tls any server plain }", "tls",
			"no zone of rule r has `tls`: the clients' side is always in clear"},
		{"rule r { zone asks tls verified server original destination any }", "tls",
			"the client's TLS ends at the gateway: what rule r sends to the original"},
		{ZONE("tls offer { certificate mail client check }") " rule r { zone z tls "
								     "verified server plain }",
			"tls verified",
			"in zone z a certificate of any public authority will do, which everybody "
			"can get: say with `ca` in its `tls` whose are meant"},
		{ZONE("tls offer { certificate mail client request }") " rule r { zone z tls "
								       "verified server plain }",
			"tls verified", "in zone z a certificate of any public authority will do"},
		{"rule r { zone asks tls verified server plain }", NULL, NULL},
		{ISP "rule r { zone tells server isp }", "isp }",
			"rule r lets zone tells use the account of server isp without a limit"},
		{ISP "rule r { server isp }", "isp }", "rule r lets zone asks use the account"},
		{ISP "rule r { zone guest limit none server isp }", "isp }",
			"rule r lets zone guest use the account"},
		{ISP "rule r { zone asks limit size 1m server isp }", "isp }",
			"rule r lets zone asks use the account"},
		{ISP "rule r { zone guest server isp }", NULL, NULL},
		{ISP "rule r { zone asks limit recipients 9/day per user server isp }", NULL, NULL},
		{"rule r { tls any server plain }", NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		char text[2048];
		snprintf(text, sizeof(text), HEAD "%s\n", cases[i].line);
		struct policy *policy = parse(text, &diagnosis);
		if (!policy)
			fail_msg("%s: %s", cases[i].line, diagnosis.v[0].text);
		for (size_t j = 0; !cases[i].text && j < diagnosis.n; j++)
			if (diagnosis.v[j].place.line == 7)
				fail_msg("%s: %s", cases[i].line, diagnosis.v[j].text);
		const struct language_message *message =
			cases[i].text ? find(&diagnosis, LANGUAGE_WARNING, cases[i].text) : NULL;
		if (cases[i].text && !message)
			fail_msg("%s: no \"%s\"", cases[i].line, cases[i].text);
		if (message)
			expect_place(message, cases[i].line, cases[i].at, cases[i].line);
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

static void test_each_form_prints_as_it_was_written(void **state)
{
	static const char *const texts[] = {
		"certificate a { file \"/a.pem\" key \"/a.key\" }\n",
		"zone z {\n    interface \"z0\"\n    tls none\n}\n",
		"zone z {\n    interface \"z0\"\n    port 465, 25\n"
		"    tls require { certificate a, b client require ca \"/ca\" legacy }\n}\n"
		"\ncertificate b { file \"/b\" key \"/b\" }\n"
		"certificate a { file \"/a\" key \"/a\" }\n",
		"certificate ours { file \"/o\" key \"/o\" }\n\n"
		"server s {\n"
		"    host \"a.example\" port 465 { limit flows 9 tls verify }\n"
		"    host 192.0.2.1 { tls pin \"sha256:" PIN "\", \"sha256:" OTHER_PIN "\" }\n"
		"    mx \"b.example\" { tls verify \"mx.b.example\", \"b.example\" "
		"{ immediate ca \"/ca\" certificate ours legacy } }\n"
		"    host \"c.example\" { tls none }\n"
		"    tls offer\n"
		"    account \"hotel 4711\" { secret file \"/s\" sender \"g@h.example\" insecure "
		"}\n"
		"}\n",
		"server s {\n    host \"a.example\"\n    tls require { immediate }\n"
		"    account \"x\" { secret file \"/s\" sender keep insecure }\n}\n",
		"zone z {\n    interface \"z0\"\n    tls offer { certificate a client request }\n"
		"}\n\ncertificate a { file \"/a\" key \"/a\" }\n\nserver s {\n    host "
		"192.0.2.1\n}\n\n"
		"rule a { tls verified \"mx.example\", \"B.example\" server s }\n"
		"rule b { tls not verified server s }\n"
		"rule c { tls any server s }\n"
		"rule d { tls not any server s }\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		same_printed(texts[i]);
		struct policy *policy = policy_of_text(texts[i], NULL);
		char *print = language_print(policy, LANGUAGE_PRINT_FULL, NULL);
		struct policy *full = policy_of_text(print, NULL);
		for (size_t j = 0; j < full->nzones; j++)
			assert_int_equal(full->zones[j].tls.mode, policy->zones[j].tls.mode);
		for (size_t j = 0; j < full->nservers; j++)
			same_server_tls(&full->servers[j].tls, &policy->servers[j].tls);
		free(print);
		policy_unref(full);
		policy_unref(policy);
	}
}

static void test_what_it_comes_to(void **state)
{
	static const char text[] =
		HEAD "server s {\n"
		     "host a.example { tls verify \"mx.a.example\" { certificate old } }\n"
		     "host b.example\nhost c.example { tls none }\n"
		     "tls pin \"sha256:" PIN "\" { immediate }\n}\n";
	static const uint8_t pin[4] = {0x01, 0x23, 0x45, 0x67};
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(text, &diagnosis);

	(void)state;
	assert_non_null(policy);
	language_diagnosis_fini(&diagnosis);
	assert_int_equal(policy->ncertificates, 2);
	assert_string_equal(policy->certificates[1].key.text, "/o.key");
	const struct policy_zone *guest = &policy->zones[0], *asks = &policy->zones[1];
	assert_false(guest->tls.given);
	assert_int_equal(guest->tls.mode, POLICY_TLS_NONE);
	assert_int_equal(asks->tls.mode, POLICY_TLS_REQUIRE);
	assert_int_equal(asks->tls.client, POLICY_TLS_CLIENT_CHECK);
	assert_int_equal(asks->tls.certificates[0], 0);
	assert_int_equal(policy->zones[2].tls.certificates[0], 1);
	const struct policy_server *plain = &policy->servers[0], *s = &policy->servers[1];
	const struct policy_server_tls *none = policy_host_tls(plain, &plain->hosts[0]);
	assert_false(none->given);
	assert_int_equal(none->mode, POLICY_SERVER_TLS_OFFER);
	assert_int_equal(none->certificate, -1);
	assert_false(plain->account.given);
	const struct policy_server_tls *verify = policy_host_tls(s, &s->hosts[0]);
	assert_int_equal(verify->mode, POLICY_SERVER_TLS_VERIFY);
	assert_string_equal(verify->names.v[0].text, "mx.a.example");
	assert_int_equal(verify->certificate, 1);
	assert_false(verify->immediate);
	const struct policy_server_tls *pinned = policy_host_tls(s, &s->hosts[1]);
	assert_ptr_equal(pinned, &s->tls);
	assert_int_equal(pinned->npins, 1);
	assert_memory_equal(pinned->pins[0], pin, sizeof(pin));
	assert_int_equal(pinned->pins[0][31], 0xef);
	assert_true(pinned->immediate);
	assert_int_equal(policy_host_tls(s, &s->hosts[2])->mode, POLICY_SERVER_TLS_NONE);
	policy_unref(policy);
}

/* A bare word is taken where it can be nothing else, as it is typed in a shell. */
static void test_what_needs_no_quotes(void **state)
{
	static const char text[] =
		HEAD "server s { host a.example tls verify mx.example, \"b\" { ca /ca.pem }\n"
		     "account 4711@isp.example { secret file /s sender g@h.example }\n"
		     "comment tls }\n"
		     "server t { host a.example tls verify comment x }\n"
		     "server u { host a.example tls pin sha256:" PIN " }\n"
		     "rule r { zone asks tls verified mx.example, b@c.example server s }\n";
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(text, &diagnosis);

	(void)state;
	if (!policy)
		fail_msg("%s", diagnosis.v[0].text);
	language_diagnosis_fini(&diagnosis);
	char *print = language_print_server(policy, 1, LANGUAGE_PRINT_CANONICAL);
	assert_string_equal(print, "server s {\n    host \"a.example\"\n"
				   "    tls verify \"mx.example\", \"b\" { ca \"/ca.pem\" }\n"
				   "    account \"4711@isp.example\" { secret file \"/s\" sender "
				   "\"g@h.example\" }\n    comment \"tls\"\n}\n");
	free(print);
	assert_int_equal(policy->servers[2].tls.names.n, 0);
	assert_int_equal(policy->servers[3].tls.npins, 1);
	print = language_print_rule(policy, 0, LANGUAGE_PRINT_CANONICAL);
	assert_string_equal(print, "rule r { zone asks tls verified \"mx.example\", "
				   "\"b@c.example\" server s }\n");
	free(print);
	policy_unref(policy);
}

static const char edited[] =
	"certificate mail { file \"/m\" key \"/k\" }\n"
	"zone guest {\n    interface \"g0\"\n    tls offer { certificate mail client request }\n"
	"    comment \"c\"\n}\n"
	"server isp {\n    host \"a.example\" { limit flows 5 tls verify }\n    tls verify "
	"\"tls\"\n"
	"    account \"u\" { secret file \"/s\" }\n}\n"
	"rule r { zone guest tls verified \"server\" server isp }\n";

static char *one_line(char *text)
{
	char *to = text;

	for (const char *c = text; *c; c++)
		if (*c != '\n' && !(*c == ' ' && to > text && to[-1] == ' '))
			*to++ = *c;
		else if (*c == '\n' && c[1] && to > text && to[-1] != ' ')
			*to++ = ' ';
	*to = '\0';
	return text;
}

/* As `set` does it, or `unset`; then what is in the policy of it. */
static void test_clauses_are_set_and_taken_out(void **state)
{
	static const struct {
		enum policy_kind kind;
		const char *name, *set, *unset, *wanted;
	} cases[] = {
		{POLICY_KIND_CERTIFICATE, "mail", "key \"/new\"", NULL,
			"certificate mail { file \"/m\" key \"/new\" }"},
		{POLICY_KIND_CERTIFICATE, "mail", "key key file \"file\"", NULL,
			"certificate mail { file \"file\" key \"key\" }"},
		{POLICY_KIND_ZONE, "guest", "tls require { certificate mail client check }", NULL,
			"zone guest { interface \"g0\" tls require { certificate mail client check "
			"} "
			"comment \"c\" }"},
		{POLICY_KIND_SERVER, "isp", "tls pin sha256:" PIN, NULL,
			"server isp { host \"a.example\" { limit flows 5 tls verify } tls pin "
			"\"sha256:" PIN "\" account \"u\" { secret file \"/s\" } }"},
		{POLICY_KIND_SERVER, "isp",
			"account account { secret file account sender a@b.example insecure } host "
			"a.example { tls verify comment.example }",
			NULL,
			"server isp { host \"a.example\" { tls verify \"comment.example\" } tls "
			"verify \"tls\" account \"account\" { secret file \"account\" sender "
			"\"a@b.example\" insecure } }"},
		{POLICY_KIND_SERVER, "isp", NULL, "account tls",
			"server isp { host \"a.example\" { limit flows 5 tls verify } }"},
		{POLICY_KIND_RULE, "r", "tls not verified mx.example, \"b\"", NULL,
			"rule r { zone guest tls not verified \"mx.example\", \"b\" server isp }"},
		{POLICY_KIND_RULE, "r", "tls any", NULL,
			"rule r { zone guest tls any server isp }"},
		{POLICY_KIND_RULE, "r", NULL, "tls", "rule r { zone guest server isp }"},
	};
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(edited, &diagnosis);

	(void)state;
	assert_non_null(policy);
	language_diagnosis_fini(&diagnosis);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t index = (size_t)language_find(policy, cases[i].kind, cases[i].name);
		char *wrong = NULL;
		bool absent;
		char *statement = cases[i].set ? language_clause_set(
							 policy, cases[i].kind, index, cases[i].set)
					       : language_clause_unset(policy, cases[i].kind, index,
							 cases[i].unset, &wrong, &absent);
		if (!statement)
			fail_msg("%s: %s", cases[i].unset, wrong);
		struct policy *changed =
			language_edit_replace(policy, language_kind_word(cases[i].kind),
				cases[i].name, statement, NULL, &diagnosis);
		if (!changed)
			fail_msg("%s\n%s", statement, diagnosis.v[0].text);
		language_diagnosis_fini(&diagnosis);
		char *shown = one_line(language_print_one(changed, cases[i].kind, index));
		assert_string_equal(shown, cases[i].wanted);
		free(shown);
		free(statement);
		policy_unref(changed);
	}
	policy_unref(policy);
}

/* As what stands beside it in the file means it, and not where the program stands. */
static void test_paths_are_from_their_file(void **state)
{
	static const char text[] = "certificate c { file \"c.pem\" key \"/k\" }\n"
				   "server s { host a.example tls verify { ca \"ca/x\" }\n"
				   "account \"u\" { secret file \"u.secret\" } }\n"
				   "zone z { interface z0 tls offer { certificate c client check "
				   "ca \"y\" } }";
	struct language_diagnosis diagnosis;
	struct policy *policy =
		language_parse("/etc/postern/p.conf", text, strlen(text), NULL, &diagnosis);

	(void)state;
	assert_non_null(policy);
	language_diagnosis_fini(&diagnosis);
	assert_string_equal(policy->certificates[0].file.text, "/etc/postern/c.pem");
	assert_string_equal(policy->certificates[0].key.text, "/k");
	assert_string_equal(policy->servers[0].tls.ca.text, "/etc/postern/ca/x");
	assert_string_equal(policy->servers[0].account.secret_file.text, "/etc/postern/u.secret");
	assert_string_equal(policy->zones[0].tls.ca.text, "/etc/postern/y");
	policy_unref(policy);
}

/* How many examples stand between the two headings; each is a good policy, but what is typed in a
 * shell. */
static unsigned count_good(char *page, const char *from, const char *to)
{
	unsigned examples = 0;
	char *end = strstr(page, to);

	assert_non_null(end);
	*end = '\0';
	for (char *at = strstr(page, from); (at = strstr(at, "\n.Bd ")); at = end) {
		char *text = strchr(at + 1, '\n') + 1;
		struct language_diagnosis diagnosis;
		end = strstr(text, "\n.Ed\n");
		end[1] = '\0';
		struct policy *policy = parse(text, &diagnosis);
		bool shell = strncmp(text, "openssl", 7) == 0;
		if (!policy != shell)
			fail_msg("%s\n%s", text, diagnosis.n ? diagnosis.v[0].text : "");
		const struct language_message *alone =
			find(&diagnosis, LANGUAGE_WARNING, "never reached");
		assert_null(alone);
		examples += !shell;
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
		end += 2;
	}
	return examples;
}

static void test_the_manual_s_examples(void **state)
{
	static char page[1 << 16], again[sizeof(page)];
	FILE *file = fopen("doc/man/postern.conf.5", "rb");

	(void)state;
	assert_non_null(file);
	assert_in_range(fread(page, 1, sizeof(page) - 1, file), 1, sizeof(page) - 2);
	fclose(file);
	memcpy(again, page, sizeof(page));
	assert_int_equal(count_good(page, ".Ss TLS\n", ".Ss Limits\n"), 1);
	assert_int_equal(count_good(again, ".Sh EXAMPLES\n", ".Sh SEE ALSO\n"), 3);
}

/* Rules that no client of theirs can come to. */
static void test_rules_that_are_never_reached(void **state)
{
	static const struct {
		const char *early, *late;
		bool reached;
	} cases[] = {
		{"tls any", "tls any", false},
		{"tls any", "tls verified", false},
		{"tls any", "tls verified \"a\"", false},
		{"tls any", "tls not any", true},
		{"tls any", "", true},
		{"tls any", "tls not verified", true},
		{"tls verified", "tls verified \"a\", \"b\"", false},
		{"tls verified \"a\", \"b\"", "tls verified \"b\"", false},
		{"tls verified \"a\"", "tls verified", true},
		{"tls verified \"a\"", "tls verified \"b\"", true},
		{"tls verified", "tls any", true},
		{"tls not verified", "tls not any", false},
		{"tls not verified \"a\"", "tls not any", false},
		{"tls not verified \"a\"", "tls not verified", false},
		{"tls not verified \"a\"", "tls not verified \"a\", \"b\"", false},
		{"tls not verified \"a\", \"b\"", "tls not verified \"a\"", true},
		{"tls not verified", "tls not verified \"a\"", true},
		{"tls not any", "tls not verified", true},
		/* a certificate may have both names */
		{"tls not verified \"a\"", "tls verified \"b\"", true},
		{"", "tls verified", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		char text[2048];
		snprintf(text, sizeof(text),
			HEAD "rule early { zone asks %s server plain }\n"
			     "rule late { zone asks %s server plain }\n",
			cases[i].early, cases[i].late);
		struct policy *policy = parse(text, &diagnosis);
		assert_non_null(policy);
		if (!find(&diagnosis, LANGUAGE_WARNING, "rule late is never reached") !=
			cases[i].reached)
			fail_msg("%s, then %s", cases[i].early, cases[i].late);
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

/* A message has one server; its client's side is in TLS, or is not, all the time. */
static void test_a_transaction_may_part_by_tls(void **state)
{
	static const struct {
		const char *first, *second;
		bool good;
	} cases[] = {
		{"tls any", "tls not any", true},
		{"tls not any", "tls verified \"a\"", true},
		{"tls verified", "tls not verified", true},
		{"tls verified \"a\"", "tls not verified \"a\", \"b\"", true},
		{"tls verified \"a\", \"b\"", "tls not verified \"a\"", false},
		{"tls any", "tls verified", false},
		{"tls any", "tls not verified", false},
		{"tls verified \"a\"", "tls verified \"b\"", false},
		{"tls any", "", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		char text[2048];
		snprintf(text, sizeof(text),
			HEAD "server other { host 203.0.113.2 }\n"
			     "rule first { zone asks %s recipient \"@a.example\" server plain }\n"
			     "rule second { zone asks %s server other }\n",
			cases[i].first, cases[i].second);
		struct policy *policy = parse(text, &diagnosis);
		if (!policy != !cases[i].good)
			fail_msg("%s, then %s: %s", cases[i].first, cases[i].second,
				diagnosis.n ? diagnosis.v[0].text : "");
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes_are_told_at_their_place),
		cmocka_unit_test(test_what_is_empty_is_one_mistake),
		cmocka_unit_test(test_a_bad_file_is_told_at_its_path),
		cmocka_unit_test(test_what_works_but_surprises_is_warned_of),
		cmocka_unit_test(test_each_form_prints_as_it_was_written),
		cmocka_unit_test(test_what_it_comes_to),
		cmocka_unit_test(test_what_needs_no_quotes),
		cmocka_unit_test(test_clauses_are_set_and_taken_out),
		cmocka_unit_test(test_paths_are_from_their_file),
		cmocka_unit_test(test_the_manual_s_examples),
		cmocka_unit_test(test_rules_that_are_never_reached),
		cmocka_unit_test(test_a_transaction_may_part_by_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
