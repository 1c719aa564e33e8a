/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A flow at message level: client, server, owner and time do what the input says, in its order, and
 * after each step all that has to hold is looked at (test/lib/smtp_witness.h). Then the same once
 * more, with the bytes of both sides one at a time: client, server and records see the same. */
#include "test/lib/smtp_text.h"
#include "test/lib/smtp_witness.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ACTS_MAX  80
#define BYTES_MAX 2500

/* What a byte of the input does; the next one is its argument. */
enum act {
	ACT_CLIENT, /* so many of the bytes behind it */
	ACT_LINE,   /* one of the lines below */
	ACT_REPLY,  /* the server's reply to what it was asked */
	ACT_SERVER, /* so many of the bytes behind it */
	ACT_YES,    /* what the owner does, to go on */
	ACT_NO,     /* and what it does not to */
	ACT_TIME,
	ACT_CLOSE,
	ACT_BLOCK,
	ACTS,
};

static const char *const lines[] = {
	"EHLO c.example\r\n",
	"MAIL FROM:<a@x.example>\r\n",
	"RCPT TO:<b@y.example>\r\n",
	"RCPT TO:<c@y.example>\r\n",
	"DATA\r\n",
	".\r\n",
	"RSET\r\n",
	"QUIT\r\n",
	"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<c@y.example>\r\nDATA\r\n",
	"NOOP\r\n",
	"HELO [192.0.2.1]\r\n",
	"MAIL FROM:<> SIZE=20 BODY=8BITMIME\r\n",
	"Subject: x\r\nMessage-ID: <1@x>\r\n\r\n..\r\n",
	".\r\nRSET\r\nMAIL FROM:<d@x.example>\r\nRCPT TO:<b@y.example>\r\n",
	"RCPT TO:<postmaster>\r\n",
	"x\n.\r\n",
	"STARTTLS\r\n",
	"STARTTLS\r\nNOOP\r\n",
	"AUTH PLAIN\r\n",
	"AUTH PLAIN " SMTP_WITNESS_SECRET "\r\n",
	SMTP_WITNESS_SECRET "\r\n",
	"*\r\n",
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

static const unsigned codes[] = {250, 220, 354, 250, 251, 451, 550, 421, 503, 221, 452, 554};
#define CODES (sizeof(codes) / sizeof(codes[0]))
/* What only STARTTLS and AUTH are told; 0: an EHLO that offers both. */
static const unsigned more_codes[] = {334, 235, 0, 454, 535};
#define MORE_CODES (sizeof(more_codes) / sizeof(more_codes[0]))

struct run {
	struct smtp_witness witness;
	bool cut;    /* a byte at a time */
	size_t left; /* bytes that may still be said: more of them find nothing new */
	bool timing; /* the client did not wait where it has to: what it hears is a matter of time
		      */
	const uint8_t *data;
	size_t size;
};

static void check(const struct run *run)
{
	if (!run->witness.wrong)
		return;
	fprintf(stderr, "%s, in %s\n", run->witness.wrong,
		engine_state_names[run->witness.engine.state]);
	abort();
}

static void go_on(struct run *run)
{
	unsigned times = 0;

	check(run);
	for (; run->witness.more; check(run)) {
		assert(times++ < 4000);
		smtp_witness_go(&run->witness);
	}
}

/* Of what is sent and not answered, a command that has to be the last has something behind it: if
 * that was there before the reply is a matter of time. */
static bool is_hasty(const struct smtp_client *client, const char *bytes, size_t len)
{
	static const char *const last[] = {"EHLO", "HELO", "DATA", "QUIT", "STAR", "AUTH"};
	static char all[2 * SMTP_CLIENT_SENT_MAX];

	memcpy(all, client->sent, client->sent_len);
	memcpy(all + client->sent_len, bytes, len);
	const char *end = all + client->sent_len + len, *line = all;
	if (client->text) {
		size_t text = smtp_text_end(all, (size_t)(end - all));
		line = text > 0 ? all + text : end;
	}
	bool asked = client->asked;
	while (line < end) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		for (size_t i = 0; lf && i < sizeof(last) / sizeof(last[0]); i++)
			if ((asked || strncasecmp(line, last[i], 4) == 0) && lf + 1 < end)
				return true;
		asked = false;
		line = lf ? lf + 1 : end;
	}
	return !client->greeted;
}

