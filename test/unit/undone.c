/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control takes back: a login, a logout or a policy that the kernel or the disk did not take,
 * a policy that nobody confirmed, a bypass that root switched off by himself. Nothing of it is in
 * force afterwards, nor behind a crash. */
#include "test/lib/control_world.h"

#include <sys/resource.h>

#define LOGIN(user) "session login " user " zone guest address 192.0.2.7 mac " MAC7

static const char other_text[] = "language 1\n"
				 "zone guest { interface \"br0\" lease 2h }\n"
				 "server relay { host 203.0.113.10 }\n"
				 "rule guests { zone guest user any server relay }\n";

static void begin(void)
{
	greet_control();
	add_relay();
}

/* From here on no file of control's takes a byte; or all do. */
static void let_disk_be_full(bool full)
{
	struct rlimit limit;
	assert_int_equal(prlimit(world.pid, RLIMIT_FSIZE, NULL, &limit), 0);
	limit.rlim_cur = full ? 0 : limit.rlim_max;
	assert_int_equal(prlimit(world.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

static void crash_and_start(void)
{
	stop_control(SIGKILL);
	start_control();
	begin();
}

static void expect_refusal(struct asked *asked, const char *what, const char *why)
{
	assert_true(read_answer(asked, DEADLINE_MS));
	assert_non_null(strstr(asked->error, what));
	assert_non_null(strstr(asked->error, why));
	finish(asked, 1);
}

/* What the row of the user's session has and lacks. NULL: he has none. */
static void expect_session(const char *user, const char *has, const char *lacks)
{
	char words[64];
	snprintf(words, sizeof(words), "session show user %s", user);
	struct asked *show = ask(words, NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	if (has) {
		assert_non_null(strstr(show->rows, has));
		assert_null(strstr(show->rows, lacks));
	} else {
		assert_string_equal(show->rows, "");
	}
	finish(show, show->status);
}

static void expect_policy(const char *has)
{
	struct asked *show = ask("policy show", NULL);
	assert_true(read_answer(show, DEADLINE_MS));
	assert_non_null(strstr(show->text, has));
	finish(show, 0);
}

/* The next message of the keeper's is a plan of so many zones. */
static void expect_zones(size_t zones)
{
	struct plan plan;
	void *bytes;
	size_t len;
	int fd;
	assert_true(receive(world.keeper, DEADLINE_MS, &fd));
	assert_int_equal(in.header.type, IPC_PLAN);
	assert_int_equal(channel_map(fd, &bytes, &len), 0);
	assert_int_equal(plan_decode(bytes, len, &plan), 0);
	assert_int_equal(plan.mode, PLAN_RUNNING);
	assert_int_equal(plan.nzones, zones);
	plan_fini(&plan);
	munmap(bytes, len);
}

/* ---- logins ---- */

static void a_login_that_the_kernel_does_not_take(void **state)
{
	(void)state;
	begin();
	admit("br0", "192.0.2.7", MAC7);
	struct asked *login = ask(LOGIN("ann"), NULL);
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, -EIO, "no room");
	expect_refusal(login, "cannot be put in force", "no room");
	expect(world.relay, IPC_SESSIONS);
	expect(world.relay, IPC_SESSION_GONE);
	expect_session("ann", NULL, NULL);
	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.mark, MARK_REJECT);
	crash_and_start();
	expect_session("ann", NULL, NULL);
}

static void a_login_that_the_disk_does_not_take(void **state)
{
	(void)state;
	begin();
	let_disk_be_full(true);
	expect_refusal(ask(LOGIN("ann"), NULL), "cannot be put in force", "cannot be stored");
	expect(world.relay, IPC_SESSIONS);
	expect(world.relay, IPC_SESSION_GONE);
	expect_session("ann", NULL, NULL);
	admit("br0", "192.0.2.7", MAC7);
	assert_int_equal(in.verdict.mark, MARK_REJECT);
	let_disk_be_full(false);
	struct asked *login = ask(LOGIN("bob"), NULL);
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	finish(login, 0);
	crash_and_start();
	expect_session("ann", NULL, NULL);
	expect_session("bob", MAC7, "ann");
}

static void a_renewal_leaves_the_session_as_it_was(void **state)
{
	(void)state;
	begin();
	finish(ask(LOGIN("ann") " group staff", NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br0", "192.0.2.7", MAC7);
	struct asked *again = ask(LOGIN("ann") " group guests", NULL);
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, -EIO, "no room");
	expect_refusal(again, "cannot be put in force", "no room");
	expect(world.relay, IPC_SESSIONS);
	expect(world.relay, IPC_SESSIONS);
	expect_session("ann", "staff", "guests");
	crash_and_start();
	expect_session("ann", "staff", "guests");
}

static void who_would_be_replaced_stays_with_his_flows(void **state)
{
	(void)state;
	begin();
	finish(ask(LOGIN("ann"), NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br0", "192.0.2.7", MAC7);
	struct asked *other = ask(LOGIN("bob"), NULL);
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, -EIO, "no room");
	expect_refusal(other, "cannot be put in force", "no room");
	expect(world.relay, IPC_SESSION_GONE);
	assert_int_equal(in.gone.id, 1);
	expect(world.relay, IPC_SESSIONS);
	expect(world.relay, IPC_SESSION_GONE);
	assert_int_equal(in.gone.id, 2);
	expect(world.relay, IPC_SESSIONS);
	assert_false(receive(world.relay, 100, NULL));
	expect_session("ann", MAC7, "bob");
	expect_session("bob", NULL, NULL);
	crash_and_start();
	expect_session("ann", MAC7, "bob");
	expect_session("bob", NULL, NULL);
}

static void a_logout_that_the_kernel_does_not_take(void **state)
{
	(void)state;
	begin();
	finish(ask(LOGIN("ann"), NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	admit("br0", "192.0.2.7", MAC7);
	struct asked *logout = ask("session logout user ann", NULL);
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, -EIO, "no room");
	expect_refusal(logout, "not logged out", "no room");
	expect(world.relay, IPC_SESSION_GONE);
	expect(world.relay, IPC_SESSIONS);
	assert_false(receive(world.relay, 100, NULL));
	expect_session("ann", MAC7, "bob");
	crash_and_start();
	expect_session("ann", MAC7, "bob");
}

static void a_logout_that_the_disk_does_not_take(void **state)
{
	(void)state;
	begin();
	finish(ask(LOGIN("ann"), NULL), 0);
	expect(world.relay, IPC_SESSIONS);
	let_disk_be_full(true);
	expect_refusal(ask("session logout user ann", NULL), "not logged out", "cannot be stored");
	let_disk_be_full(false);
	expect(world.relay, IPC_SESSION_GONE);
	expect(world.relay, IPC_SESSIONS);
	assert_false(receive(world.relay, 100, NULL));
	expect_session("ann", MAC7, "bob");
	crash_and_start();
	expect_session("ann", MAC7, "bob");
}

/* ---- policies ---- */

/* Plans are written to memory, which counts as a file: so it is the folder that is away. */
static void let_policies_have_a_folder(bool there)
{
	char folder[160], away[160];
	snprintf(folder, sizeof(folder), "%s/policy", world.state);
	snprintf(away, sizeof(away), "%s/away", world.state);
	assert_int_equal(rename(there ? away : folder, there ? folder : away), 0);
}

/* An apply by a client up to the disk. */
static struct asked *begin_apply(const char *options)
{
	char words[128];
	snprintf(words, sizeof(words), "policy apply conf2 --allow-empty --allow-open%s", options);
	struct asked *apply = ask(words, other_text);
	expect(world.relay, IPC_POLICY);
	answer(world.relay, 0, "");
	expect_zones(1);
	answer(world.keeper, 0, "");
	return apply;
}

static void a_policy_that_the_disk_does_not_take(void **state)
{
	(void)state;
	begin();
	let_policies_have_a_folder(false);
	struct asked *apply = begin_apply("");
	expect_refusal(apply, "cannot be stored", "nothing has changed");
	let_policies_have_a_folder(true);
	expect(world.relay, IPC_POLICY_ABORT);
	expect_zones(3); /* the old ones, again */
	expect_policy("lease 1h");
	crash_and_start();
	expect_policy("lease 1h");
}

static void a_policy_that_nobody_confirms(void **state)
{
	(void)state;
	begin();
	struct asked *apply = begin_apply(" --confirm 1s");
	expect(world.relay, IPC_POLICY_COMMIT);
	answer(world.relay, 0, "");
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	finish(apply, 0);
	/* nobody asks for what follows */
	expect(world.relay, IPC_POLICY);
	answer(world.relay, 0, "");
	expect_zones(3);
	answer(world.keeper, 0, "");
	expect(world.relay, IPC_POLICY_COMMIT);
	answer(world.relay, 0, "");
	expect(world.keeper, IPC_ENTRIES);
	answer(world.keeper, 0, "");
	expect_policy("lease 1h");
	crash_and_start();
	expect_policy("lease 1h");
}

/* The questions of one `bypass show`. */
struct facts_asked {
	uint32_t counters, text;
};

static struct facts_asked expect_facts_asked(void)
{
	struct facts_asked asked;
	expect(world.keeper, IPC_KERNEL_COUNTERS_GET);
	asked.counters = in.header.seq;
	expect(world.keeper, IPC_DOCTOR_GET);
	asked.text = in.header.seq;
	return asked;
}

static void answer_facts(const struct facts_asked *asked, const char *line)
{
	struct ipc_text text;
	ipc_init(&text, IPC_TEXT, sizeof(text));
	text.header.seq = asked->text;
	strcpy(text.text, line);
	if (*line)
		send_to(world.keeper, &text, -1);
	answer_seq(world.keeper, asked->text, 0, "");
	answer_seq(world.keeper, asked->counters, -EIO, "");
}

static bool is_kept(const char *name)
{
	char path[192];
	struct stat st;
	snprintf(path, sizeof(path), "%s/%s", world.state, name);
	return stat(path, &st) == 0 && st.st_size > 0;
}

/* By root, without control, which hears of both within one turn: what the state folder says in the
 * end is what the next start puts in force. */
static void a_bypass_that_was_switched_off_again(void **state)
{
	struct asked *shows[2];
	struct facts_asked asked[2];
	(void)state;
	begin();
	for (int i = 0; i < 2; i++) {
		shows[i] = ask("bypass show", NULL);
		asked[i] = expect_facts_asked();
	}
	hold_control();
	answer_facts(&asked[0], "bypass * 1200");
	answer_facts(&asked[1], "");
	let_control_go();
	assert_true(read_answer(shows[0], DEADLINE_MS));
	assert_non_null(strstr(shows[0]->rows, "all"));
	assert_true(read_answer(shows[1], DEADLINE_MS));
	assert_string_equal(shows[1]->rows, "");
	finish(shows[0], 0);
	finish(shows[1], 0);
	stop_control(0); /* what was begun reaches the disk */
	assert_false(is_kept("bypass"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_login_that_the_kernel_does_not_take),
		CASE(a_login_that_the_disk_does_not_take),
		CASE(a_renewal_leaves_the_session_as_it_was),
		CASE(who_would_be_replaced_stays_with_his_flows),
		CASE(a_logout_that_the_kernel_does_not_take),
		CASE(a_logout_that_the_disk_does_not_take),
		CASE(a_policy_that_the_disk_does_not_take),
		CASE(a_policy_that_nobody_confirms),
		CASE(a_bypass_that_was_switched_off_again),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
