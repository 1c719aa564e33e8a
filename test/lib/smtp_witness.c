/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/smtp_witness.h"

#include "test/lib/smtp_witness_rules.h"

#include <stdio.h>
#include <string.h>

static char client_room[ENGINE_CLIENT_ROOM], server_room[ENGINE_SERVER_ROOM],
	text_room[ENGINE_TEXT_ROOM];

/* What the engine does not write is nothing to read. */
static struct engine_out new_out(void)
{
	struct engine_out out;

	memset(&out, 0xa5, sizeof(out));
	out.gateway = "gw.example";
	out.client = client_room;
	out.server = server_room;
	out.client_room = sizeof(client_room);
	out.server_room = sizeof(server_room);
	out.text = text_room;
	out.text_room = sizeof(text_room);
	out.holds_back = NULL;
	out.logins = "PLAIN LOGIN";
	return out;
}

void smtp_witness_begin(struct smtp_witness *witness, unsigned flags)
{
	const struct engine_setup setup = {
		.flow = 1, .size_max = 1000, .recipients_max = 3, .flags = (uint16_t)flags};

	memset(witness, 0, sizeof(*witness));
	witness->now_ms = 1000;
	witness->submits = flags & ENGINE_SUBMISSION;
	witness->client.repair = flags & ENGINE_REPAIR;
	witness->client.secret = flags & ENGINE_CLIENT_SECURE;
	witness->client.handshake = flags & ENGINE_CLIENT_AT_ONCE;
	engine_init(&witness->engine, &setup, witness->now_ms);
}

/* An input is over. */
static void settle(struct smtp_witness *witness, const struct engine_out *out)
{
	smtp_witness_judge(witness, out);
	smtp_witness_judge_state(witness);
}

