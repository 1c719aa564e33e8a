/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/server.h"

#include "daemon/base/log.h"
#include "daemon/flow/attempts.h"
#include "daemon/flow/charge.h"
#include "daemon/flow/choose.h"
#include "daemon/flow/dial.h"
#include "daemon/flow/header.h"
#include "daemon/flow/stock.h"
#include "daemon/smtp/envelope/account.h"
#include "daemon/smtp/envelope/client_name.h"
#include "daemon/smtp/envelope/envelope.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/server_tls.h"
#include "lib/smtp/xclient.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_step(struct smtp_flow *flow, enum smtp_flow_step step)
{
	flow->smtp->table.binds -= flow->step == SMTP_FLOW_BINDS;
	flow->smtp->table.binds += step == SMTP_FLOW_BINDS;
	flow->step = (uint8_t)step;
}

bool smtp_server_connects(const struct smtp_flow *flow)
{
	return flow->step != SMTP_FLOW_QUIET;
}

uint64_t smtp_server_deadline(const struct smtp_flow *flow)
{
	return smtp_server_connects(flow) ? flow->way.attempt_ms + flow->connect_ms : UINT64_MAX;
}

/* ---- attempts ---- */

static void tell_failed(struct smtp_flow *flow)
{
	dial_give_up(&flow->way);
	engine_server_failed(&flow->engine, false, way_now_ms(&flow->way), smtp_out(flow));
	smtp_act(flow);
}

/* Connects to the host at hand, or begins to wait for a socket to do it with. False: that was
 * noted; the next one, please. */
static bool connect_host(struct smtp_flow *flow)
{
	const struct ipc_target *target = choose_target(&flow->way);

	if (target) /* else the same host once more: its line is known */
		flow->host = target->line;
	int fd = dial_connect(&flow->way);
	flow->connect_ms = (uint32_t)(way_now_ms(&flow->way) - flow->way.attempt_ms) +
			   dial_may_connect_ms(&flow->way);
	if (fd == -EAGAIN) {
		set_step(flow, SMTP_FLOW_BINDS);
		return true;
	}
	if (fd < 0)
		return false;
	flow->server_lent = dial_is_lent(&flow->way);
	int error = smtp_flow_watch_server(flow, fd);
	if (error) {
		close(fd);
		flow->server.fd = -1;
		dial_failed(&flow->way, dial_ending(-error), strerror(-error));
		return false;
	}
	set_step(flow, SMTP_FLOW_CONNECTS);
	return true;
}

/* True: the engine heard that there is none. */
static bool try_next(struct smtp_flow *flow)
{
	set_step(flow, SMTP_FLOW_QUIET);
	while (dial_next(&flow->way))
		if (connect_host(flow))
			return false;
	tell_failed(flow);
	return true;
}

/* The engine hears that this host is not to be had without TLS either; others it asks for anew, as
 * those are tried in TLS first. */
static void tell_not_clear(struct smtp_flow *flow)
{
	set_step(flow, SMTP_FLOW_QUIET);
	engine_server_failed(&flow->engine, true, way_now_ms(&flow->way), smtp_out(flow));
	smtp_act(flow);
}

/* The host at hand once more. */
static bool try_clear(struct smtp_flow *flow)
{
	flow->way.attempt_ms = way_now_ms(&flow->way);
	if (connect_host(flow))
		return false;
	tell_not_clear(flow);
	return true;
}

static void go_on(struct smtp_flow *flow)
{
	if (flow->engine.state == ENGINE_OPEN && flow->engine.open == ENGINE_OPEN_CLEAR)
		tell_not_clear(flow);
	else
		try_next(flow);
}

static bool begin(struct smtp_flow *flow)
{
	envelope_take_server(flow);
	enum ending over = charge_server(&flow->way);

	dial_first(&flow->way);
	if (over == ENDING_NONE)
		return try_next(flow);
	flow->way.host = (struct endpoint){0}; /* that of an earlier message */
	dial_pass_over(&flow->way, over, "");
	tell_failed(flow);
	return true;
}

bool smtp_server_open(struct smtp_flow *flow)
{
	if (smtp_server_connects(flow))
		return false;
	switch ((enum engine_open)flow->engine.open) {
	case ENGINE_OPEN_FIRST:
		return begin(flow);
	case ENGINE_OPEN_NEXT:
		return try_next(flow);
	case ENGINE_OPEN_CLEAR:
		return try_clear(flow);
	case ENGINE_OPEN_AGAIN:
		break;
	}
	/* the same host once more, and if it is gone the next one, in the time that is left */
	dial_first(&flow->way);
	flow->way.first_end_ms = flow->engine.first_ms;
	flow->way.attempt_ms = way_now_ms(&flow->way);
	return connect_host(flow) ? false : try_next(flow);
}

