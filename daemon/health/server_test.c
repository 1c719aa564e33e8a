/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/health/server_test.h"

#include "daemon/health/server_test_steps.h"
#include "daemon/health/watched_target.h"
#include "daemon/tls/secure.h"
#include "lib/base/container.h"
#include "lib/policy/level.h"
#include "lib/policy/login_name.h"
#include "lib/tls/terms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each wait is shorter than control waits for the next row. */
#define WAIT_MS   15000
#define QUIT_MS   5000
#define LINE_SIZE 400

struct server_test {
	struct loop_watch watch; /* first */
	struct loop_timer deadline;
	struct dial dial;
	struct server_tests *tests;
	uint32_t seq; /* 0: not in use */
	struct terms terms;
	enum policy_bind bind;
	struct ipc_test asked;
	struct secret {
		char user[SMTP_LOGIN_USER_MAX + 1], bytes[CREDENTIAL_SECRET_BYTES_MAX];
		size_t user_len, len; /* 0: it is not there */
		bool given, insecure; /* the server has an account */
	} account;
	char from[TRIAL_PATH_SIZE];
	char login_name[LOGIN_NAME_SIZE];
	struct tried_list list;
	size_t at; /* of it */
	bool connected;
	bool without; /* its TLS is only offered, and failed: once more in clear */
	int error;    /* why there is no socket; errno */
	uint64_t connected_ms;
	struct secure secure;
	struct trial_account login;
	struct trial_setup setup;
	struct trial trial;
	size_t line_len;
	char line[LINE_SIZE]; /* what the server says, up to the end of its line */
};

struct server_tests {
	struct loop *loop;
	struct dials *dials;
	struct targets *targets;
	struct server_tests_face face;
	struct server_test v[SERVER_TESTS_MAX];
};

static void tell(const struct server_test *test, enum ipc_tested_kind kind,
	enum trial_verdict verdict, const char *text)
{
	const struct tried *item = &test->list.v[test->at];
	struct ipc_tested ipc;

