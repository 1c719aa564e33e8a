/* Logins from their first word to their verdict, in the real process's code, at a file of users. */
#include "daemon/auth/auth.h"

#include "lib/language.h"

#include <crypt.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] =
	"certificate c { file \"/c\" key \"/k\" }\n"
	"auth one { file \"/one\" }\n"
	"auth two { file \"/two\" domain \"hotel.example\" mechanism PLAIN }\n"
	"server s { host 192.0.2.1 }\n"
	"listener both { address 203.0.113.1 port 587 auth one, two tls require { certificate c } "
	"}\n"
	"listener second { address 203.0.113.2 port 587 auth two tls require { certificate c } }\n"
	"rule r { listener both, second user any group \"staff\", \"desk\" server s }\n";

static struct auth auth;
static int pair[2];
static struct loop_timer stop;

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_stop(struct loop_timer *timer, uint64_t ms)
{
	(void)timer;
	(void)ms;
	loop_stop(auth.loop);
}

/* What is waiting is done; timers that are due by then, too. */
static void run(uint64_t ms)
{
	stop.on_time = on_stop;
	loop_timer_set(auth.loop, &stop, now_ms() + ms);
	loop_run(auth.loop);
}

static void put_users(const char *file, const char *lines)
{
	struct {
		struct ipc_credential ipc;
		uint8_t data[4096];
	} put;

	ipc_init(&put.ipc, IPC_CREDENTIAL, sizeof(put.ipc));
	put.ipc.kind = CREDENTIAL_USERS;
	put.ipc.file_bytes = (uint32_t)strlen(lines);
	put.ipc.header.bytes += put.ipc.file_bytes;
	snprintf(put.ipc.file, sizeof(put.ipc.file), "%s", file);
	memcpy(put.ipc.data, lines, strlen(lines));
	assert_int_equal(tls_credentials_put(&auth.replica.credentials, &put.ipc, -1), 0);
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
	static const uint8_t secret[SIPHASH_SECRET_SIZE] = "0123456789abcdef";
	static struct process_start start;
	static const struct child_face face;
	const struct language_world world = {.listens = true, .authenticates = true};
	struct language_diagnosis diagnosis;
	char users[1024] = "";

	(void)state;
	memset(&auth, 0, sizeof(auth));
	auth.start = &start;
	start.role = PROCESS_AUTH;
	auth.child.start = &start;
	auth.child.face = &face;
	auth.loop = auth.child.loop = loop_new();
	auth.guess = guess_new(secret);
	assert_int_equal(attempts_init(&auth.attempts), 0);
	assert_int_equal(replica_init(&auth.replica, 4025, NULL), 0);
	auth.replica.now->policy = language_parse("conf", text, strlen(text), &world, &diagnosis);
	if (!auth.replica.now->policy)
		fail_msg("%s", diagnosis.v[0].text);
	language_diagnosis_fini(&diagnosis);
	strcat(users, line("anna", "secret", ":staff,other:anna@hotel.example,x"));
	strcat(users, line("bert", "bert's", ""));
	put_users("/one", users);
	put_users("/two", line("carl@hotel.example", "carl's", ":desk"));
	backends_follow(&auth);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	asker_open(&auth, pair[1]);
	return 0;
}

static int take_down(void **state)
{
	(void)state;
	close(pair[0]);
	askers_close(&auth);
	backends_close(&auth);
	assert_null(auth.attempts.first);
	attempts_fini(&auth.attempts);
	guess_free(auth.guess);
	replica_fini(&auth.replica);
	loop_free(auth.loop);
	return 0;
}

/* ---- what smtp would say ---- */

