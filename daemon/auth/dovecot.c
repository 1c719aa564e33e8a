/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dovecot, asked by its socket for clients: one connection for all who log in, its answers in any
 * order. It knows every mechanism that it shows; PLAIN and LOGIN were read here, and go as PLAIN.
 * A Dovecot that was told to read its configuration anew answers by the old one on connections that
 * it has: one on which nobody is asked for is made anew every minute.
 *
 * state   holds                                moved on by
 * ------  -----------------------------------  -----------------------------------------------
 * AWAY    nothing; the time of the next try    that time
 * GREETS  a connection; who asks meanwhile     the end of its greeting; its loss; its time
 * READY   who asked                            its loss; its time, when nobody is asked for */
#include "daemon/auth/auth.h"

#include "lib/base/base64.h"
#include "lib/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define GREETING_MS   5000
#define FRESH_MS      60000
#define BUSY_MS       1000
#define AGAIN_MS      100 /* doubled with each try that fails */
#define AGAIN_MAX_MS  5000
#define SAID_MAX      (4 * DOVECOT_LINE_MAX) /* that it has not taken yet */
#define SAYS_NOTHING  "its answer is none of the protocol"
#define TEST_ADDRESS  "127.0.0.1"
#define WHERE_WATCH   offsetof(struct dovecot, watch)
#define WHERE_TIMER   offsetof(struct dovecot, timer)
#define OF(at, where) ((struct dovecot *)(void *)((char *)(at) - (where)))

enum state {
	AWAY,
	GREETS,
	READY,
};

/* An attempt's of_backend is its id there, from 1 on; NULL: it was not said yet. */
struct dovecot {
	struct backend *backend;
	enum state state;
	struct loop_watch watch;
	struct loop_timer timer;
	uint32_t again_ms;
	uint32_t last_id;
	struct dovecot_greeting greeting; /* that is being read */
	size_t heard_len, said_len;
	char heard[DOVECOT_LINE_MAX];
	char said[SAID_MAX]; /* has passwords: wiped as it goes */
};

static void lose(struct dovecot *dovecot, const char *why);

/* ---- who asks ---- */

static uint32_t id_of(const struct attempt *attempt)
{
	return (uint32_t)(uintptr_t)attempt->of_backend;
}

static bool asks(const struct dovecot *dovecot, const struct attempt *attempt)
{
	return attempt->backend == dovecot->backend && attempt->asking;
}

static struct attempt *find(const struct dovecot *dovecot, uint32_t id)
{
	struct attempt *attempt = dovecot->backend->auth->attempts.first;

	while (attempt && !(asks(dovecot, attempt) && id_of(attempt) == id))
		attempt = attempt->next;
	return attempt;
}

static struct attempt *any(const struct dovecot *dovecot)
{
	struct attempt *attempt = dovecot->backend->auth->attempts.first;

	while (attempt && !asks(dovecot, attempt))
		attempt = attempt->next;
	return attempt;
}

/* None that is under way, even after 2^32 of them. */
static uint32_t new_id(struct dovecot *dovecot)
{
	do
		dovecot->last_id++;
	while (dovecot->last_id == 0 || find(dovecot, dovecot->last_id));
	return dovecot->last_id;
}

/* ---- what is said ---- */