	ipc_init(&ipc, IPC_TESTED, sizeof(ipc));
	ipc.header.seq = test->seq;
	ipc.host = item->host;
	ipc.client = item->client.addr;
	ipc.kind = (uint16_t)kind;
	ipc.verdict = (uint16_t)verdict;
	memcpy(ipc.name, item->name, sizeof(ipc.name));
	snprintf(ipc.text, sizeof(ipc.text), "%s", text);
	for (char *at = ipc.text; *at; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
			*at = '?';
	test->tests->face.send(test->tests->face.context, &ipc);
}

static void hang_up(struct server_test *test)
{
	struct loop *loop = test->tests->loop;
	loop_timer_clear(loop, &test->deadline);
	dial_cancel(&test->dial);
	secure_end(&test->secure);
	if (test->watch.fd >= 0) {
		loop_del(loop, &test->watch);
		close(test->watch.fd);
	}
	test->watch.fd = -1;
	test->connected = false;
	test->line_len = 0;
}

/* Nothing of it is held any more, above all no secret. */
static void drop(struct server_test *test)
{
	tried_list_fini(&test->list);
	test->seq = 0;
	explicit_bzero(&test->account, sizeof(test->account));
	explicit_bzero(&test->trial, sizeof(test->trial));
}

static void end(struct server_test *test)
{
	struct ipc_reply reply;
	ipc_init(&reply, IPC_REPLY, sizeof(reply));
	reply.header.seq = test->seq;
	drop(test);
	test->tests->face.send(test->tests->face.context, &reply);
}

static void wait_until_next(struct server_test *test, uint64_t ms)
{
	struct loop *loop = test->tests->loop;
	loop_timer_set(loop, &test->deadline, loop_now_ms(loop) + (ms < WAIT_MS ? ms : WAIT_MS));
}

static void set_up_login(struct server_test *test, const struct tried *item)
{
	const struct secret *account = &test->account;
	const char *server = test->terms.server;

	test->login = (struct trial_account){.login = {.user = account->user,
						     .user_len = account->user_len,
						     .secret = account->len ? account->bytes : NULL,
						     .secret_len = account->len},
		.sure = item->mode == POLICY_SERVER_TLS_VERIFY ||
			item->mode == POLICY_SERVER_TLS_PIN,
		.insecure = account->insecure,
		.held_s = targets_login_held_s(test->tests->targets, server, &item->host)};
	test->setup.account = account->given ? &test->login : NULL;
}

static void set_up(struct server_test *test, const struct tried *item)
{
	const struct terms *terms = &test->terms;
	const char *login = NULL;

	if (terms->announce != POLICY_ANNOUNCE_NONE)
		login = login_name_format(
			terms->login, "session", test->asked.user, NULL, test->login_name);

	test->setup =
		(struct trial_setup){.dialogue = {.hostname = terms->hostname,
					     .announce = terms->announce,
					     .client = item->client,
					     .read = terms->flows & LEVEL_FLOWS_READ,
					     .tls = test->without ? ENGINE_TLS_NONE : item->tls.tls,
					     .login = login},
			.from = test->from,
			.to = test->asked.to,
			.bind = test->bind,
			.login = terms->login != POLICY_LOGIN_OFF,
			.foreign = item->foreign,
			.plain = terms->flows & LEVEL_FLOWS_PLAIN,
			.own = item->foreign ? item->client.addr : terms->bind,
			.host = item->host};
	/* what the client is said to have wanted: nobody's address, of its own family */
	struct endpoint *original = &test->setup.dialogue.original;
	*original = test->setup.dialogue.client;
	original->addr.bytes[original->addr.family == ADDR_IP4 ? 3 : 15] ^= 2;
	original->port = 25;
	set_up_login(test, item);
}

static void learn_own_address(struct server_test *test)
{
	struct sockaddr_storage sa;
	struct endpoint own;
	socklen_t len = sizeof(sa);
	if (getsockname(test->watch.fd, (struct sockaddr *)&sa, &len) == 0 &&
		endpoint_decode((struct sockaddr *)&sa, len, &own) == 0)
		test->setup.own = own.addr;
}

static void watch(struct server_test *test, int fd)
{
	test->error = fd < 0 ? -fd : 0;
	test->watch.fd = fd < 0 ? -1 : fd;
	if (fd < 0)
		return;
	learn_own_address(test);
	loop_add(test->tests->loop, &test->watch, EPOLLIN | EPOLLOUT);
}

static void dial(struct server_test *test, const struct tried *item)
{
	const struct addr *from = item->foreign ? &item->client.addr : &test->terms.bind;
	int fd = dial_begin(test->tests->dials, &test->dial, &item->host, from, item->foreign);
	test->error = 0;
	if (fd != -EAGAIN)
		watch(test, fd);
}

/* What stops it comes by the deadline, so that the answer never comes from within the question. */
static void next(struct server_test *test)
{
	if (test->at == test->list.n) {
		end(test);
		return;
	}
	const struct tried *item = &test->list.v[test->at];
	set_up(test, item);
	if (item->host.addr.family == ADDR_NONE)
		test->error = ENODATA;
	else
		dial(test, item);
	wait_until_next(test, test->error ? 0 : test->terms.connect_ms);
}

static void on_socket(struct dial *dial, int fd)
{
	struct server_test *test = container_of(dial, struct server_test, dial);
	watch(test, fd);
	wait_until_next(test, test->error ? 0 : test->terms.connect_ms);
}

/* What has nothing to do with the client is the same for the other one. */
static void pass_the_same(struct server_test *test)
{
	const struct tried *item = &test->list.v[test->at];
	while (test->at + 1 < test->list.n &&
		addr_equal(&test->list.v[test->at + 1].host.addr, &item->host.addr) &&
		test->list.v[test->at + 1].host.port == item->host.port)
		test->at++;
}

static void go_to_next(struct server_test *test)
{
	hang_up(test);
	test->at++;
	test->without = false;
	next(test);
}

static void on_no_connection(struct server_test *test, int error)
{
	const struct tried *item = &test->list.v[test->at];
	char text[TRIAL_VERDICT_SIZE];

	if (item->host.addr.family == ADDR_NONE)
		snprintf(text, sizeof(text), "unreachable: it has no address%s%s",
			*item->text ? ": " : "", item->text);
	else if (error == EAFNOSUPPORT && item->foreign)
		snprintf(text, sizeof(text),
			"passed over: with `bind client` only clients of its own IP version go "
			"there");
	else
		trial_unreached(&test->setup, error, text);
	tell(test, IPC_TESTED_VERDICT,
		error == EAFNOSUPPORT && item->foreign ? TRIAL_SKIPPED : TRIAL_REFUSED, text);
	pass_the_same(test);
	go_to_next(test);
}

static void tell_header(const struct server_test *test)
{
	const struct dialogue_setup *setup = &test->setup.dialogue;
	char client[ENDPOINT_TEXT_SIZE], original[ENDPOINT_TEXT_SIZE], text[TRIAL_VERDICT_SIZE];
	snprintf(text, sizeof(text), "(PROXY header, version 2: %s to %s%s%s)",
		endpoint_format(&setup->client, client),
		endpoint_format(&setup->original, original), setup->login ? ", user " : "",
		setup->login ? setup->login : "");
	tell(test, IPC_TESTED_SAID, TRIAL_TAKEN, text);
}

/* out is one line, or a header. */
static void tell_said(const struct server_test *test)
{
	const struct trial *trial = &test->trial;
	char text[TRIAL_VERDICT_SIZE];

	if (trial->shown) {
		tell(test, IPC_TESTED_SAID, TRIAL_TAKEN, trial->shown);
		return;
	}
	if (trial->out[0] == '\r') {
		tell_header(test);
		return;
	}
	size_t len = trial->out_len < sizeof(text) ? trial->out_len : sizeof(text) - 1;
	memcpy(text, trial->out, len);
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	tell(test, IPC_TESTED_SAID, TRIAL_TAKEN, text);
}

static void tell_line(struct server_test *test)
{
	size_t len = test->line_len;
	if (len > 0 && test->line[len - 1] == '\r')
		len--;
	test->line[len] = '\0';
	test->line_len = 0;
	tell(test, IPC_TESTED_HEARD, TRIAL_TAKEN,
		trial_may_show(&test->trial, test->line)
			? test->line
			: "(a line that repeats what it was told)");
}

/* A line is cut where it has no room, in a place that it is not shown beyond. */
static void tell_heard(struct server_test *test, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			tell_line(test);
		else if (test->line_len < LINE_SIZE - 1)
			test->line[test->line_len++] = bytes[i] ? (char)bytes[i] : '?';
	}
}

