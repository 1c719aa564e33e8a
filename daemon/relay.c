#include "daemon/relay.h"

#include "daemon/answer.h"
#include "daemon/log.h"
#include "daemon/privilege.h"
#include "daemon/question.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 1000
/* Flows at most, whatever the descriptors; the policy's own limit is usually lower. */
#define FLOWS_MAX 65536u
#define FLOWS_MIN 16u
/* Channels, listeners, epoll, log, questions to hosts. */
#define DESCRIPTORS_BESIDE 128u
#define PIECES_KEPT        64
#define RANDOM_ID_BITS     60

const struct picture *relay_picture(const struct relay *relay)
{
	return relay->pictures.now;
}

const char *relay_name(const struct relay *relay)
{
	const struct policy *policy = relay->pictures.now->policy;
	return policy && policy->hostname.len > 0 ? policy->hostname.text : relay->machine;
}

int relay_send(struct relay *relay, const void *message)
{
	int rc = relay->control ? channel_send(relay->control, message, -1) : -EPIPE;
	if (rc < 0)
		relay_count(relay, COUNTER_MESSAGES_LOST);
	else
		relay_count(relay, COUNTER_MESSAGES_SENT);
	return rc;
}

/* Control deals out ids in blocks, so that they are short; without control, chance makes one. */
uint64_t relay_flow_id(struct relay *relay)
{
	uint64_t id = 0;
	if (relay->next_id > relay->last_id || relay->next_id == 0) {
		relay->next_id = relay->spare_first;
		relay->last_id = relay->spare_last;
		relay->spare_first = relay->spare_last = 0;
	}
	if (relay->spare_first == 0 && !relay->ids_asked && relay->control) {
		struct message_plain message;
		message_init(&message, MESSAGE_FLOW_IDS_GET, sizeof(message));
		relay->ids_asked = relay_send(relay, &message) == 0;
	}
	if (relay->next_id > 0)
		return relay->next_id++;
	while (id == 0) {
		if (getrandom(&id, sizeof(id), 0) < 0)
			id = loop_wall_ms(relay->loop) << 16 | (relay->counters[0] & 0xffff);
		id >>= 64 - RANDOM_ID_BITS;
	}
	return id;
}

static void take_flow_ids(struct relay *relay, const struct message_flow_ids *message)
{
	relay->ids_asked = false;
	if (message->first == 0 || message->last < message->first)
		return;
	relay->spare_first = message->first;
	relay->spare_last = message->last;
}

static void send_counters(struct relay *relay)
{
	struct message_counters message;
	relay->counters[COUNTER_FLOWS_LIVE] = flow_count(&relay->table);
	relay->counters[COUNTER_BYTES_SPLICED] = relay->tools.spliced_bytes;
	relay->counters[COUNTER_PIPES_SHORT] = relay->tools.pipes_short;
	if (memcmp(relay->counters, relay->counters_sent, sizeof(relay->counters)) == 0)
		return;
	message_init(&message, MESSAGE_COUNTERS, sizeof(message));
	message.relay = relay->start->relay;
	message.n = COUNTERS;
	memcpy(message.v, relay->counters, sizeof(message.v));
	memcpy(relay->counters_sent, relay->counters, sizeof(relay->counters));
	relay_send(relay, &message);
	/* sending counted itself: no reason to send again */
	relay->counters_sent[COUNTER_MESSAGES_SENT] = relay->counters[COUNTER_MESSAGES_SENT];
	relay->counters_sent[COUNTER_MESSAGES_LOST] = relay->counters[COUNTER_MESSAGES_LOST];
}

static void stop_when_drained(struct relay *relay)
{
	if (!relay->draining || flow_count(&relay->table) > 0)
		return;
	send_counters(relay);
	if (!relay->control || channel_queued_bytes(relay->control) == 0)
		loop_stop(relay->loop);
}

void relay_on_freed(struct relay *relay)
{
	accept_resume(relay);
	stop_when_drained(relay);
}

static void on_tick(struct loop_timer *timer, uint64_t now_ms)
{
	struct relay *relay =
		(struct relay *)(void *)((char *)timer - offsetof(struct relay, tick));
	report_flush(relay);
	send_counters(relay);
	pool_trim(&relay->tools.stuck, PIECES_KEPT);
	stop_when_drained(relay);
	loop_timer_set(relay->loop, timer, now_ms + TICK_MS);
}

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
	stop_when_drained(relay);
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

static bool send_flow(struct flow *flow, void *context)
{
	struct message_flow *message = &flow->relay->report.built;
	(void)context;
	report_fill(flow, MESSAGE_FLOW, message);
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
	const struct policy *policy = relay->pictures.now->policy;
	host_forget(&relay->hosts);
	if (policy)
		log_set_level(policy->log_level);
}

