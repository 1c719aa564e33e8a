/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server's lines and DNS answers as the list of its targets, and the state of each. */
#include "lib/policy/target.h"
#include "lib/language/language.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What DNS says: "name A ADDR...", "name MX PREFERENCE HOST ...", and so on. */
struct row {
	const char *name;
	const char *addresses; /* blank between; NULL: none */
	const char *mx;        /* "10 a.example.org 20 b.example.org" */
	enum target_known known, mx_known;
	bool stale;
};
static const struct row *rows;
static size_t nrows;
static struct target_list list;

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < nrows; i++)
		if (dns_same_name(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static enum dns_status why(const char *name)
{
	return strcmp(name, "refused.example.org") == 0 ? DNS_REFUSED : DNS_FAILED;
}

static void look_up(void *context, const char *name, struct target_addresses *found)
{
	const struct row *row = find(name);
	(void)context;
	memset(found, 0, sizeof(*found));
	found->known = row ? row->known : TARGET_NO_NAME;
	found->why = why(name);
	found->stale = row && row->stale;
	if (row && !row->addresses && row->known == TARGET_GOOD)
		found->known = TARGET_NO_DATA;
	for (const char *at = row ? row->addresses : NULL; at && *at;) {
		size_t len = strcspn(at, " ");
		assert_int_equal(addr_parse(at, len, &found->v[found->n++]), 0);
		at += len + (at[len] == ' ');
	}
}

static void look_up_mx(void *context, const char *domain, struct target_mx *found)
{
	static struct dns_answer answer;
	const struct row *row = find(domain);
	int used;
	(void)context;
	memset(&answer, 0, sizeof(answer));
	*found = (struct target_mx){.known = row ? row->mx_known : TARGET_NO_NAME,
		.why = why(domain),
		.stale = row && row->stale};
	if (found->known != TARGET_GOOD)
		return;
	if (!row->mx) {
		found->known = TARGET_NO_DATA;
		return;
	}
	for (const char *at = row->mx; *at; at += used) {
		struct dns_mx *mx = &answer.mx[answer.n++];
		used = 0;
		sscanf(at, "%hu %255s%n", &mx->preference, mx->name, &used);
		assert_true(used > 0);
		if (strcmp(mx->name, ".") == 0)
			mx->name[0] = '\0';
	}
	found->answer = &answer;
}

static bool own_address(void *context, const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];
	(void)context;
	return strcmp(addr_format(addr, text), "203.0.113.1") == 0;
}

static struct target_world world = {.addresses = look_up,
	.mx = look_up_mx,
	.own_address = own_address,
	.hostname = "gw.example.net",
	.relay_port = 4025};

static void expand_server(const char *lines)
{
	char text[4096];
	snprintf(text, sizeof(text), "language 1\nserver s { %s }\n", lines);
	struct policy *policy = policy_of_text(text, NULL);
	world.policy = policy;
	target_expand(&policy->servers[0], &world, &list);
	world.policy = NULL;
	policy_unref(policy);
}

/* "name/preference/depth=addresses" of each, and '!' behind a name that is never to be used. */
static const char *shown(void)
{
	static char text[8192];
	char addr[ADDR_TEXT_SIZE];
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < list.n; i++) {
		const struct target *target = &list.v[i];
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s/%u/%u",
			i ? " " : "", target->name, target->never ? "!" : "", target->preference,
			target->depth);
		for (size_t j = 0; j < target->n; j++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%c%s",
				j ? ',' : '=', addr_format(&target->addresses[j], addr));
	}
	return text;
}

#define USE(table) (rows = (table), nrows = sizeof(table) / sizeof((table)[0]))

