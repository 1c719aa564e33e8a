#include "daemon/relay/orders.h"

#include "daemon/relay/answer.h"
#include "daemon/relay/foresee.h"
#include "daemon/relay/load.h"
#include "daemon/log.h"
#include "daemon/relay/relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LEAVE_LOOK_MS 5

/* What one flow gets when the time to drain is over: it hears so, if it has heard nothing yet. */
static bool cut(struct flow *flow, void *context)
{
	(void)context;
	bool running = flow->state == FLOW_RELAY;
	if (!running && flow->state != FLOW_ANSWER)
		answer_short(flow, ENDING_DRAINING);
	flow_end(flow, running ? ENDING_DRAIN_OVER : flow->ending, running);
	return true;
}

static void on_drain_end(struct loop_timer *timer, uint64_t now_ms)
{
	struct relay *relay =
		(struct relay *)(void *)((char *)timer - offsetof(struct relay, drain_end));
	(void)now_ms;
	uint32_t n = flow_each(&relay->table, cut, NULL);
	log_info("the drain time is over: %u flows ended", n);
}

static void drain(struct relay *relay, uint32_t seconds)
{
	uint64_t end_ms = loop_now_ms(relay->loop) + (uint64_t)seconds * 1000;
	if (!relay->draining)
		log_info("draining %u flows, for %u s at most", flow_count(&relay->table), seconds);
	relay->draining = true;
	accept_stop(relay);
	loop_timer_set(relay->loop, &relay->drain_end, end_ms);
	relay_stop_when_drained(relay);
}

static bool kill_flow(struct flow *flow, void *context)
{
	const struct message_kill *kill = context;
	const struct policy *policy = flow->policy;
	const char *server = flow->to_original ? "original"
			     : flow->server_index < 0
				     ? ""
				     : policy->servers[flow->server_index].name.text;
	const char *zone = flow->zone < 0 ? "" : policy->zones[flow->zone].name.text;

	if ((kill->flow && kill->flow != flow->id) ||
		(kill->session && kill->session != flow->session) ||
		(kill->user[0] && strcmp(kill->user, flow->user) != 0) ||
		(kill->server[0] && strcmp(kill->server, server) != 0) ||
		(kill->zone[0] && strcmp(kill->zone, zone) != 0))
		return false;
	flow_end(flow, kill->ending, true);
	return true;
}

/* Does a block hold for the flow's client? One that hears its refusal already hears it out. */
static bool end_blocked(struct flow *flow, void *context)
{
	const struct blocks *blocks = context;

	if (flow->state == FLOW_ANSWER || flow->zone < 0 ||
		!blocks_match(blocks, flow->policy->zones[flow->zone].name.text,
			*flow->user ? flow->user : NULL, &flow->mac, &flow->client_end.addr,
			loop_now_ms(flow->relay->loop)))
		return false;
	flow_end(flow, ENDING_KILLED_BLOCK, true);
	return true;
}

static void end_all_blocked(struct relay *relay)
{
	struct blocks *blocks = relay->pictures.now->blocks;

	if (blocks_count(blocks) > 0)
		flow_each(&relay->table, end_blocked, blocks);
}

static bool send_flow(struct flow *flow, void *context)
{
	const struct message_header *request = context;
	struct message_flow *message = &flow->relay->report.built;
	report_fill(flow, MESSAGE_FLOW, message);
	message->header.seq = request->seq;
	return relay_send(flow->relay, message) == 0;
}

