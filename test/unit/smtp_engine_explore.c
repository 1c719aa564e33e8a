/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that can happen to a flow at message level, from several beginnings and up to a depth: what
 * client, server, owner and time can do next is done in every state that is reached, and after each
 * step all that has to hold is looked at (test/lib/smtp_witness.h). A state is met once: it is
 * known again by a hash of what decides about the future. */
#include "test/lib/smtp_witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEPTH_MAX  12
#define KNOWN_BITS 23

enum side {
	CLIENT,
	CLOSED,
	CLIENT_SECURED,
	CLIENT_UNFIT,
	CHALLENGE,
	LOGGED_IN,
	SERVER,
	VERDICT,
	OPENED,
	FAILED,
	IDENTITY,
	SECURED,
	UNFIT,
	LOGIN,
	SENDER,
	TRACE,
	GIVE,
	HELD,
	TIME,
	END,
	BLOCKED,
	GREET
};

static const struct act {
	enum side side;
	unsigned number; /* of a server's reply, a verdict; by side */
	const char *text;
} acts[] = {
	{GREET, 0, "greet"},
	{CLIENT, 0, "EHLO c.example\r\n"},
	{CLIENT, 0, "MAIL FROM:<a@x.example>\r\n"},
	{CLIENT, 0, "RCPT TO:<b@y.example>\r\n"},
	{CLIENT, 0, "DATA\r\n"},
	{CLIENT, 0,
		"RSET\r\nMAIL FROM:<d@x.example>\r\nRCPT TO:<c@y.example>\r\nRCPT "
		"TO:<b@y.example>\r\n"
		"DATA\r\n"},
	{CLIENT, 0, "x\r\n..y\r\n"},
	{CLIENT, 0, "z\r\n.\r\n"},
	{CLIENT, 0, ".\r\nMAIL FROM:<e@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\nx\r\n"},
	{CLIENT, 0, "\n.\r\n"},
	{CLIENT, 0, "QUIT\r\n"},
	{CLIENT, 1, "STARTTLS\r\n"},
	{CLIENT, 1, "STARTTLS\r\nRSET\r\n"},
	{CLIENT, 2, "AUTH PLAIN\r\n"},
	{CLIENT, 2, "AUTH PLAIN " SMTP_WITNESS_SECRET "\r\n"},
	{CLIENT, 2, "AUTH PLAIN " SMTP_WITNESS_SECRET "\r\nMAIL FROM:<a@x.example>\r\n"},
	{CLIENT, 3, SMTP_WITNESS_SECRET "\r\n"},
	{CLIENT, 3, SMTP_WITNESS_SECRET "\r\nRSET\r\n"},
	{CLIENT, 3, "*\r\n"},
	{CHALLENGE, 0, "a challenge"},
	{LOGGED_IN, ENGINE_LOGIN_OK, "the login is good"},
	{LOGGED_IN, ENGINE_LOGIN_REFUSED, "the login is refused"},
	{LOGGED_IN, ENGINE_LOGIN_LATER, "the login is not found out"},
	{CLIENT_SECURED, 0, "the client's handshake is done"},
	{CLIENT_UNFIT, 0, "the client's handshake fails"},
	{CLOSED, 0, "the client closes its half"},
	{CLOSED, 1, "the client is gone"},
	{SERVER, 250, "250"},
	{SERVER, 1250, "250 in two lines"},
	{SERVER, 220, "220"},
	{SERVER, 354, "354"},
	{SERVER, 451, "451"},
	{SERVER, 1550, "550 in two lines"},
	{SERVER, 421, "421"},
	{SERVER, 2000, "half a 250"},
	{SERVER, 3250, "250 twice"},
	{SERVER, 3220, "220 twice"},
	{SERVER, 6000, "250 with STARTTLS and AUTH"},
	{SERVER, 334, "334"},
	{SERVER, 235, "235"},
	{SERVER, 535, "535"},
	{SERVER, 4000, "no SMTP"},
	{SERVER, 5000, "the first line of a 550"},
	{SERVER, 0, "the server closes"},
	{VERDICT, SMTP_WITNESS_GO, "go on, server 1"},
	{VERDICT, SMTP_WITNESS_OTHER, "go on, server 2"},
	{VERDICT, SMTP_WITNESS_REFUSE, "refuse"},
	{VERDICT, SMTP_WITNESS_LATER, "refuse for now"},
	{OPENED, 0, "opened"},
	{FAILED, 1, "failed, another"},
	{FAILED, 0, "failed, the last"},
	{IDENTITY, 1, "identity"},
	{IDENTITY, 0, "no identity"},
	{SECURED, 0, "secured"},
	{UNFIT, 0, "unfit"},
	{LOGIN, 1, "the last line of a login"},
	{LOGIN, 0, "the first line of a login"},
	{SENDER, 0, "sender"},
	{TRACE, 1, "trace"},
	{TRACE, 0, "no trace"},
	{GIVE, 1, "a byte of the kept text"},
	{GIVE, 3000, "the rest of the kept text"},
	{GIVE, 0, "what is no text"},
	{HELD, 1, "the owner takes no more"},
	{HELD, 0, "the owner takes more"},
	{TIME, 0, "time"},
	{END, ENDING_DRAINING, "drain"},
	{END, ENDING_KILLED_OPERATOR, "kill"},
	{BLOCKED, 1, "the server does not read"},
	{BLOCKED, 0, "the server reads"},
};
#define ACTS (sizeof(acts) / sizeof(acts[0]))

