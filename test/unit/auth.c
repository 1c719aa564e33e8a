/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins from their first word to their verdict, in the real process's code, at a file of users. */
#include "test/lib/auth_smtp.h"

#include "daemon/auth/crowd.h"

#include <crypt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] =
	"certificate c { file \"/c\" key \"/k\" }\n"
	"auth one { file \"/one\" }\n"
	"auth two { file \"/two\" domain \"hotel.example\" mechanism PLAIN }\n"
	"server s { host 192.0.2.1 }\n"
	"listener both { address 203.0.113.1 port 587 auth one, two tls require { certificate c } "
	"}\n"
	"listener second { address 203.0.113.2 port 587 auth two tls require { certificate c } }\n"
	"listener clear { address 203.0.113.3 auth one tls none { insecure } }\n"
	"rule r { listener both, second user any group \"staff\", \"desk\" server s }\n";

static void put_users(const char *file, const char *lines)
{
	union {
		struct ipc_credential ipc;
		uint8_t room[sizeof(struct ipc_credential) + 4096];
	} put;

	ipc_init(&put.ipc, IPC_CREDENTIAL, sizeof(put.ipc));
	put.ipc.kind = CREDENTIAL_USERS;
	put.ipc.file_bytes = (uint32_t)strlen(lines);
	put.ipc.header.bytes += put.ipc.file_bytes;
	snprintf(put.ipc.file, sizeof(put.ipc.file), "%s", file);
	memcpy(put.ipc.data, lines, strlen(lines));
	assert_int_equal(tls_credentials_put(&auth_smtp.replica.credentials, &put.ipc, -1), 0);
}

static const char *line(const char *user, const char *password, const char *rest)
{
	static char made[512];
	/* of little cost: the tests guess often */
	const char *hash = crypt(password, "$5$rounds=1000$saltsalt");
	assert_non_null(hash);
	snprintf(made, sizeof(made), "%s:%s%s\n", user, hash, rest);
	return made;
}

static int set_up(void **state)
{
	char users[1024] = "";

	(void)state;
	auth_smtp_init(text);
	strcat(users, line("anna", "secret", ":staff,other:anna@hotel.example,x,@hotel.example"));
	strcat(users, line("bert", "bert's", ""));
	put_users("/one", users);
	strcpy(users, line("carl@hotel.example", "carl's", ":desk"));
	strcat(users, line("dora@hotel.example", "dora's", "::post@rooms.example"));
	put_users("/two", users);
	auth_smtp_begin();
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	auth_smtp_fini();
	return 0;
}

static void each_listener_offers_what_its_backends_can(void **state)
{
	(void)state;
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.listener, "both");
	assert_string_equal(auth_smtp_heard.offer.mechanisms, "PLAIN LOGIN");
	assert_string_equal(auth_smtp_heard.offer.clear, "");
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.listener, "second");
	assert_string_equal(auth_smtp_heard.offer.mechanisms, "PLAIN");
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_OFFER);
	assert_string_equal(auth_smtp_heard.offer.listener, "clear");
	assert_int_equal(auth_smtp_hear(), 0);
}

static void a_right_password_says_who_it_is(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_plain(7, "both", "anna", "secret");
	auth_smtp_run(100);
	auth_smtp_expect(7, AUTH_OK, "one");
	assert_true(session_decode(auth_smtp_heard.verdict.session,
			    auth_smtp_heard.verdict.session_bytes, &session, storage) > 0);
	assert_int_equal(session.kind, SESSION_AUTH);
	assert_string_equal(session.user.text, "anna");
	assert_string_equal(session.zone.text, "both");
	/* what no rule names, and what is no address or all of a domain, is left out */
	assert_int_equal(session.ngroups, 1);
	assert_string_equal(session.groups[0].text, "staff");
	assert_int_equal(session.nmails, 1);
	assert_string_equal(session.mails[0].text, "anna@hotel.example");
	free(storage);
}

/* A name is an address only of who has no other. */
static void an_address_that_is_given_is_the_only_one(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_plain(1, "second", "dora", "dora's");
	auth_smtp_run(100);
	auth_smtp_expect(1, AUTH_OK, "two");
	assert_true(session_decode(auth_smtp_heard.verdict.session,
			    auth_smtp_heard.verdict.session_bytes, &session, storage) > 0);
	assert_int_equal(session.nmails, 1);
	assert_string_equal(session.mails[0].text, "post@rooms.example");
	free(storage);
}

