/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What test/netns/filters puts between a message and a real filter: drives the milter, the changes
 * to a header and clamd's protocol over a socket, and says what came of it.
 *
 *     filter-driver milter|clamav ADDRESS CUT SENDER RECIPIENT... < MESSAGE
 *
 * ADDRESS is a path, or an IPv4 address and a port with a colon between; CUT is how many bytes of
 * the message are given at once. A line for each answer; behind a yes an empty line, and the
 * message as it would go on. */
#include "lib/milter/edit.h"
#include "lib/milter/milter.h"
#include "lib/scan/clamav.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int sock = -1;
static char *text;
static size_t text_len;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void open_socket(const char *address)
{
	const char *colon = strchr(address, ':');
	int one = 1;

	if (!colon) {
		struct sockaddr_un un = {.sun_family = AF_UNIX};
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", address);
		sock = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(sock, (struct sockaddr *)&un, sizeof(un)) != 0)
			die("connect");
		return;
	}
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
	char host[64];
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
		die("address");
	sock = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(sock, (struct sockaddr *)&in, sizeof(in)) != 0)
		die("connect");
}

static void read_text(void)
{
	size_t room = 1 << 16;

	text = malloc(room);
	for (ssize_t n; text && (n = read(0, text + text_len, room - text_len)) > 0;) {
		text_len += (size_t)n;
		if (text_len == room)
			text = realloc(text, room *= 2);
	}
	if (!text)
		die("memory");
}

