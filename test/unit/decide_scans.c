/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which scans the message to a recipient has, by the manual's example of incoming, outgoing and
 * relayed mail, and what explain says of it. */
#include "lib/base/hash.h"
#include "lib/policy/decide/decide.h"

#include "lib/language/language.h"
#include "lib/policy/element.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NOW UINT64_C(1774659600000)

/* The last display of the manual's EXAMPLES. */
static char *example(void)
{
	static char page[1 << 17];
	FILE *file = fopen("doc/man/postern.conf.5", "rb");

	assert_non_null(file);
	size_t n = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	assert_in_range(n, 1, sizeof(page) - 2);
	page[n] = '\0';
	char *from = strstr(page, ".Sh EXAMPLES\n"), *to = strstr(page, ".Sh SEE ALSO\n");
	assert_true(from && to);
	for (char *next = from;
		(next = strstr(next, ".Bd -literal -offset indent\n")) && next < to;)
		from = next += strlen(".Bd -literal -offset indent\n");
	*strstr(from, ".Ed\n") = '\0';
	return from;
}

/* The same with one of the rules' words exchanged. */
static struct policy *with(const char *rule, const char *words, const char *others)
{
	char *text = example(), made[4096];
	char *at = strstr(text, rule);

	assert_non_null(at);
	at = strstr(at, words);
	assert_non_null(at);
	snprintf(
		made, sizeof(made), "%.*s%s%s", (int)(at - text), text, others, at + strlen(words));
	return policy_of_text(made, NULL);
}

static struct smtp_path path_of(const char *text)
{
	struct smtp_path path;
	size_t used;

	assert_int_equal(smtp_path_parse(&path, SMTP_PATH_RECIPIENT, text, strlen(text), &used),
		SMTP_PATH_GOOD);
	return path;
}

struct said {
	char last[512], rule[512]; /* the last step; that of a rule which takes it */
};

static void keep_step(void *context, const char *text)
{
	struct said *said = context;

	snprintf(said->last, sizeof(said->last), "%s", text);
	if (strstr(text, ": yes, "))
		snprintf(said->rule, sizeof(said->rule), "%s", text);
}

/* "incoming: virus, spam", by both that decide and tell; user NULL: of a listener. */
static const char *scans_of(const struct policy *policy, const char *user, const char *source,
	const char *recipient, struct said *said)
{
	static char text[256];
	struct lists *lists = lists_new();
	struct session_table *sessions = session_table_new();
	const struct decide_world world = {
		.policy = policy, .lists = lists, .sessions = sessions, .local = gmtime_r};
	struct decide_origin origin = {.of_listener = !user};
	struct session session = {0};
	struct endpoint original = {.port = 25};
	struct smtp_path from = path_of("<sender@client.example>"), to = path_of(recipient);
	struct decide_tls clear = {0};
	struct decide_envelope envelope = {
		.original = &original, .sender = &from, .recipient = &to, .tls = &clear};
	struct decide_reply reply, told;

	assert_int_equal(addr_parse("203.0.113.1", 11, &original.addr), 0);
	assert_int_equal(addr_parse(source, strlen(source), &origin.source), 0);
	if (user) {
		session.user = (struct policy_string){
			user, (uint32_t)strlen(user), hash_bytes(user, strlen(user))};
		envelope.session = &session;
	}
	decide_recipient(&world, &origin, &envelope, NOW, &reply);
	memset(said, 0, sizeof(*said));
	decide_explain_recipient(&world, &origin, &envelope, NOW, &told, keep_step, said);
	assert_int_equal(told.scans, reply.scans);
	assert_int_equal(told.rule, reply.rule);
	size_t at = (size_t)snprintf(text, sizeof(text),
		"%s:", reply.rule < 0 ? "none" : policy->rules[reply.rule].name.text);
	for (size_t i = 0; i < policy->nscans; i++)
		if (reply.scans & 1u << i)
			at += (size_t)snprintf(
				text + at, sizeof(text) - at, " %s", policy->scans[i].name.text);
	assert_true(reply.permitted || !reply.scans);
	lists_free(lists);
	session_table_free(sessions);
	return text;
}

