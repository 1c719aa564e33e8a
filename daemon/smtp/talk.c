/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/talk.h"

#include "daemon/smtp/body.h"
#include "daemon/smtp/envelope/account.h"
#include "daemon/smtp/envelope/client_name.h"
#include "daemon/smtp/envelope/envelope.h"
#include "daemon/smtp/login.h"
#include "daemon/smtp/report.h"
#include "daemon/smtp/server.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/client.h"
#include "daemon/smtp/wire/last_words.h"
#include "daemon/smtp/wire/outgoing.h"
#include "daemon/smtp/wire/server_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A flow's share of one round, so that one fast client does not hold up the others: of bytes, and
 * of what is done with them, as a command of six may be answered by a packet of its own. */
#define ROUND_BYTES (1u << 20)
#define STEP_BYTES  (8u << 10)
/* Less than what comes of it has room for. */
#define SERVER_READ_BYTES (8u << 10)

static uint64_t now_of(const struct smtp_flow *flow)
{
	return loop_now_ms(flow->smtp->loop);
}

struct engine_out *talk_out(struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	table->out = (struct engine_out){.gateway = smtp_name(flow->smtp, flow->way.policy),
		.client = table->for_client,
		.client_room = SMTP_FLOW_READ_BYTES,
		.server = table->for_server + table->server_kept,
		.server_room = table->server_kept > ENGINE_SERVER_ROOM ? ENGINE_SERVER_ROOM
								       : OUTGOING_SERVER_ROOM,
		.logins = login_offers(flow),
		.holds_back = flow->login_lines > 0 ? account_is_in : NULL,
		.owner = flow};
	body_fill_out(flow, &table->out);
	return &table->out;
}

/* ---- what came out ---- */

/* Its own, or ours on it; what is no reply is nobody's. */
static const char *words_of_host(const struct engine_reply *reply, char words[static IPC_TEXT_SIZE])
{
	if (!reply->server)
		return reply->text;
	if (reply->code == 0)
		return "";
	int len = snprintf(words, IPC_TEXT_SIZE, "%u%s%s", reply->code, *reply->enhanced ? " " : "",
		reply->enhanced);
	if (*reply->text)
		snprintf(words + len, IPC_TEXT_SIZE - (size_t)len, " %s", reply->text);
	return words;
}

static void host_failed(struct smtp_flow *flow, const struct engine_out *out)
{
	char buf[IPC_TEXT_SIZE];
	const char *words = words_of_host(&out->host, buf);

	if (out->host_failed == ENDING_LOGIN_REFUSED)
		account_on_refused(flow, &out->host, words);
	smtp_server_failed(flow, (enum ending)out->host_failed, words);
}

/* No text is to be judged, or given. */
static bool is_given_up(const struct smtp_flow *flow)
{
	return !flow->engine.mail || flow->engine.state == ENGINE_DRAIN ||
	       flow->engine.state == ENGINE_LAST;
}

/* What came out of the engine, in the order that it wants. */
void talk_act(struct smtp_flow *flow)
{
	struct engine_out *out = &flow->smtp->table.out;

	outgoing_to_client(flow, out->client, out->client_len);
	outgoing_to_server(flow, out->server_len);
	body_take(flow, out);
	if (out->recipient_done && out->recipient.server)
		smtp_server_taken(flow);
	smtp_report_transaction(flow, out);
	if (out->host_failed != ENDING_NONE)
		host_failed(flow, out);
	if (out->said != ENGINE_SAID_NOTHING)
		login_on_said(flow, out);
	if (out->server_broken)
		smtp_server_broken(flow);
	if (out->close_server)
		smtp_server_drop(flow);
	flow->more = out->more;
	if (out->recipient_done)
		scan_recipient_done(flow, out->recipient.server && out->recipient.code / 100 == 2);
	scan_follow(flow);
	if (is_given_up(flow)) {
		body_end(flow);
		scan_message_over(flow);
	} else if (flow->engine.state == ENGINE_DOT) {
		body_end(flow); /* the server has it */
	}
	/* what it is to hear when it is done with its message */
	if (out->message_done != ENGINE_OUTCOME_NONE && flow->smtp->child.draining)
		flow->drains = true;
}

