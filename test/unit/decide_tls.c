/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules with `tls`, and servers that have it, decide; and how that is told. */
#include "lib/base/hash.h"
#include "lib/policy/decide/decide.h"

#include "test/lib/policy_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS UINT64_C(1780308000000) /* Monday, 2026-06-01 10:00 UTC */

static const char *const text =
	"certificate c { file \"/c\" key \"/k\" }\n"
	"zone guest { interface g0 identity address\n"
	"  tls offer { certificate c client request } }\n"
	"zone clear { interface c0 identity address }\n"
	"zone out { interface o0 identity address }\n"
	"certificate mail { file \"/c\" key \"/k\" }\n"
	"zone strict { interface s0 identity address tls require { certificate mail } }\n"
	"zone shows { interface s1 identity address\n"
	"  tls offer { certificate mail client require ca \"/a\" } }\n"
	"zone looks { interface s2 identity address\n"
	"  tls offer { certificate mail client check ca \"/a\" } }\n"
	"server relay { host 203.0.113.10 }\n"
	"server isp { host \"isp.example\" tls verify }\n"
	"rule mates { zone guest tls verified \"mx.partner.example\", \"b@partner.example\"\n"
	"  server relay comment \"mates\" }\n"
	"rule known { zone guest tls verified user not eve server relay }\n"
	"rule odd { zone guest tls not verified \"mx.partner.example\" user eve server relay }\n"
	"rule safe { zone guest tls any server relay }\n"
	"rule late { zone guest tls not any verdict answer 554 \"only in TLS\" }\n"
	"rule bare { zone clear tls any server relay }\n"
	"rule isp { zone out user any server isp }\n"
	"rule rest { zone strict, shows, looks user any server relay }\n";

struct stage {
	struct policy *policy;
	struct lists *lists;
	struct session_table *sessions;
	struct decide_world world;
	struct decide_origin origin;
	struct endpoint original;
	struct session session;
};

static void set_up(struct stage *stage, const char *zone, const char *user)
{
	static struct session_address address;

	memset(stage, 0, sizeof(*stage));
	stage->policy = policy_of_text(text, NULL);
	stage->lists = lists_new();
	stage->sessions = session_table_new();
	stage->world = (struct decide_world){.policy = stage->policy,
		.lists = stage->lists,
		.sessions = stage->sessions,
		.local = localtime_r};
	stage->origin.zone = (size_t)policy_find_zone(stage->policy, zone);
	addr_parse("192.0.2.7", 9, &stage->origin.source);
	addr_parse("198.51.100.1", 12, &stage->original.addr);
	stage->original.port = 25;
	address.prefix = prefix_of(&stage->origin.source);
	stage->session = (struct session){.id = 1,
		.zone = stage->policy->zones[stage->origin.zone].name,
		.user = {user, (uint32_t)strlen(user), hash_bytes(user, strlen(user))},
		.addresses = &address,
		.naddresses = 1};
	assert_int_equal(session_table_put(stage->sessions, &stage->session), 0);
}

static void tear_down(struct stage *stage)
{
	session_table_free(stage->sessions);
	lists_free(stage->lists);
	policy_unref(stage->policy);
}

static struct smtp_path path_of(const char *words, unsigned way)
{
	struct smtp_path path;
	size_t used;

	assert_int_equal(smtp_path_parse(&path, way, words, strlen(words), &used), SMTP_PATH_GOOD);
	return path;
}

/* The names of a certificate, ended by NULL. */
static bool among(void *context, const char *name)
{
	for (const char *const *at = context; *at; at++)
		if (decide_same_name(*at, name))
			return true;
	return false;
}

static const char *decide(struct stage *stage, const struct decide_tls *tls)
{
	static char line[200];
	const struct smtp_path sender = path_of("<a@b.example>", 0),
			       recipient = path_of("<c@d.example>", SMTP_PATH_RECIPIENT);
	const struct decide_envelope envelope = {
		&stage->session, &stage->original, &sender, &recipient, tls};
	struct decide_reply reply;

	decide_recipient(&stage->world, &stage->origin, &envelope, NOW_MS, &reply);
	snprintf(line, sizeof(line), "%s",
		reply.rule < 0 ? "-" : stage->policy->rules[reply.rule].name.text);
	return line;
}