static const struct row plain[] = {
	{"a.example.org", "203.0.113.10 2001:db8::10", NULL, TARGET_GOOD, TARGET_GOOD, false},
	{"b.example.org", "203.0.113.11", NULL, TARGET_GOOD, TARGET_GOOD, true},
	{"c.example.org", "203.0.113.12", NULL, TARGET_GOOD, TARGET_GOOD, false},
	{"example.org", "203.0.113.99", "10 a.example.org 10 c.example.org 20 b.example.org",
		TARGET_GOOD, TARGET_GOOD, false},
	{"null.example.org", "203.0.113.9", "0 .", TARGET_GOOD, TARGET_GOOD, false},
	{"loop.example.org", NULL, "5 GW.example.net 7 self.example.org 10 b.example.org",
		TARGET_GOOD, TARGET_GOOD, false},
	{"self.example.org", "203.0.113.1", NULL, TARGET_GOOD, TARGET_GOOD, false},
	{"down.example.org", NULL, NULL, TARGET_FAILED, TARGET_FAILED, false},
	{"refused.example.org", NULL, NULL, TARGET_FAILED, TARGET_FAILED, false},
	{"slow.example.org", NULL, NULL, TARGET_PENDING, TARGET_PENDING, false},
	{"evil.example.org", "127.0.0.1 ::1 224.0.0.1 0.0.0.0 fe80::1 ff02::1 255.255.255.255 ::",
		NULL, TARGET_GOOD, TARGET_GOOD, false},
	{"half.example.org", "127.0.0.1 203.0.113.13", NULL, TARGET_GOOD, TARGET_GOOD, false},
};

static void lines_become_targets_in_order(void **state)
{
	static const struct {
		const char *lines, *shown;
	} cases[] = {
		{"host 203.0.113.5 port 26", "203.0.113.5/10/0=203.0.113.5"},
		{"host \"b.example.org\" preference 20; host 203.0.113.5",
			"203.0.113.5/10/0=203.0.113.5 b.example.org/20/0=203.0.113.11"},
		{"host \"a.example.org\"", "a.example.org/10/0=203.0.113.10,2001:db8::10"},
		/* the record's own preference orders within the line's */
		{"mx \"example.org\" preference 10; host 203.0.113.5",
			"a.example.org/10/0=203.0.113.10,2001:db8::10 "
			"c.example.org/10/0=203.0.113.12 203.0.113.5/10/0=203.0.113.5 "
			"b.example.org/10/1=203.0.113.11"},
		/* no MX record: the domain itself */
		{"mx \"a.example.org\"", "a.example.org/10/0=203.0.113.10,2001:db8::10"},
		/* twice the same */
		{"host \"a.example.org\" preference 5; mx \"example.org\"",
			"a.example.org/5/0=203.0.113.10,2001:db8::10 "
			"c.example.org/10/0=203.0.113.12 b.example.org/10/1=203.0.113.11"},
		{"mx \"null.example.org\"", "null.example.org!/10/0"},
		{"mx \"loop.example.org\"", "GW.example.net!/10/0 self.example.org!/10/1 "
					    "b.example.org/10/2=203.0.113.11"},
		{"mx \"missing.example.org\"", "missing.example.org/10/0"},
		{"host \"evil.example.org\"", "evil.example.org!/10/0"},
		{"host \"half.example.org\"", "half.example.org/10/0=203.0.113.13"},
		/* the gateway as a plain host is the operator's own mail server */
		{"host \"self.example.org\"", "self.example.org/10/0=203.0.113.1"},
		{"host \"self.example.org\" port 4025", "self.example.org!/10/0"},
		{"host 127.0.0.1 port 10025", "127.0.0.1/10/0=127.0.0.1"},
		{"bind 203.0.113.1; host \"a.example.org\"", "a.example.org/10/0=203.0.113.10"},
		{"bind 2001:db8::1; host \"b.example.org\"", "b.example.org/10/0"},
	};
	(void)state;
	USE(plain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expand_server(cases[i].lines);
		assert_string_equal(shown(), cases[i].shown);
	}
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *lines, *text;
	} cases[] = {
		{"mx \"null.example.org\"", "takes no mail: its MX record says so"},
		{"mx \"loop.example.org\"", "is this gateway itself"},
		{"host \"missing.example.org\"",
			"does not exist in DNS (`search` is not used: write the whole name)"},
		{"host \"down.example.org\"", "cannot be looked up: DNS does not answer"},
		{"mx \"down.example.org\"", "cannot be looked up: DNS does not answer"},
		{"host \"refused.example.org\"",
			"cannot be looked up: the DNS server refuses to answer"},
		{"mx \"refused.example.org\"",
			"cannot be looked up: the DNS server refuses to answer"},
		{"host \"slow.example.org\"", "is being looked up"},
		{"host \"evil.example.org\"", "resolves to 127.0.0.1, a loopback address"},
		{"bind 2001:db8::1; host \"b.example.org\"",
			"has no address of the family of the address that is bound"},
		{"host \"a.example.org\"", ""},
		/* a name that comes to lead to a listener: 0.0.0.0 is every address of ours */
		{"host \"self.example.org\" } listener l { address 203.0.113.1",
			"resolves to 203.0.113.1, a listener of the gateway"},
		{"host \"self.example.org\" port 26 } listener l { address 0.0.0.0 port 25, 26",
			"resolves to 203.0.113.1, a listener of the gateway"},
		{"host \"self.example.org\" port 27 } listener l { address 0.0.0.0 port 25, 26",
			""},
		{"mx \"loop.example.org\" } listener l { address 203.0.113.11",
			"is this gateway itself"},
		{"host \"b.example.org\" } listener l { address 203.0.113.11",
			"resolves to 203.0.113.11, a listener of the gateway"},
	};
	(void)state;
	USE(plain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expand_server(cases[i].lines);
		assert_string_equal(list.v[0].text, cases[i].text);
	}
	expand_server("mx \"loop.example.org\"");
	assert_string_equal(list.v[1].text, "resolves to 203.0.113.1, the gateway itself");
	expand_server("host \"evil.example.org\"");
	assert_int_equal(list.refused, 8);
}

