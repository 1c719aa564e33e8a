/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be said of scans and of the rules that have them; how it is printed; what is read
 * because of it, and which scans a recipient's message has. */
#include "lib/language/language.h"

#include "lib/policy/decide/decide.h"
#include "lib/scan/address.h"

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
	"listener inbound {\n"
	"    address 203.0.113.1\n"
	"}\n"
	"\n"
	"domain hotel { name \"hotel.example\" server inside }\n"
	"\n"
	"server inside {\n"
	"    host 192.0.2.140\n"
	"}\n"
	"\n"
	"scan virus { clamav \"/run/clamav/clamd.ctl\" }\n"
	"scan far { clamav \"[2001:db8::7]:3310\" mode whole on-failure reject deadline 90s "
	"comment \"the other one\" }\n"
	"scan spam { milter \"inet:localhost:11332\" quarantine reject }\n"
	"scan sign { milter \"unix:/run/opendkim/sock\" mode stream on-failure accept deadline "
	"1500ms quarantine tempfail }\n"
	"\n"
	"rule in { listener inbound recipient protected server protected scan virus, spam }\n"
	"rule house { zone guest recipient protected server inside scan none }\n"
	"rule out { zone guest server inside scan virus, spam, sign limit size 10m audit off }\n";

static void what_is_written_is_printed(void **state)
{
	(void)state;
	same_printed(site);
}

static void what_is_not_written_is_printed_in_full(void **state)
{
	static const char text[] = "zone guest { interface e0 }\n"
				   "server inside { host 192.0.2.140 }\n"
				   "scan virus { clamav \"/run/clamav/clamd.ctl\" }\n"
				   "scan spam { milter \"inet:localhost:11332\" }\n"
				   "rule scanned { server inside scan virus, spam }\n"
				   "rule no { verdict answer \"no\" }\n"
				   "rule unscanned { server inside }\n"
				   "rule never { server inside scan none }\n";
	static const char *const lines[] = {
		"scan virus { clamav \"/run/clamav/clamd.ctl\" mode stream on-failure tempfail "
		"deadline 45s }\n",
		"scan spam { milter \"inet:localhost:11332\" mode whole on-failure tempfail "
		"deadline 45s quarantine tempfail }\n",
		" server inside scan virus, spam audit on }\n",
		" verdict answer 421 \"no\" audit on }\n",
		"rule unscanned { zone any user any source any destination any schedule always "
		"server inside audit on }\n",
		" server inside scan none audit on }\n",
	};
	(void)state;
	struct policy *policy = policy_of_text(text, NULL);
	char *full = language_print(policy, LANGUAGE_PRINT_FULL, NULL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!strstr(full, lines[i]))
			fail_msg("%s is not in\n%s", lines[i], full);
	free(full);
	policy_unref(policy);
}

/* Words of this version were names before, as other processes and a start read them. */
static void a_text_of_before_means_what_it_did(void **state)
{
	static const char text[] =
		"zone scan { interface e0 }\nlist milter { 192.0.2.1 }\nlist whole dynamic\n"
		"server stream { host 192.0.2.1 }\nserver tempfail { host 192.0.2.2 }\n"
		"device mode { zone scan address 192.0.2.9 user \"clamav\" }\n"
		"rule scan { zone scan source milter, whole server stream comment \"scan\" }\n"
		"rule quarantine { zone scan user scan, milter server tempfail }\n";
	(void)state;
	struct policy *policy = policy_of_text(text, NULL);
	assert_int_equal(policy->nrules, 2);
	assert_int_equal(policy->rules[1].users.n, 2);
	policy_unref(policy);
}