/* One exploration. */
struct explorer {
	bool lazy;    /* engine_go() is not called at once: an act of its own */
	bool xclient; /* servers have to be told who the client is */
	enum engine_tls tls;
	enum engine_mode mode;
	bool login, other_sender;
	uint64_t known[1u << KNOWN_BITS];
	unsigned long states, steps;
	unsigned reached[ENGINE_STATES];
	unsigned outcomes;
	uint8_t path[DEPTH_MAX + 1];
	const char *begins;
};
static struct explorer explorer;
static struct smtp_witness at_depth[DEPTH_MAX + 1];

/* One line, and nothing behind it: more in the buffer is more of the same. */
static bool has_sent_one(const struct smtp_client *client)
{
	size_t len;

	return smtp_client_head(client, &len) && len == client->sent_len;
}

/* What means something to one command alone is said to that. */
static bool is_reply_due(const struct smtp_witness *witness, unsigned number)
{
	bool asked = witness->server.due == SMTP_SERVER_AUTH ||
		     witness->server.due == SMTP_SERVER_ANSWER;

	if (number == 334 || number == 235 || number == 535)
		return asked;
	if (number == 3220)
		return witness->server.due == SMTP_SERVER_STARTTLS;
	return number != 6000 || witness->server.due == SMTP_SERVER_HELLO;
}

/* Of what is only said where it means something; a response, where one is due. */
static bool is_said(const struct smtp_witness *witness, unsigned number)
{
	unsigned logins = ENGINE_LOGINS | ENGINE_LOGINS_CLEAR;

	if (number == 3)
		return witness->engine.state == ENGINE_RESPONSE;
	return number == 0 ||
	       witness->engine.flags & (number == 2 ? logins : (unsigned)ENGINE_CLIENT_STARTTLS);
}