static void test_the_client_s_side_decides(void **state)
{
	static const struct {
		const char *user, *names[3];
		bool on, verified;
		const char *rule;
	} cases[] = {
		{"anna", {NULL}, false, false, "late"},
		{"anna", {NULL}, true, false, "safe"},
		{"anna", {"mx.partner.example"}, true, false, "safe"},
		{"anna", {"mx.partner.example"}, true, true, "mates"},
		{"anna", {"x.example", "MX.Partner.Example"}, true, true, "mates"},
		{"anna", {"b@partner.example"}, true, true, "mates"},
		{"anna", {"a.mx.partner.example"}, true, true, "known"},
		{"anna", {NULL}, true, true, "known"},
		{"eve", {NULL}, true, true, "odd"},
		{"eve", {"mx.partner.example"}, true, true, "mates"},
		{"eve", {"mx.partner.example"}, true, false, "odd"},
		{"eve", {NULL}, false, false, "odd"},
		/* a certificate is nothing without TLS */
		{"anna", {"mx.partner.example"}, false, true, "late"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct decide_tls tls = {.on = cases[i].on,
			.verified = cases[i].verified,
			.has_name = among,
			.context = (void *)(uintptr_t)cases[i].names};
		struct stage stage;
		set_up(&stage, "guest", cases[i].user);
		if (strcmp(decide(&stage, &tls), cases[i].rule) != 0)
			fail_msg("%zu: rule %s, not %s", i, decide(&stage, &tls), cases[i].rule);
		tear_down(&stage);
	}
}

static void test_what_nobody_says_is_in_clear(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage, "guest", "anna");
	assert_string_equal(decide(&stage, NULL), "late");
	tear_down(&stage);
	set_up(&stage, "clear", "anna");
	assert_string_equal(decide(&stage, NULL), "-");
	tear_down(&stage);
}