static void an_address_is_found(void **state)
{
	static const struct {
		enum policy_scan_kind kind;
		const char *text, *path, *host;
		uint16_t port;
		bool is_address;
	} cases[] = {
		{POLICY_SCAN_MILTER, "unix:/run/a b", "/run/a b", NULL, 0, false},
		{POLICY_SCAN_MILTER, "inet:localhost:8891", NULL, "localhost", 8891, false},
		{POLICY_SCAN_MILTER, "inet:192.0.2.7:1", NULL, "192.0.2.7", 1, true},
		{POLICY_SCAN_MILTER, "inet:[2001:db8::7]:65535", NULL, "2001:db8::7", 65535, true},
		{POLICY_SCAN_CLAMAV, "/run/clamd.ctl", "/run/clamd.ctl", NULL, 0, false},
		{POLICY_SCAN_CLAMAV, "clamd.hotel.example:3310", NULL, "clamd.hotel.example", 3310,
			false},
		{POLICY_SCAN_CLAMAV, "[2001:db8::7]:3310", NULL, "2001:db8::7", 3310, true},
	};
	struct scan_address address;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_null(scan_address_parse(cases[i].kind, cases[i].text, &address));
		assert_int_equal(address.port, cases[i].port);
		assert_int_equal(address.addr.family != ADDR_NONE, cases[i].is_address);
		assert_int_equal(!address.path, !cases[i].path);
		if (cases[i].path)
			assert_string_equal(address.path, cases[i].path);
		else
			assert_memory_equal(address.host, cases[i].host, address.host_len);
		if (cases[i].host)
			assert_int_equal(address.host_len, strlen(cases[i].host));
	}
}

static void what_is_no_address_is_none(void **state)
{
	static const char *const milters[] = {"", "unix:", "unix:/", "unix:run/x", "/run/x",
		"inet:", "inet:8891", "inet:localhost", "inet:localhost:", "inet:localhost:0",
		"inet:localhost:65536", "inet:localhost:1a", "inet:localhost: 1", "inet::8891",
		"inet:2001:db8::7:8891", "inet:[192.0.2.7]:8891", "inet:[2001:db8::7:8891",
		"inet:[]:8891", "inet:[localhost]:8891", "inet:a b:8891", "inet:8891@localhost",
		"inet:0.0.0.0:8891", "inet:[::]:8891", "inet:[ff02::1]:8891", "inet:224.0.0.1:8891",
		"inet6:[2001:db8::7]:8891", "local:/run/x", "tcp:localhost:8891", "localhost:8891",
		"UNIX:/run/x", "inet:/run/x"};
	static const char *const clamds[] = {"", "/", "unix:/run/clamd.ctl", "inet:localhost:3310",
		"run/clamd.ctl", "localhost", ":3310", "3310", "3310@localhost", "2001:db8::7:3310",
		"0.0.0.0:3310", "localhost:3310/x"};
	struct scan_address address;
	char name[400];
	(void)state;
	for (size_t i = 0; i < sizeof(milters) / sizeof(*milters); i++)
		if (!scan_address_parse(POLICY_SCAN_MILTER, milters[i], &address))
			fail_msg("%s is taken", milters[i]);
	for (size_t i = 0; i < sizeof(clamds) / sizeof(*clamds); i++)
		if (!scan_address_parse(POLICY_SCAN_CLAMAV, clamds[i], &address))
			fail_msg("%s is taken", clamds[i]);
	snprintf(name, sizeof(name), "unix:/%0106d", 7);
	assert_null(scan_address_parse(POLICY_SCAN_MILTER, name, &address));
	assert_int_equal(strlen(address.path), 107);
	snprintf(name, sizeof(name), "unix:/%0107d", 7);
	assert_non_null(scan_address_parse(POLICY_SCAN_MILTER, name, &address));
	assert_non_null(scan_address_parse(POLICY_SCAN_CLAMAV, name + 5, &address));
	snprintf(name, sizeof(name), "inet:%0300d:25", 7);
	assert_non_null(scan_address_parse(POLICY_SCAN_MILTER, name, &address));
}

#define HEAD                                                                                 \
	"zone z { interface e0 }\nserver s { host 192.0.2.1 }\nserver isp { host a.example " \
	"tls verify account \"me\" { secret file \"/s\" } }\nscan virus { clamav \"/c\" }\n" \
	"scan spam { milter \"unix:/m\" }\nrule uses { zone z server s scan virus, spam }\n"
#define LINE 7