static void ask(uint64_t id, const char *listener, const char *mechanism, const char *from,
	const void *response, size_t len, bool given)
{
	struct {
		struct ipc_auth_ask ipc;
		uint8_t room[1024];
	} out;

	ipc_init(&out.ipc, IPC_AUTH_ASK, sizeof(out.ipc));
	out.ipc.header.bytes += (uint32_t)len;
	out.ipc.id = id;
	assert_int_equal(addr_parse(from, strlen(from), &out.ipc.client.addr), 0);
	out.ipc.server = out.ipc.client;
	strcpy(out.ipc.listener, listener);
	strcpy(out.ipc.mechanism, mechanism);
	out.ipc.secured = 1;
	out.ipc.given = given;
	out.ipc.bytes = (uint16_t)len;
	if (len)
		memcpy(out.ipc.response, response, len);
	assert_int_equal(send(pair[0], &out, out.ipc.header.bytes, 0), out.ipc.header.bytes);
}

static void plain(uint64_t id, const char *listener, const char *user, const char *password)
{
	char response[256];
	int len = snprintf(response, sizeof(response), "%c%s%c%s", 0, user, 0, password);
	ask(id, listener, "PLAIN", "192.0.2.7", response, (size_t)len, true);
}

static void respond(uint64_t id, const char *response)
{
	struct {
		struct ipc_auth_response ipc;
		uint8_t room[1024];
	} out;

	ipc_init(&out.ipc, IPC_AUTH_RESPONSE, sizeof(out.ipc));
	out.ipc.bytes = (uint32_t)strlen(response);
	out.ipc.header.bytes += out.ipc.bytes;
	out.ipc.id = id;
	memcpy(out.ipc.response, response, strlen(response));
	assert_int_equal(send(pair[0], &out, out.ipc.header.bytes, 0), out.ipc.header.bytes);
}

static union {
	struct ipc_header header;
	struct ipc_auth_offer offer;
	struct ipc_auth_challenge challenge;
	struct ipc_auth_verdict verdict;
	uint8_t bytes[IPC_BYTES_MAX];
} heard;

/* 0: nothing is there. */
static unsigned hear(void)
{
	ssize_t len = recv(pair[0], &heard, sizeof(heard), 0);
	if (len < 0)
		return 0;
	assert_int_equal(ipc_check(&heard, (size_t)len), 0);
	return heard.header.type;
}

static void expect_verdict(uint64_t id, enum auth_verdict verdict, const char *name)
{
	assert_int_equal(hear(), IPC_AUTH_VERDICT);
	assert_int_equal(heard.verdict.id, id);
	assert_int_equal(heard.verdict.verdict, verdict);
	assert_string_equal(heard.verdict.auth, name);
}

static void hear_offers(void)
{
	while (hear() == IPC_AUTH_OFFER)
		;
}

/* ---- */

static void each_listener_offers_what_its_backends_can(void **state)
{
	(void)state;
	assert_int_equal(hear(), IPC_AUTH_OFFER);
	assert_string_equal(heard.offer.listener, "both");
	assert_string_equal(heard.offer.mechanisms, "PLAIN LOGIN");
	assert_string_equal(heard.offer.clear, "");
	assert_int_equal(hear(), IPC_AUTH_OFFER);
	assert_string_equal(heard.offer.listener, "second");
	assert_string_equal(heard.offer.mechanisms, "PLAIN");
	assert_int_equal(hear(), 0);
}

static void a_right_password_says_who_it_is(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;
	(void)state;
	hear_offers();
	plain(7, "both", "anna", "secret");
	run(100);
	expect_verdict(7, AUTH_OK, "one");
	assert_true(session_decode(heard.verdict.session, heard.verdict.session_bytes, &session,
			    storage) > 0);
	assert_int_equal(session.kind, SESSION_AUTH);
	assert_string_equal(session.user.text, "anna");
	assert_string_equal(session.zone.text, "both");
	/* what no rule names, and what is no address, is left out */
	assert_int_equal(session.ngroups, 1);
	assert_string_equal(session.groups[0].text, "staff");
	assert_int_equal(session.nmails, 1);
	assert_string_equal(session.mails[0].text, "anna@hotel.example");
	free(storage);
}

