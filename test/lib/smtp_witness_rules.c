/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test/lib/smtp_witness_rules.h"

#include <stdio.h>
#include <string.h>

void smtp_witness_wrong(struct smtp_witness *witness, const char *rule)
{
	if (!witness->wrong)
		witness->wrong = rule;
}

static void require(struct smtp_witness *witness, bool holds, const char *rule)
{
	if (!holds)
		smtp_witness_wrong(witness, rule);
}

static void digest(struct smtp_witness *witness, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		witness->digest = (witness->digest ^ p[i]) * 0x100000001b3;
}

/* The server's reply that the client hears has to be to this command. */
static void check_tag(struct smtp_witness *witness, const struct smtp_client_heard *heard)
{
	const char *tag = strstr(heard->words, "@=");
	char whole[300];
	bool yes = heard->code / 100 == 2;

	if (!tag)
		return;
	snprintf(whole, sizeof(whole), "@=RCPT %s", heard->recipient);
	bool rcpt =
		heard->verb == SMTP_CLIENT_RCPT &&
		((heard->recipient[0] ? strcmp(tag, whole) == 0 : !strncmp(tag, "@=RCPT ", 7)) ||
			(strncmp(tag, "@=MAIL", 6) == 0 && !yes));
	bool data = heard->verb == SMTP_CLIENT_DATA && strncmp(tag, "@=DATA", 6) == 0;
	bool dot = heard->verb == SMTP_CLIENT_DOT &&
		   (strncmp(tag, "@=DOT", 5) == 0 || (strncmp(tag, "@=TEXT", 6) == 0 && !yes) ||
			   (strncmp(tag, "@=DATA", 6) == 0 && !yes && witness->whole));
	require(witness, rcpt || data || dot, "the reply to another command");
}

/* The server's last reply, not yet passed on, is to this command. */
static bool is_reply_to(const struct smtp_server *server, enum smtp_server_verb verb)
{
	return server->done == verb && !server->claimed;
}

static bool is_same(const struct smtp_server *server, unsigned code)
{
	return code == server->code || (server->mixed && code > 399 && server->code > 399);
}

static void judge_rcpt(struct smtp_witness *witness, const struct smtp_client_heard *heard)
{
	struct smtp_server *server = &witness->server;
	bool yes = heard->code / 100 == 2;
	bool said = is_reply_to(server, SMTP_SERVER_RCPT);

	if (yes)
		require(witness, said && server->code / 100 == 2, "a recipient's yes is ours");
	else
		require(witness, !said || server->code / 100 != 2, "a recipient's yes became no");
	if (yes && heard->recipient[0] && server->recipient[0])
		require(witness, strcmp(heard->recipient, server->recipient) == 0,
			"the yes to another recipient");
	if (said)
		server->claimed = true;
	witness->rcpt_ok = false;
}

/* The 354 of a text that is kept whole is ours: the server hears nothing of it. */
static void judge_whole_begin(struct smtp_witness *witness)
{
	struct smtp_server *server = &witness->server;

	require(witness, witness->data_ok && witness->client.yes > 0, "354 that nobody allowed");
	require(witness, server->open && !server->broken && server->due == SMTP_SERVER_NONE,
		"354 without a server");
	server->dotted = false;
}

static void judge_data(struct smtp_witness *witness, const struct smtp_client_heard *heard)
{
	struct smtp_server *server = &witness->server;
	bool said = is_reply_to(server, SMTP_SERVER_DATA);

	require(witness, heard->code / 100 != 2, "2xx to DATA");
	if (heard->code == 354) {
		if (witness->whole)
			judge_whole_begin(witness);
		else
			require(witness, said && server->code == 354, "354 before the server's");
		require(witness, !witness->text, "a text without a record");
		require(witness, witness->client.sent_len == 0, "354 to who did not wait for it");
		witness->text = true;
	}
	if (said)
		server->claimed = true;
	witness->data_ok = false;
}

