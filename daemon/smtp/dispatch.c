/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/dispatch.h"

#include "daemon/smtp/body.h"
#include "daemon/smtp/envelope/client_name.h"
#include "daemon/smtp/listen.h"
#include "daemon/smtp/note.h"
#include "daemon/smtp/scan/scan.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/talk.h"
#include "daemon/smtp/wire/client.h"
#include "daemon/smtp/wire/server_tls.h"
#include "lib/base/container.h"

#include <sys/epoll.h>

#define LOST   (EPOLLHUP | EPOLLERR)
#define HANGUP (EPOLLRDHUP | LOST)

static void on_client(struct loop_watch *watch, uint32_t events)
{
	struct smtp_flow *flow = container_of(watch, struct smtp_flow, client);

	if (events & (EPOLLIN | HANGUP))
		flow->client_readable = true;
	if (events & HANGUP)
		flow->client_hangup = true;
	if (events & (EPOLLOUT | LOST))
		flow->client_writable = true;
	if (events & LOST)
		flow->client_reset = true;
	talk_run(flow);
}

static void on_server(struct loop_watch *watch, uint32_t events)
{
	struct smtp_flow *flow = container_of(watch, struct smtp_flow, server);

	if (watch->fd < 0)
		return;
	if (events & (EPOLLIN | HANGUP))
		flow->server_readable = true;
	if (events & HANGUP)
		flow->server_hangup = true;
	if (events & (EPOLLOUT | LOST))
		flow->server_writable = true;
	server_tls_on_event(flow);
	talk_on_server(flow, events);
}

static void on_deadline(struct loop_timer *timer, uint64_t now_ms)
{
	talk_on_deadline(container_of(timer, struct smtp_flow, deadline), now_ms);
}

static void on_free(struct smtp_flow *flow)
{
	scan_flow_over(flow); /* by the policy that the way gives back */
	talk_end(flow);
	body_end(flow);
	client_end(flow);
	client_name_end(flow);
}

static void on_freed(struct smtp *smtp)
{
	listen_resume(smtp);
	/* at rest the counters are right at once; under load once a second is enough */
	if (smtp_flow_count(&smtp->table) == 0)
		record_rest(&smtp->ways.records);
	smtp->stop_when_done(smtp);
}

const struct smtp_flow_face dispatch_smtp_face = {.on_client = on_client,
	.on_server = on_server,
	.on_deadline = on_deadline,
	.run = talk_run,
	.out = talk_out,
	.act = talk_act,
	.on_server_dropped = server_tls_end,
	.on_free = on_free,
	.on_server_forgotten = server_tls_forget,
	.on_note_over = smtp_note_end,
	.on_freed = on_freed};