static void mistakes_are_told_at_their_place(void **state)
{
	static const struct {
		const char *line, *at, *text;
	} cases[] = {
		{"scan a { }", "a {", "scan a asks nobody, expected milter or clamav"},
		{"scan a { mode whole }", "a {", "scan a asks nobody"},
		{"scan a { clamav \"/c\" milter \"unix:/m\" }", "milter",
			"scan a is `clamav` already, expected one of"},
		{"scan a { clamav \"/c\" clamav \"/d\" }", "clamav \"/d",
			"\"clamav\" stands twice in scan a"},
		{"scan a { clamv \"/c\" }", "clamv", "did you mean \"clamav\"?"},
		{"scan virus { clamav \"/c\" }", "virus", "scan \"virus\" stands twice"},
		{"scan none { clamav \"/c\" }", "none", "\"none\" is a reserved word"},
		{"scan a { milter \"/run/x\" }", "\"/run",
			"\"/run/x\" is no address of a milter, expected \"unix:/PATH\" or "
			"\"inet:HOST:PORT\""},
		{"scan a { milter \"inet:8891@localhost\" }", "\"inet",
			"is no address of a milter, expected HOST:PORT, not PORT@HOST"},
		{"scan a { milter \"inet:2001:db8::7:8891\" }", "\"inet",
			"an IPv6 address in brackets, and :PORT behind it"},
		{"scan a { milter \"inet:0.0.0.0:8891\" }", "\"inet",
			"expected the address of one host"},
		{"scan a { milter \"unix:run/x\" }", "\"unix", "which begins with /"},
		{"scan a { clamav \"unix:/run/c\" }", "\"unix",
			"\"unix:/run/c\" is no address of a clamd, expected \"/PATH\" of clamd's "
			"socket, or \"HOST:PORT\""},
		{"scan a { clamav \"localhost\" }", "\"localhost",
			"expected \"/PATH\" of clamd's socket, or \"HOST:PORT\""},
		{"scan a { clamav \"localhost:\" }", "\"localhost", "and :PORT behind it"},
		{"scan a { clamav \"/c\" mode all }", "all", "expected stream or whole"},
		{"scan a { clamav \"/c\" on-failure acept }", "acept", "did you mean \"accept\"?"},
		{"scan a { clamav \"/c\" on-failure open }", "open",
			"expected accept, reject or tempfail"},
		{"scan a { milter \"unix:/m\" quarantine accept }", "accept",
			"expected reject or tempfail"},
		{"scan a { clamav \"/c\" quarantine reject }", "quarantine",
			"clamd puts nothing in quarantine"},
		{"scan a { clamav \"/c\" quarantine tempfail }", "quarantine",
			"clamd puts nothing in quarantine"},
		{"scan a { quarantine tempfail clamav \"/c\" }", "quarantine",
			"clamd puts nothing in quarantine"},
		{"scan a { clamav \"/c\" deadline 999ms }", "999ms",
			"cannot be waited for this long, expected 1s to 290s"},
		{"scan a { clamav \"/c\" deadline 291s }", "291s", "expected 1s to 290s"},
		{"scan a { clamav \"/c\" deadline 45 }", "45", "expected a duration"},
		{"scan a { clamav \"/c\" mode whole mode whole }", "mode whole }",
			"\"mode\" stands twice in scan a"},
		/* rules */
		{"rule r { zone z server s scan vrius }", "vrius",
			"no such scan \"vrius\"; scans: virus, spam"},
		{"rule r { zone z server s scan virus, spam, virus }", "virus }",
			"scan virus stands twice, expected once"},
		{"rule r { zone z server s scan none, virus }", ", virus", "unexpected \",\""},
		{"rule r { zone z server s scan virus, none }", "none",
			"\"none\" is a reserved word"},
		{"rule r { zone z server s scan virus scan none }", "scan none",
			"\"scan\" stands twice in rule r"},
		{"rule r { zone z verdict answer \"no\" scan virus }", "scan",
			"rule r takes no message, so that none can be scanned; expected `server`"},
		{"rule r { zone z user \"anna\" verdict pass scan virus }", "scan",
			"rule r takes no message"},
		{"rule r { zone z scan virus }", "r {",
			"rule r does nothing, expected server or verdict"},
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
		"scan a { }",
		"scan a { milter \"/run/x\" }",
		"scan a { clamav \"\" quarantine reject }",
		"rule r { zone z server s scan nobody }",
		"rule r { zone z verdict drop scan nobody }",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[2048];
		struct language_diagnosis diagnosis;
		snprintf(text, sizeof(text), "%s%s", HEAD, lines[i]);
		assert_null(language_parse("t", text, strlen(text), NULL, &diagnosis));
		if (diagnosis.errors != (i == 2 ? 2 : 1))
			fail_msg("%s: %zu errors\n%s", lines[i], diagnosis.errors,
				diagnosis.v[0].text);
		language_diagnosis_fini(&diagnosis);
	}
}