static void judge_dot(struct smtp_witness *witness, const struct smtp_client_heard *heard)
{
	struct smtp_server *server = &witness->server;

	witness->dot_ok = false;
	if (!server->dotted) {
		require(witness, heard->code / 100 > 3, "a yes to a text that is not stored");
		if (witness->whole && is_reply_to(server, SMTP_SERVER_DATA))
			server->claimed = true;
		return;
	}
	require(witness, is_reply_to(server, SMTP_SERVER_DOT), "the dot's reply is ours");
	require(witness,
		is_same(server, heard->code == 451 && server->code == 421 ? 421 : heard->code),
		"the dot's reply is another");
	require(witness, server->code / 100 != 3, "a reply to the dot that is none");
	server->claimed = true;
}

/* Every yes and every challenge is the owner's, to the login in hand. */
static void judge_login(struct smtp_witness *witness, const struct smtp_client_heard *heard)
{
	require(witness, heard->code != 235 || !witness->engine.mail,
		"a login within a transaction");
	if (heard->code == 334)
		require(witness, witness->challenged, "a challenge that nobody made");
	else
		require(witness, heard->code / 100 > 3 || (heard->code == 235 && witness->admitted),
			"a login that nobody allowed");
}

static void judge_heard(struct smtp_witness *witness, const struct smtp_client_heard *heard)
{
	unsigned class = heard->code / 100;

	check_tag(witness, heard);
	bool login = heard->verb == SMTP_CLIENT_AUTH || heard->verb == SMTP_CLIENT_RESPONSE;
	require(witness, class != 3 || login || heard->verb == SMTP_CLIENT_DATA, "3xx to no DATA");
	require(witness, heard->code != 235 || login || witness->server.code == 235,
		"a login that nobody asked for");
	switch (heard->verb) {
	case SMTP_CLIENT_RCPT:
		judge_rcpt(witness, heard);
		break;
	case SMTP_CLIENT_DATA:
		judge_data(witness, heard);
		break;
	case SMTP_CLIENT_DOT:
		judge_dot(witness, heard);
		break;
	case SMTP_CLIENT_MAIL:
		if (class == 2) {
			witness->recorded = false;
			witness->decided = 0;
		}
		break;
	case SMTP_CLIENT_DONE:
		require(witness, class == 2 || heard->code == 421, "no to RSET or NOOP");
		break;
	case SMTP_CLIENT_NONE:
	case SMTP_CLIENT_OTHER:
		require(witness, class > 3, "a yes to what is no command");
		break;
	case SMTP_CLIENT_AUTH:
	case SMTP_CLIENT_RESPONSE:
		judge_login(witness, heard);
		break;
	case SMTP_CLIENT_GREETING:
	case SMTP_CLIENT_HELLO:
	case SMTP_CLIENT_HELP:
	case SMTP_CLIENT_STARTTLS:
	case SMTP_CLIENT_QUIT:
		break;
	}
}

static void judge_client(struct smtp_witness *witness, const struct engine_out *out)
{
	struct smtp_client_heard heard;

	require(witness, !witness->client_gone || out->client_len == 0, "words to who is gone");
	for (size_t at = 0; at < out->client_len;) {
		at += smtp_client_hear(
			&witness->client, out->client + at, out->client_len - at, &heard);
		if (heard.code > 0)
			judge_heard(witness, &heard);
	}
	require(witness, witness->client.line_len == 0, "a part of a line to the client");
	digest(witness, out->client, out->client_len);
}

/* A text is the client's, whole, with nothing but the trace before it. */
static bool is_text_of_client(const struct smtp_witness *witness)
{
	static char text[2 * SMTP_CLIENT_SENT_MAX], expected[SMTP_SERVER_TEXT_MAX];
	size_t trace = witness->traced ? strlen(SMTP_WITNESS_TRACE) : 0, text_len, len = trace;
	const struct smtp_server *server = &witness->server;
	bool begins = true;

	if (!smtp_client_text(&witness->client, text, &text_len))
		return false;
	memcpy(expected, SMTP_WITNESS_TRACE, trace);
	for (size_t i = 0; i < text_len && len + 2 < sizeof(expected); i++) {
		if (begins && text[i] == '.')
			expected[len++] = '.';
		expected[len++] = text[i];
		begins = text[i] == '\n';
	}
	return server->text_len == len + 3 && memcmp(server->bytes, expected, len) == 0 &&
	       memcmp(server->bytes + len, ".\r\n", 3) == 0;
}