#define STRANGER NULL, "198.51.100.7"
#define OFFICE   NULL, "198.51.100.66"
#define GUEST    "alice", "192.0.2.10"
#define OURS     "<anna@hotel.example>"
#define OTHERS   "<bob@other.example>"

static void each_direction_has_its_scans(void **state)
{
	struct policy *policy = policy_of_text(example(), NULL);
	struct said said;
	(void)state;
	assert_string_equal(scans_of(policy, STRANGER, OURS, &said), "incoming: virus spam");
	assert_string_equal(
		said.rule, "rule incoming: yes, server protected, scanned by virus, spam");
	assert_string_equal(said.last,
		"recipient <anna@hotel.example>: to server inside, scanned by virus, spam");
	assert_string_equal(scans_of(policy, OFFICE, OURS, &said), "incoming: virus spam");
	assert_string_equal(scans_of(policy, GUEST, OTHERS, &said), "outgoing: virus");
	assert_string_equal(
		said.last, "recipient <bob@other.example>: to server inside, scanned by virus");
	assert_string_equal(scans_of(policy, GUEST, OURS, &said), "outgoing: virus");
	assert_string_equal(scans_of(policy, OFFICE, OTHERS, &said), "relayed:");
	assert_string_equal(said.rule, "rule relayed: yes, server inside");
	assert_string_equal(
		said.last, "recipient <bob@other.example>: to server inside, not scanned");
	assert_string_equal(scans_of(policy, STRANGER, OTHERS, &said), "none:");
	assert_string_equal(said.last, "recipient <bob@other.example>: 550 5.7.1 relaying denied");
	policy_unref(policy);
}

/* Each is switched by itself. */
static void a_switch_is_one_rule_s(void **state)
{
	static const struct {
		const char *rule, *words, *others;
		const char *incoming, *outgoing, *relayed;
	} cases[] = {
		{"rule incoming", "scan virus, spam", "scan none", "incoming:", "outgoing: virus",
			"relayed:"},
		{"rule incoming", "scan virus, spam", "", "incoming:", "outgoing: virus",
			"relayed:"},
		{"rule outgoing", "scan virus", "scan none", "incoming: virus spam",
			"outgoing:", "relayed:"},
		{"rule outgoing", "scan virus", "scan spam, virus", "incoming: virus spam",
			"outgoing: virus spam", "relayed:"},
		{"rule relayed", "scan none", "scan spam", "incoming: virus spam",
			"outgoing: virus", "relayed: spam"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *policy = with(cases[i].rule, cases[i].words, cases[i].others);
		struct said said;
		assert_string_equal(scans_of(policy, STRANGER, OURS, &said), cases[i].incoming);
		assert_string_equal(scans_of(policy, OFFICE, OTHERS, &said), cases[i].relayed);
		/* without a scan the zone is not read: then it is the rule of the connection */
		assert_string_equal(scans_of(policy, GUEST, OTHERS, &said), cases[i].outgoing);
		const struct level_cause cause = level_cause_of_zone(policy, 0);
		assert_int_equal(
			cause.word, strstr(cases[i].outgoing, " ") ? LEVEL_SCAN : LEVEL_NO_WORD);
		policy_unref(policy);
	}
}

/* What is refused has none, whatever its rule says. */
static void what_is_refused_is_not_scanned(void **state)
{
	struct policy *policy =
		policy_of_text("listener inbound { address 203.0.113.1 }\nzone z { interface e0 }\n"
			       "domain hotel { name \"hotel.example\" server inside recipient "
			       "\"anna@hotel.example\" }\nserver inside { host 192.0.2.140 }\n"
			       "scan virus { clamav \"/c\" }\nrule in { listener inbound recipient "
			       "protected server protected scan virus }\n",
			NULL);
	struct said said;
	(void)state;
	assert_string_equal(scans_of(policy, STRANGER, OURS, &said), "in: virus");
	assert_string_equal(scans_of(policy, STRANGER, "<bob@hotel.example>", &said), "in:");
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_direction_has_its_scans),
		cmocka_unit_test(a_switch_is_one_rule_s),
		cmocka_unit_test(what_is_refused_is_not_scanned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