static void test_a_connection_is_read_by_the_word_or_by_its_server(void **state)
{
	static const char *const cases[][2] = {{"guest", "rule mates: tls"},
		{"clear", "rule bare: tls"}, {"out", "rule isp: tls of server isp"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct stage stage;
		struct decision decision;
		enum mark mark;
		uint64_t until_ms;
		char cause[LEVEL_CAUSE_SIZE];
		set_up(&stage, cases[i][0], "anna");
		decide_connection(&stage.world, &stage.origin, &stage.original, NOW_MS, &decision);
		assert_int_equal(decision.reason, DECIDE_NEEDS_ENVELOPE);
		assert_string_equal(
			level_format_cause(stage.policy, &decision.cause, cause), cases[i][1]);
		assert_true(
			decide_client(&stage.world, &stage.origin, NOW_MS, &mark, &until_ms, NULL));
		assert_int_equal(mark, MARK_RELAY);
		tear_down(&stage);
	}
}

static void count(void *context, const struct policy_rule *rule, ptrdiff_t server)
{
	(void)rule;
	snprintf((char *)context + strlen(context), 200 - strlen(context), "%td ", server);
}

/* At the greeting nobody knows who will say STARTTLS. */
static void test_every_server_is_in_reach_before_tls(void **state)
{
	struct stage stage;
	char reached[200] = "";

	(void)state;
	set_up(&stage, "guest", "anna");
	const struct decide_envelope envelope = {
		.session = &stage.session, .original = &stage.original};
	decide_reach(&stage.world, &stage.origin, &envelope, NOW_MS, count, reached);
	assert_string_equal(reached, "0 0 0 ");
	tear_down(&stage);
}

static char said[8192];

static void gather(void *context, const char *line)
{
	(void)context;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
}

static void explain(struct stage *stage, const struct decide_tls *tls, struct decide_reply *reply)
{
	const struct smtp_path sender = path_of("<a@b.example>", 0),
			       recipient = path_of("<c@d.example>", SMTP_PATH_RECIPIENT);
	const struct decide_envelope envelope = {
		&stage->session, &stage->original, &sender, &recipient, tls};

	*said = '\0';
	decide_explain_recipient(
		&stage->world, &stage->origin, &envelope, NOW_MS, reply, gather, NULL);
}

static void expect_said(const char *line)
{
	if (!strstr(said, line))
		fail_msg("no \"%s\" in\n%s", line, said);
}

static void test_explain_tells_what_tls_decides(void **state)
{
	static const char *const names[] = {"x.example", NULL};
	const struct decide_tls in_clear = {0}, verified = {.on = true,
							.verified = true,
							.has_name = among,
							.context = (void *)(uintptr_t)names};
	struct decide_reply reply;
	struct stage stage;

	(void)state;
	set_up(&stage, "guest", "anna");
	explain(&stage, NULL, &reply);
	expect_said("rule mates: if tls verified \"mx.partner.example\", \"b@partner.example\": "
		    "server relay\n");
	expect_said("rule safe: if tls any: server relay\n");
	expect_said("rule late: if tls not any: answer 554 \"only in TLS\"\n");
	expect_said("every other: as zone guest says when no rule matches");
	assert_null(strstr(said, "recipient <c@d.example>"));

	explain(&stage, &in_clear, &reply);
	expect_said("rule mates: no, the client's side is in clear, and that is not tls verified "
		    "\"mx.partner.example\", \"b@partner.example\"\n");
	expect_said("rule late: yes, answer 554 \"only in TLS\"\n");
	expect_said("recipient <c@d.example>: 550 5.7.1 only in TLS\n");
	assert_int_equal(reply.code, 550);

	explain(&stage, &verified, &reply);
	expect_said("rule mates: no, the client's side is in TLS with a valid certificate, and "
		    "that is not tls verified \"mx");
	expect_said("rule known: yes, server relay\n");
	assert_true(reply.permitted);
	tear_down(&stage);
}

/* Of a record one name is known, and its certificate may have others. */
static void test_a_name_that_is_not_known_is_left_open(void **state)
{
	static const char *const names[] = {"x.example", NULL};
	static const char *const mate[] = {"mx.partner.example", NULL};
	struct decide_tls tls = {.on = true,
		.verified = true,
		.has_name = among,
		.context = (void *)(uintptr_t)names,
		.names_open = true};
	struct decide_reply reply;
	struct stage stage;

	(void)state;
	set_up(&stage, "guest", "anna");
	explain(&stage, &tls, &reply);
	expect_said("rule mates: if tls verified \"mx.partner.example\", \"b@partner.example\": "
		    "server relay\n");
	expect_said("rule known: every other, server relay\n");
	tls.context = (void *)(uintptr_t)mate;
	explain(&stage, &tls, &reply);
	expect_said("rule mates: yes, server relay\n");
	/* without a valid one no name counts */
	tls.verified = false;
	explain(&stage, &tls, &reply);
	expect_said("rule mates: no, the client's side is in TLS");
	tear_down(&stage);
}

/* As MAIL is refused whatever the rules say. */
static void test_explain_tells_what_the_zone_demands(void **state)
{
	static const char *const names[] = {NULL};
	const struct decide_tls in_clear = {0}, in_tls = {.on = true},
				verified = {.on = true,
					.verified = true,
					.has_name = among,
					.context = (void *)(uintptr_t)names};
	const struct {
		const char *zone;
		const struct decide_tls *tls;
		const char *said, *refused;
	} cases[] = {
		{"strict", NULL, "tls require: who stays in clear hears 530 5.7.0 at MAIL\n", NULL},
		{"strict", &in_clear, "tls require: 530 5.7.0 say STARTTLS first, at MAIL\n",
			"say STARTTLS first"},
		{"strict", &in_tls, "rule rest: yes", NULL},
		{"shows", NULL,
			"client require: who shows no certificate hears 530 5.7.0 at MAIL\n"
			"client require: who shows a certificate that is not valid hears 550 5.7.0 "
			"at MAIL\n",
			NULL},
		{"shows", &in_clear,
			"client require: 530 5.7.0 your certificate was not shown, at MAIL\n",
			"your certificate was not shown"},
		{"shows", &in_tls,
			"client require: 530 5.7.0 your certificate was not shown, at MAIL\n",
			"your certificate was not shown"},
		{"shows", &verified, "rule rest: yes", NULL},
		{"looks", &in_clear, "rule rest: yes", NULL},
		{"looks", &in_tls,
			"client check: who shows a certificate that is not valid hears 550 5.7.0 "
			"at MAIL\n",
			NULL},
		{"looks", &verified, "rule rest: yes", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decide_reply reply;
		struct stage stage;
		set_up(&stage, cases[i].zone, "anna");
		explain(&stage, cases[i].tls, &reply);
		expect_said(cases[i].said);
		if (cases[i].tls)
			assert_int_equal(reply.permitted, !cases[i].refused);
		if (cases[i].refused) {
			assert_int_equal(reply.code, 530);
			assert_int_equal(reply.reason, DECIDE_TLS);
			assert_string_equal(reply.text, cases[i].refused);
			assert_null(strstr(said, "rule rest"));
		} else {
			assert_non_null(strstr(said, "rule rest: "));
		}
		tear_down(&stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_client_s_side_decides),
		cmocka_unit_test(test_what_nobody_says_is_in_clear),
		cmocka_unit_test(test_a_connection_is_read_by_the_word_or_by_its_server),
		cmocka_unit_test(test_every_server_is_in_reach_before_tls),
		cmocka_unit_test(test_explain_tells_what_tls_decides),
		cmocka_unit_test(test_explain_tells_what_the_zone_demands),
		cmocka_unit_test(test_a_name_that_is_not_known_is_left_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