static void who_is_unknown_to_one_is_asked_of_the_next(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_plain(1, "both", "carl", "carl's");
	auth_smtp_run(100);
	auth_smtp_expect(1, AUTH_OK, "two");
	assert_true(session_decode(auth_smtp_heard.verdict.session,
			    auth_smtp_heard.verdict.session_bytes, &session, storage) > 0);
	assert_string_equal(session.user.text, "carl@hotel.example");
	assert_string_equal(session.mails[0].text, "carl@hotel.example");
	free(storage);
	/* anna is the first's, and no other is asked with a wrong password */
	assert_int_equal(backends_find(&auth_smtp, "two")->state.counts.asked, 1);
	auth_smtp_plain(2, "both", "anna", "carl's");
	auth_smtp_run(100);
	assert_int_equal(backends_find(&auth_smtp, "two")->state.counts.asked, 1);
}

static void every_no_is_the_same_and_takes_as_long(void **state)
{
	static const char *const users[] = {"anna", "nobody", "bert"};
	uint64_t begun = auth_smtp_now_ms();
	(void)state;
	auth_smtp_hear_offers();
	for (size_t i = 0; i < 3; i++)
		auth_smtp_plain(i + 1, "both", users[i], "wrong");
	auth_smtp_run(GUESS_DELAY_MS / 2);
	assert_int_equal(auth_smtp_hear(), 0);
	while (auth_smtp.attempts.first)
		auth_smtp_run(10);
	assert_true(auth_smtp_now_ms() - begun >= GUESS_DELAY_MS);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(auth_smtp_hear(), IPC_AUTH_VERDICT);
		assert_int_equal(auth_smtp_heard.verdict.verdict, AUTH_REFUSED);
		assert_int_equal(auth_smtp_heard.verdict.session_bytes, 0);
		assert_string_equal(auth_smtp_heard.verdict.text, "");
	}
}

static void login_is_asked_for_name_and_password(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_ask(3, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
	auth_smtp_run(20);
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_CHALLENGE);
	assert_memory_equal(auth_smtp_heard.challenge.challenge, "Username:", 9);
	auth_smtp_respond(3, "anna");
	auth_smtp_run(20);
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_CHALLENGE);
	assert_memory_equal(auth_smtp_heard.challenge.challenge, "Password:", 9);
	auth_smtp_respond(3, "secret");
	auth_smtp_run(100);
	auth_smtp_expect(3, AUTH_OK, "one");
}

/* Also where the policy has other places now, or none of this name. */
static void another_policy_refuses_nobody_who_is_about_to_log_in(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_ask(3, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
	auth_smtp_run(20);
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_CHALLENGE);
	auth_smtp_respond(3, "anna");
	auth_smtp_run(20);
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_CHALLENGE);
	auth_world_follow(auth_smtp_world);
	auth_smtp_expect(3, AUTH_LATER, "");
	auth_smtp_hear_offers();
	/* the two crossed */
	auth_smtp_respond(3, "secret");
	auth_smtp_run(20);
	auth_smtp_expect(3, AUTH_LATER, "");
}

static void what_cannot_be_is_said_at_once(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_ask(1, "second", "LOGIN", "192.0.2.7", "", 0, false);
	auth_smtp_ask(2, "both", "CRAM-MD5", "192.0.2.7", "", 0, false);
	auth_smtp_ask(3, "nowhere", "PLAIN", "192.0.2.7", "", 0, false);
	auth_smtp_ask(4, "both", "PLAIN", "192.0.2.7", "anna", 4, true);
	auth_smtp_run(20);
	auth_smtp_expect(1, AUTH_NO_MECHANISM, "");
	auth_smtp_expect(2, AUTH_NO_MECHANISM, "");
	auth_smtp_expect(3, AUTH_LATER, "");
	auth_smtp_expect(4, AUTH_MALFORMED, "");
}

/* Whatever its smtp let through: no backend sees a password that everybody could read, but where
 * the listener says so. */