static bool is_due(const struct smtp_witness *witness, const struct act *act)
{
	enum engine_state state = (enum engine_state)witness->engine.state;
	bool reads = engine_waits_of(state) == ENGINE_WAITS_CLIENT;

	if (state == ENGINE_END) /* nothing may come of it */
		return true;
	switch (act->side) {
	case GREET:
		return state == ENGINE_GREET;
	case CLIENT_SECURED:
	case CLIENT_UNFIT:
		return state == ENGINE_CLIENT_TLS;
	case CHALLENGE:
	case LOGGED_IN:
		return state == ENGINE_ASK_LOGIN;
	case CLIENT:
		if (!is_said(witness, act->number))
			return false;
		return !witness->client_closed && engine_client_room(&witness->engine) > 0 &&
		       (reads || has_sent_one(&witness->client));
	case CLOSED:
		return !witness->client_gone && (act->number || !witness->client_closed);
	case SERVER:
		return witness->server.open && is_reply_due(witness, act->number);
	case VERDICT:
		return (state == ENGINE_ASK_RCPT && act->number <= SMTP_WITNESS_OTHER) ||
		       ((state == ENGINE_ASK_MAIL || state == ENGINE_ASK_RCPT ||
				state == ENGINE_ASK_DATA || state == ENGINE_ASK_DOT) &&
			       act->number != SMTP_WITNESS_OTHER);
	case OPENED:
	case FAILED:
		return state == ENGINE_OPEN;
	case IDENTITY:
		return state == ENGINE_IDENTITY;
	case SECURED:
		return state == ENGINE_SERVER_TLS;
	case UNFIT:
		return state == ENGINE_SERVER_TLS || state == ENGINE_LOGIN;
	case LOGIN:
		return state == ENGINE_LOGIN;
	case SENDER:
		return state == ENGINE_SENDER;
	case TRACE:
		return state == ENGINE_TRACE;
	case GIVE:
		return state == ENGINE_GIVE;
	case HELD:
		return state == ENGINE_BODY && witness->seen && witness->engine.held != act->number;
	case TIME:
	case END:
		return true;
	case BLOCKED:
		return (state == ENGINE_BODY || state == ENGINE_GIVE) &&
		       witness->engine.blocked != act->number;
	}
	return false;
}

static void say(struct smtp_witness *witness, unsigned number)
{
	char reply[2048];
	size_t len;

	if (number == 0) {
		smtp_witness_server_closed(witness);
		return;
	}
	if (number == 4000)
		len = (size_t)snprintf(reply, sizeof(reply), "hello\r\n");
	else if (number == 6000)
		len = smtp_witness_offers(reply);
	else if (number >= 2000)
		len = smtp_witness_reply(witness, number == 3220 ? 220 : 250, false, reply);
	else
		len = smtp_witness_reply(witness, number % 1000, number > 1000, reply);
	if (number == 2000)
		len = 2;
	if (number == 5000)
		len = smtp_witness_reply(witness, 550, true, reply) -
		      smtp_witness_reply(witness, 550, false, reply + 1024);
	if (number == 3250 || number == 3220) {
		memcpy(reply + len, reply, len);
		len *= 2;
	}
	smtp_witness_server(witness, reply, len);
}

static void act_on(struct smtp_witness *witness, const struct act *act)
{
	switch (act->side) {
	case GREET:
		smtp_witness_greet(witness);
		break;
	case CLIENT:
		smtp_witness_client(witness, act->text, strlen(act->text));
		break;
	case CLOSED:
		smtp_witness_client_closed(witness, act->number);
		break;
	case CLIENT_SECURED:
		smtp_witness_client_secured(witness);
		break;
	case CLIENT_UNFIT:
		smtp_witness_client_unfit(witness);
		break;
	case CHALLENGE:
		smtp_witness_challenge(witness);
		break;
	case LOGGED_IN:
		smtp_witness_logged_in(witness, (enum engine_login)act->number);
		break;
	case SERVER:
		say(witness, act->number);
		break;
	case VERDICT:
		smtp_witness_verdict(
			witness, (enum smtp_witness_verdict)act->number, explorer.xclient);
		break;
	case OPENED:
		smtp_witness_opened(witness);
		break;
	case FAILED:
		smtp_witness_failed(witness, act->number);
		break;
	case IDENTITY:
		smtp_witness_identity(witness, act->number);
		break;
	case SECURED:
		smtp_witness_secured(witness);
		break;
	case UNFIT:
		smtp_witness_unfit(witness);
		break;
	case LOGIN:
		smtp_witness_login(witness, act->number);
		break;
	case SENDER:
		smtp_witness_sender(witness);
		break;
	case TRACE:
		smtp_witness_trace(witness, act->number);
		break;
	case GIVE:
		if (act->number)
			smtp_witness_give(witness, act->number);
		else
			smtp_witness_give_bad(witness);
		break;
	case HELD:
		smtp_witness_held(witness, act->number);
		break;
	case TIME:
		smtp_witness_time(witness);
		break;
	case END:
		smtp_witness_end(witness, (enum ending)act->number);
		break;
	case BLOCKED:
		smtp_witness_blocked(witness, act->number);
		break;
	}
}

