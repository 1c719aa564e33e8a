/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/flow.h"

#include "daemon/smtp/note.h"
#include "daemon/smtp/smtp.h"
#include "daemon/tls/contexts.h"
#include "lib/base/container.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EDGES     (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define AGAIN_MAX 256 /* rounds between two batches of events: the keeper is heard in time */

static void on_again(struct loop_timer *timer, uint64_t now_ms);

int smtp_flow_table_init(
	struct smtp_flow_table *table, uint32_t flows, const struct smtp_flow_face *face)
{
	memset(table, 0, sizeof(*table));
	table->face = face;
	table->again_last = &table->again;
	table->again_timer.on_time = on_again;
	int error = pool_init(&table->flows, sizeof(struct smtp_flow), flows);
	if (!error)
		error = pool_init(&table->notes, SMTP_NOTE_PIECE_BYTES, flows);
	if (!error)
		error = pool_init(&table->said, SMTP_FLOW_SAID_BYTES, flows);
	/* each flow may have something left over on each side, and before it was read; a text that
	 * a filter has not taken; and a note that grew */
	if (!error)
		error = pool_init(&table->pieces, SMTP_FLOW_PIECE_BYTES, 6 * flows);
	if (error)
		return error;
	table->read = malloc(SMTP_FLOW_READ_BYTES);
	table->for_client = malloc(SMTP_FLOW_PIECE_BYTES);
	table->for_server = malloc(SMTP_FLOW_PIECE_BYTES);
	table->for_text = malloc(SMTP_FLOW_READ_BYTES);
	table->bodies = calloc(flows, sizeof(*table->bodies));
	table->scans = calloc(flows, sizeof(struct scans *));
	table->recipients = calloc(SMTP_NOTE_RECIPIENTS_MAX, sizeof(*table->recipients));
	table->record = malloc(MESSAGE_RECORD_BYTES_MAX);
	table->names = calloc(flows, sizeof(struct client_name_wait *));
	table->logins = calloc(flows, sizeof(struct smtp_login *));
	return table->read && table->for_client && table->for_server && table->for_text &&
			       table->bodies && table->scans && table->recipients &&
			       table->record && table->names && table->logins
		       ? 0
		       : -ENOMEM;
}

void smtp_flow_table_fini(struct smtp_flow_table *table)
{
	pool_fini(&table->flows);
	pool_fini(&table->notes);
	pool_fini(&table->said);
	pool_fini(&table->pieces);
	free(table->read);
	free(table->for_client);
	free(table->for_server);
	free(table->for_text);
	free(table->bodies);
	free(table->scans);
	free(table->recipients);
	free(table->record);
	free(table->names);
	free(table->logins);
}

uint32_t smtp_flow_count(const struct smtp_flow_table *table)
{
	return pool_taken(&table->flows);
}

uint32_t smtp_flow_each(struct smtp_flow_table *table, smtp_flow_visit *visit, void *context)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < table->flows.fresh; i++) {
		struct smtp_flow *flow = pool_piece(&table->flows, i);
		if (flow->state != SMTP_FLOW_FREE && flow->state != SMTP_FLOW_DONE)
			n += visit(flow, context);
	}
	return n;
}

struct smtp_flow *smtp_flow_new(struct smtp *smtp, int fd)
{
	struct smtp_flow_table *table = &smtp->table;
	struct smtp_flow *flow = pool_take(&table->flows);

	if (!flow)
		return NULL;
	memset(flow, 0, sizeof(*flow));
	flow->smtp = smtp;
	flow->client.fd = fd;
	flow->client.on_event = table->face->on_client;
	flow->client_writable = true;
	flow->server.fd = -1;
	flow->server.on_event = table->face->on_server;
	flow->deadline.on_time = table->face->on_deadline;
	if (loop_add(smtp->loop, &flow->client, EDGES) < 0) {
		pool_give(&table->flows, flow);
		return NULL;
	}
	flow->state = SMTP_FLOW_TALK;
	if (smtp_flow_count(table) > table->most)
		table->most = smtp_flow_count(table);
	return flow;
}

int smtp_flow_watch_server(struct smtp_flow *flow, int fd)
{
	flow->server.fd = fd;
	flow->server_readable = flow->server_writable = flow->server_hangup = false;
	return loop_add(flow->smtp->loop, &flow->server, EDGES);
}

uint8_t *smtp_flow_held(const struct smtp_flow *flow, const struct smtp_hold *hold)
{
	return (uint8_t *)pool_piece(&flow->smtp->table.pieces, hold->piece - 1) + hold->at;
}

bool smtp_flow_hold(struct smtp_flow *flow, struct smtp_hold *hold, const void *bytes, size_t len)
{
	if (!hold->piece) {
		struct pool *pieces = &flow->smtp->table.pieces;
		void *piece = pool_take(pieces);
		*hold = (struct smtp_hold){.piece = piece ? 1 + pool_number(pieces, piece) : 0};
	}
	if (!hold->piece || hold->at + hold->len + len > SMTP_FLOW_PIECE_BYTES)
		return false;
	memcpy(smtp_flow_held(flow, hold) + hold->len, bytes, len);
	hold->len += (uint32_t)len;
	return true;
}

