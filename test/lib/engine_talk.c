/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/engine_talk.h"

#include "lib/smtp/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 65536

static char client_room[ROOM], server_room[ROOM], text_room[ROOM];

static const char *offered; /* of the talk at hand */

static struct engine_out new_out(void)
{
	struct engine_out out = {.gateway = TALK_GATEWAY,
		.client = client_room,
		.server = server_room,
		.text = text_room,
		.text_room = ROOM,
		.logins = offered,
		.client_room = ROOM,
		.server_room = ROOM};
	return out;
}

static void note(struct talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct talk *talk, const char *format, ...)
{
	size_t at = strlen(talk->events);
	va_list args;

	va_start(args, format);
	vsnprintf(talk->events + at, sizeof(talk->events) - at, format, args);
	va_end(args);
}

static void keep(char *all, size_t *len, const char *bytes, size_t n)
{
	assert_true(*len + n < TALK_BYTES_MAX);
	memcpy(all + *len, bytes, n);
	*len += n;
	all[*len] = '\0';
}

static void note_events(struct talk *talk, const struct engine_out *out)
{
	struct smtp_path path;
	const char *said;
	size_t len;

	if (out->said == ENGINE_SAID_AUTH)
		snprintf(talk->said, sizeof(talk->said), "%.*s%s", (int)out->mechanism_len,
			out->mechanism, out->given ? "=" : "");
	if (out->said != ENGINE_SAID_NOTHING)
		snprintf(talk->said + strlen(talk->said), sizeof(talk->said) - strlen(talk->said),
			"%.*s", (int)out->response_len, out->response);
	if (out->recipient_done && !engine_recipient(&talk->engine, &path)) {
		assert_true(engine_recipient_said(&talk->engine, &said, &len));
		note(talk, "form %.*s %u; ", (int)len, said, out->recipient.code);
	} else if (out->recipient_done) {
		note(talk, "rcpt %.*s %s%u; ", path.local_bytes, path.local,
			out->recipient.server ? "" : "own ", out->recipient.code);
	}
	if (out->host_failed)
		note(talk, "%s%s%s; ", ending_name(out->host_failed), *out->host.text ? " " : "",
			out->host.text);
	if (out->text_done)
		note(talk, "text %llu%s%s; ", (unsigned long long)talk->engine.size,
			out->message_id[0] ? " " : "", out->message_id);
	if (out->message_done)
		note(talk, "%s %u/%u %u; ", engine_outcome_names[out->message_done],
			talk->engine.accepted, talk->engine.recipients, out->message.code);
}

static void check_wait(const struct talk *talk)
{
	const struct engine *engine = &talk->engine;

	if (engine->state == ENGINE_END)
		assert_true(engine->deadline_ms == UINT64_MAX);
	else
		assert_in_range(engine->deadline_ms, talk->now_ms, talk->now_ms + ENGINE_DOT_MS);
}

static void take(struct talk *talk, const struct engine_out *out)
{
	keep(talk->client, &talk->client_len, out->client, out->client_len);
	keep(talk->server, &talk->server_len, out->server, out->server_len);
	keep(talk->text, &talk->text_len, out->text, out->text_len);
	note_events(talk, out);
	talk->closed += out->close_server;
	talk->broken += out->server_broken;
	check_wait(talk);
}

static void give_verdict(struct talk *talk, struct engine_out *out)
{
	struct engine_verdict verdict = {.ask = talk->engine.ask,
		.server = talk->number,
		.first_ms = 25000,
		.greeting_ms = 15000,
		.command_ms = 15000,
		.xclient = talk->xclient,
		.login = talk->login,
		.other_sender = talk->sender,
		.size_max = talk->size_max};
	struct smtp_path path;

	switch ((int)talk->engine.state) {
	case ENGINE_ASK_MAIL:
		verdict.refusal = talk->mail;
		break;
	case ENGINE_ASK_RCPT:
		assert_true(engine_recipient(&talk->engine, &path));
		verdict.refusal = talk->rcpt;
		verdict.server = (uint16_t)(talk->number + (memmem(path.local, path.local_bytes,
								    "other", 5) != NULL));
		break;
	case ENGINE_ASK_DATA:
		verdict.refusal = talk->data;
		verdict.mode = talk->mode;
		verdict.scan_ms = talk->scan_ms;
		talk->text_len = talk->text_given = 0;
		talk->front_given = !talk->front;
		break;
	default:
		verdict.refusal = talk->dot;
		break;
	}
	engine_verdict(&talk->engine, &verdict, talk->now_ms, out);
}

static void secure_or_log_in(struct talk *talk, struct engine_out *out)
{
	const struct smtp_login login = {"user", "secret", 4, 6};
	char line[SMTP_LOGIN_LINE_MAX];
	bool last;

	if (talk->unfit) {
		engine_server_unfit(&talk->engine, talk->unfit, talk->now_ms, out);
		return;
	}
	if (talk->engine.state == ENGINE_SERVER_TLS) {
		talk->secured++;
		engine_server_secured(&talk->engine, talk->now_ms, out);
		return;
	}
	size_t len = smtp_login_line(&login, talk->engine.offers.login, talk->lines++, line, &last);
	if (len > 0)
		engine_login(&talk->engine, line, len, last, talk->now_ms, out);
	else
		engine_server_unfit(&talk->engine, "no AUTH", talk->now_ms, out);
}