static uint64_t since_connect_ms(const struct server_test *test)
{
	return loop_now_ms(test->tests->loop) - test->connected_ms;
}

static void say(struct server_test *test)
{
	struct trial *trial = &test->trial;
	ssize_t len = (ssize_t)trial->out_len;

	tell_said(test);
	ssize_t n = secure_say(&test->secure, test->watch.fd, trial->out, (size_t)len);
	explicit_bzero(trial->out, (size_t)len);
	trial->out_len = 0;
	if (n != len)
		trial_closed(trial, n < 0 ? strerror((int)-n) : "", since_connect_ms(test));
	wait_until_next(test, trial->step > TRIAL_RCPT ? QUIT_MS : test->terms.reply_ms);
}

static void conclude(struct server_test *test)
{
	struct trial *trial = &test->trial;
	char text[TRIAL_VERDICT_SIZE];
	bool login = trial->failed == TRIAL_LOGIN;

	if (trial->login_refused)
		targets_on_tested(
			test->tests->targets, test->terms.server, &test->list.v[test->at].host);
	enum trial_verdict verdict = trial_judge(trial, text);
	tell(test, IPC_TESTED_VERDICT, verdict, text);
	if (login || (trial->failed == TRIAL_DIALOGUE && !trial->dialogue.about_client))
		pass_the_same(test);
	go_to_next(test);
}

/* As flows come then: the same host once more. */
static void try_clear(struct server_test *test)
{
	tell(test, IPC_TESTED_TLS, TRIAL_TAKEN,
		"TLS is only offered here, and failed: flows come once more in clear");
	hang_up(test);
	test->without = true;
	next(test);
}

/* After every change of the trial: says what is to be said, and waits so long. */
static void go_on(struct server_test *test)
{
	struct trial *trial = &test->trial;

	if (trial->out_len > 0)
		say(test);
	if (trial->step != TRIAL_OVER)
		return;
	if (test->line_len > 0)
		tell_line(test);
	if (trial_without(trial))
		try_clear(test);
	else
		conclude(test);
}

/* A step of the handshake, if one is due. */
static void shake_hands(struct server_test *test)
{
	const struct tried *item = &test->list.v[test->at];
	char text[TLS_TERMS_LINE_SIZE];

	if (!test->connected || !trial_wants_tls(&test->trial))
		return;
	enum tls_step step = secure_shake(&test->secure, &item->tls, test->watch.fd);
	loop_change(test->tests->loop, &test->watch,
		step == TLS_WANTS_WRITE ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (step != TLS_DONE && step != TLS_FAILED)
		return;
	const struct tls_seen seen = test->secure.seen;
	tell(test, IPC_TESTED_TLS, TRIAL_TAKEN, tls_terms_line(item->mode, &seen, text));
	if (step == TLS_DONE)
		trial_secured(&test->trial, &seen);
	else
		trial_unfit(&test->trial, &seen);
	wait_until_next(test, test->terms.reply_ms);
	go_on(test);
}

static void on_connected(struct server_test *test)
{
	test->connected = true;
	test->connected_ms = loop_now_ms(test->tests->loop);
	learn_own_address(test);
	loop_change(test->tests->loop, &test->watch, EPOLLIN);
	wait_until_next(test, test->terms.reply_ms);
	trial_begin(&test->trial, &test->setup);
	go_on(test);
	shake_hands(test);
}

static void read_host(struct server_test *test)
{
	uint8_t bytes[4096];
	ssize_t n = secure_hear(&test->secure, test->watch.fd, bytes, sizeof(bytes));

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n > 0) {
		tell_heard(test, bytes, (size_t)n);
		trial_feed(&test->trial, bytes, (size_t)n, since_connect_ms(test));
	} else {
		trial_closed(&test->trial, n < 0 ? strerror((int)-n) : "", since_connect_ms(test));
	}
	go_on(test);
}

