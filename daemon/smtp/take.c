/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/smtp/take.h"

#include "daemon/base/log.h"
#include "daemon/smtp/order.h"
#include "daemon/smtp/smtp.h"
#include "daemon/smtp/talk.h"
#include "lib/ipc/hand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int take_init(struct smtp *smtp)
{
	smtp->take.waiting = -1;
	smtp->take.storage = malloc(session_storage_size());
	return smtp->take.storage ? 0 : -ENOMEM;
}

static void hang_up(struct smtp *smtp)
{
	channel_free(smtp->take.pair);
	smtp->take.pair = NULL;
	if (smtp->take.waiting >= 0)
		close(smtp->take.waiting);
	smtp->take.waiting = -1;
}

void take_fini(struct smtp *smtp)
{
	hang_up(smtp);
	free(smtp->take.storage);
	smtp->take.storage = NULL;
}

/* From here on the client is ours alone. What does not reach the relay's socket at once has not
 * been said: the client stays the relay's, and not a byte was exchanged with it. A relay that has
 * died holds no client any more: what it sent before is ours by that. */
static bool say_taken(struct smtp *smtp, uint64_t flow)
{
	struct ipc_taken ipc;

	ipc_init(&ipc, IPC_TAKEN, sizeof(ipc));
	ipc.flow = flow;
	int error = channel_send(smtp->take.pair, &ipc, -1);
	return error == -EPIPE || error == -ECONNRESET ||
	       (error == 0 && channel_queued_bytes(smtp->take.pair) == 0);
}

/* The descriptor is of no use: the relay hands the client to the next process. */
static void refuse(struct smtp *smtp, int fd, const char *why)
{
	log_error("a client cannot be taken: %s", why);
	if (fd >= 0)
		close(fd);
	hang_up(smtp);
}

void take_turn_away(struct smtp *smtp, uint64_t id, int fd, enum ending why)
{
	const struct ending_reply *reply = ending_reply_of(why);
	const struct linger soft = {.l_onoff = 0};
	char line[SMTP_LINE_SIZE];

	size_t len = smtp_reply_format(line, reply->code, reply->enhanced,
		smtp_name(smtp, smtp_picture(smtp)->policy), reply->text, id);
	if (send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &soft, sizeof(soft));
	close(fd);
	smtp_count(smtp, counter_of_ending(why));
}

static bool keep_session(struct smtp_flow *flow, const struct ipc_hand *hand)
{
	if (!hand->session_bytes)
		return true;
	flow->session = malloc(hand->session_bytes);
	if (!flow->session)
		return false;
	memcpy(flow->session, hand->session, hand->session_bytes);
	return true;
}

static void take_facts(
	struct smtp_flow *flow, const struct ipc_hand *hand, const struct session *session)
{
	struct way *way = &flow->way;

	way_init(way, &flow->smtp->ways);
	if (smtp_picture(flow->smtp)->contexts)
		flow->contexts = tls_contexts_hold(smtp_picture(flow->smtp)->contexts);
	way->id = hand->flow;
	way->client = hand->client;
	way->original = hand->original;
	way->mac = hand->mac;
	memcpy(way->ifname, hand->ifname, sizeof(way->ifname));
	flow->start_ms = hand->start_ms;
	flow->rule = -1;
	if (!session)
		return;
	way->session = session->id;
	snprintf(way->user, sizeof(way->user), "%s", session->user.text);
}

/* fd is taken over. */
static void begin(
	struct smtp *smtp, const struct ipc_hand *hand, const struct session *session, int fd)
{
	struct smtp_flow *flow = smtp_flow_new(smtp, fd);

	if (!flow) {
		take_turn_away(smtp, hand->flow, fd, ENDING_TABLE_FULL);
		return;
	}
	take_facts(flow, hand, session);
	if (keep_session(flow, hand))
		talk_begin(flow);
	else
		smtp_flow_end(flow, ENDING_NO_MEMORY, true);
}

static void on_hand(struct smtp *smtp, const struct ipc_hand *hand, int fd)
{
	struct session session;

	int error = hand_get_session(hand, &session, smtp->take.storage);
	if (fd < 0 || error == -EBADMSG) {
		refuse(smtp, fd, fd < 0 ? "no descriptor came with it" : "its session is none");
		return;
	}
	if (!say_taken(smtp, hand->flow)) {
		refuse(smtp, fd, "the relay does not hear");
		return;
	}
	smtp_count(smtp, COUNTER_FLOWS_TAKEN);
	/* the relay went by a policy that may still wait here to be read */
	if (hand->policy > smtp_picture(smtp)->number && smtp->child.control)
		channel_drain(smtp->child.control);
	begin(smtp, hand, error ? NULL : &session, fd);
}

static void on_ipc(void *context, const struct ipc_header *ipc, int fd)
{
	struct smtp *smtp = context;

	child_count(&smtp->child, COUNTER_IPC_RECEIVED);
	if (ipc->type == IPC_HAND) {
		on_hand(smtp, (const struct ipc_hand *)ipc, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (ipc->type == IPC_KILL) {
		order_kill(smtp, (const struct ipc_kill *)ipc);
		return;
	}
	child_count(&smtp->child, COUNTER_IPC_BAD);
	log_warning("the relay sent %s, which it may not send: ignored", ipc_name(ipc->type));
}

static void on_gone(void *context)
{
	struct smtp *smtp = context;

	hang_up(smtp);
	smtp->stop_when_done(smtp);
}

static const struct channel_handler handler = {on_ipc, on_gone};

void take_start(struct smtp *smtp)
{
	if (!smtp->picture_known || smtp->take.waiting < 0)
		return;
	smtp->take.pair = channel_open(smtp->loop, smtp->take.waiting, &handler, smtp);
	if (!smtp->take.pair) {
		log_error("no memory for the relay's channel");
		hang_up(smtp);
	}
	smtp->take.waiting = -1;
}

/* The relay before is dead: nothing more can come from it but what it sent. */
void take_on_pair(struct smtp *smtp, int fd)
{
	take_drain(smtp);
	hang_up(smtp);
	smtp->take.waiting = fd;
	take_start(smtp);
}

void take_drain(struct smtp *smtp)
{
	if (smtp->take.pair)
		channel_drain(smtp->take.pair);
}

bool take_may_come(const struct smtp *smtp)
{
	return smtp->take.pair || smtp->take.waiting >= 0;
}