static void names_that_are_looked_up_are_waited_for(void **state)
{
	(void)state;
	USE(plain);
	expand_server("host 203.0.113.5; host \"slow.example.org\"");
	assert_true(list.pending);
	expand_server("mx \"slow.example.org\"");
	assert_true(list.pending);
	expand_server("host \"b.example.org\"");
	assert_false(list.pending);
	assert_true(list.v[0].stale);
}

/* "4:6", how many of each IP version are kept of so many in DNS. */
static const char *kept_of(unsigned ip4, unsigned ip6)
{
	static char text[32], addresses[2048];
	static struct row many[] = {
		{.name = "many.example.org", .known = TARGET_GOOD, .addresses = addresses}};
	unsigned kept[2] = {0, 0};
	size_t len = 0;
	for (unsigned i = 0; i < ip4 + ip6; i++)
		len += (size_t)snprintf(addresses + len, sizeof(addresses) - len,
			i < ip4 ? "%s203.0.113.%u" : "%s2001:db8::%u", i ? " " : "", i + 10);
	USE(many);
	expand_server("host many.example.org");
	assert_int_equal(list.n, 1);
	for (size_t i = 0; i < list.v[0].n; i++)
		kept[list.v[0].addresses[i].family == ADDR_IP6]++;
	snprintf(text, sizeof(text), "%u:%u", kept[0], kept[1]);
	return text;
}

static void sixteen_addresses_are_kept_of_a_name_and_some_of_each_version(void **state)
{
	(void)state;
	assert_string_equal(kept_of(1, 1), "1:1");
	assert_string_equal(kept_of(16, 0), "16:0");
	assert_string_equal(kept_of(0, 16), "0:16");
	assert_string_equal(kept_of(16, 1), "15:1");
	assert_string_equal(kept_of(3, 16), "3:13");
	assert_string_equal(kept_of(16, 16), "8:8");
}

static void the_best_forty_eight_are_kept(void **state)
{
	static char names[60][32];
	static struct row many[61];
	static char mx[4096];
	size_t len = 0;
	(void)state;
	for (unsigned i = 0; i < 60; i++)
		snprintf(names[i], sizeof(names[i]), "h%u.example.org", i);
	for (unsigned i = 0; i < 40; i++) {
		many[i] = (struct row){.name = names[i],
			.addresses = "203.0.113.10",
			.known = TARGET_GOOD,
			.mx_known = TARGET_GOOD};
		len += (size_t)snprintf(
			mx + len, sizeof(mx) - len, "%s%u %s", i ? " " : "", i, names[i]);
	}
	many[60] = (struct row){.name = "many.example.org",
		.mx = mx,
		.known = TARGET_GOOD,
		.mx_known = TARGET_GOOD};
	for (unsigned i = 40; i < 60; i++)
		many[i] = (struct row){.name = names[i]};
	USE(many);
	expand_server("mx \"many.example.org\" preference 10; mx \"many.example.org\" port 26 "
		      "preference 5; host 203.0.113.5 preference 1");
	assert_int_equal(list.n, TARGETS_MAX);
	assert_int_equal(list.left_off, 81 - TARGETS_MAX);
	assert_string_equal(list.v[0].name, "203.0.113.5");
	assert_int_equal(list.v[40].port, 26);
	assert_int_equal(list.v[47].depth, 6);
	assert_string_equal(list.v[47].text, "33 more hosts are not used: 48 is the most");
}