static void fail_at(unsigned depth, const char *rule)
{
	fprintf(stderr, "%s. From \"%s\"%s%s:\n", rule, explorer.begins,
		explorer.lazy ? ", lazy" : "", explorer.xclient ? ", xclient" : "");
	for (unsigned i = 0; i < depth; i++)
		fprintf(stderr, "  %s\n",
			explorer.path[i] == ACTS ? "go" : acts[explorer.path[i]].text);
	fail_msg("%s", rule);
}

static void go_on(struct smtp_witness *witness)
{
	for (unsigned times = 0; witness->more && !witness->wrong; times++) {
		smtp_witness_go(witness);
		if (times > 100)
			witness->wrong = "more that never ends";
	}
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 29;
	}
	word = len;
	memcpy(&word, p, len);
	hash = (hash ^ word ^ (uint64_t)len << 56) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

static uint64_t since(uint64_t ms, uint64_t now_ms)
{
	return ms == UINT64_MAX || ms + 1000000 < now_ms ? 0 : ms - now_ms;
}

/* The engine without what decides nothing any more: absolute time, numbers of messages, counters
 * far from their limits, stale bytes. */
static uint64_t mix_engine(uint64_t hash, const struct engine *engine)
{
	static struct engine e;
	uint64_t now_ms = engine->now_ms;

	e = *engine;
	e.now_ms = 0;
	e.deadline_ms = since(e.deadline_ms, now_ms);
	e.first_ms = since(e.first_ms, now_ms);
	e.heard_ms = since(e.heard_ms, now_ms);
	e.pace_ms = since(e.pace_ms, now_ms);
	e.drain_ms = since(e.drain_ms, now_ms);
	e.message = 0;
	e.delivered = e.delivered > 0;
	e.errors = e.errors < ENGINE_ERRORS_MAX - 2 ? 0 : e.errors;
	e.refused = e.refused < ENGINE_REFUSED_MAX - 2 ? 0 : e.refused;
	e.ask = e.pace_bytes = 0;
	if (explorer.mode != ENGINE_MODE_WHOLE && e.state < ENGINE_BODY)
		e.heard_ms = 0; /* the server's last word is of no matter */
	e.size = 0;
	if (engine_waits_of((enum engine_state)e.state) != ENGINE_WAITS_SERVER && !e.hears &&
		e.state != ENGINE_OPEN && e.answer == 0)
		e.line_len = e.reply_bytes = e.reply_lines = e.reply_code = e.pass_code = 0;
	hash = mix(hash, &e, offsetof(struct engine, line));
	hash = mix(hash, e.line, e.line_len);
	if (e.state != ENGINE_BODY && e.state != ENGINE_DRAIN)
		return mix(mix(hash, &e.command, offsetof(struct smtp_command, bytes)),
			e.command.bytes, e.command.len);
	e.body.bytes = e.body.lines = 0;
	return mix(hash, &e.body, sizeof(e.body));
}

static uint64_t hash_of(const struct smtp_witness *witness)
{
	const struct smtp_client *client = &witness->client;
	const struct smtp_server *server = &witness->server;
	const uint8_t bits[] = {witness->more, witness->client_closed, witness->client_gone,
		witness->rcpt_ok, witness->data_ok, witness->dot_ok, witness->traced, witness->text,
		witness->recorded, witness->decided > 0, client->greeted, client->text,
		client->over, client->mail, client->yes > 0, server->open, server->broken,
		server->text, server->dotted, server->claimed, server->due, server->hello,
		server->mail, server->rcpts > 0, server->handshake, server->secured,
		server->starttls, server->tried, server->asks, server->logged_in, witness->clear,
		client->handshake, client->secured, client->hello, client->asked, client->logged_in,
		witness->secret, witness->whole};
	const uint16_t done[] = {server->done, server->code};
	const int held[] = {client->sent_len - server->text_len, client->sent_len > 0};
	const int kept[] = {witness->engine.state == ENGINE_GIVE
				    ? witness->seen_len - witness->given_len
				    : witness->seen_len > 0,
		client->sent_len > 0};

	if (witness->engine.state == ENGINE_END)
		return witness->client_gone;
	uint64_t hash = mix_engine(0, &witness->engine);
	hash = mix(hash, bits, sizeof(bits));
	if (!server->claimed || witness->text)
		hash = mix(hash, done, sizeof(done));
	if (witness->whole && witness->text)
		hash = mix(hash, kept, sizeof(kept));
	else if (server->text)
		hash = mix(hash, held, sizeof(held));
	else if (!client->text)
		hash = mix(hash, client->sent, client->sent_len);
	return mix(hash, client->sender, strlen(client->sender));
}

