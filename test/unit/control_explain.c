/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What explain says of a flow that is read, by what limits and relays say. */
#include "test/lib/control_world.h"

#include "lib/language/language.h"
#include "lib/metrics/counter.h"
#include "lib/record/ending.h"

#include <time.h>

#define POLICY(zone, rules)                                          \
	"language 1\n"                                               \
	"zone guest { interface \"br0\" level message\n" zone " }\n" \
	"server relay { host 203.0.113.10 probe none }\n"            \
	"server other { host 203.0.113.11 probe none }\n" rules      \
	"rule guests { zone guest user any server relay }\n"
#define ASK "explain mac " MAC7 " address 192.0.2.7 zone guest"
#define TO  ASK " sender a@client.example recipient "

/* The policy is in force, anna is there, and a relay and an smtp process. */
static int begin(const char *text)
{
	greet_control();
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", text);
	expect(world.keeper, IPC_WANTED);
	int smtp = add_process(PROCESS_SMTP, 1);
	expect(smtp, IPC_POLICY);
	answer(smtp, 0, "");
	expect_plan(PLAN_RUNNING);
	answer(world.keeper, 0, "");
	expect(smtp, IPC_POLICY_COMMIT);
	answer(smtp, 0, "");
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	finish(apply, 0);
	add_relay();
	finish(ask("session login anna zone guest mac " MAC7 " address 192.0.2.7", NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	return smtp;
}

/* The relay says this of it; text: of explain's one row. */
static const char *explained(const char *words, enum ending ending, const char *text)
{
	static char row[sizeof(((struct asked *)NULL)->rows)];
	struct asked *asked = ask(words, NULL);
	struct ipc_reply reply;

	expect(world.relay, IPC_FORESEE);
	ipc_init(&reply, IPC_REPLY, sizeof(reply));
	reply.header.seq = in.header.seq;
	reply.value = ending;
	strcpy(reply.text, text);
	send_to(world.relay, &reply, -1);
	assert_true(read_answer(asked, DEADLINE_MS));
	strcpy(row, asked->rows);
	finish(asked, 0);
	return row;
}

static void holds(const char *row, const char *text)
{
	if (!strstr(row, text))
		fail_msg("%s\nis not in\n%s", text, row);
}

static void lacks(const char *row, const char *text)
{
	if (strstr(row, text))
		fail_msg("%s\nis in\n%s", text, row);
}

/* Takes of what control sees, as smtp would for this one. */
static enum bucket_verdict take(const char *text, enum policy_limit_kind kind, const char *user,
	const char *sender, const char *address)
{
	struct language_diagnosis diagnosis;
	struct policy *policy = language_parse("conf2", text, strlen(text), NULL, &diagnosis);
	const int32_t rule = (int32_t)policy->nrules - 1;
	const struct mac mac = {{0x02, 0x00, 0x5e, 0x00, 0x53, 0x07}};
	struct timespec now;
	struct addr addr;
	struct limit_of which;
	size_t at;

	assert_non_null(policy);
	language_diagnosis_fini(&diagnosis);
	assert_int_equal(addr_parse(address, strlen(address), &addr), 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	const struct message_limit_ask ask = {.policy = policy,
		.rules = &rule,
		.nrules = 1,
		.who = {&mac, &addr, user, sender},
		.kind = kind};
	enum bucket_verdict verdict = message_limit_take(&world.limits, &ask,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, &which, &at);
	policy_unref(policy);
	return verdict;
}

static void each_limit_is_told_by_the_command_that_hears_it(void **state)
{
	static const char text[] = POLICY("limit recipients 2/day per client\n"
					  "limit messages 1/day per user { block 1h }",
		"");
	int smtp = begin(text);

	(void)state;
	const char *row = explained(TO "b@x.example", ENDING_NONE, "");
	holds(row, "limits: none is reached");
	holds(row, "\"reply\":null");
	assert_int_equal(take(text, POLICY_LIMIT_MESSAGES, "anna", "a@client.example", "192.0.2.7"),
		BUCKET_OK);
	row = explained(TO "b@x.example", ENDING_NONE, "");
	holds(row,
		"limit messages 1/day per user { block 1h } of zone guest: DATA hears 450 4.7.1");
	holds(row, "and blocks user anna in zone guest for 1h");
	holds(row, "\"reason\":\"limit\"");
	for (int i = 0; i < 2; i++)
		take(text, POLICY_LIMIT_RECIPIENTS, "anna", "a@client.example", "192.0.2.7");
	row = explained(TO "b@x.example", ENDING_NONE, "");
	holds(row, "limit recipients 2/day per client of zone guest: RCPT hears 450 4.7.1 over the "
		   "limit of recipients of this client, try again later");
	lacks(row, "DATA");
	lacks(row, "blocks");
	/* of a time that is to come nothing is known of limits, and no relay is asked */
	struct asked *later = ask(TO "b@x.example time 23:59", NULL);
	assert_true(read_answer(later, DEADLINE_MS));
	lacks(later->rows, "limit");
	finish(later, 0);
	close(smtp);
}

static void flows_come_first_then_recipients_then_the_server(void **state)
{
	static const char text[] = POLICY("limit recipients 1/day per user",
		"rule no { zone guest user any recipient "
		"\"@no.example\" verdict answer 554 \"no\" }\n");
	int smtp = begin(text);

	(void)state;
	const char *row = explained(TO "b@x.example", ENDING_OVER_RATE_CLIENT, "limit rate");
	holds(row, "\"reply\":\"421 4.7.0 connections too fast from you\"");
	assert_string_equal(in.foresee.server, "relay");
	assert_string_equal(in.foresee.rule, "");
	assert_string_equal(in.foresee.user, "anna");
	row = explained(TO "b@no.example", ENDING_OVER_FLOWS_ZONE, "limit flows");
	holds(row, "\"reason\":\"over-flows-zone\"");
	assert_string_equal(in.foresee.server, "");
	holds(explained(TO "b@no.example", ENDING_NONE, ""), "\"reply\":\"550 5.7.1 no\"");
	holds(explained(ASK, ENDING_OVER_FLOWS_ZONE, "limit flows"),
		"\"reason\":\"over-flows-zone\"");
	holds(explained(ASK, ENDING_NONE, ""), "limits of flows: none is reached");
	row = explained(
		TO "b@x.example", ENDING_OVER_FLOWS_SERVER, "limit flows 5 of server relay");
	holds(row, "limit flows 5 of server relay: RCPT hears 451 4.4.1 no mail server reachable");
	holds(row, "\"reason\":\"over-flows-server\"");
	take(text, POLICY_LIMIT_RECIPIENTS, "anna", "a@client.example", "192.0.2.7");
	row = explained(
		TO "b@x.example", ENDING_OVER_FLOWS_SERVER, "limit flows 5 of server relay");
	holds(row, "RCPT hears 450 4.7.1");
	lacks(row, "451");
	close(smtp);
}

static void a_table_that_is_full_is_told_to_who_would_hear_of_it(void **state)
{
	static const char text[] = POLICY("limit recipients 1/day per user", "");
	int smtp = begin(text);
	unsigned full = 0;
	char user[16];

	(void)state;
	for (unsigned i = 0; full < 2000; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		full += take(text, POLICY_LIMIT_RECIPIENTS, user, "", "192.0.2.7") == BUCKET_FULL;
	}
	const char *row = explained(TO "b@x.example", ENDING_NONE, "");
	holds(row, "the table of limits of messages is full: RCPT hears 450 4.7.1 too many send "
		   "mail now");
	assert_int_equal(
		take(text, POLICY_LIMIT_RECIPIENTS, "anna", "a@client.example", "192.0.2.7"),
		BUCKET_FULL);
	close(smtp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_limit_is_told_by_the_command_that_hears_it),
		CASE(flows_come_first_then_recipients_then_the_server),
		CASE(a_table_that_is_full_is_told_to_who_would_hear_of_it),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
