/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another SMTP server, at which the user's password is tried: one connection a login, TLS by the
 * policy, one AUTH. Once that is said no other host is asked: a password that is wrong is wrong
 * once there, whatever becomes of the connection.
 *
 * step     holds                                   moved on by
 * -------  --------------------------------------  -------------------------------------------
 * DIALS    a socket                                the connection; its error; its time
 * GREETS   a dialogue, up to the EHLO in TLS       its end; the connection's; its time
 * LOGS_IN  what is left to say of AUTH             the replies; the connection's end
 *
 * Before LOGS_IN what fails leads to the next address. Who finds no place waits; the attempt's own
 * time bounds it all. */
#include "daemon/auth/auth.h"

#include "daemon/tls/secure.h"
#include "lib/base/container.h"
#include "lib/policy/choice.h"
#include "lib/smtp/login.h"
#include "lib/smtp/probe/dialogue.h"
#include "lib/tls/terms.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOGINS_MAX 16 /* at once: a server sees no more of us */
#define NO_TARGET  UINT8_MAX

enum step {
	DIALS,
	GREETS,
	LOGS_IN,
};

struct login {
	struct loop_watch watch;
	struct loop_timer timer;
	struct forward *forward;
	struct attempt *attempt; /* NULL: the place is free */
	enum step step;
	struct replica_server *targets; /* held */
	uint64_t tried;
	uint16_t addresses_tried;
	uint8_t target;
	struct endpoint host;
	struct secure secure;
	struct secure_order order; /* its context is held: others may come meanwhile */
	struct dialogue_setup setup;
	struct dialogue dialogue;
	struct smtp_reply reply; /* to AUTH */
	unsigned said;           /* lines of it */
	bool said_all;
	char text[IPC_TEXT_SIZE]; /* why the last address that was tried is none */
};

struct forward {
	struct backend *backend;
	/* Due when one asks or a place is free: whoever waits begins from the loop alone, as what
	 * becomes of it at once may end other attempts. */
	struct loop_timer timer;
	struct login v[LOGINS_MAX];
};

static void dial_next(struct login *login);

static void look_who_waits(struct forward *forward)
{
	struct loop *loop = forward->backend->auth->loop;

	loop_timer_set(loop, &forward->timer, loop_now_ms(loop));
}

static struct auth *auth_of(const struct login *login)
{
	return login->forward->backend->auth;
}

static const struct policy_server *server_of(const struct login *login)
{
	return &login->targets->policy->servers[login->targets->server];
}

/* ---- its end ---- */

static void hang_up(struct login *login)
{
	struct loop *loop = auth_of(login)->loop;

	loop_timer_clear(loop, &login->timer);
	secure_end(&login->secure);
	tls_context_free(login->order.context);
	login->order.context = NULL;
	if (login->watch.fd >= 0) {
		loop_del(loop, &login->watch);
		close(login->watch.fd);
	}
	login->watch.fd = -1;
}

static void leave(struct login *login)
{
	hang_up(login);
	replica_targets_unref(login->targets);
	login->targets = NULL;
	login->attempt = NULL;
	look_who_waits(login->forward);
}

static void answer(struct login *login, enum attempt_answer verdict, const char *text)
{
	struct forward *forward = login->forward;
	struct attempt *attempt = login->attempt;
	char name[ATTEMPT_USER_SIZE], why[IPC_TEXT_SIZE];

	snprintf(why, sizeof(why), "%s", text ? text : "");
	leave(login);
	if (verdict == ATTEMPT_YES) {
		const char *user = attempt_typed(attempt, forward->backend, name);
		if (!who_begin(&forward->backend->auth->who, forward->backend->policy_held, user,
			    strlen(user)))
			verdict = ATTEMPT_LATER;
	}
	attempt_answer(attempt, verdict, why[0] ? why : NULL);
}

/* ---- the host that is tried ---- */

static bool next_address(struct login *login)
{
	const struct ipc_target *target =
		login->target == NO_TARGET ? NULL : &login->targets->v[login->target];

	for (unsigned i = 0; target && i < target->naddresses; i++) {
		if (login->addresses_tried >> i & 1)
			continue;
		login->addresses_tried |= (uint16_t)(1u << i);
		login->host = (struct endpoint){.addr = target->addresses[i], .port = target->port};
		return true;
	}
	return false;
}

static enum addr_family family_of(const struct login *login)
{
	enum addr_family family = login->attempt->client.addr.family;

	return family == ADDR_NONE ? ADDR_IP4 : family;
}