/* Was it met with so many steps left, or more? */
static bool is_known(uint64_t hash, unsigned left)
{
	size_t mask = (1u << KNOWN_BITS) - 1, i = hash & mask;
	uint64_t key = hash & ~(uint64_t)15;

	key = key ? key : 16;
	while (explorer.known[i] && (explorer.known[i] & ~(uint64_t)15) != key)
		i = (i + 1) & mask;
	if (explorer.known[i] && (explorer.known[i] & 15) >= left)
		return true;
	explorer.states += !explorer.known[i];
	assert_true(explorer.states < mask - mask / 8);
	explorer.known[i] = key | left;
	return false;
}

/* In some states, by their hash: it is dear. */
static void check_silence(unsigned depth, uint64_t hash)
{
	static struct smtp_witness witness;

	if ((hash >> 8) % 4 != 0)
		return;
	witness = at_depth[depth];
	smtp_witness_silence(&witness);
	if (witness.wrong)
		fail_at(depth, witness.wrong);
}

static void explore(unsigned depth, unsigned left)
{
	const struct smtp_witness *witness = &at_depth[depth];
	uint64_t hash = hash_of(witness);

	explorer.reached[witness->engine.state]++;
	if (is_known(hash, left))
		return;
	check_silence(depth, hash);
	if (left == 0)
		return;
	for (unsigned i = 0; i <= ACTS; i++) {
		if (i == ACTS ? !witness->more : !is_due(witness, &acts[i]))
			continue;
		at_depth[depth + 1] = *witness;
		explorer.path[depth] = (uint8_t)i;
		explorer.steps++;
		if (i == ACTS)
			smtp_witness_go(&at_depth[depth + 1]);
		else
			act_on(&at_depth[depth + 1], &acts[i]);
		if (!explorer.lazy)
			go_on(&at_depth[depth + 1]);
		if (at_depth[depth + 1].wrong)
			fail_at(depth + 1, at_depth[depth + 1].wrong);
		explore(depth + 1, left - 1);
	}
}