static void client_says(struct run *run, const char *bytes, size_t len)
{
	const struct smtp_witness *witness = &run->witness;
	size_t step = run->cut ? 1 : len;

	if (len > run->left || witness->client_closed ||
		witness->client.sent_len + len > SMTP_CLIENT_SENT_MAX ||
		witness->server.text_len + 2 * len > SMTP_SERVER_TEXT_MAX - 100)
		return;
	run->left -= len;
	run->timing = run->timing || is_hasty(&witness->client, bytes, len);
	for (size_t at = 0, used; at < len; at += used) {
		used = smtp_witness_client(
			&run->witness, bytes + at, len - at < step ? len - at : step);
		go_on(run);
		if (used == 0)
			break;
	}
}

/* There is something behind the end of a reply. */
static bool is_burst(const struct smtp_server *server, const char *bytes, size_t len)
{
	struct smtp_server copy = *server;

	for (size_t i = 0; i + 1 < len; i++) {
		bool due = copy.due != SMTP_SERVER_NONE;
		smtp_server_say(&copy, bytes + i, 1);
		if (due && copy.due == SMTP_SERVER_NONE)
			return true;
	}
	return false;
}

static void server_says(struct run *run, const char *bytes, size_t len)
{
	size_t step = run->cut ? 1 : len;

	if (len > run->left)
		return;
	run->left -= len;
	run->timing = run->timing || is_burst(&run->witness.server, bytes, len);
	for (size_t at = 0; at < len && run->witness.server.open; at += step) {
		smtp_witness_server(&run->witness, bytes + at, step);
		go_on(run);
	}
}

static void reply(struct run *run, unsigned number)
{
	char text[1024];
	unsigned code = number & 0x40 ? more_codes[number % MORE_CODES] : codes[number % CODES];

	server_says(run, text,
		code ? smtp_witness_reply(&run->witness, code, number & 0x80, text)
		     : smtp_witness_offers(text));
}

static void owner_does(struct run *run, bool yes, unsigned number)
{
	static const enum smtp_witness_verdict noes[] = {
		SMTP_WITNESS_REFUSE, SMTP_WITNESS_LATER, SMTP_WITNESS_OTHER};
	static const enum engine_login logins[] = {ENGINE_LOGIN_REFUSED, ENGINE_LOGIN_LATER,
		ENGINE_LOGIN_MALFORMED, ENGINE_LOGIN_NO_MECHANISM};
	struct smtp_witness *witness = &run->witness;
	enum smtp_witness_verdict verdict = yes ? SMTP_WITNESS_GO : noes[number % 3];

	switch ((int)witness->engine.state) {
	case ENGINE_CLIENT_TLS:
		if (yes)
			smtp_witness_client_secured(witness);
		else
			smtp_witness_client_unfit(witness);
		break;
	case ENGINE_GREET:
		smtp_witness_greet(witness);
		break;
	case ENGINE_ASK_LOGIN:
		if (yes && number & 1)
			smtp_witness_challenge(witness);
		else
			smtp_witness_logged_in(witness, yes ? ENGINE_LOGIN_OK : logins[number % 4]);
		break;
	case ENGINE_ASK_MAIL:
	case ENGINE_ASK_RCPT:
	case ENGINE_ASK_DATA:
	case ENGINE_ASK_DOT:
		smtp_witness_verdict(witness, verdict, number & 0x40);
		break;
	case ENGINE_OPEN:
		if (yes)
			smtp_witness_opened(witness);
		else
			smtp_witness_failed(witness, number & 1);
		break;
	case ENGINE_IDENTITY:
		smtp_witness_identity(witness, yes);
		break;
	case ENGINE_SERVER_TLS:
		if (yes)
			smtp_witness_secured(witness);
		else
			smtp_witness_unfit(witness);
		break;
	case ENGINE_LOGIN:
		if (yes)
			smtp_witness_login(witness, witness->server.asks || !(number & 1));
		else
			smtp_witness_unfit(witness);
		break;
	case ENGINE_SENDER:
		smtp_witness_sender(witness);
		break;
	case ENGINE_TRACE:
		smtp_witness_trace(witness, yes);
		break;
	case ENGINE_GIVE:
		if (yes)
			smtp_witness_give(witness, number & 1 ? 3000 : number);
		else
			smtp_witness_give_bad(witness);
		break;
	default: /* what is not asked for is nothing to the engine */
		smtp_witness_verdict(witness, verdict, false);
		break;
	}
}

