/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/language/language.h"
#include "lib/base/net/lpm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- a world of its own: files, interfaces, addresses */

static const struct {
	const char *path, *text;
} files[] = {
	{"/etc/postern/partners.list", "198.51.100.0/24\n# a comment\n203.0.113.7 ; 2001:db8::/48"},
	{"good.list", "192.0.2.1, 02:00:5e:00:53:01"},
	{"bad.list", "192.0.2.1\n  198.51.100.0/24, 300.1.2.3 # no\n"},
	{"wide.list", "192.0.2.1\n192.0.2.7/24 2001:db8::1/64\n"},
	{"all.list", "192.0.2.1 0.0.0.0/0"},
	{"zones.conf", "language 1\nzone inc { interface eth7 }\n"},
	{"wrong.conf", "zone inc {\n    interface eth7\n    lesae 5m\n}\n"},
	{"loop.conf", "include \"loop2.conf\"\n"},
	{"loop2.conf", "include \"loop.conf\"\n"},
	{"sub/a.conf", "include \"b.conf\"\n"},
	{"sub/b.conf", "zone b { interface eth8 }\nlist l file \"here.list\"\n"},
	{"sub/here.list", "192.0.2.9"},
};

static int read_file(void *context, const char *path, char **text, size_t *len)
{
	(void)context;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (strcmp(files[i].path, path) != 0)
			continue;
		*text = strdup(files[i].text);
		*len = strlen(files[i].text);
		return 0;
	}
	if (strncmp(path, "deep", 4) == 0) {
		char next[64];
		snprintf(next, sizeof(next), "include deep%d", atoi(path + 4) + 1);
		*text = strdup(next);
		*len = strlen(next);
		return 0;
	}
	return -ENOENT;
}

static int find_interface(void *context, const char *pattern)
{
	(void)context;
	return strncmp(pattern, "wg", 2) == 0 ? 0 : strncmp(pattern, "ppp", 3) == 0 ? -1 : 1;
}

static bool is_own(void *context, const struct addr *addr)
{
	struct addr own;

	(void)context;
	addr_parse("192.0.2.1", 9, &own);
	return addr_equal(&own, addr);
}

static const char *find_bridge(void *context, const char *pattern, const char **port)
{
	(void)context;
	*port = "port1";
	return policy_interface_match(pattern, *port) ? "br1" : NULL;
}

static const char *find_way(void *context, const struct addr *addr)
{
	struct prefix dmz;

	(void)context;
	prefix_parse("203.0.113.128/25", 16, &dmz);
	return prefix_contains(&dmz, addr) ? "dmz9" : NULL;
}

static const char *find_uplink(void *context, enum addr_family family)
{
	(void)context;
	return family == ADDR_IP4 ? "wan4" : "wan6";
}

static const struct language_world world = {.read = read_file,
	.interface = find_interface,
	.relay_port = 2525,
	.own_address = is_own,
	.bridge = find_bridge,
	.way = find_way,
	.uplink = find_uplink};

static struct policy *parse(const char *text, struct language_diagnosis *diagnosis)
{
	return language_parse("p.conf", text, strlen(text), &world, diagnosis);
}

static struct policy *parse_good(const char *text)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = parse(text, &diagnosis);

	for (size_t i = 0; i < diagnosis.n; i++) {
		if (diagnosis.v[i].severity == LANGUAGE_ERROR)
			print_message("%s\n", diagnosis.v[i].text);
	}
	language_diagnosis_fini(&diagnosis);
	assert_non_null(policy);
	return policy;
}

/* --- every message: what is wrong, the line, the caret, the hint */

#define ZONE "zone z { interface eth0 }\n"
#define RULE "rule r { verdict drop }\n"

static const struct {
	const char *name, *text, *message;
} messages[] = {
#include "test/data/language/messages.h"
};