/* Where explorations begin: who says what, a letter each. */
static void begin(struct smtp_witness *witness, const char *script, unsigned flags)
{
	char reply[1024];

	smtp_witness_begin(witness, flags);
	witness->tls = (uint8_t)explorer.tls;
	witness->mode = (uint8_t)explorer.mode;
	witness->login = explorer.login;
	witness->other_sender = explorer.other_sender;
	for (; *script; script++) {
		static const char *const lines[128] = {['E'] = "EHLO c.example\r\n",
			['M'] = "MAIL FROM:<a@x.example>\r\n",
			['R'] = "RCPT TO:<b@y.example>\r\n",
			['D'] = "DATA\r\n",
			['S'] = "RSET\r\n",
			['?'] = "FOO\r\n",
			['Z'] = "STARTTLS\r\n",
			['A'] = "AUTH PLAIN " SMTP_WITNESS_SECRET "\r\n",
			['T'] = "Subject: x\r\n\r\n",
			['.'] = ".\r\n"};
		unsigned codes[128] = {
			['2'] = 250, ['0'] = 220, ['3'] = 354, ['5'] = 550, ['y'] = 235};
		if (*script == 'G')
			smtp_witness_greet(witness);
		else if (*script == 'v')
			smtp_witness_verdict(witness, SMTP_WITNESS_GO, explorer.xclient);
		else if (*script == 'f')
			smtp_witness_verdict(witness, SMTP_WITNESS_REFUSE, explorer.xclient);
		else if (*script == 'o')
			smtp_witness_opened(witness);
		else if (*script == 't')
			smtp_witness_trace(witness, true);
		else if (*script == 'g')
			smtp_witness_give(witness, 1);
		else if (*script == '!')
			smtp_witness_time(witness);
		else if (*script == 's')
			smtp_witness_secured(witness);
		else if (*script == 'i')
			smtp_witness_logged_in(witness, ENGINE_LOGIN_OK);
		else if (*script == 'z')
			smtp_witness_client_secured(witness);
		else if (*script == 'l')
			smtp_witness_login(witness, true);
		else if (*script == 'n')
			smtp_witness_sender(witness);
		else if (*script == 'O')
			smtp_witness_server(witness, reply, smtp_witness_offers(reply));
		else if (*script == 'X')
			smtp_witness_server(witness, "250-x\r\n250 XCLIENT ADDR\r\n", 25);
		else if (codes[(int)*script])
			smtp_witness_server(witness, reply,
				smtp_witness_reply(witness, codes[(int)*script], false, reply));
		else
			smtp_witness_client(
				witness, lines[(int)*script], strlen(lines[(int)*script]));
		go_on(witness);
		if (witness->wrong)
			fail_msg("%s, at %s", witness->wrong, script);
	}
}

static void explore_from(
	const char *script, enum engine_state state, unsigned flags, unsigned depth)
{
	explorer.begins = script;
	begin(&at_depth[0], script, flags);
	assert_string_equal(
		engine_state_names[at_depth[0].engine.state], engine_state_names[state]);
	unsigned long states = explorer.states, steps = explorer.steps;
	explore(0, depth);
	printf("%-40s %8lu states %9lu steps\n", script, explorer.states - states,
		explorer.steps - steps);
}

/* Sanitizers are slow. */
#if defined(__SANITIZE_ADDRESS__)
#define LESS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LESS 1
#endif
#endif
#ifndef LESS
#define LESS 0
#endif

static void begin_explorer(bool lazy, bool xclient)
{
	memset(&explorer, 0, sizeof(explorer));
	explorer.lazy = lazy;
	explorer.xclient = xclient;
}

static bool is_of_login(unsigned state)
{
	return state == ENGINE_STARTTLS || state == ENGINE_SERVER_TLS || state == ENGINE_LOGIN ||
	       state == ENGINE_AUTH || state == ENGINE_SENDER;
}

static void test_nothing_wrong_is_reached(void **state)
{
	(void)state;
	begin_explorer(false, false);
	explore_from("", ENGINE_GREET, 0, 9);
	explore_from("GEMvR", ENGINE_ASK_RCPT, 0, 8 - LESS);
	explore_from("GEMvRvo0222", ENGINE_COMMAND, 0, 8 - LESS);
	explore_from("GEMvRvo0222Dv3t", ENGINE_BODY, 0, 8 - 2 * LESS);
	explore_from("GEMvRvo0222Dv3tT.v2MvR", ENGINE_ASK_RCPT, 0, 7 - LESS);
	explore_from("GEMvRvo0222SMvR", ENGINE_ASK_RCPT, ENGINE_REPAIR, 7 - LESS);
	for (unsigned i = ENGINE_GREET; i < ENGINE_STATES; i++)
		if (i != ENGINE_ASK_LOGIN && i != ENGINE_RESPONSE && i != ENGINE_IDENTITY &&
			i != ENGINE_XCLIENT && i != ENGINE_NOOP && i != ENGINE_GIVE &&
			!is_of_login(i) && explorer.reached[i] == 0)
			fail_msg("the state %s was never reached", engine_state_names[i]);
	printf("%lu states, %lu steps\n", explorer.states, explorer.steps);
}