static void who_is_unknown_to_one_is_asked_of_the_next(void **state)
{
	struct session_storage *storage = malloc(session_storage_size());
	struct session session;
	(void)state;
	hear_offers();
	plain(1, "both", "carl", "carl's");
	run(100);
	expect_verdict(1, AUTH_OK, "two");
	assert_true(session_decode(heard.verdict.session, heard.verdict.session_bytes, &session,
			    storage) > 0);
	assert_string_equal(session.user.text, "carl@hotel.example");
	assert_string_equal(session.mails[0].text, "carl@hotel.example");
	free(storage);
	/* anna is the first's, and no other is asked with a wrong password */
	assert_int_equal(backends_find(&auth, "two")->state.asked, 1);
	plain(2, "both", "anna", "carl's");
	run(100);
	assert_int_equal(backends_find(&auth, "two")->state.asked, 1);
}

static void every_no_is_the_same_and_takes_as_long(void **state)
{
	static const char *const users[] = {"anna", "nobody", "bert"};
	uint64_t begun = now_ms();
	(void)state;
	hear_offers();
	for (size_t i = 0; i < 3; i++)
		plain(i + 1, "both", users[i], "wrong");
	run(GUESS_DELAY_MS / 2);
	assert_int_equal(hear(), 0);
	while (auth.attempts.first)
		run(10);
	assert_true(now_ms() - begun >= GUESS_DELAY_MS);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(hear(), IPC_AUTH_VERDICT);
		assert_int_equal(heard.verdict.verdict, AUTH_REFUSED);
		assert_int_equal(heard.verdict.session_bytes, 0);
		assert_string_equal(heard.verdict.text, "");
	}
}