/* A command to the server is on behalf of the client's command in hand, and permitted. */
static void judge_command(struct smtp_witness *witness)
{
	const struct smtp_server *server = &witness->server;
	const struct smtp_client *client = &witness->client;
	char recipient[256];
	size_t len;
	enum smtp_client_verb head = smtp_client_head(client, &len);

	switch ((enum smtp_server_verb)server->heard) {
	case SMTP_SERVER_NONE:
	case SMTP_SERVER_GREETING:
	case SMTP_SERVER_QUIT:
		return;
	case SMTP_SERVER_DATA:
		if (witness->whole)
			require(witness, head == SMTP_CLIENT_DOT && witness->dot_ok,
				"DATA before the verdict");
		else
			require(witness, head == SMTP_CLIENT_DATA && witness->data_ok,
				"DATA that nobody asked for");
		require(witness, client->yes > 0, "DATA for nobody");
		return;
	case SMTP_SERVER_NOOP:
		require(witness, witness->whole && client->text && !server->text,
			"NOOP where nothing is kept");
		return;
	case SMTP_SERVER_DOT:
		require(witness, head == SMTP_CLIENT_DOT, "a dot before the client's");
		require(witness, witness->dot_ok, "a dot without a verdict");
		require(witness, is_text_of_client(witness), "the dot of another text");
		return;
	case SMTP_SERVER_MAIL:
		require(witness, !witness->login || server->logged_in, "MAIL without the login");
		if (witness->other_sender && client->sender[0])
			require(witness, strcmp(server->sender, SMTP_WITNESS_SENDER) == 0,
				"the client's own sender");
		else if (server->sender[0] && client->sender[0])
			require(witness, strcmp(server->sender, client->sender) == 0,
				"another sender");
		break;
	case SMTP_SERVER_RCPT:
		smtp_server_address(client->sent, len, recipient);
		if (server->recipient[0] && recipient[0])
			require(witness, strcmp(server->recipient, recipient) == 0,
				"another recipient");
		require(witness, head == SMTP_CLIENT_RCPT && witness->rcpt_ok,
			"a recipient that nobody allowed");
		return;
	case SMTP_SERVER_AUTH:
	case SMTP_SERVER_ANSWER:
		require(witness, witness->login, "a login that nobody wanted");
		break;
	case SMTP_SERVER_HELLO:
	case SMTP_SERVER_STARTTLS:
	case SMTP_SERVER_XCLIENT:
	case SMTP_SERVER_RSET:
		break;
	}
	require(witness, head == SMTP_CLIENT_RCPT && witness->rcpt_ok,
		"a server for a recipient that nobody allowed");
	require(witness, client->yes == 0, "a new server for recipients that were told yes");
}

/* What is said in clear, where it should be in TLS. */
static void judge_clear(struct smtp_witness *witness)
{
	const struct smtp_server *server = &witness->server;
	bool tls = server->heard == SMTP_SERVER_HELLO || server->heard == SMTP_SERVER_STARTTLS ||
		   server->heard == SMTP_SERVER_QUIT;

	require(witness, server->heard != SMTP_SERVER_STARTTLS || !witness->clear,
		"STARTTLS where it failed");
	if (server->secured || tls)
		return;
	require(witness,
		witness->tls == ENGINE_TLS_NONE ||
			(witness->tls == ENGINE_TLS_OFFER && (!server->starttls || witness->clear)),
		"words in clear that are not for all to hear");
}

static void judge_server(struct smtp_witness *witness, const struct engine_out *out)
{
	struct smtp_server *server = &witness->server;

	require(witness, !server->text || out->server_len == 0 || witness->client.text,
		"a byte of a text before the client's 354");
	server->heard = SMTP_SERVER_NONE;
	smtp_server_hear(server, out->server, out->server_len);
	if (server->heard == SMTP_SERVER_NONE)
		return;
	judge_command(witness);
	judge_clear(witness);
	digest(witness, &server->heard, 1);
	if (server->heard == SMTP_SERVER_DOT)
		digest(witness, server->bytes, server->text_len);
	else
		digest(witness, out->server, out->server_len);
}