static void begin_secure(enum engine_tls tls, bool login, bool xclient)
{
	begin_explorer(false, xclient);
	explorer.tls = tls;
	explorer.login = explorer.other_sender = login;
}

static void test_tls_and_login_before_a_word_of_mail(void **state)
{
	(void)state;
	begin_secure(ENGINE_TLS_REQUIRE, true, false);
	explore_from("GEMvRvo", ENGINE_GREETING, 0, 7 - LESS);
	explore_from("GEMvRvo0O", ENGINE_STARTTLS, 0, 7 - LESS);
	explore_from("GEMvRvo0O0sOlyn22", ENGINE_COMMAND, 0, 6 - LESS);
	explore_from("GEMvRvo0O0sOlyn22SMvR", ENGINE_ASK_RCPT, 0, 6 - LESS);
	for (unsigned i = ENGINE_GREET; i < ENGINE_STATES; i++)
		if (is_of_login(i) && explorer.reached[i] == 0)
			fail_msg("the state %s was never reached", engine_state_names[i]);
}

static void test_tls_that_is_only_offered(void **state)
{
	(void)state;
	begin_secure(ENGINE_TLS_OFFER, false, false);
	explore_from("GEMvRvo", ENGINE_GREETING, 0, 7 - LESS);
	explore_from("GEMvRvo0O", ENGINE_STARTTLS, 0, 7 - LESS);
	explore_from("GEMvRvo0O0s222SMvR", ENGINE_ASK_RCPT, 0, 6 - LESS);
	begin_secure(ENGINE_TLS_OFFER, true, true);
	explore_from("GEMvRvo0O0sX", ENGINE_IDENTITY, 0, 7 - LESS);
}

static void test_tls_before_the_greeting(void **state)
{
	(void)state;
	begin_secure(ENGINE_TLS_IMMEDIATE, true, false);
	explore_from("GEMvRvo", ENGINE_SERVER_TLS, 0, 7 - LESS);
	explore_from("GEMvRvos0O", ENGINE_LOGIN, 0, 7 - LESS);
}

static void test_a_client_that_begins_tls(void **state)
{
	(void)state;
	begin_explorer(false, false);
	explore_from("GE", ENGINE_COMMAND, ENGINE_CLIENT_STARTTLS, 7 - LESS);
	explore_from("GEMvRvo0222", ENGINE_COMMAND, ENGINE_CLIENT_STARTTLS, 6 - LESS);
	explore_from("GEMvRvo0222Zz", ENGINE_COMMAND, ENGINE_CLIENT_STARTTLS, 6 - LESS);
	explore_from("GEZzEMvRvo0222Dv3t", ENGINE_BODY, ENGINE_CLIENT_STARTTLS, 6 - LESS);
	explore_from(
		"GEZ", ENGINE_CLIENT_TLS, ENGINE_CLIENT_STARTTLS | ENGINE_CLIENT_SECURE, 7 - LESS);
	explore_from("", ENGINE_CLIENT_TLS, ENGINE_CLIENT_AT_ONCE, 7 - LESS);
	explore_from("GE", ENGINE_COMMAND,
		ENGINE_CLIENT_STARTTLS | ENGINE_CLIENT_SECURE | ENGINE_CLIENT_LACKS, 5);
	begin_explorer(true, false);
	explore_from("GE", ENGINE_COMMAND, ENGINE_CLIENT_STARTTLS, 6 - LESS);
}

static void test_a_client_that_logs_in(void **state)
{
	const unsigned tls = ENGINE_CLIENT_STARTTLS | ENGINE_LOGINS;

	(void)state;
	begin_explorer(false, false);
	explore_from("GE", ENGINE_COMMAND, ENGINE_LOGINS_CLEAR, 7 - LESS);
	explore_from("GEMvRvo0222", ENGINE_COMMAND, ENGINE_LOGINS_CLEAR, 6 - LESS);
	explore_from("GEMvRvo0222SAi", ENGINE_COMMAND, ENGINE_LOGINS_CLEAR, 6 - LESS);
	explore_from("GE", ENGINE_COMMAND, tls, 6 - LESS);
	explore_from("GEZzEA", ENGINE_ASK_LOGIN, tls | ENGINE_CLIENT_SECURE, 6 - LESS);
	assert_true(explorer.reached[ENGINE_ASK_LOGIN] > 0);
	assert_true(explorer.reached[ENGINE_RESPONSE] > 0);
	begin_explorer(true, false);
	explore_from("GE", ENGINE_COMMAND, ENGINE_LOGINS_CLEAR, 6 - LESS);
}

