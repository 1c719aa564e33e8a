/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owns what the load generator does in TLS: clients that begin it by STARTTLS, a server that takes
 * it, and the handshake alone, for what it costs a server.
 *
 * What is negotiated is the library's own choice: TLS 1.3, the certificate's key as the test made
 * it. Nobody's certificate is looked at. */
#include "load.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define READ_BYTES     16384

static _Noreturn void fail(const char *what)
{
	ERR_print_errors_fp(stderr);
	load_fail(what);
}

static SSL_CTX *server_context(const char *certificate, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		fail(certificate);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

static SSL_CTX *client_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		fail("a context");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

/* -- clients ------------------------------------------------------------------------------------
 */

/* One connection; ssl NULL: in clear. */
struct talk {
	int fd;
	SSL *ssl;
};

static void put(const struct talk *talk, const char *bytes, size_t len)
{
	if (talk->ssl ? SSL_write(talk->ssl, bytes, (int)len) != (int)len
		      : send(talk->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		fail("send");
}

static ssize_t get(const struct talk *talk, char *bytes, size_t room)
{
	if (talk->ssl)
		return SSL_read(talk->ssl, bytes, (int)room);
	return recv(talk->fd, bytes, room, 0);
}

/* A reply of any number of lines; the server has one to say. */
static void expect(const struct talk *talk, const char *code)
{
	char reply[LINE_MAX_BYTES];
	size_t len = 0, last = 0;

	for (;;) {
		ssize_t n = get(talk, reply + len, sizeof(reply) - len);
		if (n <= 0)
			fail(code);
		len += (size_t)n;
		for (char *end; (end = memchr(reply + last, '\n', len - last));
			last = (size_t)(end + 1 - reply)) {
			if (strncmp(reply + last, code, 3) != 0) {
				fprintf(stderr, "bench-load: wanted %s: %.*s\n", code, (int)len,
					reply);
				exit(1);
			}
			if (reply[last + 3] != '-')
				return;
		}
		if (len == sizeof(reply))
			fail("a reply too long");
	}
}

static void say(const struct talk *talk, const char *line, const char *code)
{
	put(talk, line, strlen(line));
	expect(talk, code);
}

/* Greeted, and in TLS unless ctx is NULL. */
static struct talk begin(const struct load_place *place, SSL_CTX *ctx)
{
	struct talk talk = {.fd = load_socket(place, 0)};

	if (connect(talk.fd, (const struct sockaddr *)&place->address, place->len) < 0)
		load_fail("connect");
	expect(&talk, "220");
	say(&talk, "EHLO client.example\r\n", "250");
	if (!ctx)
		return talk;
	say(&talk, "STARTTLS\r\n", "220");
	SSL *ssl = SSL_new(ctx);
	if (!ssl || SSL_set_fd(ssl, talk.fd) != 1 || SSL_connect(ssl) != 1)
		fail("handshake");
	talk.ssl = ssl;
	say(&talk, "EHLO client.example\r\n", "250");
	return talk;
}

static void send_text(const struct talk *talk, const char *text, size_t len)
{
	say(talk, "MAIL FROM:<a@client.example>\r\n", "250");
	say(talk, "RCPT TO:<b@internet.example>\r\n", "250");
	say(talk, "DATA\r\n", "354");
	put(talk, text, len);
	expect(talk, "250");
}

static void quit(struct talk *talk)
{
	say(talk, "QUIT\r\n", "221");
	SSL_free(talk->ssl);
	close(talk->fd);
}

/* text empty: it greets and goes. */
static void send_one(const struct load_place *place, SSL_CTX *ctx, const char *text, size_t len)
{
	struct talk talk = begin(place, ctx);

	if (len > 0)
		send_text(&talk, text, len);
	quit(&talk);
}

static char *text_of(size_t size)
{
	static const char head[] = "Subject: bench\r\n\r\n", end[] = "\r\n.\r\n";
	char *text = malloc(size + sizeof(head) + sizeof(end) + 2);
	size_t len = sizeof(head) - 1;

	memcpy(text, head, len);
	for (; len < size; len++)
		text[len] = len % 78 == 76 ? '\r' : len % 78 == 77 ? '\n' : 'x';
	/* no line end is cut in the middle */
	if (text[len - 1] == '\r')
		text[len - 1] = 'x';
	strcpy(text + len, end);
	return text;
}

/* Which of so many a process of its own is, or -1 in the one that made them: all ended well, or
 * it fails. */
static int each_session(int sessions)
{
	int status;
	bool good = true;

	for (int i = 0; i < sessions; i++) {
		pid_t pid = fork();
		if (pid < 0)
			load_fail("fork");
		if (pid == 0)
			return i;
	}
	while (wait(&status) > 0)
		good = good && status == 0;
	if (!good)
		exit(1);
	return -1;
}

/* Each session has a connection for each of its messages. */
int load_tls_send(char **words)
{
	struct load_place place = load_place_of(words[0], words[1]);
	int sessions = atoi(words[2]), count = atoi(words[3]);
	size_t size = (size_t)atoi(words[4]);
	char *text = size > 0 ? text_of(size) : "";
	SSL_CTX *ctx = strcmp(words[5], "clear") == 0 ? NULL : client_context();
	int session = each_session(sessions);

	if (session < 0)
		return 0;
	for (int n = session; n < count; n += sessions)
		send_one(&place, ctx, text, strlen(text));
	_exit(0);
}

/* In TLS, with this response of AUTH PLAIN: a connection for each message, or for all of a
 * session's. */
int load_tls_submit(char **words)
{
	struct load_place place = load_place_of(words[0], words[1]);
	int sessions = atoi(words[2]), count = atoi(words[3]);
	char *text = text_of((size_t)atoi(words[4])), login[LINE_MAX_BYTES];
	bool many = strcmp(words[5], "many") == 0;
	SSL_CTX *ctx = client_context();
	int session = each_session(sessions);
	struct talk talk = {.fd = -1};

	if (session < 0)
		return 0;
	snprintf(login, sizeof(login), "AUTH PLAIN %s\r\n", words[6]);
	for (int n = session; n < count; n += sessions) {
		if (n == session || !many) {
			talk = begin(&place, ctx);
			say(&talk, login, "235");
		}
		send_text(&talk, text, strlen(text));
		if (n + sessions >= count || !many)
			quit(&talk);
	}
	_exit(0);
}

/* Holds so many until its input ends: greeted in TLS, or with a recipient, too. */
int load_tls_hold(char **words)
{
	struct load_place place = load_place_of(words[0], words[1]);
	int count = atoi(words[2]);
	bool addressed = strcmp(words[3], "recipient") == 0;
	SSL_CTX *ctx = client_context();

	for (int i = 0; i < count; i++) {
		struct talk talk = begin(&place, ctx);
		if (!addressed)
			continue;
		say(&talk, "MAIL FROM:<a@client.example>\r\n", "250");
		say(&talk, "RCPT TO:<b@internet.example>\r\n", "250");
	}
	printf("%d\n", count);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

/* -- a server that says the next line at once ---------------------------------------------------
 */

struct served {
	int fd;
	SSL *ssl;
	bool in_text;
	char seen[5]; /* the last bytes of a text */
};

static void reply(struct served *one, const char *line)
{
	const struct talk talk = {one->fd, one->ssl};

	put(&talk, line, strlen(line));
}

/* All there is; 0: nothing now; -1: the end. */
static ssize_t take(struct served *one, char *bytes, size_t room)
{
	if (!one->ssl) {
		ssize_t n = recv(one->fd, bytes, room, MSG_DONTWAIT);
		return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
	}
	ERR_clear_error();
	int n = SSL_read(one->ssl, bytes, (int)room);
	if (n > 0)
		return n;
	int error = SSL_get_error(one->ssl, n);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static bool ends_text(struct served *one, const char *bytes, size_t len)
{
	char last[5 + READ_BYTES];

	memcpy(last, one->seen, 5);
	memcpy(last + 5, bytes, len);
	memcpy(one->seen, last + len, 5);
	return memcmp(one->seen, "\r\n.\r\n", 5) == 0;
}

static bool begins(const char *bytes, size_t len, const char *word)
{
	return len >= strlen(word) && strncasecmp(bytes, word, strlen(word)) == 0;
}

/* Who is served says one line and waits. False: it is over. */
static bool serve_line(struct served *one, SSL_CTX *ctx, const char *bytes, size_t len)
{
	if (one->in_text) {
		if (ends_text(one, bytes, len)) {
			one->in_text = false;
			reply(one, "250 2.0.0 Ok\r\n");
		}
		return true;
	}
	if (begins(bytes, len, "EHLO"))
		reply(one, one->ssl ? "250-mx.dmz.example\r\n250 8BITMIME\r\n"
				    : "250-mx.dmz.example\r\n250-8BITMIME\r\n250 STARTTLS\r\n");
	else if (begins(bytes, len, "STARTTLS")) {
		reply(one, "220 2.0.0 go\r\n");
		one->ssl = SSL_new(ctx);
		if (!one->ssl || SSL_set_fd(one->ssl, one->fd) != 1)
			fail("a session");
		SSL_set_accept_state(one->ssl);
	} else if (begins(bytes, len, "DATA")) {
		one->in_text = true;
		reply(one, "354 go\r\n");
	} else if (begins(bytes, len, "QUIT")) {
		reply(one, "221 2.0.0 Bye\r\n");
		return false;
	} else
		reply(one, "250 2.0.0 Ok\r\n");
	return true;
}

static void serve_one(struct served *one, SSL_CTX *ctx)
{
	char bytes[READ_BYTES];
	ssize_t n;

	while ((n = take(one, bytes, sizeof(bytes))) > 0)
		if (!serve_line(one, ctx, bytes, (size_t)n)) {
			n = -1;
			break;
		}
	if (n == 0)
		return;
	SSL_free(one->ssl);
	close(one->fd);
	free(one);
}

static void greet(int epoll, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct served *one = calloc(1, sizeof(*one));
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
		if (!one)
			load_fail("memory");
		one->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		reply(one, "220 mx.dmz.example ESMTP\r\n");
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

int load_tls_serve(char **words)
{
	struct load_place place = load_place_of(words[0], words[1]);
	SSL_CTX *ctx = server_context(words[2], words[3]);
	int listener = load_listener(&place), epoll = epoll_create1(0);
	struct epoll_event events[256], event = {.events = EPOLLIN};

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int n = epoll_wait(epoll, events, 256, -1);
		if (n < 0 && errno != EINTR)
			load_fail("epoll_wait");
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				serve_one(events[i].data.ptr, ctx);
			else
				greet(epoll, listener);
		}
	}
}

/* -- the handshake alone ------------------------------------------------------------------------
 */

static _Noreturn void connect_all(int fd, int count)
{
	SSL_CTX *ctx = client_context();
	char byte;

	for (int i = 0; i < count; i++) {
		SSL *ssl = SSL_new(ctx);
		/* the server is done when it says so */
		if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1 ||
			SSL_read(ssl, &byte, 1) != 1)
			fail("handshake");
		SSL_free(ssl);
	}
	_exit(0);
}

/* Both ends of a TCP connection over loopback. */
static void connect_pair(int pair[static 2])
{
	struct load_place place = load_place_of("127.0.0.1", "0");
	int listener = load_socket(&place, 0);

	if (bind(listener, (struct sockaddr *)&place.address, place.len) < 0 ||
		listen(listener, 1) < 0 ||
		getsockname(listener, (struct sockaddr *)&place.address, &place.len) < 0)
		load_fail("listen");
	pair[1] = load_socket(&place, 0);
	if (connect(pair[1], (struct sockaddr *)&place.address, place.len) < 0 ||
		(pair[0] = accept(listener, NULL, NULL)) < 0)
		load_fail("connect");
	setsockopt(pair[0], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	close(listener);
}

/* Of so many, one after the other: what each costs the server, who makes the
 * session and frees it. */
int load_tls_handshakes(char **words)
{
	int count = atoi(words[0]), pair[2], status;
	SSL_CTX *ctx = server_context(words[1], words[2]);
	struct timespec from, to;

	connect_pair(pair);
	pid_t pid = fork();
	if (pid < 0)
		load_fail("fork");
	if (pid == 0)
		connect_all(pair[1], count);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (int i = 0; i < count; i++) {
		SSL *ssl = SSL_new(ctx);
		if (!ssl || SSL_set_fd(ssl, pair[0]) != 1 || SSL_accept(ssl) != 1 ||
			SSL_write(ssl, "x", 1) != 1)
			fail("handshake");
		SSL_free(ssl);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	double us =
		(double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
	printf("{\"n\": %d, \"us\": %.2f}\n", count, us / count);
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}