static void watch_for(struct dovecot *dovecot)
{
	loop_change(dovecot->backend->auth->loop, &dovecot->watch,
		dovecot->said_len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void flush(struct dovecot *dovecot)
{
	ssize_t n = 0;

	if (dovecot->said_len > 0)
		n = send(dovecot->watch.fd, dovecot->said, dovecot->said_len,
			MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		lose(dovecot, strerror(errno));
		return;
	}
	if (n > 0) {
		dovecot->said_len -= (size_t)n;
		memmove(dovecot->said, dovecot->said + n, dovecot->said_len);
		explicit_bzero(dovecot->said + dovecot->said_len, (size_t)n);
	}
	watch_for(dovecot);
}

/* False: it has taken so little that there is no room. */
static bool say(struct dovecot *dovecot, const char *line, size_t len)
{
	if (len == 0 || len > SAID_MAX - dovecot->said_len)
		return false;
	memcpy(dovecot->said + dovecot->said_len, line, len);
	dovecot->said_len += len;
	return true;
}

static void cancel(struct dovecot *dovecot, uint32_t id)
{
	char line[64];

	if (id != 0 && dovecot->state == READY)
		say(dovecot, line, dovecot_cancel(id, line, sizeof(line)));
}

/* It shall be asked no more for this one. */
static void give_up(struct dovecot *dovecot, struct attempt *attempt, const char *why)
{
	cancel(dovecot, id_of(attempt));
	attempt_answer(attempt, ATTEMPT_LATER, why);
}

/* A control's question has no client: it is the gateway's own. */
static void put_addresses(const struct attempt *attempt, struct dovecot_login *login,
	char client[static ADDR_TEXT_SIZE], char server[static ADDR_TEXT_SIZE])
{
	bool test = !attempt->asker;

	login->client = test ? TEST_ADDRESS : addr_format(&attempt->client.addr, client);
	login->server = test ? TEST_ADDRESS : addr_format(&attempt->server.addr, server);
	login->client_port = attempt->client.port;
	login->server_port = attempt->server.port;
	login->secured = test || attempt->secured;
}

static void say_login(struct dovecot *dovecot, struct attempt *attempt, const char *mechanism,
	const void *response, size_t len)
{
	char line[DOVECOT_LINE_MAX], letters[BASE64_BYTES(AUTH_BYTES_MAX)];
	char client[ADDR_TEXT_SIZE], server[ADDR_TEXT_SIZE];
	struct dovecot_login login = {.id = new_id(dovecot), .mechanism = mechanism};

	put_addresses(attempt, &login, client, server);
	if (len > 0 && len <= AUTH_BYTES_MAX) {
		login.response = letters;
		login.response_len = base64_encode(response, len, letters);
	}
	bool said = len <= AUTH_BYTES_MAX &&
		    say(dovecot, line, dovecot_ask(&login, line, sizeof(line)));
	explicit_bzero(line, sizeof(line));
	explicit_bzero(letters, sizeof(letters));
	if (said)
		attempt->of_backend = (void *)(uintptr_t)login.id;
	else
		attempt_answer(attempt, ATTEMPT_LATER, "it does not take what it is asked");
}

/* Nobody else is asked for: the first of the three parts is empty. */
static void say_password(struct dovecot *dovecot, struct attempt *attempt)
{
	char name[ATTEMPT_USER_SIZE], response[ATTEMPT_USER_SIZE + SASL_PASSWORD_MAX + 2];
	const char *user = attempt_user(attempt, dovecot->backend, name);
	size_t user_len = strlen(user), len = strlen(attempt->sasl.password);

	response[0] = response[1 + user_len] = '\0';
	memcpy(response + 1, user, user_len);
	memcpy(response + 2 + user_len, attempt->sasl.password, len);
	say_login(dovecot, attempt, "PLAIN", response, 2 + user_len + len);
	explicit_bzero(response, sizeof(response));
}

/* ---- its greeting ---- */

static void on_greeted(struct dovecot *dovecot)
{
	struct loop *loop = dovecot->backend->auth->loop;
	struct attempt *attempt;

	dovecot->state = READY;
	dovecot->again_ms = AGAIN_MS;
	loop_timer_set(loop, &dovecot->timer, loop_now_ms(loop) + FRESH_MS);
	backend_note(dovecot->backend, true, NULL);
	backend_greeted(dovecot->backend, &dovecot->greeting);
	while ((attempt = find(dovecot, 0)) != NULL)
		say_password(dovecot, attempt);
}

static void greet(struct dovecot *dovecot, const char *line, size_t len)
{
	const char *expected = dovecot_greet(&dovecot->greeting, line, len);
	char why[IPC_TEXT_SIZE];

	if (expected) {
		snprintf(why, sizeof(why), "its greeting should have %s", expected);
		lose(dovecot, why);
	} else if (dovecot->greeting.done) {
		on_greeted(dovecot);
	}
}

/* ---- what it answers ---- */

/* Whoever says no name is who he typed; of other mechanisms nothing was typed here. */
static void accept_user(
	struct dovecot *dovecot, struct attempt *attempt, const struct dovecot_answer *answer)
{
	struct who *who = &dovecot->backend->auth->who;
	char name[ATTEMPT_USER_SIZE];
	const char *user = answer->user;

	if (!*user && !attempt->through)
		user = attempt_typed(attempt, dovecot->backend, name);
	if (who_begin(who, dovecot->backend->policy_held, user, strlen(user)))
		attempt_answer(attempt, ATTEMPT_YES, NULL);
	else
		attempt_answer(attempt, ATTEMPT_LATER, "it says no user's name that can be kept");
}

static void take_challenge(
	struct dovecot *dovecot, struct attempt *attempt, const struct dovecot_answer *answer)
{
	uint8_t challenge[BASE64_DECODED(DOVECOT_LINE_MAX) + 3];
	long len = base64_decode(answer->challenge, answer->challenge_len, challenge);

	if (!attempt->through || attempt->state != ATTEMPT_ASKS)
		give_up(dovecot, attempt, "it asks on where all was said");
	else if (len < 0 || len > AUTH_BYTES_MAX)
		give_up(dovecot, attempt, "its challenge is no base64, or too long");
	else
		attempt_challenge(attempt, challenge, (size_t)len);
}

static void take_line(struct dovecot *dovecot, const char *line, size_t len)
{
	struct dovecot_answer answer;

	if (dovecot->state == GREETS) {
		greet(dovecot, line, len);
		return;
	}
	dovecot_answer(line, len, &answer);
	struct attempt *attempt = answer.id ? find(dovecot, answer.id) : NULL;
	if (answer.kind == DOVECOT_NONSENSE) {
		lose(dovecot, SAYS_NOTHING);
		return;
	}
	if (!attempt) /* over here, or nobody's */
		return;
	switch (answer.kind) {
	case DOVECOT_OK:
		accept_user(dovecot, attempt, &answer);
		break;
	case DOVECOT_NO:
		attempt_answer(attempt, ATTEMPT_NO, NULL);
		break;
	case DOVECOT_LATER:
		/* its reason may have words of the client's */
		attempt_answer(attempt, ATTEMPT_LATER, "it could not find out");
		break;
	case DOVECOT_MORE:
		take_challenge(dovecot, attempt, &answer);
		break;
	case DOVECOT_ANOTHER:
	case DOVECOT_NONSENSE:
		break;
	}
}

/* What is left begins a line whose end is to come. */
static void take_lines(struct dovecot *dovecot)
{
	size_t at = 0;
	char *end;

	while (dovecot->state != AWAY &&
		(end = memchr(dovecot->heard + at, '\n', dovecot->heard_len - at)) != NULL) {
		size_t len = (size_t)(end - dovecot->heard) - at;
		take_line(dovecot, dovecot->heard + at, len);
		at += len + 1;
	}
	if (dovecot->state == AWAY)
		return;
	dovecot->heard_len -= at;
	memmove(dovecot->heard, dovecot->heard + at, dovecot->heard_len);
	if (dovecot->heard_len == sizeof(dovecot->heard))
		lose(dovecot, "a line of it is too long");
}

static void hear(struct dovecot *dovecot)
{
	ssize_t n = recv(dovecot->watch.fd, dovecot->heard + dovecot->heard_len,
		sizeof(dovecot->heard) - dovecot->heard_len, MSG_DONTWAIT);

	if (n > 0) {
		dovecot->heard_len += (size_t)n;
		take_lines(dovecot);
	} else if (n == 0) {
		lose(dovecot, "it closed the connection");
	} else if (errno != EAGAIN && errno != EINTR) {
		lose(dovecot, strerror(errno));
	}
}

static void on_event(struct loop_watch *watch, uint32_t events)
{
	struct dovecot *dovecot = OF(watch, WHERE_WATCH);

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		hear(dovecot);
	if (dovecot->state != AWAY)
		flush(dovecot);
}

/* ---- the connection ---- */

static void hang_up(struct dovecot *dovecot)
{
	struct loop *loop = dovecot->backend->auth->loop;

	if (dovecot->watch.fd >= 0) {
		loop_del(loop, &dovecot->watch);
		close(dovecot->watch.fd);
	}
	dovecot->watch.fd = -1;
	dovecot->state = AWAY;
	dovecot->heard_len = dovecot->said_len = 0;
	explicit_bzero(dovecot->said, sizeof(dovecot->said));
	loop_timer_clear(loop, &dovecot->timer);
}

/* All who asked come again, or the next one is asked. */
static void lose(struct dovecot *dovecot, const char *reason)
{
	struct loop *loop = dovecot->backend->auth->loop;
	struct attempt *attempt;
	char why[IPC_TEXT_SIZE];

	snprintf(why, sizeof(why), "%s", reason);
	hang_up(dovecot);
	backend_note(dovecot->backend, false, why);
	while ((attempt = any(dovecot)) != NULL)
		attempt_answer(attempt, ATTEMPT_LATER, why);
	loop_timer_set(loop, &dovecot->timer, loop_now_ms(loop) + dovecot->again_ms);
	dovecot->again_ms =
		dovecot->again_ms * 2 < AGAIN_MAX_MS ? dovecot->again_ms * 2 : AGAIN_MAX_MS;
}

/* A descriptor, or -errno. */
static int reach(const struct policy_string *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (path->len >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path->text, path->len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static void dial(struct dovecot *dovecot)
{
	struct loop *loop = dovecot->backend->auth->loop;
	const struct policy_string *path = &dovecot->backend->policy->path;
	char hello[64], why[IPC_TEXT_SIZE];
	uint32_t number = 0; /* two connections with one would be a client's that came again */

	int fd = reach(path);
	if (fd < 0) {
		snprintf(why, sizeof(why), "%.128s: %s", path->text, strerror(-fd));
		lose(dovecot, why);
		return;
	}
	dovecot->watch.fd = fd;
	dovecot->state = GREETS;
	dovecot->greeting = (struct dovecot_greeting){0};
	loop_add(loop, &dovecot->watch, EPOLLIN);
	loop_timer_set(loop, &dovecot->timer, loop_now_ms(loop) + GREETING_MS);
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
		number = (uint32_t)getpid();
	say(dovecot, hello, dovecot_hello(number | 1, hello, sizeof(hello)));
	flush(dovecot);
}

/* When nobody is asked for: what is under way is not to be asked twice. */
static void dial_anew(struct dovecot *dovecot)
{
	struct loop *loop = dovecot->backend->auth->loop;

	if (any(dovecot)) {
		loop_timer_set(loop, &dovecot->timer, loop_now_ms(loop) + BUSY_MS);
		return;
	}
	hang_up(dovecot);
	dial(dovecot);
}

static void on_time(struct loop_timer *timer, uint64_t now_ms)
{
	struct dovecot *dovecot = OF(timer, WHERE_TIMER);

	(void)now_ms;
	switch (dovecot->state) {
	case AWAY:
		dial(dovecot);
		break;
	case GREETS:
		lose(dovecot, "it does not greet");
		break;
	case READY:
		dial_anew(dovecot);
		break;
	}
}

static void renew_dovecot(struct backend *backend)
{
	struct dovecot *dovecot = backend->own;

	if (dovecot && dovecot->state == READY)
		dial_anew(dovecot);
}

/* ---- the backend ---- */

static int open_dovecot(struct backend *backend)
{
	struct dovecot *dovecot = calloc(1, sizeof(*dovecot));

	if (!dovecot)
		return -ENOMEM;
	backend->own = dovecot;
	dovecot->backend = backend;
	dovecot->watch = (struct loop_watch){.fd = -1, .on_event = on_event};
	dovecot->timer.on_time = on_time;
	dovecot->again_ms = AGAIN_MS;
	dial(dovecot);
	return 0;
}

static void close_dovecot(struct backend *backend)
{
	struct dovecot *dovecot = backend->own;

	if (!dovecot)
		return;
	hang_up(dovecot);
	free(dovecot);
}

/* It is away: false, and the attempt has heard so. */
static bool is_there(const struct backend *backend, struct attempt *attempt)
{
	const struct dovecot *dovecot = backend->own;
	char why[IPC_TEXT_SIZE];

	if (dovecot && dovecot->state != AWAY)
		return true;
	snprintf(why, sizeof(why), "%s", backend->state.text);
	attempt_answer(attempt, ATTEMPT_LATER, why[0] ? why : "no memory");
	return false;
}

/* One that is asked while it greets is said when it has. */
static void ask_dovecot(struct backend *backend, struct attempt *attempt)
{
	struct dovecot *dovecot = backend->own;

	if (!is_there(backend, attempt) || dovecot->state != READY)
		return;
	say_password(dovecot, attempt);
	flush(dovecot);
}

/* What it has of mechanisms is not known before it greeted, or was before it was lost. */
static void begin_dovecot(struct backend *backend, struct attempt *attempt, const void *response,
	size_t len, bool given)
{
	struct dovecot *dovecot = backend->own;

	if (!is_there(backend, attempt))
		return;
	if (dovecot->state != READY) {
		attempt_answer(attempt, ATTEMPT_LATER, "it has not greeted yet");
		return;
	}
	say_login(dovecot, attempt, attempt->mechanism, response, given ? len : 0);
	flush(dovecot);
}

static void respond_dovecot(
	struct backend *backend, struct attempt *attempt, const void *response, size_t len)
{
	struct dovecot *dovecot = backend->own;
	char line[DOVECOT_LINE_MAX], letters[BASE64_BYTES(AUTH_BYTES_MAX)];
	bool said = false;

	if (len <= AUTH_BYTES_MAX) {
		size_t n = base64_encode(response, len, letters);
		said = say(dovecot, line,
			dovecot_continue(id_of(attempt), letters, n, line, sizeof(line)));
	}
	explicit_bzero(line, sizeof(line));
	explicit_bzero(letters, sizeof(letters));
	if (!said)
		give_up(dovecot, attempt, "it does not take what it is asked");
	flush(dovecot);
}

static void drop_dovecot(struct backend *backend, struct attempt *attempt)
{
	struct dovecot *dovecot = backend->own;

	if (!dovecot || dovecot->state != READY)
		return;
	cancel(dovecot, id_of(attempt));
	attempt->of_backend = NULL;
	watch_for(dovecot); /* said from the loop: who drops may be within an answer */
}

const struct backend_kind backend_dovecot = {
	.open = open_dovecot,
	.renew = renew_dovecot,
	.close = close_dovecot,
	.ask = ask_dovecot,
	.begin = begin_dovecot,
	.respond = respond_dovecot,
	.drop = drop_dovecot,
};