static void a_password_in_clear_is_not_asked_for(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_in_clear = true;
	auth_smtp_plain(1, "both", "anna", "secret");
	auth_smtp_ask(2, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
	auth_smtp_plain(3, "clear", "anna", "secret");
	auth_smtp_run(100);
	auth_smtp_expect(1, AUTH_NO_MECHANISM, "");
	auth_smtp_expect(2, AUTH_NO_MECHANISM, "");
	auth_smtp_expect(3, AUTH_OK, "one");
	assert_int_equal(backends_find(&auth_smtp, "one")->state.counts.asked, 1);
}

static void who_guesses_is_not_asked_for_any_more(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	for (uint64_t id = 1; id <= 20; id++) {
		auth_smtp_plain(id, "both", "anna", "wrong");
		auth_smtp_run(5);
	}
	auth_smtp_run(200);
	unsigned limited = 0;
	while (auth_smtp_hear() == IPC_AUTH_VERDICT)
		limited += auth_smtp_heard.verdict.verdict == AUTH_LIMITED;
	assert_int_equal(limited, 20 - GUESS_PER_PAIR);
	assert_int_equal(backends_find(&auth_smtp, "one")->state.counts.asked, GUESS_PER_PAIR);
	/* she herself comes from elsewhere */
	char response[] = "\0anna\0secret";
	auth_smtp_ask(99, "both", "PLAIN", "192.0.2.8", response, sizeof(response) - 1, true);
	auth_smtp_run(100);
	auth_smtp_expect(99, AUTH_OK, "one");
}

static void whom_nobody_waits_for_hears_nothing(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_ask(3, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
	auth_smtp_run(20);
	assert_int_equal(auth_smtp_hear(), IPC_AUTH_CHALLENGE);
	auth_smtp_cancel(3);
	auth_smtp_run(20);
	assert_int_equal(auth_smtp_hear(), 0);
	assert_null(auth_smtp.attempts.first);
}

static void who_says_nothing_makes_room(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	for (uint64_t id = 1; id <= ATTEMPTS_MAX; id++) {
		auth_smtp_ask(id, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
		assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	}
	auth_smtp_plain(20000, "both", "anna", "secret");
	auth_smtp_expect(20000, AUTH_OK, "one");
	auth_smtp_ask(20001, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
	/* only the first had to */
	auth_smtp_respond(1, "anna");
	auth_smtp_expect(1, AUTH_LATER, "");
	auth_smtp_respond(2, "anna");
	assert_int_equal(auth_smtp_await(), IPC_AUTH_CHALLENGE);
}

/* Of a network each, so that no limit of a place holds them up. */
static void ask_from(unsigned place, uint64_t id, const char *user, const char *password)
{
	char from[32], response[64];
	int len = snprintf(response, sizeof(response), "%c%s%c%s", 0, user, 0, password);

	snprintf(from, sizeof(from), "2001:db8:%x::1", place);
	auth_smtp_ask(id, "both", "PLAIN", from, response, (size_t)len, true);
	if (id % 32 == 0)
		auth_smtp_run(1);
}

static unsigned are_in(enum attempt_state state)
{
	unsigned n = 0;

	for (const struct attempt *at = auth_smtp.attempts.first; at; at = at->next)
		n += at->state == state;
	return n;
}

/* What is heard up to the verdict of one. */
static enum auth_verdict await_verdict_of(uint64_t id)
{
	do
		assert_int_equal(auth_smtp_await(), IPC_AUTH_VERDICT);
	while (auth_smtp_heard.verdict.id != id);
	return (enum auth_verdict)auth_smtp_heard.verdict.verdict;
}

static void who_is_told_no_makes_room(void **state)
{
	uint64_t id = 0;
	(void)state;
	auth_smtp_hear_offers();
	while (are_in(ATTEMPT_HOLDS) < ATTEMPTS_MAX) {
		id++;
		ask_from((unsigned)id, id, "nobody", "");
		while (auth_smtp_hear())
			;
	}
	auth_smtp_plain(90000, "both", "anna", "secret");
	assert_int_equal(await_verdict_of(90000), AUTH_OK);
}

/* A file whose passwords cost much, and whoever guesses at them from everywhere. */
static void who_is_known_does_not_wait_for_a_crowd(void **state)
{
	char users[512];
	unsigned limited = 0;
	uint64_t id = 1;
	(void)state;
	auth_smtp_hear_offers();
	auth_smtp_plain(id, "both", "bert", "bert's");
	auth_smtp_expect(id, AUTH_OK, "one");
	snprintf(users, sizeof(users), "anna:%s\n", crypt("secret", "$5$rounds=20000$saltsalt"));
	strcat(users, line("bert", "bert's", ""));
	put_users("/one", users);
	while (limited == 0) {
		id++;
		ask_from((unsigned)id, id, "anna", "x");
		while (auth_smtp_hear())
			limited += auth_smtp_heard.verdict.verdict == AUTH_LIMITED;
	}
	assert_in_range(are_in(ATTEMPT_ASKS), CROWD_STRANGERS - 100, CROWD_STRANGERS);
	auth_smtp_plain(90000, "both", "bert", "bert's");
	assert_int_equal(await_verdict_of(90000), AUTH_OK);
	assert_true(are_in(ATTEMPT_ASKS) > CROWD_STRANGERS / 2);
}

static unsigned beats;

static void on_beat(struct loop_timer *timer, uint64_t ms)
{
	beats++;
	loop_timer_set(auth_smtp.loop, timer, ms + 1);
}

/* Each comparison holds the processor: what else is due comes in between. */
static void a_crowd_leaves_time_for_others(void **state)
{
	static struct loop_timer beat;
	unsigned told = 0;
	(void)state;
	auth_smtp_hear_offers();
	put_users("/one", line("anna", "secret", ""));
	for (uint64_t id = 1; id <= 30; id++) {
		char from[32], response[] = "\0anna\0secret";
		snprintf(from, sizeof(from), "198.51.100.%u", (unsigned)id);
		auth_smtp_ask(id, "both", "PLAIN", from, response, sizeof(response) - 1, true);
	}
	beats = 0;
	beat.on_time = on_beat;
	loop_timer_set(auth_smtp.loop, &beat, auth_smtp_now_ms());
	while (auth_smtp.attempts.first || !told) {
		auth_smtp_run(5);
		while (auth_smtp_hear() == IPC_AUTH_VERDICT)
			told += auth_smtp_heard.verdict.verdict == AUTH_OK;
	}
	loop_timer_clear(auth_smtp.loop, &beat);
	assert_int_equal(told, 30);
	assert_true(beats >= 15);
}

/* What is over meanwhile has no turn. */
static void a_turn_may_come_too_late(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	for (uint64_t id = 1; id <= 3; id++) {
		auth_smtp_plain(id, "both", "anna", "secret");
		if (id != 2)
			auth_smtp_cancel(id);
	}
	auth_smtp_run(100);
	auth_smtp_expect(2, AUTH_OK, "one");
	assert_int_equal(auth_smtp_hear(), 0);
}

static void a_file_that_is_gone_is_no_refusal(void **state)
{
	(void)state;
	auth_smtp_hear_offers();
	tls_credentials_fini(&auth_smtp.replica.credentials);
	backends_renew(&auth_smtp);
	auth_smtp_plain(1, "both", "anna", "secret");
	auth_smtp_run(50);
	auth_smtp_expect(1, AUTH_LATER, "one");
	assert_int_equal(backends_find(&auth_smtp, "one")->state.up, 0);
	put_users("/one", line("anna", "secret", ""));
	backends_renew(&auth_smtp);
	auth_smtp_plain(2, "both", "anna", "secret");
	auth_smtp_run(100);
	auth_smtp_expect(2, AUTH_OK, "one");
	assert_int_equal(backends_find(&auth_smtp, "one")->state.up, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
	const struct CMUnitTest tests[] = {
		CASE(each_listener_offers_what_its_backends_can),
		CASE(a_right_password_says_who_it_is),
		CASE(an_address_that_is_given_is_the_only_one),
		CASE(who_is_unknown_to_one_is_asked_of_the_next),
		CASE(every_no_is_the_same_and_takes_as_long),
		CASE(login_is_asked_for_name_and_password),
		CASE(another_policy_refuses_nobody_who_is_about_to_log_in),
		CASE(what_cannot_be_is_said_at_once),
		CASE(a_password_in_clear_is_not_asked_for),
		CASE(who_guesses_is_not_asked_for_any_more),
		CASE(whom_nobody_waits_for_hears_nothing),
		CASE(who_says_nothing_makes_room),
		CASE(who_is_told_no_makes_room),
		CASE(who_is_known_does_not_wait_for_a_crowd),
		CASE(a_crowd_leaves_time_for_others),
		CASE(a_turn_may_come_too_late),
		CASE(a_file_that_is_gone_is_no_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