/* In pieces as small as what comes in. */
static void give_text(struct talk *talk, struct engine_out *out)
{
	const char *from = talk->front_given ? talk->text + talk->text_given : talk->front;
	size_t left = talk->front_given ? talk->text_len - talk->text_given : strlen(talk->front);
	size_t n = talk->cut && talk->cut < left ? talk->cut : left;
	bool last = talk->front_given && n == left;

	if (!talk->front_given) {
		assert_int_equal(
			engine_give(&talk->engine, from, left, false, talk->now_ms, out), left);
		talk->front_given = true;
		return;
	}
	talk->text_given += engine_give(&talk->engine, from, n, last, talk->now_ms, out);
}

/* One thing that the owner has to do by itself. False: there is none. */
static bool act(struct talk *talk, struct engine_out *out)
{
	const char *trace = talk->trace ? talk->trace : "";
	struct smtp_path path;
	size_t used;

	if (talk->holds)
		return false;
	switch ((int)talk->engine.state) {
	case ENGINE_CLIENT_TLS:
		talk->handshakes++;
		engine_client_secured(&talk->engine, talk->now_ms, out);
		return true;
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
	case ENGINE_ASK_DOT:
		give_verdict(talk, out);
		return true;
	case ENGINE_OPEN:
		note(talk, "%s; ",
			talk->engine.open == ENGINE_OPEN_FIRST   ? "open"
			: talk->engine.open == ENGINE_OPEN_NEXT  ? "next"
			: talk->engine.open == ENGINE_OPEN_AGAIN ? "again"
								 : "clear");
		if (talk->hosts == 0) {
			engine_server_failed(&talk->engine, false, talk->now_ms, out);
			return true;
		}
		talk->hosts--;
		talk->opened++;
		talk->lines = 0;
		engine_server_opened(&talk->engine, talk->tls, talk->may_ms, talk->now_ms, out);
		return true;
	case ENGINE_IDENTITY:
		engine_identity(
			&talk->engine, "XCLIENT ADDR=192.0.2.9\r\n", 24, true, talk->now_ms, out);
		return true;
	case ENGINE_SERVER_TLS:
	case ENGINE_LOGIN:
		secure_or_log_in(talk, out);
		return true;
	case ENGINE_SENDER:
		smtp_path_parse(&path, 0, talk->sender, strlen(talk->sender), &used);
		engine_sender(&talk->engine, &path, talk->now_ms, out);
		return true;
	case ENGINE_TRACE:
		engine_trace(&talk->engine, trace, strlen(trace), talk->now_ms, out);
		return true;
	case ENGINE_GIVE:
		give_text(talk, out);
		return true;
	default:
		return false;
	}
}

static void settle(struct talk *talk, struct engine_out *out)
{
	take(talk, out);
	for (;;) {
		struct engine_out next = new_out();
		bool more = out->more;
		if (!act(talk, &next)) {
			if (!more)
				return;
			engine_go(&talk->engine, talk->now_ms, &next);
		}
		take(talk, &next);
		*out = next;
	}
}

void talk_init(struct talk *talk, unsigned flags)
{
	const struct engine_setup setup = {
		.flow = 1, .size_max = 1000000, .recipients_max = 1000, .flags = (uint16_t)flags};

	memset(talk, 0, sizeof(*talk));
	talk->now_ms = 1000;
	talk->number = 7;
	talk->may_ms = 25000;
	talk->hosts = 9;
	talk->logins = offered = "PLAIN LOGIN";
	engine_init(&talk->engine, &setup, talk->now_ms);
}

void talk_greet(struct talk *talk)
{
	struct engine_out out = new_out();

	engine_greet(&talk->engine, NULL, talk->now_ms, &out);
	settle(talk, &out);
}

static size_t piece(const struct talk *talk, size_t left)
{
	return talk->cut && talk->cut < left ? talk->cut : left;
}

void talk_client(struct talk *talk, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		struct engine_out out = new_out();
		size_t n = piece(talk, len), room = engine_client_room(&talk->engine);
		if (n > room)
			n = room;
		if (n == 0)
			return;
		size_t used = engine_client(&talk->engine, p, n, talk->now_ms, &out);
		settle(talk, &out);
		p += used;
		len -= used;
	}
}

void talk_server(struct talk *talk, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		struct engine_out out = new_out();
		size_t n = piece(talk, len);
		size_t used = engine_server(&talk->engine, p, n, talk->now_ms, &out);
		settle(talk, &out);
		p += used;
		len -= used;
	}
}

void talk_time(struct talk *talk, uint64_t ms)
{
	struct engine_out out = new_out();

	talk->now_ms += ms;
	engine_time(&talk->engine, talk->now_ms, &out);
	settle(talk, &out);
}