/* ---- bytes in ---- */

/* True: the engine was given something. */
static bool give_client(struct smtp_flow *flow, uint8_t *bytes, size_t len, size_t *used)
{
	outgoing_take_header(flow);
	struct engine_out *out = talk_out(flow);

	*used = engine_client(&flow->engine, bytes, len, now_of(flow), out);
	bool spoken = flow->engine.spoken;
	talk_act(flow);
	if (spoken) /* a password may be in it */
		explicit_bzero(bytes, *used);
	return true;
}

static bool close_client(struct smtp_flow *flow, bool gone)
{
	flow->client_ended = true;
	engine_client_closed(&flow->engine, gone, now_of(flow), talk_out(flow));
	talk_act(flow);
	return true;
}

static void spend(size_t *budget, size_t bytes)
{
	*budget -= bytes < *budget ? bytes : *budget;
}

static bool hear_client(struct smtp_flow *flow, size_t *budget)
{
	struct smtp_hold *held = &flow->from_client;
	uint8_t *bytes = flow->smtp->table.read;
	size_t room, used;

	body_hold(flow);
	room = engine_client_room(&flow->engine);
	if (room == 0 || (flow->to_server.piece && !flow->server_header && !body_is_kept(flow)))
		return false;
	if (held->piece) {
		/* all of it: the engine is to know that bytes stand behind what it has room for */
		give_client(flow, smtp_flow_held(flow, held), held->len, &used);
		if (used > 0 && flow->from_client.piece)
			smtp_flow_release(flow, held, used);
		return used > 0;
	}
	if (!flow->client_readable || flow->client_ended || *budget == 0)
		return false;
	size_t wanted = room < SMTP_FLOW_READ_BYTES ? room : SMTP_FLOW_READ_BYTES;
	ssize_t n = client_recv(flow, bytes, wanted);
	if (n == -EAGAIN)
		return false;
	if (n <= 0)
		return close_client(flow, n < 0);
	flow->from_client_bytes += (uint64_t)n;
	spend(budget, (size_t)n);
	bool secret = engine_hears_passwords(&flow->engine);
	give_client(flow, bytes, (size_t)n, &used);
	if (used < (size_t)n && flow->state == SMTP_FLOW_TALK &&
		!smtp_flow_hold(flow, held, bytes + used, (size_t)n - used))
		outgoing_lose_client(flow);
	if (secret || engine_hears_passwords(&flow->engine))
		explicit_bzero(bytes, (size_t)n);
	return true;
}

static bool close_server(struct smtp_flow *flow)
{
	smtp_server_drop(flow);
	engine_server_closed(&flow->engine, now_of(flow), talk_out(flow));
	talk_act(flow);
	return true;
}

/* A reply is as long as the engine lets it be: what comes of so many bytes has room. */
static void give_server(struct smtp_flow *flow, const uint8_t *bytes, size_t len)
{
	struct engine_out *out = talk_out(flow);
	size_t used = engine_server(&flow->engine, bytes, len, now_of(flow), out);

	talk_act(flow);
	if (used < len && flow->server.fd >= 0)
		close_server(flow);
}