/* The record says what client and server saw. */
static void judge_outcome(struct smtp_witness *witness, enum engine_outcome outcome, unsigned code)
{
	const struct smtp_server *server = &witness->server;
	bool answered =
		server->dotted && server->done == SMTP_SERVER_DOT && server->code / 100 != 3;

	switch (outcome) {
	case ENGINE_OUTCOME_DELIVERED:
		require(witness, answered && server->code / 100 == 2 && code == server->code,
			"delivered, and the server did not say so");
		return;
	case ENGINE_OUTCOME_REFUSED:
		require(witness,
			server->dotted ? answered && server->code / 100 > 3 && is_same(server, code)
				       : code / 100 > 3,
			"refused, and the server did not say so");
		return;
	case ENGINE_OUTCOME_UNKNOWN:
		require(witness, server->dotted && !answered, "unknown, and it is known");
		require(witness, code == 0, "a reply to what has none");
		return;
	case ENGINE_OUTCOME_LEFT:
	case ENGINE_OUTCOME_ENDED:
		require(witness, code == 0, "a reply to what has none");
		require(witness, !server->dotted, "given up, and the server has the dot");
		return;
	case ENGINE_OUTCOME_REJECTED:
	case ENGINE_OUTCOME_SERVER_LOST:
		require(witness, !server->dotted, "given up, and the server has the dot");
		require(witness, code == 0 || code / 100 > 3, "given up with a yes");
		return;
	case ENGINE_OUTCOME_NO_RECIPIENT:
	case ENGINE_OUTCOME_ABANDONED:
	case ENGINE_OUTCOME_NONE:
		require(witness, false, "a text without an outcome");
		return;
	}
}

static void judge_record(struct smtp_witness *witness, const struct engine_out *out)
{
	enum engine_outcome outcome = (enum engine_outcome)out->message_done;
	const char *said;
	size_t len;

	require(witness,
		!out->recipient_done || (engine_recipient_said(&witness->engine, &said, &len) &&
						len < SMTP_COMMAND_MAX),
		"a reply to a recipient that nobody said");
	witness->decided = (uint16_t)(witness->decided + out->recipient_done);
	if (outcome == ENGINE_OUTCOME_NONE)
		return;
	require(witness, !witness->recorded, "a second record of one message");
	witness->recorded = true;
	if (witness->text)
		judge_outcome(witness, outcome, out->message.code);
	else
		require(witness,
			outcome == ENGINE_OUTCOME_NO_RECIPIENT ||
				outcome == ENGINE_OUTCOME_ABANDONED,
			"the record of a text that never was");
	witness->text = false;
	digest(witness, &out->message_done, 1);
	digest(witness, &out->message.code, sizeof(out->message.code));
}

static void judge_text(struct smtp_witness *witness, const struct engine_out *out)
{
	require(witness, out->text_len <= out->text_room, "more text than there is room for");
	require(witness, out->text_len == 0 || (witness->seen && witness->client.text),
		"a text that nobody wanted to see");
	for (size_t i = 0; i < out->text_len; i++)
		witness->seen_digest =
			(witness->seen_digest ^ (unsigned char)out->text[i]) * 0x100000001b3;
	witness->seen_len = (uint16_t)(witness->seen_len + out->text_len);
}

/* The owner has seen what the client said, before it is asked of it. */
static void check_seen(struct smtp_witness *witness)
{
	static char text[2 * SMTP_CLIENT_SENT_MAX];
	uint64_t digest_of_text = 0;
	size_t len;

	if (witness->engine.state != ENGINE_ASK_DOT || !witness->seen)
		return;
	if (!smtp_client_text(&witness->client, text, &len)) {
		smtp_witness_wrong(witness, "a verdict on what is no text");
		return;
	}
	for (size_t i = 0; i < len; i++)
		digest_of_text = (digest_of_text ^ (unsigned char)text[i]) * 0x100000001b3;
	require(witness, len == witness->seen_len && digest_of_text == witness->seen_digest,
		"the owner saw another text");
}

static bool has_secret(const void *bytes, size_t len)
{
	return memmem(bytes, len, SMTP_WITNESS_SECRET, strlen(SMTP_WITNESS_SECRET));
}

/* Is the line in front of a login, and was that said in it? */
static bool says_secret(const struct smtp_client *client)
{
	size_t len;
	enum smtp_client_verb head = smtp_client_head(client, &len);

	return (head == SMTP_CLIENT_AUTH || head == SMTP_CLIENT_RESPONSE) &&
	       has_secret(client->sent, len);
}