static void states_follow_what_is_seen(void **state)
{
	/* '+' worked, '-' missed, 'x' refused; then the states */
	static const struct {
		const char *seen, *states;
	} cases[] = {
		{"+", "U"},
		{"---", "??D"},
		{"+--+---", "UUUUUUD"},
		{"---+-++", "??DDDDU"},
		{"x", "N"},
		{"+x---++", "UNNNNNU"},
		{"x+-++", "NNNNU"},
		{"--+", "??U"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target_standing standing = {0};
		for (size_t j = 0; cases[i].seen[j]; j++) {
			enum target_outcome outcome = cases[i].seen[j] == '+'   ? TARGET_WORKED
						      : cases[i].seen[j] == '-' ? TARGET_MISSED
										: TARGET_REFUSED;
			uint8_t before = standing.state;
			const char *why = outcome == TARGET_REFUSED ? "refused" : "why";
			bool changed = target_note(&standing, outcome, why, 1000 + j);
			assert_int_equal(changed, before != standing.state);
			if (changed)
				assert_int_equal(standing.since_ms, 1000 + j);
			/* of what must not be used: always that */
			if (standing.state == TARGET_NEVER)
				assert_string_equal(standing.text, "refused");
			if ("?UDN"[standing.state] != cases[i].states[j])
				fail_msg("%s: after %zu it is %s", cases[i].seen, j + 1,
					target_state_names[standing.state]);
		}
	}
}

static void probes_name_a_client_of_a_zone(void **state)
{
	static const char text[] =
		"language 1\nzone a { interface \"a0\"; network 198.51.100.0/24; }\n";
	char buf[ADDR_TEXT_SIZE];
	(void)state;
	struct policy *policy = policy_of_text(text, NULL);
	struct endpoint client = target_probe_client(policy, ADDR_IP4);
	assert_string_equal(addr_format(&client.addr, buf), "198.51.100.1");
	client = target_zone_client(policy, ADDR_IP4);
	assert_string_equal(addr_format(&client.addr, buf), "198.51.100.1");
	client = target_probe_client(policy, ADDR_IP6);
	assert_string_equal(addr_format(&client.addr, buf), "2001:db8::1");
	assert_int_equal(target_zone_client(policy, ADDR_IP6).addr.family, ADDR_NONE);
	policy_unref(policy);
}

static void zones_say_which_clients_there_can_be(void **state)
{
	static const struct {
		const char *text;
		uint8_t families;
	} cases[] = {
		{"language 1\n", TARGET_CLIENTS_ALL},
		{"zone a { interface \"a0\"; network 198.51.100.0/24 }", TARGET_CLIENTS_IP4},
		{"zone a { interface \"a0\"; network 2001:db8::/64 }", TARGET_CLIENTS_IP6},
		{"zone a { interface \"a0\"; network 2001:db8::/64, 198.51.100.0/24 }",
			TARGET_CLIENTS_ALL},
		{"zone a { interface \"a0\"; network 198.51.100.0/24 } zone b { interface \"b0\" }",
			TARGET_CLIENTS_ALL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *policy = policy_of_text(cases[i].text, NULL);
		assert_int_equal(target_zone_families(policy), cases[i].families);
		policy_unref(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_targets_in_order),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(names_that_are_looked_up_are_waited_for),
		cmocka_unit_test(sixteen_addresses_are_kept_of_a_name_and_some_of_each_version),
		cmocka_unit_test(the_best_forty_eight_are_kept),
		cmocka_unit_test(states_follow_what_is_seen),
		cmocka_unit_test(probes_name_a_client_of_a_zone),
		cmocka_unit_test(zones_say_which_clients_there_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