static bool next_host(struct login *login)
{
	struct replica_server *list = login->targets;

	while (!next_address(login)) {
		ptrdiff_t at =
			choice_pick(list->v, list->n, login->tried, family_of(login), list->turns);
		if (at < 0)
			return false;
		login->target = (uint8_t)at;
		login->tried |= (uint64_t)1 << at;
		login->addresses_tried = 0;
	}
	return true;
}

static size_t others_of(const struct login *login)
{
	const struct ipc_target *target = &login->targets->v[login->target];
	size_t left = 0;

	for (unsigned i = 0; i < target->naddresses; i++)
		left += !(login->addresses_tried >> i & 1);
	return left +
	       choice_left(login->targets->v, login->targets->n, login->tried, family_of(login));
}

/* Of the attempt's time. */
static uint64_t left_ms(const struct login *login)
{
	uint64_t now_ms = loop_now_ms(auth_of(login)->loop);
	uint64_t end_ms = login->attempt->asked_ms + AUTH_ANSWER_MS;

	return end_ms > now_ms ? end_ms - now_ms : 0;
}

/* A descriptor that is being connected, or -errno. */
static int reach(const struct endpoint *host, const struct policy_server *server)
{
	const struct endpoint from = {.addr = server->bind_addr};
	struct sockaddr_storage to, at;
	socklen_t len = (socklen_t)endpoint_encode(host, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (server->bind == POLICY_BIND_ADDRESS) {
		socklen_t at_len = (socklen_t)endpoint_encode(&from, &at);
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
		error = bind(fd, (const struct sockaddr *)&at, at_len) < 0 ? -errno : 0;
	}
	if (!error && connect(fd, (const struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

static void wait_ms(struct login *login, uint32_t ms)
{
	struct loop *loop = auth_of(login)->loop;

	loop_timer_set(loop, &login->timer, loop_now_ms(loop) + ms);
}

static void note_failure(struct login *login, const char *why)
{
	char host[ENDPOINT_TEXT_SIZE];

	snprintf(login->text, sizeof(login->text), "%s: %.100s",
		endpoint_format(&login->host, host), why);
}

static bool dial(struct login *login)
{
	const struct policy_server *server = server_of(login);
	int fd = reach(&login->host, server);

	if (fd < 0) {
		note_failure(login, strerror(-fd));
		return false;
	}
	login->step = DIALS;
	login->watch.fd = fd;
	loop_add(auth_of(login)->loop, &login->watch, EPOLLIN | EPOLLOUT);
	wait_ms(login, choice_connect_ms(left_ms(login), others_of(login), server->connect_ms));
	return true;
}

static void dial_next(struct login *login)
{
	while (next_host(login))
		if (dial(login))
			return;
	answer(login, ATTEMPT_LATER,
		login->text[0] ? login->text : "its server has no host that may be tried");
}

/* Nothing of a password was said: the next address may be better. */
static void fail(struct login *login, const char *why)
{
	note_failure(login, why);
	hang_up(login);
	dial_next(login);
}

/* ---- AUTH ---- */

static struct smtp_login words_of(const struct attempt *attempt, const char *user)
{
	return (struct smtp_login){.user = user,
		.user_len = strlen(user),
		.secret = attempt->sasl.password,
		.secret_len = strlen(attempt->sasl.password)};
}

static void say_line(struct login *login)
{
	char line[SMTP_LOGIN_LINE_MAX], name[ATTEMPT_USER_SIZE];
	const struct smtp_login words = words_of(
		login->attempt, attempt_user(login->attempt, login->forward->backend, name));
	size_t len = smtp_login_line(
		&words, login->dialogue.logins, login->said++, line, &login->said_all);
	ssize_t n = len ? secure_say(&login->secure, login->watch.fd, line, len) : 0;

	explicit_bzero(line, sizeof(line));
	smtp_reply_init(&login->reply);
	if (len == 0)
		answer(login, ATTEMPT_NO, "a name or password that cannot be said to it");
	else if (n != (ssize_t)len)
		answer(login, ATTEMPT_LATER, "it does not take the password");
}

/* It is known who answers, and that nobody reads along. */
static void log_in(struct login *login)
{
	if (!login->dialogue.secured) {
		fail(login, "there is no TLS");
	} else if (!login->dialogue.logins) {
		fail(login, "offers neither AUTH PLAIN nor LOGIN");
	} else {
		loop_timer_clear(auth_of(login)->loop, &login->timer);
		login->step = LOGS_IN;
		login->said = 0;
		say_line(login);
	}
}

/* Of what it says the code is told, no word: some repeat what they were told. */
static void on_reply(struct login *login)
{
	char host[ENDPOINT_TEXT_SIZE], text[IPC_TEXT_SIZE];
	unsigned code = login->reply.code;

	if (code == 334 && !login->said_all) {
		say_line(login);
		return;
	}
	snprintf(text, sizeof(text), "%s answers AUTH with %u %s",
		endpoint_format(&login->host, host), code, login->reply.enhanced);
	if (code != 421)
		secure_say(&login->secure, login->watch.fd, "QUIT\r\n", 6);
	if (code == 235 && login->said_all)
		answer(login, ATTEMPT_YES, NULL);
	else
		answer(login, code / 100 == 5 ? ATTEMPT_NO : ATTEMPT_LATER, text);
}

static void take_reply(struct login *login, const uint8_t *bytes, size_t len)
{
	size_t used;

	switch (smtp_reply_feed(&login->reply, bytes, len, &used)) {
	case SMTP_REPLY_MORE:
		break;
	case SMTP_REPLY_DONE:
		if (used == len)
			on_reply(login);
		else
			answer(login, ATTEMPT_LATER, "it says more than it was asked");
		break;
	case SMTP_REPLY_MALFORMED:
	case SMTP_REPLY_TOO_LONG:
		answer(login, ATTEMPT_LATER, "what it answers AUTH with is no reply");
		break;
	}
}

/* ---- what comes before ---- */

/* After every change of the dialogue: says what is to be said. */
static void go_on(struct login *login)
{
	struct dialogue *dialogue = &login->dialogue;
	size_t len = dialogue->out_len;
	ssize_t n = len > 0 ? secure_say(&login->secure, login->watch.fd, dialogue->out, len) : 0;

	if (n != (ssize_t)len)
		dialogue_closed(dialogue, n < 0 ? strerror((int)-n) : "", 0);
	dialogue->out_len = 0;
	if (dialogue->step == DIALOGUE_OVER)
		fail(login, dialogue->text);
	else if (dialogue->step == DIALOGUE_HANDED)
		log_in(login);
}

static bool shakes(const struct login *login)
{
	return login->step == GREETS && login->dialogue.step == DIALOGUE_TLS;
}

/* A step of the handshake, if one is due. */
static void shake_hands(struct login *login)
{
	if (!shakes(login))
		return;
	enum tls_step step = secure_shake(&login->secure, &login->order, login->watch.fd);
	if (step == TLS_DONE)
		dialogue_secured(&login->dialogue);
	else if (step == TLS_FAILED)
		dialogue_unfit(&login->dialogue, login->secure.seen.why);
	loop_change(auth_of(login)->loop, &login->watch,
		step == TLS_WANTS_WRITE ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (!shakes(login))
		go_on(login);
}

static void set_terms(struct login *login)
{
	const struct policy_server *server = server_of(login);
	uint16_t line = login->targets->v[login->target].line;
	const struct policy_host *host = &server->hosts[line];
	const struct policy_server_tls *tls = policy_host_tls(server, host);
	const struct picture *picture = auth_of(login)->replica.now;

	login->order = (struct secure_order){.tls = tls_terms_wanted(tls),
		.context = picture->contexts ? tls_contexts_host(picture->contexts,
						       login->targets->server, line)
					     : NULL,
		.name = tls_terms_name(host, tls)};
	if (login->order.context)
		tls_context_hold(login->order.context);
}

/* As flows would announce their clients there; a control's question has the one that probes have.
 */
static void set_up_dialogue(struct login *login)
{
	const struct auth *auth = auth_of(login);
	const struct attempt *attempt = login->attempt;
	const struct policy *policy = login->targets->policy;
	bool test = !attempt->asker;

	login->setup = (struct dialogue_setup){
		.hostname = policy->hostname.len > 0 ? policy->hostname.text : auth->child.machine,
		.announce = server_of(login)->announce,
		.client = test ? target_probe_client(policy, ADDR_IP4) : attempt->client,
		.tls = login->order.tls,
		.read = true,
		.goes_on = true};
	login->setup.original = test ? login->setup.client : attempt->server;
}

static void on_connected(struct login *login)
{
	login->step = GREETS;
	loop_change(auth_of(login)->loop, &login->watch, EPOLLIN);
	wait_ms(login, choice_greeting_ms(
			       left_ms(login), others_of(login), server_of(login)->greeting_ms));
	set_terms(login);
	set_up_dialogue(login);
	dialogue_begin(&login->dialogue, &login->setup);
	go_on(login);
	if (login->attempt && login->step == GREETS)
		shake_hands(login);
}

/* True: there may be more. */
static bool hear(struct login *login)
{
	uint8_t bytes[4096];
	ssize_t n = secure_hear(&login->secure, login->watch.fd, bytes, sizeof(bytes));

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (login->step == LOGS_IN) {
		if (n > 0)
			take_reply(login, bytes, (size_t)n);
		else
			answer(login, ATTEMPT_LATER, "it closed before its answer to AUTH");
		return true;
	}
	if (n > 0)
		dialogue_feed(&login->dialogue, bytes, (size_t)n, 0);
	else
		dialogue_closed(&login->dialogue, n < 0 ? strerror((int)-n) : "", 0);
	go_on(login);
	return true;
}

/* What is inside of TLS no event tells of. */
static void hear_all(struct login *login)
{
	const struct attempt *attempt = login->attempt;

	do
		if (!hear(login))
			return;
	while (login->attempt == attempt && login->step != DIALS && !shakes(login) &&
		secure_holds(&login->secure));
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct login *login = (struct login *)(void *)watch;
	int error = 0;
	socklen_t len = sizeof(error);

	if (login->step != DIALS) {
		if (!shakes(login))
			hear_all(login);
		if (login->attempt)
			shake_hands(login);
		return;
	}
	if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		fail(login, strerror(error));
	else if (events & EPOLLOUT)
		on_connected(login);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct login *login = container_of(timer, struct login, timer);

	(void)now_ms;
	fail(login, login->step == DIALS ? "no connection in time" : "not ready for AUTH in time");
}

/* ---- the backend ---- */

static struct login *free_place(struct forward *forward)
{
	for (size_t i = 0; i < LOGINS_MAX; i++)
		if (!forward->v[i].attempt)
			return &forward->v[i];
	return NULL;
}

static void begin(struct login *login, struct attempt *attempt)
{
	const struct backend *backend = login->forward->backend;

	login->attempt = attempt;
	attempt->of_backend = login;
	login->targets = replica_targets_ref(replica_targets_of(&backend->auth->replica.targets,
		backend->policy_held, (int32_t)backend->policy->server));
	login->tried = 0;
	login->target = NO_TARGET;
	login->text[0] = '\0';
	if (login->targets)
		dial_next(login);
	else
		answer(login, ATTEMPT_LATER, "nothing is known of its server");
}

static bool is_before(const struct attempt *one, const struct attempt *other)
{
	return one->known == other->known ? one->number < other->number : one->known;
}

/* Whoever has come first of those that wait: of the known, if one does. */
static struct attempt *first_waiting(const struct forward *forward)
{
	struct attempt *attempt = forward->backend->auth->attempts.first, *first = NULL;

	for (; attempt; attempt = attempt->next)
		if (attempt->backend == forward->backend && attempt->asking &&
			!attempt->of_backend && (!first || is_before(attempt, first)))
			first = attempt;
	return first;
}

static void on_who_waits(struct loop_timer *timer, uint64_t now_ms)
{
	struct forward *forward = container_of(timer, struct forward, timer);
	struct attempt *attempt;
	struct login *login;

	(void)now_ms;
	while ((login = free_place(forward)) != NULL && (attempt = first_waiting(forward)) != NULL)
		begin(login, attempt);
}

static int open_forward(struct backend *backend)
{
	struct forward *forward = calloc(1, sizeof(*forward));

	if (!forward)
		return -ENOMEM;
	backend->own = forward;
	forward->backend = backend;
	forward->timer.on_time = on_who_waits;
	for (size_t i = 0; i < LOGINS_MAX; i++) {
		struct login *login = &forward->v[i];
		login->forward = forward;
		login->watch = (struct loop_watch){.fd = -1, .on_event = on_event};
		login->timer.on_time = on_time;
	}
	return 0;
}

static void close_forward(struct backend *backend)
{
	struct forward *forward = backend->own;

	for (size_t i = 0; forward && i < LOGINS_MAX; i++)
		if (forward->v[i].attempt)
			leave(&forward->v[i]);
	if (forward)
		loop_timer_clear(backend->auth->loop, &forward->timer);
	free(forward);
}

static void ask_forward(struct backend *backend, struct attempt *attempt)
{
	if (backend->own)
		look_who_waits(backend->own);
	else
		attempt_answer(attempt, ATTEMPT_LATER, "no memory");
}

static void drop_forward(struct backend *backend, struct attempt *attempt)
{
	struct login *login = attempt->of_backend;

	(void)backend;
	attempt->of_backend = NULL;
	if (login)
		leave(login);
}

const struct backend_kind backend_forward = {
	.open = open_forward,
	.close = close_forward,
	.ask = ask_forward,
	.drop = drop_forward,
};
