#include "daemon/control/web_peer.h"

#include "daemon/control/control.h"
#include "daemon/log.h"
#include "daemon/web/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_MS 1000 /* the keeper's part is left out then */
#define UNKNOWN   1    /* in the place of a status: nothing was said yet */

struct web_peer {
	struct control *control;
	struct channel *channel; /* NULL: it does not run */
	uint32_t generation;
	struct endpoint at; /* family ADDR_NONE: nowhere */
	int status;         /* of its listening: 0, -errno or UNKNOWN */

	/* one page at a time */
	uint32_t seq; /* of the question; 0: none */
	struct ask counters_ask, arrived_ask;
	bool counters_asked, arrived_asked; /* no answer yet */
	struct loop_timer late;
	struct metrics_kernel kernel;
};

#define PEER_OF(pointer, member) \
	((struct web_peer *)(void *)((char *)(pointer)-offsetof(struct web_peer, member)))

static bool same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

static void answer(struct web_peer *peer)
{
	struct message_plain page;
	struct message_reply none;
	int fd = metrics_make(peer->control, &peer->kernel);

	if (fd >= 0) {
		message_init(&page, MESSAGE_METRICS_PAGE, sizeof(page));
		page.header.seq = peer->seq;
		channel_send(peer->channel, &page, fd);
		close(fd);
	} else {
		log_error("the page of metrics could not be made: %s", strerror(-fd));
		message_init(&none, MESSAGE_REPLY, sizeof(none));
		none.header.seq = peer->seq;
		none.status = fd;
		channel_send(peer->channel, &none, -1);
	}
	peer->seq = 0;
}

static void stop_asking(struct web_peer *peer)
{
	ask_cancel(&peer->counters_ask);
	ask_cancel(&peer->arrived_ask);
	loop_timer_clear(peer->control->loop, &peer->late);
	peer->counters_asked = peer->arrived_asked = false;
}

static void answer_when_known(struct web_peer *peer)
{
	if (peer->seq && !peer->counters_asked && !peer->arrived_asked) {
		loop_timer_clear(peer->control->loop, &peer->late);
		answer(peer);
	}
}

static void on_counters(struct ask *ask, const struct message_header *message)
{
	struct web_peer *peer = PEER_OF(ask, counters_ask);

	if (message && message->type == MESSAGE_KERNEL_COUNTERS) {
		memcpy(&peer->kernel.counters, message, sizeof(peer->kernel.counters));
		peer->kernel.answered = true;
	}
	peer->counters_asked = false;
	answer_when_known(peer);
}

/* "arrived ZONE N" */
static void take_arrived(struct metrics_kernel *kernel, const char *text)
{
	const size_t at = kernel->narrived;
	char zone[POLICY_NAME_SIZE];
	unsigned long long packets;

	_Static_assert(POLICY_NAME_SIZE == 64, "as the format below says");
	if (at == PLAN_ZONES_MAX || sscanf(text, "arrived %63s %llu", zone, &packets) != 2)
		return;
	memcpy(kernel->arrived[at].zone, zone, sizeof(zone));
	kernel->arrived[at].packets = packets;
	kernel->narrived++;
}

static void on_arrived(struct ask *ask, const struct message_header *message)
{
	struct web_peer *peer = PEER_OF(ask, arrived_ask);

	if (message && message->type == MESSAGE_TEXT) {
		take_arrived(&peer->kernel, ((const struct message_text *)message)->text);
		return;
	}
	peer->arrived_asked = false;
	answer_when_known(peer);
}

static void on_late(struct loop_timer *timer, uint64_t now_ms)
{
	struct web_peer *peer = PEER_OF(timer, late);

	(void)now_ms;
	stop_asking(peer);
	answer(peer);
}

static void begin_page(struct web_peer *peer, uint32_t seq)
{
	struct control *control = peer->control;
	struct message_plain question;

	if (peer->seq) /* it has given the one before up */
		stop_asking(peer);
	peer->seq = seq;
	peer->kernel.answered = false;
	peer->kernel.narrived = 0;
	peer->counters_asked = peer->arrived_asked = true;
	loop_timer_set(control->loop, &peer->late, loop_now_ms(control->loop) + KERNEL_MS);
	message_init(&question, MESSAGE_KERNEL_COUNTERS_GET, sizeof(question));
	ask_send(&control->keeper_asks, &peer->counters_ask, &question, -1);
	message_init(&question, MESSAGE_ARRIVED_GET, sizeof(question));
	ask_send(&control->keeper_asks, &peer->arrived_ask, &question, -1);
}

