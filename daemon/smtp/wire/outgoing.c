/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/wire/outgoing.h"

#include "daemon/smtp/smtp.h"
#include "daemon/smtp/wire/client.h"
#include "daemon/smtp/wire/server_tls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(
	OUTGOING_SERVER_ROOM + ENGINE_SERVER_ROOM <= SMTP_FLOW_PIECE_BYTES, "a dot goes behind it");

/* How many of them went; -errno: the other side is gone. flags: 0, or MSG_MORE: they go with what
 * follows, or alone when nothing did for a fifth of a second. */
static ssize_t send_some(int fd, const void *bytes, size_t len, int flags)
{
	ssize_t n;

	do
		n = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

void outgoing_lose_client(struct smtp_flow *flow)
{
	flow->client_lost = true;
	if (flow->to_client.piece)
		smtp_flow_release(flow, &flow->to_client, flow->to_client.len);
}

/* A server that no longer takes anything may have said why. */
static void lose_server(struct smtp_flow *flow)
{
	flow->server_deaf = flow->server_readable = flow->server_hangup = true;
	if (flow->to_server.piece)
		smtp_flow_release(flow, &flow->to_server, flow->to_server.len);
}

void outgoing_to_client(struct smtp_flow *flow, const char *bytes, size_t len)
{
	ssize_t sent = 0;

	if (len == 0 || flow->client_lost)
		return;
	if (!flow->to_client.piece && flow->client_writable)
		sent = client_send(flow, bytes, len);
	if (sent < 0) {
		outgoing_lose_client(flow);
		return;
	}
	if ((size_t)sent == len)
		return;
	flow->client_writable = false;
	if (!smtp_flow_hold(flow, &flow->to_client, bytes + sent, len - (size_t)sent))
		outgoing_lose_client(flow);
}

/* Header lines of ours, which are said with the 354, go with the text behind them. True: they wait
 * for that. */
static bool keep_header(struct smtp_flow *flow, const char *bytes, size_t len)
{
	bool header = flow->engine.state == ENGINE_BODY && flow->smtp->table.out.client_len > 0;

	flow->server_header = header && !flow->to_server.piece &&
			      smtp_flow_hold(flow, &flow->to_server, bytes, len);
	return flow->server_header;
}

void outgoing_take_header(struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;
	struct smtp_hold *held = &flow->to_server;

	if (!flow->server_header)
		return;
	flow->server_header = false;
	table->server_kept = held->len;
	memcpy(table->for_server, smtp_flow_held(flow, held), held->len);
	smtp_flow_release(flow, held, held->len);
}

/* What is said last goes in one packet with our end, which follows at once; of a socket that
 * another process may have, too, it would not. */
static int server_flags(const struct smtp_flow *flow)
{
	return flow->smtp->table.out.close_server && !flow->server_lent ? MSG_MORE : 0;
}

static ssize_t send_server(struct smtp_flow *flow, const void *bytes, size_t len, int flags)
{
	return flow->server_secured ? server_tls_write(flow, bytes, len, flags != 0)
				    : send_some(flow->server.fd, bytes, len, flags);
}

static void put_server(struct smtp_flow *flow, const char *bytes, size_t len)
{
	ssize_t sent = 0;

	if (len == 0 || flow->server.fd < 0 || flow->server_deaf || keep_header(flow, bytes, len))
		return;
	if (!flow->to_server.piece && flow->server_writable)
		sent = send_server(flow, bytes, len, server_flags(flow));
	if (sent < 0) {
		lose_server(flow);
		return;
	}
	if ((size_t)sent == len)
		return;
	flow->server_writable = false;
	/* what is said in AUTH is nowhere kept: a new connection has room for it */
	if (flow->engine.state != ENGINE_AUTH &&
		smtp_flow_hold(flow, &flow->to_server, bytes + sent, len - (size_t)sent))
		engine_server_blocked(&flow->engine, true, loop_now_ms(flow->smtp->loop));
	else
		lose_server(flow);
}

void outgoing_flush_client(struct smtp_flow *flow)
{
	struct smtp_hold *held = &flow->to_client;

	if (!held->piece || !flow->client_writable)
		return;
	ssize_t sent = client_send(flow, smtp_flow_held(flow, held), held->len);
	if (sent < 0) {
		outgoing_lose_client(flow);
		return;
	}
	flow->client_writable = (uint32_t)sent == held->len;
	smtp_flow_release(flow, held, (size_t)sent);
}

static void flush_server(struct smtp_flow *flow)
{
	struct smtp_hold *held = &flow->to_server;

	if (!held->piece || !flow->server_writable || flow->server_header)
		return;
	ssize_t sent = send_server(flow, smtp_flow_held(flow, held), held->len, 0);
	if (sent < 0) {
		lose_server(flow);
		return;
	}
	flow->server_writable = (uint32_t)sent == held->len;
	smtp_flow_release(flow, held, (size_t)sent);
	if (!held->piece)
		engine_server_blocked(&flow->engine, false, loop_now_ms(flow->smtp->loop));
}

void outgoing_flush(struct smtp_flow *flow)
{
	outgoing_flush_client(flow);
	flush_server(flow);
}

/* The end of a text is kept for its dot, and the header before one that is given for that, which
 * mostly comes in this round. */
static bool is_kept(const struct smtp_flow *flow, size_t len)
{
	if (flow->smtp->table.out.close_server)
		return false;
	return (flow->engine.state == ENGINE_ASK_DOT && len <= OUTGOING_SERVER_ROOM) ||
	       (flow->engine.state == ENGINE_GIVE && len <= ENGINE_TRACE_MAX);
}

void outgoing_to_server(struct smtp_flow *flow, size_t len)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	len += table->server_kept;
	table->server_kept = 0;
	if (is_kept(flow, len))
		table->server_kept = len;
	else
		put_server(flow, table->for_server, len);
}

void outgoing_end_round(struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;
	size_t len = table->server_kept;

	table->server_kept = 0;
	put_server(flow, table->for_server, len);
}