static void each_mistake_is_told_with_place_line_and_caret(void **state)
{
	bool failed = false;

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct language_diagnosis diagnosis;
		struct policy *policy = parse(messages[i].text, &diagnosis);
		const char *first = diagnosis.n > 0 ? diagnosis.v[0].text : "(nothing said)";
		bool error = strstr(messages[i].message, ": error: ");
		if (strcmp(first, messages[i].message) != 0 || (policy == NULL) != error ||
			diagnosis.n != 1) {
			failed = true;
			print_message("%s: %zu messages\n", messages[i].name, diagnosis.n);
			for (size_t j = 0; j < diagnosis.n; j++)
				print_message("%s\n", diagnosis.v[j].text);
			print_message("--- expected\n%s\n\n", messages[i].message);
		}
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
	assert_false(failed);
}

/* --- print and parse */

static char *read_data(const char *path)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	char *text = calloc(1, 65536);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static void the_example_prints_as_expected_and_again(void **state)
{
	static const enum language_print flags[] = {LANGUAGE_PRINT_CANONICAL, LANGUAGE_PRINT_FULL,
		LANGUAGE_PRINT_RESOLVED, LANGUAGE_PRINT_FULL | LANGUAGE_PRINT_RESOLVED};
	static const char *const paths[] = {"test/data/language/example.canonical",
		"test/data/language/example.full", "test/data/language/example.resolved", NULL};
	char *source = read_data("test/data/language/example.conf");
	struct policy *policy = parse_good(source);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t len;
		char *text = language_print(policy, flags[i], &len);
		assert_int_equal(len, strlen(text));
		if (paths[i]) {
			char *expected = read_data(paths[i]);
			assert_string_equal(text, expected);
			free(expected);
		}
		struct policy *again = parse_good(text);
		char *second = language_print(again, flags[i], NULL);
		assert_string_equal(text, second);
		free(second);
		free(text);
		policy_unref(again);
	}
	policy_unref(policy);
	free(source);
}