static void on_message(void *context, const struct message_header *message, int fd)
{
	struct web_peer *peer = context;
	const struct message_metrics_state *state = (const struct message_metrics_state *)message;

	if (fd >= 0)
		close(fd);
	peer->control->counters[COUNTER_MESSAGES_RECEIVED]++;
	switch (message->type) {
	case MESSAGE_METRICS_STATE:
		if (same(&state->at, &peer->at))
			peer->status = state->status;
		break;
	case MESSAGE_COUNTERS:
		break;
	case MESSAGE_METRICS_GET:
		if (message->seq)
			begin_page(peer, message->seq);
		break;
	default:
		peer->control->counters[COUNTER_MESSAGES_BAD]++;
		log_warning("web says %s, which is not its to say",
			message_name((enum message_type)message->type));
	}
}

static void hang_up(struct web_peer *peer)
{
	stop_asking(peer);
	peer->seq = 0;
	peer->status = UNKNOWN;
	channel_free(peer->channel);
	peer->channel = NULL;
}

static void on_gone(void *context)
{
	hang_up(context);
}

static const struct channel_handler handler = {.on_message = on_message, .on_gone = on_gone};

struct web_peer *web_peer_new(struct control *control)
{
	struct web_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->control = control;
	peer->status = UNKNOWN;
	peer->counters_ask.on_answer = on_counters;
	peer->arrived_ask.on_answer = on_arrived;
	peer->late.on_time = on_late;
	return peer;
}

void web_peer_close(struct web_peer *peer)
{
	hang_up(peer);
}

void web_peer_free(struct web_peer *peer)
{
	if (!peer)
		return;
	hang_up(peer);
	free(peer);
}

static void tell_listen(struct web_peer *peer)
{
	struct message_metrics_listen message;

	if (!peer->channel || peer->at.addr.family == ADDR_NONE)
		return;
	message_init(&message, MESSAGE_METRICS_LISTEN, sizeof(message));
	message.at = peer->at;
	channel_send(peer->channel, &message, -1);
}

void web_peer_add(struct web_peer *peer, uint32_t generation, int fd)
{
	struct message_log_level level;

	if (fd < 0)
		return;
	if (peer->channel)
		hang_up(peer);
	peer->channel = channel_open(peer->control->loop, fd, &handler, peer);
	if (!peer->channel) {
		close(fd);
		return;
	}
	peer->generation = generation;
	message_init(&level, MESSAGE_LOG_LEVEL, sizeof(level));
	level.level = peer->control->log_level;
	channel_send(peer->channel, &level, -1);
	tell_listen(peer);
}

void web_peer_send(struct web_peer *peer, const void *message)
{
	if (peer->channel)
		channel_send(peer->channel, message, -1);
}

void web_peer_gone(struct web_peer *peer, uint32_t generation)
{
	if (peer->channel && peer->generation == generation)
		hang_up(peer);
}

void web_peer_follow(struct web_peer *peer)
{
	const struct policy *policy = peer->control->policy;
	struct endpoint at = {.addr = policy->metrics_addr, .port = policy->metrics_port};

	if (!same(&at, &peer->at)) {
		peer->at = at;
		peer->status = UNKNOWN;
		tell_listen(peer);
	}
}

bool web_peer_runs(const struct web_peer *peer)
{
	return peer->channel != NULL;
}

bool web_peer_trouble(const struct web_peer *peer, char *text, size_t size)
{
	char at[ENDPOINT_TEXT_SIZE];

	if (peer->at.addr.family == ADDR_NONE || peer->status == 0)
		return false;
	endpoint_format(&peer->at, at);
	if (!peer->channel)
		snprintf(text, size, "metrics: the web process does not run");
	else if (peer->status == UNKNOWN)
		snprintf(text, size, "metrics: it does not listen on %s yet", at);
	else
		snprintf(text, size, "metrics: it cannot listen on %s: %s", at,
			strerror(-peer->status));
	return true;
}