/* What was said of a login is given once, and is gone behind the next input. came: it was not
 * answered before this one; said: the line in front of that says it. */
static void judge_secret(
	struct smtp_witness *witness, const struct engine_out *out, bool came, bool said)
{
	const struct smtp_client *client = &witness->client;
	bool held = has_secret(&witness->engine, sizeof(witness->engine));

	require(witness,
		!out->said || witness->engine.state == ENGINE_ASK_LOGIN ||
			witness->engine.state == ENGINE_RESPONSE,
		"a login that is told to nobody");
	require(witness, !held || came || !witness->secret, "what was said of a login is kept");
	witness->secret = held && said && !has_secret(client->sent, client->sent_len);
}

void smtp_witness_judge(struct smtp_witness *witness, const struct engine_out *out)
{
	bool over = witness->client.over && out->client_len > 0;
	bool came = has_secret(witness->client.sent, witness->client.sent_len);
	bool said = says_secret(&witness->client);

	require(witness, out->client_len <= out->client_room && out->server_len <= out->server_room,
		"more than there is room for");
	require(witness, !over, "words behind the last ones");
	judge_text(witness, out);
	judge_client(witness, out);
	judge_server(witness, out);
	judge_record(witness, out);
	judge_secret(witness, out, came, said);
	require(witness, !out->server_broken || witness->server.broken,
		"a host is marked that did nothing wrong");
	if (out->close_server) {
		require(witness, witness->server.open, "a close of what is closed");
		smtp_server_close(&witness->server);
	}
	witness->more = out->more;
}

/* What the server said to this command has to be passed on at once. */
static void check_passed(struct smtp_witness *witness)
{
	const struct smtp_server *server = &witness->server;
	unsigned class = server->code / 100;
	bool due = !server->claimed && !witness->client_gone &&
		   ((server->done == SMTP_SERVER_RCPT && class != 3 && server->code != 421) ||
			   (server->done == SMTP_SERVER_DATA && class > 3 && server->code != 421) ||
			   (server->done == SMTP_SERVER_DOT && class != 3));

	require(witness, !due, "a reply that the client did not get");
}

static bool waits_for(const struct engine *engine, enum smtp_server_verb verb)
{
	switch ((int)engine->state) {
	case ENGINE_GREETING:
		return verb == SMTP_SERVER_GREETING;
	case ENGINE_EHLO:
		return verb == SMTP_SERVER_HELLO;
	case ENGINE_STARTTLS:
		return verb == SMTP_SERVER_STARTTLS;
	case ENGINE_XCLIENT:
		return verb == SMTP_SERVER_XCLIENT;
	case ENGINE_AUTH:
		return verb == SMTP_SERVER_AUTH || verb == SMTP_SERVER_ANSWER;
	case ENGINE_RSET:
		return verb == SMTP_SERVER_RSET;
	case ENGINE_MAIL:
		return verb == SMTP_SERVER_MAIL;
	case ENGINE_RCPT:
		return verb == SMTP_SERVER_RCPT;
	case ENGINE_DATA:
		return verb == SMTP_SERVER_DATA;
	case ENGINE_DOT:
		return verb == SMTP_SERVER_DOT;
	case ENGINE_NOOP:
		return verb == SMTP_SERVER_NOOP;
	case ENGINE_BODY:
	case ENGINE_ASK_DOT:
		return verb == (engine->noop ? SMTP_SERVER_NOOP : SMTP_SERVER_NONE);
	default:
		return verb == SMTP_SERVER_NONE;
	}
}