static void what_is_not_canonical_prints_canonically(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"  ;; on-failure open ; drain 120s;", "on-failure open\ndrain 2m\n"},
		{"hostname gw.example.net", "hostname \"gw.example.net\"\n"},
		{"audit { }", "\n"},
		{"audit { names none size 1024m keep 24h }",
			"audit { keep 1d size 1g names none }\n"},
		{"audit { privacy off }", "audit { names none }\n"},
		{"audit { privacy plain keep 24h }", "audit { keep 1d names plain }\n"},
		{"log level debug metrics listen 2001:DB8::1 port 9100",
			"log level debug\nmetrics listen 2001:db8::1 port 9100\n"},
		{"zone rule{interface a;interface \"b\",port port 587,25 lease none idle 90m "
		 "limit sessions 3 per user{over replace} limit rate 5/hour per user limit flows 9 "
		 "on-link-down end reauthenticate 1440m on-logout keep comment \"x \\\"y\\\" "
		 "\\\\z\"}",
			"zone rule {\n    interface \"a\", \"b\", \"port\"\n    port 587, 25\n"
			"    lease none\n    idle 90m\n    reauthenticate 1d\n"
			"    on-logout keep\n    on-link-down end\n"
			"    limit sessions 3 per user { over replace }\n    limit rate 5/hour per "
			"user\n"
			"    limit flows 9\n    comment \"x \\\"y\\\" \\\\z\"\n}\n"},
		{ZONE "rule r { verdict answer later schedule fri-mon 22:00-06:00, sat, "
		      "12:00-24:00 "
		      "user not bob, 101, 02:00:5e:00:53:01, \"any\" zone z comment c disabled }",
			"zone z {\n    interface \"eth0\"\n}\n\n"
			"rule r { zone z user not \"bob\", \"101\", \"02:00:5e:00:53:01\", \"any\" "
			"schedule fri-mon 22:00-06:00, sat, 12:00-24:00 verdict answer \"later\" "
			"disabled comment \"c\" }\n"},
		{"list l { 02-00-5E-00-53-01, 192.0.2.1/32, ::ffff:192.0.2.2 } list e { }",
			"list l { 02-00-5E-00-53-01, 192.0.2.1, 192.0.2.2 }\nlist e { }\n"},
		{"list l address { 192.0.2.10-192.0.2.20,2001:DB8::1-2001:db8::ff,"
		 "0200.5E00.5301, \"192.0.2.9\" } list m mail dynamic "
		 "list p mail { Anna@hotel.example, \"@.hotel.example\" } "
		 "list h host { mx1.partner.example, .partner.example } list mail { }",
			"list l address { 192.0.2.10-192.0.2.20, 2001:db8::1-2001:db8::ff, "
			"0200.5E00.5301, 192.0.2.9 }\nlist m mail dynamic\n"
			"list p mail { \"Anna@hotel.example\", \"@.hotel.example\" }\n"
			"list h host { \"mx1.partner.example\", \".partner.example\" }\n"
			"list mail { }\n"},
		{ZONE "list cards { 02:00:5E:00:53:0A } device d { zone z mac 0200.5e00.5302, "
		      "cards, "
		      "02-00-5E-00-53-0b user u } rule r { source 192.0.2.1-192.0.2.9, cards "
		      "destination not 2001:db8::5-2001:db8::6 user 192.0.2.1-192.0.2.2 "
		      "verdict reject }",
			"zone z {\n    interface \"eth0\"\n}\n\nlist cards { 02:00:5E:00:53:0A "
			"}\n\n"
			"device d { zone z mac 0200.5e00.5302, 02-00-5E-00-53-0b, cards user \"u\" "
			"}\n\n"
			"rule r { user \"192.0.2.1-192.0.2.2\" source 192.0.2.1-192.0.2.9, cards "
			"destination not 2001:db8::5-2001:db8::6 verdict reject }\n"},
		{"server s { host \"192.0.2.7\" weight 0 port 26 { } deadline idle 1h first 1500ms "
		 "announce proxy-v2 { login off } bind client probe smtp }",
			"server s {\n    host 192.0.2.7 port 26 weight 0\n    bind client\n"
			"    announce proxy-v2 { login off }\n    probe smtp\n"
			"    deadline first 1500ms idle 1h\n}\n"},
		{"server tagged { host 192.0.2.7 announce xclient{login tagged} }",
			"server tagged {\n    host 192.0.2.7\n"
			"    announce xclient { login tagged }\n}\n"},
		{"include zones.conf include sub/a.conf",
			"language 1\n\nzone inc {\n    interface \"eth7\"\n}\nzone b {\n"
			"    interface \"eth8\"\n}\n\nlist l file \"sub/here.list\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *policy = parse_good(cases[i].text);
		char *text = language_print(policy, LANGUAGE_PRINT_CANONICAL, NULL);
		assert_string_equal(text, cases[i].printed);
		free(text);
		policy_unref(policy);
	}
}

static void keywords_are_names_except_the_reserved_ones(void **state)
{
	static const char *const reserved[] = {"any", "none", "not", "original", "client",
		"gateway", "file", "group", "recipient", "protected", "define", "include", "mon",
		"sun"};
	static const char *const names[] = {"zone", "server", "user", "mac", "address", "always",
		"mon-fri", "monday", "proxy-v1", "language", "x.y_z-1", "A"};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		struct language_diagnosis diagnosis;
		snprintf(text, sizeof(text), "list %s dynamic", reserved[i]);
		assert_null(parse(text, &diagnosis));
		language_diagnosis_fini(&diagnosis);
		snprintf(text, sizeof(text), "list l dynamic rule r { user \"%s\" verdict drop }",
			reserved[i]);
		policy_unref(parse_good(text));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(text, sizeof(text),
			"list %s dynamic zone %s { interface %s }\n"
			"rule %s { zone %s source not %s user %s verdict pass }",
			names[i], names[i], names[i], names[i], names[i], names[i], names[i]);
		struct policy *policy = parse_good(text);
		assert_int_equal(policy_find_list(policy, names[i]), 0);
		policy_unref(policy);
	}
}