void smtp_server_failed(struct smtp_flow *flow, enum ending ending, const char *words)
{
	char host[ENDPOINT_TEXT_SIZE];

	if (ending == ENDING_LOGIN_REFUSED && account_is_held(flow)) {
		dial_pass_over(&flow->way, ending, words); /* it has been told of */
		return;
	}
	if (ending != ENDING_TLS_FAILED || flow->engine.state != ENGINE_OPEN ||
		flow->engine.open != ENGINE_OPEN_CLEAR) {
		dial_failed(&flow->way, ending, words);
		return;
	}
	/* it only offers TLS: no reason to think less of it */
	dial_pass_over(&flow->way, ending, words);
	log_info("host %s offers TLS, and is spoken to in clear: %s",
		endpoint_format(&flow->way.host, host), words);
}

void smtp_server_broken(struct smtp_flow *flow)
{
	static const char words[] = "it says yes inside a message";

	attempts_note(&flow->way, ENDING_FAILED, words);
	choose_broken(&flow->way, words);
}

static void fail(struct smtp_flow *flow, enum ending ending, const char *words)
{
	smtp_flow_drop_server(flow);
	dial_failed(&flow->way, ending, words);
	go_on(flow);
}

/* ---- connected ---- */

/* False: the header did not go, as it does into a socket that was just connected. */
static bool say_header(struct smtp_flow *flow)
{
	uint8_t header[PROXY_V2_SIZE];
	const struct policy_server *server = way_server(&flow->way);

	switch (server ? server->announce : POLICY_ANNOUNCE_NONE) {
	case POLICY_ANNOUNCE_NONE:
	case POLICY_ANNOUNCE_XCLIENT:
		return true;
	case POLICY_ANNOUNCE_PROXY_V1:
	case POLICY_ANNOUNCE_PROXY_V2:
		break;
	}
	size_t len = header_encode(&flow->way, header);
	return len > 0 &&
	       send(flow->server.fd, header, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

void smtp_server_on_event(struct smtp_flow *flow, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		int error = dial_error(flow->server.fd);
		/* no error: it connected and was closed at once, which reading will tell */
		if (error) {
			fail(flow, dial_ending(error), strerror(error));
			return;
		}
	} else if (!(events & EPOLLOUT)) {
		return;
	}
	dial_connected(&flow->way, flow->server.fd);
	server_tls_forget(flow);
	if (!say_header(flow)) {
		fail(flow, ENDING_GREETING_CLOSED, "the PROXY header could not be sent");
		return;
	}
	set_step(flow, SMTP_FLOW_QUIET);
	flow->login_lines = 0;
	enum engine_tls tls = server_tls_wanted(flow);
	bool again = tls == ENGINE_TLS_OFFER && flow->engine.open != ENGINE_OPEN_CLEAR;
	engine_server_opened(&flow->engine, tls, dial_may_talk_ms(&flow->way, again),
		way_now_ms(&flow->way), smtp_out(flow));
	smtp_act(flow);
}

void smtp_server_on_deadline(struct smtp_flow *flow)
{
	if (flow->step == SMTP_FLOW_BINDS) {
		dial_pass_over(&flow->way, ENDING_HOST_UNFIT, stock_words(&flow->way));
		go_on(flow);
		return;
	}
	fail(flow, ENDING_CONNECT_TIMEOUT, "");
}

static bool dial_again(struct smtp_flow *flow, void *context)
{
	(void)context;
	if (flow->step != SMTP_FLOW_BINDS)
		return false;
	if (!connect_host(flow))
		go_on(flow);
	smtp_run(flow);
	return true;
}

void smtp_server_on_stock(struct smtp *smtp)
{
	smtp_flow_each(&smtp->table, dial_again, NULL);
}

void smtp_server_taken(struct smtp_flow *flow)
{
	if (flow->server.fd < 0 || flow->served)
		return;
	flow->served = true;
	dial_taken(&flow->way, flow->server.fd);
}

void smtp_server_drop(struct smtp_flow *flow)
{
	set_step(flow, SMTP_FLOW_QUIET);
	smtp_flow_drop_server(flow);
	flow->served = false;
	charge_drop_host(&flow->way);
	charge_drop_server(&flow->way);
}

/* ---- who the client is ---- */

void smtp_server_identify(struct smtp_flow *flow)
{
	const struct way *way = &flow->way;
	char login[LOGIN_NAME_SIZE];
	struct xclient_identity identity = {.client = way->client, .original = way->original};
	struct xclient_commands commands;
	const char *text = commands.text;
	uint64_t now_ms = way_now_ms(way);

	if (flow->identified == 0)
		envelope_take_permit(flow);
	identity.login = header_login(way, login);
	client_name_identify(flow, &identity);
	int error = xclient_encode(&identity, flow->engine.offers.xclient, &commands);
	if (error || flow->identified >= commands.n) {
		flow->identified = 0;
		engine_identity(&flow->engine, "", 0, true, now_ms, smtp_out(flow));
		smtp_act(flow);
		return;
	}
	for (size_t i = 0; i < flow->identified; i++)
		text += commands.len[i];
	size_t len = commands.len[flow->identified++];
	bool last = flow->identified == commands.n;
	if (last)
		flow->identified = 0;
	engine_identity(&flow->engine, text, len, last, now_ms, smtp_out(flow));
	smtp_act(flow);
}