static void on_complete(struct relay *relay)
{
	on_policy(relay);
	report_flush(relay);
	accept_start(relay);
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
		take_flow_ids(relay, m);
		break;
	case MESSAGE_KILL:
		n = flow_each(&relay->table, kill_flow, (void *)(uintptr_t)m);
		reply(relay, message, 0, n, "");
		break;
	case MESSAGE_FLOWS_GET:
		n = flow_each(&relay->table, send_flow, NULL);
		reply(relay, message, 0, n, "");
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

/* The picture stays as it is, records wait, and flows go on; the keeper brings a new control. */
static void on_control_gone(void *context)
{
	struct relay *relay = context;
	log_warning("control is gone; going on with what it said");
	channel_free(relay->control);
	relay->control = NULL;
	relay->ids_asked = false;
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
	channel_free(relay->control);
	relay->control = NULL;
	relay->ids_asked = false;
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

/* Two descriptors a flow, and pipes. */
static uint32_t flows_by_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return FLOWS_MIN;
	rlim_t beside = DESCRIPTORS_BESIDE + 2 * SPLICE_PIPES_MAX;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur / 2 > FLOWS_MAX + beside)
		return FLOWS_MAX;
	if (limit.rlim_cur < beside + 2 * FLOWS_MIN)
		return FLOWS_MIN;
	return (uint32_t)(limit.rlim_cur - beside) / 2;
}

static int attach_limit(struct relay *relay)
{
	struct stat st;
	if (fstat(relay->start->limit_fd, &st) < 0)
		return -errno;
	void *memory = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		relay->start->limit_fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	int rc = limit_attach(&relay->limit, memory, (size_t)st.st_size);
	close(relay->start->limit_fd);
	return rc;
}

static void sweep(void *context)
{
	flow_sweep(context);
}

/* All that needs memory or descriptors, before the first flow. */
static int set_up(struct relay *relay)
{
	const struct process_start *start = relay->start;
	uint32_t flows = flows_by_descriptors();
	int rc;

	relay->loop = loop_new();
	if (!relay->loop)
		return -ENOMEM;
	gethostname(relay->machine, sizeof(relay->machine) - 1);
	tzset(); /* reads its file now: later none can be opened */
	signal(SIGPIPE, SIG_IGN);
	if ((rc = picture_init(&relay->pictures, start->options.relay_port)) < 0 ||
		(rc = flow_table_init(&relay->table, flows)) < 0 ||
		(rc = copy_tools_init(&relay->tools, flows, SPLICE_PIPES_MAX)) < 0 ||
		(rc = host_table_init(&relay->hosts)) < 0 ||
		(rc = report_init(&relay->report)) < 0 || (rc = attach_limit(relay)) < 0)
		return rc;
	relay->keeper = channel_open(relay->loop, start->keeper_fd, &keeper_handler, relay);
	if (!relay->keeper)
		return -ENOMEM;
	if (start->control_fd >= 0 && (rc = open_control(relay, start->control_fd)) < 0)
		return rc;
	accept_init(relay);
	relay->drain_end.on_time = on_drain_end;
	relay->tick.on_time = on_tick;
	loop_timer_set(relay->loop, &relay->tick, loop_now_ms(relay->loop) + TICK_MS);
	loop_after_batch(relay->loop, sweep, relay);
	log_info("room for %u flows", flows);
	return 0;
}

static bool end_at_exit(struct flow *flow, void *context)
{
	(void)context;
	flow_end(flow, ENDING_RELAY_DIED, true);
	return true;
}

static void take_down(struct relay *relay)
{
	if (relay->table.flows.base) {
		flow_each(&relay->table, end_at_exit, NULL);
		flow_sweep(relay);
	}
	for (size_t i = 0; i < relay->hosts.n; i++)
		question_stop(&relay->hosts.v[i]);
	if (relay->accept.listeners[0].relay)
		accept_fini(relay);
	channel_free(relay->control);
	channel_free(relay->keeper);
	report_fini(&relay->report);
	host_table_fini(&relay->hosts);
	copy_tools_fini(&relay->tools);
	flow_table_fini(&relay->table);
	picture_fini(&relay->pictures);
	link_table_fini(&relay->links);
	loop_free(relay->loop);
	free(relay);
}

int relay_main(const struct process_start *start)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	if (!relay)
		return 1;
	relay->start = start;
	int rc = set_up(relay);
	if (rc < 0)
		log_error("cannot set up: %s", strerror(-rc));
	else if ((rc = privilege_enter_relay()) < 0)
		log_error("cannot give up privileges: %s", strerror(-rc));
	else if ((rc = loop_run(relay->loop)) < 0)
		log_error("cannot wait: %s", strerror(-rc));
	bool drained = relay->draining;
	take_down(relay);
	return rc == 0 && drained ? 0 : 1;
}
