/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control makes of how scans fare: what it shows, and what it finds wrong. */
#include "test/lib/control_world.h"

#include "lib/ipc/scan.h"

#include <time.h>

static const char scanned_text[] =
	"language 1\n"
	"zone guest { interface \"br0\" }\n"
	"server relay { host 203.0.113.10 }\n"
	"scan virus { clamav \"/nowhere/clamd.ctl\" }\n"
	"scan spam { milter \"inet:127.0.0.1:3310\" on-failure accept }\n"
	"scan old { milter \"inet:127.0.0.1:1\" on-failure accept }\n"
	"rule old { zone guest user any server relay scan old disabled }\n"
	"rule guests { zone guest user any server relay scan virus, spam }\n";

/* The policy is in force, and this is our end of its smtp process. */
static int begin(void)
{
	greet_control();
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", scanned_text);
	expect(world.keeper, IPC_WANTED);
	int smtp = add_process(PROCESS_SMTP, 1);
	expect(smtp, IPC_POLICY);
	answer(smtp, 0, "");
	expect(world.keeper, IPC_PLAN);
	answer(world.keeper, 0, "");
	expect(smtp, IPC_POLICY_COMMIT);
	answer(smtp, 0, "");
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	assert_true(read_answer(apply, DEADLINE_MS));
	finish(apply, 0);
	return smtp;
}

static struct ipc_scan_state told(const char *name, bool up)
{
	struct ipc_scan_state state;

	ipc_init(&state, IPC_SCAN_STATE, sizeof(state));
	snprintf(state.scan, sizeof(state.scan), "%s", name);
	const struct policy_scan virus = {
		.kind = POLICY_SCAN_CLAMAV, .address = {.text = "/nowhere/clamd.ctl", .len = 18}};
	const struct policy_scan spam = {
		.kind = POLICY_SCAN_MILTER, .address = {.text = "inet:127.0.0.1:3310", .len = 19}};
	state.filter = policy_scan_filter(strcmp(name, "virus") == 0 ? &virus : &spam);
	state.asked = 9;
	state.passed = 4;
	state.refused = 2;
	state.failed = 3;
	state.since_ms = 1800000000000;
	state.fault_ms = up ? 0 : state.since_ms;
	state.up = up;
	state.places = 8;
	return state;
}

/* What control asks the keeper for it is not to be had. */
static bool says(const char *words, const char *said)
{
	struct asked *asked = ask(words, NULL);

	while (!read_answer(asked, 50)) {
		if (!receive(world.keeper, 0, NULL))
			continue;
		if (in.header.seq)
			answer(world.keeper, -EOPNOTSUPP, "no");
	}
	bool found = strstr(asked->rows, said) || strstr(asked->error, said);
	finish(asked, asked->status);
	return found;
}

/* What the process said is read some milliseconds later. */
static void await(const char *words, const char *said)
{
	for (unsigned i = 0; i < 400; i++)
		if (says(words, said))
			return;
	fail_msg("%s never says %s", words, said);
}

static void one_that_nobody_asked_is_shown_as_that(void **context)
{
	int smtp = begin();

	(void)context;
	assert_true(
		says("scan show virus", "\"state\":\"unasked\",\"since_at\":null,\"why\":null"));
	assert_true(says("scan show old", "\"state\":\"unused\""));
	close(smtp);
}

static void one_that_failed_is_shown_with_its_words_and_figures(void **context)
{
	int smtp = begin();
	struct ipc_scan_state state = told("virus", false);

	(void)context;
	state.open = 1;
	state.fault_ms = 1800000001000;
	snprintf(state.text, sizeof(state.text), "/nowhere/clamd.ctl: No such file or directory");
	send_to(smtp, &state, -1);
	await("scan show virus", "\"state\":\"down\",\"since_at\":1800000000,"
				 "\"why\":\"/nowhere/clamd.ctl: No such file or directory\","
				 "\"fault_at\":1800000001,\"circuits_open\":1,"
				 "\"asked\":9,\"passed\":4,\"refused\":2,\"failed\":3");
	assert_true(says("scan show spam", "\"state\":\"unasked\""));
	/* its totals stay when the process goes, and whether it was up goes with it */
	close(smtp);
	await("scan show virus", "\"state\":\"unasked\"");
	assert_true(says("scan show virus", "\"circuits_open\":0,\"asked\":9"));
}

static void one_that_is_down_or_lets_through_is_a_trouble(void **context)
{
	int smtp = begin();
	struct ipc_scan_state state = told("virus", false);

	(void)context;
	assert_false(says("status", "scan virus: "));
	assert_true(says("status", "\"scan\":\"spam\",\"state\":\"unasked\","
				   "\"on_failure\":\"accept\",\"unscanned\":0"));
	snprintf(state.text, sizeof(state.text), "it closed");
	send_to(smtp, &state, -1);
	await("status",
		"scan virus: it closed; its messages hear 451\",\"next\":\"posternctl doctor");
	state = told("spam", false);
	state.unscanned = 3;
	snprintf(state.text, sizeof(state.text), "late");
	send_to(smtp, &state, -1);
	await("status", "scan spam: late; its messages go on unscanned (on-failure accept)");
	/* up again; that there were some is said for an hour */
	state = told("spam", true);
	state.unscanned = 3;
	state.unscanned_ms = (uint64_t)time(NULL) * 1000;
	send_to(smtp, &state, -1);
	await("status",
		"scan spam: 3 messages went on unscanned (on-failure accept), the last within "
		"the hour\",\"next\":\"posternctl scan show spam\"");
	assert_false(says("status", "scan spam: late"));
	state.unscanned_ms -= 3700000;
	send_to(smtp, &state, -1);
	for (unsigned i = 0; i < 400 && says("status", "scan spam: 3 messages"); i++)
		;
	assert_false(says("status", "scan spam: "));
	/* no rule has it */
	state = told("old", false);
	state.unscanned_ms = (uint64_t)time(NULL) * 1000;
	send_to(smtp, &state, -1);
	await("scan show old", "\"asked\":9");
	assert_false(says("status", "scan old: "));
	close(smtp);
}

static void doctor_says_what_to_type(void **context)
{
	int smtp = begin();
	struct ipc_scan_state state = told("spam", false);

	(void)context;
	assert_true(says("doctor", "scan virus: /nowhere/clamd.ctl: No such file or directory"));
	assert_true(says("doctor", "posternctl scan set spam on-failure tempfail"));
	assert_false(says("doctor", "scan old"));
	snprintf(state.text, sizeof(state.text), "no milter, it says \"UNKNOWN COMMAND\"");
	state.dropped = 2;
	send_to(smtp, &state, -1);
	await("doctor", "posternctl scan replace spam clamav \\\"127.0.0.1:3310\\\"");
	state = told("virus", true);
	state.slow = 1;
	send_to(smtp, &state, -1);
	await("doctor", "1 of 9 verdicts took longer than 10 seconds");
	assert_true(says("doctor", "scan virus answers"));
	close(smtp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_that_nobody_asked_is_shown_as_that),
		CASE(one_that_failed_is_shown_with_its_words_and_figures),
		CASE(one_that_is_down_or_lets_through_is_a_trouble),
		CASE(doctor_says_what_to_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