void smtp_witness_greet(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	engine_greet(&witness->engine, NULL, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_go(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	engine_go(&witness->engine, witness->now_ms, &out);
	settle(witness, &out);
}

size_t smtp_witness_client(struct smtp_witness *witness, const char *bytes, size_t len)
{
	size_t all = 0, room;
	bool early = !witness->client.greeted;

	while (all < len && (room = engine_client_room(&witness->engine)) > 0) {
		struct engine_out out = new_out();
		bool text = witness->engine.state == ENGINE_BODY;
		size_t n = len - all < room ? len - all : room;
		size_t used =
			engine_client(&witness->engine, bytes + all, n, witness->now_ms, &out);
		if (used == 0 || used > n ||
			(used < n && !text && witness->engine.state != ENGINE_END))
			smtp_witness_wrong(witness, "room was promised, and is not there");
		if (used == 0 || !smtp_client_say(&witness->client, bytes + all, used))
			break;
		settle(witness, &out);
		all += used;
		if (early && witness->engine.state != ENGINE_END)
			smtp_witness_wrong(witness, "goes on with who spoke before the greeting");
	}
	return all;
}

void smtp_witness_client_closed(struct smtp_witness *witness, bool gone)
{
	struct engine_out out = new_out();

	witness->client_closed = true;
	witness->client_gone = witness->client_gone || gone;
	engine_client_closed(&witness->engine, gone, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_client_secured(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	if (witness->engine.state == ENGINE_CLIENT_TLS)
		smtp_client_secure(&witness->client);
	engine_client_secured(&witness->engine, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_client_unfit(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	engine_client_unfit(&witness->engine, ENDING_HANDSHAKE_FAILED, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_verdict(
	struct smtp_witness *witness, enum smtp_witness_verdict verdict, bool xclient)
{
	static const struct smtp_refusal refuse = {550, "5.7.1", "refused"};
	static const struct smtp_refusal later = {451, "4.7.1", "later"};
	struct engine_out out = new_out();
	struct engine_verdict said = {.ask = witness->engine.ask,
		.server = verdict == SMTP_WITNESS_OTHER ? 2 : 1,
		.first_ms = 25000,
		.greeting_ms = 15000,
		.command_ms = 15000,
		.xclient = xclient,
		.login = witness->login,
		.other_sender = witness->other_sender,
		.mode = (enum engine_mode)witness->mode};
	bool yes = verdict == SMTP_WITNESS_GO || verdict == SMTP_WITNESS_OTHER;

	if (!yes)
		said.refusal = verdict == SMTP_WITNESS_REFUSE ? &refuse : &later;
	if (witness->engine.state == ENGINE_ASK_RCPT)
		witness->rcpt_ok = yes;
	if (witness->engine.state == ENGINE_ASK_DATA) {
		witness->data_ok = yes;
		witness->whole = witness->mode == ENGINE_MODE_WHOLE;
		witness->seen = witness->mode != ENGINE_MODE_STREAM;
		witness->seen_len = witness->given_len = 0;
		witness->seen_digest = 0;
	}
	if (witness->engine.state == ENGINE_ASK_DOT)
		witness->dot_ok = yes;
	engine_verdict(&witness->engine, &said, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_challenge(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	witness->challenged = witness->engine.state == ENGINE_ASK_LOGIN;
	engine_challenge(&witness->engine, "", 0, witness->now_ms, &out);
	settle(witness, &out);
	witness->challenged = false;
}

void smtp_witness_logged_in(struct smtp_witness *witness, enum engine_login login)
{
	struct engine_out out = new_out();

	witness->admitted = witness->engine.state == ENGINE_ASK_LOGIN && login == ENGINE_LOGIN_OK;
	engine_logged_in(&witness->engine, login,
		login == ENGINE_LOGIN_OK ? ENGINE_SUBMISSION | ENGINE_SESSION : 0, witness->now_ms,
		&out);
	settle(witness, &out);
	if (witness->admitted && witness->server.open)
		smtp_witness_wrong(witness, "a server that was told of nobody is kept");
	witness->admitted = false;
}

void smtp_witness_opened(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	if (witness->engine.state == ENGINE_OPEN) {
		smtp_server_begin(&witness->server, witness->tls == ENGINE_TLS_IMMEDIATE);
		witness->clear = witness->engine.open == ENGINE_OPEN_CLEAR;
	}
	engine_server_opened(
		&witness->engine, (enum engine_tls)witness->tls, 15000, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_failed(struct smtp_witness *witness, bool another)
{
	struct engine_out out = new_out();

	engine_server_failed(&witness->engine, another, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_server(struct smtp_witness *witness, const char *bytes, size_t len)
{
	if (witness->server.open)
		smtp_server_say(&witness->server, bytes, len);
	while (len > 0) {
		struct engine_out out = new_out();
		bool connected = witness->engine.connected;
		size_t used = engine_server(&witness->engine, bytes, len, witness->now_ms, &out);
		smtp_witness_judge(witness, &out);
		if (used == 0 || used > len) {
			smtp_witness_wrong(witness, "bytes of the server that are not taken");
			break;
		}
		bytes += used;
		len -= used;
		if (!connected || !witness->engine.connected)
			break;
	}
	smtp_witness_judge_state(witness);
}

void smtp_witness_server_closed(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	engine_server_closed(&witness->engine, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_blocked(struct smtp_witness *witness, bool blocked)
{
	engine_server_blocked(&witness->engine, blocked, witness->now_ms);
	smtp_witness_judge_state(witness);
}

void smtp_witness_identity(struct smtp_witness *witness, bool known)
{
	static const char line[] = "XCLIENT ADDR=192.0.2.9\r\n";
	struct engine_out out = new_out();

	engine_identity(
		&witness->engine, line, known ? sizeof(line) - 1 : 0, true, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_secured(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	if (witness->engine.state == ENGINE_SERVER_TLS)
		smtp_server_secure(&witness->server);
	engine_server_secured(&witness->engine, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_unfit(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	engine_server_unfit(&witness->engine, "unfit", witness->now_ms, &out);
	settle(witness, &out);
}

/* In one line, or in two. */
void smtp_witness_login(struct smtp_witness *witness, bool last)
{
	static const char whole[] = "AUTH PLAIN AGEAYg==\r\n", first[] = "AUTH LOGIN\r\n",
			  answer[] = "YQ==\r\n";
	const char *line = witness->server.asks ? answer : last ? whole : first;
	struct engine_out out = new_out();

	engine_login(&witness->engine, line, strlen(line), last, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_sender(struct smtp_witness *witness)
{
	static const char text[] = "<" SMTP_WITNESS_SENDER ">";
	struct engine_out out = new_out();
	struct smtp_path path;
	size_t used;

	smtp_path_parse(&path, 0, text, strlen(text), &used);
	engine_sender(&witness->engine, &path, witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_trace(struct smtp_witness *witness, bool traced)
{
	struct engine_out out = new_out();

	if (witness->engine.state == ENGINE_TRACE)
		witness->traced = traced;
	engine_trace(&witness->engine, SMTP_WITNESS_TRACE, traced ? strlen(SMTP_WITNESS_TRACE) : 0,
		witness->now_ms, &out);
	settle(witness, &out);
}

void smtp_witness_give(struct smtp_witness *witness, size_t len)
{
	static char text[2 * SMTP_CLIENT_SENT_MAX];
	struct engine_out out = new_out();
	size_t text_len = 0;

	if (witness->engine.state == ENGINE_GIVE)
		smtp_client_text(&witness->client, text, &text_len);
	size_t left = text_len - witness->given_len, n = len < left ? len : left;
	size_t used = engine_give(
		&witness->engine, text + witness->given_len, n, n == left, witness->now_ms, &out);
	if (used > n)
		smtp_witness_wrong(witness, "more is taken than was given");
	witness->given_len = (uint16_t)(witness->given_len + used);
	settle(witness, &out);
}

void smtp_witness_give_bad(struct smtp_witness *witness)
{
	struct engine_out out = new_out();

	engine_give(&witness->engine, "\r\r\n.\r\n", 6, true, witness->now_ms, &out);
	settle(witness, &out);
	if (witness->engine.state == ENGINE_GIVE)
		smtp_witness_wrong(witness, "goes on with what is no text");
}

void smtp_witness_held(struct smtp_witness *witness, bool held)
{
	engine_text_held(&witness->engine, held, witness->now_ms);
	smtp_witness_judge_state(witness);
}

void smtp_witness_end(struct smtp_witness *witness, enum ending why)
{
	struct engine_out out = new_out();

	engine_end(&witness->engine, why, witness->now_ms, &out);
	settle(witness, &out);
}

static void check_early(struct smtp_witness *witness)
{
	struct engine_out out = new_out();
	struct engine engine = witness->engine;

	if (engine.deadline_ms <= witness->now_ms)
		return;
	engine_time(&engine, witness->engine.deadline_ms - 1, &out);
	if (out.client_len > 0 || out.server_len > 0 || out.close_server || out.message_done ||
		engine.state != witness->engine.state ||
		engine.deadline_ms != witness->engine.deadline_ms)
		smtp_witness_wrong(witness, "a deadline that comes before its time");
}

void smtp_witness_time(struct smtp_witness *witness)
{
	unsigned times = 0;

	if (witness->engine.state == ENGINE_END)
		return;
	check_early(witness);
	if (witness->engine.deadline_ms > witness->now_ms)
		witness->now_ms = witness->engine.deadline_ms;
	while (witness->engine.deadline_ms <= witness->now_ms && times++ < 8) {
		struct engine_out out = new_out();
		engine_time(&witness->engine, witness->now_ms, &out);
		settle(witness, &out);
	}
	if (witness->engine.deadline_ms <= witness->now_ms)
		smtp_witness_wrong(witness, "a deadline that is never over");
}

void smtp_witness_silence(struct smtp_witness *witness)
{
	for (unsigned times = 0; times < 4096 && !witness->wrong; times++) {
		if (witness->engine.state == ENGINE_END)
			return;
		if (witness->more)
			smtp_witness_go(witness);
		else
			smtp_witness_time(witness);
	}
	smtp_witness_wrong(witness, "a flow that no time ends");
}

size_t smtp_witness_reply(
	const struct smtp_witness *witness, unsigned code, bool lines, char reply[static 1024])
{
	const struct smtp_server *server = &witness->server;
	const char *verb = server->text ? "TEXT" : smtp_server_verb_names[server->due];
	const char *address = server->due == SMTP_SERVER_RCPT ? server->recipient : "";
	int n = 0;

	if (lines)
		n = snprintf(reply, 1024, "%u-first @=%s %s\r\n", code, verb, address);
	n += snprintf(reply + n, 1024 - (size_t)n, "%u @=%s %s\r\n", code, verb, address);
	return (size_t)n;
}

size_t smtp_witness_offers(char reply[static 1024])
{
	return (size_t)snprintf(reply, 1024, "250-mx\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n");
}