/* What is inside of TLS no event tells of. */
static void read_all(struct server_test *test)
{
	read_host(test);
	while (test->connected && !trial_wants_tls(&test->trial) && secure_holds(&test->secure))
		read_host(test);
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct server_test *test = (struct server_test *)(void *)watch;
	int error = 0;
	socklen_t len = sizeof(error);

	if (test->connected) {
		if (!trial_wants_tls(&test->trial))
			read_all(test);
		shake_hands(test);
		return;
	}
	if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		on_no_connection(test, error);
	else if (events & EPOLLOUT)
		on_connected(test);
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	struct server_test *test = container_of(timer, struct server_test, deadline);
	(void)now_ms;
	if (test->error || !test->connected) {
		/* the keeper's word, if it is that which did not come */
		int error = test->error ? test->error : test->dial.dials ? EPERM : ETIMEDOUT;
		on_no_connection(test, error);
		return;
	}
	trial_late(&test->trial);
	go_on(test);
}

static void set_from(struct server_test *test)
{
	test->from[0] = '\0';
	if (*test->asked.from)
		memcpy(test->from, test->asked.from, sizeof(test->from));
	else if (!test->asked.nobody)
		snprintf(test->from, sizeof(test->from), "postmaster@%.240s", test->terms.hostname);
	if (!trial_is_path(test->from))
		test->from[0] = '\0';
	/* as with flows: a bounce stays one */
	const struct policy_server *policy = test->terms.policy;
	if (policy && test->from[0] && policy->account.given && policy->account.sender.len)
		snprintf(test->from, sizeof(test->from), "%s", policy->account.sender.text);
}

static void set_account(struct server_test *test, const struct ipc_test *ipc)
{
	const struct policy_server *policy = test->terms.policy;
	struct secret *account = &test->account;

	if (!policy || !policy->account.given || policy->account.user.len >= sizeof(account->user))
		return;
	account->given = true;
	account->insecure = policy->account.insecure;
	account->user_len = policy->account.user.len;
	memcpy(account->user, policy->account.user.text, account->user_len);
	account->len = ipc->secret_bytes;
	memcpy(account->bytes, ipc + 1, account->len);
}

int server_tests_begin(struct server_tests *tests, const struct ipc_test *ipc)
{
	const struct watched_target *hosts = targets_hosts(tests->targets, ipc->server);
	struct server_test *test = NULL;

	if (!hosts)
		return -ENOENT;
	for (size_t i = 0; i < SERVER_TESTS_MAX && !test; i++)
		if (!tests->v[i].seq)
			test = &tests->v[i];
	if (!test)
		return -EBUSY;
	int error = tried_list_make(&test->list, hosts, &ipc->client);
	if (error)
		return error;
	test->seq = ipc->header.seq;
	test->asked = *ipc;
	test->terms = *hosts->terms;
	test->bind = test->terms.from_client   ? POLICY_BIND_CLIENT
		     : test->terms.bind.family ? POLICY_BIND_ADDRESS
					       : POLICY_BIND_GATEWAY;
	test->at = 0;
	test->without = false;
	set_from(test);
	set_account(test, ipc);
	next(test);
	return 0;
}

struct server_tests *server_tests_new(struct loop *loop, struct targets *targets,
	const struct server_tests_face *face, struct dials *dials)
{
	struct server_tests *tests = calloc(1, sizeof(*tests));
	if (!tests)
		return NULL;
	tests->loop = loop;
	tests->dials = dials;
	tests->targets = targets;
	tests->face = *face;
	for (size_t i = 0; i < SERVER_TESTS_MAX; i++) {
		tests->v[i].tests = tests;
		tests->v[i].watch.fd = -1;
		tests->v[i].watch.on_event = on_event;
		tests->v[i].deadline.on_time = on_deadline;
		tests->v[i].dial.on_socket = on_socket;
	}
	return tests;
}

void server_tests_stop(struct server_tests *tests)
{
	for (size_t i = 0; i < SERVER_TESTS_MAX; i++) {
		hang_up(&tests->v[i]);
		drop(&tests->v[i]);
	}
}

void server_tests_free(struct server_tests *tests)
{
	if (tests)
		server_tests_stop(tests);
	free(tests);
}