/* The next line of what one side heard; NULL: there is none. */
static const char *next_line(const char *all, size_t *seen, char line[static 1100])
{
	const char *end = strstr(all + *seen, "\r\n");

	if (!end)
		return NULL;
	size_t n = (size_t)(end - all) - *seen;
	snprintf(line, 1100, "%.*s", (int)n, all + *seen);
	*seen += n + 2;
	return line;
}

static void expect_heard(
	const char *who, const char *all, size_t *seen, const char *expected, bool whole)
{
	char line[1100];
	const char *heard = next_line(all, seen, line);

	if (!expected) {
		if (heard)
			fail_msg("%s heard \"%s\", and nothing was expected", who, heard);
		return;
	}
	if (!heard)
		fail_msg("%s heard nothing, expected \"%s\"", who, expected);
	if (strncmp(heard, expected, strlen(expected)) != 0 ||
		(whole && strlen(heard) != strlen(expected)))
		fail_msg("%s heard \"%s\", expected \"%s\"", who, heard, expected);
}

static void close_side(struct talk *talk, char what)
{
	struct engine_out out = new_out();

	if (what == 'X')
		engine_server_closed(&talk->engine, talk->now_ms, &out);
	else if (what == 'D' || what == 'K')
		engine_end(&talk->engine, what == 'D' ? ENDING_DRAINING : ENDING_KILLED_OPERATOR,
			talk->now_ms, &out);
	else
		engine_client_closed(&talk->engine, what == 'G', talk->now_ms, &out);
	settle(talk, &out);
}

static void answer_login(struct talk *talk, const char *text)
{
	static const char *const words[] = {
		"ok", "refused", "later", "malformed", "long", "mechanism"};
	struct engine_out out = new_out();

	if (text[0] == '+') {
		engine_challenge(&talk->engine, text + 2, strlen(text + 2), talk->now_ms, &out);
		settle(talk, &out);
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], text) == 0) {
			engine_logged_in(&talk->engine, (enum engine_login)i,
				ENGINE_SUBMISSION | ENGINE_SESSION, talk->now_ms, &out);
			settle(talk, &out);
			return;
		}
	fail_msg("no verdict \"%s\"", text);
}

static void expect_events(struct talk *talk, const char *expected)
{
	size_t len = strlen(talk->events);

	while (len > 0 && (talk->events[len - 1] == ' ' || talk->events[len - 1] == ';'))
		talk->events[--len] = '\0';
	assert_string_equal(talk->events, expected);
	talk->events[0] = '\0';
}

/* Returns how many bytes it became. */
static size_t unescape(const char *text, char *bytes)
{
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		char c = *p;
		if (c == '\\') {
			c = *++p;
			c = (char)(c == 'r' ? '\r' : c == 'n' ? '\n' : c == '0' ? '\0' : c);
		}
		bytes[n++] = c;
	}
	return n;
}

static void expect_text(const struct talk *talk, const char *expected)
{
	char bytes[4200];
	size_t len = unescape(expected, bytes);

	assert_int_equal(talk->text_len, len);
	assert_memory_equal(talk->text, bytes, len);
}

static void step(struct talk *talk, char what, const char *text)
{
	char line[4200];
	int len = snprintf(line, sizeof(line), "%s\r\n", text ? text : "");

	switch (what) {
	case 'C':
		talk_client(talk, line, (size_t)len);
		break;
	case 'S':
		talk_server(talk, line, (size_t)len);
		break;
	case 'c':
		expect_heard("the client", talk->client, &talk->client_seen, text, false);
		break;
	case 's':
		expect_heard("the server", talk->server, &talk->server_seen, text, true);
		break;
	case 'R':
		talk_client(talk, line, unescape(text, line));
		break;
	case 'Q':
		talk_server(talk, line, unescape(text, line));
		break;
	case 'm':
		talk->may_ms = (uint32_t)strtoul(text, NULL, 10);
		break;
	case 'o':
		talk->hosts = (unsigned)strtoul(text, NULL, 10);
		break;
	case 'u':
		snprintf(talk->why, sizeof(talk->why), "%.99s", text);
		talk->unfit = talk->why;
		break;
	case 'l':
		assert_string_equal(talk->said, text);
		talk->said[0] = '\0';
		break;
	case 'L':
		answer_login(talk, text);
		break;
	case 'w':
		assert_string_equal(engine_state_names[talk->engine.state], text);
		break;
	case 'E':
		expect_events(talk, text);
		break;
	case 't':
		expect_text(talk, text ? text : "");
		break;
	case 'T':
		talk_time(talk, strtoull(text, NULL, 10));
		break;
	default:
		close_side(talk, what);
		break;
	}
}

void talk_try(struct talk *talk, const char *script)
{
	while (*script) {
		const char *end = strchrnul(script, '\n');
		char text[4096];
		size_t len = (size_t)(end - script);
		snprintf(text, sizeof(text), "%.*s", len > 2 ? (int)len - 2 : 0, script + 2);
		step(talk, *script, len > 1 ? text : NULL);
		script = *end ? end + 1 : end;
	}
}

void talk_whole(struct talk *talk, unsigned flags, const char *script)
{
	talk_init(talk, flags);
	talk_greet(talk);
	talk_try(talk, script);
}