static void defaults_are_those_of_the_manual(void **state)
{
	struct policy *policy = parse_good(ZONE "server s { host 192.0.2.7 } rule r { server s }");
	const struct policy_zone *zone = &policy->zones[0];
	const struct policy_server *server = &policy->servers[0];

	(void)state;
	assert_int_equal(policy->drain_s, 300);
	assert_int_equal(policy->limit_flows, 8000);
	assert_int_equal(policy->audit_keep_s, 90 * 86400);
	assert_int_equal(policy->audit_size_bytes, 2ull << 30);
	assert_int_equal(policy->log_level, POLICY_LOG_INFO);
	assert_int_equal(policy->hostname.len, 0);
	assert_int_equal(zone->identity, POLICY_IDENTITY_MAC);
	assert_int_equal(zone->ports.n, 1);
	assert_int_equal(zone->ports.v[0], 25);
	assert_int_equal(zone->on_failure, POLICY_POSTURE_CLOSED);
	assert_int_equal(zone->unauthenticated.verdict, POLICY_VERDICT_ANSWER);
	assert_int_equal(zone->unauthenticated.code, 421);
	assert_string_equal(zone->unauthenticated.text.text, "Not logged in");
	assert_string_equal(zone->unmatched.text.text, "No rule for you here");
	assert_int_equal(zone->lease_s, 0);
	assert_false(zone->logout_keeps);
	assert_int_equal(server->hosts[0].port, 25);
	assert_int_equal(server->hosts[0].preference, 10);
	assert_int_equal(server->hosts[0].weight, 1);
	assert_int_equal(server->bind, POLICY_BIND_GATEWAY);
	assert_int_equal(server->announce, POLICY_ANNOUNCE_NONE);
	assert_true(server->probe);
	assert_int_equal(server->probe_every_s, 30);
	assert_int_equal(server->first_ms, 25000);
	assert_int_equal(server->connect_ms, 5000);
	assert_int_equal(server->greeting_ms, 15000);
	assert_int_equal(server->idle_ms, 900000);
	assert_true(policy->rules[0].audit);
	policy_unref(policy);
}

static void a_zone_takes_the_posture_of_the_policy(void **state)
{
	struct policy *policy = parse_good(
		"zone a { interface a } zone b { interface b on-failure closed } on-failure open");

	(void)state;
	assert_int_equal(policy->zones[0].on_failure, POLICY_POSTURE_OPEN);
	assert_int_equal(policy->zones[1].on_failure, POLICY_POSTURE_CLOSED);
	policy_unref(policy);
}

static void lists_and_conditions_are_indexed(void **state)
{
	struct policy *policy =
		parse_good("list a { 192.0.2.0/24, 02:00:5e:00:53:01 } list d dynamic\n"
			   "list f file \"good.list\"\n" ZONE
			   "rule r { source 198.51.100.0/24, a destination not f verdict drop }");
	struct addr addr;
	struct mac mac;

	(void)state;
	addr_parse("192.0.2.77", 10, &addr);
	assert_non_null(lpm_find(policy->lists[0].index, &addr, NULL));
	assert_null(lpm_find(policy->lists[2].index, &addr, NULL));
	assert_null(policy->lists[1].index);
	mac_parse("02:00:5e:00:53:01", 17, &mac);
	assert_non_null(lpm_find_mac(policy->lists[0].index, &mac));
	assert_non_null(lpm_find_mac(policy->lists[2].index, &mac));
	addr_parse("198.51.100.1", 12, &addr);
	assert_non_null(lpm_find(policy->rules[0].source.index, &addr, NULL));
	assert_null(policy->rules[0].destination.index);
	assert_int_equal(policy->rules[0].source.lists[0], 0);
	assert_int_equal(policy->rules[0].destination.lists[0], 2);
	policy_unref(policy);
}

