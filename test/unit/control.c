/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control process between a keeper, a relay and a client that the test plays: what is said, in
 * which order, and what is left when it is killed. */
#include "test/lib/control_world.h"

/* The same but for one time: nothing goes, and nothing opens. */
static const char longer_text[] =
	"language 1\n"
	"zone guest { interface \"br0\" lease 2h unauthenticated reject\n"
	"    limit sessions 2 per user }\n"
	"zone lobby { interface \"br1\" }\n"
	"zone staff { interface \"core0\" identity address network 198.51.100.0/24 }\n"
	"list blocked dynamic\n"
	"server relay { host 203.0.113.10 }\n"
	"rule blocked { zone guest source blocked verdict drop }\n"
	"rule guests { zone guest user any server relay }\n"
	"rule staff { zone staff user \"boss\" verdict pass }\n";

static void a_login_is_effective_before_it_is_answered(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.mark, MARK_REJECT);
	assert_int_equal(in.verdict.cache, 1);
	assert_true(in.verdict.entry.timeout_ms <= 5000);
	assert_int_equal(in.verdict.entry.has_mac, 1);

	struct asked *login = ask("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL);
	expect(world.keeper, IPC_ENTRIES);
	assert_int_equal(in.entries.n, 1);
	assert_int_equal(in.entries.v[0].add, 0);
	/* the kernel has not answered, so neither does control */
	assert_false(read_answer(login, 200));
	answer(world.keeper, 0, "");
	finish(login, 0);
	expect(world.relay, IPC_SESSIONS);
	assert_int_equal(in.sessions.n, 1);

	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.cache, 1);
	assert_true(in.verdict.entry.timeout_ms > 3500000);
	assert_true(in.verdict.entry.timeout_ms <= 3600000);
}

static void a_cached_verdict_ends_with_the_lease(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest mac " MAC7 " lease 10m", NULL), 0);
	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.cache, 1);
	assert_true(in.verdict.entry.timeout_ms > 500000);
	assert_true(in.verdict.entry.timeout_ms <= 600000);
	/* a session's verdict to pass is no exception */
	finish(ask("session login boss zone staff address 198.51.100.7 lease 5m", NULL), 0);
	admit("core0", "198.51.100.7", NULL);
	assert_int_equal(in.verdict.mark, MARK_PASS);
	assert_true(in.verdict.entry.timeout_ms > 200000);
	assert_true(in.verdict.entry.timeout_ms <= 300000);
}

static void the_end_of_a_lease_ends_flows(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest mac " MAC7 " lease 1s", NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	/* nobody asks for what follows */
	expect(world.relay, IPC_KILL);
	assert_int_equal(in.kill.session, 1);
	assert_int_equal(in.kill.ending, ENDING_KILLED_LEASE);
	expect(world.relay, IPC_SESSION_GONE);
	finish(ask("session logout user ann", NULL), 1);
}