static void close_or_end(struct run *run, unsigned number)
{
	switch (number % 5) {
	case 0:
		smtp_witness_client_closed(&run->witness, false);
		break;
	case 1:
		smtp_witness_client_closed(&run->witness, true);
		break;
	case 2:
		smtp_witness_end(&run->witness, ENDING_DRAINING);
		break;
	case 3:
		smtp_witness_end(&run->witness, ENDING_KILLED_BLOCK);
		break;
	case 4:
		smtp_witness_server_closed(&run->witness);
		break;
	}
}

static void run_all(struct run *run)
{
	const char *data = (const char *)run->data;

	unsigned acts = 0;

	for (size_t at = 1; at + 1 < run->size && acts++ < ACTS_MAX;) {
		unsigned act = run->data[at] % ACTS, number = run->data[at + 1];
		size_t left = run->size - at - 2, len = number < left ? number : left;
		const char *bytes = data + at + 2;
		at += 2;
		if (act == ACT_CLIENT)
			client_says(run, bytes, len);
		else if (act == ACT_LINE)
			client_says(run, lines[number % LINES], strlen(lines[number % LINES]));
		else if (act == ACT_SERVER)
			server_says(run, bytes, len);
		else if (act == ACT_REPLY)
			reply(run, number);
		else if (act == ACT_YES || act == ACT_NO)
			owner_does(run, act == ACT_YES, number);
		else if (act == ACT_TIME)
			smtp_witness_time(&run->witness);
		else if (act == ACT_CLOSE)
			close_or_end(run, number);
		else if (number & 2)
			smtp_witness_held(&run->witness, number & 1);
		else
			smtp_witness_blocked(&run->witness, number & 1);
		if (act == ACT_CLIENT || act == ACT_SERVER)
			at += len;
		go_on(run);
	}
}

/* The upper bits: the TLS that servers want; that they want a login, and hear of another sender.
 * What clients may do of TLS, and what becomes of texts, stands where nothing can be blocked yet:
 * in a first act of that. */
static void begin(struct run *run, unsigned bits)
{
	bool more = run->size > 2 && run->data[1] % ACTS == ACT_BLOCK;

	smtp_witness_begin(&run->witness, (bits & 0x1f) | (more ? (run->data[2] & 0x3fu) << 5 : 0));
	run->witness.tls = (uint8_t)(bits >> 5 & 3);
	run->witness.login = run->witness.other_sender = bits >> 7;
	run->witness.mode = more ? run->data[2] >> 6 & 3 : 0;
	if (run->witness.mode > ENGINE_MODE_WHOLE)
		run->witness.mode = ENGINE_MODE_WHOLE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole, cut;

	if (size == 0)
		return 0;
	whole = (struct run){.data = data, .size = size, .left = BYTES_MAX};
	cut = (struct run){.data = data, .size = size, .left = BYTES_MAX, .cut = true};
	begin(&whole, data[0]);
	begin(&cut, data[0]);
	run_all(&whole);
	if (!whole.timing) {
		run_all(&cut);
		assert(whole.witness.digest == cut.witness.digest);
		assert(whole.witness.engine.state == cut.witness.engine.state);
		assert(whole.witness.engine.deadline_ms == cut.witness.engine.deadline_ms);
		assert(whole.witness.engine.ending == cut.witness.engine.ending);
	}
	smtp_witness_silence(&whole.witness);
	check(&whole);
	return 0;
}
