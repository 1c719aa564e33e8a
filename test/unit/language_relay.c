/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listeners, protected domains and the conditions on them: what is read is printed again. */
#include "lib/language/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/unit/language_same.h"

static const char site[] =
	"zone guest {\n"
	"    interface \"br-guest\"\n"
	"}\n"
	"\n"
	"listener inbound {\n"
	"    address 203.0.113.1, 2001:db8:3::1\n"
	"    port 25, 465\n"
	"    accept not 198.51.100.0/24, \"mx.partner.example\", \".bad.example\", spammers\n"
	"    tls offer { certificate mail client request }\n"
	"    newline strict\n"
	"    limit flows 20 per client\n"
	"    limit size 30m\n"
	"    unmatched answer 554 \"not here\"\n"
	"    comment \"from the world\"\n"
	"}\n"
	"listener printers {\n"
	"    address 192.0.2.9\n"
	"}\n"
	"\n"
	"list spammers dynamic\n"
	"list customers host { \"one.example\", \".one.example\" }\n"
	"list people mail { \"anna@hotel.example\" }\n"
	"\n"
	"certificate mail { file \"/etc/mail.pem\" key \"/etc/mail.key\" }\n"
	"\n"
	"domain hotel { name \"hotel.example\", \".hotel.example\", customers server inside "
	"recipient \"desk@hotel.example\", people comment \"ours\" }\n"
	"domain two { name customers server inside recipient any }\n"
	"\n"
	"server inside {\n"
	"    host 192.0.2.140\n"
	"}\n"
	"\n"
	"rule in { listener inbound recipient protected server protected }\n"
	"rule upstreams { listener not inbound source 192.0.2.0/24, \"mx.partner.example\", "
	"customers server inside }\n"
	"rule guests { zone guest user none recipient protected server inside }\n"
	"rule near { zone guest destination not protected sender none recipient protected, "
	"\"a@b.example\" server inside }\n";

static void what_is_written_is_printed(void **state)
{
	(void)state;
	same_printed(site);
}

static void defaults_are_told_in_full(void **state)
{
	(void)state;
	static const char *const told[] = {"    port 25\n", "    accept any\n",
		"    limit flows 2000\n", "    limit flows 50 per client\n",
		"    limit recipients 1000 per message\n", "    limit size 50m\n",
		"    unmatched answer 554 \"relaying denied\"\n"};
	struct policy *policy = policy_of_text("listener l { address 192.0.2.1 }", NULL);
	char *text = language_print(policy, LANGUAGE_PRINT_FULL, NULL);
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		if (!strstr(text, told[i]))
			fail_msg("no %s in\n%s", told[i], text);
	free(text);
	policy_unref(policy);
}

static void what_is_lacking_or_wrong_is_said(void **state)
{
	static const char *const texts[][2] = {
		{"listener l { port 25 }", "listener l has no address"},
		{"domain d { server s }", "domain d has no name"},
		{"domain d { name \"a.example\" }", "domain d has no server"},
		{"domain d { name \"a.example\" server s }", "no such server \"s\""},
		{"listener l { address 192.0.2.1 accept friends }", "no such list \"friends\""},
		{"listener inbound { address 192.0.2.1 }\n"
		 "rule r { listener inbond verdict answer \"x\" }",
			"no such listener \"inbond\""},
		{"list l mail dynamic\nlistener x { address 192.0.2.1 accept l }",
			"list l holds mail addresses"},
		{"list l dynamic\nserver s { host 192.0.2.9 }\ndomain d { name l server s }",
			"list l holds addresses"},
		{"list l host dynamic\nzone z { interface e0 }\n"
		 "rule r { zone z source l verdict pass }",
			"list l holds host names"},
		{"domain d { name \"example\" }", "is no domain to protect"},
		{"domain d { name \".\" }", "is no domain to protect"},
		{"domain d { name \".example\" }", "is no domain to protect"},
		{"domain d { name \"*.hotel.example\" }", "is no domain to protect"},
		{"listener l { address 192.0.2.1 accept not any }", "matches nothing"},
		{"listener l { address 192.0.2.1 accept \"nohost\" }", "\"nohost\" is no place"},
		{"rule r { destination \"mx.a.example\" verdict pass }", "unexpected"},
		{"rule r { user not none verdict pass }", "\"not none\" is everybody"},
		{"listener l { address 192.0.2.1 limit rate 5/minute { block 1h } }",
			"a limit of the whole listener blocks nobody"},
		{"listener l { address 192.0.2.1 limit sessions 2 per user }", "unexpected"},
		{"listener l { address 192.0.2.0/24 }", "unexpected"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct language_diagnosis diagnosis;
		bool said = false;
		assert_null(
			language_parse("conf", texts[i][0], strlen(texts[i][0]), NULL, &diagnosis));
		for (size_t j = 0; j < diagnosis.n; j++)
			said |= strstr(diagnosis.v[j].text, texts[i][1]) != NULL;
		if (!said)
			fail_msg("%s: %s", texts[i][0], diagnosis.v[0].text);
		language_diagnosis_fini(&diagnosis);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_printed),
		cmocka_unit_test(defaults_are_told_in_full),
		cmocka_unit_test(what_is_lacking_or_wrong_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