static void who_is_answered_without_a_login_stays_unknown_to_the_kernel(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	admit("br1", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.mark, MARK_RELAY);
	assert_int_equal(in.verdict.cache, 0);
	finish(ask("session login ann zone lobby address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br1", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.mark, MARK_RELAY);
	assert_int_equal(in.verdict.cache, 1);
}

static void another_address_of_the_mac_is_learned(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br0", "2001:db8::7", MAC7);
	assert_true(in.verdict.entry.timeout_ms > 3500000);
	expect(world.relay, IPC_SESSIONS);
	struct asked *show = ask("session show address 2001:db8::7", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_non_null(strstr(show->rows, "\"user\":\"ann\""));
	finish(show, 0);
	/* another MAC is not that session, and takes the address's entry away */
	admit("br0", "2001:db8::7", MAC8);
	assert_true(in.verdict.entry.timeout_ms <= 5000);
	assert_int_equal(in.verdict.forget, 1);
	assert_int_equal(in.verdict.forgotten.add, 0);
}

static void the_first_address_of_a_mac_alone_is_learned(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest mac " MAC7, NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br0", "2001:db8::7", MAC7);
	expect(world.relay, IPC_SESSIONS);
	finish(ask("session show address 2001:db8::7", NULL), 0);
}

static void a_logout_ends_verdicts_and_flows(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br0", "192.0.2.7", MAC7);
	struct asked *logout = ask("session logout user ann", NULL);
	expect(world.keeper, IPC_ENTRIES);
	assert_int_equal(in.entries.v[0].add, 0);
	uint32_t seq = in.header.seq;
	expect(world.relay, IPC_SESSION_GONE);
	assert_false(read_answer(logout, 100));
	answer_seq(world.keeper, seq, 0, "");
	expect(world.relay, IPC_KILL);
	assert_int_equal(in.kill.ending, ENDING_KILLED_LOGOUT);
	finish(logout, 0);
	finish(ask("session logout user ann", NULL), 1);
}

static void only_who_passed_is_cut_and_one_address_at_a_time(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login boss zone staff address 198.51.100.7,198.51.100.8", NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	finish(ask("session login boss zone staff address 198.51.100.9", NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("core0", "198.51.100.7", NULL);
	assert_int_equal(in.verdict.mark, MARK_PASS);
	assert_int_equal(in.verdict.cache, 1);
	assert_int_equal(in.verdict.entry.has_mac, 0);
	admit("core0", "198.51.100.8", NULL);
	struct asked *logout = ask("session logout user boss", NULL);
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	expect(world.keeper, IPC_CUT);
	uint32_t seq = in.header.seq;
	finish(logout, 0);
	assert_false(receive(world.keeper, 200, NULL));
	answer_seq(world.keeper, seq, 0, "");
	expect(world.keeper, IPC_CUT);
	answer(world.keeper, 0, "");
	assert_false(receive(world.keeper, 200, NULL));
}

static void a_login_renews_or_replaces_and_has_its_limit(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	struct asked *again = ask("session login ann zone guest address 192.0.2.9 mac " MAC7, NULL);
	assert_true(read_answer(again, DEADLINE_MS));
	assert_non_null(strstr(again->rows, "\"outcome\":\"renewed\""));
	assert_non_null(strstr(again->rows, "\"session\":\"1\""));
	finish(again, 0);
	expect(world.relay, IPC_SESSIONS);

	struct asked *other = ask("session login bob zone guest address 192.0.2.9 mac " MAC7, NULL);
	assert_true(read_answer(other, DEADLINE_MS));
	assert_non_null(strstr(other->rows, "\"outcome\":\"replaced\""));
	finish(other, 0);
	expect(world.relay, IPC_SESSION_GONE);
	assert_int_equal(in.gone.id, 1);
	expect(world.relay, IPC_SESSIONS);
	expect(world.relay, IPC_KILL);
	assert_int_equal(in.kill.ending, ENDING_KILLED_REPLACED);

	finish(ask("session login bob zone guest mac 02:00:5e:00:53:11", NULL), 0);
	struct asked *third = ask("session login bob zone guest mac 02:00:5e:00:53:12", NULL);
	assert_true(read_answer(third, DEADLINE_MS));
	assert_non_null(strstr(third->error, "2 sessions"));
	finish(third, 1);
}

static void a_login_for_everybody_is_refused(void **state)
{
	static const struct {
		const char *words;
		int status;
	} logins[] = {
		{"session login ann zone guest address 0.0.0.0/0 mac " MAC7, 1},
		{"session login ann zone guest address ::/0", 1},
		{"session login ann zone guest mac ff:ff:ff:ff:ff:ff", 2},
		{"session login ann zone guest address 192.0.2.7 mac 01:00:5e:00:00:01", 2},
	};
	(void)state;
	greet_control();
	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++)
		finish(ask(logins[i].words, NULL), logins[i].status);
}

static void tell_link(const char *name, uint32_t ifindex)
{
	struct ipc_link link;
	ipc_init(&link, IPC_LINK, sizeof(link));
	link.ifindex = ifindex;
	link.has_mac = 1;
	link.up = 1;
	strcpy(link.name, name);
	send_to(world.keeper, &link, -1);
}