void smtp_flow_release(struct smtp_flow *flow, struct smtp_hold *hold, size_t len)
{
	if (hold == &flow->from_client) /* it may be a password */
		explicit_bzero(smtp_flow_held(flow, hold), len);
	hold->at += (uint32_t)len;
	hold->len -= (uint32_t)len;
	if (hold->len > 0)
		return;
	pool_give(
		&flow->smtp->table.pieces, pool_piece(&flow->smtp->table.pieces, hold->piece - 1));
	*hold = (struct smtp_hold){0};
}

static void drop_hold(struct smtp_flow *flow, struct smtp_hold *hold)
{
	if (hold->piece && hold == &flow->from_client)
		explicit_bzero(smtp_flow_held(flow, hold), hold->len);
	if (hold->piece)
		pool_give(&flow->smtp->table.pieces, smtp_flow_held(flow, hold) - hold->at);
	*hold = (struct smtp_hold){0};
}

void smtp_flow_drop_server(struct smtp_flow *flow)
{
	drop_hold(flow, &flow->to_server);
	flow->server_header = false;
	flow->smtp->table.face->on_server_dropped(flow);
	if (flow->server.fd < 0)
		return;
	if (flow->server_lent)
		loop_del(flow->smtp->loop, &flow->server);
	else
		loop_forget(flow->smtp->loop, &flow->server);
	close(flow->server.fd);
	flow->server.fd = -1;
	flow->server_readable = flow->server_writable = flow->server_hangup = false;
}

static void unlink_again(struct smtp_flow_table *table, struct smtp_flow *flow)
{
	struct smtp_flow **at = &table->again;

	if (!flow->is_again)
		return;
	flow->is_again = false;
	table->nagain--;
	while (*at != flow)
		at = &(*at)->next;
	*at = flow->next;
	if (table->again_last == &flow->next)
		table->again_last = at;
}

void smtp_flow_end(struct smtp_flow *flow, enum ending ending, bool reset)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	if (flow->state == SMTP_FLOW_DONE)
		return;
	flow->state = SMTP_FLOW_DONE;
	flow->ending = (uint8_t)ending;
	flow->reset = reset;
	loop_timer_clear(flow->smtp->loop, &flow->deadline);
	unlink_again(table, flow);
	flow->next = table->done;
	table->done = flow;
}

void smtp_flow_run_again(struct smtp_flow *flow)
{
	struct smtp_flow_table *table = &flow->smtp->table;

	if (flow->is_again)
		return;
	flow->is_again = true;
	table->nagain++;
	flow->next = NULL;
	*table->again_last = flow;
	table->again_last = &flow->next;
	if (!table->again_timer.slot)
		loop_timer_set(flow->smtp->loop, &table->again_timer, 0);
}

/* A round for each flow in the list as it is now, or for as many as a batch of events is for; who
 * needs one more comes behind the others and behind the next batch. */
static void on_again(struct loop_timer *timer, uint64_t now_ms)
{
	struct smtp_flow_table *table = container_of(timer, struct smtp_flow_table, again_timer);
	uint32_t rounds = table->nagain < AGAIN_MAX ? table->nagain : AGAIN_MAX;
	struct smtp_flow *flow;

	(void)now_ms;
	while (rounds-- > 0 && (flow = table->again)) {
		unlink_again(table, flow);
		table->face->run(flow);
	}
	flow = table->again;
	if (flow && !timer->slot)
		loop_timer_set(flow->smtp->loop, timer, 0);
}

/* The client's socket has SO_LINGER {1, 0} from the listener, so that a process that dies resets
 * its clients (doc/kernel.md); an orderly end takes it off first. A FIN in the middle of a text
 * makes no server take it. */
static void close_client(struct smtp_flow *flow)
{
	const struct linger soft = {.l_onoff = 0};

	if (!flow->reset)
		setsockopt(flow->client.fd, SOL_SOCKET, SO_LINGER, &soft, sizeof(soft));
	/* out of epoll by hand: the relay may hold the connection still, and then closing is not
	 * enough */
	loop_del(flow->smtp->loop, &flow->client);
	close(flow->client.fd);
}

static void free_flow(struct smtp *smtp, struct smtp_flow *flow)
{
	smtp->table.face->on_free(flow);
	smtp_flow_drop_server(flow);
	smtp->table.face->on_server_forgotten(flow);
	close_client(flow);
	drop_hold(flow, &flow->from_client);
	drop_hold(flow, &flow->to_client);
	smtp->table.face->on_note_over(flow);
	if (flow->said)
		pool_give(&smtp->table.said, pool_piece(&smtp->table.said, flow->said - 1));
	free(flow->session);
	tls_contexts_free(flow->contexts);
	if (engine_hears_passwords(&flow->engine)) /* who left in the middle of a line */
		explicit_bzero(&flow->engine.command, sizeof(flow->engine.command));
	flow->state = SMTP_FLOW_FREE;
	pool_give(&smtp->table.flows, flow);
}

void smtp_flow_sweep(struct smtp *smtp)
{
	struct smtp_flow *flow = smtp->table.done;

	smtp->table.handshakes = 0;
	if (!flow)
		return;
	smtp->table.done = NULL;
	while (flow) {
		struct smtp_flow *next = flow->next;
		free_flow(smtp, flow);
		flow = next;
	}
	smtp->table.face->on_freed(smtp);
}