/* False: it does not take them any more. */
static bool send_all(const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = send(sock, at, len, MSG_NOSIGNAL);
		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- a milter ---- */

static struct milter milter;
static uint8_t bytes[MILTER_ROOM];
static struct milter_macros macros;
static struct milter_out out = {.bytes = bytes, .room = sizeof(bytes), .macros = &macros};

static void act(void)
{
	if (!send_all(out.bytes, out.len) && milter.state != MILTER_END)
		milter_closed(&milter, strerror(errno), &out);
}

/* Until the input in hand is answered. */
static void await(void)
{
	static uint8_t in[1 << 16];

	act();
	while (milter.state == MILTER_NEGOTIATE || milter.state == MILTER_ASKED) {
		struct pollfd ready = {.fd = sock, .events = POLLIN};
		int64_t left = (int64_t)(milter.deadline_ms - now_ms());
		if (left <= 0 || poll(&ready, 1, (int)left) == 0) {
			milter_time(&milter, now_ms(), &out);
		} else {
			ssize_t n = read(sock, in, sizeof(in));
			if (n > 0)
				milter_filter(&milter, in, (size_t)n, now_ms(), &out);
			else
				milter_closed(&milter, n < 0 ? strerror(errno) : NULL, &out);
		}
		act();
	}
}

static bool told(const char *to)
{
	printf("%s ", to);
	switch ((enum milter_answer)out.answer) {
	case MILTER_ANSWER_NONE:
		printf("none\n");
		break;
	case MILTER_ANSWER_GO:
		printf("go\n");
		return true;
	case MILTER_ANSWER_REFUSED:
		printf("refused %u %s %s\n", out.refusal.code, out.refusal.enhanced,
			out.refusal.text);
		break;
	case MILTER_ANSWER_FAILED:
		printf("failed %s: %s\n", milter_why_names[out.why], milter.fault);
		break;
	}
	return false;
}

static bool give_text(size_t cut)
{
	for (size_t at = 0; at < text_len;) {
		size_t span = cut < text_len - at ? cut : text_len - at;
		at += milter_text(&milter, text + at, span, now_ms(), &out);
		await();
		if (out.answer != MILTER_ANSWER_GO)
			return told("text");
	}
	milter_end(&milter, now_ms(), &out);
	await();
	return told("end");
}

static void print_changed(size_t cut)
{
	static struct milter_edit edit;
	struct milter_change change;
	char to[4096];
	size_t at = 0, written, used;

	milter_edit_init(&edit);
	while (milter_change(&milter, &at, &change))
		milter_edit_add(&edit, 0, &change);
	printf("changes %u\n\n", edit.n);
	for (at = 0; at < text_len; at += used) {
		used = cut < text_len - at ? cut : text_len - at;
		if (!milter_edit_count(&edit, text + at, used))
			break;
	}
	milter_edit_place(&edit);
	for (at = 0; at < text_len && !edit.over; at += used) {
		size_t span = cut < text_len - at ? cut : text_len - at;
		used = milter_edit_write(&edit, text + at, span, to, sizeof(to), &written);
		fwrite(to, 1, written, stdout);
	}
	while (!edit.over) {
		milter_edit_finish(&edit, to, sizeof(to), &written);
		fwrite(to, 1, written, stdout);
	}
	fwrite(text + at, 1, text_len - at, stdout);
}

static void message(size_t cut, char **paths)
{
	milter_mail(&milter, paths[0], NULL, now_ms(), &out);
	await();
	if (!told("mail"))
		return;
	for (char **rcpt = paths + 1; *rcpt; rcpt++) {
		macros.values[MILTER_MACRO_RCPT_ADDR] = *rcpt;
		milter_rcpt(&milter, *rcpt, NULL, now_ms(), &out);
		await();
		told("rcpt");
	}
	milter_data(&milter, now_ms(), &out);
	await();
	if (told("data") && give_text(cut))
		print_changed(cut);
}

static void drive_milter(size_t cut, char **paths)
{
	const struct milter_setup setup = {.command_ms = 30000, .scan_ms = 45000, .changes = true};
	static const struct endpoint client = {
		.addr = {.bytes = {192, 0, 2, 10}, .family = ADDR_IP4}, .port = 40000};

	macros.values[MILTER_MACRO_GATEWAY] = "gw.example";
	macros.values[MILTER_MACRO_DAEMON_NAME] = "gw.example";
	macros.values[MILTER_MACRO_CLIENT_ADDR] = "192.0.2.10";
	macros.values[MILTER_MACRO_CLIENT_NAME] = "unknown";
	macros.values[MILTER_MACRO_ID] = "f-7k3q9.1";
	macros.values[MILTER_MACRO_MAIL_ADDR] = paths[0];
	milter_begin(&milter, &setup, now_ms(), &out);
	await();
	if (!told("options"))
		return;
	printf("version %u actions 0x%x protocol 0x%x\n", milter.version, milter.actions,
		milter.protocol);
	milter_connect(&milter, "[192.0.2.10]", &client, now_ms(), &out);
	await();
	if (!told("connect"))
		return;
	milter_helo(&milter, "client.example", now_ms(), &out);
	await();
	if (!told("helo"))
		return;
	/* a first one that is given up: the second is as if it had not been */
	milter_mail(&milter, "given@up.example", NULL, now_ms(), &out);
	await();
	milter_abort(&milter, &out);
	act();
	message(cut, paths);
	milter_abort(&milter, &out);
	act();
	milter_quit(&milter, &out);
	act();
}

/* ---- clamd ---- */

/* False: it answers already, or closed; what it said is still to be read. */
static bool send_unless_answered(const void *from, size_t len)
{
	const char *at = from;

	while (len > 0) {
		struct pollfd ready = {.fd = sock, .events = POLLIN | POLLOUT};
		if (poll(&ready, 1, -1) < 0 || ready.revents & (POLLIN | POLLHUP | POLLERR))
			return false;
		ssize_t n = send(sock, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static void drive_clamav(size_t cut)
{
	static const char *const names[] = {
		"more", "ok", "found", "too-large", "error", "nonsense"};
	uint8_t head[CLAMAV_HEAD_BYTES];
	struct clamav_answer answer = {0};
	enum clamav_verdict verdict = CLAMAV_MORE;
	char in[512];

	bool open = send_unless_answered(CLAMAV_INSTREAM, sizeof(CLAMAV_INSTREAM));
	for (size_t at = 0, span; open && at < text_len; at += span) {
		span = cut < text_len - at ? cut : text_len - at;
		clamav_head(head, span);
		open = send_unless_answered(head, sizeof(head)) &&
		       send_unless_answered(text + at, span);
	}
	clamav_end(head);
	open = open && send_unless_answered(head, sizeof(head));
	while (verdict == CLAMAV_MORE) {
		ssize_t n = read(sock, in, sizeof(in));
		verdict =
			n > 0 ? clamav_read(&answer, in, (size_t)n, open) : clamav_closed(&answer);
	}
	printf("%s %s\n", names[verdict], answer.name);
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr,
			"usage: filter-driver milter|clamav ADDRESS CUT SENDER RECIPIENT...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	read_text();
	open_socket(argv[2]);
	size_t cut = strtoul(argv[3], NULL, 10);
	if (strcmp(argv[1], "milter") == 0)
		drive_milter(cut, argv + 4);
	else
		drive_clamav(cut);
	return 0;
}