static ssize_t receive_clear(struct smtp_flow *flow, void *bytes, size_t len)
{
	ssize_t n = recv(flow->server.fd, bytes, len, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	if ((size_t)n < len && !flow->server_hangup)
		flow->server_readable = false;
	return n;
}

static bool hear_server(struct smtp_flow *flow)
{
	uint8_t *bytes = flow->smtp->table.read;

	if (flow->server.fd < 0 || smtp_server_connects(flow) || !flow->server_readable ||
		flow->engine.state == ENGINE_SERVER_TLS)
		return false;
	ssize_t n = flow->server_secured ? server_tls_read(flow, bytes, SERVER_READ_BYTES)
					 : receive_clear(flow, bytes, SERVER_READ_BYTES);
	if (n == -EINTR)
		return true;
	if (n == -EAGAIN)
		return flow->server_readable = false;
	if (n <= 0)
		return close_server(flow);
	flow->from_server_bytes += (uint64_t)n;
	give_server(flow, bytes, (size_t)n);
	return true;
}

/* ---- what the engine waits for of us ---- */

static bool end_engine(struct smtp_flow *flow, enum ending why)
{
	engine_end(&flow->engine, why, now_of(flow), talk_out(flow));
	talk_act(flow);
	return true;
}

/* Who speaks before the greeting is heard before it. False: its names are waited for. */
static bool greet(struct smtp_flow *flow)
{
	size_t budget = SMTP_FLOW_READ_BYTES;
	struct smtp_refusal refusal;

	if (flow->hangs && flow->client_ended)
		return end_engine(flow, ENDING_LEFT_BEFORE_GREETING);
	if (flow->hangs && client_name_waits(flow))
		return false;
	flow->client_readable = true;
	hear_client(flow, &budget);
	bool welcome = envelope_welcome(flow, &refusal);
	engine_greet(&flow->engine, welcome ? NULL : &refusal, now_of(flow), talk_out(flow));
	talk_act(flow);
	return true;
}

static bool answer_engine(struct smtp_flow *flow)
{
	switch ((enum engine_state)flow->engine.state) {
	case ENGINE_ASK_LOGIN:
		return login_ask(flow);
	case ENGINE_ASK_MAIL:
		envelope_on_sender(flow);
		return true;
	case ENGINE_ASK_RCPT:
		return envelope_on_recipient(flow);
	case ENGINE_ASK_DATA:
		return envelope_on_data(flow);
	case ENGINE_ASK_DOT:
		return envelope_on_dot(flow);
	case ENGINE_GIVE:
		return body_on_give(flow);
	case ENGINE_OPEN:
		return smtp_server_open(flow);
	case ENGINE_IDENTITY:
		smtp_server_identify(flow);
		return true;
	case ENGINE_SERVER_TLS:
		return server_tls_run(flow);
	case ENGINE_LOGIN:
		account_on_login(flow);
		return true;
	case ENGINE_SENDER:
		account_on_sender(flow);
		return true;
	case ENGINE_TRACE:
		envelope_on_trace(flow);
		return true;
	case ENGINE_CLIENT_TLS:
		return client_handshake(flow);
	case ENGINE_GREET:
		return greet(flow);
	case ENGINE_COMMAND:
	case ENGINE_RESPONSE:
	case ENGINE_GREETING:
	case ENGINE_EHLO:
	case ENGINE_STARTTLS:
	case ENGINE_XCLIENT:
	case ENGINE_AUTH:
	case ENGINE_RSET:
	case ENGINE_MAIL:
	case ENGINE_RCPT:
	case ENGINE_DATA:
	case ENGINE_BODY:
	case ENGINE_NOOP:
	case ENGINE_DOT:
	case ENGINE_DRAIN:
	case ENGINE_LAST:
	case ENGINE_END:
		break;
	}
	return false;
}

static bool go(struct smtp_flow *flow)
{
	engine_go(&flow->engine, now_of(flow), talk_out(flow));
	talk_act(flow);
	return true;
}

/* One thing that can be done now. False: there is none. */
static bool step(struct smtp_flow *flow, size_t *budget)
{
	outgoing_flush(flow);
	/* while its message is being judged, or given to the server, nothing is read of it */
	if ((flow->client_lost ||
		    (flow->client_reset && (flow->engine.state == ENGINE_ASK_DOT ||
						   flow->engine.state == ENGINE_GIVE))) &&
		!flow->client_ended)
		return close_client(flow, true);
	if (flow->engine.state != ENGINE_ASK_LOGIN && flow->engine.state != ENGINE_RESPONSE &&
		login_is_under_way(flow))
		login_end(flow);
	if (flow->engine.state != ENGINE_OPEN && smtp_server_connects(flow))
		smtp_server_drop(flow); /* it is given up */
	if (flow->drains) {
		flow->drains = false;
		return end_engine(flow, ENDING_DRAINING);
	}
	/* a client that does not read is not served further */
	if (flow->to_client.piece)
		return false;
	/* a server that has a part of a text is heard before it gets more, or its dot */
	if (flow->engine.state == ENGINE_GIVE && hear_server(flow))
		return true;
	return answer_engine(flow) || (flow->more && go(flow)) || hear_server(flow) ||
	       hear_client(flow, budget);
}

/* The timer is not moved for every input: when it fires, it looks what is due. */
static void arm(struct smtp_flow *flow)
{
	uint64_t at_ms = smtp_server_deadline(flow), name_ms = client_name_deadline(flow);

	if (flow->engine.deadline_ms < at_ms)
		at_ms = flow->engine.deadline_ms;
	if (name_ms < at_ms)
		at_ms = name_ms;
	if (!flow->deadline.slot || at_ms < flow->deadline.at_ms)
		loop_timer_set(flow->smtp->loop, &flow->deadline, at_ms);
}

static void run(struct smtp_flow *flow)
{
	size_t budget = ROUND_BYTES;

	flow->smtp->table.round_given = 0;
	if (flow->state == SMTP_FLOW_LAST)
		last_run(flow);
	while (flow->state == SMTP_FLOW_TALK && budget > 0) {
		if (flow->engine.state == ENGINE_END) {
			last_begin(flow);
			return;
		}
		if (!step(flow, &budget))
			break;
		spend(&budget, STEP_BYTES);
	}
	if (flow->state != SMTP_FLOW_TALK)
		return;
	if (budget == 0)
		smtp_flow_run_again(flow);
	arm(flow);
}

void talk_run(struct smtp_flow *flow)
{
	run(flow);
	outgoing_end_round(flow);
}

void talk_on_server(struct smtp_flow *flow, uint32_t events)
{
	if (smtp_server_connects(flow))
		smtp_server_on_event(flow, events);
	talk_run(flow);
}

void talk_on_deadline(struct smtp_flow *flow, uint64_t now_ms)
{
	if (flow->state == SMTP_FLOW_LAST) {
		smtp_flow_end(flow, (enum ending)flow->engine.ending, false);
		return;
	}
	if (flow->state != SMTP_FLOW_TALK)
		return;
	if (now_ms >= client_name_deadline(flow))
		client_name_on_deadline(flow);
	if (now_ms >= smtp_server_deadline(flow))
		smtp_server_on_deadline(flow);
	if (now_ms >= flow->engine.deadline_ms) {
		flow->late = true;
		if (flow->engine.state == ENGINE_CLIENT_TLS)
			client_late(flow);
		engine_time(&flow->engine, now_ms, talk_out(flow));
		talk_act(flow);
		flow->late = false;
	}
	talk_run(flow);
}

void talk_begin(struct smtp_flow *flow)
{
	struct engine_setup setup;

	envelope_begin(flow);
	envelope_set_up(flow, &setup);
	client_set_up(flow, &setup);
	login_set_up(flow, &setup);
	engine_init(&flow->engine, &setup, now_of(flow));
	smtp_report_started(flow);
	if (flow->named)
		client_name_ask(flow);
	talk_run(flow);
}

void talk_order_end(struct smtp_flow *flow, enum ending why)
{
	if (flow->state != SMTP_FLOW_TALK)
		return;
	end_engine(flow, why);
	talk_run(flow);
}

void talk_end(struct smtp_flow *flow)
{
	if (flow->greeted != ENDING_NONE && flow->ending == ENDING_ANSWERED)
		flow->ending = flow->greeted;
	login_end(flow);
	smtp_report_end(flow);
	way_fini(&flow->way);
}