static void judge_server_side(struct smtp_witness *witness)
{
	const struct engine *engine = &witness->engine;
	const struct smtp_server *server = &witness->server;
	bool hears = engine->state == ENGINE_DRAIN || engine->state == ENGINE_LAST;
	bool waits = engine_waits_of((enum engine_state)engine->state) == ENGINE_WAITS_SERVER;

	require(witness, engine->connected == server->open, "who is connected is another");
	check_passed(witness);
	if (!server->open) {
		require(witness, !waits, "waits for a server that is not there");
		return;
	}
	if (server->broken) {
		require(witness, hears || waits, "keeps a server that spoke out of turn");
		return;
	}
	require(witness, waits_for(engine, (enum smtp_server_verb)server->due),
		"waits for another reply than what is due");
	require(witness, server->handshake == (engine->state == ENGINE_SERVER_TLS),
		"a handshake that only one side is in");
	require(witness, server->secured == engine->secured, "TLS that only one side is in");
	bool text = engine->state == ENGINE_BODY || engine->state == ENGINE_ASK_DOT;
	require(witness,
		server->text == (engine->state == ENGINE_TRACE || engine->state == ENGINE_GIVE ||
					(text && !witness->whole)),
		"a text that is given up, and its server is kept");
	require(witness, !engine->noop || witness->whole, "NOOP where nothing is kept");
}

static void judge_client_side(struct smtp_witness *witness)
{
	const struct engine *engine = &witness->engine;
	bool handshake = engine->state == ENGINE_CLIENT_TLS;

	require(witness, !handshake || witness->client.handshake,
		"a handshake with a client that is in none");
	require(witness, handshake || engine->state == ENGINE_END || !witness->client.handshake,
		"a client that is in a handshake, and nobody else");
	require(witness, engine->client_secured == witness->client.secured,
		"TLS that the client is not in, or alone");
	require(witness, !handshake || (!engine->mail && !witness->server.open && !engine->helo),
		"what was said in clear is kept");
	require(witness, engine->logged_in == witness->client.logged_in || witness->client_gone,
		"a login that the client did not hear of");
	require(witness,
		engine->logged_in || witness->submits || !(engine->flags & ENGINE_SUBMISSION),
		"submission without a login");
	require(witness,
		witness->client.asked == (engine->state == ENGINE_RESPONSE) ||
			engine->state == ENGINE_ASK_LOGIN || engine->state == ENGINE_END ||
			witness->client_gone,
		"a challenge that only one side knows of");
	require(witness, !handshake || engine_client_room(engine) == 0,
		"bytes in clear that are waited for inside of a handshake");
}

void smtp_witness_judge_state(struct smtp_witness *witness)
{
	const struct engine *engine = &witness->engine;
	enum engine_state state = (enum engine_state)engine->state;
	enum engine_waits waits = engine_waits_of(state);
	size_t room = engine_client_room(engine);
	bool text = state == ENGINE_BODY || state == ENGINE_ASK_DOT || state == ENGINE_DOT ||
		    state == ENGINE_DRAIN || state == ENGINE_LAST || state == ENGINE_NOOP ||
		    state == ENGINE_GIVE ||
		    (witness->whole && (state == ENGINE_DATA || state == ENGINE_TRACE));

	judge_client_side(witness);
	judge_server_side(witness);
	require(witness,
		!engine->mail || witness->client_gone || engine->accepted == witness->client.yes,
		"another number of recipients than were told yes");
	require(witness, witness->text == text, "not one record for each text");
	if (state == ENGINE_END) {
		require(witness, engine->deadline_ms == UINT64_MAX && room == 0 && !witness->more,
			"the end is not the end");
		require(witness, !witness->server.open, "a server's connection is left behind");
	} else {
		require(witness,
			engine->deadline_ms >= witness->now_ms &&
				engine->deadline_ms <= witness->now_ms + ENGINE_DOT_MS,
			"a state without a deadline");
		require(witness, !witness->client.over, "goes on behind the last words");
	}
	require(witness, !witness->more || state == ENGINE_COMMAND, "more outside of COMMAND");
	require(witness, engine->mail || witness->decided == 0 || witness->recorded,
		"a message without a record");
	if (waits == ENGINE_WAITS_CLIENT && witness->client_closed)
		require(witness, witness->more, "waits for a client that is not there");
	if (waits == ENGINE_WAITS_CLIENT && !witness->client_closed && !witness->more)
		require(witness, room > 0 || engine->held || (engine->blocked && !witness->whole),
			"waits for bytes, without room");
	check_seen(witness);
	if (witness->client.wrong)
		smtp_witness_wrong(witness, witness->client.wrong);
	if (witness->server.wrong)
		smtp_witness_wrong(witness, witness->server.wrong);
}
