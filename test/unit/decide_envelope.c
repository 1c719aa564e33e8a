/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which connections need the envelope, and what each sender and recipient then meets. */
#include "lib/base/hash.h"
#include "lib/policy/decide/decide.h"
#include "lib/policy/element.h"
#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS UINT64_C(1780308000000) /* Monday, 2026-06-01 10:00 UTC */

struct stage {
	struct policy *policy;
	struct lists *lists;
	struct session_table *sessions;
	struct blocks *blocks;
	struct decide_world world;
	struct decide_origin origin;
	struct endpoint original;
	struct session session;
	struct policy_string group;
};

static const char *const text =
	"zone guest { interface g0 identity address }\n"
	"zone staff { interface s0 identity address unmatched reject }\n"
	"zone read { interface r0 identity address level message unmatched answer 554 \"no\" }\n"
	"zone plain { interface p0 identity address level connection unmatched pass }\n"
	"zone sized { interface z0 identity address limit size 5m }\n"
	"list partners mail { \"@partner.example\", \"@.partner.example\", \"desk@hotel.example\" "
	"}\n"
	"list bad mail dynamic\n"
	"server relay { host 203.0.113.10 }\n"
	"server other { host 203.0.113.11 }\n"
	"rule barred { zone guest, staff group \"barred\" verdict answer 554 \"barred\" }\n"
	"rule direct { zone guest, staff group \"direct\" server original }\n"
	"rule gone { zone read group \"barred\" verdict reject }\n"
	"rule off { zone plain disabled sender none server other }\n"
	"rule spoof { zone guest sender not \"@hotel.example\", none\n"
	"  verdict answer 554 \"not your address\" }\n"
	"rule bad { zone guest recipient bad verdict answer 421 \"later\" }\n"
	"rule mates { zone guest recipient partners server relay }\n"
	"rule night { zone guest schedule sat recipient \"x@y.example\" server relay }\n"
	"rule few { zone staff limit recipients 5 per message server other }\n"
	"rule all { zone plain, read, sized server relay }\n"
	"rule rest { zone guest recipient not \"@.wide.example\" limit none server relay }\n";

static void set_up(struct stage *stage, const char *zone, const char *group)
{
	*stage = (struct stage){0};
	stage->policy = policy_of_text(text, NULL);
	stage->lists = lists_new();
	stage->sessions = session_table_new();
	stage->blocks = blocks_new();
	stage->world = (struct decide_world){.policy = stage->policy,
		.lists = stage->lists,
		.sessions = stage->sessions,
		.local = localtime_r,
		.blocks = stage->blocks};
	stage->origin.zone = (size_t)policy_find_zone(stage->policy, zone);
	addr_parse("192.0.2.7", 9, &stage->origin.source);
	addr_parse("198.51.100.1", 12, &stage->original.addr);
	stage->original.port = 25;
	stage->group = (struct policy_string){
		group, (uint32_t)strlen(group), hash_bytes(group, strlen(group))};
	struct session_address address = {.prefix = prefix_of(&stage->origin.source)};
	stage->session = (struct session){.id = 1,
		.zone = stage->policy->zones[stage->origin.zone].name,
		.user = {"anna", 4, hash_bytes("anna", 4)},
		.groups = &stage->group,
		.ngroups = *group ? 1 : 0,
		.addresses = &address,
		.naddresses = 1};
	assert_int_equal(session_table_put(stage->sessions, &stage->session), 0);
}

static void tear_down(struct stage *stage)
{
	blocks_free(stage->blocks);
	session_table_free(stage->sessions);
	lists_free(stage->lists);
	policy_unref(stage->policy);
}