static void parsing_goes_on_after_a_mistake(void **state)
{
	static const char text[] =
		"zoen guest { interface a lease 5m }\n"
		"zone a {\n    lesae 5m\n    interface eth0 eth1\n    idle 5\n}\n"
		"server s { host 192.0.2.7 { flows 5 } bind nowhere }\n"
		"hostname \"gw\n"
		"rule r { zone a }\n";
	static const unsigned lines[] = {1, 3, 4, 5, 7, 7, 8, 9};
	struct language_diagnosis diagnosis;

	(void)state;
	assert_null(parse(text, &diagnosis));
	for (size_t i = 0; i < diagnosis.n && i < 8; i++)
		assert_int_equal(diagnosis.v[i].place.line, lines[i]);
	assert_int_equal(diagnosis.errors, 8);
	language_diagnosis_fini(&diagnosis);
}

static void the_first_error_stands_behind_warnings(void **state)
{
	static const char text[] = "zone z { interface ppp0 identity address }\n"
				   "rule r { server nobody }\n";
	struct language_diagnosis diagnosis;

	(void)state;
	assert_null(language_parse("t", text, strlen(text), &world, &diagnosis));
	assert_int_equal(diagnosis.v[0].severity, LANGUAGE_WARNING);
	assert_non_null(strstr(language_first_error(&diagnosis), "t:2:17: error: "));
	language_diagnosis_fini(&diagnosis);
	assert_string_equal(language_first_error(&(struct language_diagnosis){0}), "out of memory");
}

static void at_most_twenty_errors_are_kept(void **state)
{
	char text[8192] = "";
	struct language_diagnosis diagnosis;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(text, "zone z { lesae 5m }\n");
	assert_null(parse(text, &diagnosis));
	assert_int_equal(diagnosis.n, 20);
	language_diagnosis_fini(&diagnosis);
}

static void a_long_line_is_shown_around_the_caret(void **state)
{
	char text[4096] = "list l { ";
	struct language_diagnosis diagnosis;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(text, "192.0.2.1, ");
	strcat(text, "wrong, ");
	for (int i = 0; i < 100; i++)
		strcat(text, "192.0.2.1, ");
	assert_null(parse(text, &diagnosis));
	assert_int_equal(diagnosis.v[0].place.column, 2210);
	assert_true(strlen(diagnosis.v[0].text) < 500);
	const char *line = strchr(diagnosis.v[0].text, '\n') + 1;
	const char *caret = strchr(line, '^');
	size_t width = (size_t)(strchr(line, '\n') - line) + 1;
	assert_memory_equal(caret - width, "wrong", 5);
	language_diagnosis_fini(&diagnosis);
}

static void without_a_world_only_the_text_is_checked(void **state)
{
	static const char text[] = "zone z { interface wg0 port 2525 }\n"
				   "list l file \"nowhere.list\"\n"
				   "server s { host 192.0.2.1 port 2525 }\n";
	struct language_diagnosis diagnosis;
	struct policy *policy = language_parse("p", text, strlen(text), NULL, &diagnosis);

	(void)state;
	assert_non_null(policy);
	assert_int_equal(diagnosis.n, 0);
	assert_int_equal(policy->lists[0].elems.n, 0);
	policy_unref(policy);
	language_diagnosis_fini(&diagnosis);
}

static void includes_deeper_than_the_bound_are_refused(void **state)
{
	struct language_diagnosis diagnosis;

	(void)state;
	assert_null(parse("include deep1", &diagnosis));
	assert_int_equal(diagnosis.errors, 1);
	assert_string_equal(diagnosis.v[0].text,
		"deep8:1:9: error: files include each other more than 8 deep\n"
		"include deep9\n        ^~~~~");
	language_diagnosis_fini(&diagnosis);
}