static void without_mac_the_neighbour_table_is_asked(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	tell_link("br0", 3);
	tell_link("br1", 4); /* another zone's: nobody asks there */
	struct asked *login = ask("session login ann zone guest address 192.0.2.7", NULL);
	expect(world.keeper, IPC_NEIGHBOUR_GET);
	assert_int_equal(in.neighbour.ifindex, 3);
	struct ipc_neighbour found = in.neighbour;
	found.header.type = IPC_NEIGHBOUR;
	send_to(world.keeper, &found, -1);
	assert_true(read_answer(login, DEADLINE_MS));
	assert_non_null(strstr(login->error, "neighbour table"));
	finish(login, 1);

	login = ask("session login ann zone guest address 192.0.2.7", NULL);
	expect(world.keeper, IPC_NEIGHBOUR_GET);
	found = in.neighbour;
	found.header.type = IPC_NEIGHBOUR;
	assert_int_equal(mac_parse(MAC7, strlen(MAC7), &found.mac), 0);
	send_to(world.keeper, &found, -1);
	assert_true(read_answer(login, DEADLINE_MS));
	assert_non_null(strstr(login->rows, MAC7));
	finish(login, 0);
	/* a zone that goes by address needs none */
	finish(ask("session login ann zone staff address 198.51.100.0/28", NULL), 0);
	finish(ask("session login ann zone staff address 192.0.2.1", NULL), 1);
}

static void a_list_entry_takes_the_verdict_out_of_the_kernel(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br0", "192.0.2.7", MAC7);
	struct asked *add = ask("list add blocked 192.0.2.0/28 timeout 1h", NULL);
	expect(world.keeper, IPC_ENTRIES);
	assert_int_equal(in.entries.n, 1);
	answer(world.keeper, 0, "");
	finish(add, 0);
	expect(world.relay, IPC_LIST_ENTRIES);
	assert_int_equal(in.list.n, 1);
	struct ipc_list_entry entry;
	uint32_t at = 0;
	assert_true(ipc_list_next(&in.list, &at, &entry) && entry.add);
	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.mark, MARK_DROP);
	assert_true(in.verdict.entry.timeout_ms <= 5000);
	finish(ask("list add nowhere 192.0.2.1", NULL), 1);
	finish(ask("list add blocked 192.0.2.x", NULL), 2);
}

static const char changed_text[] = "language 1\n"
				   "zone guest { interface \"br0\" lease 2h }\n"
				   "server relay { host 203.0.113.10 }\n"
				   "rule guests { zone guest user any server relay }\n";