static void test_a_connection_needs_the_envelope_by_the_first_word_it_meets(void **state)
{
	static const struct {
		const char *zone, *group, *decided;
	} cases[] = {
		{"guest", "", "envelope redirect, rule spoof: sender"},
		{"guest", "barred", "rule answer, "},
		{"guest", "direct", "rule redirect, "},
		{"staff", "", "envelope redirect, rule few: limit recipients"},
		{"staff", "barred", "rule answer, "},
		{"read", "", "envelope redirect, zone read: level message"},
		/* a path is decided before anything is read */
		{"read", "barred", "rule reject, "},
		{"plain", "", "rule redirect, "},
		{"sized", "", "envelope redirect, zone sized: limit size"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stage stage;
		struct decision decision;
		char cause[LEVEL_CAUSE_SIZE], got[200];
		set_up(&stage, cases[i].zone, cases[i].group);
		decide_connection(&stage.world, &stage.origin, &stage.original, NOW_MS, &decision);
		snprintf(got, sizeof(got), "%s %s, %s", decide_reason_names[decision.reason],
			policy_verdict_names[decision.verdict],
			level_format_cause(stage.policy, &decision.cause, cause));
		if (strcmp(got, cases[i].decided) != 0)
			fail_msg("%s %s: %s, not %s", cases[i].zone, cases[i].group, got,
				cases[i].decided);
		bool envelope = decision.reason == DECIDE_NEEDS_ENVELOPE;
		assert_int_equal(!!(decision.fields & DECIDE_ENVELOPE), envelope);
		if (envelope) {
			assert_int_equal(decision.rule, -1);
			assert_int_equal(decision.server, -1);
			assert_false(decision.to_original);
			assert_null(decision.act);
		}
		tear_down(&stage);
	}
}

/* The kernel redirects it whatever the envelope will say. */
static void test_the_kernel_redirects_what_needs_the_envelope(void **state)
{
	static const struct {
		const char *zone, *group;
		enum mark mark;
	} cases[] = {
		{"guest", "", MARK_RELAY},
		{"guest", "barred", MARK_RELAY},
		{"staff", "", MARK_RELAY},
		{"read", "", MARK_RELAY},
		{"read", "barred", MARK_REJECT},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stage stage;
		enum mark mark;
		uint64_t until_ms;
		set_up(&stage, cases[i].zone, cases[i].group);
		assert_true(
			decide_client(&stage.world, &stage.origin, NOW_MS, &mark, &until_ms, NULL));
		if (mark != cases[i].mark)
			fail_msg("%s %s", cases[i].zone, cases[i].group);
		tear_down(&stage);
	}
}

static struct smtp_path path_of(const char *words, unsigned way)
{
	struct smtp_path path;
	size_t used;

	assert_int_equal(smtp_path_parse(&path, way, words, strlen(words), &used), SMTP_PATH_GOOD);
	return path;
}

static const char *told(const struct stage *stage, const struct decide_reply *reply)
{
	static char line[300];
	const struct policy *policy = stage->policy;
	int n = snprintf(line, sizeof(line), "%s %s: ", decide_reason_names[reply->reason],
		reply->rule < 0 ? "-" : policy->rules[reply->rule].name.text);

	if (reply->permitted)
		snprintf(line + n, sizeof(line) - (size_t)n, "%s",
			reply->to_original ? "original" : policy->servers[reply->server].name.text);
	else
		snprintf(line + n, sizeof(line) - (size_t)n, "%u %s %s", reply->code, reply->status,
			reply->text);
	return line;
}

static void expect(struct stage *stage, const char *from, const char *to, const char *want)
{
	const struct smtp_path sender = path_of(from, 0),
			       recipient = path_of(to, SMTP_PATH_RECIPIENT);
	const struct decide_envelope envelope = {
		&stage->session, &stage->original, &sender, &recipient, NULL};
	struct decide_reply reply;

	decide_recipient(&stage->world, &stage->origin, &envelope, NOW_MS, &reply);
	if (strcmp(told(stage, &reply), want) != 0)
		fail_msg("%s to %s: %s, not %s", from, to, told(stage, &reply), want);
}

static void test_each_recipient_meets_the_first_rule_that_takes_it(void **state)
{
	static const struct {
		const char *zone, *from, *to, *told;
	} cases[] = {
		{"guest", "<anna@hotel.example>", "<b@partner.example>", "rule mates: relay"},
		{"guest", "<anna@hotel.example>", "<b@a.b.partner.example>", "rule mates: relay"},
		{"guest", "<anna@hotel.example>", "<b@xpartner.example>", "rule rest: relay"},
		{"guest", "<anna@hotel.example>", "<DESK+night@HOTEL.Example>",
			"rule mates: relay"},
		{"guest", "<anna@hotel.example>", "<prvs=0123abcd=desk@hotel.example>",
			"rule mates: relay"},
		{"guest", "<>", "<b@partner.example>", "rule mates: relay"},
		{"guest", "<prvs=0123abcd=Anna+x@Hotel.Example>", "<b@c.example>",
			"rule rest: relay"},
		{"guest", "<anna@other.example>", "<b@partner.example>",
			"rule spoof: 550 5.7.1 not your address"},
		/* below is not itself */
		{"guest", "<anna@a.hotel.example>", "<b@partner.example>",
			"rule spoof: 550 5.7.1 not your address"},
		{"guest", "<>", "<b@x.bad.example>", "rule bad: 450 4.7.1 later"},
		{"guest", "<>", "<one+two@bad.example>", "rule bad: 450 4.7.1 later"},
		{"guest", "<>", "<other@bad.example>", "rule rest: relay"},
		{"guest", "<>", "<x@y.example>", "rule rest: relay"},
		{"guest", "<>", "<b@x.wide.example>",
			"unmatched -: 450 4.7.1 No rule for you here"},
		{"guest", "<>", "<b@wide.example>", "rule rest: relay"},
		{"guest", "<>", "<postmaster>", "rule rest: relay"},
		{"staff", "<a@b.example>", "<c@d.example>", "rule few: other"},
		{"read", "<a@b.example>", "<c@d.example>", "rule all: relay"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static const char *const entries[] = {"@.bad.example", "One@bad.example"};
		struct stage stage;
		set_up(&stage, cases[i].zone, "");
		for (size_t j = 0; j < 2; j++) {
			struct policy_elem elem;
			assert_null(element_parse(
				POLICY_HOLDS_MAIL, entries[j], strlen(entries[j]), &elem));
			assert_int_equal(lists_add(stage.lists, "bad", &elem, 0), 0);
		}
		expect(&stage, cases[i].from, cases[i].to, cases[i].told);
		tear_down(&stage);
	}
}

/* No check lets it be written; were it there all the same, the kernel does what is decided. */
static void test_a_rule_that_is_read_passes_nothing(void **state)
{
	struct stage stage;
	struct decision decision;
	enum mark mark;
	uint64_t until_ms;

	(void)state;
	set_up(&stage, "guest", "");
	struct policy_rule *rule = &stage.policy->rules[policy_find_rule(stage.policy, "spoof")];
	rule->act.verdict = POLICY_VERDICT_PASS;
	decide_connection(&stage.world, &stage.origin, &stage.original, NOW_MS, &decision);
	assert_int_equal(decision.verdict, POLICY_VERDICT_REDIRECT);
	assert_true(decide_client(&stage.world, &stage.origin, NOW_MS, &mark, &until_ms, NULL));
	assert_int_equal(mark, MARK_RELAY);
	expect(&stage, "<a@b.example>", "<c@d.example>",
		"rule spoof: 450 4.7.1 the policy has changed, try again");
	tear_down(&stage);
}

/* `reject` and `drop` cannot be done to a recipient; what should have passed is for another time.
 */
static void test_what_is_a_path_refuses_the_recipient(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage, "staff", "");
	stage.policy->rules[policy_find_rule(stage.policy, "few")].disabled = true;
	expect(&stage, "<>", "<b@c.example>",
		"unmatched -: 550 5.7.1 no rule takes this recipient");
	stage.policy->zones[stage.origin.zone].unmatched.verdict = POLICY_VERDICT_PASS;
	expect(&stage, "<>", "<b@c.example>",
		"unmatched -: 450 4.7.1 the policy has changed, try again");
	tear_down(&stage);
	set_up(&stage, "read", "barred");
	expect(&stage, "<>", "<b@c.example>",
		"rule gone: 450 4.7.1 the policy has changed, try again");
	tear_down(&stage);
}

static void test_an_entry_of_a_list_ends_in_time(void **state)
{
	struct stage stage;
	struct policy_elem elem;

	(void)state;
	set_up(&stage, "guest", "");
	assert_null(element_parse(POLICY_HOLDS_MAIL, "b@c.example", 11, &elem));
	assert_int_equal(lists_add(stage.lists, "bad", &elem, NOW_MS + 1), 0);
	expect(&stage, "<>", "<b@c.example>", "rule bad: 450 4.7.1 later");
	assert_int_equal(lists_add(stage.lists, "bad", &elem, NOW_MS), 0);
	expect(&stage, "<>", "<b@c.example>", "rule rest: relay");
	tear_down(&stage);
}

static void test_a_sender_needs_a_user_and_no_block(void **state)
{
	struct stage stage;
	struct decide_reply reply;
	const struct smtp_path sender = path_of("<a@hotel.example>", 0);
	struct decide_envelope envelope = {.sender = &sender};
	struct block block = {.kind = BLOCK_USER,
		.user = "anna",
		.code = 421,
		.text = "spam",
		.until_ms = NOW_MS + 1};

	(void)state;
	set_up(&stage, "guest", "");
	envelope.original = &stage.original;
	decide_sender(&stage.world, &stage.origin, &envelope, NOW_MS, &reply);
	assert_string_equal(told(&stage, &reply), "unauthenticated -: 530 5.7.0 log in first");
	envelope.session = &stage.session;
	decide_sender(&stage.world, &stage.origin, &envelope, NOW_MS, &reply);
	assert_true(reply.permitted);
	assert_int_equal(reply.code, 0);
	stage.session.lease_end_ms = NOW_MS;
	decide_sender(&stage.world, &stage.origin, &envelope, NOW_MS, &reply);
	assert_string_equal(told(&stage, &reply), "unauthenticated -: 530 5.7.0 log in first");
	expect(&stage, "<>", "<b@c.example>", "unauthenticated -: 450 4.7.1 Not logged in");
	stage.session.lease_end_ms = NOW_MS + 1;
	assert_int_equal(blocks_put(stage.blocks, &block), 0);
	decide_sender(&stage.world, &stage.origin, &envelope, NOW_MS, &reply);
	assert_string_equal(told(&stage, &reply), "blocked -: 450 4.7.1 spam");
	expect(&stage, "<>", "<b@c.example>", "blocked -: 450 4.7.1 spam");
	block.code = 554;
	assert_int_equal(blocks_put(stage.blocks, &block), 0);
	decide_sender(&stage.world, &stage.origin, &envelope, NOW_MS, &reply);
	assert_string_equal(told(&stage, &reply), "blocked -: 550 5.7.1 spam");
	tear_down(&stage);
}

static char said[8192];

static void gather(void *context, const char *line)
{
	(void)context;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
}

static void expect_said(const char *line)
{
	if (!strstr(said, line))
		fail_msg("no \"%s\" in\n%s", line, said);
}

static void test_explain_tells_what_needs_the_envelope_and_what_follows(void **state)
{
	struct stage stage;
	struct decision decision;
	struct decide_reply reply;
	const struct smtp_path sender = path_of("<anna@hotel.example>", 0);
	const struct smtp_path recipient = path_of("<b@x.wide.example>", SMTP_PATH_RECIPIENT);
	struct decide_envelope envelope = {0};

	(void)state;
	set_up(&stage, "guest", "");
	envelope.session = &stage.session;
	envelope.original = &stage.original;
	*said = '\0';
	decide_explain(
		&stage.world, &stage.origin, &stage.original, NOW_MS, &decision, gather, NULL);
	expect_said("rule direct: no, user \"anna\" is in none of the groups \"direct\"\n");
	expect_said("rule spoof: the connection meets it; its messages are read\n");
	expect_said("verdict: redirect at message level, by rule spoof: sender: it needs the "
		    "envelope\n");
	*said = '\0';
	decide_explain_recipient(
		&stage.world, &stage.origin, &envelope, NOW_MS, &reply, gather, NULL);
	expect_said("rule spoof: if sender not <>, @hotel.example: answer 554 \"not your "
		    "address\"\n");
	expect_said("rule mates: if recipient list partners: server relay\n");
	expect_said("rule rest: if recipient not @.wide.example: server relay\n");
	expect_said("every other: as zone guest says when no rule matches, answer 421 \"No rule "
		    "for you here\"\n");
	*said = '\0';
	envelope.sender = &sender;
	envelope.recipient = &recipient;
	decide_explain_recipient(
		&stage.world, &stage.origin, &envelope, NOW_MS, &reply, gather, NULL);
	expect_said("rule spoof: no, sender <anna@hotel.example> is among <>, @hotel.example\n");
	expect_said("rule mates: no, recipient <b@x.wide.example> is not among list partners\n");
	expect_said("recipient <b@x.wide.example>: 450 4.7.1 No rule for you here\n");
	assert_int_equal(reply.code, 450);
	tear_down(&stage);
	set_up(&stage, "read", "");
	*said = '\0';
	decide_explain(
		&stage.world, &stage.origin, &stage.original, NOW_MS, &decision, gather, NULL);
	expect_said("verdict: redirect at message level, by zone read: level message: it needs "
		    "the envelope\n");
	tear_down(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_connection_needs_the_envelope_by_the_first_word_it_meets),
		cmocka_unit_test(test_the_kernel_redirects_what_needs_the_envelope),
		cmocka_unit_test(test_each_recipient_meets_the_first_rule_that_takes_it),
		cmocka_unit_test(test_a_rule_that_is_read_passes_nothing),
		cmocka_unit_test(test_what_is_a_path_refuses_the_recipient),
		cmocka_unit_test(test_an_entry_of_a_list_ends_in_time),
		cmocka_unit_test(test_a_sender_needs_a_user_and_no_block),
		cmocka_unit_test(test_explain_tells_what_needs_the_envelope_and_what_follows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