static void login_is_asked_for_name_and_password(void **state)
{
	(void)state;
	hear_offers();
	ask(3, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
	run(20);
	assert_int_equal(hear(), IPC_AUTH_CHALLENGE);
	assert_memory_equal(heard.challenge.challenge, "Username:", 9);
	respond(3, "anna");
	run(20);
	assert_int_equal(hear(), IPC_AUTH_CHALLENGE);
	assert_memory_equal(heard.challenge.challenge, "Password:", 9);
	respond(3, "secret");
	run(100);
	expect_verdict(3, AUTH_OK, "one");
}

static void what_cannot_be_is_said_at_once(void **state)
{
	(void)state;
	hear_offers();
	ask(1, "second", "LOGIN", "192.0.2.7", "", 0, false);
	ask(2, "both", "CRAM-MD5", "192.0.2.7", "", 0, false);
	ask(3, "nowhere", "PLAIN", "192.0.2.7", "", 0, false);
	ask(4, "both", "PLAIN", "192.0.2.7", "anna", 4, true);
	run(20);
	expect_verdict(1, AUTH_NO_MECHANISM, "");
	expect_verdict(2, AUTH_NO_MECHANISM, "");
	expect_verdict(3, AUTH_LATER, "");
	expect_verdict(4, AUTH_MALFORMED, "");
}

static void who_guesses_is_not_asked_for_any_more(void **state)
{
	(void)state;
	hear_offers();
	for (uint64_t id = 1; id <= 20; id++) {
		plain(id, "both", "anna", "wrong");
		run(5);
	}
	run(200);
	unsigned limited = 0;
	while (hear() == IPC_AUTH_VERDICT)
		limited += heard.verdict.verdict == AUTH_LIMITED;
	assert_int_equal(limited, 20 - GUESS_PER_PAIR);
	assert_int_equal(backends_find(&auth, "one")->state.asked, GUESS_PER_PAIR);
	/* she herself comes from elsewhere */
	char response[] = "\0anna\0secret";
	ask(99, "both", "PLAIN", "192.0.2.8", response, sizeof(response) - 1, true);
	run(100);
	expect_verdict(99, AUTH_OK, "one");
}

static void whom_nobody_waits_for_hears_nothing(void **state)
{
	struct ipc_auth_cancel cancel;
	(void)state;
	hear_offers();
	ask(3, "both", "LOGIN", "192.0.2.7", NULL, 0, false);
	run(20);
	assert_int_equal(hear(), IPC_AUTH_CHALLENGE);
	ipc_init(&cancel, IPC_AUTH_CANCEL, sizeof(cancel));
	cancel.id = 3;
	assert_int_equal(send(pair[0], &cancel, sizeof(cancel), 0), sizeof(cancel));
	respond(3, "anna");
	run(20);
	assert_int_equal(hear(), 0);
	assert_null(auth.attempts.first);
}

static unsigned beats;

static void on_beat(struct loop_timer *timer, uint64_t ms)
{
	beats++;
	loop_timer_set(auth.loop, timer, ms + 1);
}

/* Each comparison holds the processor: what else is due comes in between. */
static void a_crowd_leaves_time_for_others(void **state)
{
	static struct loop_timer beat;
	unsigned told = 0;
	(void)state;
	hear_offers();
	put_users("/one", line("anna", "secret", ""));
	for (uint64_t id = 1; id <= 30; id++) {
		char from[32], response[] = "\0anna\0secret";
		snprintf(from, sizeof(from), "198.51.100.%u", (unsigned)id);
		ask(id, "both", "PLAIN", from, response, sizeof(response) - 1, true);
	}
	beats = 0;
	beat.on_time = on_beat;
	loop_timer_set(auth.loop, &beat, now_ms());
	while (auth.attempts.first || !told) {
		run(5);
		while (hear() == IPC_AUTH_VERDICT)
			told += heard.verdict.verdict == AUTH_OK;
	}
	loop_timer_clear(auth.loop, &beat);
	assert_int_equal(told, 30);
	assert_true(beats >= 15);
}

/* What is over meanwhile has no turn. */
static void a_turn_may_come_too_late(void **state)
{
	struct ipc_auth_cancel cancel;
	(void)state;
	hear_offers();
	for (uint64_t id = 1; id <= 3; id++) {
		plain(id, "both", "anna", "secret");
		ipc_init(&cancel, IPC_AUTH_CANCEL, sizeof(cancel));
		cancel.id = id;
		if (id != 2)
			assert_int_equal(send(pair[0], &cancel, sizeof(cancel), 0), sizeof(cancel));
	}
	run(100);
	expect_verdict(2, AUTH_OK, "one");
	assert_int_equal(hear(), 0);
}

static void a_file_that_is_gone_is_no_refusal(void **state)
{
	(void)state;
	hear_offers();
	tls_credentials_fini(&auth.replica.credentials);
	backends_renew(&auth);
	plain(1, "both", "anna", "secret");
	run(50);
	expect_verdict(1, AUTH_LATER, "one");
	assert_int_equal(backends_find(&auth, "one")->state.up, 0);
	put_users("/one", line("anna", "secret", ""));
	backends_renew(&auth);
	plain(2, "both", "anna", "secret");
	run(100);
	expect_verdict(2, AUTH_OK, "one");
	assert_int_equal(backends_find(&auth, "one")->state.up, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)
	const struct CMUnitTest tests[] = {
		CASE(each_listener_offers_what_its_backends_can),
		CASE(a_right_password_says_who_it_is),
		CASE(who_is_unknown_to_one_is_asked_of_the_next),
		CASE(every_no_is_the_same_and_takes_as_long),
		CASE(login_is_asked_for_name_and_password),
		CASE(what_cannot_be_is_said_at_once),
		CASE(who_guesses_is_not_asked_for_any_more),
		CASE(whom_nobody_waits_for_hears_nothing),
		CASE(a_crowd_leaves_time_for_others),
		CASE(a_turn_may_come_too_late),
		CASE(a_file_that_is_gone_is_no_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