/* To a request of control; text may be several lines, messages hold none. */
static void reply(struct relay *relay, const struct message_header *request, int status,
	uint32_t value, const char *text)
{
	struct message_reply message;
	if (request->seq == 0 || !relay->control)
		return;
	message_init(&message, MESSAGE_REPLY, sizeof(message));
	message.header.seq = request->seq;
	message.status = status;
	message.value = value;
	snprintf(message.text, sizeof(message.text), "%s", text);
	for (char *at = message.text; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	relay_send(relay, &message);
}

static void on_policy(struct relay *relay)
{
	struct policy *policy = relay->pictures.now->policy;
	host_forget(&relay->hosts);
	bind_follow_policy(relay);
	if (!policy)
		return;
	log_set_level(policy->log_level);
	log_set_privacy(policy->audit_names_none);
	int rc = choose_set_policy(&relay->choose, policy, relay->pictures.now->number);
	if (rc < 0)
		log_error("the hosts of the servers: %s", strerror(-rc));
}

/* The keeper tells the interfaces and control the rest, each by its own socket: a flow that came in
 * between would be one of no zone. */
static void start_accepting(struct relay *relay)
{
	if (relay->links_known && relay->picture_known)
		accept_start(relay);
}

static void on_complete(struct relay *relay)
{
	relay->picture_known = true;
	on_policy(relay);
	end_all_blocked(relay);
	report_flush(relay);
	start_accepting(relay);
}

/* False: not about the picture. */
static bool take_picture(struct relay *relay, const struct message_header *message, int fd)
{
	char text[MESSAGE_TEXT_SIZE];
	int error = 0;

	switch (picture_take(&relay->pictures, message, fd, &error, text)) {
	case PICTURE_NONE:
		return false;
	case PICTURE_CHANGED:
		break;
	case PICTURE_BLOCKED:
		end_all_blocked(relay);
		break;
	case PICTURE_POLICY:
		on_policy(relay);
		break;
	case PICTURE_COMPLETE:
		on_complete(relay);
		break;
	case PICTURE_FAILED:
		log_error("%s of control was not taken: %s%s%s", message_name(message->type),
			strerror(-error), *text ? ": " : "", text);
		break;
	}
	reply(relay, message, error, 0, text);
	return true;
}

static void on_control_message(void *context, const struct message_header *message, int fd)
{
	struct relay *relay = context;
	const void *m = message;
	char text[MESSAGE_TEXT_SIZE];
	uint32_t n;

	relay_count(relay, COUNTER_MESSAGES_RECEIVED);
	if (take_picture(relay, message, fd))
		return;
	if (fd >= 0)
		close(fd);
	switch (message->type) {
	case MESSAGE_PING:
	case MESSAGE_PONG:
		break;
	case MESSAGE_FLOW_IDS:
		relay_take_flow_ids(relay, m);
		break;
	case MESSAGE_KILL:
		n = flow_each(&relay->table, kill_flow, (void *)(uintptr_t)m);
		reply(relay, message, 0, n, "");
		break;
	case MESSAGE_FLOWS_GET:
		n = flow_each(&relay->table, send_flow, (void *)(uintptr_t)m);
		reply(relay, message, 0, n, "");
		break;
	case MESSAGE_LOADS_GET:
		n = load_tell(relay, message);
		reply(relay, message, 0, n, "");
		break;
	case MESSAGE_FORESEE:
		n = foresee(relay, m, text);
		reply(relay, message, 0, n, text);
		break;
	case MESSAGE_TARGETS:
		choose_take(&relay->choose, m);
		break;
	case MESSAGE_LOG_LEVEL:
		log_set_level(((const struct message_log_level *)m)->level);
		reply(relay, message, 0, 0, "");
		break;
	default:
		relay_count(relay, COUNTER_MESSAGES_BAD);
		log_warning(
			"control sent %s, which is not for a relay", message_name(message->type));
		reply(relay, message, -EOPNOTSUPP, 0, "not for a relay");
		break;
	}
}

static void forget_control(struct relay *relay)
{
	channel_free(relay->control);
	relay->control = NULL;
	relay->ids_asked = relay->leaving = false;
	loop_timer_clear(relay->loop, &relay->leave);
}

/* Another control comes: what was said goes out, and from here on records wait for the next. The
 * end of the channel tells the old one that it has heard everything. */
static void leave_control(struct relay *relay)
{
	if (!relay->control)
		return;
	relay->leaving = true;
	if (channel_queued_bytes(relay->control) == 0)
		forget_control(relay);
	else
		loop_timer_set(
			relay->loop, &relay->leave, loop_now_ms(relay->loop) + LEAVE_LOOK_MS);
}

static void on_leave(struct loop_timer *timer, uint64_t now_ms)
{
	(void)now_ms;
	leave_control((struct relay *)(void *)((char *)timer - offsetof(struct relay, leave)));
}

/* The picture stays as it is, records wait, and flows go on; the keeper brings a new control. */
static void on_control_gone(void *context)
{
	struct relay *relay = context;
	if (!relay->leaving)
		log_warning("control is gone; going on with what it said");
	forget_control(relay);
}

static const struct channel_handler control_handler = {on_control_message, on_control_gone};

static int open_control(struct relay *relay, int fd)
{
	relay->control = channel_open(relay->loop, fd, &control_handler, relay);
	if (relay->control)
		return 0;
	close(fd);
	return -ENOMEM;
}

static void take_peer(struct relay *relay, int fd)
{
	if (fd < 0)
		return;
	forget_control(relay);
	if (picture_begin(&relay->pictures) < 0 || open_control(relay, fd) < 0)
		log_error("no memory for a new control");
	memset(relay->counters_sent, 0xff, sizeof(relay->counters_sent));
}

static void on_keeper_message(void *context, const struct message_header *message, int fd)
{
	struct relay *relay = context;
	const void *m = message;
	struct message_plain pong;

	relay_count(relay, COUNTER_MESSAGES_RECEIVED);
	if (message->type == MESSAGE_PEER) {
		take_peer(relay, fd);
		return;
	}
	if (message->type == MESSAGE_SOCKET) {
		bind_on_socket(relay, m, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	switch (message->type) {
	case MESSAGE_PING:
		message_init(&pong, MESSAGE_PONG, sizeof(pong));
		pong.header.seq = message->seq;
		channel_send(relay->keeper, &pong, -1);
		break;
	case MESSAGE_LINK:
		if (link_put(&relay->links, m) < 0)
			log_error("no memory for an interface");
		break;
	case MESSAGE_UNLINK:
		link_del(&relay->links, ((const struct message_link *)m)->ifindex);
		break;
	case MESSAGE_LINKS_DONE:
		relay->links_known = true;
		start_accepting(relay);
		break;
	case MESSAGE_HAND_OVER:
		/* what it told before it answered the keeper is here already */
		if (relay->control)
			channel_drain(relay->control);
		report_flush(relay);
		relay_send_counters(relay);
		leave_control(relay);
		break;
	case MESSAGE_DRAIN:
		drain(relay, ((const struct message_drain *)m)->seconds);
		break;
	default:
		relay_count(relay, COUNTER_MESSAGES_BAD);
		log_warning("the keeper sent %s, which is not for a relay",
			message_name(message->type));
		break;
	}
}

static void on_keeper_gone(void *context)
{
	struct relay *relay = context;
	log_error("the keeper is gone");
	loop_stop(relay->loop);
}

static const struct channel_handler keeper_handler = {on_keeper_message, on_keeper_gone};

int orders_open(struct relay *relay)
{
	const struct process_start *start = relay->start;
	relay->drain_end.on_time = on_drain_end;
	relay->leave.on_time = on_leave;
	relay->keeper = channel_open(relay->loop, start->keeper_fd, &keeper_handler, relay);
	if (!relay->keeper)
		return -ENOMEM;
	return start->control_fd < 0 ? 0 : open_control(relay, start->control_fd);
}