static void hostile_bytes_are_refused_and_never_shown(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} cases[] = {
		{"hostname \"\xff\xfe\"", 13},
		{"hostname \"a\0b\"", 14},
		{"zone \x1b[2J {", 11},
		{"list \xc0\xaf dynamic", 15},
		{"list \xed\xa0\x80 dynamic", 16},
		{"hostname \"\xc2\x9b\"", 13},
		{"\xef\xbb\xbfzone", 7},
		{"\0\0\0\0", 4},
		{"comment \"\x7f\"", 11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct language_diagnosis diagnosis;
		struct policy *policy =
			language_parse("p", cases[i].text, cases[i].len, &world, &diagnosis);
		assert_null(policy);
		assert_true(diagnosis.errors > 0);
		for (size_t j = 0; j < diagnosis.n; j++) {
			for (const char *c = diagnosis.v[j].text; *c; c++)
				assert_true(*c == '\n' || *c == '\t' || (unsigned char)*c >= 0x20);
		}
		language_diagnosis_fini(&diagnosis);
	}
}

static void utf8_counts_characters_as_columns(void **state)
{
	struct language_diagnosis diagnosis;

	(void)state;
	assert_null(parse("rule r { user m\xc3\xbcller, \"\xe2\x82\xac\" foo }", &diagnosis));
	assert_string_equal(diagnosis.v[0].text,
		"p.conf:1:27: error: unexpected \"foo\", expected audit, comment, destination, "
		"disabled, group, limit, listener, port, recipient, scan, schedule, sender, "
		"server, "
		"source, tls, user, "
		"verdict, zone, ',' or '}'\n"
		"rule r { user m\xc3\xbcller, \"\xe2\x82\xac\" foo }\n"
		"                          ^~~");
	language_diagnosis_fini(&diagnosis);
}

static void deep_nesting_is_only_an_error(void **state)
{
	size_t len = 200000;
	char *text = malloc(len + 1);

	(void)state;
	for (const char *pattern = "{}a\",;"; *pattern; pattern++) {
		struct language_diagnosis diagnosis;
		memset(text, *pattern, len);
		text[len] = '\0';
		struct policy *policy = language_parse("p", text, len, &world, &diagnosis);
		assert_true((policy != NULL) == (*pattern == ';'));
		policy_unref(policy);
		language_diagnosis_fini(&diagnosis);
	}
	free(text);
}

/* One MAC may stand in two zones, and where addresses count, too, behind it may be several. */
static void devices_are_told_apart(void **state)
{
	static const char *const texts[] = {
		("zone z { interface eth0 }\nzone y { interface eth1 }\n"
		 "device a { zone z mac 02:00:5e:00:53:01 user a }\n"
		 "device b { zone y mac 02:00:5e:00:53:01 user b }\n"),
		("zone z { interface eth0 identity mac+address }\n"
		 "device a { zone z mac 02:00:5e:00:53:01 address 192.0.2.1 user a }\n"
		 "device b { zone z mac 02:00:5e:00:53:01 address 192.0.2.2 user b }\n"
		 "device c { zone z mac 02:00:5e:00:53:01 user c }\n"),
		("zone z { interface eth0 }\n"
		 "device a { zone z mac 02:00:5e:00:53:01, 02:00:5e:00:53:01 user a }\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		policy_unref(parse_good(texts[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mistake_is_told_with_place_line_and_caret),
		cmocka_unit_test(devices_are_told_apart),
		cmocka_unit_test(the_example_prints_as_expected_and_again),
		cmocka_unit_test(what_is_not_canonical_prints_canonically),
		cmocka_unit_test(keywords_are_names_except_the_reserved_ones),
		cmocka_unit_test(defaults_are_those_of_the_manual),
		cmocka_unit_test(a_zone_takes_the_posture_of_the_policy),
		cmocka_unit_test(lists_and_conditions_are_indexed),
		cmocka_unit_test(parsing_goes_on_after_a_mistake),
		cmocka_unit_test(the_first_error_stands_behind_warnings),
		cmocka_unit_test(at_most_twenty_errors_are_kept),
		cmocka_unit_test(a_long_line_is_shown_around_the_caret),
		cmocka_unit_test(without_a_world_only_the_text_is_checked),
		cmocka_unit_test(includes_deeper_than_the_bound_are_refused),
		cmocka_unit_test(hostile_bytes_are_refused_and_never_shown),
		cmocka_unit_test(utf8_counts_characters_as_columns),
		cmocka_unit_test(deep_nesting_is_only_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