static void expect_policy(const char *has)
{
	struct asked *show = ask("policy show", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_non_null(strstr(show->text, has));
	finish(show, 0);
}

static void an_apply_that_a_relay_or_the_kernel_refuses_changes_nothing(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, IPC_POLICY);
	answer(world.relay, -ENOMEM, "no room");
	expect(world.relay, IPC_POLICY_ABORT);
	assert_true(read_answer(apply, DEADLINE_MS));
	assert_non_null(strstr(apply->error, "no room"));
	finish(apply, 1);

	apply = ask("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, IPC_POLICY);
	answer(world.relay, 0, "");
	expect(world.keeper, IPC_PLAN);
	answer(world.keeper, -EBUSY, "busy");
	expect(world.relay, IPC_POLICY_ABORT);
	finish(apply, 1);

	apply = ask("policy apply conf2 --allow-empty --allow-open", "zone x { interface }");
	assert_true(read_answer(apply, DEADLINE_MS));
	assert_non_null(strstr(apply->error, "conf2:1:"));
	finish(apply, 1);
	expect_policy("lease 1h");
}

static void an_apply_goes_its_steps_in_order(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login eve zone staff address 198.51.100.7", NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, IPC_POLICY);
	uint64_t number = in.policy.number;
	answer(world.relay, 0, "");
	expect(world.keeper, IPC_PLAN);
	answer(world.keeper, 0, "");
	expect(world.relay, IPC_POLICY_COMMIT);
	assert_int_equal(in.policy.number, number);
	answer(world.relay, 0, "");
	/* the zone is gone: its session is set aside */
	expect(world.relay, IPC_KILL);
	expect(world.relay, IPC_SESSIONS);
	expect(world.keeper, IPC_ENTRIES);
	assert_int_equal(in.entries.flush, 1);
	answer(world.keeper, 0, "");
	assert_true(read_answer(apply, DEADLINE_MS));
	assert_non_null(strstr(apply->text, "zone staff is gone: 1 session set aside"));
	finish(apply, 0);
	expect_policy("lease 2h");
}

/* Lets an apply run until a step and kills control there; then a new control starts. */
static void kill_at(int step, const char *has)
{
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", changed_text);
	expect(world.relay, IPC_POLICY);
	if (step > 0) {
		answer(world.relay, 0, "");
		expect(world.keeper, IPC_PLAN);
	}
	if (step > 1) {
		answer(world.keeper, 0, "");
		expect(world.relay, IPC_POLICY_COMMIT);
	}
	stop_control(SIGKILL);
	close(apply->fd);
	request_reader_fini(&apply->reader);
	free(apply);
	start_control();
	greet_control();
	add_relay();
	expect_policy(has);
}

static void killed_in_an_apply_the_old_or_the_new_policy_runs(void **state)
{
	(void)state;
	greet_control();
	add_relay();
	finish(ask("session login ann zone guest address 192.0.2.7 mac " MAC7, NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	kill_at(0, "lease 1h");
	kill_at(1, "lease 1h");
	kill_at(2, "lease 2h");
	struct asked *show = ask("session show user ann", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_non_null(strstr(show->rows, MAC7));
	finish(show, 0);
}

static void what_is_no_request_is_refused_and_others_go_on(void **state)
{
	static const uint8_t future[] = {'P', 'S', 9, 1, 0, 0, 0, 0};
	(void)state;
	greet_control();
	struct asked *half = connect_asked(world.control_path);
	send_frame(half->fd, REQUEST_WORDS, "policy\0show", 12);

	struct asked *other = connect_asked(world.control_path);
	assert_int_equal(send(other->fd, future, sizeof(future), 0), sizeof(future));
	assert_true(read_answer(other, DEADLINE_MS));
	assert_non_null(strstr(other->error, "version"));
	finish(other, 1);

	expect_policy("lease 1h");
	send_frame(half->fd, REQUEST_GO, NULL, 0);
	finish(half, 0);
	finish(ask("nonsense", NULL), 2);
	finish(ask("rule show no such rule", NULL), 2);
	finish(ask_at(world.session_path, "policy show", NULL), 1);
	finish(ask_at(world.session_path, "session show", NULL), 0);
}

static void too_many_connections_are_turned_away(void **state)
{
	int fds[64];
	(void)state;
	greet_control();
	for (unsigned i = 0; i < 64; i++)
		fds[i] = connect_to(world.control_path);
	struct asked *late = connect_asked(world.control_path);
	assert_true(read_answer(late, DEADLINE_MS));
	assert_non_null(strstr(late->error, "too many"));
	finish(late, 1);
	for (unsigned i = 0; i < 64; i++)
		close(fds[i]);
	/* the places are free again, as soon as control has seen it */
	for (int status = 1; status;) {
		struct asked *asked = ask("policy show", NULL);
		assert_true(read_answer(asked, DEADLINE_MS));
		status = asked->status;
		finish(asked, status);
	}
}

static void a_bad_file_does_not_stop_the_running_policy(void **state)
{
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	write_config("zone {\n");
	start_control();
	greet_control();
	expect_policy("lease 1h");
	stop_control(SIGKILL);
	write_config(longer_text);
	start_control();
	greet_control_until_plan(0, 0);
	see_another_policy();
	expect_ready();
	expect_policy("lease 2h");
}

static void a_changed_file_that_the_kernel_refuses_is_not_the_running_policy(void **state)
{
	(void)state;
	greet_control();
	for (unsigned start = 0; start < 2; start++) {
		stop_control(SIGKILL);
		write_config(longer_text);
		start_control();
		greet_control_until_plan(0, 0);
		expect_plan(PLAN_RUNNING);
		answer(world.keeper, -EINVAL, "no");
		expect_ready();
		expect_policy("lease 1h");
	}
}

/* A new kernel, a new version: what ran does not run any more. */
static void a_policy_that_the_kernel_refuses_gives_way_to_the_one_before(void **state)
{
	(void)state;
	greet_control();
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", changed_text);
	see_another_policy();
	finish(apply, 0);
	expect_policy("lease 2h");
	stop_control(SIGKILL);
	start_control();
	greet_control_until_plan(0, -EINVAL);
	see_another_policy();
	expect_ready();
	expect_policy("lease 1h");
	/* and it is the running one at the next start, too */
	stop_control(SIGKILL);
	start_control();
	greet_control();
	expect_policy("lease 1h");
}

/* Control was stopped while it asked, or the keeper: nobody has looked at the plan. */
static void a_plan_that_came_too_late_is_not_refused(void **state)
{
	int status;
	(void)state;
	greet_control();
	struct asked *apply = ask("policy apply conf2 --allow-empty --allow-open", changed_text);
	see_another_policy();
	finish(apply, 0);
	stop_control(SIGKILL);
	start_control();
	greet_control_until_plan(0, -ETIME);
	assert_false(receive(world.keeper, DEADLINE_MS, NULL)); /* nor is another one tried */
	assert_int_equal(waitpid(world.pid, &status, 0), world.pid);
	world.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	stop_control(0);
	start_control();
	greet_control();
	expect_policy("lease 2h");
}

static void where_no_plan_is_taken_the_one_in_the_kernel_goes_on(void **state)
{
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	start_control();
	greet_control_until_plan(-EEXIST, -EINVAL);
	expect_ready();
	expect_policy("lease 1h");
}

static void where_no_plan_is_taken_and_none_is_there_the_posture_is_all(void **state)
{
	int status;
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	start_control();
	greet_control_until_plan(0, -EINVAL);
	assert_int_equal(waitpid(world.pid, &status, 0), world.pid);
	world.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

static void without_any_policy_there_is_no_start(void **state)
{
	int status;
	(void)state;
	greet_control();
	stop_control(SIGKILL);
	char command[256];
	snprintf(command, sizeof(command), "rm -rf %s/policy", world.state);
	assert_int_equal(system(command), 0);
	write_config("zone {\n");
	start_control();
	assert_int_equal(waitpid(world.pid, &status, 0), world.pid);
	world.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_login_is_effective_before_it_is_answered),
		CASE(a_cached_verdict_ends_with_the_lease),
		CASE(the_end_of_a_lease_ends_flows),
		CASE(who_is_answered_without_a_login_stays_unknown_to_the_kernel),
		CASE(another_address_of_the_mac_is_learned),
		CASE(the_first_address_of_a_mac_alone_is_learned),
		CASE(a_logout_ends_verdicts_and_flows),
		CASE(only_who_passed_is_cut_and_one_address_at_a_time),
		CASE(a_login_renews_or_replaces_and_has_its_limit),
		CASE(a_login_for_everybody_is_refused),
		CASE(without_mac_the_neighbour_table_is_asked),
		CASE(a_list_entry_takes_the_verdict_out_of_the_kernel),
		CASE(an_apply_that_a_relay_or_the_kernel_refuses_changes_nothing),
		CASE(an_apply_goes_its_steps_in_order),
		CASE(killed_in_an_apply_the_old_or_the_new_policy_runs),
		CASE(what_is_no_request_is_refused_and_others_go_on),
		CASE(too_many_connections_are_turned_away),
		CASE(a_bad_file_does_not_stop_the_running_policy),
		CASE(a_changed_file_that_the_kernel_refuses_is_not_the_running_policy),
		CASE(a_policy_that_the_kernel_refuses_gives_way_to_the_one_before),
		CASE(a_plan_that_came_too_late_is_not_refused),
		CASE(where_no_plan_is_taken_the_one_in_the_kernel_goes_on),
		CASE(where_no_plan_is_taken_and_none_is_there_the_posture_is_all),
		CASE(without_any_policy_there_is_no_start),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