static void test_a_text_that_is_kept_whole(void **state)
{
	(void)state;
	begin_explorer(false, false);
	explorer.mode = ENGINE_MODE_WHOLE;
	explore_from("GEMvRvo0222", ENGINE_COMMAND, 0, 6 - LESS);
	explore_from("GEMvRvo0222Dv", ENGINE_BODY, 0, 7 - LESS);
	explore_from("GEMvRvo0222DvT.", ENGINE_ASK_DOT, 0, 7 - LESS);
	explore_from("GEMvRvo0222DvT!.v", ENGINE_NOOP, 0, 7 - LESS);
	explore_from("GEMvRvo0222DvT.v3t", ENGINE_GIVE, 0, 7 - LESS);
	explore_from("GEMvRvo0222DvT.v3MvR", ENGINE_TRACE, 0, 6 - LESS);
	explore_from("GEMvRvo0222DvT", ENGINE_BODY, ENGINE_REPAIR, 6 - LESS);
	assert_true(explorer.reached[ENGINE_NOOP] > 0 && explorer.reached[ENGINE_GIVE] > 0);
	assert_true(explorer.reached[ENGINE_DRAIN] > 0 && explorer.reached[ENGINE_LAST] > 0);
	begin_explorer(true, false);
	explorer.mode = ENGINE_MODE_WHOLE;
	explore_from("GEMvRvo0222DvT", ENGINE_BODY, 0, 6 - LESS);
}

static void test_a_text_that_is_seen(void **state)
{
	(void)state;
	begin_explorer(false, false);
	explorer.mode = ENGINE_MODE_SEEN;
	explore_from("GEMvRvo0222Dv3t", ENGINE_BODY, 0, 7 - LESS);
}

static void test_a_server_that_is_told_who_the_client_is(void **state)
{
	(void)state;
	begin_explorer(false, true);
	explore_from("GEMvRvo0X", ENGINE_IDENTITY, 0, 7 - LESS);
	explore_from("GEMvRvo0", ENGINE_EHLO, 0, 6 - LESS);
	assert_true(explorer.reached[ENGINE_XCLIENT] > 0);
}

/* Bytes and closes come between a reply and what is pipelined behind its command, too. */
static void test_nothing_wrong_between_two_commands(void **state)
{
	(void)state;
	begin_explorer(true, false);
	explore_from("GE", ENGINE_COMMAND, 0, 6);
	explore_from("GEMvRvo022", ENGINE_RCPT, 0, 5);
	explore_from("GEMvRvo0222Dv3tT", ENGINE_BODY, 0, 6 - LESS);
}

static void test_limits_are_near(void **state)
{
	(void)state;
	begin_explorer(false, false);
	explore_from("GE????????", ENGINE_COMMAND, 0, 7 - LESS);
	explore_from("GEMvRfRfRfRfRfRfRfRfRfRfRfRfRfRfRfRfRfRf", ENGINE_COMMAND, 0, 7 - LESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_wrong_is_reached),
		cmocka_unit_test(test_a_server_that_is_told_who_the_client_is),
		cmocka_unit_test(test_a_text_that_is_kept_whole),
		cmocka_unit_test(test_a_text_that_is_seen),
		cmocka_unit_test(test_a_client_that_begins_tls),
		cmocka_unit_test(test_a_client_that_logs_in),
		cmocka_unit_test(test_tls_and_login_before_a_word_of_mail),
		cmocka_unit_test(test_tls_that_is_only_offered),
		cmocka_unit_test(test_tls_before_the_greeting),
		cmocka_unit_test(test_nothing_wrong_between_two_commands),
		cmocka_unit_test(test_limits_are_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