static void there_are_not_too_many(void **state)
{
	struct language_diagnosis diagnosis;
	char text[4096];
	(void)state;
	for (unsigned n = POLICY_SCANS_MAX; n <= POLICY_SCANS_MAX + 1; n++) {
		size_t at = 0;
		for (unsigned i = 0; i < n; i++)
			at += (size_t)snprintf(
				text + at, sizeof(text) - at, "scan s%u { clamav \"/c\" }\n", i);
		struct policy *policy = language_parse("t", text, at, NULL, &diagnosis);
		assert_int_equal(!policy, n > POLICY_SCANS_MAX);
		if (!policy)
			assert_string_equal(language_first_error(&diagnosis),
				"t:17:6: error: 17 scans, expected at most 16\n"
				"scan s16 { clamav \"/c\" }\n     ^~~");
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

/* ---- warnings */

static bool is_ours(void *context, const struct addr *addr)
{
	(void)context;
	return addr->family == ADDR_IP4 && addr->bytes[0] == 203 && addr->bytes[3] == 1;
}

/* Two ways out: what is of 192.0.2.0/24 or 2001:db8:1::/48 is near. */
static const char *way(void *context, const struct addr *addr)
{
	(void)context;
	bool near = addr->family == ADDR_IP4 ? addr->bytes[0] == 192 && addr->bytes[2] == 2
					     : addr->bytes[5] == 1;
	return near ? "dmz0" : "wan0";
}

static const char *uplink(void *context, enum addr_family family)
{
	(void)context;
	(void)family;
	return "wan0";
}

static const struct language_world world = {
	.own_address = is_ours, .way = way, .uplink = uplink, .relay_port = 2525};

static void what_is_odd_is_warned_of(void **state)
{
	static const char unused[] = "no rule has scan a: no message is scanned by it, expected "
				     "`scan a` in a rule";
#define HELD(who) \
	who ", which is not ours, is held up in the middle of each message while this scans"
	static const struct {
		const char *lines, *text; /* NULL: nothing */
	} cases[] = {
		{"scan a { clamav \"/c\" }", unused},
		{"scan a { clamav \"/c\" }\nrule r { zone z server s scan a }", NULL},
		{"scan a { clamav \"/c\" }\nrule r { zone z server s scan a disabled }", NULL},
		{"rule r { zone z server isp scan virus }", HELD("isp")},
		{"rule r { zone z server isp scan virus disabled }", NULL},
		{"rule r { zone z server isp scan virus, spam }", NULL},
		{"rule r { zone z server isp scan spam }", NULL},
		{"rule r { zone z server isp scan none }", NULL},
		{"rule r { zone z server original destination any scan virus }",
			HELD("the original server")},
		{"server m { mx a.example }\nrule r { zone z server m scan virus }", HELD("m")},
		{"server f { host 198.51.100.7 }\nrule r { zone z server f scan virus }",
			HELD("f")},
		{"server f { host 2001:db8:2::7 }\nrule r { zone z server f scan virus }",
			HELD("f")},
		{"server f { host 2001:db8:1::7 }\nrule r { zone z server f scan virus }", NULL},
		{"server f { host 10.1.2.3 host fd00::1 host 127.0.0.1 host 172.16.0.1 host "
		 "192.168.1.1 host 100.64.0.1 host f.example }\nrule r { zone z server f scan "
		 "virus }",
			NULL},
		{"rule r { zone z server s scan virus }", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[2048];
		struct language_diagnosis diagnosis;
		const char *said = NULL;
		snprintf(text, sizeof(text), "%s%s", HEAD, cases[i].lines);
		struct policy *policy = language_parse("t", text, strlen(text), &world, &diagnosis);
		if (!policy)
			fail_msg("%s: %s", cases[i].lines, language_first_error(&diagnosis));
		for (size_t j = 0; j < diagnosis.n; j++)
			if (strstr(diagnosis.v[j].text, unused) ||
				strstr(diagnosis.v[j].text, "not ours"))
				said = diagnosis.v[j].text;
		if (!said != !cases[i].text || (said && !strstr(said, cases[i].text)))
			fail_msg("%s: %s", cases[i].lines, said ? said : "nothing");
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
}

static void none_is_asked_at_a_listener_of_ours(void **state)
{
	static const struct {
		const char *address;
		bool ours;
	} cases[] = {
		{"203.0.113.1:2525", true},
		{"203.0.113.1:25", true},
		{"203.0.113.1:3310", false},
		{"198.51.100.7:25", false},
		{"[::1]:2525", true},
		{"localhost:2525", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[512];
		struct language_diagnosis diagnosis;
		snprintf(text, sizeof(text),
			"listener l { address 203.0.113.1 }\nscan a { clamav \"%s\" }",
			cases[i].address);
		struct policy *policy = language_parse("t", text, strlen(text), &world, &diagnosis);
		assert_int_equal(!policy, cases[i].ours);
		if (!policy)
			assert_non_null(strstr(language_first_error(&diagnosis),
				"is a listener of our own, expected another host or port"));
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
}

/* ---- levels */

static void a_rule_with_a_scan_has_flows_read(void **state)
{
	static const struct {
		const char *zone, *rules;
		const char *cause; /* of the zone; NULL: it is refused */
		const char *text;
	} cases[] = {
		{"", "rule r { server s scan virus }", "rule r: scan", NULL},
		{"", "rule r { server s scan none }", "", NULL},
		{"", "rule r { server s }", "", NULL},
		{"", "rule r { server s scan virus disabled }", "", NULL},
		{"level connection", "rule r { server s scan none }", "", NULL},
		{"level connection", "rule r { server s scan virus disabled }", "", NULL},
		{"level connection", "rule r { server s scan virus }", NULL,
			":4:19: error: zone z has `level connection`, whose flows are not read, "
			"and rule r is for it"},
		{"", "rule r { user anna server s scan virus }\nrule p { verdict pass }", NULL,
			":5:10: error: rule p could take flows that rule r before it has read, by "
			"`scan`"},
		{"unmatched pass", "rule r { server s scan virus }", NULL,
			"`unmatched pass` in a zone that is read, by rule r: scan"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[1024], by[LEVEL_CAUSE_SIZE];
		struct language_diagnosis diagnosis;
		snprintf(text, sizeof(text),
			"zone z { interface e0 %s }\nserver s { host 192.0.2.1 }\n"
			"scan virus { clamav \"/c\" }\n%s",
			cases[i].zone, cases[i].rules);
		struct policy *policy = language_parse("t", text, strlen(text), NULL, &diagnosis);
		if (!policy != !cases[i].cause)
			fail_msg("%s: %s", cases[i].rules, diagnosis.v[0].text);
		if (!policy && !strstr(language_first_error(&diagnosis), cases[i].text))
			fail_msg("%s: %s", cases[i].rules, language_first_error(&diagnosis));
		if (policy) {
			struct level_cause cause = level_cause_of_zone(policy, 0);
			assert_string_equal(level_format_cause(policy, &cause, by), cases[i].cause);
		}
		language_diagnosis_fini(&diagnosis);
		policy_unref(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_printed),
		cmocka_unit_test(what_is_not_written_is_printed_in_full),
		cmocka_unit_test(a_text_of_before_means_what_it_did),
		cmocka_unit_test(an_address_is_found),
		cmocka_unit_test(what_is_no_address_is_none),
		cmocka_unit_test(mistakes_are_told_at_their_place),
		cmocka_unit_test(one_mistake_is_one_error),
		cmocka_unit_test(there_are_not_too_many),
		cmocka_unit_test(what_is_odd_is_warned_of),
		cmocka_unit_test(none_is_asked_at_a_listener_of_ours),
		cmocka_unit_test(a_rule_with_a_scan_has_flows_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
