/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/control_world.h"

static const char read_text[] = "language 1\n"
				"zone guest { interface \"br0\" level message }\n"
				"server relay { host 203.0.113.10 }\n"
				"rule guests { zone guest user any server relay }\n";

/* Begins an apply that needs an smtp process, up to its plan: our end of that process. */
static int apply_until_plan(struct asked **apply, uint64_t *number)
{
	greet_control();
	*apply = ask("policy apply conf2 --allow-empty --allow-open", read_text);
	expect(world.keeper, IPC_WANTED);
	assert_int_equal(in.wanted.roles, 1u << PROCESS_SMTP);
	int smtp = add_process(PROCESS_SMTP, 1);
	expect(smtp, IPC_POLICY);
	*number = in.policy.number;
	answer(smtp, 0, "");
	expect(world.keeper, IPC_PLAN);
	return smtp;
}

static void one_that_is_wanted_by_a_policy_reads_it_before_it_is_in_force(void **state)
{
	struct asked *apply;
	uint64_t number;
	int smtp = apply_until_plan(&apply, &number);

	(void)state;
	answer(world.keeper, 0, "");
	expect(smtp, IPC_POLICY_COMMIT);
	assert_int_equal(in.policy.number, number);
	answer(smtp, 0, "");
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	assert_true(read_answer(apply, DEADLINE_MS));
	finish(apply, 0);
	close(smtp);
}

/* The one that came up meanwhile goes by the policy before: nobody has told it of the next. */
static void one_started_anew_in_the_middle_of_an_apply_is_told_of_it(void **state)
{
	struct asked *apply;
	uint64_t number;

	(void)state;
	close(apply_until_plan(&apply, &number));
	uint32_t plan = in.header.seq;
	int smtp = add_process(PROCESS_SMTP, 1);
	answer_seq(world.keeper, plan, 0, "");
	expect(smtp, IPC_POLICY);
	assert_int_equal(in.policy.number, number);
	answer(smtp, 0, "");
	expect(smtp, IPC_POLICY_COMMIT);
	assert_int_equal(in.policy.number, number);
	answer(smtp, 0, "");
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	assert_true(read_answer(apply, DEADLINE_MS));
	finish(apply, 0);
	close(smtp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_that_is_wanted_by_a_policy_reads_it_before_it_is_in_force),
		CASE(one_started_anew_in_the_middle_of_an_apply_is_told_of_it),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
